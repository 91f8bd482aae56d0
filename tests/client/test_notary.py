"""Checkpoints, cosignatures and claims: the client against the broker in
memory."""

import itertools
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "vectors")]

import world as w  # noqa: E402
from fake_broker import Broker  # noqa: E402
from parley_client import checkpoint, ledger, tree, wire  # noqa: E402
from parley_client.auditor import Auditor, line_note  # noqa: E402
from parley_client.errors import Refused  # noqa: E402
from parley_client.session import Session  # noqa: E402
from watcher import Watcher  # noqa: E402

TIME = w.T0 // 1000


@pytest.fixture
def broker():
    ticks = itertools.count(w.T0)
    b = Broker(w.BROKER, w.NOTE1, lambda: next(ticks))
    b.start()
    yield b
    b.end()


@pytest.fixture
def join(broker):
    open_ones = []

    def start(who, **more):
        s = Session(w.NOTE1, who, broker.desk_endpoint, broker.feed_endpoint,
                    **{"wait_s": 60, **more})
        open_ones.append(s)
        return s

    yield start
    for s in open_ones:
        s.close()


def refused(call, *args):
    with pytest.raises(Refused) as error:
        call(*args)
    return error.value.rule


def audit(session):
    """An Auditor that has all leaves."""
    one = Auditor(session.view, session.who)
    session.hello()
    one.add_leaves(0, session.leaves(0, wire.LEAVES))
    return one


def last_mark(session):
    return [p.record for _, p in session.fetch("$log")
            if p.record.type == ledger.MARK][-1]


def test_cosigned_and_settled(join):
    s, other = join(w.EUROPOL), join(w.RATS)
    s.publish("members/x", "1")
    a, b = audit(s), audit(other)
    note = s.checkpoint_note()
    assert a.verify(note).size == 3
    assert refused(s.checkpoint_note, wire.SETTLED) == "NOT-FOUND"
    mark = last_mark(s)
    now = mark.log_time + 5
    assert s.cosign(a.cosign(note, now, mark.log_time)) is None
    assert other.cosign(b.cosign(note, now, mark.log_time)) == 3
    settled = s.checkpoint_note(wire.SETTLED)
    assert a.settle(settled)
    assert checkpoint.times(settled, w.ROSTER1) == {
        "EUROPOL/hq": TIME, "SCO/rats": TIME}
    assert s.checkpoint_note(wire.OF_ROSTER, 1) == settled
    assert refused(s.checkpoint_note, wire.OF_ROSTER, 2) == "NOT-FOUND"


def test_cosignatures_that_are_none(join):
    s, written = join(w.EUROPOL), join(w.WRITTEN)
    s.hello()
    point = checkpoint.read(s.checkpoint_note())[0]
    wrong = checkpoint.Checkpoint(point.origin, 2, bytes(32))
    beyond = checkpoint.Checkpoint(point.origin, 99, bytes(32))
    bad = "BAD-COSIGNATURE"
    assert refused(s.cosign, line_note(wrong, w.EUROPOL, TIME)) == bad
    assert refused(s.cosign, line_note(beyond, w.EUROPOL, TIME)) == (
        "NOT-FOUND")
    assert refused(s.cosign, line_note(point, w.AFRIPOL, TIME)) == bad
    assert refused(written.cosign, line_note(point, w.WRITTEN, TIME)) == (
        "NOT-A-WITNESS")
    assert refused(s.cosign, "x") == "MALFORMED"


def test_claims(broker, join):
    s, rats = join(w.EUROPOL), join(w.RATS)
    s.publish("members/x", "1")
    sequence, leaf = s.publish("@AFRIPOL+EUROPOL/x", "2")
    broker.tell(lambda b: b.mark())
    mark = last_mark(s)
    claims = {c.stream: c for c in s.paths(mark)}
    assert list(claims) == ["dialogue", "members", "frontline", "@EUROPOL"]
    for name, claim in claims.items():
        held = [p.record for _, p in s.fetch(name)]
        assert claim.count == len(held)
        assert claim.root == tree.root_of_leaves([r.leaf for r in held])
        assert claim.last == (held[-1].sequence if held else None)
    rats.hello()
    assert [c.stream for c in rats.paths(last_mark(rats))] == [
        "dialogue", "frontline", "@SCO"]
    places = s.handed(mark, sequence, leaf)
    assert [(c.stream, n) for c, n in places] == [("@EUROPOL", 1),
                                                  ("@AFRIPOL", 1)]
    assert refused(rats.handed, mark, sequence, leaf) == "NOT-FOUND"
    assert refused(s.handed, mark, 0, leaf) == "NOT-FOUND"
    assert s.cover("members", 0, 1) == [s.leaves(2, 1)[0]]
    assert refused(rats.cover, "members", 0, 1) == "UNKNOWN-STREAM"
    assert refused(s.cover, "members", 0, 2) == "MALFORMED"


def test_feed(broker, join):
    writer = join(w.EUROPOL)
    with Watcher(join(w.AFRIPOL)) as watcher:
        watcher.wait(lambda: watcher.size >= 2)
        writer.publish_many([("members/x", str(i)) for i in range(256)])
        broker.tell(lambda b: b.mark())
        watcher.wait(lambda: watcher.size == 259)
        assert {p.size for p in watcher.points()} <= {2, 258, 259}
        assert watcher.marks[-1].sequence == 258
        assert watcher.faults == []
