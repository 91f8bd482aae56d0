"""A desk that lies about what may not be read: covers, places of what was
handed in, spans that are said to be hidden (PROTOCOL.md 7.4, 8.12)."""
import os

import pytest

import fake_broker
from parley_client import canonical as mp

from daemon import wait_for
from dialogue import SMALL, Dialogue
from liar import TOPIC, wait_texts
from test_0710_dishonest import wait_settled
from wronged import wait_alarm_of

WATCHED = dict(SMALL, witnesses=["AFRIPOL/hq"], quorum=1)


@pytest.fixture
def dialogue(tmp_path):
    return Dialogue(tmp_path, WATCHED)


@pytest.fixture
def settled(liar, agent):
    wait_settled(liar, agent)
    return agent


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setenv("PARLEY_TEST_PATIENCE_MS", "4000")


def widen(obj):
    for one in obj["channels"]:
        if one["id"] == "frontline":
            one["readers"].append("entity:AFRIPOL")


def complete(agent):
    found = agent.get("status")["complete_upto"]
    return found["sequence"] if found else -1


def wait_complete_at(agent, mark):
    wait_for(lambda: complete(agent) >= mark, f"complete at {mark}, lacks "
             f"{agent.get('status')['lacks']}", 60, 0.05)


def mark(liar):
    """Another mark; its sequence."""
    liar.tell(lambda b: b.mark())
    return len(liar.records) - 1


def admitted(liar, agent, dialogue):
    """Three records that it may not read, then the roster that lets it read
    what comes."""
    for n in range(3):
        liar.post("EUROPOL/hq", "frontline/x", f"before {n}")
        liar.texts.pop()
    note = dialogue.follow(widen)
    liar.tell(lambda b: b.change_roster(note))
    wait_for(lambda: agent.get("status")["roster"]["version"] == 2, "2")


def test_honest(liar, settled, dialogue):
    wait_complete_at(settled, mark(liar))
    admitted(liar, settled, dialogue)
    liar.post("EUROPOL/hq", "frontline/x", "after")
    liar.texts.pop()
    wait_for(lambda: settled.texts("frontline/#") == ["after"], "after")
    wait_complete_at(settled, mark(liar))
    wait_for(lambda: settled.get("status")["lacks"] is None, "nothing lacks")
    assert settled.alarms() == []


def noise(frames):
    return [os.urandom(len(frames[0]))]


COVERS = {
    "noise": noise,
    "one less": lambda f: [f[0][32:]],
    "one more": lambda f: [f[0] + bytes(32)],
    "half a hash": lambda f: [f[0][:-16]],
    "no frame": lambda f: [],
}


@pytest.mark.parametrize("name", COVERS)
def test_cover(liar, settled, dialogue, name):
    """Nothing is called complete by it, and with the truth all is."""
    wait_complete_at(settled, mark(liar))
    before = complete(settled)
    liar.lies["cover"] = COVERS[name]
    admitted(liar, settled, dialogue)
    liar.post("EUROPOL/hq", "frontline/x", "after")
    liar.texts.pop()
    last = mark(liar)
    wait_for(lambda: settled.get("status")["lacks"]
             or settled.get("status")["link"]["state"] != "ready"
             or settled.alarms(), "it is noticed", 60, 0.03)
    assert before <= complete(settled) < last
    liar.honest()
    wait_for(lambda: settled.texts("frontline/#") == ["after"], "after")
    last = mark(liar)
    wait_complete_at(settled, last)
    wait_for(lambda: settled.get("status")["lacks"] is None, "nothing lacks")


def test_cover_of_another_tree(liar, settled, dialogue):
    """Its length is right; that it is none shows at the mark."""
    wait_complete_at(settled, mark(liar))
    before = complete(settled)
    liar.lies["cover"] = noise
    admitted(liar, settled, dialogue)
    liar.post("EUROPOL/hq", "frontline/x", "after")
    liar.texts.pop()
    last = mark(liar)
    found = wait_alarm_of(settled, "MARK-WRONG", wait_s=60)
    assert "frontline" in found["text"]
    assert before <= complete(settled) < last


