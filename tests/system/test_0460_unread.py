"""Peers that take nothing of what they get, at the desk and on the feed. Others
are not slowed, and memory stays."""
import itertools
import os
import signal
import subprocess
import sys
import time

import pytest
import zmq

from parley_client import wire
from parley_client.follow import Follower
from parley_client.session import NoReply, curve_socket, now
from parley_client.wire import DeskError

from daemon import WAIT_S

MEMORY_MIB = 96
SECONDS = 30  # for what takes a fraction of one where nobody waits
BODY = "y" * 30000


@pytest.fixture
def full(client):
    """An author, and 30 MB on `members`."""
    author = client("EUROPOL/hq")
    for _ in range(40):
        author.publish_many([("members/x", BODY)] * 25)
    return author


def promptly(author, count=20):
    """Somebody else's publishes go through as if nothing were."""
    start = time.monotonic()
    for n in range(count):
        author.publish("members/x", f"{n}")
    assert time.monotonic() - start < SECONDS


def quiet_socket(session, kind):
    """Small buffers, so that what is unread stands at the broker."""
    s = curve_socket(session.context, kind, session.who, session.link_key)
    s.setsockopt(zmq.RCVHWM, 1)
    s.setsockopt(zmq.RCVBUF, 4096)
    s.setsockopt(zmq.SNDHWM, 0)
    return s


# -- the desk -----------------------------------------------------------


def test_replies_unread(full, client, broker):
    """It asks for megabytes, again and again, and reads none."""
    greedy = client("UNODC/hq")
    greedy.hello()
    run = greedy.run
    member = client("AFRIPOL/hq")
    member.down()
    member.desk = quiet_socket(member, zmq.DEALER)
    member.desk.connect(broker.desk)
    member.hello()
    before = broker.daemon.rss()
    frame = wire.fetch("members", 1)
    for _ in range(2000):
        member.send("fetch", frame)
    promptly(full)
    greedy.status()
    broker.grown(before, MEMORY_MIB)
    assert greedy.run == run
    rules = set()
    while True:  # what it left behind: blocks, then only "read first"
        try:
            frames = member.next_frames(0.5 if rules else WAIT_S)
        except NoReply:
            break
        try:
            assert wire.read_reply(frames)[0] == wire.TYPES["fetch"]
        except DeskError as error:
            rules.add(error.rule)
    assert rules <= {"BUSY", "CREDIT"} and rules
    broker.move(member)
    assert len(member.fetch("members")) == 1020


def test_small_blocks_unread(client, broker):
    """Megabytes in frames of some hundred octets each."""
    author = client("EUROPOL/hq")
    for n in range(1500):
        author.publish("members/x", f"{n}")
    member = client("AFRIPOL/hq")
    member.down()
    member.desk = quiet_socket(member, zmq.DEALER)
    member.desk.connect(broker.desk)
    member.hello()
    before = broker.daemon.rss()
    frame = wire.fetch("members", 1)
    for _ in range(20):
        for _ in range(30):
            member.send("fetch", frame)
        author.status()  # answered behind them
    broker.grown(before, MEMORY_MIB)


def test_sessions_unread(full, client, broker):
    """More connections than the roster allows put each other's sessions out:
    what stands unread is counted all the same."""
    members = [client("AFRIPOL/hq") for _ in range(17)]
    before = broker.daemon.rss()
    fetch = wire.fetch("members", 1)
    for member in members:
        member.down()
        member.desk = quiet_socket(member, zmq.DEALER)
        member.desk.connect(broker.desk)
        member.hello()
    newest = members[0].view.newest
    for _ in range(3):
        for member in members:
            member.send("hello", wire.hello(
                os.urandom(32), now(), newest.version, newest.digest, [],
                None))
            for _ in range(5):
                member.send("fetch", fetch)
            full.status()  # answered behind them
    broker.grown(before, 2 * MEMORY_MIB)


def test_small_replies_unread(client, broker):
    member, other = client("AFRIPOL/hq"), client("EUROPOL/hq")
    member.desk = quiet_socket(member, zmq.DEALER)
    member.desk.connect(broker.desk)
    member.hello()
    before = broker.daemon.rss()
    for _ in range(40000):
        member.send("status")
    line = broker.daemon.wait_log("DESK-SLOW-PEER")
    assert line.value("delegation") == "AFRIPOL/hq"
    promptly(other)
    broker.grown(before, MEMORY_MIB)


