"""What an agent takes out, judged by the other implementation: blocks, the
tree, checkpoints, claims, promises; and with anything touched, refused by
both."""
import random
import shutil

import pytest

from parley_client import marks
from parley_client.bundle import Bundle
from parley_client.errors import Refused

from agents import free_port
from daemon import wait_for
from dialogue import Dialogue
from witnesses import NAMES, WITNESSED
from wronged import settled_size, wait_settled_at


@pytest.fixture
def dialogue(tmp_path):
    return Dialogue(tmp_path, WITNESSED)


@pytest.fixture
def broker(brokers, dialogue):
    one = brokers(dialogue, desk=f"tcp://127.0.0.1:{free_port()}",
                  feed=f"tcp://127.0.0.1:{free_port()}", mark_seconds=1)
    one.init()
    return one.start()


def widen(obj):
    for one in obj["channels"]:
        if one["id"] == "frontline":
            one["readers"].append("entity:UNODC")


def say(agent, topic, count=1):
    entry = {}
    for n in range(count):
        entry = agent.publish(topic, f"{topic} {n}")
    return agent.wait_entry(entry["number"])["sequence"]


@pytest.fixture
def cast(broker, agents):
    """A story on all kinds of streams; each agent holds its part, knows that
    it does, and all is settled."""
    cast = {name: agents(name, broker).start()
            for name in [*NAMES, "UNODC/hq"]}
    europol = cast["EUROPOL/hq"]
    say(europol, "dialogue/a", 3)
    say(europol, "members/a", 5)
    say(europol, "frontline/a", 3)
    say(europol, "@AFRIPOL+EUROPOL/a", 2)
    assert broker.reload(broker.dialogue.follow(widen)).id == (
        "ROSTER-RECORDED")
    say(europol, "frontline/b", 2)
    say(cast["AFRIPOL/hq"], "@AFRIPOL+UNODC/b", 2)
    say(cast["UNODC/hq"], "dialogue/b", 4)
    last = say(cast["SCO/rats"], "dialogue/c")
    for agent in cast.values():
        wait_for(lambda: (agent.get("status")["complete_upto"]
                          or {"sequence": -1})["sequence"] > last,
                 f"{agent.name} complete", 60, 0.05)
        mark = agent.get("status")["complete_upto"]["sequence"]
        wait_settled_at(agent, mark + 1)
        assert agent.alarms() == []
    return cast


def export(parley, agent, folder, *more):
    parley("--socket", agent.socket, "audit", "export", folder, *more)
    parley("audit", "check", folder, "--dialogue", agent.dialogue.hex())
    return Bundle(folder, agent.dialogue)


@pytest.mark.parametrize("name", [*NAMES, "UNODC/hq"])
def test_whole(cast, broker, parley, tmp_path, name):
    agent = cast[name]
    held = {r["sequence"]: r["leaf"] for r in agent.records("sequence")}
    found = export(parley, agent, tmp_path / "bundle")
    assert {s: found.leaves[s].hex() for s in held} == held
    assert set(held) <= set(found.records)
    assert found.settled[-1][0].size >= 20
    assert settled_size(agent) >= found.settled[-1][0].size
    streams = {c for c in marks.streams(found.chain[-1])
               if c in {s["name"] for s in agent.get("status")["streams"]}}
    assert set(found.complete) == streams
    for stream, (mark, count) in found.complete.items():
        numbers = found.numbers.get(stream, {})
        below = [n for n, r in numbers.items() if r.sequence < mark]
        assert count == (max(below) if below else count)
    wrote = [r for r in agent.get("outbox?limit=100")["entries"]
             if r["state"] == "done"]
    assert len(found.promises) == len(wrote)


@pytest.mark.parametrize("filter", ["members/#", "dialogue/#"])
def test_one_channel(cast, parley, tmp_path, filter):
    """Up to where it is complete shows without the others' records."""
    found = export(parley, cast["EUROPOL/hq"], tmp_path / "bundle",
                   "--filter", filter)
    channel = filter.split("/")[0]
    assert {r.record.channel for r in found.records.values()} == {
        "$log", channel}
    assert found.complete[channel][1] == max(found.numbers[channel])
    assert found.settled[-1][0].size >= 20


def touch(path, seed):
    octets = bytearray(path.read_bytes())
    octets[random.Random(seed).randrange(len(octets))] ^= 1 << (seed % 8)
    path.write_bytes(octets)


def both_refuse(parley, folder, dialogue):
    done = parley("audit", "check", folder, "--dialogue", dialogue.id.hex(),
                  code=None)
    with pytest.raises((Refused, ValueError)):
        Bundle(folder, dialogue.id)
    assert done.code != 0, done


def test_touched(cast, dialogue, parley, tmp_path):
    """One bit of any file: neither takes it."""
    export(parley, cast["UNODC/hq"], tmp_path / "bundle")
    for name in ("blocks", "leaves", "claims"):
        for seed in range(6):
            copy = tmp_path / f"{name}{seed}"
            shutil.copytree(tmp_path / "bundle", copy)
            touch(copy / name, seed)
            both_refuse(parley, copy, dialogue)


def test_left_out(cast, dialogue, parley, tmp_path):
    """A block that a claim speaks of, or a leaf: that a root could not be
    recomputed is said, and is no lie."""
    export(parley, cast["UNODC/hq"], tmp_path / "bundle")
    copy = tmp_path / "no-leaf"
    shutil.copytree(tmp_path / "bundle", copy)
    leaves = copy / "leaves"
    leaves.write_bytes(leaves.read_bytes()[40:])
    with pytest.raises(Refused):
        Bundle(copy, dialogue.id)
    said = parley("audit", "check", copy, "--dialogue", dialogue.id.hex(),
                  code=9)
    assert "neither in blocks nor in leaves" in said.out
    assert "NOT ALL COULD BE CHECKED" in said.out
    copy = tmp_path / "no-block"
    shutil.copytree(tmp_path / "bundle", copy)
    octets = (copy / "blocks").read_bytes()
    n = int.from_bytes(octets[:4], "big")
    second = octets[4 + n + 8:]
    m = int.from_bytes(second[:4], "big")
    (copy / "blocks").write_bytes(octets[:4 + n + 8] + second[4 + m + 8:])
    both_refuse(parley, copy, dialogue)
