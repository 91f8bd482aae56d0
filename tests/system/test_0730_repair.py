"""A ledger that lost its end, or has a damaged block, gets it back from what
agents of several bodies export: none of them holds all of it."""
import contextlib
import re
import shutil
import sqlite3
import subprocess

import pytest

from agents import Agent, free_port
from conftest import program
from daemon import wait_for
from holdings import check_holdings, wait_complete
from witnesses import NAMES as WITNESSES
from wronged import wait_current

NAMES = ("EUROPOL/hq", "AFRIPOL/hq", "FRONTEX/hq", "UNODC/hq")
ADHOC = "@AFRIPOL+FRONTEX/direct"


@pytest.fixture
def bodies(steady, agents):
    """Agents by name, running."""
    return {name: agents(name, steady).start() for name in NAMES}


def talk(bodies, words):
    """Something on each kind of channel; no body may read all of it."""
    hq, afripol, frontex, unodc = bodies.values()
    for n in range(3):
        hq.publish("dialogue/a", f"{words} {n}")
        hq.publish("frontline/b", f"{words} {n}, of the frontline")
        afripol.publish(ADHOC, f"{words} {n}, between two")
        frontex.publish("members/c", f"{words} {n}, of members")
        unodc.publish("dialogue/a", f"{words} {n}, observed")


def size_of(agent):
    return (agent.get("status")["ledger"]["settled"] or {}).get("size", -1)


def wait_covered(broker, bodies):
    """Until a settled checkpoint covers all, everywhere; its size."""
    wait_complete(broker, *bodies.values())
    with broker.client("SCO/rats") as session:
        size = session.hello().size
        broker.sessions.remove(session)
    for one in bodies.values():
        wait_for(lambda: size_of(one) >= size, f"{one.name}: {size} settled",
                 every_s=0.05)
    return size


def copy(broker, name="copy"):
    broker.stop()
    shutil.copytree(broker.state, broker.folder / name)
    broker.start()
    return broker.folder / name


def put_back(broker, old):
    """The folder of now is gone, and the old copy is used."""
    broker.stop()
    right = broker.folder / "right"
    broker.state.rename(right)
    shutil.copytree(old, broker.state)
    return right


