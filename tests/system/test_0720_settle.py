"""Settling with real agents as witnesses, and what it proves to others: who
cosigned, receipts, policies and tiles, judged by the other implementation;
quorums that are away, clocks that are wrong, stores that die at any moment."""
import os
import random
import threading

import pytest

from parley_client import (checkpoint, feed, ledger, notes, policy, receipt,
                           roster, tiles, tree, wire)
from parley_client.errors import Refused

from agents import free_port
from daemon import wait_for
from dialogue import Dialogue
from witnesses import NAMES, WITNESSED, Witnesses
from wronged import (ledger_of, settled_size, wait_current,
                     wait_settled_at)

TOPIC = "dialogue/settling"
ROUNDS = 200 if os.environ.get("PARLEY_TORTURE") == "1" else 12
SEED = int(os.environ.get("PARLEY_SEED") or random.randrange(1 << 32))


@pytest.fixture
def dialogue(tmp_path):
    return Dialogue(tmp_path, WITNESSED)


@pytest.fixture
def broker(brokers, dialogue):
    """Where agents find it again, with a mark each second."""
    one = brokers(dialogue, desk=f"tcp://127.0.0.1:{free_port()}",
                  feed=f"tcp://127.0.0.1:{free_port()}", mark_seconds=1)
    one.init()
    return one.start()


@pytest.fixture
def cast(broker, agents):
    """The three witnesses' agents and one reader's, by name, running."""
    return {name: agents(name, broker).start()
            for name in [*NAMES, "UNODC/hq"]}


def say(agent, text, topic=TOPIC):
    """Published, and settled."""
    return agent.wait_entry(agent.publish(topic, text)["number"])


def note_of(session, which=wire.SETTLED):
    session.hello()
    return session.checkpoint_note(which)


# Who settled what.

def test_show_says_by_whom(cast, broker, parley):
    entry = say(cast["EUROPOL/hq"], "to be shown")
    reader = cast["UNODC/hq"]
    wait_settled_at(reader, entry["sequence"] + 1)
    settled = reader.wait_record(entry["sequence"])["settled"]
    assert settled["quorum"] == 2 and settled["witnesses"] == 3
    assert settled["size"] > entry["sequence"]
    names = {one["witness"] for one in settled["cosigned"]}
    assert len(names) >= 2 and names <= set(NAMES)
    shown = parley("--socket", reader.socket, "show", entry["sequence"]).out
    assert all(name in shown for name in names), shown
    for agent in cast.values():
        wait_current(agent)
        assert agent.alarms() == []
    parley("--socket", reader.socket, "status")


def test_all_complete(cast):
    """Each knows, mark after mark, that it holds what it may read."""
    say(cast["EUROPOL/hq"], "1")
    say(cast["EUROPOL/hq"], "2", "members/x")
    last = say(cast["AFRIPOL/hq"], "3", "@AFRIPOL+EUROPOL/x")["sequence"]
    for agent in cast.values():
        wait_for(lambda: (agent.get("status")["complete_upto"]
                          or {"sequence": -1})["sequence"] > last,
                 f"{agent.name} complete", 60, 0.05)
        wait_for(lambda: agent.get("status")["lacks"] is None, "all of it")
        assert agent.alarms() == []


# What others can check.

def published(cast, broker):
    """Sequences of messages of all kinds of batches."""
    author = broker.client("FRONTEX/hq")
    promise = author.publish_many([(TOPIC, f"one of many {i}")
                                   for i in range(7)])
    many = [a[2] for a in promise.accepted]
    alone = say(cast["EUROPOL/hq"], "alone")["sequence"]
    wait_settled_at(cast["UNODC/hq"], alone + 1)
    return [0, 1, many[0], many[4], many[6], alone]


