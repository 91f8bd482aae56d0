"""Epochs that an agent does not take (PROTOCOL.md section 7.7): a base that is
not its own ledger, or below what has settled; the old log key, another
predecessor; and a broker that goes on in the old one."""
import contextlib
import sqlite3
from types import SimpleNamespace

import pytest

from parley_client import keys, tree
from parley_client import canonical as mp

from daemon import wait_for
from dialogue import SMALL, Dialogue
from liar import TOPIC, wait_alarm, wait_texts
from test_0711_dishonest_desk import impatient, mark, wait_complete_at, widen
from wronged import (check_cosigned, ledger_of, settled_size, wait_current,
                     wait_settled_at)

WATCHED = dict(SMALL, witnesses=["AFRIPOL/hq"], quorum=1)


@pytest.fixture
def dialogue(tmp_path):
    return Dialogue(tmp_path, WATCHED)


def settle(liar, agent):
    """What there is."""
    size = len(liar.records)

    def ready():
        if settled_size(agent) < size:
            liar.tell(lambda b: b.sign_checkpoint())
        return settled_size(agent) >= size
    wait_for(ready, f"settled at {size}", 60, 0.1)
    return size


@contextlib.contextmanager
def unsigned(liar):
    """What is recorded now is under no checkpoint."""
    liar.sign_checkpoint = lambda: None
    yield
    del liar.sign_checkpoint


def opens(liar, who, size=None, root=None, number=2, **more):
    """What the roster of the next epoch says, at this size of its ledger."""
    leaves = liar.leaf_hashes()[:size]

    def change(obj):
        base = (root or tree.root_of_leaves(leaves)).hex()
        obj["epoch"] = {"number": number, "base_size": len(leaves),
                        "base_root": base}
        obj["log"] = {"key": keys.b64(who.public["log"])}
        obj.update(more)
    return change


def evidence_of(agent, kind):
    with contextlib.closing(sqlite3.connect(agent.store)) as db:
        return db.execute("SELECT evidence FROM notices WHERE kind = ?",
                          [kind]).fetchone()[0]


def serve(liar, note, version=2):
    """A roster that no honest broker would have recorded."""
    answer = liar.answer

    def lie(word, who, *frames):
        if word == "roster" and mp.decode(frames[0])[0] in (version, None):
            return [mp.encode([version, len(liar.records)]), note.encode()]
        return answer(word, who, *frames)
    liar.answer = lie
    liar.another_run()


def untouched(agent, liar, size):
    """What it had it has, and nothing of that epoch was vouched for."""
    assert agent.texts(TOPIC) == liar.texts
    assert settled_size(agent) == size
    wait_for(lambda: agent.get("status")["link"]["state"] != "ready", "down")
    assert all(point.origin.endswith("/1")
               for point in check_cosigned(liar))
    assert agent.get("status")["roster"]["version"] == 1


def test_next_epoch(liar, agent, dialogue):
    """As a start: an honest one, whose disk was lost. The author sends again,
    under the same numbers."""
    size = settle(liar, agent)
    with unsigned(liar):
        entry = agent.publish(TOPIC, "lost")
        agent.wait_entry(entry["number"], "promised")
        liar.post("EUROPOL/hq", TOPIC, "lost too")
        wait_for(lambda: len(agent.texts(TOPIC)) == 3, "read")
        before = liar.records[size].header()
        who = liar.log_key()
        liar.tell(lambda b: b.cut(size))
    note = dialogue.follow(opens(liar, who))
    liar.open_epoch(note, who)
    wait_for(lambda: len(liar.records) == size + 3, "sent again", 60)
    liar.texts = ["true before", "lost"]
    wait_texts(agent, liar)
    again = agent.wait_entry(entry["number"])
    after = liar.records[again["sequence"]].header()
    assert (after.lane, after.number) == (before.lane, before.number)
    wait_settled_at(agent, size + 3)
    assert agent.alarms() == []
    wait_current(agent)
    mine = check_cosigned_by_origin(liar)
    assert set(mine) == {f"{dialogue.json['origin']}/{n}" for n in (1, 2)}