def export(agent, *words):
    path = agent.folder / f"bundle{len(list(agent.folder.glob('bundle*')))}"
    done = subprocess.run([program("parley"), "--socket", agent.socket,
                           "audit", "export", path, *words], timeout=60,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path


def repair(broker, bundles, *words, code=0):
    return broker.run("repair", "--config", broker.config, *words, *bundles,
                      code=code)


def journal(state):
    return {path.name: path.read_bytes()
            for path in (state / "journal").glob("0*.seg")}


def leaves(broker):
    return [place.record.leaf for place in broker.records()]


def check_alarmed(bodies):
    for one in bodies.values():
        wait_for(lambda: "LEDGER-BEHIND" in [a["kind"] for a in one.alarms()],
                 f"{one.name}: alarm", every_s=0.05)


def test_lost_end(steady, dialogue, bodies):
    talk(bodies, "before")
    wait_covered(steady, bodies)
    old = copy(steady)
    talk(bodies, "lost")
    wait_covered(steady, bodies)
    steady.reload(dialogue.follow(lambda obj: obj.update(name="Second")))
    talk(bodies, "lost under the second")
    size = wait_covered(steady, bodies)
    right = put_back(steady, old)
    had = steady.printed(steady.fsck(), "records")
    steady.start()
    assert had < size
    check_alarmed(bodies)
    steady.daemon.wait_log("LEDGER-BEHIND")
    assert "repair" in steady.daemon.log()
    bundles = [export(one) for one in bodies.values()]
    repair(steady, bundles, code=75)
    steady.stop()

    # Without one body something lacks, and nothing is written.
    before = journal(steady.state)
    said = repair(steady, [bundles[0], bundles[3]], code=65)
    assert re.search(r"^lacking ", said, re.M), said
    assert "AFRIPOL" in said and "FRONTEX" in said
    assert journal(steady.state) == before
    said = repair(steady, bundles, "--dry-run")
    assert f"{size - had} records would be appended" in said
    assert journal(steady.state) == before

    said = repair(steady, bundles)
    assert f"{size - had} records were appended, to the {size}" in said
    assert "fine" in steady.fsck()
    restored = leaves(steady)
    found = [place.body[16:].decode() for place in steady.records()
             if place.record.type == 0]
    steady.state.rename(steady.folder / "repaired")
    right.rename(steady.state)
    assert leaves(steady)[:size] == restored
    steady.state.rename(right)
    (steady.folder / "repaired").rename(steady.state)
    assert found.count("lost 2, between two") == 1

    # Again, it has nothing to do; and all go on.
    assert "nothing is appended" in repair(steady, bundles)
    steady.start()
    talk(bodies, "after")
    wait_covered(steady, bodies)
    for one in bodies.values():
        assert one.get("status")["broker"]["closed"] is None
    steady.stop()
    for one in bodies.values():
        check_holdings(one, dialogue, steady.records())


@pytest.fixture
def last_second(steady, bodies):
    """Records that were promised, and that no checkpoint covers: the broker dies
    before; its folder is of before them, or is gone. -> (bundles, its size)."""
    talk(bodies, "before")
    wait_covered(steady, bodies)
    old = copy(steady)
    talk(bodies, "lost")
    wait_covered(steady, bodies)
    for one in bodies.values():
        one.wait_entry(one.publish("dialogue/a", "at last")["number"])
    size = wait_covered(steady, bodies)
    bundles = [export(one) for one in bodies.values()]
    put_back(steady, old)
    for path in bundles:  # as if none of it had been signed for yet
        keep = entries(path / "checkpoints", 4)
        sizes = [int(octets.split(b"\n")[1]) for octets in keep]
        had = [n for n, at in enumerate(sizes) if at < size - 9]
        (path / "checkpoints").write_bytes(b"".join(
            len(keep[n]).to_bytes(4, "big") + keep[n] for n in had))
        (path / "claims").unlink(missing_ok=True)
    return bundles, size


def entries(path, tail):
    octets, out = path.read_bytes(), []
    while octets:
        end = 4 + int.from_bytes(octets[:4], "big")
        out.append(octets[4:end])
        octets = octets[end:]
    return out


def test_last_second(steady, dialogue, bodies, last_second):
    """What is promised comes back without a checkpoint, and all go on."""
    bundles, size = last_second
    had = steady.printed(steady.fsck(), "records")
    said = repair(steady, bundles)
    assert re.search(r"^promised .* were appended", said, re.M), said
    assert steady.printed(steady.fsck(), "records") == size > had
    steady.start()
    talk(bodies, "after")
    wait_covered(steady, bodies)
    for one in bodies.values():
        assert one.get("status")["broker"]["closed"] is None
        wait_current(one)
    steady.stop()
    for one in bodies.values():
        check_holdings(one, dialogue, steady.records())


def test_last_second_in_part(steady, bodies, last_second):
    """One body's word moves nothing; what is lost is named."""
    bundles, size = last_second
    said = repair(steady, bundles[:1], code=65)
    assert re.search(r"^lost +record \d+, promised to EUROPOL/hq", said, re.M)
    assert "one body alone tells of it" in said or "nobody brought" in said
    assert "EUROPOL" not in said.split("ask for bundles")[1].split(";")[0]
    assert steady.printed(steady.fsck(), "records") < size
    repair(steady, bundles)
    assert steady.printed(steady.fsck(), "records") == size


def test_two_pasts(steady, bodies):
    talk(bodies, "before")
    wait_covered(steady, bodies)
    old = copy(steady)
    talk(bodies, "one past")
    wait_covered(steady, bodies)
    bundles = [export(one) for one in bodies.values()]
    for one in bodies.values():
        one.stop()
    put_back(steady, old)
    steady.start()
    stranger = steady.client("SCO/rats")
    first = stranger.hello().size
    stranger.publish("dialogue/a", "another past")
    steady.stop()
    before = journal(steady.state)
    said = repair(steady, bundles, code=65)
    assert f"record {first} of this ledger" in said and "epoch" in said
    assert journal(steady.state) == before


def test_damage(steady, dialogue, bodies):
    talk(bodies, "whole")
    wait_covered(steady, bodies)
    bodies["AFRIPOL/hq"].publish(ADHOC, "alone, between two")
    wait_covered(steady, bodies)  # another group
    bodies["EUROPOL/hq"].publish("frontline/b", "alone, of the frontline")
    size = wait_covered(steady, bodies)
    bundles = [export(one) for one in bodies.values()]
    steady.stop()
    before = journal(steady.state)
    [path] = steady.segments()
    octets = bytearray(path.read_bytes())
    for words in (b"alone, between two", b"alone, of the frontline"):
        octets[octets.index(words)] ^= 4
    path.write_bytes(octets)
    damaged = journal(steady.state)
    assert "damaged" in steady.fsck(code=65)
    daemon = steady.spawn()
    assert daemon.wait() == 65 and "repair" in daemon.log()

    # EUROPOL's has one of the blocks, FRONTEX's both.
    said = repair(steady, bundles[:1], "--dry-run", code=65)
    assert "blocks of 1 records would be put back" in said
    assert re.search(r"^lacking +record \d+, damaged", said, re.M), said
    assert journal(steady.state) == damaged
    said = repair(steady, bundles[:1], code=65)
    assert "blocks of 1 records were put back" in said
    said = repair(steady, bundles[2:3])
    assert "blocks of 1 records were put back" in said
    assert journal(steady.state) == before
    asides = [p.read_bytes() for p in
              (steady.state / "journal").glob("damaged-*")]
    assert len(asides) == 2 and bytes(octets) in asides
    assert "fine" in steady.fsck()
    steady.start()
    talk(bodies, "after")
    assert wait_covered(steady, bodies) > size
    steady.stop()
    for one in bodies.values():
        check_holdings(one, dialogue, steady.records())


def test_damage_while_it_runs(steady, dialogue, bodies, agents):
    """One record that can't be read hides no other stream, and nothing in front
    of it; once it is back, so is the rest."""
    for n in range(3):
        bodies["EUROPOL/hq"].publish("frontline/b", f"frontline {n}")
        wait_covered(steady, bodies)
    talk(bodies, "beside")
    wait_covered(steady, bodies)
    [path] = steady.segments()
    at = path.read_bytes().index(b"frontline 1")
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"F")
    late = agents("SCO/rats", steady).start()
    wait_for(lambda: len(late.texts("dialogue/#")) == 6, "all else")
    wait_for(lambda: late.texts("frontline/#") == ["frontline 0"], "a part")
    line = steady.daemon.wait_log("LEDGER-DAMAGED")
    assert "repair" in line.text
    with steady.client("UNODC/hq") as session:
        wait_for(lambda: session.status()["unread"] > 2, "asked again")
        unread = session.status()["unread"]
        steady.sessions.remove(session)
    said = [one for one in steady.daemon.lines if one.id == "LEDGER-DAMAGED"
            and "request=fetch" in one.text]
    assert 1 <= len(said) < unread
    bodies["EUROPOL/hq"].publish("frontline/b", "frontline 3")
    wait_covered(steady, bodies)
    bundle = export(bodies["FRONTEX/hq"])
    steady.stop()
    assert "were put back" in repair(steady, [bundle])
    steady.start()
    wait_complete(steady, late)
    steady.stop()
    check_holdings(late, dialogue, steady.records())


