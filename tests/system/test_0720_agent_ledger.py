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
             f"{agent.name} knows {size} records settled", 20)


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
        assert said["current"], said
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
    size = settled(author)
    number = author.publish(TOPIC, "by one")["number"]
    author.wait_entry(number, "promised")
    time.sleep(2.5)
    assert author.get(f"outbox/{number}")["state"] == "promised"
    assert settled(author) <= size + 2
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
