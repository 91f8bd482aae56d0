"""A broker that does nothing wrong in any one octet, and wrong all the same:
it hides, holds back, tells two stories, or has its agents run in circles."""
import os
import time
from types import SimpleNamespace

import pytest

from parley_client import block, feed, keys, ledger, messages, wire
from parley_client import canonical as mp

from daemon import wait_for
from liar import changed, now, wait_log

TOPIC = "members/schemes"


@pytest.fixture
def agent(liar, agents):
    at = SimpleNamespace(desk=liar.desk_at, feed=liar.feed_at)
    one = agents("AFRIPOL/hq", at).start()
    one.daemon.wait_log("LINK-READY", wait_s=60)
    liar.post("EUROPOL/hq", TOPIC, "one")
    wait_texts(one, liar)
    wait_log(one, liar)
    return one


def wait_texts(agent, liar):
    wait_for(lambda: len(agent.texts(TOPIC)) >= len(liar.texts),
             f"{liar.texts}", 60, 0.03)
    assert agent.texts(TOPIC) == liar.texts


def wait_alarm(agent, kind):
    def seen():
        return [a["text"] for a in agent.alarms() if a["kind"] == kind]
    return wait_for(seen, f"{kind}, not {agent.alarms()}\n"
                    f"{agent.daemon.log()}", 60, 0.03)[-1]


def stream(agent, name):
    return next(s for s in agent.get("status")["streams"]
                if s["name"] == name)


def hide(name, asked):
    """A lie: from here to the end of all, nothing of it is for this agent."""
    def lie(frames):
        what, _, items = mp.decode(frames[0])
        if what != name:
            return frames
        asked.append(items)
        first = items[0][1] if items else 1
        return [mp.encode([what, 1 << 50, [[1, first, 1 << 50]]])]
    return lie


# What is hidden and held back.

@pytest.mark.parametrize("name", ["members", "$log"])
def test_withheld(liar, agent, name):
    """No roster hides it from us: told, and not passed over."""
    asked, upto = [], stream(agent, name)["upto"]
    liar.lies["fetch"] = hide(name, asked)
    liar.silent = True
    if name == "$log":
        liar.tell(lambda b: b.add(ledger.Record(
            ledger.MARK, len(b.records), b.clock(), 1, 0, "$log", 3,
            ledger.mark_payload(1, b.newest.digest))))
    else:
        liar.post("EUROPOL/hq", TOPIC, "hidden")
    liar.tell(lambda b: b.head(name))
    assert "withheld" in wait_alarm(agent, "WITHHELD")
    assert stream(agent, name)["upto"] == upto
    assert len(asked) <= 3
    liar.honest()
    liar.post("EUROPOL/hq", TOPIC, "after")
    wait_texts(agent, liar)


def test_right_comes_back(liar, agent, dialogue):
    """What a roster hid that has gone again is ours to read: a reply of when
    it was in force passes over nothing."""
    def without(obj):
        obj["channels"][1].update(readers=["entity:EUROPOL"],
                                  writers=["entity:EUROPOL"])

    def given(obj):
        obj["channels"][1].update(readers=["role:member"],
                                  writers=["role:member"])
    told = []

    def away_and_back(_broker=None):
        for change in (without, given):
            liar.change_roster(dialogue.follow(change))

    def lie(frames):
        what, last, items = mp.decode(frames[0])
        if what != "members" or not items or told:
            return frames
        told.append(items)
        away_and_back()
        return [mp.encode([what, last, [[1, items[0][1], last]]])]

    liar.tell(away_and_back)
    wait_for(lambda: agent.get("status")["roster"]["version"] == 3, "it")
    liar.lies["fetch"] = lie
    liar.silent = True
    liar.post("EUROPOL/hq", TOPIC, "two")
    liar.tell(lambda b: b.head("members"))
    wait_for(lambda: told, "the lie")
    wait_texts(agent, liar)
    assert agent.get("status")["roster"]["version"] == 5
    assert agent.alarms() == []


