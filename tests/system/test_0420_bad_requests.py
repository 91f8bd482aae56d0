"""Requests that are wrong: the error's exact rule and values, and a desk that
goes on."""
import os

import pytest

from parley_client import canonical as mp
from parley_client import wire
from parley_client.session import NoReply
from parley_client.wire import DeskError

from wrong import agrees

RUN = object()  # stands for the broker's run id
FRAME_OCTETS = 1114112


def answer(session, *frames, number=None):
    """(rule, values) of the error that these frames get."""
    got = session.exchange(*frames)
    with pytest.raises(DeskError) as error:
        wire.read_reply(got)
    assert wire.reply_number(got) == (session.requests if number is None
                                      else number)
    return error.value.rule, error.value.values


def head(session, kind, number=None, run=RUN, version=1, name="parley"):
    if number is None:
        session.requests += 1
        number = session.requests
    return mp.encode([name, version, kind, number,
                      session.run if run is RUN else run])


# -- frame 0 ------------------------------------------------------------

FRAME0 = {
    "empty": lambda h: b"", "cut": lambda h: h[:-1],
    "trailing": lambda h: h + b"\0", "nil": lambda h: b"\xc0",
    "array of 4": lambda h: b"\x94" + h[1:],
    "long form": lambda h: b"\xdc\0\5" + h[1:],
    "bomb": lambda h: b"\xdd\xff\xff\xff\xff", "nested": lambda h:
    b"\x91" * 200, "text": lambda h: b"GET / HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("what", FRAME0)
def test_frame0_octets(victim, what):
    octets = FRAME0[what](head(victim, 7))
    number = None if what in ("cut", "trailing", "array of 4") else 0
    agrees(answer(victim, octets, number=number), "MALFORMED",
           place="frame 0", why=set())


@pytest.mark.parametrize("values", [
    dict(name="zyre"), dict(name=b"parley"), dict(version=0),
    dict(version=None), dict(kind=-1), dict(kind=256), dict(kind="7"),
    dict(number=-1), dict(number=1 << 53), dict(number=b"1")])
def test_frame0_values(victim, values):
    octets = head(victim, **{"kind": 7, "number": 5, **values})
    agrees(answer(victim, octets, number=0), "MALFORMED", place="frame 0",
           why=set())


@pytest.mark.parametrize("run", [bytes(15), bytes(17), "a" * 16, 0])
def test_frame0_run(victim, run):
    agrees(answer(victim, head(victim, 7, run=run)), "MALFORMED",
           place="frame 0", why=set())


@pytest.mark.parametrize("version", [2, 1 << 20])
def test_frame0_version(victim, version):
    agrees(answer(victim, head(victim, 1, version=version)), "VERSION",
           lowest=1, highest=1, stated_lowest=version,
           stated_highest=version)


# -- types and frames ---------------------------------------------------


@pytest.mark.parametrize("kind", [0, 9, 10, 15, 16, 99, 100, 130, 255])
def test_unknown_type(victim, kind):
    agrees(answer(victim, head(victim, kind)), "UNKNOWN-REQUEST", type=kind)


@pytest.mark.parametrize("kind", wire.REQUEST_FRAMES)
def test_other_number_of_frames(victim, kind):
    for count in range(8):
        if count == wire.REQUEST_FRAMES[kind]:
            continue
        agrees(answer(victim, head(victim, kind), *[b"\xc0"] * count),
               "UNKNOWN-REQUEST", type=kind)


@pytest.mark.parametrize("count", [9, 30, 1000])
def test_too_many_frames(victim, count):
    agrees(answer(victim, head(victim, 2), *[b"\xc0"] * count),
           "LIMIT", what="frames", size=count, limit=8)


def test_delimiter(victim):
    """What a REQ sends: an empty frame in front."""
    agrees(answer(victim, b"", head(victim, 7), number=0), "MALFORMED",
           place="frame 0", why=set())


def test_huge_frame(victim, broker):
    """Above the socket's limit the connection ends, and nothing else."""
    with pytest.raises(NoReply):
        victim.exchange(head(victim, 2), bytes(FRAME_OCTETS + 1), b"", b"",
                        wait_s=0.3)
    broker.move(victim)
    sent = bytes(FRAME_OCTETS)
    victim.hello()
    promise = wire.read_promise(victim.ask("publish", sent, b"", b"")[0], [])
    assert promise.refused[0][2] == "LIMIT"


@pytest.mark.parametrize("kind", [3, 5, 6, 8])
def test_long_small_request(victim, kind):
    octets = mp.encode(bytes(600))
    agrees(answer(victim, head(victim, kind), octets), "LIMIT",
           what="frame 1", size=len(octets), limit=512)


# -- before hello -------------------------------------------------------


@pytest.mark.parametrize("kind", [k for k in wire.REQUEST_FRAMES if k != 1])
def test_before_hello(victim, client, broker, kind):
    fresh = client("FRONTEX/hq")
    frames = [b"\xc0"] * wire.REQUEST_FRAMES[kind]
    for run in (None, bytes(16), victim.run):
        if kind == 5 and run is None:
            continue
        agrees(answer(fresh, head(fresh, kind, run=run), *frames),
               "HELLO-FIRST")
    fresh.hello()
    agrees(answer(fresh, head(fresh, kind, run=os.urandom(16)), *frames),
           "HELLO-FIRST")


def test_roster_before_hello(victim, client):
    """Whoever has an old roster finds a desk key in a newer one."""
    fresh = client("FRONTEX/hq")
    frames = fresh.exchange(head(fresh, 5, run=None), mp.encode([None]))
    _, _, _, (found, note) = wire.read_reply(frames)
    assert mp.decode(found) == [1, 0]
    assert note.decode().startswith(fresh.view.chain[0].text)


# -- hello --------------------------------------------------------------


def hello_values():
    return mp.decode(wire.hello(os.urandom(32), 0, 1, bytes(32), []))


def lanes(count):
    return [[bytes(8), n] for n in range(count)]


HELLO = {
    "versions upside down": (0, [2, 1]), "versions 0": (0, [0, 1]),
    "version one": (0, [1]), "versions int": (0, 1), "features": (1, None),
    "feature an int": (1, [1]), "33 features": (1, ["a"] * 33),
    "program of 65": (2, "p" * 65), "program nil": (2, None),
    "nonce of 31": (3, bytes(31)), "time below 0": (4, -1),
    "time far": (4, 1 << 53), "roster 0": (5, 0),
    "digest of 31": (6, bytes(31)), "65 lanes": (7, lanes(65)),
    "lane of 7": (7, [[bytes(7), 1]]), "lane of one": (7, [[bytes(8)]]),
    "lane below 0": (7, [[bytes(8), -1]]), "promise of 12": (8, [1] * 12),
    "promise text": (8, "promise"), "checkpoint text": (9, "note"),
    "checkpoint empty": (9, b""), "checkpoint long": (9, bytes(65537)),
}


@pytest.mark.parametrize("what", HELLO)
def test_hello(victim, what):
    values = hello_values()
    values[HELLO[what][0]] = HELLO[what][1]
    agrees(answer(victim, head(victim, 1, run=None), mp.encode(values)),
           "MALFORMED", place="hello", why=set())


def test_hello_of_other_versions(victim):
    values = hello_values()
    values[0] = [2, 7]
    agrees(answer(victim, head(victim, 1, run=None), mp.encode(values)),
           "VERSION", lowest=1, highest=1, stated_lowest=2,
           stated_highest=7)


def test_hello_long(victim):
    octets = bytes(131073)
    agrees(answer(victim, head(victim, 1, run=None), octets), "LIMIT",
           what="frame 1", size=131073, limit=131072)


def test_hello_with_unknown_features(victim):
    values = hello_values()
    values[0], values[1], values[7] = [1, 9], ["x" * 32] * 32, lanes(64)
    frames = victim.exchange(head(victim, 1, run=None), mp.encode(values))
    reply = wire.read_reply(frames)[3][0]
    assert mp.decode(reply)[5] == []


# -- the other requests -------------------------------------------------

REQUESTS = {
    "fetch of 3": (3, ["members", 1, None]),
    "fetch number 0": (3, ["members", 0, None, 1]),
    "fetch backwards": (3, ["members", 5, 4, 1]),
    "fetch octets below 0": (3, ["members", 1, None, -1]),
    "fetch stream an int": (3, [1, 1, None, 1]),
    "fetch stream empty": (3, ["", 1, None, 1]),
    "fetch stream of 129": (3, ["m" * 129, 1, None, 1]),
    "fetch nil": (3, None), "roster 0": (5, [0]), "roster none": (5, []),
    "roster text": (5, ["1"]), "refusals of 0": (6, [1, 0]),
    "refusals of 257": (6, [1, 257]), "refusals below 0": (6, [-1, 1]),
    "leaves below 0": (8, [-1, 1]), "leaves of 0": (8, [0, 0]),
    "leaves of 8193": (8, [0, 8193]), "leaves of 3": (8, [0, 1, 2]),
}
PLACES = {3: "fetch", 5: "roster", 6: "refusals", 8: "leaves"}


@pytest.mark.parametrize("what", REQUESTS)
def test_request(victim, what):
    kind, values = REQUESTS[what]
    agrees(answer(victim, head(victim, kind), mp.encode(values)),
           "MALFORMED", place=PLACES[kind], why=set())
    agrees(answer(victim, head(victim, kind), b""), "MALFORMED",
           place=PLACES[kind], why=set())


def test_unknown_roster_and_stream(victim):
    for version in (2, 99, (1 << 53) - 1):
        agrees(answer(victim, head(victim, 5), mp.encode([version])),
               "NOT-FOUND")
    for stream in ("none", "@AFRIPOL", "@EUROPOL+AFRIPOL", "$", "nobody"):
        agrees(answer(victim, head(victim, 3), wire.fetch(stream, 1)),
               "UNKNOWN-STREAM", stream=stream)


def test_beyond_the_end(victim):
    assert victim.fetch("members") == victim.fetch("members", 10**15) == []
    assert victim.fetch("$log", 3) == [] and victim.leaves(2, 10) == []
    assert victim.leaves(10**15, 8192) == []
    assert victim.refusals(10**15, 256) == []
    end, items = victim.fetch_once("$log", 1, 10**15, 0)
    assert (end, len(items)) == (2, 1), "one block where one is due"


# -- a peer that goes on ------------------------------------------------


def test_ten_malformed(victim, client, broker):
    """Its connection is shut; another one of the same delegation is not."""
    second = client("EUROPOL/hq")
    second.hello()
    for _ in range(9):
        assert answer(victim, b"junk", number=0)[0] == "MALFORMED"
    victim.desk.send(b"junk")
    line = broker.daemon.wait_log("DESK-CUT")
    assert line.value("delegation") == "EUROPOL/hq"
    assert line.value("shut") == "1"
    second.status()
    broker.move(victim)
    victim.hello()
