"""Two witnesses, each shown a ledger of its own by a broker with the right
keys: nothing settles in either, and where they meet there is proof."""
import pytest

from parley_client import wire

from daemon import wait_for
from dialogue import SMALL, Dialogue
from liar import TOPIC, wait_texts
from wronged import (check_cosigned, ledger_of, proof_of, settled_size,
                     wait_alarm_of, wait_settled_at)

ONE, OTHER = "AFRIPOL/hq", "UNODC/hq"


@pytest.fixture
def dialogue(tmp_path):
    return Dialogue(tmp_path, dict(SMALL, witnesses=[ONE, OTHER], quorum=2))


@pytest.fixture
def pair(liar, agent, agents):
    """Both hold the same, and have settled it."""
    at = type("At", (), {"desk": liar.desk_at, "feed": liar.feed_at})
    other = agents(OTHER, at).start()
    other.daemon.wait_log("LINK-READY")
    size = len(liar.records)

    def ready():
        if min(settled_size(agent), settled_size(other)) < size:
            liar.tell(lambda b: b.sign_checkpoint())
        return min(settled_size(agent), settled_size(other)) >= size
    wait_for(ready, "settled", 60, 0.1)
    return agent, other


def move(agent, to):
    agent.stop()
    agent.configure(desk=to.desk_at, feed=to.feed_at)
    agent.start()


def test_split(liar, pair, parley):
    one, other = pair
    twin = liar.fork()
    try:
        move(other, twin)
        liar.post("EUROPOL/hq", TOPIC, "for the one")
        twin.post("EUROPOL/hq", "dialogue/x", "for the other")
        wait_texts(one, liar)
        for agent, at in ((one, liar), (other, twin)):
            wait_for(lambda: ledger_of(agent)["verified"] == 4, "verified", 60)
            wait_for(lambda: any(p.size == 4 for _, p in at.cosigns),
                     "cosigned", 60)
        # The broker has a line of each now, and each is of another root.
        roots = {check_cosigned(liar, ONE)[-1].root,
                 check_cosigned(twin, OTHER)[-1].root}
        assert len(roots) == 2
        for agent in pair:
            assert settled_size(agent) == 3
            assert agent.alarms() == []
        move(other, liar)
        wait_alarm_of(other, "FORK")
        kind, said = proof_of(other, "FORK", parley)
        assert kind in ("two-leaves", "two-roots") and said
        assert all(p.root in roots or p.size <= 3
                   for _, p in liar.cosigns + twin.cosigns)
        assert check_cosigned(liar, OTHER)[-1].size == 3
        assert settled_size(other) == settled_size(one) == 3
    finally:
        twin.end()


def test_line_of_the_other_ledger(liar, pair):
    """A line that was given for one root is no line for another."""
    one, other = pair
    other.stop()
    liar.post("EUROPOL/hq", TOPIC, "for the one")
    wait_texts(one, liar)
    wait_for(lambda: any(p.size == 4 for _, p in liar.cosigns), "cosigned")
    assert settled_size(one) == 3
    liar.lies["cosign"] = lambda frames: [wire.cosign_reply(4)]
    entry = one.publish(TOPIC, "not settled")
    liar.texts.append("not settled")
    one.wait_entry(entry["number"], "promised")
    wait_texts(one, liar)
    assert settled_size(one) == 3
    del liar.lies["cosign"]
    other.start()
    wait_settled_at(other, 5)
    one.wait_entry(entry["number"])
    assert one.alarms() == other.alarms() == []
