"""The roster's limits: unanswered requests, rates, lanes, connections."""
import contextlib
import os
import signal

import pytest

from parley_client import wire
from parley_client.wire import DeskError

from daemon import wait_for
from dialogue import SMALL, Dialogue


@pytest.fixture
def limited(brokers, tmp_path):
    """limited(**limits, settings={}): a running Broker whose roster has
    these limits."""
    def make(settings=None, **limits):
        broker = brokers(Dialogue(tmp_path, SMALL, limits), **settings or {})
        broker.init()
        return broker.start()
    return make


def refusal(promise):
    assert promise.accepted == [], promise
    answers = {(rule, tuple(sorted(values.items())))
               for _, _, rule, values in promise.refused}
    (rule, values), = answers
    return rule, dict(values)


def batch(session, count, octets=10, topic="members/x", **more):
    return session.sign([session.make(topic, "y" * octets, **more)
                         for _ in range(count)])


# -- unanswered ---------------------------------------------------------


@contextlib.contextmanager
def held(broker):
    """The broker stands still; what is sent meanwhile comes at once."""
    broker.daemon.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        broker.daemon.signal(signal.SIGCONT)


def burst(broker, session, count, kind, *frames):
    """So many requests at once; the answers' rules, "" for a good one."""
    with held(broker):
        numbers = {session.send(kind, *frames) for _ in range(count)}
    rules = []
    for _ in range(count):
        frames = session.next_frames()
        numbers.remove(wire.reply_number(frames))
        try:
            wire.read_reply(frames)
            rules.append("")
        except DeskError as error:
            assert (error.rule, error.values) == ("CREDIT", {"limit": 3})
            rules.append(error.rule)
    assert not numbers, "each got one reply"
    return rules


def test_credit(limited):
    """A delegation's, over all its connections; what is refused is not
    done, what is taken is answered."""
    broker = limited(requests_outstanding=3)
    author, other = (broker.client("EUROPOL/hq") for _ in "ab")
    author.publish_many([("members/x", "z")] * 200)
    other.hello()
    rules = burst(broker, author, 400, "fetch", wire.fetch("members", 1))
    assert rules.count("") >= 3 and rules.count("CREDIT") > 0
    other.status()
    author.status()
    third = broker.client("AFRIPOL/hq")
    assert third.fetch("members")[-1][0] == 200


def test_credit_of_publishes(limited):
    """What got CREDIT has no record; sent again, it has one."""
    broker = limited(requests_outstanding=2)
    author = broker.client("EUROPOL/hq")
    author.hello()
    sent = [batch(author, 10) for _ in range(100)]
    with held(broker):
        waiting = {author.start_batch(one): one for one in sent}
    again = []
    while waiting:
        frames = author.next_frames()
        one = waiting.pop(wire.reply_number(frames))
        try:
            rest = wire.read_reply(frames)[3]
            assert not author.check_promise(one, rest[0]).refused
        except DeskError as error:
            assert (error.rule, error.values) == ("CREDIT", {"limit": 2})
            again.append(one)
    assert again
    size = author.status()["size"]
    assert size == 2 + 10 * (len(sent) - len(again))
    for one in again:
        assert not author.send_batch(one).refused
    assert author.status()["size"] == 2 + 10 * len(sent)


def test_busy(limited):
    """More reads than the broker has jobs for: that is said, nothing is lost,
    and others go on."""
    broker = limited({"jobs": 4}, requests_outstanding=1024)
    author = broker.client("EUROPOL/hq")
    author.publish("members/x", "one")
    numbers = {author.send("fetch", wire.fetch("members", 1))
               for _ in range(500)}
    other = broker.client("AFRIPOL/hq")
    assert other.publish("members/x", "two")
    fine = 0
    for _ in range(500):
        frames = author.next_frames()
        numbers.remove(wire.reply_number(frames))
        try:
            wire.read_reply(frames)
            fine += 1
        except DeskError as error:
            assert error.rule == "BUSY"
    assert fine and not numbers
    assert len(author.fetch("members")) == 2


# -- rates --------------------------------------------------------------


