"""What a start makes of a ledger that something happened to: a last group
that was never whole is set aside, all else stops the broker."""
import shutil

import shutil

import pytest

from parley_client import segment
from parley_client.wire import DeskError

from daemon import WAIT_S

FRAME = segment.FRAME  # octets of a group's header, and of its end
DAMAGED = 65


@pytest.fixture
def ledger(broker, client):
    """A stopped broker whose journal has some groups; its last Segment's
    path and its records' leaves."""
    author = client("EUROPOL/hq")
    for n in range(6):
        author.publish_many([("members/x", f"{n} {i}" * 40)
                             for i in range(20)])
    leaves = author.leaves(0, 200)
    broker.stop()
    # what never was whole was not signed either
    shutil.rmtree(broker.state / "checkpoints")
    path, = broker.segments()
    return broker, path, leaves


def groups_of(path):
    """[(offset of the header, of the end's end)] of each group."""
    out, at = [], segment.HEADER
    for _, blocks in segment.read(path.read_bytes()).groups:
        end = at + 2 * FRAME + sum(map(len, blocks))
        out.append((at, end))
        at = end
    return out


def cut(path, size):
    with path.open("r+b") as file:
        file.truncate(size)


def flip(path, at):
    octets = bytearray(path.read_bytes())
    octets[at] ^= 0x10
    path.write_bytes(octets)


def starts(broker, records):
    """It starts, with so many records; the log line that tells of a cut, or
    None."""
    broker.start()
    line = next((one for one in broker.daemon.lines
                 if one.id == "LEDGER-CUT"), None)
    assert broker.client("AFRIPOL/hq").hello().size == records
    return line


def refuses(broker, word):
    """It does not start: its exit code and one line say why, fsck too."""
    daemon = broker.spawn()
    line = daemon.wait_log("START-FAILED", "READY")
    assert line.id == "START-FAILED"
    assert daemon.wait(WAIT_S) == DAMAGED
    said = broker.fsck(code=DAMAGED)
    assert word in line.text and word in said


def check_kept(broker, leaves):
    """Whatever is left is the front of what was there."""
    session = broker.client("AFRIPOL/hq")
    assert session.leaves(0, 200) == leaves[:session.status()["size"]]
    session.fetch("members")


@pytest.mark.parametrize("octets", [0, 1, 20, 31, 32])
def test_open_header_cut(ledger, octets):
    """Without its open header, or with a part of it, the last group is
    whole: nothing is lost."""
    broker, path, leaves = ledger
    size = path.stat().st_size
    assert segment.read(path.read_bytes()).open_header
    cut(path, size - octets)
    assert broker.printed(broker.fsck(), "records") == len(leaves)
    line = starts(broker, len(leaves))
    assert (line is not None) == (octets not in (0, 32))
    check_kept(broker, leaves)


@pytest.mark.parametrize("octets", [1, 31, 32, 33, 500, 4000])
def test_last_group_torn(ledger, octets):
    broker, path, leaves = ledger
    start, end = groups_of(path)[-1]
    cut(path, end - octets)
    # What is not synced whole was never signed.
    shutil.rmtree(broker.state / "checkpoints", ignore_errors=True)
    torn = path.read_bytes()[start:]
    left = len(leaves) - 20
    assert f"torn tail   {len(torn)} octets" in broker.fsck()
    line = starts(broker, left)
    assert line.value("octets") == str(len(torn))
    kept, = (broker.state / "journal").glob("cut-*")
    assert str(kept) == line.value("kept") and kept.read_bytes() == torn
    assert kept.name.endswith(f"-{left}")
    check_kept(broker, leaves)
    broker.client("EUROPOL/hq").publish("members/x", "goes on")
    broker.restart()
    assert broker.client("EUROPOL/hq").hello().size == left + 1
    assert "LEDGER-CUT" not in [one.id for one in broker.daemon.lines]


def test_garbage_behind(ledger):
    broker, path, leaves = ledger
    for garbage in (b"\0" * 5000, b"PLYG" + b"\xff" * 99, b"PLYB\0\0\0\1"):
        with path.open("ab") as file:
            file.write(garbage)
        assert starts(broker, len(leaves))
        broker.stop()
    broker.fsck()


@pytest.mark.parametrize("at", ["first header", "first block", "first end",
                                "last block", "last end", "last header"])
def test_octet_flipped(ledger, at):
    """A synced group that is not what it was is damage, the last one too:
    a header stands behind it."""
    broker, path, _ = ledger
    groups = groups_of(path)
    start, end = groups[0] if at.startswith("first") else groups[-1]
    place = {"header": start + 9, "block": start + FRAME + 700,
             "end": end - 12}[at.split()[1]]
    flip(path, place)
    refuses(broker, path.name)


def test_segment_header_flipped(ledger):
    broker, path, _ = ledger
    for at in (0, 20, 44, 60, 70, 79):
        flip(path, at)
        refuses(broker, path.name)
        flip(path, at)
    broker.fsck()


