"""A broker with the right keys that signs what is not so (PROTOCOL.md sections
7.4, 7.5, 8.14): each attack is caught, whoever signed a lie is stopped being
vouched for, and where there is proof it convinces the other implementation."""
import os

import pytest

from parley_client import block, checkpoint, feed, ledger, tree, wire
from parley_client import canonical as mp

from daemon import wait_for
from dialogue import SMALL, Dialogue
from liar import TOPIC, Liar, changed, flipped, wait_texts
from wronged import (ALARM_EXIT, check_cosigned, check_stopped,
                     cosigned_more, ledger_of, proof_of, settled_size,
                     wait_alarm_of, wait_current, wait_settled_at)

WATCHED = dict(SMALL, witnesses=["AFRIPOL/hq"], quorum=1)


@pytest.fixture
def dialogue(tmp_path):
    """One witness, who is the agent of these tests, is the quorum."""
    return Dialogue(tmp_path, WATCHED)


@pytest.fixture
def fork():
    """fork(liar): another broker with the same keys and the same past."""
    made = []

    def make(of):
        made.append(of.fork())
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture
def settled(liar, agent):
    """The agent, when what it holds is settled; it cosigned that."""
    wait_settled(liar, agent)
    assert check_cosigned(liar)
    assert agent.alarms() == []
    return agent


def wait_settled(liar, agent):
    """What there is. A subscription may come behind what was sent: it is
    said again."""
    size = len(liar.records)

    def ready():
        if settled_size(agent) < size:
            liar.tell(lambda b: b.sign_checkpoint())
        return settled_size(agent) >= size
    wait_for(ready, f"settled at {size}", 60, 0.1)


def move(agent, to):
    agent.stop()
    agent.configure(desk=to.desk_at, feed=to.feed_at)
    agent.start()


def send_note(liar, point, who=None, cosigned=False):
    """A checkpoint on the feed, signed as if it were so."""
    note = checkpoint.sign(point, who or liar.who)
    liar.send_part("$log", feed.checkpoint_part(note, cosigned))


def goes_on(liar, agent, text="goes on"):
    """Nothing is wrong: what is recorded next settles, by its own line."""
    liar.post("EUROPOL/hq", TOPIC, text)
    wait_texts(agent, liar)
    wait_settled_at(agent, len(liar.records))


# Honest, as a start.

def test_honest(liar, settled):
    for n in range(3):
        goes_on(liar, settled, f"true {n}")
    liar.tell(lambda b: b.mark())
    wait_settled_at(settled, len(liar.records))
    assert settled.alarms() == []
    wait_current(settled)
    assert check_cosigned(liar)[-1].size == len(liar.records)


def test_cosignature_that_got_lost(liar, settled):
    """With the connection, before the broker took it: nothing is recorded
    after, and it settles all the same."""
    answer, lost = liar.answer, []

    def without(word, who, *frames):
        if word != "cosign":
            return answer(word, who, *frames)
        lost.append(checkpoint.read(frames[0])[0].size)
        return [wire.cosign_reply(3)]
    liar.answer = without
    liar.post("EUROPOL/hq", TOPIC, "not vouched for yet")
    wait_for(lambda: lost, "a cosignature", 60, 0.03)
    assert set(lost) == {4}
    liar.answer = answer
    liar.another_run()
    wait_settled_at(settled, 4)
    check_cosigned(liar)


# Checkpoints.

def test_smaller_after_larger(liar, settled, parley):
    """An old checkpoint, played again as if it were the newest."""
    goes_on(liar, settled)
    send_note(liar, liar.checkpoint(3))
    wait_alarm_of(settled, "SHRUNK")
    check_stopped(settled, liar)
    assert settled_size(settled) >= 4
    parley("--socket", settled.socket, "status", code=ALARM_EXIT)


def test_old_one_by_request(liar, settled):
    """Nobody can be made to go back by the desk's answer."""
    goes_on(liar, settled)
    old = liar.signed[3].encode()
    liar.lies["checkpoint"] = lambda frames: [old]
    liar.another_run()
    liar.post("EUROPOL/hq", TOPIC, "after")
    wait_texts(settled, liar)
    wait_settled(liar, settled)
    assert settled_size(settled) == 5
    assert ledger_of(settled)["verified"] >= 5
    check_cosigned(liar)