def test_damage_and_lost_end(steady, bodies):
    """Both at once, with several segments."""
    steady.stop()
    steady.configure(segment=1 << 20)
    steady.start()
    for words in ("first", "more", "still more"):
        large(bodies, words)
        wait_covered(steady, bodies)
    talk(bodies, "first")
    wait_covered(steady, bodies)
    old = copy(steady)
    large(bodies, "second")
    talk(bodies, "second")
    size = wait_covered(steady, bodies)
    bundles = [export(one) for one in bodies.values()]
    put_back(steady, old)
    whole = journal(steady.state)
    assert len(whole) > 2
    path = steady.segments()[1]
    octets = bytearray(path.read_bytes())
    octets[120] ^= 1  # its first block
    octets[-1] ^= 1  # the header at its end
    path.write_bytes(octets)
    said = repair(steady, bundles)
    assert "were put back" in said and f"appended, to the {size}" in said
    now = journal(steady.state)
    assert now[path.name] == whole[path.name]
    assert len(now) > len(whole)
    assert "fine" in steady.fsck()
    steady.start()
    opened = steady.daemon.wait_log("LEDGER-OPEN")
    assert int(opened.value("read")) < int(opened.value("records")) == size
    talk(bodies, "third")
    assert wait_covered(steady, bodies) > size