def test_segment_of_another_ledger(ledger, tmp_path):
    broker, path, _ = ledger
    octets = bytearray(path.read_bytes())
    octets[8:40] = bytes(32)
    octets[72:80] = segment.xxh3(bytes(octets[:72])).to_bytes(8, "big")
    path.write_bytes(octets)
    refuses(broker, path.name)


@pytest.fixture
def segments(brokers, dialogue):
    """A stopped broker with several segments."""
    broker = brokers(dialogue, segment=1 << 20)
    broker.init()
    broker.start()
    author = broker.client("EUROPOL/hq")
    for _ in range(6):
        author.publish_many([(f"members/{i}", "z" * 30000)
                             for i in range(20)])
    leaves = author.leaves(0, 200)
    broker.stop()
    assert len(broker.segments()) >= 3
    return broker, leaves


def test_segment_missing(segments):
    broker, _ = segments
    missing = broker.segments()[1]
    missing.rename(broker.folder / "away")
    refuses(broker, "or one is missing")


def test_segment_shorter(segments):
    """A later one says how long the one before it was."""
    broker, _ = segments
    path = broker.segments()[0]
    cut(path, path.stat().st_size - 1)
    refuses(broker, "or one is missing")


@pytest.mark.parametrize("how", ["missing", "short", "unfit"])
@pytest.mark.parametrize("what", ["leaves", "blocks", "stream-*",
                                  "*.snap", "*"])
def test_made_anew(segments, what, how):
    """What can be made from the segments is, when it is gone or unfit."""
    broker, leaves = segments
    found = list((broker.state / "index").glob(what))
    assert found
    for path in found:
        if how == "missing":
            path.unlink()
        elif how == "short":
            cut(path, path.stat().st_size // 2)
        else:
            path.write_bytes(b"\xa5" * path.stat().st_size)
    starts(broker, len(leaves))
    check_kept(broker, leaves)
    sequence, _ = broker.client("EUROPOL/hq").publish("members/1", "next")
    last, = [p for _, p in broker.client("AFRIPOL/hq").fetch("members", 121)]
    assert (last.record.sequence, last.record.previous) == (
        sequence, len(leaves) - 19)
    broker.restart()
    starts_with = broker.client("AFRIPOL/hq").leaves(0, 200)
    assert starts_with[:len(leaves)] == leaves
    broker.stop()
    broker.fsck()


def test_index_flipped(segments):
    """A start reads the end of the index alone; who meets a fault below is
    told to ask again, and the operator what to do."""
    broker, _ = segments
    broker.start()
    author = broker.client("EUROPOL/hq")
    author.publish_many([("members/x", "small")] * 256)
    for _ in range(6):
        author.publish_many([(f"members/{i}", "z" * 30000)
                             for i in range(20)])
    size, leaves = author.status()["size"], author.leaves(0, 200)
    broker.stop()
    index = broker.state / "index"
    flip(index / "leaves", (index / "leaves").stat().st_size // 4)
    starts(broker, size)
    with pytest.raises(DeskError) as refused:
        broker.client("AFRIPOL/hq").leaves(0, 200)
    assert refused.value.rule == "BUSY"
    line = broker.daemon.wait_log("LEDGER-DAMAGED")
    assert "without the index's folder it is made anew" in line.text
    broker.stop()
    for path in index.iterdir():
        path.unlink()
    index.rmdir()
    starts(broker, size)
    check_kept(broker, leaves)


@pytest.mark.parametrize("octets, code", [(None, 78), (b"{}", 65),
                                          (b"\0" * 50, 65)])
def test_ledger_json(ledger, octets, code):
    broker, _, _ = ledger
    path = broker.state / "ledger.json"
    path.unlink()
    if octets is not None:
        path.write_bytes(octets)
    daemon = broker.spawn()
    line = daemon.wait_log("START-FAILED", "READY")
    assert daemon.wait(WAIT_S) == code
    assert ("parley-broker init" if octets is None else "ledger.json") in \
        line.text
    said = broker.run("init", "--config", broker.config, code=78)
    assert "INIT-FAILED" in said and path.exists() == (octets is not None)


def test_ledger_behind(ledger):
    """An agent shows a promise that the ledger does not hold any more."""
    broker, path, leaves = ledger
    cut(path, groups_of(path)[-1][1] - 100)
    author = broker.sessions[0]
    broker.start()
    assert author.highest[9] == len(leaves) - 1
    assert author.hello().state == [1, "LEDGER-BEHIND"]
    line = broker.daemon.wait_log("LEDGER-BEHIND")
    assert line.value("sequence") == str(len(leaves) - 1)
    other = broker.client("AFRIPOL/hq")
    assert other.hello().state == [1, "LEDGER-BEHIND"]
    with pytest.raises(DeskError) as refused:
        other.publish("members/x", "no")
    assert refused.value.rule == "LEDGER-BEHIND"
    assert len(other.fetch("members")) == 100, "reading goes on"
    assert other.status()["size"] == len(leaves) - 20
