"""What a real broker signs, hands out and gathers, judged by the independent
implementation alone (PROTOCOL.md sections 7.4, 7.5, 8.11, 8.12)."""
import os
import time

import pytest

from parley_client import canonical as mp
from parley_client import (checkpoint, feed, keys, ledger, marks, notes,
                           roster, tree, wire)
from parley_client.auditor import line_note
from parley_client.errors import Refused

from daemon import WAIT_S, wait_for
from holdings import may_read
from witnesses import NAMES
from words import contribution


def now():
    return int(time.time() * 1000)


def rule_of(call, *args):
    with pytest.raises(Refused) as error:
        call(*args)
    return error.value.rule


def point_of(session, which=wire.NEWEST):
    return checkpoint.read(session.checkpoint_note(which))[0]


def all_leaves(session):
    out = []
    while len(out) % wire.LEAVES == 0:
        more = session.leaves(len(out), wire.LEAVES)
        if not more:
            break
        out += more
    return out


# What is signed.

def test_every_checkpoint_verifies(witnesses):
    of = witnesses(mark_seconds=1)
    watcher = of.watch()
    for n in (1, 3, 256, 1, 40):
        last = of.publish(n)
        watcher.wait(lambda: watcher.size > last)
    watcher.wait(lambda: len(watcher.marks) > 3)
    mark = watcher.marks[-1].sequence
    watcher.wait(lambda: watcher.size > mark)
    assert watcher.faults == []
    sizes = [h.point.size for h in watcher.heard if h.kind == feed.CHECKPOINT]
    assert sizes == sorted(set(sizes))
    leaves = all_leaves(of.at["SCO/rats"])
    for point in watcher.points():
        assert tree.root_of_leaves(leaves[:point.size]) == point.root
    of.broker.stop()
    places = of.broker.records()
    assert [p.record.leaf for p in places][:len(leaves)] == leaves


def test_leaves_of_each_commit_are_at_most_256_a_frame(witnesses):
    of = witnesses()
    watcher, frames = of.watch(), []
    watcher.on_leaves = lambda first, hashes: frames.append(
        (first, len(hashes)))
    number = [of.at[n].start_batch(of.at[n].sign(
        [of.at[n].make("dialogue/x", f"{i}") for i in range(256)]))
        for n in NAMES]
    assert len(number) == 3
    watcher.wait(lambda: watcher.size >= 2 + 3 * 256)
    assert max(n for _, n in frames) <= 256
    at = 2
    for first, count in frames:
        assert first == at, "leaves out of order"
        at += count
    assert watcher.faults == []


def test_pace(witnesses):
    """At once after a pause, at most one a second while records come."""
    of = witnesses(env={"PARLEY_TEST_CHECKPOINT_MS": "1000"})
    watcher = of.watch()
    busy, took = [], []
    end = time.monotonic() + WAIT_S
    while len(busy) < 6 and time.monotonic() < end:
        of.publish(5)
        busy = [h.at for h in watcher.heard if h.kind == feed.CHECKPOINT]
    # Five seconds; one less where a mark came between, and one more for what
    # a machine with much to do hears late.
    assert len(busy) >= 6 and busy[5] - busy[0] > 3, busy
    last = of.publish()
    watcher.wait(lambda: watcher.size > last)
    for _ in range(6):
        wait_for(lambda: time.monotonic() - watcher.heard[-1].at > 1.2,
                 "a pause")
        begin = time.monotonic()
        last = of.publish()
        watcher.wait(lambda: watcher.size > last)
        took.append(next(h.at for h in watcher.heard
                         if h.point.size > last) - begin)
    assert sorted(took)[2] < 0.6, took
    assert watcher.faults == []