def test_receipts(cast, broker, dialogue, parley, tmp_path):
    reader = cast["UNODC/hq"]
    sequences = published(cast, broker)
    at = ("--socket", reader.socket)
    parley(*at, "roster", "trust-policy", "--out", "trust.policy")
    broker.stop()  # it is not asked
    trust = (tmp_path / "trust.policy").read_bytes()
    rules = policy.Policy(trust)
    assert trust.decode() == policy.write(roster.first(dialogue.notes[0]))
    places = {p.record.sequence: p for p in broker.records()}
    for sequence in sequences:
        name = f"r{sequence}"
        parley(*at, "receipt", sequence, "--out", name)
        parley("verify", f"{name}.tlog-proof", "--policy", "trust.policy")
        check_receipt(tmp_path / name, places[sequence], rules)
    check_attributable(parley, tmp_path / f"r{sequences[-1]}",
                       tmp_path / f"r{sequences[-2]}")
    name = f"r{sequences[-1]}"
    path = tmp_path / f"{name}.record"
    octets = bytearray(path.read_bytes())
    octets[40] ^= 1
    path.write_bytes(octets)
    bad = parley("verify", f"{name}.tlog-proof", "--policy", "trust.policy",
                 code=None)
    assert bad.code != 0
    with pytest.raises(Refused):
        receipt.verify(receipt.read((tmp_path / f"{name}.tlog-proof")
                                    .read_text()), bytes(octets), rules)


def check_attributable(parley, path, other):
    """Without the roster's own receipt the author is one under that roster
    only, and it says so; with a wrong one nothing holds."""
    def verify(code=0):
        return parley("verify", f"{path.name}.tlog-proof", "--policy",
                      "trust.policy", code=code)
    assert "in force there" in verify().out
    proof = path.with_name(path.name + ".roster.tlog-proof")
    whole = proof.read_text()
    proof.unlink()
    assert "is not proved" in verify().out
    proof.write_text(other.with_name(other.name + ".tlog-proof").read_text())
    verify(code=1)
    proof.write_text(whole)
    note = path.with_name(path.name + ".roster")
    text = note.read_text()
    note.write_text(text.replace("A small", "A large"))
    verify(code=1)
    note.write_text(text)
    assert "in force there" in verify().out


def beside(path, end):
    found = path.with_name(path.name + end)
    return found.read_bytes() if found.exists() else None


def check_receipt(path, place, rules):
    """What an agent wrote, read by the other implementation."""
    proof = receipt.read(beside(path, ".tlog-proof").decode())
    record = beside(path, ".record")
    assert record == place.record.octets
    message = place.record.type == ledger.MESSAGE
    note = beside(path, ".roster")
    facts = receipt.verify(
        proof, record, rules, beside(path, ".body") if message else None,
        note.decode() if message else None)
    assert proof.index == place.record.sequence == facts.record.sequence
    assert len(facts.cosigned) >= 2
    assert facts.bound and facts.bound <= max(facts.cosigned.values())
    receipt.verify_roster(
        receipt.read(beside(path, ".roster.tlog-proof").decode()),
        beside(path, ".roster.record"), note.decode(), rules, place.record)
    if message:
        assert facts.author == place.record.header().author
        assert beside(path, ".body") == place.body


def test_tiles(cast, broker, parley, tmp_path):
    """Hashes of the tree, and entries of bundles that the exporter may read
    whole; brought up to date they are the same as new ones."""
    author, reader = broker.client("FRONTEX/hq"), cast["EUROPOL/hq"]
    author.hello()
    at = ("--socket", reader.socket)
    for turn in range(2):
        last = 0
        for _ in range(2):
            promise = author.publish_many([(TOPIC, f"{i}")
                                           for i in range(200)])
            last = promise.accepted[-1][2]
        wait_settled_at(reader, last + 1)
        wait_for(lambda: reader.get("status")["position"] > last, "held")
        parley(*at, "audit", "export", "--tiles", "tiles", "--entries",
               "--yes")
        found = tiles.Tiles(tmp_path / "tiles")
        leaves = found.verify()
        assert found.root_from_above() == found.point.root
        assert leaves[:last + 1] == (author.leaves(0, last + 1))
        in_force = author.view.newest
        assert checkpoint.is_whole(found.note, in_force)
        checkpoint.check_log(found.note, checkpoint.origin(in_force),
                             in_force.log)
        for index, _ in tiles.tiles_of(found.point.size):
            for n, entry in enumerate(found.entries(index)):
                assert ledger.read_record(entry).sequence == 256 * index + n
        wanted = found.expected_files(range(1 << 20))
        assert set(wanted) <= set(found.files())


