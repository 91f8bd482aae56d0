"""Batches with a fault of the whole batch: each message is refused, signed,
under the exact rule and values."""
import copy
import os

import pytest

from parley_client import canonical as mp
from parley_client import keys, messages, tree
from parley_client.session import Sent

from wrong import Raw, agrees, head_of, made, only, parts, raw


# -- signatures and keys ------------------------------------------------


def flip(octets, bit=0):
    return bytes([octets[0] ^ 1 << bit]) + octets[1:]


@pytest.mark.parametrize("what", [
    "bit", "zeros", "another's", "channel", "dialogue", "size", "author",
    "order", "root", "label"])
def test_bad_signature(victim, client, what):
    sent = victim.sign(made(victim))
    batch = sent.batch
    if what == "bit":
        batch.signature = flip(batch.signature)
    elif what == "zeros":
        batch.signature = bytes(64)
    elif what == "another's":
        other = client("FRONTEX/hq").who
        batch.signature = head_of(
            other, victim.view.dialogue, "EUROPOL/hq", "members",
            [h.octets for h in sent.headers]).signature
    elif what == "order":
        sent = Sent(batch, sent.headers[::-1], sent.bodies[::-1])
    elif what == "label":
        octets = messages.batch_octets(
            victim.view.dialogue, batch.author, batch.channel, batch.size,
            tree.root([h.octets for h in sent.headers]))
        batch.signature = victim.who.sign("sign", "via", octets)
    else:
        change = {"channel": "dialogue", "dialogue": bytes(32), "size": 3,
                  "author": "AFRIPOL/hq", "root": bytes(32)}
        sent.batch = head_of(
            victim.who, victim.view.dialogue, "EUROPOL/hq", "members",
            [h.octets for h in sent.headers], signed={what: change[what]})
    agrees(only(victim, sent), "BAD-SIGNATURE", author="EUROPOL/hq",
           key=victim.who.id("sign").hex())


@pytest.mark.parametrize("keep", [[0], [1], [0, 1, 1], [0, 0, 1], [1, 0]])
def test_other_size_or_index(victim, keep):
    """The signature is for all of the batch, as it was."""
    sent = victim.sign(made(victim))
    batch = copy.copy(sent.batch)
    batch.size = len(keep)
    other = Sent(batch, [sent.headers[i] for i in keep],
                 [sent.bodies[i] for i in keep])
    assert only(victim, other)[0] == "BAD-SIGNATURE"


def test_unknown_key(victim):
    stranger = keys.Identity("delegation", "EUROPOL/hq", os.urandom(32))
    id_, pairs = stranger.id("sign"), made(victim)
    for header, _ in pairs:
        header.key_id = id_
        header.encode()
    sent = Sent(messages.sign_batch(stranger, victim.view.dialogue,
                                    [h for h, _ in pairs]),
                [h for h, _ in pairs], [b for _, b in pairs])
    agrees(only(victim, sent), "UNKNOWN-KEY", author="EUROPOL/hq",
           key=id_.hex())


def test_another_purpose(victim):
    """The note key signs notes, not batches."""
    headers, bodies = parts(victim)
    batch = head_of(victim.who, victim.view.dialogue, "EUROPOL/hq",
                    "members", headers, key_id=victim.who.id("note"))
    for n, header in enumerate(headers):
        values = mp.decode(header, ext_at=(0, 12))
        values[0][3] = victim.who.id("note")
        values[0][12] = mp.Ext(values[0][12])
        headers[n] = mp.encode(values)
    sent = Raw(batch.head(), *messages.join_headers(headers, bodies),
               [tree.leaf(h) for h in headers])
    assert only(victim, sent)[0] == "UNKNOWN-KEY"


# -- mixed --------------------------------------------------------------


def test_two_channels(victim):
    headers, bodies = parts(victim, 3)
    header, bodies[1] = victim.make("dialogue/x", "elsewhere")
    headers[1] = header.octets
    agrees(only(victim, raw(victim, headers, bodies)), "MIXED-BATCH",
           index=1, what="channel")


def test_two_authors(victim, client):
    headers, bodies = parts(victim, 3)
    header, bodies[2] = client("AFRIPOL/hq").make("members/x", "another's")
    headers[2] = header.octets
    agrees(only(victim, raw(victim, headers, bodies)), "MIXED-BATCH",
           index=2, what="author")


def test_two_keys(victim):
    pairs = made(victim, 2)
    pairs[1][0].key_id = bytes(8)
    pairs[1][0].encode()
    sent = raw(victim, [h.octets for h, _ in pairs], [b for _, b in pairs])
    agrees(only(victim, sent), "MIXED-BATCH", index=1, what="key")


def test_head_of_another_channel(victim):
    headers, bodies = parts(victim)
    sent = raw(victim, headers, bodies, channel="dialogue")
    agrees(only(victim, sent), "MIXED-BATCH", index=0, what="channel")


# -- via ----------------------------------------------------------------


def by_other(victim, client, name="AFRIPOL/hq", count=2):
    other = client(name)
    sent = other.sign(made(other, count))
    return sent, tree.root([h.octets for h in sent.headers])


def test_via_needed(victim, client):
    sent, _ = by_other(victim, client)
    agrees(only(victim, sent), "VIA-NEEDED", author="AFRIPOL/hq",
           connection="EUROPOL/hq")


def test_via_not_wanted(victim):
    sent = victim.sign(made(victim))
    root = tree.root([h.octets for h in sent.headers])
    sent.batch.via = messages.sign_via(victim.who, victim.view.dialogue,
                                       sent.batch, root)
    agrees(only(victim, sent), "VIA-NOT-WANTED", author="EUROPOL/hq")


@pytest.mark.parametrize("what, why", [
    ("submitter", "connection"), ("bit", "signature"), ("key", "unknown"),
    ("batch", "signature"), ("dialogue", "signature")])
def test_bad_via(victim, client, what, why):
    sent, root = by_other(victim, client)
    submitter, dialogue = victim.who, victim.view.dialogue
    if what == "submitter":
        submitter = client("FRONTEX/hq").who
    if what == "dialogue":
        dialogue = bytes(32)
    if what == "batch":
        root = bytes(32)
    via = messages.sign_via(submitter, dialogue, sent.batch, root)
    if what == "bit":
        via[2] = flip(via[2])
    if what == "key":
        via[1] = bytes(8)
    sent.batch.via = via
    agrees(only(victim, sent), "BAD-VIA", submitter=submitter.name,
           why={why})


def test_via_for_a_stranger(victim):
    """Who hands in answers for nothing but itself."""
    stranger = keys.Identity("delegation", "NOBODY/hq", os.urandom(32))
    header, body = victim.make("members/x", "text")
    header.author, header.key_id = "NOBODY/hq", stranger.id("sign")
    header.encode()
    batch = messages.sign_batch(stranger, victim.view.dialogue, [header])
    batch.via = messages.sign_via(victim.who, victim.view.dialogue, batch,
                                  header.id)
    agrees(only(victim, Sent(batch, [header], [body])), "UNKNOWN-KEY",
           author="NOBODY/hq", key=stranger.id("sign").hex())
