"""An observer's bundle: what it proves to somebody else, and what is left of
that when any of its files was touched."""
import json
import os
import random
import shutil
import subprocess

import pytest

from agents import free_port
from conftest import program
from daemon import wait_for
from holdings import wait_complete

SEED = int(os.environ.get("PARLEY_SEED", 7))


@pytest.fixture
def bundle(steady, agents, dialogue, tmp_path):
    """Of UNODC/hq, an observer that writes too: three rosters, a promise, a
    refusal, and records that it may not read."""
    member = agents("EUROPOL/hq", steady).start()
    observer = agents("UNODC/hq", steady).start()
    for n in range(4):
        for topic in ("dialogue/a", "members/b", "announcements/c"):
            member.wait_entry(member.publish(topic, f"text {n}")["number"],
                              "promised")
        if n in (1, 2):
            steady.reload(dialogue.follow(
                lambda obj: obj.update(name=f"Version {n}")))
    observer.wait_entry(observer.publish("dialogue/a", "heard")["number"])
    refuse(steady, observer, dialogue)
    wait_complete(steady, member, observer)
    path = tmp_path / "bundle"
    done = subprocess.run([program("parley"), "--socket", observer.socket,
                           "audit", "export", path], timeout=60)
    assert done.returncode == 0
    return path


def refuse(broker, agent, dialogue):
    """A refusal: rights that went between accepting and judging."""
    after, place = agent.daemon.mark(), broker.desk
    broker.stop()
    agent.daemon.wait_log("LINK-DOWN", after=after)
    number = agent.publish("dialogue/a", "too late")["number"]
    broker.configure(desk=f"tcp://127.0.0.1:{free_port()}")
    broker.start()  # where the agent does not look
    broker.client("AFRIPOL/hq").hello()
    broker.reload(dialogue.follow(
        lambda obj: obj["channels"][0].update(writers=["role:member"])))
    broker.stop()
    broker.configure(desk=place)
    broker.start()
    wait_for(lambda: agent.get(f"outbox/{number}")["state"] == "refused",
             "a refusal", every_s=0.1)


@pytest.fixture
def check(parley, dialogue):
    """check(path): exit code and what was said."""
    def run(path, code=1):
        return parley("--json", "audit", "check", path, "--dialogue",
                      dialogue.id.hex(), code=code)
    return run


def touched(path, change):
    """A copy of the bundle with one file changed; its path."""
    copy = path.parent / "touched"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path, copy)
    change(copy)
    return copy


META = "bundle.json"  # much of it is for people alone


def files(path):
    """All but that."""
    return sorted(p.relative_to(path) for p in path.rglob("*")
                  if p.is_file() and p.name != META)


def test_whole(bundle, check, steady, parley):
    [told] = check(bundle, code=0).json()
    # Its own and the member's, without "members".
    assert told["messages"] == 9 and told["rosters"] == 4
    assert told["promises"] == 1 and told["refusals"] == 1
    assert told["authors"] == 2
    assert told["holes"] == 0 and told["leaves"] == 4
    assert told["settled"]["size"] > 0
    assert {str(one) for one in files(bundle)} == {
        "blocks", "checkpoints", "claims", "leaves", "promises", "refusals",
        *(f"rosters/{n:08}.note" for n in range(1, 5))}
    octets = (bundle / "blocks").read_bytes()
    assert b"members/b" not in octets and b"text 1" in octets
    # It needs neither agent nor broker, and nothing of ours but the id.
    steady.stop()
    assert check(bundle, code=0).json() == [told]
    parley("audit", "check", bundle, "--dialogue", "0" * 64, code=1)


def test_any_bit(bundle, check):
    """One bit of any file, at many places: found, and the file is named."""
    chance = random.Random(SEED)
    for name in files(bundle):
        size = (bundle / name).stat().st_size
        places = {0, size - 1, *(chance.randrange(size) for _ in range(12))}
        for at in sorted(places - unsigned(bundle / name)):
            def flip(copy, name=name, at=at):
                octets = bytearray((copy / name).read_bytes())
                octets[at] ^= 1 << chance.randrange(8)
                (copy / name).write_bytes(octets)
            said = check(touched(bundle, flip)).err
            assert file_named(said, name), (name, at, said)


def unsigned(path):
    """A refusal's index in its batch, which says nothing without that."""
    if path.name != "refusals":
        return set()
    return {path.read_bytes().index(b"\x91\x94\x00") + 2}


def file_named(said, name):
    return said.startswith("parley: ") and (
        name.name in said or name.parts[0].rstrip("s") in said)


def test_cut_and_longer(bundle, check):
    def cut(copy):
        octets = (copy / name).read_bytes()
        (copy / name).write_bytes(octets[:int(len(octets) * part) + more])

    [whole] = check(bundle, code=0).json()
    for name in files(bundle):
        for part, more in ((0, 1), (0, 3), (0.5, 0), (1, -2), (1, -1)):
            said = check(touched(bundle, cut), code=None)
            if said.code in (0, 9):  # between two entries: it shows less
                [told] = said.json()
                assert (said.code == 9) == (name.name == "leaves")
                assert part == 0.5 and name.name in (
                    "leaves", "checkpoints", "claims"), (name, part, more)
                assert told[name.name] < whole[name.name]
            else:
                assert said.code == 1 and said.err, (name, part, more)

        def add(copy):
            with (copy / name).open("ab") as file:
                file.write(b"\0\0\0\1x")
        assert check(touched(bundle, add)).err, name


def test_missing(bundle, check):
    """A roster; without blocks, promises and refusals it is just a bundle
    that shows less, and says so."""
    for name in ("rosters/00000001.note", "rosters/00000002.note"):
        copy = touched(bundle, lambda copy: (copy / name).unlink())
        assert check(copy).err, name
    for name, counts in (("promises", {"promises": 0, "messages": 9}),
                         ("refusals", {"refusals": 0, "messages": 9}),
                         ("checkpoints", {"checkpoints": 0, "messages": 9,
                                          "settled": None}),
                         ("claims", {"claims": 0, "streams": []}),
                         ("leaves", {"leaves": 0, "holes": 4})):
        copy = touched(bundle, lambda copy: (copy / name).unlink())
        # Where a root can't be made again, the code says so.
        [told] = check(copy, code=9 if name == "leaves" else 0).json()
        assert counts.items() <= told.items()
        assert told["whole"] == (name != "leaves")
    # Claims are of marks, which stand in blocks.
    copy = touched(bundle, lambda copy: (copy / "blocks").unlink())
    assert "claims" in check(copy).err
    (copy / "claims").unlink()
    [told] = check(copy, code=9).json()
    assert told["records"] == 0 and told["messages"] == 0
    assert told["holes"] == told["last"] + 1 - told["leaves"]


def test_meta(bundle, check):
    """bundle.json that says other things than the files."""
    text = json.loads((bundle / META).read_text())
    for change in ({"format": 2}, {"dialogue": "0" * 64}, {"first": 5},
                   {"last": 3}, {"last": -1},
                   {"exporter": "no body"}, {"made": "x"}):
        def write(copy, change=change):
            (copy / META).write_text(json.dumps({**text, **change}))
        said = touched(bundle, write)
        assert check(said).err, change