def test_tiles_without_what_others_may_not_read(cast, broker, parley,
                                                tmp_path):
    say(cast["EUROPOL/hq"], "for members alone", "members/x")
    reader = cast["UNODC/hq"]
    wait_settled_at(reader, say(cast["EUROPOL/hq"], "for all")["sequence"])
    parley("--socket", reader.socket, "audit", "export", "--tiles", "tiles",
           "--entries", "--yes")
    found = tiles.Tiles(tmp_path / "tiles")
    found.verify()
    assert found.files() == found.expected_files()
    assert b"members" not in b"".join(
        (tmp_path / "tiles" / one).read_bytes() for one in found.files())


def test_checkpoint_over_a_second_path(cast, parley, tmp_path):
    """Two agents compare what they hold: by a file."""
    one, other = cast["EUROPOL/hq"], cast["UNODC/hq"]
    last = say(one, "compared")["sequence"]
    wait_settled_at(other, last + 1)
    note = parley("--socket", one.socket, "checkpoint", "show").out
    file = tmp_path / "their.checkpoint"
    text = note[note.index(WITNESSED["origin"]):] if (
        WITNESSED["origin"] in note) else note
    try:
        point = checkpoint.read(text)[0]
    except Refused:
        pytest.skip("it is shown in another form")
    file.write_text(text)
    wait_for(lambda: ledger_of(other)["size"] >= point.size, "as many leaves")
    parley("--socket", other.socket, "checkpoint", "compare", file)
    wrong = checkpoint.Checkpoint(point.origin, point.size, bytes(32))
    file.write_text(checkpoint.sign(wrong, one.of.broker))
    bad = parley("--socket", other.socket, "checkpoint", "compare", file,
                 code=None)
    assert bad.code != 0


# Quorums that are away.

def test_stale_while_the_quorum_is_away(cast, broker, parley):
    """The clocks go on by three minutes: who has no newer quorum says so."""
    reader = cast["UNODC/hq"]
    last = say(cast["EUROPOL/hq"], "settled")["sequence"]
    wait_settled_at(reader, last + 1)
    wait_current(reader)
    for name in NAMES[1:]:
        cast[name].stop()
    waiting = cast["EUROPOL/hq"].publish(TOPIC, "by one")["number"]
    cast["EUROPOL/hq"].wait_entry(waiting, "promised")
    reader.stop()
    reader.env["PARLEY_TEST_CLOCK_OFFSET_MS"] = "180000"
    reader.start()
    reader.daemon.wait_log("LINK-READY")
    said = wait_for(lambda: ledger_of(reader)["stale"], "stale")
    assert ledger_of(reader)["current"] is False and "old" in said
    parley("--socket", reader.socket, "status", code=8)
    size = settled_size(reader)
    assert size <= cast["EUROPOL/hq"].get(f"outbox/{waiting}")["sequence"]
    reader.stop()
    del reader.env["PARLEY_TEST_CLOCK_OFFSET_MS"]
    reader.start()
    cast[NAMES[1]].start()
    cast["EUROPOL/hq"].wait_entry(waiting)
    wait_settled_at(reader, size + 1)
    wait_for(lambda: ledger_of(reader)["current"], "current")
    assert reader.alarms() == []