STRANGER = checkpoint.keys.Identity("broker", "lyon", bytes(32))


@pytest.mark.parametrize("cosigned", [False, True])
def test_another_key(liar, settled, cosigned):
    before = len(liar.cosigns)
    send_note(liar, liar.checkpoint(), STRANGER, cosigned)
    wait_alarm_of(settled, "BAD-CHECKPOINT")
    assert cosigned_more(liar, before) == []
    check_cosigned(liar)


def test_another_origin(liar, settled):
    """The same keys, another ledger: an epoch that is none."""
    point = liar.checkpoint()
    send_note(liar, checkpoint.Checkpoint(
        point.origin[:-1] + "2", point.size, point.root))
    wait_alarm_of(settled, "BAD-CHECKPOINT")
    check_cosigned(liar)


def test_two_roots_for_a_size(liar, settled, parley):
    point = liar.checkpoint()
    other = checkpoint.Checkpoint(point.origin, point.size, os.urandom(32))
    send_note(liar, other)
    wait_alarm_of(settled, "FORK", "BAD-ROOT")
    check_stopped(settled, liar)
    assert other not in check_cosigned(liar)
    parley("--socket", settled.socket, "status", code=ALARM_EXIT)
    kind, said = proof_of(settled, "FORK", parley)
    assert kind == "two-roots" and said


def test_root_of_nothing_that_is_there(liar, settled):
    """A new size, whose root is not that of the leaves."""
    liar.silent = True
    sent = liar.sign_checkpoint

    def lie():
        point = liar.checkpoint()
        wrong = checkpoint.Checkpoint(point.origin, point.size,
                                      os.urandom(32))
        liar.signed[point.size] = checkpoint.sign(wrong, liar.who)
        liar.send("$log", feed.checkpoint_part(liar.signed[point.size]))
    liar.sign_checkpoint = lie
    liar.post("EUROPOL/hq", TOPIC, "under another root")
    wait_alarm_of(settled, "BAD-ROOT", "FORK")
    liar.sign_checkpoint = sent
    check_stopped(settled, liar)
    assert max(p.size for p in check_cosigned(liar)) == 3


def test_cosigned_without_its_witness(liar, settled):
    """A quorum's note with a forged line settles nothing."""
    liar.settle = lambda size: None
    liar.lies["cosign"] = lambda frames: [wire.cosign_reply(3)]
    liar.post("EUROPOL/hq", TOPIC, "not settled")
    wait_texts(settled, liar)
    wait_for(lambda: check_cosigned(liar)[-1].size == 4, "cosigned")
    point = liar.checkpoint()
    wrong = checkpoint.Checkpoint(point.origin, point.size, os.urandom(32))
    line = checkpoint.lines(checkpoint.add_lines(
        checkpoint.sign(wrong, liar.who), checkpoint.cosign(
            wrong, liar.dialogue.identity("AFRIPOL/hq"), 1)))[1]
    note = checkpoint.add_lines(checkpoint.sign(point, liar.who), line)
    liar.send_part("$log", feed.checkpoint_part(note, True))
    liar.post("EUROPOL/hq", TOPIC, "after")
    wait_texts(settled, liar)
    assert settled_size(settled) == 3


# Leaves.

def test_wrong_leaves_by_the_feed(liar, settled):
    """The desk has the true ones: they are taken, and it is said."""
    good = liar.leaf_hashes
    liar.leaf_hashes = lambda: [*good()[:-1], os.urandom(32)]
    sign, liar.sign_checkpoint = liar.sign_checkpoint, lambda: None
    liar.post("EUROPOL/hq", TOPIC, "under a wrong leaf")
    liar.leaf_hashes, liar.sign_checkpoint = good, sign
    liar.tell(lambda b: b.sign_checkpoint())
    wait_alarm_of(settled, "LEAVES-DIFFER", "WRONG-RECORD")
    wait_settled_at(settled, 4)
    check_cosigned(liar)
    assert check_cosigned(liar)[-1] == liar.checkpoint()


