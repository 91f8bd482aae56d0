"""Batches that are above a limit, or that can't be cut into messages: refused
as one, signed, under the id of head and headers."""
import struct

import pytest

from parley_client import canonical as mp
from parley_client import tree

from wrong import Raw, agrees, parts, raw, refused

# -- limits -------------------------------------------------------------


def uncut(session, sent):
    """(rule, values) of what is refused as one, under its own id."""
    head, headers, _ = sent.frames()
    (index, id_, rule, values), = refused(session, sent)
    assert index is None
    assert id_ == tree.leaf(head + headers)
    return rule, values


def test_257_messages(victim):
    headers, bodies = parts(victim, 257)
    agrees(uncut(victim, raw(victim, headers, bodies, cut=False)), "LIMIT",
           what="messages", size=257, limit=256)


def test_batch_above_a_mebibyte(victim):
    pairs = [victim.make("members/x", "y" * 215000) for _ in range(5)]
    headers, bodies = [h.octets for h, _ in pairs], [b for _, b in pairs]
    agrees(uncut(victim, raw(victim, headers, bodies, cut=False)), "LIMIT",
           what="batch", size=sum(map(len, headers + bodies)), limit=1048576)


def test_long_batch_head(victim):
    headers, bodies = parts(victim)
    sent = raw(victim, headers, bodies, cut=False,
               channel="m" * 1000)
    rule, values = uncut(victim, sent)
    agrees((rule, values), "LIMIT", what="batch head",
           size=len(sent.frames()[0]), limit=values["limit"])


# -- what can't be cut --------------------------------------------------


@pytest.mark.parametrize("change, place, why", [
    (lambda v: v[:5], "batch head", "array"),
    (lambda v: v + [None], "batch head", "array"),
    (lambda v: [b"EUROPOL/hq"] + v[1:], "batch head", ""),
    (lambda v: ["EUROPOL/root"] + v[1:], "batch head", "author"),
    (lambda v: ["europol/hq"] + v[1:], "batch head", "author"),
    (lambda v: v[:1] + ["$log"] + v[2:], "batch head", "channel"),
    (lambda v: v[:1] + ["@FRONTEX+EUROPOL"] + v[2:], "batch head",
     "ascend"),
    (lambda v: v[:1] + ["@EUROPOL+"] + v[2:], "batch head", "entity"),
    (lambda v: v[:2] + [0] + v[3:], "batch head", ""),
    (lambda v: v[:2] + [-1] + v[3:], "batch head", ""),
    (lambda v: v[:2] + ["2"] + v[3:], "batch head", ""),
    (lambda v: v[:3] + [bytes(7)] + v[4:], "batch head", ""),
    (lambda v: v[:4] + [bytes(63)] + v[5:], "batch head", ""),
    (lambda v: v[:5] + [[]], "batch head", ""),
    (lambda v: v[:5] + [["EUROPOL/hq", bytes(8), bytes(65)]], "batch head",
     ""),
    (lambda v: v[:5] + [["/", bytes(8), bytes(64)]], "batch head",
     "submitter"),
    (lambda v: {"a": 1}, "batch head", "array"),
    (lambda v: None, "batch head", "array"),
    (lambda v: v[:2] + [1] + v[3:], "headers", "octets follow"),
    (lambda v: v[:2] + [3] + v[3:], "headers", "lengths"),
])
def test_bad_head(victim, change, place, why):
    headers, bodies = parts(victim)
    good = raw(victim, headers, bodies)
    head, *rest = good.frames()
    sent = Raw(mp.encode(change(mp.decode(head))), *rest)
    agrees(uncut(victim, sent), "MALFORMED", place=place, why={why})


@pytest.mark.parametrize("what", ["empty", "trailing", "cut", "long form",
                                  "nested", "bomb"])
def test_bad_head_octets(victim, what):
    headers, bodies = parts(victim)
    head, *rest = raw(victim, headers, bodies).frames()
    at = head.index(b"\x02\xc4\x08")  # the size, in one octet
    head = {"empty": b"", "trailing": head + b"\xc0", "cut": head[:-2],
            "long form": head[:at] + b"\xcc\x02" + head[at + 1:],
            "nested": b"\x91" * 100, "bomb": b"\xdd\xff\xff\xff\xff"}[what]
    agrees(uncut(victim, Raw(head, *rest)), "MALFORMED", place="batch head",
           why=set())


@pytest.mark.parametrize("what, place, why", [
    ("header long", "headers", "message 1: its header is longer"),
    ("body long", "headers", "message 1: its body is longer"),
    ("lengths cut", "headers", "message 1: no room for its two lengths"),
    ("headers follow", "headers", "octets follow"),
    ("bodies follow", "bodies", "octets follow"),
    ("no headers", "headers", "message 0: no room"),
    ("huge", "headers", "message 0: its header is longer")])
def test_bad_lengths(victim, what, place, why):
    (one, two), bodies = parts(victim)
    head, headers, joined = raw(victim, [one, two], bodies).frames()
    second = 8 + len(one)
    if what == "header long":
        headers = (headers[:second] + struct.pack(">I", len(two) + 1)
                   + headers[second + 4:])
    elif what == "body long":
        joined = joined[:-1]
    elif what == "lengths cut":
        headers = headers[:second + 7]
    elif what == "headers follow":
        headers += b"\0"
    elif what == "bodies follow":
        joined += b"\0"
    elif what == "no headers":
        headers = b""
    else:
        headers = b"\xff" * 8 + headers[8:]
    agrees(uncut(victim, Raw(head, headers, joined)), "MALFORMED",
           place=place, why={why})