def check_cosigned_by_origin(liar):
    out = {}
    for who, point in liar.cosigns:
        out.setdefault(point.origin, []).append(point)
    for points in out.values():
        assert [p.size for p in points] == sorted(p.size for p in points)
    return out


def test_another_root(liar, agent, dialogue, parley):
    size, who = settle(liar, agent), liar.log_key()
    note = dialogue.follow(opens(liar, who, root=bytes(32)))
    liar.open_epoch(note, who)
    text = wait_alarm(agent, "EPOCH-REFUSED")
    assert f"base of {size} records" in text and "own ledger" in text
    untouched(agent, liar, size)
    found = evidence_of(agent, "EPOCH-REFUSED")
    assert note.encode() in found
    assert f"{dialogue.json['origin']}/1\n{size}\n".encode() in found
    parley("--socket", agent.socket, "status", code=8)


def test_below_settled(liar, agent, dialogue):
    liar.post("EUROPOL/hq", TOPIC, "settled")
    wait_texts(agent, liar)
    size, who = settle(liar, agent), liar.log_key()
    liar.tell(lambda b: b.cut(size - 1))
    note = dialogue.follow(opens(liar, who))
    liar.open_epoch(note, who)
    assert "have settled" in wait_alarm(agent, "EPOCH-REFUSED")
    untouched(agent, liar, size)


def test_chain(liar, agent, dialogue):
    """The old log key; another predecessor."""
    size, who = settle(liar, agent), liar.log_key()
    same = dialogue.sign(dialogue.text(dialogue.draft(
        opens(liar, liar.who))))
    serve(liar, same)
    assert "log key" in wait_alarm(agent, "BAD-ROSTER")
    untouched(agent, liar, size)
    other = dialogue.sign(dialogue.text(dialogue.draft(
        opens(liar, who, previous="ab" * 32))))
    liar.answer = type(liar).answer.__get__(liar)
    serve(liar, other)
    wait_for(lambda: any("another" in a["text"] and "digest" in a["text"]
                         for a in agent.alarms()), "another predecessor")
    untouched(agent, liar, size)


def test_file(liar, agent, dialogue):
    """The same base by the roster file, at a start: the agent goes on with
    what it has."""
    size, who = settle(liar, agent), liar.log_key()
    note = dialogue.sign(dialogue.text(dialogue.draft(
        opens(liar, who, root=bytes(32)))))
    agent.stop()
    (agent.folder / "roster.note").write_text(note)
    agent.start()
    wait_alarm(agent, "EPOCH-REFUSED")
    wait_for(lambda: agent.get("status")["link"]["state"] == "ready", "ready")
    assert agent.get("status")["roster"]["version"] == 1
    assert agent.texts(TOPIC) == liar.texts and settled_size(agent) == size


def test_file_again(liar, agent, dialogue):
    """The members open another epoch 2 than the one that the agent entered,
    before any broker began it: the newer file counts."""
    size, who = settle(liar, agent), liar.log_key()
    with unsigned(liar):
        liar.post("EUROPOL/hq", TOPIC, "void in the first one alone")
        wait_texts(agent, liar)
        agent.stop()
    change = opens(liar, who, size)
    first = dialogue.sign(dialogue.text(dialogue.draft(change)))
    for note in (first, dialogue.follow(opens(liar, who, name="Again"))):
        (agent.folder / "roster.note").write_text(note)
        agent.start()
        agent.daemon.wait_log("EPOCH")
        agent.stop()
    liar.open_epoch(note, who)
    agent.start()
    wait_texts(agent, liar)
    wait_settled_at(agent, size + 3)
    assert agent.alarms() == []


def test_base_above(liar, agent, dialogue):
    """A base that it does not reach yet is compared when it does: no
    checkpoint of that epoch is taken before."""
    size, who = settle(liar, agent), liar.log_key()
    agent.stop()
    for n in range(3):
        liar.post("EUROPOL/hq", TOPIC, f"while it is away {n}")
    liar.open_epoch(dialogue.follow(opens(liar, who, root=bytes(32))), who)
    agent.start()
    assert "own ledger" in wait_alarm(agent, "EPOCH-REFUSED")
    liar.post("EUROPOL/hq", TOPIC, "on it goes")
    assert settled_size(agent) == size
    assert {p.origin[-2:] for _, p in liar.cosigns} == {"/1"}
    assert ledger_of(agent)["current"] is False


