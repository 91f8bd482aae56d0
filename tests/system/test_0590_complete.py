"""An agent knows up to which mark it holds all that it may read, also where
rosters let it read only parts of a stream."""
import re
import sqlite3

import pytest

from daemon import wait_for
from dialogue import entity, find
from holdings import wait_complete_at
from words import contribution

TOPIC = "members/complete"


@pytest.fixture
def author(steady, agents):
    return agents("EUROPOL/hq", steady).start()


@pytest.fixture
def mark(steady, dialogue, author):
    """mark(change): the place of the mark behind a new roster."""
    def place():
        known = author.get("status")["roster"]
        if known["version"] < len(dialogue.notes):
            return None
        return known["sequence"]

    def make(change=lambda obj: None):
        line = steady.reload(dialogue.follow(change))
        assert line.id == "ROSTER-RECORDED", line
        wait_for(place, "the roster's record")
        return place() + 1
    return make


def publish(agent, count, topic=TOPIC):
    for i in range(count):
        number = agent.publish(topic, f"{i}")["number"]
    return agent.wait_entry(number, "promised")["sequence"]


def test_follows_marks(steady, agents, author, mark, parley):
    reader = agents("AFRIPOL/hq", steady).start()
    wait_complete_at(reader, 1)
    last = publish(author, 5)
    publish(author, 2, "@AFRIPOL+EUROPOL/x")
    at = mark()
    assert at > last
    for agent in (reader, author):
        wait_complete_at(agent, at)
    reader.stop()
    publish(author, 3)
    at = mark()
    reader.start()
    wait_complete_at(reader, at)
    wait_for(lambda: reader.get("status")["ledger"]["current"], "current")
    said = parley("--socket", reader.socket, "status").out
    assert f"(record {at})" in said
    assert "by the broker's word alone" in said
    said = parley("--socket", reader.socket, "show", last).out
    assert re.search(r"^settled .* no witness is needed", said, re.M), said


def test_newcomer(steady, dialogue, agents, author, mark):
    """What was said before it came is covered, and proved to be all."""
    publish(author, 7)
    publish(author, 2, "@AFRIPOL+EUROPOL/x")
    seat = dialogue.seat("GCCPOL", {"id": "hq"})
    at = mark(lambda obj: obj["entities"].append(
        dict(entity("GCCPOL"), delegations=[seat])))
    newcomer = agents("GCCPOL/hq", steady, dialogue.notes[-1]).start()
    wait_complete_at(newcomer, at)
    publish(author, 3)
    publish(author, 1, "@EUROPOL+GCCPOL/x")
    at = mark()
    wait_complete_at(newcomer, at)
    assert len(newcomer.records(filter=TOPIC, log=0)) == 3


def test_right_taken_and_given_back(steady, agents, author, mark):
    reader = agents("AFRIPOL/hq", steady).start()
    publish(author, 5)
    wait_complete_at(reader, mark())

    def take(obj):
        find(obj, "AFRIPOL")["role"] = "observer"

    def give(obj):
        find(obj, "AFRIPOL")["role"] = "member"

    mark(take)
    publish(author, 4)
    at = mark(give)
    publish(author, 2)
    wait_complete_at(reader, at)
    wait_complete_at(reader, mark())
    assert len(reader.records(filter=TOPIC, log=0)) == 7
    # While it may not read, and once more with what is known already.
    publish(author, 1)
    wait_complete_at(reader, mark(take))
    publish(author, 3)
    wait_complete_at(reader, mark())
    reader.stop()
    at = mark(give)
    reader.start()
    wait_complete_at(reader, at)


def test_right_given_for_nothing(steady, agents, author, mark):
    """Nothing was recorded between a roster that gave the right and one that
    took it: what was hidden before and behind them is one run of numbers. So
    are those of a channel that the mark between them is not asked for."""
    def readers(**who):
        def change(obj):
            for one in obj["channels"]:
                if one["id"] in who:
                    one["readers"] = ["role:member"] + (
                        ["role:observer"] if who[one["id"]] else [])
        return change

    reader = agents("UNODC/hq", steady).start()
    wait_complete_at(reader, mark(readers(members=True)))
    publish(author, 3)
    other = "announcements/x"
    publish(author, 2, other)
    reader.stop()
    mark(readers(members=False, announcements=False))
    for _ in range(3):
        publish(author, 5)
        publish(author, 3, other)
        mark(readers(members=True))
        publish(author, 2, other)
        mark(readers(members=False))
    publish(author, 5)
    at = mark(readers(members=True, announcements=True))
    publish(author, 2)
    publish(author, 1, other)
    reader.start()
    wait_complete_at(reader, at)
    wait_complete_at(reader, mark())
    assert len(reader.records(filter=TOPIC, log=0)) == 5
    assert len(reader.records(filter=other, log=0)) == 3


def test_handed_in(steady, agents, author, mark, parley, dialogue):
    """On a channel that the submitter may not read: its readers are shown
    it, and the submitter is told so."""
    submitter = agents("SCO/rats", steady).start()
    for topic in ("members/statement/1", "@AFRIPOL+FRONTEX/y"):
        (dialogue.folder / "c").write_bytes(
            contribution(steady.client("AFRIPOL/written"), topic))
        parley("--socket", submitter.socket, "contribution", "submit", "c",
               "--wait", "promised")
    wait_complete_at(submitter, mark())

    def asked():
        with sqlite3.connect(submitter.store) as db:
            row = db.execute(
                "SELECT value FROM meta WHERE key = 'handed'").fetchone()
            return row and int(row[0]) == 2
    wait_for(asked, "both places were asked for")
    assert [n for n in submitter.get("status")["notices"] if n["alarm"]] == []


def test_operators_words(steady, author, parley):
    def say(*words, code=0):
        return parley("--socket", author.socket, "status", *words, code=code)
    steady.stop()
    wait_for(lambda: author.get("status")["link"]["state"] == "down", "down")
    say("--retry")
    author.daemon.signal(1)
    assert author.daemon.wait_log("RELOAD")
    steady.start()
    say("--retry")
    wait_for(lambda: author.get("status")["link"]["state"] == "ready", "ready")
    say("--retry")
    say("--resume")
    assert "NOT-FOUND" in say("--acknowledge", "77", code=4).err
    # An alarm of its own: told until somebody has looked.
    author.stop()
    with sqlite3.connect(author.store) as db:
        db.execute("INSERT INTO notices (time, kind, alarm, text, evidence)"
                   " VALUES (1, 'BAD-BLOCK', 1, 'a block', x'')")
    author.start()
    number = author.get("status")["notices"][0]["number"]
    assert "ALARM BAD-BLOCK" in say(code=8).out
    say("--acknowledge", number)
    wait_for(lambda: author.get("status")["ledger"]["current"], "current")
    said = say().out
    assert "ALARM" not in said and "BAD-BLOCK" in said
    assert "acknowledged" in said
