"""Restored: an agent's store is put back from a backup, and finds out what it
has said since (PROTOCOL.md sections 6.5 and 8.9, case 9)."""
import pytest

from agents import Connection, feed_lines, free_port
from daemon import wait_for

TOPIC = "dialogue/note/EUROPOL/restored"


@pytest.fixture
def broker(brokers, dialogue):
    """It comes back at the address where the agents look for it."""
    one = brokers(dialogue, desk=f"tcp://127.0.0.1:{free_port()}",
                  feed=f"tcp://127.0.0.1:{free_port()}")
    one.init()
    return one.start()


def stop(broker, agent):
    """Stop the broker, and see that the agent knows."""
    after = agent.daemon.mark()
    broker.stop()
    agent.daemon.wait_log("LINK-DOWN", after=after)


def recorded(broker):
    """What the stopped broker's ledger holds of messages."""
    return [place.body[16:].decode() for place in broker.records()
            if place.record.type == 0]


@pytest.mark.parametrize("how", ("files", "live"))
def test_restored(broker, agents, how):
    agent = agents("EUROPOL/hq", broker).start()
    first = agent.wait_entry(agent.publish(TOPIC, "before")["number"])
    stop(broker, agent)
    waiting = agent.publish(TOPIC, "waits in the backup")
    assert waiting["state"] == "waiting"
    agent.backup() if how == "files" else agent.backup_live()

    broker.start()
    agent.wait_entry(waiting["number"])
    later = agent.wait_entry(agent.publish(TOPIC, "not in it")["number"])
    agent.kill()
    agent.restore()

    agent.start()
    also = agent.publish(TOPIC, "while it finds out")
    agent.daemon.wait_log("NEW-LANE")
    known = agent.wait_entry(waiting["number"])
    assert known["sequence"] < later["sequence"]
    assert known["lane"] == first["lane"]
    last = agent.publish(TOPIC, "after")
    assert agent.wait_entry(also["number"])["state"] == "done"
    last = agent.wait_entry(last["number"])
    assert last["lane"] != first["lane"]
    assert "STORE-OLDER" in agent.notices()
    assert agent.get("status")["outbox"]["done"] == 4
    said = ["before", "waits in the backup", "not in it",
            "while it finds out", "after"]
    agent.wait_texts(TOPIC, said)

    # The lane that was left behind stays so, and that is no news.
    agent.stop()
    agent.start()
    again = agent.wait_entry(agent.publish(TOPIC, "as ever")["number"])
    assert again["lane"] == last["lane"]
    broker.stop()
    assert recorded(broker) == [*said, "as ever"]


def test_cancelled_in_a_row(broker, agents):
    """More than a lane's window: the broker would not take the next number of
    this lane, so what waits goes under another one."""
    agent = agents("EUROPOL/hq", broker).start()
    first = agent.wait_entry(agent.publish(TOPIC, "before")["number"])
    stop(broker, agent)
    for n in range(1025):
        number = agent.publish(TOPIC, f"not sent {n}")["number"]
        agent.ask("DELETE", f"outbox/{number}", code=204)
    waiting = [agent.publish(TOPIC, text)["number"] for text in "ab"]
    broker.start()
    done = [agent.wait_entry(number) for number in waiting]
    assert "NUMBER-JUMP" in agent.notices()
    assert {one["lane"] for one in done} != {first["lane"]}
    agent.wait_texts(TOPIC, ["before", "a", "b"])
    broker.stop()
    assert recorded(broker) == ["before", "a", "b"]


def first_event(agent, wanted, **headers):
    """The event id and name of the first such event of a new feed."""
    connection = Connection(agent.socket)
    connection.request("GET", "/api/v1/events?after=0", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200
    event, lines = {}, feed_lines(answer)
    while event.get("event") != wanted or "data" not in event:
        line = next(lines).decode().rstrip("\n")
        name, _, value = line.partition(": ")
        event = {**event, name: value} if name else {}
        assert event.get("event") in (None, wanted, "status"), event
    connection.close()
    return event


def test_a_reader_of_a_restored_store(broker, agents):
    """Positions are given out anew behind the backup's end, perhaps for other
    records: who resumes at one of the lost ones hears of a gap."""
    agent = agents("EUROPOL/hq", broker).start()
    agent.wait_entry(agent.publish(TOPIC, "in the backup")["number"])
    agent.wait_texts(TOPIC, ["in the backup"])
    kept = first_event(agent, "record")["id"]
    agent.stop()
    agent.backup()
    agent.start()
    agent.wait_entry(agent.publish(TOPIC, "not in it")["number"])
    agent.wait_texts(TOPIC, ["in the backup", "not in it"])
    last = agent.get("records?order=position&log=1")["records"][-1]["position"]
    run = first_event(agent, "record")["id"].split("-")[0]
    lost = f"{run}-{last}"
    agent.kill()
    agent.restore()

    agent.start()
    agent.daemon.wait_log("LINK-READY")
    agent.wait_entry(agent.publish(TOPIC, "after")["number"])
    wait_for(lambda: agent.get("status")["position"] >= last, "it")
    first_event(agent, "gap", **{"Last-Event-ID": lost})
    first_event(agent, "record", **{"Last-Event-ID": kept})