def test_messages_a_minute(limited):
    broker = limited(messages_a_minute=50)
    author = broker.client("EUROPOL/hq")
    assert not author.send_batch(batch(author, 50)).refused
    sent = batch(author, 40)
    rule, values = refusal(author.send_batch(sent))
    assert rule == "RATE"
    wait_ms = values.pop("wait_ms")
    assert values == {"what": "messages_a_minute", "limit": 50}
    assert 20000 < wait_ms <= 48000, "forty of fifty a minute"
    other = broker.client("AFRIPOL/hq")
    assert not other.send_batch(batch(other, 50)).refused, "its own limit"
    assert author.status()["size"] == 102
    second = broker.client("EUROPOL/hq")
    assert refusal(second.send_batch(batch(second, 40)))[0] == "RATE"


def test_octets_a_minute(limited):
    broker = limited(octets_a_minute=100000)
    author = broker.client("EUROPOL/hq")
    assert not author.send_batch(batch(author, 3, 30000)).refused
    rule, values = refusal(author.send_batch(batch(author, 3, 30000)))
    assert rule == "RATE" and 0 < values.pop("wait_ms") <= 60000
    assert values == {"what": "octets_a_minute", "limit": 100000}
    assert author.status()["size"] == 5


def test_rate_again(limited):
    """After wait_ms it is taken, the same octets."""
    broker = limited(messages_a_minute=3000)
    author = broker.client("EUROPOL/hq")
    while True:
        sent = batch(author, 200)
        promise = author.send_batch(sent)
        if promise.refused:
            break
    values = refusal(promise)[1]
    assert values["wait_ms"] < 5000
    author.desk.poll(values["wait_ms"] + 20)  # nothing comes: it is a wait
    assert not author.send_batch(sent).refused


def test_above_the_rate_by_itself(limited):
    """It would never go out: it passes where nothing else is left."""
    broker = limited(messages_a_minute=5)
    author = broker.client("EUROPOL/hq")
    sent = batch(author, 20)
    assert not author.send_batch(sent).refused
    assert refusal(author.send_batch(batch(author, 1)))[0] == "RATE"


def test_repeated_at_the_limit(limited):
    """What is recorded already is never signed as refused."""
    broker = limited(messages_a_minute=5)
    author = broker.client("EUROPOL/hq")
    sent = batch(author, 5)
    first = author.send_batch(sent).accepted
    assert author.send_batch(sent).accepted == first


# -- lanes, connections -------------------------------------------------


def test_lanes_a_day(limited):
    broker = limited(lanes_a_day=3)
    author = broker.client("EUROPOL/hq")
    lanes = [os.urandom(8) for _ in range(5)]
    for lane in lanes[:3]:
        assert not author.send_batch(batch(author, 1, lane=lane,
                                           number=1)).refused
    assert refusal(author.send_batch(batch(author, 1, lane=lanes[3],
                                           number=1))) == (
        "LANES", {"lanes": 3, "limit": 3})
    assert not author.send_batch(batch(author, 1, lane=lanes[0],
                                       number=2)).refused
    broker.restart()
    assert refusal(author.send_batch(batch(author, 1, lane=lanes[4],
                                           number=1)))[0] == "LANES"
    other = broker.client("AFRIPOL/hq")
    assert not other.send_batch(batch(other, 1)).refused


def test_connections(limited):
    """One above them makes the quietest say hello again; other delegations
    keep theirs."""
    broker = limited(connections=4)
    other = broker.client("AFRIPOL/hq")
    other.hello()
    sessions = [broker.client("EUROPOL/hq") for _ in range(4)]
    for one in sessions:
        one.hello()
    sessions[0].status()
    broker.client("EUROPOL/hq").hello()
    run = sessions[1].run
    with pytest.raises(DeskError) as error:
        sessions[1]._answer("status", sessions[1].send("status", run=run))
    assert error.value.rule == "HELLO-FIRST"
    assert sessions[0].status()["size"] == other.status()["size"] == 2


def test_one_connection_after_the_other(limited):
    """A peer that comes and goes leaves nothing behind."""
    broker = limited(connections=2)
    author = broker.client("EUROPOL/hq")
    author.publish("members/x", "one")
    before = broker.daemon.descriptors()
    for _ in range(100):
        author.down()
        author.hello()
    author.down()
    wait_for(lambda: broker.daemon.descriptors() <= before + 2,
             "connections let go")
