"""A broker that lies in blocks, rosters, fetch replies and frames. What the
agent can't know is a lie is not here."""
import dataclasses
import os
import random

import pytest

from parley_client import block, feed, ledger
from parley_client import canonical as mp

from daemon import wait_for
from liar import (TOPIC, changed, check_recovery, flipped, wait_alarm,
                  wait_texts)


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
