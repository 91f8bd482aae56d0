"""Agents while the broker goes and comes back, and while rosters change."""
import threading

import pytest

from daemon import wait_for
from dialogue import entity, find
from holdings import check_holdings, wait_complete, wait_complete_at
from programs import Program
from publishers import Runs

CONNECT_S = 10  # what an agent waits for a connection


def link(agent):
    return agent.get("status")["link"]


def wait_state(agent, state, wait_s=60):
    wait_for(lambda: link(agent)["state"] == state, f"{agent.name}: {state}",
             wait_s, 0.05)


def wait_error(agent, words):
    """The line in the log may be there before the status says so."""
    wait_for(lambda: words in (link(agent)["last_error"] or ""),
             lambda: link(agent))


def follow(broker, change=lambda obj: None):
    """The next roster is in force."""
    line = broker.reload(broker.dialogue.follow(change))
    assert line.id == "ROSTER-RECORDED", line


def check_end(broker, dialogue, *agents):
    wait_complete(broker, *agents)
    broker.stop()
    places = broker.records()
    for agent in agents:
        check_holdings(agent, dialogue, places)
        assert agent.alarms() == []
    return places


# The broker goes.

def test_restarts(steady, dialogue, agents):
    """Each time another run, and nothing is lost or doubled. Attempts that
    fail come with longer pauses."""
    agent = agents("EUROPOL/hq", steady).start()
    reader = agents("AFRIPOL/hq", steady).start()
    wait_state(agent, "ready")
    runs, given = {link(agent)["run"]}, []
    for tries in range(3):
        after = agent.daemon.mark()
        if tries % 2:
            steady.kill()
        else:
            steady.stop()
        line = agent.daemon.wait_log("LINK-DOWN", after=after)
        pause = 500 << tries
        assert pause / 2 <= int(line.value("retry_in_ms")) <= pause * 1.5
        assert "is lost" in line.value("why")
        wait_state(agent, "down")
        wait_error(agent, "is lost")
        given += [agent.publish("members/away", f"{tries}.{n}")["number"]
                  for n in range(3)]
        states = agent.get("status")["outbox"]
        assert states["waiting"] + states["sent"] == 3
        steady.start()
        for number in given:
            agent.wait_entry(number)
        runs.add(link(agent)["run"])
    assert len(runs) == 4
    places = check_end(steady, dialogue, agent, reader)
    texts = [p.body[16:].decode() for p in places if p.record.type == 0]
    assert texts == [f"{tries}.{n}" for tries in range(3) for n in range(3)]


def test_nobody_there(steady, dialogue, agents):
    """An agent that starts first works all the same."""
    steady.stop()
    agent = agents("EUROPOL/hq", steady).start()
    number = agent.publish("members/first", "before any hello")["number"]
    entry = agent.get(f"outbox/{number}")
    assert (entry["state"], entry["attempts"]) == ("waiting", 0)
    status = agent.get("status")
    assert status["link"]["run"] is None and status["broker"]["size"] is None
    steady.start()
    assert agent.wait_entry(number)["sequence"] == 2
    check_end(steady, dialogue, agent)


# Rosters.

@pytest.fixture
def admit(dialogue):
    """The change that admits GCCPOL/hq as a member."""
    seat = dialogue.seat("GCCPOL", {"id": "hq"})

    def change(obj):
        obj["entities"].append(dict(entity("GCCPOL"), delegations=[seat]))
    return change


def revoke(name):
    def change(obj):
        find(obj, name)["revoked"] = True
    return change


def take_back(name):
    def change(obj):
        del find(obj, name)["revoked"]
    return change


def test_newcomer(steady, dialogue, agents, admit):
    """It knocks before it is admitted, and then finds its way in."""
    old = agents("EUROPOL/hq", steady).start()
    old.wait_entry(old.publish("members/x", "before its time")["number"])
    new = agents("GCCPOL/hq", steady).start()
    new.daemon.wait_log("NOT-LISTED")
    line = new.daemon.wait_log("LINK-DOWN", wait_s=9 * CONNECT_S)
    assert "not in its roster" in line.value("why")
    wait_state(new, "down")
    wait_error(new, "not in its roster")
    follow(steady, admit)
    wait_state(new, "ready")
    number = old.publish("members/x", "welcome")["number"]
    said = new.publish("members/x", "thank you")["number"]
    old.wait_entry(number)
    new.wait_entry(said)
    wait_complete(steady, new)
    assert sorted(new.texts("members/#")) == ["thank you", "welcome"]
    check_end(steady, dialogue, old, new)


