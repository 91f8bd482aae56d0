"""One message from author to reader: hello, promise, feed, fetch, disk."""
import itertools

import pytest

from parley_client import ledger, messages, tree
from parley_client.follow import Follower
from parley_client.wire import DeskError


def text(place):
    header = place.record.header()
    return messages.read_body(place.body, header.body_format)


def take(follower, n, wait_s=60):
    """The next n records of a follower; fewer where time is over."""
    return list(itertools.islice(follower.records(wait_s), n))


def test_hello(client, dialogue):
    reply = client("EUROPOL/hq").hello()
    assert reply.dialogue == dialogue.id
    assert reply.delegation == "EUROPOL/hq"
    assert reply.state == [0]
    assert (reply.epoch, reply.roster_version, reply.roster_sequence) == (
        1, 1, 0)
    assert reply.size == 2, "roster and mark"


def test_streams(client):
    assert list(client("EUROPOL/hq").streams()) == [
        "$log", "dialogue", "members", "frontline", "announcements",
        "@EUROPOL"]
    assert list(client("UNODC/hq").streams()) == [
        "$log", "dialogue", "announcements", "@UNODC"]


def test_sample_dialogue(brokers, sample):
    broker = brokers(sample)
    assert broker.init().split()[0] == sample.id.hex()
    broker.start()
    with broker.client("INTERPOL/hq") as author:
        awaited = author.status()["awaited"]
        with pytest.raises(DeskError) as refused:
            author.publish("announcements/agenda/1", {"day": 1}, messages.MAP)
        assert refused.value.rule == "BUSY" and awaited in str(refused.value)
        for name in ("FRONTEX/hq", "EUROPOL/hq", "EUROPOL/hq", "GCCPOL/hq"):
            assert author.status()["awaited"], name
            broker.client(name).hello()
        author.publish("announcements/agenda/1", {"day": 1}, messages.MAP)
        assert author.status()["awaited"] == ""
    for name in sample.at:
        found = broker.client(name).fetch("announcements")
        assert [text(p) for _, p in found] == [{"day": 1}], name
    assert "members" not in broker.client("SCO/rats").streams()


def test_one_message(client):
    author, reader = client("EUROPOL/hq"), client("AFRIPOL/hq")
    follower = Follower(reader)
    assert [name for name, _, _ in take(follower, 2)] == ["$log", "$log"]
    sequence, leaf = author.publish("members/plan/EUROPOL/a", "Salut.")
    follower.open()
    (name, number, place), = take(follower, 1)
    assert (name, number, text(place)) == ("members", 1, "Salut.")
    assert (place.record.sequence, place.record.leaf) == (sequence, leaf)
    (_, fetched), = reader.fetch("members")
    assert fetched.record.octets == place.record.octets
    assert reader.leaves(sequence, 1) == [leaf]


def test_live_feed(client):
    """Nothing is fetched: the record comes as a block of the feed."""
    author, reader = client("EUROPOL/hq"), client("AFRIPOL/hq")
    author.hello()
    follower = Follower(reader, {"members": 1})
    number, got = 0, []
    while not got:  # libzmq does not say when a subscription is there
        number += 1
        author.publish("members/x", f"text {number}")
        if follower.sub.poll(100):
            got = list(follower.take(follower.sub.recv_multipart()))
    fetches = reader.status()["fetches"]
    said = number
    while got[-1][1] < number + 3:
        if got[-1][1] == said:
            said += 1
            author.publish("members/x", f"text {said}")
        got += follower.take(follower.sub.recv_multipart())
    assert [(n, text(p)) for _, n, p in got] == [
        (n, f"text {n}") for n in range(1, number + 4)]
    assert reader.status()["fetches"] == fetches


@pytest.mark.parametrize("size", [2, 3, 17, 256])
def test_batch(client, size):
    author, reader = client("EUROPOL/hq"), client("AFRIPOL/hq")
    contents = [(f"members/n/{i % 5}", f"text {i}") for i in range(size)]
    promise = author.publish_many(contents)
    assert promise.refused == []
    assert [(a[0], a[2]) for a in promise.accepted] == [
        (i, 2 + i) for i in range(size)]
    found = reader.fetch("members")
    assert [text(p) for _, p in found] == [t for _, t in contents]
    records = [p.record for _, p in found]
    assert [r.leaf for r in records] == [a[3] for a in promise.accepted]
    assert [r.previous for r in records] == [
        None if i < 5 else 2 + i - 5 for i in range(size)]
    assert {r.size for r in records} == {size}


def test_status(client, dialogue):
    author = client("EUROPOL/hq")
    author.publish_many([("members/x", "1"), ("members/y", "2")])
    status = author.status()
    assert (status["size"], status["accepted"], status["closed"]) == (
        4, 2, "")
    assert (status["program"], status["roster_version"]) == (
        "parley-broker", 1)


def test_journal_read_back(broker, client):
    author, reader = client("EUROPOL/hq"), client("AFRIPOL/hq")
    author.publish("dialogue/a", "1")
    author.publish_many([(f"members/{i}", f"text {i}") for i in range(40)])
    reader.publish("@AFRIPOL+EUROPOL/thread/1", "Between us.")
    kept = {p.record.sequence: (p.record.octets, p.body)
            for stream in ("$log", "dialogue", "members", "@AFRIPOL")
            for _, p in reader.fetch(stream)}
    leaves = reader.leaves(0, 100)
    broker.stop()
    said = broker.fsck()
    assert broker.printed(said, "records") == 44
    assert broker.printed(said, "signatures") == 3
    assert f"dialogue    {broker.dialogue.id.hex()}" in said
    found = broker.records()
    assert {p.record.sequence: (p.record.octets, p.body)
            for p in found} == kept
    assert [p.record.leaf for p in found] == leaves
    assert [p.record.type for p in found[:2]] == [ledger.ROSTER, ledger.MARK]
    assert tree.root_of_leaves(leaves) == tree.root(
        [p.record.octets for p in found])


def test_marks_in_time(brokers, dialogue):
    """A mark at least every `mark-seconds`, on the feed; some more for a slow
    machine."""
    broker = brokers(dialogue, mark_seconds=1)
    broker.init()
    broker.start()
    reader = broker.client("EUROPOL/hq")
    log = take(Follower(reader, {"$log": 1}), 4)
    assert [n for _, n, _ in log] == [1, 2, 3, 4]
    times = [p.record.log_time for _, _, p in log[1:]]
    assert all(0 < b - a <= 15000 for a, b in zip(times, times[1:]))
