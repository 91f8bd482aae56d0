"""What a broker keeps of its checkpoints, and what fsck and a start make of
them, and of marks' roots, where something happened to the ledger."""
import shutil

import pytest

from parley_client import checkpoint, keys
from parley_client.wire import DeskError

from daemon import WAIT_S

DAMAGED = 65


@pytest.fixture
def ledger(broker, client):
    """A stopped broker with some records, two marks at least, and `settled`,
    as text."""
    author = client("EUROPOL/hq")
    for n in range(3):
        author.publish_many([(f"members/{i}", f"{n}") for i in range(5)])
    author.publish("@AFRIPOL+EUROPOL/x", "between us")
    broker.reload(broker.dialogue.follow())
    author.publish("dialogue/x", "last")
    broker.stop()
    return broker, (broker.state / "checkpoints" / "settled").read_text()


def point_of(note):
    return checkpoint.read(note)[0]


def refuses(broker, words):
    daemon = broker.spawn()
    line = daemon.wait_log("START-FAILED", "READY")
    assert daemon.wait(WAIT_S) == DAMAGED
    assert words in line.text


def kept(broker):
    return {p.name for p in (broker.state / "checkpoints").iterdir()}


def test_fine(ledger):
    """The newest, and the first that settled with each roster."""
    broker, settled = ledger
    assert kept(broker) == {"settled", "roster-1", "roster-2"}
    point = point_of(settled)
    said = broker.fsck()
    assert broker.printed(said, "records") == point.size
    assert broker.printed(said, "checkpoints") == 3
    marks = [p for p in broker.records() if p.record.type == 2]
    assert broker.printed(said, "marks") == len(marks) >= 2
    said = broker.run("fsck", broker.state)
    assert "marks       not checked" in said


def test_another_key(ledger):
    """Salts by another key than the broker's."""
    broker, _ = ledger
    secret = broker.folder / "broker.key"
    other = keys.Identity("broker", "lyon", bytes(32))
    secret.write_text(other.secret_file())
    said = broker.fsck(code=DAMAGED)
    assert "is not that of 'lyon': the mark's root can't be checked" in said


@pytest.mark.parametrize("name", ["settled", "roster-1"])
def test_another_root(ledger, name):
    broker, settled = ledger
    path = broker.state / "checkpoints" / name
    point = point_of(path.read_text())
    point = checkpoint.Checkpoint(point.origin, point.size, bytes(32))
    path.write_text(checkpoint.sign(point, broker.dialogue.broker))
    said = broker.fsck(code=DAMAGED)
    assert f"{name}: the ledger has another root at its size" in said
    if name == "settled":
        refuses(broker, "another root")


@pytest.mark.parametrize("octets", ["", "no note", None])
def test_no_checkpoint(ledger, octets):
    broker, settled = ledger
    path = broker.state / "checkpoints" / "settled"
    path.write_text(settled[:-40] if octets is None else octets)
    broker.fsck(code=DAMAGED)
    refuses(broker, "checkpoints/settled")


def test_gone(ledger):
    """Missing files are made anew by what comes."""
    broker, settled = ledger
    shutil.rmtree(broker.state / "checkpoints")
    assert broker.printed(broker.fsck(), "checkpoints") == 0
    broker.start()
    broker.client("EUROPOL/hq").publish("dialogue/x", "more")
    broker.stop()
    assert kept(broker) == {"settled", "roster-2"}
    point = point_of(
        (broker.state / "checkpoints" / "settled").read_text())
    assert point.size > point_of(settled).size
    broker.fsck()


def test_journal_of_yesterday(ledger, tmp_path):
    """The journal alone comes from an older copy: nobody has to show a thing,
    nothing is taken or signed, and all is served that is there."""
    broker, settled = ledger
    shutil.copytree(broker.state / "journal", tmp_path / "old")
    broker.start()
    broker.client("EUROPOL/hq").publish("dialogue/x", "more")
    broker.stop()
    shutil.rmtree(broker.state / "journal")
    shutil.rmtree(broker.state / "index")
    (broker.state / "index").mkdir(mode=0o700)
    shutil.copytree(tmp_path / "old", broker.state / "journal")
    assert "an old copy of it was brought back" in broker.fsck(code=DAMAGED)
    broker.start()
    line = broker.daemon.wait_log("LEDGER-BEHIND")
    assert int(line.value("size")) == point_of(settled).size
    reader = broker.client("AFRIPOL/hq")
    assert reader.hello().state == [1, "LEDGER-BEHIND"]
    with pytest.raises(DeskError) as refused:
        reader.publish("members/x", "no")
    assert refused.value.rule == "LEDGER-BEHIND"
    assert len(reader.fetch("members")) == 15