def test_hidden_that_is_not(liar, settled):
    """The desk calls unreadable what its reader may read."""
    wait_complete_at(settled, mark(liar))
    before = complete(settled)
    liar.silent = True

    def hide(frames):
        stream, last, items = mp.decode(frames[0])
        if stream != "members" or not items:
            return frames
        return [mp.encode([stream, last, [[1, items[0][1], items[-1][2]]]])]
    liar.lies["fetch"] = hide
    liar.post("EUROPOL/hq", TOPIC, "hidden from it")
    last = mark(liar)
    liar.tell(lambda b: b.head("members"))
    wait_for(lambda: settled.get("status")["lacks"] or settled.alarms(),
             "it is noticed", 60, 0.05)
    assert before <= complete(settled) < last
    liar.honest()
    wait_texts(settled, liar)
    wait_complete_at(settled, mark(liar))


def moved(frames):
    sequence, places = mp.decode(frames[0])
    for one in places:
        one[2] = [os.urandom(32) for _ in one[2]]
    return [mp.encode([sequence, places])]


def test_place_of_what_was_handed_in(liar, settled, dialogue, parley):
    """It stands elsewhere, by the desk's word, on a channel that the
    submitter may not read: said, and never taken for a proof."""
    wait_complete_at(settled, mark(liar))
    liar.lies["handed"] = moved
    for n in range(2):
        liar.post("EUROPOL/hq", "frontline/x", f"before {n}")
    file = settled.folder / "carried"
    file.write_bytes(fake_broker.contribution(
        dialogue.identity("EUROPOL/hq"), dialogue.id, "frontline/y",
        "carried"))
    parley("--socket", settled.socket, "contribution", "submit", file,
           "--wait", "done")
    mark(liar)
    wait_for(settled.alarms, "an alarm", 60, 0.05)
    assert liar.stream("frontline")[-1].via[0] == "AFRIPOL/hq"
    assert settled.texts("frontline/#") == []


def test_claims_of_another_mark(liar, settled):
    wait_complete_at(settled, mark(liar))
    before = complete(settled)
    liar.lies["paths"] = lambda f: [mp.encode(
        [before, mp.decode(f[0])[1]])]
    mark(liar)
    wait_for(lambda: settled.get("status")["link"]["state"] != "ready"
             or settled.alarms() or settled.get("status")["lacks"], "noticed",
             20, 0.03)
    assert complete(settled) == before
    liar.honest()
    wait_complete_at(settled, mark(liar))


def test_claims_that_are_left_out(liar, settled):
    """Of a stream that it reads: withheld is not complete."""
    wait_complete_at(settled, mark(liar))
    before = complete(settled)

    def lie(frames):
        sequence, claims = mp.decode(frames[0])
        return [mp.encode([sequence, [c for c in claims
                                      if c[0] != "members"]])]
    liar.lies["paths"] = lie
    mark(liar)
    wait_for(lambda: "members" in (settled.get("status")["lacks"] or ""),
             "lacks", 60, 0.03)
    assert complete(settled) == before
    liar.honest()
    wait_complete_at(settled, mark(liar))


def test_count_that_is_left_out(impatient, liar, agent, dialogue):
    """How many records a stream had when a roster gave the right: it is told,
    and asked for at leisure."""
    wait_complete_at(agent, mark(liar))
    before, asked = complete(agent), []

    def lie(frames):
        sequence, claims = mp.decode(frames[0])
        behind = liar.records[sequence].roster == sequence - 1
        if behind:
            asked.append(sequence)
        return [mp.encode([sequence, [
            c for c in claims if c[0] != "frontline" or not behind]])]
    liar.lies["paths"] = lie
    agent.stop()  # that mark is not the newest, when it comes back
    liar.post("EUROPOL/hq", "frontline/x", "before")
    note = dialogue.follow(widen)
    liar.tell(lambda b: b.change_roster(note))
    liar.post("EUROPOL/hq", "frontline/x", "after")
    last = mark(liar)
    agent.start()
    found = wait_alarm_of(agent, "WITHHELD")
    assert "frontline: how many records it had at the mark" in found["text"]
    assert before <= complete(agent) < last
    assert len(asked) < 3
    liar.honest()
    wait_complete_at(agent, mark(liar))
    assert {a["kind"] for a in agent.alarms()} == {"WITHHELD"}
