"""Faults of one message: it alone is refused, signed, under the exact rule
and values; what stands beside it in the batch is recorded."""
import pytest

from parley_client import canonical as mp
from parley_client import messages

from wrong import agrees, digest_hex, only, raw, values_of

EXT = 12  # the prefix's elements, by their numbers in section 6.1
LIMIT_VALUES = "what", "size", "limit"


class Octets(bytes):
    """Already msgpack, canonical or not."""


def encode(value):
    """msgpack as mp.encode's, but for what is Octets already."""
    if isinstance(value, Octets):
        return bytes(value)
    if isinstance(value, list) and value:
        head = mp.encode([None] * len(value))[:-len(value)]
        return head + b"".join(encode(one) for one in value)
    return mp.encode(value)


def set_prefix(n, value):
    def change(values):
        values[0][n] = value
        return encode(values)
    return change


def set_outer(n, value):
    def change(values):
        values[n] = value
        return encode(values)
    return change


def ext(octets):
    return set_prefix(EXT, Octets(octets))


def octets(edit):
    return lambda values: edit(encode(values))


def sends(session, change, topic="members/x", body=None):
    values, good_body = values_of(session, topic)
    header = change(values)
    return raw(session, [header], [good_body if body is None else body])


def malformed(why=""):
    return "MALFORMED", {"place": "header", "why": {why}}


def limit(what, size, most):
    return "LIMIT", dict(zip(LIMIT_VALUES, (what, size, most)))


REFERENCES = [bytes([n]) * 32 for n in range(65)]
# A key and a text of 1,020: an octet above the limit in all.
LONG = b"\x81\x01\xda\x03\xfc" + b"x" * 1020