def test_roster_held_back(liar, agent, dialogue):
    """Records are given out under a roster that another had ended."""
    note = dialogue.follow()
    liar.tell(lambda b: b.add_roster(note))
    liar.spoil = changed(roster=0)
    liar.post("EUROPOL/hq", TOPIC, "under the first")
    wait_texts(agent, liar)
    liar.spoil = None
    liar.tell(lambda b: b.show(3, 4))
    assert "up to 5" in wait_alarm(agent, "ROSTER-LATE")
    wait_for(lambda: agent.get("status")["roster"]["version"] == 2, "it")


def test_body_held_back(liar, agent):
    liar.spoil = lambda places: block.encode([
        block.place(places[0].record, state=block.ABSENT)])
    liar.post("EUROPOL/hq", TOPIC, "without a body")
    assert "body" in wait_alarm(agent, "BAD-BLOCK")
    assert stream(agent, "members")["upto"] == 1
    liar.honest()
    liar.post("EUROPOL/hq", TOPIC, "after")
    wait_texts(agent, liar)


def test_form_to_come(liar, agent):
    """Nobody can tell who signed a record of a newer form: not verified."""
    liar.spoil = changed(format=2)
    liar.post("EUROPOL/hq", TOPIC, "of a newer program")
    wait_for(lambda: stream(agent, "members")["upto"] == 2, "it")
    first, newer = [r for r in agent.records() if r["channel"] == "members"]
    assert first["verified"] and first["author"] == "EUROPOL/hq"
    assert not newer["verified"] and newer["author"] is None
    assert newer["content"] is None and newer["problem"]
    # The tree has the one that it was made of.
    assert {a["kind"] for a in agent.alarms()} <= {"WRONG-RECORD"}


# Two stories.

def another(liar, sequence, number):
    """A block of one record that is signed well, and not of this ledger."""
    who, body = liar.dialogue.identity("FRONTEX/hq"), messages.body(
        "the other story", messages.TEXT, os.urandom(16))
    header = messages.Header(
        liar.dialogue.id, "FRONTEX/hq", who.id("sign"), 1, os.urandom(8), 1,
        now(), TOPIC, messages.TEXT, len(body), keys.blake2b(body))
    header.encode()
    batch = messages.sign_batch(who, liar.dialogue.id, [header])
    record = ledger.Record(ledger.MESSAGE, sequence, now(), 1, 0, "members",
                           number, header.octets, None, None, 1, 0,
                           batch.signature)
    record.encode()
    return block.encode([block.place(record, body)])


@pytest.mark.parametrize("sequence", [2, 9])
def test_another_record_of_a_number(liar, agent, sequence):
    """Of the same place, or of another one."""
    liar.send_part("members", feed.block_part(1, another(liar, sequence, 1)))
    wait_alarm(agent, "CONTRADICTION")
    liar.post("EUROPOL/hq", TOPIC, "goes on")
    wait_texts(agent, liar)


def test_backwards(liar, agent):
    """Numbers go up, and places down."""
    liar.send_part("members", feed.block_part(2, another(liar, 9, 2)))
    liar.send_part("members", feed.block_part(3, another(liar, 8, 3)))
    assert "before is record 9" in wait_alarm(agent, "BAD-BLOCK")
    assert stream(agent, "members")["upto"] == 2


