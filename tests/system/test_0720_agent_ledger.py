"""Agents hold the ledger's tree, cosign it, and know what has settled."""
import time

import pytest

from agents import Agent, free_port
from conftest import program
from daemon import wait_for
from witnesses import NAMES

TOPIC = "dialogue/settling"


@pytest.fixture
def cast(brokers, witnessed):
    """A broker, and agents of its three witnesses and one more delegation."""
    one = brokers(witnessed, desk=f"tcp://127.0.0.1:{free_port()}",
                  feed=f"tcp://127.0.0.1:{free_port()}", mark_seconds=1)
    one.init()
    one.start()
    at = {}
    for name in [*NAMES, "UNODC/hq"]:
        at[name] = Agent(program("parley-agent"), witnessed, name, one).init()
    yield one, at
    for agent in at.values():
        agent.close()


def ledger(agent):
    return agent.get("status")["ledger"]


def settled(agent):
    return (ledger(agent)["settled"] or {}).get("size", -1)


def wait_settled(agent, size):
    wait_for(lambda: settled(agent) >= size,
             f"{agent.name} knows {size} records settled", 60)


def test_settles(cast):
    _, at = cast
    for agent in at.values():
        agent.start()
    entry = at["EUROPOL/hq"].publish(TOPIC, "to be settled")
    entry = at["EUROPOL/hq"].wait_entry(entry["number"])
    for agent in at.values():
        wait_settled(agent, entry["sequence"] + 1)
        said = ledger(agent)
        assert said["settled"]["cosigned"] >= 2
        assert said["settled"]["witnesses"] == 3
        wait_for(lambda: ledger(agent)["current"], lambda: ledger(agent))
        assert agent.alarms() == []
    assert at["EUROPOL/hq"].get("status")["ledger"]["witness"]
    assert not at["UNODC/hq"].get("status")["ledger"]["witness"]


def test_quorum_lacks(cast):
    """Two of three go on; one alone settles nothing, until another is back."""
    _, at = cast
    for agent in at.values():
        agent.start()
    author = at["EUROPOL/hq"]
    first = author.wait_entry(author.publish(TOPIC, "by three")["number"])
    wait_settled(author, first["sequence"] + 1)
    at["SCO/rats"].kill()
    author.wait_entry(author.publish(TOPIC, "by two")["number"])
    at["AFRIPOL/hq"].kill()
    number = author.publish(TOPIC, "by one")["number"]
    place = author.wait_entry(number, "promised")["sequence"]
    time.sleep(2.5)
    assert author.get(f"outbox/{number}")["state"] == "promised"
    assert settled(author) <= place
    at["AFRIPOL/hq"].start()
    author.wait_entry(number)
    for one in at.values():
        if one.daemon.is_alive():
            assert one.alarms() == []


def test_away(cast):
    """One that was away takes the leaves in ranges, and is current again."""
    broker, at = cast
    away = at.pop("UNODC/hq")
    for agent in at.values():
        agent.start()
    author = at["EUROPOL/hq"]
    number = 0
    for i in range(300):
        number = author.publish(TOPIC, f"while away {i}")["number"]
    author.wait_entry(number)
    away.start()
    wait_settled(away, 300)
    assert away.alarms() == []
    at["UNODC/hq"] = away


def test_killed(cast):
    """Whenever witnesses die, none cosigns what contradicts its memory."""
    _, at = cast
    for agent in at.values():
        agent.start()
    author = at["EUROPOL/hq"]
    for i in range(6):
        victim = at[NAMES[1 + i % 2]]
        number = author.publish(TOPIC, f"round {i}")["number"]
        time.sleep(0.05 * i)
        victim.kill()
        victim.start()
        author.wait_entry(number)
    for agent in at.values():
        assert agent.alarms() == []


@pytest.mark.parametrize("publishes", (False, True))
def test_witness_put_back(cast, publishes, parley):
    """One that forgot what it cosigned sees it by its own lines, or, where it
    publishes, by its lane; it cosigns nothing until its operator says so, and
    no smaller size then."""
    _, at = cast
    author, victim = at["EUROPOL/hq"], at["AFRIPOL/hq"]
    at.pop("SCO/rats").close()  # so each quorum needs the victim
    for agent in at.values():
        agent.start()
    writer = victim if publishes else author
    writer.wait_entry(writer.publish(TOPIC, "in the backup")["number"])
    victim.stop()
    victim.backup()
    victim.start()
    last = writer.wait_entry(writer.publish(TOPIC, "not in it")["number"])
    victim.kill()
    victim.restore()
    victim.start()
    wait_for(lambda: ledger(victim)["older"], "noticed", 60)
    wait_for(lambda: [a["kind"] for a in victim.alarms()] == ["WITNESS-OLDER"],
             "told", 60)
    number = author.publish(TOPIC, "settles later")["number"]
    author.wait_entry(number, "promised")
    assert ledger(victim)["cosigned"] > last["sequence"]
    assert ledger(victim)["stopped"]
    said = parley("--socket", victim.socket, "status", code=8)
    assert "older than what it cosigned" in said.out
    victim.stop()
    victim.start()
    wait_for(lambda: (ledger(victim)["verified"] or 0) > last["sequence"] + 1,
             "up")
    assert ledger(victim)["older"]
    assert author.get(f"outbox/{number}")["state"] == "promised"
    victim.ask("POST", "witness/resume", code=204)
    author.wait_entry(number)
    assert not ledger(victim)["older"]
    assert [a["kind"] for a in victim.alarms()] == ["WITNESS-OLDER"]
