"""A broker that lies: the agent stores none of it, says so, does not fall, and
goes on when it hears the truth. What it can't know is a lie is not here."""
import dataclasses
import os
import random
from types import SimpleNamespace

import pytest

from parley_client import block, feed, ledger, wire
from parley_client import canonical as mp

from daemon import wait_for
from liar import Liar, changed, flipped

TOPIC = "members/lies"


@pytest.fixture
def liar(dialogue):
    one = Liar(dialogue)
    yield one
    one.end()


@pytest.fixture
def agent(liar, agents):
    """Of AFRIPOL/hq, which has got one record of another's."""
    at = SimpleNamespace(desk=liar.desk_at, feed=liar.feed_at)
    one = agents("AFRIPOL/hq", at).start()
    one.daemon.wait_log("LINK-READY", wait_s=20)
    liar.post("EUROPOL/hq", TOPIC, "true before")
    wait_texts(one, liar)
    return one


def wait_texts(agent, liar):
    """It holds all that was said, in order, once."""
    wait_for(lambda: len(agent.texts(TOPIC)) >= len(liar.texts),
             f"{liar.texts}", 20, 0.03)
    assert agent.texts(TOPIC) == liar.texts


def wait_alarm(agent, kind):
    """The text of the alarm."""
    def seen():
        return [a["text"] for a in agent.alarms() if a["kind"] == kind]
    return wait_for(seen, f"{kind}, not {agent.alarms()}\n"
                    f"{agent.daemon.log()}", 20, 0.03)[-1]


def check_recovery(agent, liar):
    """The truth is heard, and stored beside what was true before."""
    liar.honest()
    liar.post("EUROPOL/hq", TOPIC, "true after")
    wait_texts(agent, liar)
    entry = agent.publish(TOPIC, "my own")
    liar.texts.append("my own")
    agent.wait_entry(entry["number"])
    wait_texts(agent, liar)


# Hello.

HELLOS = {
    "signature": (lambda b: lambda f: [f[0], flipped(f[1], -1)], "not signed"),
    "no octets": (lambda b: lambda f: [b"", b""], ""),
    "one frame": (lambda b: lambda f: f[:1], "1 frames"),
    "three frames": (lambda b: lambda f: [*f, b"x"], "3 frames"),
    "altered": (lambda b: lambda f: [flipped(f[0], -1), f[1]], "not signed"),
    "nonce": (lambda b: b.say_hello(nonce=bytes(32)), "another hello"),
    "dialogue": (lambda b: b.say_hello(dialogue=bytes(32)), "dialogue"),
    "run": (lambda b: b.say_hello(run=bytes(16)), "another run"),
    "who": (lambda b: b.say_hello(delegation="FRONTEX/hq"), "FRONTEX/hq"),
    "versions": (lambda b: b.say_hello(versions=[2, 3]), "2 to 3"),
    "roster digest": (lambda b: b.say_hello(roster_digest=bytes(32)),
                      "roster"),
    "roster ahead": (lambda b: b.say_hello(roster_version=9,
                                           roster_digest=bytes(32)),
                     "version 9"),
    "negative size": (lambda b: b.say_hello(size=-1), ""),
    "garbage": (lambda b: lambda f: [os.urandom(200), os.urandom(80)], ""),
}


def test_hello(liar, agent):
    for name, (lie, why) in HELLOS.items():
        agent.stop()
        liar.lies["hello"] = lie(liar)
        agent.start()
        line = agent.daemon.wait_log("LINK-DOWN")
        assert why in line.value("why"), (name, line)
        assert agent.get("status")["link"]["state"] != "ready"
        assert agent.texts(TOPIC) == liar.texts
    agent.stop()
    liar.honest()
    agent.start()
    check_recovery(agent, liar)
    assert agent.alarms() == []


def test_unsigned_run(liar, agent):
    """Another run, without a word: down, hello, and on."""
    liar.another_run()
    entry = agent.publish(TOPIC, "into the next run")
    liar.texts.append("into the next run")
    agent.wait_entry(entry["number"])
    check_recovery(agent, liar)


def test_memory(liar, agent):
    """A ledger that is shorter than what it gave out."""
    liar.lies["hello"] = liar.say_hello(size=1)
    liar.another_run()
    liar.post("EUROPOL/hq", TOPIC, "more")
    assert "before record 2" in wait_alarm(agent, "LEDGER-BEHIND")
    check_recovery(agent, liar)


# Lists of streams.

def streams(change):
    def lie(frames):
        generation, rows = mp.decode(frames[0])
        return [mp.encode(change(generation, rows))]
    return lie