CASES = {
    "format 0": (set_prefix(0, 0), malformed()),
    "format nil": (set_prefix(0, None), malformed()),
    "another dialogue": (set_prefix(1, b"\xab" * 32), (
        "WRONG-DIALOGUE", {"dialogue": "ab" * 32})),
    "dialogue of 31": (set_prefix(1, bytes(31)), malformed()),
    "dialogue as str": (set_prefix(1, "a" * 32), malformed()),
    "author in lower case": (set_prefix(2, "europol/hq"), malformed(
        "author")),
    "author root": (set_prefix(2, "EUROPOL/root"), malformed("author")),
    "author empty": (set_prefix(2, ""), malformed()),
    "author as bin": (set_prefix(2, b"EUROPOL/hq"), malformed()),
    "key id of 9": (set_prefix(3, bytes(9)), malformed()),
    "roster 0": (set_prefix(4, 0), malformed()),
    "roster below 0": (set_prefix(4, -1), malformed()),
    "roster ahead": (set_prefix(4, 2), (
        "ROSTER-AHEAD", {"stated": 2, "in_force": 1})),
    "lane of 7": (set_prefix(5, bytes(7)), malformed()),
    "lane nil": (set_prefix(5, None), malformed()),
    "number 0": (set_prefix(6, 0), malformed()),
    "number 2^53": (set_prefix(6, 1 << 53), malformed()),
    "number far": (set_prefix(6, (1 << 53) - 1), (
        "NUMBER-JUMP", {"number": (1 << 53) - 1, "highest": 0})),
    "time below 0": (set_prefix(7, -1), malformed()),
    "time 2^53": (set_prefix(7, 1 << 53), malformed()),
    "references no array": (set_prefix(9, None), malformed()),
    "65 references": (set_prefix(9, REFERENCES), limit("references", 65,
                                                       64)),
    "reference of 31": (set_prefix(9, [bytes(31)]), malformed()),
    "references equal": (set_prefix(9, [bytes(32)] * 2), malformed(
        "reference")),
    "body format 0": (set_prefix(10, 0), malformed()),
    "body format 5": (set_prefix(10, 5), malformed()),
    "sealed": (set_prefix(11, bytes(32)), ("SEALING", {})),
    "sealing of 31": (set_prefix(11, bytes(31)), malformed()),
    "even extension": (ext(b"\x82\x01\x01\x02\xc0"), ("EXTENSION",
                                                      {"key": 2})),
    "extension key 0": (ext(b"\x81\x00\xc0"), malformed()),
    "extension key -1": (ext(b"\x81\xff\xc0"), malformed()),
    "extension key 2^31": (ext(b"\x81\xce\x80\0\0\0\xc0"), malformed()),
    "extension key a str": (ext(b"\x81\xa1a\xc0"), malformed()),
    "extension twice": (ext(b"\x82\x01\xc0\x01\xc0"), malformed()),
    "extension unordered": (ext(b"\x82\x03\xc0\x01\xc0"), malformed()),
    "extension nil": (ext(b"\xc0"), malformed()),
    "extension long": (ext(LONG), limit("extension map", 1025, 1024)),
    "extension deep": (ext(b"\x81\x01" + b"\x91" * 16 + b"\xc0"), limit(
        "nesting", 17, 16)),
    "map keys twice": (ext(b"\x81\x01\x82\xa1a\xc0\xa1a\xc0"), malformed()),
    "map keys unordered": (ext(b"\x81\x01\x82\xa1b\xc0\xa1a\xc0"),
                           malformed()),
    "map key an int": (ext(b"\x81\x01\x81\x01\xc0"), malformed()),
    "float32": (ext(b"\x81\x01\xca\x3f\x80\0\0"), malformed()),
    "float of an integer": (ext(b"\x81\x01\xcb" + b"\x3f\xf0" + bytes(6)),
                            malformed()),
    "NaN": (ext(b"\x81\x01\xcb\x7f\xf8" + bytes(6)), malformed()),
    "minus zero": (ext(b"\x81\x01\xcb\x80" + bytes(7)), malformed()),
    "ext type": (ext(b"\x81\x01\xd4\x01\0"), malformed()),
    "no value": (ext(b"\x81\x01\xc1"), malformed()),
    "no UTF-8": (ext(b"\x81\x01\xa2\xc3\x28"), malformed()),
    "surrogate": (ext(b"\x81\x01\xa3\xed\xa0\x80"), malformed()),
    "above int64": (ext(b"\x81\x01\xcf" + b"\xff" * 8), malformed()),
    "long int": (ext(b"\x81\x01\xcc\x01"), malformed()),
    "long str": (ext(b"\x81\x01\xd9\x01a"), malformed()),
    "long bin": (ext(b"\x81\x01\xc5\0\x01a"), malformed()),
    "long array": (ext(b"\x81\x01\xdc\0\x01\xc0"), malformed()),
    "bomb": (ext(b"\x81\x01\xdd\xff\xff\xff\xff"), malformed()),
    "body length 16": (set_outer(1, 16), malformed()),
    "body length 262145": (set_outer(1, 262145), limit("body", 262145,
                                                       262144)),
    "body length -1": (set_outer(1, -1), malformed()),
    "digest of 31": (set_outer(2, bytes(31)), malformed()),
    "digest nil": (set_outer(2, None), malformed()),
    "prefix of 12": (lambda v: encode([v[0][:12], *v[1:]]), malformed("12")),
    "prefix of 14": (lambda v: encode([v[0][:12] + [Octets(b"\x80"), None],
                                     *v[1:]]), malformed("14")),
    "array of 2": (lambda v: encode(v[:2]), malformed()),
    "array of 4": (octets(lambda o: b"\x94" + o[1:] + b"\xc0"), malformed()),
    "map": (octets(lambda o: b"\x83" + o[1:]), malformed()),
    "empty": (octets(lambda o: b""), malformed()),
    "cut": (octets(lambda o: o[:-1]), malformed()),
    "trailing": (octets(lambda o: o + b"\0"), malformed()),
    "long array head": (octets(lambda o: b"\xdc\0\x03" + o[1:]),
                        malformed()),
    "6145 octets": (octets(lambda o: o + bytes(6145 - len(o))), limit(
        "header", 6145, 6144)),
}


@pytest.mark.parametrize("what", CASES)
def test_header(victim, what):
    change, (rule, values) = CASES[what]
    agrees(only(victim, sends(victim, change)), rule, **values)


def newer(session, count):
    values, body = values_of(session)
    values[0][0] = 2
    del values[0][count:]
    return raw(session, [encode(values)], [body])


@pytest.mark.parametrize("count", [13, 5])
def test_newer_format(victim, count):
    """Whatever else a newer format has."""
    agrees(only(victim, newer(victim, count)), "NEWER-FORMAT", format=2,
           known=1)


