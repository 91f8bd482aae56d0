"""kill -9 at random moments: what was promised is there, once, for ever.

PARLEY_TORTURE=1 makes 300 rounds of it; PARLEY_SEED repeats one run as far as
threads allow."""
import os
import random
import threading

from parley_client import ledger

from daemon import WAIT_S
from publishers import Publisher, Runs

ROUNDS = 300 if os.environ.get("PARLEY_TORTURE") == "1" else 40
SEED = int(os.environ.get("PARLEY_SEED") or random.randrange(1 << 32))
LEAVES = 8192


def all_leaves(session):
    out, size = [], session.status()["size"]
    while len(out) < size:
        out += session.leaves(len(out), min(LEAVES, size - len(out)))
    return out


def check_kept(session, publishers, before):
    """Nothing that was promised before the kill is lost or elsewhere, and
    all that is left of the last run stays as it was."""
    leaves = all_leaves(session)
    for promised in before:
        for sequence, leaf in promised:
            assert leaves[sequence] == leaf, f"record {sequence}"
    for one in publishers:
        one.check()
    return leaves


def check_journal(broker, publishers):
    """One record for each message, each where it was promised."""
    places, channels, ids = broker.records(), {}, {}
    for sequence, place in enumerate(places):
        record = place.record
        assert record.sequence == sequence
        channels.setdefault(record.channel, []).append(
            record.channel_sequence)
        if record.type == ledger.MESSAGE:
            id_ = record.header().id
            assert id_ not in ids, f"{ids[id_]} and {record.sequence}"
            ids[id_] = (record.sequence, record.leaf)
    for numbers in channels.values():
        assert numbers == list(range(1, len(numbers) + 1))
    for one in publishers:
        for id_, place in one.promised.items():
            assert ids[id_] == place


def tear(broker, moment):
    """What a power cut leaves that kill -9 can't: the front of a group that
    was being written, of which some pages are zeros."""
    path = broker.segments()[-1]
    octets = path.read_bytes()
    piece = bytearray(octets[moment.randrange(0, 80):][:moment.randrange(
        1, 70000)])
    at = moment.randrange(len(piece))
    piece[at:at + 4096] = bytes(len(piece[at:at + 4096]))
    with path.open("ab") as file:
        file.write(piece)


def one_round(broker, runs, publishers, sent, moment):
    """Kill after a few batches went out and a moment; check; start again."""
    while sent.acquire(blocking=False):
        pass
    for _ in range(moment.randrange(1, 40)):
        assert sent.acquire(timeout=WAIT_S)
    # No event tells of the middle of a write: any moment will do.
    threading.Event().wait(moment.random() * 0.003)
    broker.daemon.kill()
    if moment.random() < 0.3:
        tear(broker, moment)
    before = [list(one.promised.values()) for one in publishers]
    said = broker.fsck()
    broker.start()
    with broker.client("SCO/rats") as session:
        leaves = check_kept(session, publishers, before)
        broker.sessions.remove(session)
    assert len(leaves) >= broker.printed(said, "records")
    runs.next()
    return "torn tail" in said


def test_kill_under_load(brokers, dialogue):
    print(f"PARLEY_SEED={SEED}")
    moment = random.Random(SEED)
    broker = brokers(dialogue, segment=1 << 20, mark_seconds=1)
    broker.init()
    broker.start()
    runs, sent = Runs(broker), threading.Semaphore(0)
    publishers = [
        Publisher(runs, name, channel, moment.random(), sent)
        for name, channel in (("EUROPOL/hq", "members"),
                              ("AFRIPOL/hq", "members"),
                              ("FRONTEX/hq", "@EUROPOL+FRONTEX"),
                              ("UNODC/hq", "dialogue"))]
    for one in publishers:
        one.start()
    torn = 0
    try:
        for _ in range(ROUNDS):
            torn += one_round(broker, runs, publishers, sent, moment)
    finally:
        runs.stop()
        for one in publishers:
            one.join(WAIT_S)
    for one in publishers:
        one.check()
        assert not one.is_alive() and one.promised
    broker.stop()
    broker.fsck()
    check_journal(broker, publishers)
    print(f"{ROUNDS} rounds, {torn} with a torn tail,"
          f" {sum(one.repeated for one in publishers)} batches sent again,"
          f" {sum(len(one.promised) for one in publishers)} messages")


def test_killed_before_any_request(broker, client):
    broker.kill()
    broker.fsck()
    broker.start()
    assert client("EUROPOL/hq").hello().size == 2


def test_killed_in_a_row(broker, client):
    """A start that dies at once leaves nothing behind that a start needs."""
    client("EUROPOL/hq").publish("members/x", "kept")
    broker.kill()
    for n in range(10):
        daemon = broker.spawn()
        if n % 2:
            daemon.wait_log("LEDGER-OPEN", "INDEX-REBUILT", "LEDGER-CUT")
        daemon.kill()
    broker.start()
    assert len(client("AFRIPOL/hq").fetch("members")) == 1