STREAMS = {
    "garbage": lambda f: [os.urandom(100)],
    "no frame": lambda f: [],
    "names twice": streams(lambda g, rows: [g, rows + rows[:1]]),
    "a name": streams(lambda g, rows: [
        g, [["../../x", *rows[0][1:]], *rows[1:]]]),
    "a long name": streams(lambda g, rows: [
        g, [["x" * 200, *rows[0][1:]], *rows[1:]]]),
    "a short tag": streams(lambda g, rows: [
        g, [[rows[0][0], b"x", *rows[0][2:]], *rows[1:]]]),
    "a negative number": streams(lambda g, rows: [
        g, [[*rows[0][:3], -5, 1], *rows[1:]]]),
}


def test_streams(liar, agent):
    for name, lie in STREAMS.items():
        agent.stop()
        liar.lies["streams"] = lie
        agent.start()
        agent.daemon.wait_log("LINK-DOWN")
        assert agent.texts(TOPIC) == liar.texts, name
    agent.stop()
    liar.honest()
    agent.start()
    check_recovery(agent, liar)


def test_stream_shorter(liar, agent):
    liar.lies["streams"] = streams(lambda g, rows: [
        g, [[*row[:3], 0, 1] for row in rows]])
    liar.another_run()
    liar.post("EUROPOL/hq", TOPIC, "more")
    assert "ends at 0" in wait_alarm(agent, "LEDGER-BEHIND")
    check_recovery(agent, liar)


# Promises.

def promise(change, signed=True):
    """A lie: the promise changed, signed anew or not."""
    def make(liar):
        def lie(frames):
            v = mp.decode(frames[0])
            ids = [r.header().id for r in liar.records
                   if r.type == ledger.MESSAGE
                   and r.sequence in [a[1] for a in v[3]]]
            p = wire.read_promise(frames[0], ids)
            change(p)
            if signed:
                p.sign(liar.who, liar.dialogue.id)
            return [wire.promise_reply(p)]
        return lie
    return make


def accepted(**changes):
    names = ("index", "id", "sequence", "leaf")

    def change(p):
        p.accepted = [tuple({**dict(zip(names, one)), **changes}[n]
                            for n in names) for one in p.accepted]
    return change


def no_answer(p):
    p.accepted = []


def refuse_as_one(p):
    p.accepted, p.refused = [], [(None, bytes(32), "LIMIT", {})]


def refuse_another(p):
    p.accepted, p.refused = [], [(0, bytes(32), "LIMIT", {})]


PROMISES = {
    "signature": promise(lambda p: setattr(
        p, "signature", flipped(p.signature, 5)), signed=False),
    "another key": promise(lambda p: setattr(p, "desk_key", bytes(8))),
    "unsigned place": promise(accepted(sequence=77), signed=False),
    "no answer": promise(no_answer),
    "index": promise(accepted(index=3)),
    "as one": promise(refuse_as_one),
    "another id": promise(refuse_another),
    "garbage": lambda b: lambda f: [os.urandom(120)],
    "two frames": lambda b: lambda f: [f[0], f[0]],
}


@pytest.mark.parametrize("name", PROMISES)
def test_promise(liar, agent, name):
    liar.silent = True
    liar.lies["publish"] = PROMISES[name](liar)
    entry = agent.publish(TOPIC, "promised badly")
    agent.daemon.wait_log("LINK-DOWN")
    if name != "two frames":
        wait_alarm(agent, "BAD-PROMISE")
    assert agent.get(f"outbox/{entry['number']}")["state"] not in (
        "promised", "refused")
    assert agent.get("refusals")["refusals"] == []
    liar.texts.append("promised badly")
    liar.honest()
    assert agent.wait_entry(entry["number"])["sequence"] == 3
    check_recovery(agent, liar)


@pytest.mark.parametrize("changes", [{"sequence": 2}, {"leaf": bytes(32)}])
def test_promise_broken(liar, agent, changes):
    """Well signed, and not what stands there: kept as evidence."""
    liar.lies["publish"] = promise(accepted(**changes))(liar)
    agent.publish(TOPIC, "elsewhere")
    liar.texts.append("elsewhere")
    wait_alarm(agent, "PROMISE-BROKEN")
    wait_texts(agent, liar)
    check_recovery(agent, liar)


# Blocks.

def spoilt_octets(seed):
    def spoil(places):
        octets = block.encode(places)
        return flipped(octets, random.Random(seed).randrange(len(octets)))
    return spoil


def another_body(places):
    octets = b"y" * len(places[0].body)
    return block.encode([dataclasses.replace(places[0], body=octets)])


def as_format(places):
    octets = block.encode(places)
    octets = octets[:8] + b"\0\1" + octets[10:]
    return octets[:-1]


