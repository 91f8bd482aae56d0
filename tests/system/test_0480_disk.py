"""A disk that runs full: refusals first, then a loud stop, and nothing lost.

The disk is a tmpfs in a mount namespace of its own, held by a process that
lives as long as the test."""
import errno
import os
import pathlib
import subprocess

import pytest

from parley_client.session import NoReply
from parley_client.wire import DeskError

from daemon import WAIT_S, wait_for

MIB = 1 << 20
DISK_MIB = 64
EXIT_DISK = 74
KEEP = 'mount -t tmpfs -o size=%dm tmpfs "$1" && echo ready && exec cat'


class Disk:
    """A small disk at `folder`; `seen` is the same from here."""

    def __init__(self, folder):
        folder.mkdir()
        self.keeper = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", KEEP % DISK_MIB, "sh", folder],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.ready = self.keeper.stdout.readline() == "ready\n"
        self.seen = pathlib.Path(
            f"/proc/{self.keeper.pid}/root{folder.resolve()}")

    def close(self):
        self.keeper.kill()
        self.keeper.communicate()

    @property
    def free(self):
        found = os.statvfs(self.seen)
        return found.f_bavail * found.f_frsize

    def leave(self, octets):
        """Fill it, but for so many."""
        self.make_room()
        with (self.seen / "filler").open("wb") as file:
            while True:
                try:  # the broker takes some meanwhile
                    os.posix_fallocate(file.fileno(), 0, self.free - octets)
                    return
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    os.truncate(file.fileno(), 0)

    def make_room(self):
        (self.seen / "filler").unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("a mount namespace needs root")
    one = Disk(tmp_path / "disk")
    if not one.ready:
        why = one.keeper.stderr.read().strip()
        one.close()
        pytest.skip(f"no tmpfs in a mount namespace here: {why}")
    yield one
    one.close()


@pytest.fixture
def inside(disk, brokers, dialogue):
    """inside(**settings): a running Broker with its state on that disk."""
    def start(**settings):
        one = brokers(dialogue, state="disk/state", **settings)
        one.prefix = ["nsenter", "-m", "-t", str(disk.keeper.pid)]
        one.init()
        return one.start()
    return start


def publish(author, count=1, octets=20000):
    promise = author.publish_many([("members/x", "y" * octets)] * count)
    return [r[2:] for r in promise.refused], promise


def until_refused(author):
    while True:
        refused, _ = publish(author)
        if refused:
            return refused[0]


def test_no_space(inside, disk):
    """Refused, signed, while there is room for what has to go on."""
    kept = 40 * MIB
    broker = inside(keep_free=kept, mark_seconds=1)
    author = broker.client("EUROPOL/hq")
    assert publish(author, 20)[0] == []
    disk.leave(kept + MIB // 2)
    rule, values = until_refused(author)
    assert rule == "NO-SPACE" and sorted(values) == ["free", "kept"]
    assert values["kept"] == kept > values["free"] > kept - 6 * MIB
    assert "NO-SPACE" in broker.daemon.wait_log("CLOSED").text
    assert author.hello().state == [1, "NO-SPACE"]
    reader = broker.client("AFRIPOL/hq")
    before = len(reader.fetch("members"))
    log = reader.streams()["$log"].last
    wait_for(lambda: reader.streams()["$log"].last > log, "marks go on")
    assert publish(author)[0][0][0] == "NO-SPACE"
    assert len(reader.fetch("members")) == before
    disk.make_room()
    broker.daemon.wait_log("OPEN")
    assert publish(author, 20)[0] == []
    assert author.hello().state == [0]


def test_keep_free_by_reload(inside, disk):
    """Its operator lowers what is kept."""
    broker = inside(keep_free=40 * MIB)
    disk.leave(30 * MIB)
    author = broker.client("EUROPOL/hq")
    assert until_refused(author)[0] == "NO-SPACE"
    broker.configure(keep_free=10 * MIB)
    assert broker.reload().id == "ROSTER-SAME"
    broker.daemon.wait_log("OPEN")
    assert publish(author)[0] == []


def test_roster_without_space(inside, disk, dialogue):
    """Rosters wait too; it is said."""
    broker = inside(keep_free=40 * MIB)
    author = broker.client("EUROPOL/hq")
    author.hello()
    disk.leave(30 * MIB)
    broker.daemon.wait_log("CLOSED")
    line = broker.reload(dialogue.follow())
    assert line.id == "ROSTER-REFUSED" and "NO-SPACE" in line.text
    disk.make_room()
    broker.daemon.wait_log("OPEN")
    assert broker.reload().id == "ROSTER-RECORDED"


@pytest.mark.parametrize("left", [0, 4096, 300000])
def test_full(inside, disk, left):
    """Nothing is kept free, and the disk is full: it stops, loudly, with
    all that it promised."""
    broker = inside(segment=4 * MIB)
    author, promised = broker.client("EUROPOL/hq"), []
    for _ in range(10):
        _, promise = publish(author, 20)
        promised += promise.accepted
    disk.leave(left)
    lost = None
    while broker.daemon.is_alive():
        lost = author.sign([author.make("members/x", "z" * 20000)
                            for _ in range(20)])
        try:
            promised += author.send_batch(lost).accepted
        except NoReply:
            break
    assert broker.daemon.wait(WAIT_S) == EXIT_DISK
    line = next(one for one in broker.daemon.lines
                if one.id in ("COMMIT-FAILED", "SEGMENT-FAILED"))
    assert line.level == "ERROR" and "No space left" in line.text
    broker.fsck()
    disk.make_room()
    broker.start()
    leaves = author.leaves(0, 8000)
    for _, _, sequence, leaf in promised:
        assert leaves[sequence] == leaf
    first = author.send_batch(lost)
    assert not first.refused
    assert author.send_batch(lost).accepted == first.accepted
    found = broker.client("AFRIPOL/hq").fetch("members")
    ids = [p.record.header().id for _, p in found]
    assert len(ids) == len(set(ids))


def test_start_on_a_full_disk(inside, disk):
    """Nothing to cut, nothing to write: it starts, or says what it lacks;
    with room again all is there."""
    broker = inside(segment=MIB)
    author = broker.client("EUROPOL/hq")
    for _ in range(4):
        publish(author, 20)
    broker.kill()
    disk.leave(0)
    daemon = broker.spawn()
    line = daemon.wait_log("READY", "START-FAILED")
    if line.id == "START-FAILED":
        assert daemon.wait(WAIT_S) == EXIT_DISK
        assert "No space left" in line.text
    else:
        daemon.kill()
    broker.fsck()
    disk.make_room()
    broker.start()
    assert len(broker.client("AFRIPOL/hq").fetch("members")) == 80


def test_refusals_on_a_full_disk(inside, disk):
    """A refusal needs no record; if it can't be kept, that is said."""
    broker = inside(keep_free=MIB)
    observer = broker.client("UNODC/hq")
    observer.hello()
    disk.leave(0)
    refused, _ = publish(observer)
    assert refused[0][0] in ("NOT-A-WRITER", "NO-SPACE")
    assert observer.hello().state in ([0], [1, "NO-SPACE"])
    with pytest.raises(DeskError) as error:
        observer.fetch("members")
    assert error.value.rule == "UNKNOWN-STREAM"
    assert broker.daemon.is_alive()