def large(bodies, words, count=40):
    for n in range(count):
        bodies["AFRIPOL/hq"].publish(ADHOC, f"{words} {n}" + 60000 * ".")


@pytest.fixture
def segments(steady, bodies):
    """(bundles, size) of a ledger with several, that is stopped."""
    steady.stop()
    steady.configure(segment=1 << 20)
    steady.start()
    for words in ("first", "second", "third"):
        large(bodies, words, 25)
        talk(bodies, words)
        size = wait_covered(steady, bodies)
    bundles = [export(one) for one in bodies.values()]
    steady.stop()
    assert len(steady.segments()) > 2
    return bundles, size


def flip(at):
    def change(path):
        octets = bytearray(path.read_bytes())
        octets[at] ^= 1
        path.write_bytes(octets)
    return change


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def halve(path):
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


@pytest.mark.parametrize("which, change", [
    (1, flip(50)), (1, flip(66)), (0, flip(3)), (-1, flip(60)), (1, cut),
    (1, halve), (0, halve), (1, lambda path: path.unlink()),
    (0, lambda path: path.unlink())])
def test_segments(steady, dialogue, bodies, segments, which, change):
    """A header, a segment that is short, or is not there: written anew."""
    bundles, size = segments
    before = leaves(steady)
    change(steady.segments()[which])
    steady.fsck(code=65)
    damaged = journal(steady.state)
    said = repair(steady, bundles, "--dry-run")
    assert "would be written anew" in said and journal(steady.state) == damaged
    said = repair(steady, bundles)
    assert "segments    were written anew" in said
    [aside] = steady.state.glob("damaged-*")
    assert journal(aside) == damaged
    assert "fine" in steady.fsck()
    assert leaves(steady)[:size] == before[:size]
    assert "written anew" not in repair(steady, bundles)
    steady.start()
    opened = steady.daemon.wait_log("LEDGER-OPEN")
    assert int(opened.value("records")) >= size
    talk(bodies, "after")
    assert wait_covered(steady, bodies) > size
    steady.stop()
    for one in bodies.values():
        check_holdings(one, dialogue, steady.records())


def test_segments_lacking(steady, bodies, segments):
    """What no bundle has is named, and nothing is written."""
    bundles, size = segments
    whole = journal(steady.state)
    steady.segments()[1].unlink()
    before = journal(steady.state)
    said = repair(steady, [bundles[0]], code=65)  # AFRIPOL's alone
    assert "would have to be written anew" in said
    assert re.search(r"^lacking +records? \d+", said, re.M)
    assert journal(steady.state) == before
    assert not list(steady.state.glob("damaged-*"))
    for path in steady.segments():
        path.unlink()
    repair(steady, bundles)
    assert "fine" in steady.fsck()
    assert steady.printed(steady.fsck(), "records") == size
    assert len(journal(steady.state)) >= len(whole) - 1