def test_publishes_unread(client, broker):
    """Its messages are recorded all the same, each once."""
    member, other = client("AFRIPOL/hq"), client("EUROPOL/hq")
    member.desk = quiet_socket(member, zmq.DEALER)
    member.desk.connect(broker.desk)
    member.hello()
    sent = [member.sign([member.make("members/x", "z" * 100)])
            for _ in range(300)]
    for one in sent:
        member.start_batch(one)
    promptly(other)
    broker.move(member)
    for one in sent:
        assert not member.send_batch(one).refused
    found = other.fetch("members")
    assert len(found) == 320 == len({p.record.leaf for _, p in found})


def test_endless_message(client, broker):
    """libzmq keeps all parts of a message until the last one is there."""
    member, other = client("AFRIPOL/hq"), client("EUROPOL/hq")
    member.hello()
    other.hello()
    member.desk.setsockopt(zmq.SNDHWM, 0)
    part = zmq.Frame(b"x" * 1000000)
    for _ in range(3000):
        member.desk.send(part, zmq.SNDMORE, copy=False)
    member.desk.send(b"", copy=False)
    line = broker.daemon.wait_log("METER-CUT")
    assert int(line.value("octets")) > 96 << 20
    other.status()
    promptly(other)


# -- the feed -----------------------------------------------------------


def test_feed_unread(client, broker):
    """Frames for it are dropped; it sees the gap and fetches."""
    author, reader = client("EUROPOL/hq"), client("FRONTEX/hq")
    author.hello()
    slow = client("AFRIPOL/hq")
    slow.streams()
    s = quiet_socket(slow, zmq.SUB)
    for one in slow.by_name.values():
        s.setsockopt(zmq.SUBSCRIBE, one.tag)
    s.connect(broker.feed)
    follower = Follower(reader, {"members": 1})
    records = follower.records(10 * WAIT_S)  # for all of them
    before = broker.daemon.rss()
    for n in range(120):
        author.publish_many([("members/x", BODY)] * 25)
        got = list(itertools.islice(records, 25))
        assert [number for _, number, _ in got] == list(
            range(25 * n + 1, 25 * n + 26))
    promptly(author)
    broker.grown(before, MEMORY_MIB)
    assert s.poll(WAIT_S * 1000), "the front of it waits there"
    caught_up = Follower(slow, {"members": 1})
    numbers = [number for _, number, _ in caught_up.fill("members")]
    assert numbers == list(range(1, 25 * 120 + 21))


STOPPED = """
import sys
from parley_client.session import Session
from parley_client.follow import Follower
note, secret, desk, feed, last = sys.argv[1:]
session = Session(open(note).read(), secret, desk, feed, wait_s=300)
next_number = 1
for _, number, _ in Follower(session, {"members": 1}).records(300):
    assert number == next_number, (number, next_number)
    next_number += 1
    if number == 1:
        print("first", flush=True)
    if number == int(last):
        print("all", flush=True)
        break
"""


@pytest.fixture
def reader(dialogue, broker):
    """reader(last): a process that follows `members` and says "first" and
    "all"; it ends with the test."""
    made = []

    def start(last):
        note = dialogue.folder / "first.note"
        note.write_text(dialogue.notes[0])
        made.append(subprocess.Popen(
            [sys.executable, "-c", STOPPED, note,
             dialogue.at["AFRIPOL/hq"].secret_file(), broker.desk,
             broker.feed, str(last)],
            stdout=subprocess.PIPE, text=True,
            env={"PYTHONPATH": ":".join(filter(None, sys.path))}))
        return made[-1]

    yield start
    for one in made:
        one.kill()
        one.wait()
        one.stdout.close()


def test_stopped_reader(client, broker, reader):
    """SIGSTOP under load: it catches up, every record once, in order."""
    author = client("EUROPOL/hq")
    author.publish("members/x", "1")
    process = reader(1 + 60 * 25)
    assert process.stdout.readline() == "first\n"
    process.send_signal(signal.SIGSTOP)
    before = broker.daemon.rss()
    for _ in range(60):
        author.publish_many([("members/x", BODY)] * 25)
    broker.grown(before, MEMORY_MIB)
    process.send_signal(signal.SIGCONT)
    assert process.stdout.readline() == "all\n"
    assert process.wait(WAIT_S) == 0