def test_each_mark_is_covered(witnesses):
    """Also where nothing else is: that nothing happened is signed too."""
    of = witnesses(mark_seconds=1)
    watcher = of.watch()
    watcher.wait(lambda: len(watcher.marks) >= 5)
    mark = watcher.marks[-1].sequence
    watcher.wait(lambda: watcher.size > mark)
    sizes = {p.size for p in watcher.points()}
    asked = min(h.point.size for h in watcher.heard)
    for one in watcher.marks:
        assert one.sequence < asked or one.sequence + 1 in sizes
    assert watcher.faults == []


# What marks say.

def widen(obj):
    """AFRIPOL may read what was Europol's and Frontex's."""
    for one in obj["channels"]:
        if one["id"] == "frontline":
            one["readers"].append("entity:AFRIPOL")


def narrow(obj):
    for one in obj["channels"]:
        if one["id"] == "frontline":
            one["readers"].remove("entity:AFRIPOL")


def story(of):
    """Records on all kinds of streams, and rosters between them."""
    of.publish(3, "members/a")
    of.publish(2, "frontline/a")
    of.publish(1, "@AFRIPOL+EUROPOL/a")
    assert of.broker.reload(of.broker.dialogue.follow(widen)).id == (
        "ROSTER-RECORDED")
    of.hello()
    of.publish(2, "frontline/b")
    of.publish(4, "dialogue/b", "SCO/rats")
    of.publish(2, "@AFRIPOL+EUROPOL/b", "AFRIPOL/hq")
    assert of.broker.reload(of.broker.dialogue.follow(narrow)).id == (
        "ROSTER-RECORDED")
    of.hello()
    of.publish(3, "frontline/c")


def test_roots_of_marks(witnesses):
    """Recomputed from the journal, with the veil key of the broker."""
    of = witnesses(mark_seconds=1)
    story(of)
    watcher = of.watch()
    seen = len(watcher.marks)
    watcher.wait(lambda: len(watcher.marks) > seen)
    of.broker.stop()
    places = [p.record for p in of.broker.records()]
    rosters = {p.record.sequence: roster.Roster(notes.parse(p.body)[0])
               for p in of.broker.records() if p.record.type == ledger.ROSTER}
    veil, checked = of.broker.dialogue.broker.secret["veil"], 0

    def stream(name, below):
        return [(r.sequence, r.leaf) for r in places if r.sequence < below
                and (r.channel == name or name[0] == "@"
                     and r.channel[0] == "@"
                     and name[1:] in r.channel[1:].split("+"))]

    for mark in (r for r in places if r.type == ledger.MARK):
        made = marks.MarkTree(rosters[mark.roster], veil, mark.sequence,
                              lambda name: stream(name, mark.sequence))
        assert marks.root_of(mark) == made.root, mark.sequence
        checked += 1
    assert checked >= 4


def held_of(session, name):
    """{number: Record} of what it may read of a stream."""
    return {n: p.record for n, p in session.fetch(name)}


@pytest.mark.parametrize("name", ["EUROPOL/hq", "AFRIPOL/hq", "SCO/rats",
                                  "UNODC/hq", "FRONTEX/hq"])
def test_claims_agree_with_what_is_held(witnesses, name):
    of = witnesses()
    story(of)
    session = of.broker.client(name)
    session.hello()
    log = [p.record for _, p in session.fetch("$log")]
    found = [r for r in log if r.type == ledger.MARK]
    assert len(found) >= 3
    for mark in found:
        check_claims(session, mark, name)


def check_claims(session, mark, name):
    claims = session.paths(mark)
    of = session.view.at[mark.roster]
    wanted = [s for s in marks.streams(of)
              if s == "@" + name.split("/")[0] or s[0] != "@"
              and any(may_read(r, name, s, now())
                      for r in (of, session.view.newest))]
    assert [c.stream for c in claims] == wanted
    for claim in claims:
        held = {n: r for n, r in held_of(session, claim.stream).items()
                if r.sequence < mark.sequence} if (
                    claim.stream in session.streams()) else {}
        assert not held or max(held) <= claim.count
        grown = tree.Tree()
        while grown.size < claim.count:
            if grown.size + 1 in held:
                grown.add(held[grown.size + 1].leaf)
                continue
            beyond = [n for n in held if n > grown.size]
            to = min(beyond) - 1 if beyond else claim.count
            if claim.stream not in session.streams():
                break  # of a stream that is read no more there is no cover
            grown.add_cover(to, session.cover(claim.stream, grown.size, to))
        else:
            assert grown.root() == claim.root, (claim.stream, mark.sequence)
        if held and max(held) == claim.count:
            assert held[claim.count].sequence == claim.last