def test_bad_bundles(steady, bodies, tmp_path):
    talk(bodies, "some")
    wait_covered(steady, bodies)
    one = bodies["EUROPOL/hq"]
    bundle = export(one)
    steady.stop()
    assert "empty" in repair(steady, [tmp_path / "empty"], code=78)
    octets = bytearray((bundle / "blocks").read_bytes())
    octets[len(octets) // 2] ^= 1
    (bundle / "blocks").write_bytes(octets)
    before = journal(steady.state)
    repair(steady, [bundle], code=65)
    assert journal(steady.state) == before
    for words in (["repair"], ["repair", "--config", steady.config],
                  ["--dry-run", "--config", steady.config]):
        steady.run(*words, code=64)


def damage_block(store, words):
    """The one block that holds these words; the text index has them too."""
    with contextlib.closing(sqlite3.connect(store)) as db, db:
        [(block, octets)] = [
            row for row in db.execute("SELECT block, octets FROM blocks")
            if words in row[1]]
        changed = bytearray(octets)
        changed[changed.index(words)] ^= 2
        db.execute("UPDATE blocks SET octets = ? WHERE block = ?",
                   (bytes(changed), block))


def test_agents_store(steady, dialogue, bodies):
    """An idle agent finds what its disk has changed, says so, and has it
    again."""
    talk(bodies, "held")
    wait_covered(steady, bodies)
    one = bodies["FRONTEX/hq"]
    one.stop()
    for words in (b"held 1, between two", b"held 2, of the frontline"):
        damage_block(one.store, words)
    one.start()
    for kind in ("STORE-DAMAGED", "STORE-MENDED"):
        wait_for(lambda: one.notices().count(kind) == 2, kind, every_s=0.1)
    assert one.alarms() == []
    assert "of frontline in this store" in str(one.get("status")["notices"])
    steady.stop()
    check_holdings(one, dialogue, steady.records())


def test_handover(brokers, witnessed):
    """What is lost held the handover to other witnesses: the ledger's agents
    settle on, those that come late too."""
    broker = brokers(witnessed, desk=f"tcp://127.0.0.1:{free_port()}",
                     feed=f"tcp://127.0.0.1:{free_port()}")
    broker.init()
    broker.start()
    bodies = {name: Agent(program("parley-agent"), witnessed, name,
                          broker).init().start()
              for name in (*WITNESSES, "UNODC/hq")}
    try:
        first = bodies[WITNESSES[0]]
        first.publish("dialogue/a", "before")
        wait_covered(broker, bodies)
        old = copy(broker)
        broker.daemon.wait_log("HELLOS-HEARD")
        broker.reload(witnessed.follow(lambda obj: obj.update(
            witnesses=[*WITNESSES[:2], "UNODC/hq"])))
        first.publish("dialogue/a", "lost")
        size = wait_covered(broker, bodies)
        bundles = [export(one) for one in bodies.values()]
        put_back(broker, old)
        assert f"appended, to the {size}" in repair(broker, bundles)
        assert (broker.state / "checkpoints" / "roster-2").exists()
        assert "fine" in broker.fsck()
        broker.start()
        bodies.pop(WITNESSES[2]).close()
        late = bodies["FRONTEX/hq"] = Agent(
            program("parley-agent"), witnessed, "FRONTEX/hq",
            broker).init().start()
        first.publish("dialogue/a", "after")
        assert wait_covered(broker, bodies) > size
        assert late.texts("dialogue/#") == ["before", "lost", "after"]
        assert all(one.alarms() == [] for one in bodies.values())
    finally:
        for one in bodies.values():
            one.close()
