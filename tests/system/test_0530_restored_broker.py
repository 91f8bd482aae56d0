"""A broker whose state folder was put back from an older copy: agents that
hold more raise an alarm, it takes nothing, and the right folder heals all."""
import shutil

import pytest

from parley_client.wire import DeskError

from daemon import wait_for
from holdings import check_holdings, wait_complete

TOPIC = "dialogue/restored"


@pytest.fixture
def three(steady, agents):
    """An author and two readers, running."""
    return [agents(name, steady).start()
            for name in ("EUROPOL/hq", "AFRIPOL/hq", "UNODC/hq")]


def say(agent, text):
    return agent.wait_entry(agent.publish(TOPIC, text)["number"])


def stopped_at(broker, agents):
    """What each holds once the broker has stopped, and no mark comes."""
    marks = [one.daemon.mark() for one in agents]
    broker.stop()
    for one, mark in zip(agents, marks):
        one.daemon.wait_log("LINK-DOWN", after=mark)
    return [one.records() for one in agents]


def swap(broker, old):
    """The folder as it is becomes `right`, and the old copy is used."""
    broker.stop()
    broker.state.rename(broker.folder / "right")
    shutil.copytree(old, broker.state)
    return broker.start()


def swap_back(broker):
    broker.stop()
    shutil.rmtree(broker.state)
    (broker.folder / "right").rename(broker.state)
    return broker.start()


def copy(broker):
    """A copy of the folder of now."""
    broker.stop()
    shutil.copytree(broker.state, broker.folder / "copy")
    broker.start()
    return broker.folder / "copy"


def closed(agent):
    return agent.get("status")["broker"]["closed"]


def wait_alarm(agent, kind="LEDGER-BEHIND"):
    wait_for(lambda: kind in [one["kind"] for one in agent.alarms()],
             f"{agent.name}: {kind}", every_s=0.05)


def test_older_ledger(steady, dialogue, three):
    author, reader, observer = three
    say(author, "in the copy")
    wait_complete(steady, *three)
    old = copy(steady)
    lost = [say(author, f"not in it {n}") for n in range(5)]
    wait_complete(steady, *three)
    held = stopped_at(steady, three)
    for one in three[1:]:
        one.stop()

    swap(steady, old)
    author.daemon.wait_log("LEDGER-BEHIND")
    wait_alarm(author)
    wait_for(lambda: closed(author) == "LEDGER-BEHIND", "closed")
    steady.daemon.wait_log("LEDGER-BEHIND")
    waiting = author.publish(TOPIC, "while it is behind")
    author.daemon.wait_log("PUBLISH-FAILED")
    entry = author.get(f"outbox/{waiting['number']}")
    assert entry["state"] in ("waiting", "sent") and entry["refusal"] is None
    other = steady.client("FRONTEX/hq")
    assert other.hello().state == [1, "LEDGER-BEHIND"]
    with pytest.raises(DeskError, match="LEDGER-BEHIND"):
        other.publish(TOPIC, "not taken")
    for one in three[1:]:
        one.start()
        wait_alarm(one)
    assert [one.records() for one in three] == held
    assert author.get(f"outbox/{lost[-1]['number']}")["state"] == "done"
    assert other.hello().size == lost[0]["sequence"]

    swap_back(steady)
    assert author.wait_entry(waiting["number"])["sequence"] > \
        lost[-1]["sequence"]
    wait_complete(steady, *three)
    assert [closed(one) for one in three] == [None] * 3
    steady.stop()
    places = steady.records()
    assert [p.body[16:].decode() for p in places if p.record.type == 0] == [
        "in the copy", *(f"not in it {n}" for n in range(5)),
        "while it is behind"]
    for one in three:
        check_holdings(one, dialogue, places)


def test_reader_alone(steady, three):
    """It holds no promise, but a checkpoint, which closes the broker; it says
    what it sees, and keeps what it holds."""
    author, reader, observer = three
    old = copy(steady)
    say(author, "not in the copy")
    wait_complete(steady, *three)
    author.stop()
    observer.stop()
    [held] = stopped_at(steady, [reader])
    swap(steady, old)
    wait_alarm(reader)
    assert reader.records() == held
    wait_for(lambda: closed(reader) == "LEDGER-BEHIND", "closed")
    swap_back(steady)
    author.start()
    say(author, "goes on")
    wait_complete(steady, reader)
    assert reader.texts(TOPIC) == ["not in the copy", "goes on"]


def test_other_ledger(steady, dialogue, three):
    """The copy has gone on by itself before the author is back: two pasts,
    and each agent keeps to its own."""
    author, reader, observer = three
    say(author, "in the copy")
    wait_complete(steady, *three)
    old = copy(steady)
    say(author, "in one past")
    wait_complete(steady, *three)
    for one in three:
        one.stop()
    swap(steady, old)
    stranger = steady.client("FRONTEX/hq")
    stranger.publish(TOPIC, "in the other")
    stranger.publish(TOPIC, "and more")
    author.start()
    wait_for(lambda: closed(author) == "LEDGER-BEHIND", "closed")
    for one in three[1:]:
        one.start()
    for one in three:
        wait_alarm(one)
        assert one.texts(TOPIC)[:2] == ["in the copy", "in one past"]
    with pytest.raises(DeskError, match="LEDGER-BEHIND"):
        stranger.publish(TOPIC, "not taken")