def test_time_that_falls(liar, agent):
    """Between two streams; the later one in the ledger is the earlier one."""
    liar.spoil = changed(log_time=lambda t: t - 60000)
    liar.post("EUROPOL/hq", "dialogue/x", "back to life")
    liar.texts.pop()
    assert "record 3 of log time" in wait_alarm(agent, "LOG-TIME")
    liar.spoil = changed(log_time=lambda t: t + 60000, sequence=9)
    liar.post("EUROPOL/hq", TOPIC, "of the future")
    wait_texts(agent, liar)

    def told():
        """Of the streams' order; the tree's own alarms come when they may."""
        return [a["text"] for a in agent.alarms() if "stands" in a["text"]]
    assert len(told()) == 1
    for later, alarms in ((0, 1), (120000, 2)):  # records 5 and 6, before it
        liar.spoil = changed(log_time=lambda t, n=later: t + n)
        liar.post("EUROPOL/hq", "dialogue/x", f"before it: {later}")
        liar.texts.pop()
        wait_for(lambda n=alarms: len(agent.texts("dialogue/#")) == n + 1,
                 "it")
        assert len(told()) == alarms, agent.alarms()
    assert any("stands before record 9" in text for text in told())


def test_one_record_for_ever(liar, agent):
    """The same record under one number after the other."""
    liar.post("EUROPOL/hq", "@AFRIPOL+EUROPOL/x", "to both")
    liar.texts.pop()
    wait_for(lambda: agent.texts("@AFRIPOL+EUROPOL/#"), "it")
    asked = []

    def lie(frames):
        what, _, items = mp.decode(frames[0])
        if what != "@AFRIPOL":
            return frames
        asked.append(1)
        first = len(asked) + 1
        return [mp.encode([what, 1 << 40, [[0, first, first]]]),
                fake_block]
    fake_block = liar.block([3])
    liar.lies["fetch"] = lie
    liar.silent = True
    liar.send_part("@AFRIPOL", feed.head_part(9, now(), 2))
    wait_for(lambda: asked, "a fetch")
    assert wait_for(lambda: [a for a in agent.alarms() if a["kind"] in (
        "BAD-BLOCK", "CONTRADICTION")], "an alarm")
    time.sleep(1)
    assert len(asked) < 4
    assert stream(agent, "@AFRIPOL")["upto"] == 1


def test_stream_of_another(liar, agent):
    """A direct stream is ours, or none."""
    agent.stop()

    def lie(frames):
        generation, rows = mp.decode(frames[0])
        return [mp.encode([generation, [
            ["@EUROPOL", *row[1:]] if row[0] == "@AFRIPOL" else row
            for row in rows]])]
    liar.lies["streams"] = lie
    agent.start()
    assert "@EUROPOL" in agent.daemon.wait_log("LINK-DOWN").value("why")


# Answers.

def answer(liar, change):
    """A lie: the promise changed, and signed as what it says then."""
    def lie(frames):
        values = mp.decode(frames[0])
        ids = [liar.records[a[1]].header().id for a in values[3]]
        p = wire.read_promise(frames[0], ids)
        change(p)
        p.sign(liar.who, liar.dialogue.id)
        return [wire.promise_reply(p)]
    return lie


def refuse(rule, **values):
    def change(p):
        p.refused = [(a[0], a[1], rule, values) for a in p.accepted]
        p.accepted = []
        p.log_time += 10
    return change


@pytest.mark.parametrize("first", ["record", "refusal"])
def test_refused_and_recorded(liar, agent, first):
    liar.silent = first == "refusal"
    liar.lies["publish"] = answer(liar, refuse("TOPICS"))
    if first == "record":  # seen before the answer is given
        real = liar.lies["publish"]

        def late(frames):
            time.sleep(0.5)
            return real(frames)
        liar.lies["publish"] = late
    agent.publish(TOPIC, "mine")
    liar.texts.append("mine")
    if first == "refusal":
        wait_for(lambda: agent.get("refusals")["refusals"], "the refusal")
        liar.honest()
        liar.tell(lambda b: b.show(3))
    assert "refused" in wait_alarm(agent, "PROMISE-BROKEN")
    wait_texts(agent, liar)


def test_promise_of_another_epoch(liar, agent):
    """It could not be shown to the broker at hello."""
    liar.silent = True
    liar.lies["publish"] = answer(liar, lambda p: setattr(p, "epoch", 2))
    agent.publish(TOPIC, "mine")
    liar.texts.append("mine")
    assert "epoch 2" in wait_alarm(agent, "BAD-PROMISE")
    liar.honest()
    wait_texts(agent, liar)