def test_who_handed_in_gets_its_place(witnesses):
    """UNODC may not read the channel on which it handed a message in."""
    of = witnesses()
    of.publish(2, "frontline/a")
    file = contribution(of.at["EUROPOL/hq"], "frontline/b")
    carrier = of.broker.client("UNODC/hq")
    _, _, sequence, leaf = carrier.hand_in(file).accepted[0]
    assert of.broker.reload(of.broker.dialogue.follow()).id == (
        "ROSTER-RECORDED")
    carrier.hello()
    of.hello()
    mark = [p.record for _, p in carrier.fetch("$log")][-1]
    assert mark.type == ledger.MARK and mark.sequence > sequence
    (claim, number), = carrier.handed(mark, sequence, leaf)
    assert (claim.stream, number, claim.count) == ("frontline", 3, 3)
    author, other = of.at["EUROPOL/hq"], of.broker.client("FRONTEX/hq")
    assert len(author.handed(mark, sequence, leaf)) == 1
    other.hello()
    assert rule_of(other.handed, mark, sequence, leaf) == "NOT-FOUND"
    first = [p.record for _, p in carrier.fetch("$log")][1]
    assert rule_of(carrier.handed, first, sequence, leaf) == "NOT-FOUND"
    assert rule_of(carrier.handed, mark, 0, leaf) == "NOT-FOUND"


def test_covers(witnesses):
    of = witnesses()
    of.publish(21, "members/x")
    session = of.at["AFRIPOL/hq"]
    leaves = [p.record.leaf for _, p in session.fetch("members")]
    for first in range(0, 21, 3):
        for to in range(first + 1, 22):
            assert session.cover("members", first, to) == tree.cover(
                first, to, leaves)
    rats = of.at["SCO/rats"]
    for words, rule in (
            (("members", 0, 1), "UNKNOWN-STREAM"),
            (("nothing", 0, 1), "UNKNOWN-STREAM"),
            (("@EUROPOL", 0, 1), "UNKNOWN-STREAM"),
            (("dialogue", 0, 1), "MALFORMED")):
        assert rule_of(rats.cover, *words) == rule, words
    for words in (("members", 1, 1), ("members", 2, 1), ("members", 0, 22)):
        assert rule_of(session.cover, *words) == "MALFORMED", words


def test_requests_that_are_wrong(witnesses):
    of = witnesses()
    session = of.at["EUROPOL/hq"]
    encode = mp.encode
    for kind, value, rule in (
            ("checkpoint", [3, None], "MALFORMED"),
            ("checkpoint", [0], "MALFORMED"),
            ("checkpoint", [2, None], "MALFORMED"),
            ("checkpoint", [2, 99], "NOT-FOUND"),
            ("checkpoint", [-1, None], "MALFORMED"),
            ("paths", [0], "NOT-FOUND"), ("paths", [10 ** 6], "NOT-FOUND"),
            ("paths", [-1], "MALFORMED"), ("paths", [], "MALFORMED"),
            ("paths", ["x"], "MALFORMED"), ("handed", [1], "MALFORMED"),
            ("handed", [1, 0], "NOT-FOUND"), ("handed", [0, 0], "NOT-FOUND"),
            ("cover", ["dialogue", 0], "MALFORMED"),
            ("cover", [0, 0, 1], "MALFORMED")):
        assert rule_of(session.ask, kind, encode(value)) == rule, (kind,
                                                                   value)
        session.hello()  # ten of them would end the connection
        if rule == "MALFORMED":
            session.down()
            session.hello()