def test_wrong_leaves_everywhere(liar, settled):
    """The record is not its leaf, though the tree is whole."""
    good, wrong = liar.leaf_hashes, os.urandom(32)

    def lie():
        out = good()
        out[3] = wrong
        return out
    liar.tell(lambda b: None)
    entries = liar.records

    def leaves(frames):
        first = mp.decode(frames[0])[0]
        found = lie() if len(entries) > 3 else good()
        return [frames[0], b"".join(found[first:])]
    liar.lies["leaves"] = leaves
    liar.leaf_hashes = lambda: lie() if len(entries) > 3 else good()
    liar.post("EUROPOL/hq", TOPIC, "not its leaf")
    wait_alarm_of(settled, "WRONG-RECORD", "BAD-BLOCK")
    check_stopped(settled, liar)
    assert ledger_of(settled)["alarms"] > 0


def test_record_that_is_not_its_leaf(liar, settled):
    """Told with another log time than it stands there with."""
    liar.spoil = changed(log_time=lambda t: t + 1)
    liar.post("EUROPOL/hq", TOPIC, "told otherwise")
    wait_alarm_of(settled, "WRONG-RECORD", "BAD-BLOCK")
    liar.spoil = None
    check_stopped(settled, liar)


# One ledger for me, another for you.

def test_another_record_under_the_same_number(liar, settled, fork, parley):
    """The two of them compare what each was given: by meeting there."""
    twin = fork(liar)
    goes_on(liar, settled, "for one")
    twin.post("EUROPOL/hq", TOPIC, "for the other")
    twin.post("EUROPOL/hq", TOPIC, "and more")
    move(settled, twin)
    wait_alarm_of(settled, "FORK")
    parley("--socket", settled.socket, "status", code=ALARM_EXIT)
    kind, said = proof_of(settled, "FORK", parley)
    assert kind in ("two-leaves", "two-roots") and said
    assert all(p.size <= 3 for _, p in twin.cosigns)
    assert settled.texts(TOPIC)[:2] == ["true before", "for one"]
    assert settled_size(settled) == 4


def test_compared_by_a_second_path(liar, settled, fork, agents, parley):
    """Neither meets the other's broker: a file shows it."""
    twin = fork(liar)
    goes_on(liar, settled, "for one")
    for text in ("for the other", "and more"):
        twin.post("EUROPOL/hq", TOPIC, text)
    at = type("At", (), {"desk": twin.desk_at, "feed": twin.feed_at})
    other = agents("UNODC/hq", at).start()
    wait_for(lambda: ledger_of(other)["verified"] == 5, "verified", 60)
    note = parley("--socket", settled.socket, "checkpoint", "show").out
    file = other.folder / "theirs.checkpoint"
    file.write_text(note)
    told = parley("--socket", other.socket, "checkpoint", "compare", file,
                  code=1)
    assert "4" in told.out + told.err
    assert other.alarms() == []
    own = parley("--socket", other.socket, "checkpoint", "show",
                 "--verified").out
    file.write_text(own)
    parley("--socket", other.socket, "checkpoint", "compare", file)


def test_shorter_ledger(liar, settled, fork):
    """Each promise is kept, but a checkpoint was seen that is not."""
    twin = fork(liar)
    goes_on(liar, settled)
    move(settled, twin)
    wait_alarm_of(settled, "LEDGER-BEHIND", "SHRUNK", "FORK")
    assert settled_size(settled) == 4
    assert all(p.size > 3 for _, p in twin.cosigns)


def other_witness(obj):
    obj["witnesses"], obj["quorum"] = ["FRONTEX/hq"], 1