TOPICS = {
    "one level": "members", "empty": "", "empty level": "members//x",
    "ends in a slash": "members/x/", "begins with one": "/members/x",
    "wildcard": "members/+", "rest": "members/#", "space": "members/a b",
    "not ASCII": "members/\u00e9", "NUL": "members/\0",
    "17 levels": "members" + "/x" * 16, "256 octets": "members/"
    + "/".join(["y" * 61] * 3 + ["y" * 62]), "level of 129": "members/" + "z" * 129,
    "upper channel": "Members/x", "$log": "$log/x", "@": "@/x",
    "one twice": "@EUROPOL+EUROPOL/x", "not ascending": "@EUROPOL+AFRIPOL/x",
    "plus at the end": "@EUROPOL+/x", "lower entity": "@europol/x",
    "plus inside": "members/a+b",
    "17 entities": "@" + "+".join(f"A{chr(65 + n)}" for n in range(17))
    + "/x",
}


@pytest.mark.parametrize("what", TOPICS)
def test_topic(victim, what):
    sent = sends(victim, set_prefix(8, TOPICS[what]))
    agrees(only(victim, sent), "TOPIC", why=set())


def test_topic_as_bin(victim):
    agrees(only(victim, sends(victim, set_prefix(8, b"members/x"))),
           "MALFORMED", place="header", why=set())


# -- bodies -------------------------------------------------------------


def test_body_digest(victim):
    values, body = values_of(victim)
    other = body[:-1] + b"!"
    sent = raw(victim, [encode(values)], [other])
    agrees(only(victim, sent), "BODY-DIGEST", stated=digest_hex(body),
           found=digest_hex(other))


@pytest.mark.parametrize("change", [-1, 1, 1000])
def test_body_length(victim, change):
    values, body = values_of(victim)
    other = body[:change] if change < 0 else body + bytes(change)
    sent = raw(victim, [encode(values)], [other])
    agrees(only(victim, sent), "BODY-LENGTH", stated=len(body),
           found=len(other))


@pytest.mark.parametrize("size", [0, 16, 262145])
def test_body_size(victim, size):
    """Above and below the limits, and stated so."""
    values, _ = values_of(victim)
    body = bytes(size)
    values[1], values[2] = size, bytes.fromhex(digest_hex(body))
    rule, said = malformed("17") if size < 17 else limit("body", size, 262144)
    agrees(only(victim, raw(victim, [encode(values)], [body])), rule, **said)


# -- one among others ---------------------------------------------------


def test_others_are_recorded(client):
    """Faults of messages in one batch; what is good is recorded in order,
    and every reader can check the batch with the refused ones' ids."""
    author, reader = client("EUROPOL/hq"), client("AFRIPOL/hq")
    author.hello()
    wrong = ["sealed", "cut", "another dialogue", "65 references"]
    headers, bodies = [], []
    for n in range(9):
        values, body = values_of(author, content=f"text {n}")
        change = CASES[wrong[n // 2]][0] if n % 2 else encode
        headers.append(change(values))
        bodies.append(body)
    promise = author.send_batch(raw(author, headers, bodies))
    assert [a[0] for a in promise.accepted] == [0, 2, 4, 6, 8]
    assert [a[2] for a in promise.accepted] == [2, 3, 4, 5, 6]
    assert [(r[0], r[2]) for r in promise.refused] == [
        (1, "SEALING"), (3, "MALFORMED"), (5, "WRONG-DIALOGUE"),
        (7, "LIMIT")]
    found = reader.fetch("members")
    assert [messages.read_body(p.body, messages.TEXT) for _, p in found] == [
        f"text {n}" for n in (0, 2, 4, 6, 8)]
    assert [p.record.index for _, p in found] == [0, 2, 4, 6, 8]


def test_odd_extension(client):
    """One that nobody knows is kept, as it is signed."""
    author, reader = client("EUROPOL/hq"), client("AFRIPOL/hq")
    author.hello()
    values, body = values_of(author)
    header = ext(b"\x82\x01\xa1a\x03\x91\xc0")(values)
    promise = author.send_batch(raw(author, [header], [body]))
    assert len(promise.accepted) == 1
    (_, place), = reader.fetch("members")
    assert place.record.header().extension == {1: "a", 3: [None]}
