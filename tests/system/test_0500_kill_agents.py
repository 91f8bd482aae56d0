"""kill -9 of agents and of the broker under load: what an agent has taken is
in the ledger once, whatever died and was tried again.

PARLEY_TORTURE=1 makes 200 rounds of it; PARLEY_SEED repeats one run as far as
threads allow."""
import os
import random
import threading

from parley_client import ledger

from daemon import WAIT_S
from holdings import check_holdings, wait_complete
from programs import Program
from publishers import Runs

ROUNDS = 200 if os.environ.get("PARLEY_TORTURE") == "1" else 30
SEED = int(os.environ.get("PARLEY_SEED") or random.randrange(1 << 32))
LOAD = (("EUROPOL/hq", "members/kill/a"), ("EUROPOL/hq", "frontline/kill"),
        ("AFRIPOL/hq", "members/kill/b"), ("AFRIPOL/hq", "dialogue/kill"),
        ("FRONTEX/hq", "@EUROPOL+FRONTEX/kill"),
        ("UNODC/hq", "dialogue/kill/c"))


def kill_some(broker, runs, moment):
    """The broker, some agents, or both at once; then start them again."""
    victims = [one for one in runs if moment.random() < 0.4]
    also = moment.random() < 0.3 or not victims
    if also:
        broker.daemon.kill()
    for one in victims:
        one.broker.kill()
    if also:
        broker.fsck()
        broker.start()
    for one in victims:
        one.broker.start()
        one.next()


def one_round(broker, runs, programs, taken, moment):
    while taken.acquire(blocking=False):
        pass
    for _ in range(moment.randrange(1, 120)):
        assert taken.acquire(timeout=WAIT_S)
    # No event tells of the middle of a write: any moment will do.
    threading.Event().wait(moment.random() * 0.005)
    before = [(one, dict(one.answered)) for one in programs]
    kill_some(broker, runs, moment)
    for one, answered in before:
        one.check()
        for number, _ in list(answered.values())[-3:]:
            entry = one.agent.get(f"outbox/{number}")
            assert entry["topic"] == one.topic


def check_once(places, programs):
    """Each message that an agent has taken is one record."""
    counts = {}
    for place in places:
        if place.record.type == ledger.MESSAGE:
            text = place.body[16:].decode()
            counts[text] = counts.get(text, 0) + 1
    for one in programs:
        for _, content in one.answered.values():
            assert counts.pop(content, 0) == 1, content[:60]
    assert counts == {}, "records that nobody asked for"


def test_kill_under_load(steady, dialogue, agents):
    print(f"PARLEY_SEED={SEED}")
    moment, taken = random.Random(SEED), threading.Semaphore(0)
    names = dict.fromkeys([name for name, _ in LOAD] + ["SCO/rats"])
    by_name = {name: agents(name, steady).start() for name in names}
    runs = {name: Runs(one) for name, one in by_name.items()}
    programs = [Program(runs[name], topic, moment.random(), taken)
                for name, topic in LOAD]
    for one in programs:
        one.start()
    try:
        for _ in range(ROUNDS):
            one_round(steady, list(runs.values()), programs, taken, moment)
    finally:
        for one in runs.values():
            one.stop()
        for one in programs:
            one.join(WAIT_S)
    for one in programs:
        one.end()
    check_end(steady, dialogue, by_name.values(), programs)


def check_end(broker, dialogue, agents, programs):
    taken = sum(len(one.answered) for one in programs)
    # Back-off may have grown to 30 s, times 0.5 to 1.5.
    wait_complete(broker, *agents, wait_s=2 * WAIT_S)
    broker.stop()
    broker.fsck()
    places = broker.records()
    check_once(places, programs)
    for agent in agents:
        check_holdings(agent, dialogue, places)
        assert agent.notices() == []
    print(f"{ROUNDS} rounds, {taken} messages,"
          f" {sum(one.repeated for one in programs)} answered again")
