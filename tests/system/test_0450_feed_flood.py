"""Members that listen where they may not, or too much: they learn nothing,
cost little, are cut off, and nobody else notices."""
import os
import threading

import pytest
import zmq
from zmq.utils import z85

from parley_client import feed
from parley_client.errors import Refused
from parley_client.follow import Follower
from parley_client.session import curve_socket

from daemon import WAIT_S

FLOOD = 100000
MEMORY_MIB = 64


class Listener(threading.Thread):
    """An honest reader that follows all it may read, to a last message."""

    def __init__(self, session, last):
        super().__init__(daemon=True)
        self.session, self.last, self.got = session, last, []

    def run(self):
        follower = Follower(self.session, {"members": 1})
        for _, number, _ in follower.records(5 * WAIT_S):
            self.got.append(number)
            if number == self.last:
                return


@pytest.fixture
def others(client):
    """A reader and an author with 200 messages; at the end the reader has
    all of them, in order."""
    author = client("EUROPOL/hq")
    author.publish("members/x", "0")
    reader = Listener(client("AFRIPOL/hq"), 200)
    reader.start()
    yield author
    for n in range(199):
        author.publish("members/x", f"{n + 1}")
    reader.join(5 * WAIT_S)
    assert reader.got == list(range(1, 201))


class Spy:
    """An XSUB of a listed delegation, which says whatever it wants."""

    def __init__(self, session, broker):
        self.session = session
        self.streams = session.streams()
        self.s = curve_socket(session.context, zmq.XSUB, session.who,
                              session.link_key)
        self.s.setsockopt(zmq.SNDHWM, 0)
        self.s.setsockopt(zmq.RECONNECT_IVL, -1)
        self.monitor = self.s.get_monitor_socket(
            zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self.s.connect(broker.feed)
        assert self.monitor.poll(WAIT_S * 1000)
        self.monitor.recv_multipart()

    def subscribe(self, *prefixes):
        for prefix in prefixes:
            self.s.send(b"\1" + prefix)

    def is_cut(self, wait_s=WAIT_S):
        return bool(self.monitor.poll(int(wait_s * 1000)))

    def frames(self):
        out = []
        while self.s.poll(100):
            out.append(self.s.recv_multipart())
        return out

    def learns_nothing(self):
        """No frame that came opens with a key that it was given, but its
        own streams' ones."""
        own = {one.tag: one for one in self.streams.values()}
        for parts in self.frames():
            for one in self.streams.values():
                if parts[0] in own:
                    continue
                with pytest.raises(Refused):
                    feed.open_frame(self.session.view.dialogue, one.key,
                                    parts)


@pytest.fixture
def spy(client, broker):
    return Spy(client("UNODC/hq"), broker)


def cut_line(broker, spy):
    line = broker.daemon.wait_log("FEED-CUT")
    assert line.value("shut") == "1"
    assert z85.encode(spy.session.who.public["link"]).decode() in line.text


# -- what is not its own ------------------------------------------------


@pytest.mark.parametrize("what", [
    "all", "one octet", "own tag cut", "own tag longer", "another's tag",
    "another's direct stream", "no tag", "512 octets", "ends in NUL"])
def test_not_its_own(others, spy, broker, what):
    others.hello()
    theirs = others.streams()
    own = spy.streams["dialogue"].tag
    spy.subscribe(own)
    spy.subscribe({
        "all": b"", "one octet": own[:1], "own tag cut": own[:15],
        "own tag longer": own + b"\0", "another's tag":
        theirs["members"].tag, "another's direct stream":
        theirs["@EUROPOL"].tag, "no tag": os.urandom(16),
        "512 octets": b"x" * 400, "ends in NUL": bytes(16)}[what])
    cut_line(broker, spy)
    assert spy.is_cut()
    spy.learns_nothing()
    after = broker.daemon.mark()
    again = curve_socket(spy.session.context, zmq.SUB, spy.session.who,
                         spy.session.link_key)
    again.connect(broker.feed)
    line = broker.daemon.wait_log("GATE-REFUSED", after=after)
    assert line.value("domain") == "feed"
    assert line.value("why") == "refused for a time"
    spy.session.status()  # the desk does not mind


def test_own_tags(others, spy):
    """Its own, each once and again, and taken back: nobody is cut."""
    for _ in range(10):
        for one in spy.streams.values():
            spy.subscribe(one.tag)
            spy.s.send(b"\0" + one.tag)
    assert not spy.is_cut(0.3)
    spy.learns_nothing()


def test_old_generation(broker, dialogue, spy, client):
    """Tags of an earlier roster give nothing, and are no offence."""
    author = client("EUROPOL/hq")
    author.hello()
    broker.reload(dialogue.follow())
    broker.daemon.wait_log("FEED-GENERATION")
    spy.subscribe(*[one.tag for one in spy.streams.values()])
    author.hello()
    author.publish("dialogue/x", "under new tags")
    assert not spy.is_cut(0.3)
    assert spy.frames() == []


# -- floods -------------------------------------------------------------


def test_flood_of_tags(others, spy, broker):
    before = broker.daemon.rss()
    spy.subscribe(*[n.to_bytes(16, "big") for n in range(FLOOD)])
    cut_line(broker, spy)
    assert spy.is_cut()
    others.status()
    broker.grown(before, MEMORY_MIB)


def test_flood_of_long_prefixes(others, spy, broker):
    before = broker.daemon.rss()
    spy.subscribe(*[n.to_bytes(400, "big") for n in range(FLOOD // 4)])
    assert spy.is_cut()
    broker.grown(before, MEMORY_MIB)


def test_flood_of_its_own_tag(others, spy, broker):
    """1,024 in a minute is more than anybody needs."""
    before = broker.daemon.rss()
    tag = spy.streams["dialogue"].tag
    spy.subscribe(*[tag] * 1000)
    assert not spy.is_cut(0.2)
    spy.subscribe(*[tag] * FLOOD)
    cut_line(broker, spy)
    assert spy.is_cut()
    broker.grown(before, MEMORY_MIB)


@pytest.mark.parametrize("octets", [b"\0" + bytes(16), b"\2junk", b""])
def test_flood_of_what_subscribes_nothing(others, spy, broker, octets):
    before = broker.daemon.rss()
    for _ in range(FLOOD // 4):
        spy.s.send(octets)
    others.publish_many([("dialogue/x", "meanwhile")])
    others.status()
    broker.grown(before, MEMORY_MIB)


def test_flood_by_many(others, client, broker):
    """Several at once, each with a connection of its own to lose."""
    before = broker.daemon.rss()
    spies = [Spy(client(name), broker)
             for name in ("FRONTEX/hq", "SCO/rats", "UNODC/hq",
                          "AFRIPOL/written")]
    for one in spies:
        one.subscribe(*[os.urandom(16) for _ in range(FLOOD // 10)])
    for one in spies:
        assert one.is_cut()
    broker.grown(before, MEMORY_MIB)


# -- coming and going ---------------------------------------------------


def test_coming_and_going(client, broker):
    """Next to a quiet listener a member subscribes, hears, and leaves, many
    times: never does a frame of the member's come to the other."""
    quiet = Spy(client("UNODC/hq"), broker)
    own = {one.tag for one in quiet.streams.values()}
    quiet.subscribe(*own)
    author, member = client("EUROPOL/hq"), client("FRONTEX/hq")
    theirs = [one.tag for one in member.streams().values()]
    before = broker.daemon.rss()
    for n in range(150):
        guest = curve_socket(member.context, zmq.SUB, member.who,
                             member.link_key)
        guest.connect(broker.feed)
        for tag in theirs[:1 + n % len(theirs)]:
            guest.setsockopt(zmq.SUBSCRIBE, tag)
        author.publish("members/x", f"{n}")
        guest.close()
    author.publish("dialogue/x", "for both")
    frames = quiet.frames()
    assert {parts[0] for parts in frames} <= own
    assert not quiet.is_cut(0)
    broker.grown(before, MEMORY_MIB)


def test_two_with_one_key(client, broker):
    """The key is what counts: a second connection of it shares its fate
    and no more."""
    first = Spy(client("UNODC/hq"), broker)
    other = Spy(client("SCO/rats"), broker)
    second = Spy(client("UNODC/hq"), broker)
    second.subscribe(b"")
    assert second.is_cut()
    assert not other.is_cut(0.2)
    assert not first.is_cut(0), "its quiet connection stays"