def test_a_first_start_is_no_alarm(broker, agents, parley):
    """Nothing has settled yet: that alarms after half a minute, not before."""
    agent = agents("UNODC/hq", broker).start()  # no witness runs
    agent.daemon.wait_log("LINK-READY")
    ledger = ledger_of(agent)
    assert ledger["settled"] is None and ledger["current"] is False
    parley("--socket", agent.socket, "status")
    parley("--socket", agent.socket, "status", code=8,
           env={"PARLEY_TEST_CLOCK_OFFSET_MS": "31000"})


@pytest.mark.parametrize("ms", ["-130000", "130000"])
def test_witness_whose_clock_is_wrong(broker, agents, ms):
    """It cosigns nothing; with the right time it does."""
    cast = {name: agents(name, broker) for name in NAMES}
    wrong = cast["SCO/rats"]
    wrong.env["PARLEY_TEST_CLOCK_OFFSET_MS"] = ms
    for one in cast.values():
        one.start()
    last = say(cast["EUROPOL/hq"], "by two")["sequence"]
    wait_for(lambda: (ledger_of(wrong)["verified"] or 0) > last, "verified")
    session = broker.client("UNODC/hq")
    in_force = session.view.newest
    assert set(checkpoint.times(note_of(session), in_force)) <= set(NAMES[:2])
    assert ledger_of(wrong)["cosigned"] is None
    wrong.stop()
    del wrong.env["PARLEY_TEST_CLOCK_OFFSET_MS"]
    wrong.start()
    wait_for(lambda: ledger_of(wrong)["cosigned"] is not None, "cosigned")
    wait_for(lambda: "SCO/rats" in checkpoint.times(note_of(session),
                                                    in_force), "its line")
    for one in cast.values():
        assert one.alarms() == []


def test_one_that_was_away(broker, agents, dialogue):
    """It takes 10,000 leaf hashes in ranges, dies meanwhile, and ends with
    the broker's tree."""
    witnesses = {name: agents(name, broker).start() for name in NAMES[:2]}
    away = agents("UNODC/hq", broker)
    author = broker.client("FRONTEX/hq")
    for one in witnesses.values():
        one.daemon.wait_log("LINK-READY")
    last = 0
    for _ in range(40):
        promise = author.publish_many([("members/x", "x")] * 256)
        last = promise.accepted[-1][2]
    for _ in range(3):
        away.start()
        wait_for(lambda: ledger_of(away)["size"] > 0, "leaves", every_s=0.005)
        away.kill()
    away.start()
    wait_settled_at(away, last + 1, 60)
    assert ledger_of(away)["size"] > last
    assert away.alarms() == []
    text = away.get("checkpoints/settled")
    point = checkpoint.read(text)[0]
    leaves = []
    while len(leaves) < point.size:
        leaves += author.leaves(len(leaves), wire.LEAVES)
    assert tree.root_of_leaves(leaves[:point.size]) == point.root
    assert checkpoint.is_whole(text, roster.first(dialogue.notes[0]))


# Deaths.

class Author(threading.Thread):
    """Publishes without a break; `sent` counts batches."""

    def __init__(self, session):
        super().__init__(daemon=True)
        self.session, self.stopping = session, False
        self.sent, self.last = threading.Semaphore(0), -1

    def run(self):
        while not self.stopping:
            promise = self.session.publish_many(
                [(TOPIC, "x")] * random.randrange(1, 20))
            self.last = promise.accepted[-1][2]
            self.sent.release()


def lines_of(watcher, name, key):
    """[(time, size)] of all its cosignatures that went round."""
    out = set()
    for one in watcher.heard:
        if one.kind == feed.COSIGNATURES:
            time = checkpoint.cosigned(one.note, name, key)
            if time:
                out.add((time, one.point.size))
    return sorted(out)


