"""The client's session and follower against a broker in memory."""

import itertools
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "vectors")]

import world as w  # noqa: E402
from fake_broker import Broker, contribution  # noqa: E402
from parley_client import ledger, messages, wire  # noqa: E402
from parley_client.errors import Refused  # noqa: E402
from parley_client.follow import Follower  # noqa: E402
from parley_client.session import NoReply, Session  # noqa: E402


@pytest.fixture
def broker():
    ticks = itertools.count(w.T0)
    b = Broker(w.BROKER, w.NOTE1, lambda: next(ticks))
    b.start()
    yield b
    b.end()


@pytest.fixture
def join(broker):
    open_ones = []

    def start(who, **more):
        s = Session(w.NOTE1, who.secret_file(), broker.desk_endpoint,
                    broker.feed_endpoint, **{"wait_s": 60, **more})
        open_ones.append(s)
        return s

    yield start
    for s in open_ones:
        s.close()


def take(records, n):
    return list(itertools.islice(records, n))


def text(place):
    header = place.record.header()
    return messages.read_body(place.body, header.body_format)


def test_stranger_gets_no_answer(join):
    with pytest.raises(NoReply):
        join(w.STRANGER, wait_s=0.3).hello()


def test_hello_publish_fetch(join):
    s = join(w.EUROPOL)
    assert s.hello().size == 2
    assert list(s.streams()) == ["$log", "dialogue", "members", "frontline",
                                 "@EUROPOL"]
    sequence, leaf = s.publish("members/x", {"a": 1}, messages.MAP)
    assert sequence == 2
    found = join(w.AFRIPOL).fetch("members")
    assert [(n, text(p)) for n, p in found] == [(1, {"a": 1})]
    assert found[0][1].record.leaf == leaf == s.leaves(2, 1)[0]
    log = s.fetch("$log")
    assert [p.record.type for _, p in log] == [ledger.ROSTER, ledger.MARK]
    assert s.hello().lanes == [[s.lane, 1]]


def test_refusals(join):
    rats = join(w.RATS)
    with pytest.raises(Refused) as refused:
        rats.publish("members/x", "no")
    assert refused.value.rule == "NOT-A-WRITER"
    with pytest.raises(wire.DeskError) as refused:
        rats.fetch("members")
    assert refused.value.rule == "UNKNOWN-STREAM"


def test_batch_in_part(join):
    s = join(w.EUROPOL)
    s.publish("dialogue/a", "first")
    promise = s.publish_many([(f"dialogue/{i}", f"{i}") for i in range(5)])
    assert [a[2] for a in promise.accepted] == [3, 4, 5, 6, 7]
    found = join(w.RATS).fetch("dialogue", 3, 4)
    assert [text(p) for _, p in found] == ["1", "2"]


def test_lost_reply_makes_one_record(broker, join):
    s = join(w.EUROPOL)
    s.hello()
    s.wait_s = 3
    broker.tell(lambda b: setattr(b, "drop_replies", 1))
    assert s.publish("dialogue/a", "once")[0] == 2
    assert len(s.fetch("dialogue")) == 1


def test_used_number(join):
    s = join(w.EUROPOL)
    s.publish("dialogue/a", "one")
    other = s.sign([s.make("dialogue/a", "other", number=1)])
    assert s.send_batch(other).refused[0][2] == "USED-NUMBER"


def test_a_desk_key_that_a_later_roster_names(broker, join):
    fresh = w.identity("broker", "fresh")
    obj = w.roster2_json()
    obj["brokers"][0]["desk_key"] = [
        {"key": w.keys.b64(fresh.public["desk"])}]
    note = w.notes.sign(w.roster_text(obj, w.DIALOGUE), *w.ROOTS)
    s = join(w.EUROPOL)

    def change(b):
        b.change_roster(note)
        b.who = w.keys.Identity("broker", "lyon", w.BROKER.seed)
        b.who.secret["desk"] = fresh.secret["desk"]
        b.who.public["desk"] = fresh.public["desk"]

    broker.tell(change)
    assert s.hello().roster_version == 2
    assert s.publish("dialogue/a", "x")[0] == 4


def test_contribution(broker, join):
    s = join(w.EUROPOL)
    octets = contribution(w.WRITTEN, w.DIALOGUE, "members/w", "by post")
    first = s.hand_in(octets)
    assert s.hand_in(octets).accepted[0][2] == first.accepted[0][2]
    (_, place), = join(w.AFRIPOL).fetch("members")
    assert place.record.via[0] == "EUROPOL/hq"


def test_follow(broker, join):
    writer, reader = join(w.EUROPOL), join(w.AFRIPOL)
    writer.publish("members/x", "before")
    heard = reader.follow({"members": 1, "@AFRIPOL": 1}, 60)
    assert text(next(heard)[2]) == "before"
    writer.publish("@AFRIPOL+EUROPOL/x", "live")
    broker.tell(lambda b: b.head("@AFRIPOL"))
    name, number, place = next(heard)
    assert (name, number, text(place)) == ("@AFRIPOL", 1, "live")


def test_gaps_are_filled(broker, join):
    writer, reader = join(w.EUROPOL), join(w.AFRIPOL)
    writer.publish("members/x", "1")
    heard = reader.follow({"members": 1}, 60)
    next(heard)
    broker.tell(lambda b: setattr(b, "drop_frames", 2))
    for i in "234":
        writer.publish("members/x", i)
    broker.tell(lambda b: b.head("members"))
    found = take(heard, 3)
    assert [text(p) for _, _, p in found] == ["2", "3", "4"]
    assert [n for _, n, _ in found] == [2, 3, 4]


def test_restart_and_new_roster(broker, join):
    writer, reader = join(w.EUROPOL), join(w.AFRIPOL)
    writer.publish("members/x", "1")
    heard = reader.follow(None, 60)
    seen = take(heard, 3)
    assert sorted(s for s, _, _ in seen) == ["$log", "$log", "members"]
    broker.tell(lambda b: b.change_roster(w.NOTE2))
    broker.tell(lambda b: b.head("$log"))
    assert [n for _, n, _ in take(heard, 2)] == [3, 4]
    assert reader.view.newest.version == 2
    writer.publish("members/x", "2")
    broker.tell(lambda b: b.head("members"))
    assert text(next(heard)[2]) == "2"


def test_another_run_is_noticed(broker, join):
    reader = join(w.AFRIPOL)
    follower = Follower(reader, {"members": 1}, silence_s=0.2)
    broker.tell(lambda b: b.restart())
    join(w.EUROPOL).publish("members/x", "after")
    (_, number, place), = take(follower.records(60), 1)
    assert (number, text(place)) == (1, "after")


def test_a_promise_taken_back(broker, join):
    s = join(w.EUROPOL)
    sequence, _ = s.publish("members/x", "mine")

    def forget(b):
        b.records[sequence].log_time += 5
        b.records[sequence].encode()

    broker.tell(forget)
    with pytest.raises(Refused, match="another than before"):
        s.fetch("members")


def test_hello_is_for_its_nonce(broker, join):
    s, do_hello = join(w.EUROPOL), broker.do_hello
    first = []

    def replay(who, frame):
        first.append(do_hello(who, frame))
        return first[0]

    broker.do_hello = replay
    s.hello()
    with pytest.raises(Refused, match="nonce"):
        s.hello()


def test_contribution_refuses_a_stranger(join):
    s = join(w.AFRIPOL)
    octets = contribution(w.STRANGER, w.DIALOGUE, "members/w", "x")
    with pytest.raises(wire.DeskError) as refused:
        s.hand_in(octets)
    assert refused.value.rule == "UNKNOWN-KEY"