def cosign(liar, name):
    """A Python witness vouches for the newest, whatever it is."""
    who = liar.dialogue.identity(name)

    def call(b):
        point = checkpoint.read(b.signed[max(b.signed)])[0]
        b.do_cosign(name, checkpoint.notes.join(
            point.text(), checkpoint.cosign(
                point, who, b.clock() // 1000)).encode())
    liar.tell(call)


def test_handover_needs_the_old_witness(liar, settled, dialogue):
    """The new one's line alone settles nothing, what the broker ever says."""
    note = dialogue.follow(other_witness)
    liar.lies["cosign"] = lambda frames: [wire.cosign_reply(3)]
    drop = liar.answer

    def without(word, who, *frames):
        if word == "cosign":
            return [wire.cosign_reply(3)]
        return drop(word, who, *frames)
    liar.answer = without
    liar.tell(lambda b: b.change_roster(note))
    wait_for(lambda: settled.get("status")["roster"]["version"] == 2, "2")

    def alone(b):
        size = max(b.signed)
        point = checkpoint.read(b.signed[size])[0]
        who = b.dialogue.identity("FRONTEX/hq")
        b.settled = checkpoint.add_lines(b.signed[size], checkpoint.cosign(
            point, who, b.clock() // 1000))
        b.first_of[2] = b.settled
        b.send("$log", feed.checkpoint_part(b.settled, True))
    liar.tell(alone)
    entry = settled.publish(TOPIC, "not settled")
    liar.texts.append("not settled")
    settled.wait_entry(entry["number"], "promised")
    wait_texts(settled, liar)
    liar.tell(alone)
    assert settled_size(settled) == 3
    assert settled.get(f"outbox/{entry['number']}")["state"] == "promised"


def test_forked_at_a_change_of_witnesses(liar, settled, dialogue, fork):
    """Another past, vouched for by those who came with the roster."""
    twin = fork(liar)
    goes_on(liar, settled, "in the one past")
    note = dialogue.follow(other_witness)
    twin.post("EUROPOL/hq", TOPIC, "in the other")
    twin.tell(lambda b: b.change_roster(note))
    cosign(twin, "FRONTEX/hq")
    move(settled, twin)
    wait_alarm_of(settled, "FORK", "CONTRADICTION", "BAD-BLOCK")
    assert settled_size(settled) == 4
    assert settled.texts(TOPIC)[:2] == ["true before", "in the one past"]
    assert all(p.size <= 3 for _, p in twin.cosigns)


def test_branches_of_a_roster(liar, settled, dialogue, fork):
    """Two rosters of one version, both signed well; then one that follows
    that which it did not see."""
    twin = fork(liar)
    first = dialogue.sign(dialogue.text(dialogue.draft(
        lambda obj: obj.update(name="One branch"))))
    other = dialogue.follow(lambda obj: obj.update(name="Another branch"))
    third = dialogue.follow(lambda obj: obj.update(name="Stitched"))
    liar.tell(lambda b: b.change_roster(first))
    wait_settled_at(settled, 5)
    for note in (other, third):
        twin.tell(lambda b, note=note: b.change_roster(note))
    move(settled, twin)
    settled.daemon.wait_log("LINK-DOWN", "ROSTER-REFUSED")
    wait_alarm_of(settled, "BAD-ROSTER", "FORK", "LEDGER-BEHIND",
                  "CONTRADICTION")
    assert settled.get("status")["roster"]["version"] == 2
    assert settled_size(settled) == 5
    assert all(p.size <= 3 for _, p in twin.cosigns)


# Withheld.

@pytest.fixture
def hasty(monkeypatch):
    """An agent that starts behind it waits 4 s, and not a minute, until what
    is missing is withheld."""
    monkeypatch.setenv("PARLEY_TEST_PATIENCE_MS", "4000")


def test_withheld(hasty, liar, settled, parley):
    """The last message of a quiet channel, from one of its readers."""
    agent, name = settled, "AFRIPOL/hq"
    held = len(liar.stream("members"))
    liar.silent = True

    def short_streams(frames):
        generation, rows = mp.decode(frames[0])
        return [mp.encode([generation, [
            [*row[:3], min(row[3], held), row[4]] if row[0] == "members"
            else row for row in rows]])]

    def short_fetch(frames):
        stream, last, items = mp.decode(frames[0])
        if stream != "members":
            return frames
        keep = [one for one in items if one[2] <= held]
        return [mp.encode([stream, min(last, held), keep]),
                *frames[1:1 + len(keep)]]
    liar.lies["streams", name] = short_streams
    liar.lies["fetch", name] = short_fetch
    liar.post("EUROPOL/hq", TOPIC, "not for you")
    liar.silent = False
    liar.tell(lambda b: b.mark())
    wait_for(lambda: "members" in (agent.get("status")["lacks"] or ""),
             "what lacks")
    found = wait_alarm_of(agent, "WITHHELD")
    assert "members" in found["text"]
    upto = agent.get("status")["complete_upto"]
    assert upto is None or upto["sequence"] < 4
    parley("--socket", agent.socket, "status", code=ALARM_EXIT)


def test_claim_of_fewer(liar, settled):
    """The mark itself says that there are fewer: no reader's tree is that."""
    good = liar.streams_below

    def fewer(sequence):
        of = good(sequence)
        return lambda name: of(name)[:-1] if name == "members" else of(name)
    liar.streams_below = fewer
    liar.tell(lambda b: b.mark())
    wait_alarm_of(settled, "MARK-WRONG", wait_s=60)


def test_claim_that_the_mark_does_not_have(liar, settled):
    def lie(frames):
        mark, claims = mp.decode(frames[0])
        for one in claims:
            one[4] += 1
            one[3] = one[3] or 0
        return [mp.encode([mark, claims])]
    liar.lies["paths"] = lie
    liar.tell(lambda b: b.mark())
    wait_alarm_of(settled, "BAD-CLAIM", wait_s=60)


# Records.

def of_another_dialogue(liar, folder):
    """Of the same name and the same people."""
    other = Dialogue(folder, WATCHED)
    assert other.id != liar.dialogue.id
    other.at, here = liar.dialogue.at, liar.dialogue.id
    liar.dialogue.id = other.id
    frames = liar.frames_of("EUROPOL/hq", TOPIC, "elsewhere")
    liar.dialogue.id = here
    return frames


def of_no_signature(liar, folder):
    head, *rest = liar.frames_of("EUROPOL/hq", TOPIC, "never said")
    batch = block.messages.read_head(head)
    batch.signature = flipped(batch.signature, 9)
    return [batch.head(), *rest]


def of_no_key(liar, folder):
    """The name is a delegation's, the key is the broker's own choice."""
    real = liar.dialogue.identity
    liar.dialogue.identity = lambda name: checkpoint.keys.Identity(
        "delegation", name, bytes(32))
    try:
        return liar.frames_of("EUROPOL/hq", TOPIC, "never said")
    finally:
        liar.dialogue.identity = real


def record(liar, frames):
    """What no broker may take, under the next number."""
    def call(b):
        batch = block.messages.read_head(frames[0])
        (header, body), = block.messages.cut_headers(1, *frames[1:])
        at = len(b.records)
        b.add(ledger.Record(
            ledger.MESSAGE, at, b.clock(), 1, b.chain[-1][1], "members",
            len(b.stream("members")) + 1, header, 2, None, 1, 0,
            batch.signature), body)
        b.show(at)
        b.grown(at)
    liar.tell(call)


@pytest.mark.parametrize("made", [of_another_dialogue, of_no_signature,
                                  of_no_key])
def test_record_that_no_broker_may_take(liar, settled, parley, made,
                                        tmp_path_factory):
    """In the signed tree: nobody vouches for that, and it is proved."""
    record(liar, made(liar, tmp_path_factory.mktemp("other")))
    wait_alarm_of(settled, "BAD-BLOCK")
    wait_alarm_of(settled, "BAD-RECORD")
    assert settled.texts(TOPIC) == ["true before"]
    check_stopped(settled, liar)
    assert check_cosigned(liar)[-1].size == 3
    kind, said = proof_of(settled, "BAD-RECORD", parley)
    assert kind == "bad-record" and "3" in said


def test_garbage_stops_nobody(liar, settled):
    """Who has the key of a stream may say such a one, of a place where
    another record stands."""
    frames = of_no_signature(liar, None)
    batch = block.messages.read_head(frames[0])
    (header, body), = block.messages.cut_headers(1, *frames[1:])
    garbage = ledger.Record(
        ledger.MESSAGE, 3, liar.clock(), 1, liar.chain[-1][1], "members",
        len(liar.stream("members")) + 1, header, 2, None, 1, 0,
        batch.signature)
    garbage.encode()
    liar.spoil = lambda places: block.encode([block.place(garbage, body)])
    liar.post("EUROPOL/hq", TOPIC, "true")
    wait_alarm_of(settled, "BAD-BLOCK")
    liar.spoil = None
    wait_settled(liar, settled)
    assert settled_size(settled) == 4
    assert ledger_of(settled)["stopped"] is False
    assert "BAD-RECORD" not in [a["kind"] for a in settled.alarms()]
    assert check_cosigned(liar)[-1].size == 4


def test_log_time_goes_back(liar, settled, parley):
    liar.ahead = -60000
    liar.post("EUROPOL/hq", TOPIC, "yesterday")
    wait_alarm_of(settled, "LOG-TIME", "BAD-BLOCK")
    liar.ahead = 0
    kind, said = proof_of(settled, "LOG-TIME", parley)
    assert kind == "time-back" and "3" in said
    check_stopped(settled, liar)
    assert check_cosigned(liar)[-1].size == 3


@pytest.mark.parametrize("ahead", [-125000, 125000])
def test_log_time_is_off(liar, agent, fork, ahead):
    """More than two minutes from the witness's clock: not cosigned, and it
    says why; what is right again is."""
    wait_settled(liar, agent)
    liar.ahead = ahead
    if ahead < 0:  # all that it ever recorded is so old
        agent.stop()
        age(liar, ahead)
        agent.restore_empty()
        agent.start()
        agent.daemon.wait_log("LINK-READY")
    before = len(liar.cosigns)
    liar.tell(lambda b: b.mark())
    size = len(liar.records)
    wait_for(lambda: ledger_of(agent)["verified"] == size, "verified")
    assert cosigned_more(liar, before) == []
    assert settled_size(agent) < size
    assert ledger_of(agent)["stopped"] is False


def age(liar, ms):
    def call(b):
        for one in b.records:
            one.log_time += ms
            one.encode()
        b.init_notary()
        b.new_run()
    liar.tell(call)


# Promises.

def promise_of_another_leaf(liar):
    def lie(frames):
        v = mp.decode(frames[0])
        ids = [r.header().id for r in liar.records
               if r.type == ledger.MESSAGE
               and r.sequence in [a[1] for a in v[3]]]
        p = wire.read_promise(frames[0], ids)
        p.accepted = [(*a[:3], os.urandom(32)) for a in p.accepted]
        p.sign(liar.who, liar.dialogue.id)
        return [wire.promise_reply(p)]
    return lie


def test_promise_that_the_tree_contradicts(liar, settled, parley):
    """The promise comes first, then the record and the tree."""
    liar.lies["publish"] = promise_of_another_leaf(liar)
    grown, liar.grown, liar.silent = liar.grown, lambda first: None, True
    entry = settled.publish(TOPIC, "promised otherwise")
    settled.wait_entry(entry["number"], "promised")
    liar.grown, liar.silent = grown, False
    del liar.lies["publish"]
    liar.tell(lambda b: (b.show(3), b.grown(3)))
    wait_alarm_of(settled, "PROMISE-BROKEN")
    kind, said = proof_of(settled, "PROMISE-BROKEN", parley)
    assert kind == "broken-promise" and "3" in said
    check_stopped(settled, liar)
    parley("--socket", settled.socket, "status", code=ALARM_EXIT)


def test_promise_that_comes_behind_the_record(liar, settled, parley):
    """The other way round; what was promised is kept all the same."""
    liar.lies["publish"] = promise_of_another_leaf(liar)
    settled.publish(TOPIC, "promised otherwise")
    wait_alarm_of(settled, "PROMISE-BROKEN")
    settled.wait_texts(TOPIC, ["true before", "promised otherwise"])
    wait_for(lambda: ledger_of(settled)["stopped"], "stopped", 60)
    kind, said = proof_of(settled, "PROMISE-BROKEN", parley)
    assert kind == "broken-promise" and "3" in said


def test_promise_of_what_never_came(liar, settled, fork):
    """Promised, and then the ledger goes on without it."""
    twin = fork(liar)
    liar.grown, liar.silent = lambda first: None, True
    entry = settled.publish("dialogue/x", "lost")
    settled.wait_entry(entry["number"], "promised")
    twin.post("EUROPOL/hq", TOPIC, "in its place")
    twin.post("EUROPOL/hq", TOPIC, "and more")
    move(settled, twin)
    wait_alarm_of(settled, "PROMISE-BROKEN", "FORK", "CONTRADICTION")
    assert all(p.size <= 3 for _, p in twin.cosigns)


def test_trees_of_the_liar_are_trees(liar, settled):
    """What these tests deviate from is true itself."""
    note = liar.settled
    point = checkpoint.read(note)[0]
    assert point.root == tree.root_of_leaves(
        [r.leaf for r in liar.records[:point.size]])
    assert isinstance(liar, Liar)