def test_witnesses_die_at_any_moment(cast, broker):
    """kill -9, and their stores are as they were: none goes back, and what
    is published settles."""
    print(f"PARLEY_SEED={SEED}")
    moment = random.Random(SEED)
    of = Witnesses(broker)
    watcher, author = of.watch(), Author(broker.client("FRONTEX/hq"))
    author.start()
    try:
        for _ in range(ROUNDS):
            for _ in range(moment.randrange(1, 40)):
                assert author.sent.acquire(timeout=60)
            victims = moment.sample(NAMES, moment.randrange(1, 3))
            # No event tells of the middle of a write: any moment will do.
            threading.Event().wait(moment.random() * 0.05)
            for name in victims:
                cast[name].kill()
            for name in victims:
                cast[name].start()
    finally:
        author.stopping = True
        author.join(60)
    for agent in cast.values():
        wait_settled_at(agent, author.last + 1, 90)
        assert agent.alarms() == []
    watcher.wait(lambda: watcher.settled > author.last)
    assert watcher.faults == []
    for name in NAMES:
        key = broker.dialogue.identity(name).public["witness"]
        mine = lines_of(watcher, name, key)
        assert mine, name
        for (a, small), (b, large) in zip(mine, mine[1:]):
            assert a == b or small <= large, (name, a, small, b, large)
    of.close()


def test_the_broker_dies_too(cast, broker):
    """kill -9 of the broker between what is settled: nothing goes down."""
    top = -1
    for n in range(4):
        last = say(cast["EUROPOL/hq"], f"round {n}")["sequence"]
        for agent in cast.values():
            wait_settled_at(agent, last + 1, 60)
            assert settled_size(agent) >= top
        top = last + 1
        broker.kill()
        broker.start()
    for agent in cast.values():
        assert agent.alarms() == []


# A roster with other witnesses, among agents.

def others(obj):
    obj["witnesses"], obj["quorum"] = ["FRONTEX/hq", "UNODC/hq"], 2


def test_handover_among_agents(cast, broker, agents):
    """All follow, and one that was away takes the way from roster to
    roster."""
    say(cast["EUROPOL/hq"], "under the first")
    away = cast.pop("SCO/rats")
    wait_settled_at(away, 3)
    away.stop()
    cast["FRONTEX/hq"] = agents("FRONTEX/hq", broker).start()
    cast["FRONTEX/hq"].daemon.wait_log("LINK-READY")
    assert broker.reload(broker.dialogue.follow(others)).id == (
        "ROSTER-RECORDED")
    last = say(cast["EUROPOL/hq"], "under the second")["sequence"]
    for agent in cast.values():
        wait_settled_at(agent, last + 1, 60)
    for name in NAMES[:2]:  # nobody needs them now
        cast.pop(name).stop()
    writer = broker.client("AFRIPOL/written")
    last, _ = writer.publish(TOPIC, "by the new ones")
    for agent in cast.values():
        wait_settled_at(agent, last + 1, 60)
    away.start()
    wait_settled_at(away, last + 1, 60)
    session = broker.client("UNODC/hq")
    note = note_of(session)
    assert set(checkpoint.times(note, session.view.newest)) == {
        "FRONTEX/hq", "UNODC/hq"}
    for agent in [away, *cast.values()]:
        assert agent.alarms() == []


def test_a_communique_that_looks_like_a_checkpoint():
    """No key of ours signs such a text as a note."""
    who = notes.keys.Identity("delegation", NAMES[0], bytes(32))
    text = checkpoint.Checkpoint("dialogue.example/small/1", 3,
                                 bytes(32)).text()
    with pytest.raises(Refused):
        notes.sign(text, who)
    told = "parley/communique/1\n" + "00" * 32 + "\n" + text
    note = notes.sign(told, who)
    with pytest.raises(Refused):
        checkpoint.read(note)
    for key in who.public.values():
        stolen = notes.join(text, *checkpoint.lines(note))
        assert checkpoint.cosigned(stolen, NAMES[0], key) is None