# Cosignatures.

def cosigned(session, point, at=None):
    return line_note(point, session.who, (at or now()) // 1000)


def test_settles_at_quorum_and_not_before(witnesses):
    of = witnesses()
    watcher = of.watch()
    last = of.publish(3)
    watcher.wait(lambda: watcher.size > last)
    one, two, three = of.at.values()
    point = point_of(one)
    for _ in range(3):  # the same line again counts once
        assert one.cosign(cosigned(one, point)) is None
    assert rule_of(one.checkpoint_note, wire.SETTLED) == "NOT-FOUND"
    assert watcher.settled == -1
    assert two.cosign(cosigned(two, point)) == point.size
    watcher.wait(lambda: watcher.settled == point.size)
    settled = one.checkpoint_note(wire.SETTLED)
    in_force = one.view.newest
    assert set(checkpoint.times(settled, in_force)) == {NAMES[0], NAMES[1]}
    assert one.checkpoint_note(wire.OF_ROSTER, 1) == settled
    assert three.cosign(cosigned(three, point)) == point.size
    watcher.wait(lambda: any(
        len(checkpoint.times(h.note, in_force)) == 3 for h in watcher.heard
        if h.kind == feed.COSIGNATURES))
    assert set(checkpoint.times(one.checkpoint_note(wire.SETTLED),
                                in_force)) == set(NAMES)
    assert watcher.faults == []
    last = of.publish()
    watcher.wait(lambda: watcher.size > last)
    assert point_of(one, wire.SETTLED) == point


def test_witnesses_that_cosign_all(witnesses):
    of = witnesses(mark_seconds=1)
    of_witness = [of.watch(name, cosigns=True) for name in NAMES[:2]]
    for n in (1, 7, 30):
        last = of.publish(n)
        for one in of_witness:
            one.wait(lambda: one.settled > last)
    for one in of_witness:
        assert one.faults == []


def test_cosignatures_that_are_refused(witnesses):
    of = witnesses()
    watcher = of.watch()
    last = of.publish(3)
    watcher.wait(lambda: watcher.size > last)
    one, written = of.at["EUROPOL/hq"], of.broker.client("AFRIPOL/written")
    written.hello()
    point = point_of(one)
    other = checkpoint.Checkpoint(point.origin, point.size, os.urandom(32))
    beyond = checkpoint.Checkpoint(point.origin, point.size + 7, point.root)
    origin = checkpoint.Checkpoint(point.origin + "0", point.size, point.root)
    note = cosigned(one, point)
    log = checkpoint.sign(point, of.broker.dialogue.broker)
    cases = [
        (one, cosigned(one, other), "BAD-COSIGNATURE"),
        (one, cosigned(one, beyond), "NOT-FOUND"),
        (one, cosigned(one, origin), "BAD-COSIGNATURE"),
        (one, note.replace("AAAA", "AAAB", 1), "BAD-COSIGNATURE"),
        (one, notes.join(point.text(), forged(of, point)),
         "BAD-COSIGNATURE"),
        (written, cosigned(written, point), "NOT-A-WITNESS"),
        (one, "", "MALFORMED"), (one, point.text(), "MALFORMED"),
        (one, note.replace("\n\n", "\nmore\n\n"), "MALFORMED"),
        (one, cosigned(of.at["AFRIPOL/hq"], point), "MALFORMED"),
        (one, log, "MALFORMED")]
    for n, (who, octets, rule) in enumerate(cases):
        found = rule_of(who.cosign, octets)
        assert found == rule, (n, found)
    assert rule_of(one.checkpoint_note, wire.SETTLED) == "NOT-FOUND"
    assert one.cosign(note) is None
    assert of.at["SCO/rats"].cosign(
        cosigned(of.at["SCO/rats"], point)) == point.size


def forged(of, point):
    """A line of EUROPOL's name and key id, by another key."""
    name = "EUROPOL/hq"
    line = checkpoint.cosign(point, of.at["SCO/rats"].who, now() // 1000)
    octets = keys.unb64(line.split(" ")[2].strip())
    key = of.at[name].who.public["witness"]
    return notes.line(name, key, octets[4:],
                               notes.COSIGNATURE)


# Starts, and what is shown to it.

def test_nothing_before_enough_witnesses(brokers, witnessed):
    """n - quorum + 1 of them: two. Others don't count, nor one twice."""
    broker = brokers(witnessed)
    broker.init()
    broker.start()
    reader = broker.client("FRONTEX/hq")
    reader.hello()
    first = broker.client("EUROPOL/hq")
    again = broker.client("EUROPOL/hq")
    for one in (first, again):
        assert one.hello().size == 2
        assert rule_of(one.publish, "dialogue/x", "early") == "BUSY"
    assert rule_of(first.checkpoint_note) == "NOT-FOUND"
    broker.client("SCO/rats").hello()
    assert first.publish("dialogue/x", "now")[0] >= 2
    wait_for(lambda: has_checkpoint(first), "a checkpoint")


def has_checkpoint(session):
    try:
        return point_of(session).size > 2
    except wire.DeskError:
        return False


def closing(of, point, signer=None):
    """What a session that shows this checkpoint is answered as state."""
    with of.broker.client("AFRIPOL/hq") as session:
        of.broker.sessions.remove(session)
        session.checkpoint = checkpoint.sign(
            point, signer or of.broker.dialogue.broker).encode()
        return session.hello().state


def test_checkpoint_that_the_ledger_lacks(witnesses):
    of = witnesses()
    watcher = of.watch()
    last = of.publish(4)
    watcher.wait(lambda: watcher.size > last)
    one = of.at["EUROPOL/hq"]
    point = point_of(one)
    size = one.hello().size
    older = checkpoint.Checkpoint(point.origin, 3, tree.root_of_leaves(
        all_leaves(one)[:3]))
    above = checkpoint.Checkpoint(point.origin, size + 9, point.root)
    stranger = keys.Identity("broker", "lyon", os.urandom(32))
    for shown, signer in ((older, None), (point, None), (above, stranger)):
        assert closing(of, shown, signer) == [0]
    foreign = checkpoint.Checkpoint("other.example/1", size + 9, point.root)
    assert closing(of, foreign) == [0]
    assert of.publish() > last
    assert closing(of, above) == [1, "LEDGER-BEHIND"]
    of.broker.daemon.wait_log("LEDGER-BEHIND")
    assert rule_of(one.publish, "dialogue/x", "no") == "LEDGER-BEHIND"
    assert rule_of(of.at["SCO/rats"].publish, "dialogue/x", "no") == (
        "LEDGER-BEHIND")
    assert len(one.fetch("dialogue")) == 5


def test_checkpoint_of_another_past(witnesses):
    of = witnesses()
    of.publish(4)
    one = of.at["EUROPOL/hq"]
    origin = checkpoint.origin(one.view.newest)
    fork = checkpoint.Checkpoint(origin, 4, os.urandom(32))
    assert closing(of, fork) == [1, "LEDGER-BEHIND"]
    assert rule_of(one.publish, "dialogue/x", "no") == "LEDGER-BEHIND"


def test_sizes_never_go_down(witnesses):
    """Over stops and kill -9, and what settled stays settled."""
    of = witnesses()
    top = settled = 0
    for turn in range(5):
        watcher = of.watch()
        last = of.publish(3)
        watcher.wait(lambda: watcher.size > last)
        sizes = [h.point.size for h in watcher.heard]
        assert min(sizes) >= top and watcher.faults == []
        top = max(sizes)
        point = point_of(of.at["EUROPOL/hq"])
        assert point.size >= top
        if turn % 2 == 0:
            for name in NAMES[:2]:
                of.at[name].cosign(cosigned(of.at[name], point))
            settled = point.size
        watcher.end()
        (of.broker.kill if turn % 2 else of.broker.stop)()
        of.broker.start()
        of.hello()
        wait_for(lambda: newest(of) >= top, "a checkpoint")
        assert point_of(of.at["SCO/rats"], wire.SETTLED).size == settled
    of.broker.stop()
    assert "damage" not in of.broker.fsck().lower()


def newest(of):
    """Its size; that of the settled one before this run signs any."""
    try:
        return point_of(of.at["EUROPOL/hq"]).size
    except wire.DeskError as error:
        assert error.rule == "NOT-FOUND"
        return -1


# Handover.

def others(obj):
    obj["witnesses"] = ["FRONTEX/hq", "UNODC/hq", "AFRIPOL/written"]


def test_handover(witnesses):
    """What first settles with other witnesses needs a quorum of both; from
    then on the new ones alone."""
    of = witnesses()
    watcher = of.watch()
    last = of.publish(3)
    watcher.wait(lambda: watcher.size > last)
    old = list(of.at.values())
    before = point_of(old[0])
    for one in old[:2]:
        one.cosign(cosigned(one, before))
    watcher.wait(lambda: watcher.settled == before.size)

    assert of.broker.reload(of.broker.dialogue.follow(others)).id == (
        "ROSTER-RECORDED")
    new = [of.broker.client(n) for n in ("FRONTEX/hq", "UNODC/hq",
                                         "AFRIPOL/written")]
    for one in old + new:
        one.hello()
    last = of.publish()
    watcher.wait(lambda: watcher.size > last)
    point = point_of(old[0])
    assert new[0].cosign(cosigned(new[0], point)) == before.size
    assert new[1].cosign(cosigned(new[1], point)) == before.size
    assert new[2].cosign(cosigned(new[2], point)) == before.size
    assert old[0].cosign(cosigned(old[0], point)) == before.size
    assert watcher.settled == before.size
    assert old[2].cosign(cosigned(old[2], point)) == point.size
    watcher.wait(lambda: watcher.settled == point.size)
    note = old[0].checkpoint_note(wire.OF_ROSTER, 2)
    assert len(checkpoint.times(note, old[0].view.newest)) == 3
    assert checkpoint.read(
        old[0].checkpoint_note(wire.OF_ROSTER, 1))[0] == before

    last = of.publish()
    watcher.wait(lambda: watcher.size > last)
    after = point_of(old[0])
    assert rule_of(old[0].cosign, cosigned(old[0], after)) == "NOT-A-WITNESS"
    new[0].cosign(cosigned(new[0], after))
    assert new[2].cosign(cosigned(new[2], after)) == after.size
    watcher.wait(lambda: watcher.settled == after.size)
    assert watcher.faults == []


def test_handover_over_a_restart(witnesses):
    """The broker remembers whose quorum it lacks, once that is on disk."""
    of = witnesses()
    watcher = of.watch()
    last = of.publish(3)
    watcher.wait(lambda: watcher.size > last)
    old = list(of.at.values())
    before = point_of(old[0])
    for one in old[:2]:
        one.cosign(cosigned(one, before))
    wait_for((of.broker.state / "checkpoints" / "settled").exists, "a file")
    assert of.broker.reload(of.broker.dialogue.follow(others)).id == (
        "ROSTER-RECORDED")
    watcher.end()
    of.broker.kill()
    of.broker.start()
    new = [of.broker.client(n) for n in ("FRONTEX/hq", "UNODC/hq")]
    for one in old + new:
        one.hello()
    wait_for(lambda: newest(of) > before.size, "a checkpoint")
    point = point_of(old[0])
    for one in new:
        assert one.cosign(cosigned(one, point)) == before.size
    assert old[0].cosign(cosigned(old[0], point)) == before.size
    assert old[1].cosign(cosigned(old[1], point)) == point.size
