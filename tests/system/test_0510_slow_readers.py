"""A reader that was away, slow, stopped or cut off ends with every record that
it may read, in order, once; meanwhile others go on."""
import signal
import threading

import pytest

from daemon import WAIT_S, wait_for
from holdings import check_holdings, wait_complete
from relay import Relay

BATCHES, SIZE, OCTETS = 600, 8, 4000  # above what sockets and queues take
SILENCE_S = 90  # to be noticed in 30; some more for a slow machine


class Load(threading.Thread):
    """A delegation that publishes from a client of its own."""

    def __init__(self, session, batches, octets):
        super().__init__(daemon=True)
        self.session, self.batches, self.octets = session, batches, octets
        self.failed = None
        self.count = batches * SIZE

    def run(self):
        try:
            for n in range(self.batches):
                promise = self.session.publish_many(
                    [("members/load", f"{n}.{i} " + "x" * self.octets)
                     for i in range(SIZE)])
                assert len(promise.accepted) == SIZE
        except Exception as failed:  # noqa: BLE001 - told by end()
            self.failed = failed

    def end(self):
        self.join(2 * WAIT_S)
        assert not self.is_alive() and not self.failed, self.failed


@pytest.fixture
def load(steady):
    """load(batches, octets): a running Load of EUROPOL/hq."""
    def begin(batches=BATCHES, octets=OCTETS):
        one = Load(steady.client("EUROPOL/hq"), batches, octets)
        one.start()
        return one
    return begin


@pytest.fixture
def relayed(steady, agents):
    """relayed(name): (agent, relay of its desk, of its feed), running."""
    relays = []

    def make(name):
        relays.extend(Relay(at) for at in (steady.desk, steady.feed))
        agent = agents(name, steady)
        desk, feed = relays[-2:]
        agent.configure(desk=desk.endpoint, feed=feed.endpoint)
        return agent.start(), desk, feed

    yield make
    for one in relays:
        one.close()


def wait_records(agent, count, wait_s=WAIT_S):
    wait_for(lambda: agent.get("status")["records"] >= count,
             f"{agent.name}: {count} records", wait_s, 0.05)


def check_all(broker, dialogue, *readers):
    wait_complete(broker, *readers)
    broker.stop()
    places = broker.records()
    for agent in readers:
        check_holdings(agent, dialogue, places)
        assert agent.alarms() == []
    return places


def test_away(steady, dialogue, agents, load):
    """Twice: once it has nothing yet, once it has something."""
    reader = agents("AFRIPOL/hq", steady)
    for _ in range(2):
        load(batches=100, octets=300).end()
        reader.start()
        wait_complete(steady, reader)
        reader.stop()
    reader.start()
    places = check_all(steady, dialogue, reader)
    assert len(places) > 2 * 100 * SIZE


def test_stopped(steady, dialogue, agents, load):
    """SIGSTOP under load, with messages of its own on the way."""
    reader = agents("AFRIPOL/hq", steady).start()
    other = agents("FRONTEX/hq", steady).start()
    running = load()
    wait_records(reader, 20 * SIZE)
    own = [reader.publish("members/own", f"own {n}") for n in range(60)]
    reader.daemon.signal(signal.SIGSTOP)
    running.end()
    wait_records(other, running.count)
    stuck = other.wait_entry(other.publish("members/other", "goes")["number"])
    reader.daemon.signal(signal.SIGCONT)
    for one in own:
        reader.wait_entry(one["number"])
    assert other.get(f"records/{stuck['sequence']}")["content"] == "goes"
    places = check_all(steady, dialogue, reader, other)
    assert len(places) >= running.count + len(own) + 1


def test_slow(steady, dialogue, relayed, agents, load):
    """A line of 10 kB/s, until the others have all."""
    reader, desk, feed = relayed("AFRIPOL/hq")
    other = agents("FRONTEX/hq", steady).start()
    wait_complete(steady, reader)
    for one in (desk, feed):
        one.set(10000)
    running = load()
    running.end()
    wait_records(other, running.count)
    assert reader.get("status")["records"] < running.count / 4
    for one in (desk, feed):
        one.set(None)
    check_all(steady, dialogue, reader, other)


def test_silent(steady, dialogue, relayed, agents, load):
    """One loses both connections, one only the feed, and no end is told. Both
    notice in 30 s; who has a desk gets all in that time."""
    cut, desk, feed = relayed("AFRIPOL/hq")
    deaf, _, mute = relayed("FRONTEX/hq")
    other = agents("UNODC/hq", steady).start()
    wait_complete(steady, cut, deaf, other)
    for one in (desk, feed, mute):
        one.set(0)
    marks = cut.daemon.mark(), deaf.daemon.mark()
    running = load(batches=50, octets=100)
    running.end()
    steady.client("EUROPOL/hq").publish("dialogue/x", "heard by others")
    wait_for(lambda: other.texts("dialogue/x"), "others hear",
             every_s=0.1)
    cut.daemon.wait_log("LINK-DOWN", after=marks[0], wait_s=SILENCE_S)
    wait_for(lambda: cut.get("status")["link"]["state"] != "ready", "status")
    waiting = cut.publish("members/own", "while it was cut off")
    wait_records(deaf, running.count, SILENCE_S)
    deaf.daemon.wait_log("LINK-DOWN", after=marks[1], wait_s=SILENCE_S)
    for one in (desk, feed, mute):
        one.set(None)
    # Its back-off may be longer by now than a test waits.
    cut.ask("POST", "link/retry", code=204)
    cut.wait_entry(waiting["number"])
    check_all(steady, dialogue, cut, deaf, other)
