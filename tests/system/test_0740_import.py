"""A bundle is taken in by an agent that has no link, or had one: what it holds
then is what it would have fetched; what is forged it does not take."""
import json
import os
from types import SimpleNamespace

import pytest

from agents import Agent, free_port
from conftest import program
from daemon import wait_for
from dialogue import SMALL, Dialogue
from holdings import held
from witnesses import NAMES, WITNESSED
from wronged import ledger_of, settled_size, wait_settled_at

NOWHERE = SimpleNamespace(desk="tcp://127.0.0.1:1", feed="tcp://127.0.0.1:1")


@pytest.fixture
def dialogue(tmp_path):
    return Dialogue(tmp_path, WITNESSED)


@pytest.fixture
def cast(brokers, dialogue, agents):
    """The witnesses' agents and an observer's; two rosters, and messages on
    channels that the observer reads, and that it does not."""
    broker = brokers(dialogue, desk=f"tcp://127.0.0.1:{free_port()}",
                     feed=f"tcp://127.0.0.1:{free_port()}", mark_seconds=1)
    broker.init()
    broker.start()
    out = {name: agents(name, broker).start() for name in [*NAMES, "UNODC/hq"]}
    say(out)
    assert broker.reload(dialogue.follow(
        lambda obj: obj.update(name="The second"))).id == "ROSTER-RECORDED"
    say(out)
    return out


def say(cast):
    """Some of each, all settled."""
    for name, topic in (("EUROPOL/hq", "dialogue/a"),
                        ("EUROPOL/hq", "members/b"),
                        ("AFRIPOL/hq", "@AFRIPOL+EUROPOL/c")):
        entry = cast[name].wait_entry(
            cast[name].publish(topic, f"of {name}")["number"])
    for agent in cast.values():
        wait_settled_at(agent, entry["sequence"] + 1)


@pytest.fixture
def bundle(cast, parley, tmp_path):
    """bundle(name, *words): what that agent holds, taken out."""
    def make(name, *words):
        path = tmp_path / f"bundle-{len(list(tmp_path.iterdir()))}"
        parley("--socket", cast[name].socket, "audit", "export", path, *words)
        return path
    return make


@pytest.fixture
def taken(parley):
    """taken(agent, folder): what the import says."""
    def run(agent, folder, code=0):
        return parley("--socket", agent.socket, "--json", "import", folder,
                      code=code).json()[0]
    return run


@pytest.fixture
def alone(agents):
    """An agent of the name's other body that never has a link."""
    return lambda name: agents(name, NOWHERE).start()


def up_to(agent, last):
    return [held(one) for one in agent.records("sequence")
            if one["sequence"] <= last]


def last_of(folder):
    return json.loads((folder / "bundle.json").read_text())["last"]


def test_without_a_link(cast, bundle, taken, alone, parley):
    """FRONTEX/hq has no agent on the network; it reads what members read."""
    folder = bundle("EUROPOL/hq")
    agent = alone("FRONTEX/hq")
    said = taken(agent, folder)
    assert said["state"] == "done" and said["gaps"] == 0
    assert said["records"] > 0 and said["others"] > 0  # @AFRIPOL+EUROPOL
    want = [one for one in up_to(cast["EUROPOL/hq"], last_of(folder))
            if not one[2].startswith("@")]
    assert up_to(agent, last_of(folder)) == want
    wait_settled_at(agent, said["settled"])
    assert settled_size(agent) == said["settled"]
    assert ledger_of(agent)["size"] >= said["settled"]
    assert agent.get("status")["roster"]["version"] == 2
    assert agent.alarms() == []
    sequence = next(one[0] for one in want if one[2] == "members")
    parley("--socket", agent.socket, "receipt", sequence, "--out", "offline")
    parley("--socket", agent.socket, "roster", "trust-policy", "--out", "trust")
    parley("verify", "offline.tlog-proof", "--policy", "trust")


def test_again_and_in_parts(cast, bundle, taken, alone):
    """Twice is once; a channel alone leaves no gap in itself; what follows
    goes on where the last one ended."""
    first = bundle("EUROPOL/hq", "--filter", "dialogue/#")
    agent = alone("FRONTEX/hq")
    said = taken(agent, first)
    assert said["records"] > 0 and said["gaps"] == 0
    channels = {one[2] for one in up_to(agent, 1 << 50)}
    assert channels == {"$log", "dialogue"}
    assert taken(agent, first)["records"] == 0
    say(cast)
    second = bundle("EUROPOL/hq")
    said = taken(agent, second)
    assert said["records"] > 0 and said["gaps"] == 0
    want = [one for one in up_to(cast["EUROPOL/hq"], last_of(second))
            if not one[2].startswith("@")]
    assert up_to(agent, last_of(second)) == want
    assert agent.alarms() == []


def test_own_direct_stream(bundle, taken, alone, cast):
    """Another seat's bundle of the same body has its direct stream; a store of
    before is not taken for a stolen key."""
    folder = bundle("AFRIPOL/hq")
    agent = cast["AFRIPOL/hq"]
    want = up_to(agent, last_of(folder))
    agent.stop()
    agent.restore_empty()
    agent.configure(desk=NOWHERE.desk, feed=NOWHERE.feed)
    agent.start()
    said = taken(agent, folder)
    assert up_to(agent, last_of(folder)) == want
    assert said["state"] == "done"
    wait_for(lambda: "OWN-EARLIER" in agent.notices(), "a notice")
    assert agent.alarms() == []


def test_beside_a_link(cast, bundle, taken):
    """An agent that has it all already."""
    folder = bundle("EUROPOL/hq")
    said = taken(cast["UNODC/hq"], folder)
    assert said["records"] == 0 and said["held"] > 0 and said["others"] > 0
    assert cast["UNODC/hq"].alarms() == []


def test_forged(bundle, taken, alone):
    """Nothing of a bundle that does not hold is taken."""
    folder = bundle("UNODC/hq")
    agent = alone("FRONTEX/hq")
    for name in ("blocks", "leaves", "checkpoints", "claims",
                 "rosters/00000002.note"):
        path = folder / name
        whole = path.read_bytes()
        octets = bytearray(whole)
        # One witness's line alone would not matter: here its origin.
        octets[12 if name == "checkpoints" else len(octets) // 2] ^= 4
        path.write_bytes(octets)
        said = taken(agent, folder, code=1)
        assert said["state"] == "failed" and said["why"], name
        assert agent.records("sequence") == [], name
        assert ledger_of(agent)["size"] == 0
        path.write_bytes(whole)
    assert agent.alarms() == []
    assert taken(agent, folder)["records"] > 0


def test_another_dialogue(bundle, taken, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    agent = Agent(program("parley-agent"), Dialogue(other, SMALL),
                  "FRONTEX/hq", NOWHERE)
    try:
        agent.init().start()
        why = taken(agent, bundle("EUROPOL/hq"), code=1)["why"]
        assert "dialogue" in why, why
        assert agent.records("sequence") == []
    finally:
        agent.close()


def test_bad_requests(alone, tmp_path, parley):
    agent = alone("FRONTEX/hq")
    for body in ({}, {"folder": "relative"}, {"folder": 1},
                 {"folder": "/tmp", "more": 1}):
        agent.ask("POST", "import", body, code=400)
    parley("--socket", agent.socket, "import", tmp_path / "no", code=4)
    empty = tmp_path / "empty"
    empty.mkdir()
    answer = parley("--socket", agent.socket, "import", empty, code=1)
    assert "bundle.json" in answer.err
    assert agent.get("import")["state"] == "failed"
    wait_for(lambda: agent.get("status"), "still there")
    assert os.listdir(empty) == []
