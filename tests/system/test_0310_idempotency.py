"""A message has one place, however often and in whichever way it is sent."""
import copy
import os
import threading

import pytest

from parley_client import messages
from parley_client.errors import Refused
from parley_client.session import Sent

WINDOW = 1024


def one(session, number=None, lane=None, content="text", topic="members/x"):
    return session.sign([session.make(topic, content, number=number,
                                      lane=lane)])


def places(promise):
    assert promise.refused == []
    return [a[1:] for a in promise.accepted]


def refusal(promise):
    """(rule, values) of the one refusal of a promise, signed and checked."""
    assert promise.accepted == []
    (_, _, rule, values), = promise.refused
    return rule, values


def refuses(session, sent):
    return refusal(session.send_batch(sent))


def size(session):
    return session.status()["size"]


def test_same_octets_again(client):
    author = client("EUROPOL/hq")
    sent = author.sign([author.make("members/x", f"{i}") for i in range(9)])
    first = places(author.send_batch(sent))
    before = size(author)
    for _ in range(3):
        assert places(author.send_batch(sent)) == first
    assert size(author) == before


def test_other_batch_same_messages(client):
    """The message counts, not the batch that carries it."""
    author = client("EUROPOL/hq")
    made = [author.make("members/x", f"{i}") for i in range(4)]
    first = places(author.send_batch(author.sign(made)))
    made.insert(2, author.make("members/x", "new"))
    again = places(author.send_batch(author.sign(made)))
    assert again[:2] + again[3:] == first
    assert again[2][1] == first[-1][1] + 1
    found = client("AFRIPOL/hq").fetch("members")
    assert len(found) == 5, "and the reader can check every batch"


def test_twice_in_one_batch(client):
    author = client("EUROPOL/hq")
    made = author.make("members/x", "twice")
    promise = author.send_batch(author.sign([made, made]))
    (_, first, leaf), (_, second, again) = places(promise)
    assert (first, leaf) == (second, again)
    assert len(client("AFRIPOL/hq").fetch("members")) == 1


def test_used_number(client):
    author = client("EUROPOL/hq")
    id_, sequence, leaf = places(author.send_batch(one(author, 1)))[0]
    before = size(author)
    assert refuses(author, one(author, 1, content="another")) == (
        "USED-NUMBER", {"id": id_.hex(), "sequence": sequence,
                        "leaf": leaf.hex()})
    assert size(author) == before


def test_used_number_in_one_batch(client):
    author = client("EUROPOL/hq")
    made = [author.make("members/x", text, number=7) for text in "ab"]
    promise = author.send_batch(author.sign(made))
    (index, id_, sequence, leaf), = promise.accepted
    assert index == 0
    assert [r[0:1] + r[2:] for r in promise.refused] == [
        (1, "USED-NUMBER", {"id": id_.hex(), "sequence": sequence,
                            "leaf": leaf.hex()})]


def test_numbers_are_each_authors_and_lanes_own(client):
    one_, other = client("EUROPOL/hq"), client("AFRIPOL/hq")
    lane = os.urandom(8)
    sequences = [places(author.send_batch(one(author, 1, lane)))[0][1]
                 for author in (one_, other)]
    sequences.append(places(one_.send_batch(one(one_, 1, os.urandom(8))))
                     [0][1])
    assert sequences == [2, 3, 4]


@pytest.mark.parametrize("highest", [WINDOW, WINDOW + 5])
def test_old_number(client, highest):
    author = client("EUROPOL/hq")
    places(author.send_batch(one(author, 1)))
    for number in sorted({WINDOW, highest}):
        places(author.send_batch(one(author, number)))
    lowest = highest - WINDOW + 1
    if lowest > 1:
        for number in {1, lowest - 1}:
            sent = one(author, number)
            assert refuses(author, sent) == ("OLD-NUMBER", {
                "number": number, "highest": highest})
        places(author.send_batch(one(author, lowest)))
    places(author.send_batch(one(author, lowest + 1)))