BLOCKS = {
    "batch signature": changed(signature=lambda s: flipped(s, 9)),
    "another size of the batch": changed(
        index=0, signature=lambda s: bytes(64)),
    "number": changed(channel_sequence=lambda n: n + 1),
    "number before": changed(channel_sequence=lambda n: n - 1),
    "topic of another channel": changed(channel="dialogue"),
    "header": changed(payload=lambda h: flipped(h, 60)),
    "body": another_body,
    "cut": as_format,
    "nothing": lambda places: b"",
    "noise": lambda places: os.urandom(300),
    "two channels": lambda places: block.encode(places) * 2,
    **{f"bit {seed}": spoilt_octets(seed) for seed in range(3)},
}


@pytest.mark.parametrize("name", BLOCKS)
def test_block(liar, agent, name):
    """By the feed, and then by fetch."""
    held = agent.records()
    liar.spoil = BLOCKS[name]
    liar.post("EUROPOL/hq", TOPIC, "told badly")
    if name in ("nothing", "noise"):  # too short to be one; fetched then
        liar.tell(lambda b: b.head("members"))
    wait_alarm(agent, "BAD-BLOCK")
    assert agent.records() == held
    check_recovery(agent, liar)


def test_block_by_fetch(liar, agent):
    agent.stop()
    held = [dict(liar.records[2].__dict__)["sequence"]]
    liar.spoil = changed(signature=lambda s: flipped(s, 9))
    liar.silent = True
    liar.post("EUROPOL/hq", TOPIC, "told badly")
    agent.start()
    wait_alarm(agent, "BAD-BLOCK")
    assert [r["sequence"] for r in agent.records(log=0)] == held
    check_recovery(agent, liar)


def test_place_held_already(liar, agent):
    """Two records of one number of the ledger."""
    liar.spoil = changed(sequence=2)
    liar.post("FRONTEX/hq", "dialogue/x", "where another stands")
    liar.texts.pop()
    wait_alarm(agent, "CONTRADICTION")
    assert agent.texts("dialogue/#") == []
    check_recovery(agent, liar)
    wait_for(lambda: agent.texts("dialogue/#"), "the true one")


def test_newer(liar, agent):
    """A block of a format to come is no lie, and no reason to fall."""
    liar.spoil = lambda places: (lambda o: o[:8] + b"\0\2" + o[10:])(
        block.encode(places))
    liar.post("EUROPOL/hq", TOPIC, "of a newer program")
    wait_for(lambda: "NEWER-FORMAT" in agent.notices(), "a notice")
    assert agent.alarms() == []
    check_recovery(agent, liar)


# Rosters.

def test_roster_that_never_comes(liar, agent):
    """It may be on its way: waited for, not stored, no reason to fall."""
    held = agent.records()
    liar.spoil = changed(roster=2)
    liar.post("EUROPOL/hq", TOPIC, "under no roster")
    wait_for(lambda: lacks(agent, "members"), "a gap")
    assert agent.records() == held and agent.alarms() == []
    check_recovery(agent, liar)


def lacks(agent, name):
    return next(s["behind"] for s in agent.get("status")["streams"]
                if s["name"] == name)


def test_roster_of_too_few(liar, agent, dialogue):
    """A roster that one root signer alone has signed, as the next record."""
    draft = dialogue.draft(lambda obj: obj.update(name="Of one"))
    note = dialogue.sign(dialogue.text(draft), ["SCO"])

    def record_it(b):
        for kind, payload, body in (
                (ledger.ROSTER, ledger.roster_payload(
                    2, bytes(32), note.encode()), note.encode()),):
            b.add(ledger.Record(kind, 3, b.clock(), 1, 3, "$log", 3,
                                payload), body)
        b.show(3)
    records = list(liar.records)
    liar.tell(record_it)
    wait_alarm(agent, "BAD-ROSTER")
    assert agent.get("status")["roster"]["version"] == 1
    liar.records, liar.bodies = records, liar.bodies[:3]
    check_recovery(agent, liar)


def test_roster_from_the_desk(liar, agent, dialogue):
    """The same in the desk's answer, before hello."""
    draft = dialogue.draft(lambda obj: obj.update(name="Of one"))
    for note in (dialogue.sign(dialogue.text(draft), ["SCO"]),
                 dialogue.notes[0], "noise", "x" * 1000000):
        agent.stop()
        for version in (1, 2):
            def lie(*_, version=version, note=note):
                return [mp.encode([version, 0]), note.encode()]
            liar.do_roster = lie
        agent.start()
        line = agent.daemon.wait_log("LINK-DOWN")
        assert agent.get("status")["roster"]["version"] == 1, line
    wait_alarm(agent, "BAD-ROSTER")
    del liar.do_roster
    agent.stop()
    agent.start()
    check_recovery(agent, liar)


# Fetch.

def fetch(change):
    def lie(frames):
        return change(*mp.decode(frames[0]), frames[1:])
    return lie


def reply(*values, blocks=()):
    return [mp.encode(list(values)), *blocks]