def test_evidence_beside_blocks(liar, agent):
    """What proves a lie is kept, though the link is given up in the turn in
    which good blocks came."""
    asked, lied = [], []
    liar.silent = True
    for n in range(200):
        liar.post("EUROPOL/hq", TOPIC, f"{n}")

    def slowly(frames):
        if mp.decode(frames[0])[2] and not asked:
            asked.append(1)
            time.sleep(1)  # so that the other answer comes right behind
        return frames

    def badly(frames):
        lied.append(1)
        return [mp.encode(mp.decode(frames[0])[:5] + [bytes(64)])] \
            if len(lied) == 1 else frames
    liar.lies.update(fetch=slowly, publish=badly)
    liar.send_part("members", feed.head_part(203, now(), 201))
    wait_for(lambda: asked, "a fetch")
    agent.publish(TOPIC, "mine")
    liar.texts.append("mine")
    wait_alarm(agent, "BAD-PROMISE")
    wait_texts(agent, liar)


# Circles.

def never(liar, asked, rule, **values):
    """Publish requests are refused, and nothing is recorded."""
    def do_publish(_who, head, headers, bodies):
        batch = messages.read_head(head)
        asked.append(batch.size)
        refused = [(i, messages.read_header(h).id, rule, values)
                   for i, (h, _) in enumerate(messages.cut_headers(
                       batch.size, headers, bodies))]
        p = ledger.Promise(1, liar.who.id("desk"), liar.clock(), [], refused)
        p.sign(liar.who, liar.dialogue.id)
        return [wire.promise_reply(p)]
    return do_publish


CIRCLES = {
    "STALE-ROSTER": {"in_force": 1, "stated": 1},
    "RATE": {"wait_ms": 0},
    "USED-NUMBER": {"id": "0" * 64, "leaf": "0" * 64, "sequence": 2},
    "OLD-NUMBER": {"highest": 5000, "number": 1},
    "NUMBER-JUMP": {"highest": 0, "number": 1},
    "ROSTER-AHEAD": {"in_force": 1, "stated": 1},
}


@pytest.mark.parametrize("rule", CIRCLES)
def test_circle(liar, agent, rule):
    """Again and again, but not at once; and not lost when it is let in."""
    asked = []
    liar.do_publish = never(liar, asked, rule, **CIRCLES[rule])
    agent.publish(TOPIC, "mine")
    liar.texts.append("mine")
    wait_for(lambda: asked, "it")
    time.sleep(2)
    assert len(asked) < 12, len(asked)
    del liar.do_publish
    wait_texts(agent, liar)
    assert agent.alarms() == []


def test_one_answer_is_one_try(liar, agent):
    """Many messages refused in one answer: not waited for as if each had
    been refused after the other."""
    asked = []
    agent.stop()
    agent.start()
    agent.daemon.wait_log("LINK-READY")
    liar.do_publish = never(liar, asked, "NO-SPACE", free=0, kept=1)
    for n in range(40):
        agent.publish(TOPIC, f"{n}")
        liar.texts.append(f"{n}")
    wait_for(lambda: max(asked, default=0) > 4, "several in one")
    del liar.do_publish
    wait_for(lambda: len(agent.texts(TOPIC)) == len(liar.texts), "all", 25)


def test_generation_that_never_comes(liar, agent):
    asked, real = [], liar.do_streams

    def do_streams(*words):
        asked.append(1)
        return real(*words)
    liar.do_streams = do_streams
    liar.tell(lambda b: b.head("members", (1 << 53) - 1))
    wait_for(lambda: asked, "it")
    time.sleep(6)
    assert len(asked) < 8
    liar.post("EUROPOL/hq", TOPIC, "after")
    wait_texts(agent, liar)
    assert agent.alarms() == []