def test_old_epoch_goes_on(liar, agent, dialogue):
    """The members have opened the next epoch, and the old broker does not
    care: nothing above the base is taken from it."""
    size, who = settle(liar, agent), liar.log_key()
    with unsigned(liar):
        liar.post("EUROPOL/hq", TOPIC, "void")
        wait_texts(agent, liar)
        agent.stop()
    note = dialogue.sign(dialogue.text(dialogue.draft(
        opens(liar, who, size))))
    (agent.folder / "roster.note").write_text(note)
    agent.start()
    agent.daemon.wait_log("EPOCH")
    wait_for(lambda: "epoch 2 has begun" in agent.daemon.log(),
             agent.daemon.log)
    assert agent.texts(TOPIC) == ["true before"]
    wait_for(lambda: "EPOCH" in agent.notices(), "a notice")


def test_one_after_the_other(liar, agent, agents, dialogue):
    """Two epochs more; a start with the first roster's file, and an agent that
    begins with the newest."""
    for number in (2, 3):
        size, who = settle(liar, agent), liar.log_key()
        liar.open_epoch(dialogue.follow(opens(liar, who, number=number)), who)
        wait_settled_at(agent, size + 2)
        liar.post("EUROPOL/hq", TOPIC, f"in epoch {number}")
        wait_texts(agent, liar)
        settle(liar, agent)
    agent.stop()
    agent.start()
    liar.post("EUROPOL/hq", TOPIC, "after a start")
    wait_texts(agent, liar)
    size = settle(liar, agent)
    assert agent.get("status")["roster"]["version"] == 3
    other = agents("FRONTEX/hq", SimpleNamespace(
        desk=liar.desk_at, feed=liar.feed_at), dialogue.notes[-1]).start()
    wait_texts(other, liar)
    wait_settled_at(other, size)
    for one in (agent, other):
        assert one.alarms() == []
    records = {one.name: one.records("sequence") for one in (agent, other)}
    leaves = [[r["leaf"] for r in of] for of in records.values()]
    assert leaves[0] == leaves[1]
    wait_for(lambda: agent.get("status")["lacks"] is None, "complete")


def frontline(liar, *texts):
    for text in texts:
        liar.post("EUROPOL/hq", "frontline/x", text)
        liar.texts.pop()


def test_hidden_before(impatient, liar, agent, dialogue):
    """What a roster hid in the epoch before can't be proved any more, if it was
    not then: no alarm, nobody is asked, and it is said. What is hidden in the
    new epoch is proved as ever."""
    asked = []
    answer = liar.answer

    def listen(word, who, *frames):
        if word == "paths":
            asked.append(mp.decode(frames[0])[0])
        return answer(word, who, *frames)
    settle(liar, agent)
    agent.stop()
    frontline(liar, "hidden 1", "hidden 2", "hidden 3")
    note = dialogue.follow(widen)
    liar.tell(lambda b: b.change_roster(note))
    frontline(liar, "read")
    who, base = liar.log_key(), len(liar.records)
    note = dialogue.follow(opens(liar, who))
    liar.open_epoch(note, who)
    liar.answer = listen
    (agent.folder / "roster.note").write_text(note)
    agent.start()
    wait_complete_at(agent, mark(liar))
    wait_for(lambda: "frontline: whether a roster hid numbers 1 to 3 can't be"
             in (agent.get("status")["lacks"] or ""),
             lambda: agent.get("status"))
    agent.wait_texts("frontline/#", ["read"])
    assert agent.alarms() == [] and asked and min(asked) >= base

    def hide(frames):
        stream, last, items = mp.decode(frames[0])
        if stream != "frontline" or not items:
            return frames
        return [mp.encode([stream, last, [[1, items[0][1], items[-1][2]]]])]
    liar.lies["fetch"], liar.silent = hide, True
    frontline(liar, "kept from it")
    mark(liar)
    liar.tell(lambda b: b.head("frontline"))
    assert "number 5" in wait_alarm(agent, "WITHHELD")