FETCHES = {
    "hole": fetch(lambda s, last, items, b: reply(
        s, last, [[k, lo + 1, hi + 1] for k, lo, hi in items], blocks=b)),
    "no block": fetch(lambda s, last, items, b: reply(s, last, items)),
    "a block more": fetch(lambda s, last, items, b: reply(
        s, last, items, blocks=[*b, b"x"])),
    "other stream": fetch(lambda s, last, items, b: reply(
        "dialogue", last, items, blocks=b)),
    "backwards": fetch(lambda s, last, items, b: reply(
        s, last, [[k, hi + 1, lo] for k, lo, hi in items], blocks=b)),
    "longer": fetch(lambda s, last, items, b: reply(
        s, last, [[k, lo, hi + 5] for k, lo, hi in items], blocks=b)),
    "beyond all": fetch(lambda s, last, items, b: reply(
        s, last, [[1, lo, 1 << 62] for k, lo, hi in items])),
    "kind": fetch(lambda s, last, items, b: reply(
        s, last, [[7, lo, hi] for k, lo, hi in items], blocks=b)),
    "empty": fetch(lambda s, last, items, b: reply(s, last, [])),
    "noise": lambda frames: [os.urandom(64)],
    "no frame": lambda frames: [],
}


@pytest.mark.parametrize("name", FETCHES)
def test_fetch(liar, agent, name):
    """The record comes by fetch alone."""
    held = agent.records()
    liar.silent = True
    liar.post("EUROPOL/hq", TOPIC, "not by the feed")
    asked, lie = [], FETCHES[name]

    def watch(frames):
        if mp.decode(frames[0])[0] == "members":
            asked.append(1)
            return lie(frames)
        return frames
    liar.lies["fetch"] = watch
    liar.tell(lambda b: b.head("members"))
    wait_for(lambda: asked, "a fetch")
    assert [r for r in agent.records() if r["channel"] == "members"] == \
        [r for r in held if r["channel"] == "members"]
    check_recovery(agent, liar)


# Frames.

def test_frames(liar, agent):
    """Noise, echoes, other streams' frames and wrong orders: nothing is
    noticed of them, and nothing gets lost."""
    tag, key = liar.tag("members")
    other, other_key = liar.tag("dialogue")
    good = feed.block_part(1, liar.block([2]))
    tries = [
        lambda: liar.send_raw(tag),
        lambda: liar.send_raw(tag, b"x" * 32),
        lambda: liar.send_raw(tag, b"", b""),
        lambda: liar.send_raw(tag, os.urandom(32), os.urandom(100)),
        lambda: liar.send_raw(tag, os.urandom(31), os.urandom(100)),
        lambda: liar.send_raw(tag, b"1", b"2", b"3", b"4", b"5"),
        lambda: liar.send_raw(tag + b"more", os.urandom(32), b"x" * 99),
        lambda: liar.send_part("members", good, key=other_key),
        lambda: liar.send_part("members", good, tag=other),
        lambda: liar.send_part("members", good, number=1),
        lambda: liar.send_part("members", good),  # held already
        lambda: liar.send_part("members", bytes([9]) + b"unknown kind"),
        lambda: liar.send_part("members", bytes([1])),
        lambda: liar.send_part("members", bytes([2])),
        lambda: liar.send_part("members", bytes([2]) + os.urandom(40)),
        lambda: liar.send_part("members", feed.head_part(0, 0, 0)),
        lambda: liar.send_part("members", feed.head_part(3, 5, 1)),
    ]
    for n, one in enumerate(tries):
        one()
        liar.post("EUROPOL/hq", TOPIC, f"after {n}")
    wait_texts(agent, liar)
    assert agent.alarms() == [] and agent.get("status")["link"][
        "state"] == "ready"
    check_recovery(agent, liar)


def test_frames_in_another_order(liar, agent):
    liar.silent = True
    for n in range(8):
        liar.post("EUROPOL/hq", TOPIC, f"{n}")
    parts = [feed.block_part(2 + n, liar.block([3 + n])) for n in range(8)]
    random.Random(5).shuffle(parts)
    for part in parts + parts[:3]:
        liar.send_part("members", part)
    liar.tell(lambda b: b.head("members"))
    wait_texts(agent, liar)
    assert agent.alarms() == []
    check_recovery(agent, liar)


def test_numbers_out_of_the_air(liar, agent):
    """Heads and blocks that speak of what is not there: asked for, and the
    desk knows."""
    for number in (9, 1 << 40, (1 << 53) - 1):
        liar.send_part("members", feed.head_part(5, 5, number))
        liar.send_part("members", feed.block_part(number, liar.block([2])))
        liar.post("EUROPOL/hq", TOPIC, f"beside {number}")
    wait_texts(agent, liar)
    check_recovery(agent, liar)