def test_removed(steady, dialogue, agents):
    """Shut out, it says so, keeps what it has, and takes messages that go out
    when it is back. What was said meanwhile is not for it."""
    stays = agents("EUROPOL/hq", steady).start()
    goes = agents("AFRIPOL/hq", steady).start()
    stays.wait_entry(stays.publish("members/x", "one")["number"])
    wait_complete(steady, goes)
    after = goes.daemon.mark()
    follow(steady, revoke("AFRIPOL/hq"))
    line = goes.daemon.wait_log("LINK-DOWN", after=after)
    assert "NOT-LISTED" in line.value("why")
    wait_error(goes, "NOT-LISTED")
    stays.wait_entry(stays.publish("members/x", "behind its back")["number"])
    assert goes.texts("members/#") == ["one"]
    follow(steady, take_back("AFRIPOL/hq"))
    stays.wait_entry(stays.publish("members/x", "two")["number"])
    wait_state(goes, "ready")
    goes.wait_entry(goes.publish("members/x", "back")["number"])
    check_end(steady, dialogue, stays, goes)


def test_old_and_new_files(steady, dialogue, agents):
    """Whatever roster the file has, old records are judged under their own:
    from the first on by signatures, from a later one back by digests."""
    author = agents("EUROPOL/hq", steady).start()
    for n in range(3):
        author.wait_entry(
            author.publish("dialogue/x", f"under {n + 1}")["number"])
        follow(steady, lambda obj: obj.update(name=f"Version {n + 2}"))
    author.wait_entry(author.publish("dialogue/x", "under 4")["number"])
    readers = [agents(name, steady, note=dialogue.notes[n]).start()
               for name, n in (("AFRIPOL/hq", 0), ("FRONTEX/hq", 1),
                               ("UNODC/hq", 3))]
    check_end(steady, dialogue, author, *readers)
    for one in readers:
        assert one.get("status")["roster"]["version"] == 4
        assert one.get("status")["name"] == "Version 4"
        one.stop()
    # The file stays as it is; the store knows better.
    steady.start()
    readers[0].start()
    assert readers[0].get("status")["roster"]["version"] == 4
    wait_complete(steady, readers[0])


def test_other_branch(steady, dialogue, agents):
    """A second roster with the root signers' signatures, which is not the one
    that is in force: whom to believe is for people."""
    steady.client("AFRIPOL/hq").hello()  # before which nothing is recorded
    other = dialogue.sign(dialogue.text(
        dialogue.draft(lambda obj: obj.update(name="Another"))))
    follow(steady, lambda obj: obj.update(name="In force"))
    agent = agents("EUROPOL/hq", steady, note=other).start()
    line = agent.daemon.wait_log("LINK-DOWN")
    assert "roster" in line.value("why"), line
    wait_error(agent, "version 2")
    assert agent.records() == []
    number = agent.publish("members/x", "not under this one")["number"]
    assert agent.get(f"outbox/{number}")["state"] == "waiting"
    broker_size = steady.client("AFRIPOL/hq").hello().size
    assert broker_size == 4


def test_rosters_under_load(steady, dialogue, agents):
    """Readers come and go while programs publish: a message goes to those
    whom its author saw, or is signed anew."""
    by_name = {name: agents(name, steady).start()
               for name in ("EUROPOL/hq", "AFRIPOL/hq", "UNODC/hq")}
    taken = threading.Semaphore(0)
    runs = [Runs(by_name[name]) for name in ("EUROPOL/hq", "AFRIPOL/hq")]
    programs = [Program(one, "members/load", n, taken)
                for n, one in enumerate(runs)]
    for one in programs:
        one.start()
    try:
        for n in range(13):  # the last one lets all read
            for _ in range(50):
                assert taken.acquire(timeout=60)
            readers = ["role:member"] + ["role:observer"] * (n % 2 == 0)
            follow(steady, lambda obj: obj["channels"][1].update(
                readers=readers))
    finally:
        for one in runs:
            one.stop()
    for one in programs:
        one.end()
    wait_complete(steady, *by_name.values())
    at = by_name["UNODC/hq"].get("status")["roster"]["sequence"] + 1
    for one in by_name.values():
        wait_complete_at(one, at)
    places = check_end(steady, dialogue, *by_name.values())
    texts = [p.body[16:].decode() for p in places if p.record.type == 0]
    wanted = [content for one in programs
              for _, content in one.answered.values()]
    assert sorted(texts) == sorted(wanted)
    anew = sum("STALE-ROSTER" in line.text for one in by_name.values()
               for line in one.daemon.lines)
    print(f"{len(texts)} messages, STALE-ROSTER in {anew} lines")