def test_number_jump(client):
    author = client("EUROPOL/hq")
    assert refuses(author, one(author, WINDOW + 1)) == (
        "NUMBER-JUMP", {"number": WINDOW + 1, "highest": 0})
    places(author.send_batch(one(author, WINDOW)))
    assert refuses(author, one(author, 2 * WINDOW + 1)) == (
        "NUMBER-JUMP", {"number": 2 * WINDOW + 1, "highest": WINDOW})
    places(author.send_batch(one(author, 2 * WINDOW)))


def test_numbers_out_of_order(client):
    author = client("EUROPOL/hq")
    made = [author.make("members/x", f"{n}", number=n) for n in (5, 2, 9, 1)]
    assert [p[1] for p in places(author.send_batch(author.sign(made)))] == [
        2, 3, 4, 5]
    assert author.hello(lanes=[[author.lane, 9]]).lanes == [[author.lane, 9]]


def test_across_restart(broker, client):
    author, lane = client("EUROPOL/hq"), os.urandom(8)
    kept = one(author, 3, lane)
    first = places(author.send_batch(kept))
    broker.restart()
    reply = author.hello(lanes=[[lane, 3], [b"\0" * 8, 1]])
    assert reply.lanes == [[lane, 3], [b"\0" * 8, 0]]
    assert reply.size == 3, "nothing is committed by a start"
    assert places(author.send_batch(kept)) == first
    assert refuses(author, one(author, 3, lane, "another"))[0] == \
        "USED-NUMBER"
    assert refuses(author, one(author, 3 + WINDOW + 1, lane)) == (
        "NUMBER-JUMP", {"number": 3 + WINDOW + 1, "highest": 3})


def test_window_across_restart_and_segments(brokers, dialogue):
    """The counters come back from a snapshot and the tail behind it."""
    broker = brokers(dialogue, segment=1 << 20)
    broker.init()
    broker.start()
    author, kept = broker.client("EUROPOL/hq"), []
    for _ in range(9):
        kept.append(author.sign([author.make(f"members/{i % 3}", "y" * 4000)
                                 for i in range(60)]))
        places(author.send_batch(kept[-1]))
    broker.restart()
    assert len(broker.segments()) >= 2
    before = size(author)
    for n, sent in enumerate(kept):
        assert [p[1] for p in places(author.send_batch(sent))] == list(
            range(2 + 60 * n, 62 + 60 * n))
    assert size(author) == before
    sequence, _ = author.publish("members/0", "next")
    last, = [p for _, p in author.fetch("members", 541)]
    assert (last.record.sequence, last.record.previous) == (sequence, 539)


def test_two_connections_one_message(broker, client):
    """Sent at once by two sessions of one delegation, many times."""
    one_, other = client("EUROPOL/hq"), client("EUROPOL/hq")
    sent = [one(one_, content=f"{i}") for i in range(200)]
    promised = {}

    def run(session):
        promised[session] = [places(session.send_batch(copy.copy(s)))
                             for s in sent]

    threads = [threading.Thread(target=run, args=(s,)) for s in (one_, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert promised[one_] == promised[other]
    assert size(one_) == 2 + len(sent)


def test_written_contribution_twice(client):
    """Two delegations hand in the same one: one record, the first one's."""
    writer = client("AFRIPOL/written")
    sent = one(writer, topic="dialogue/statement/AFRIPOL")
    octets = messages.contribution(sent.batch, [h.octets for h in
                                                sent.headers], sent.bodies)
    first = places(client("EUROPOL/hq").hand_in(octets))
    assert places(client("UNODC/hq").hand_in(octets)) == first
    assert places(writer.send_batch(Sent(sent.batch, sent.headers,
                                         sent.bodies))) == first
    (_, place), = client("SCO/rats").fetch("dialogue")
    assert place.record.via[0] == "EUROPOL/hq"


def test_seen_before_judged(client, dialogue, broker):
    """A message that was recorded is promised again also when its author
    may not write any more, or the roster changed."""
    author = client("AFRIPOL/hq")
    kept = one(author)
    first = places(author.send_batch(kept))

    def change(obj):
        obj["channels"][1]["writers"] = ["entity:EUROPOL"]

    assert broker.reload(dialogue.follow(change)).id == "ROSTER-RECORDED"
    assert places(author.send_batch(kept)) == first
    with pytest.raises(Refused) as refused:
        author.publish("members/x", "more")
    assert refused.value.rule == "NOT-A-WRITER"
