"""A bundle of a part of a channel, or of a time: that nothing of it was left out
is proved without what the others said."""
import json
from types import SimpleNamespace

import pytest

from parley_client import ledger
from parley_client.bundle import Bundle

from agents import free_port
from daemon import wait_for
from dialogue import Dialogue
from wronged import wait_settled_at
from witnesses import NAMES, WITNESSED


NOWHERE = SimpleNamespace(desk="tcp://127.0.0.1:1", feed="tcp://127.0.0.1:1")


@pytest.fixture
def dialogue(tmp_path):
    return Dialogue(tmp_path, WITNESSED)


@pytest.fixture
def cast(brokers, dialogue, agents):
    broker = brokers(dialogue, desk=f"tcp://127.0.0.1:{free_port()}",
                     feed=f"tcp://127.0.0.1:{free_port()}", mark_seconds=1)
    broker.init()
    broker.start()
    cast = {name: agents(name, broker).start()
            for name in [*NAMES, "UNODC/hq"]}
    for part in ("first", "second", "third"):
        for topic in ("dialogue/a", "dialogue/b", "members/a"):
            say(cast["EUROPOL/hq"], topic, f"hq, {part}, {topic}")
        say(cast["UNODC/hq"], "dialogue/a", f"unodc, {part}")
        last = say(cast["AFRIPOL/hq"], "@AFRIPOL+EUROPOL/x",
                   f"afripol, {part}")
        for agent in cast.values():
            wait_marked(agent, last)
    return cast


def say(agent, topic, text):
    return agent.wait_entry(agent.publish(topic, text)["number"])["sequence"]


def wait_marked(agent, sequence):
    """A settled mark says that it has all up to there."""
    def seen():
        place = agent.get("status")["complete_upto"] or {"sequence": -1}
        return place["sequence"] > sequence and place["sequence"]
    wait_settled_at(agent, wait_for(seen, f"{agent.name}: a mark", 60) + 1)


@pytest.fixture
def export(parley, tmp_path):
    """export(agent, *words, code=): the folder, and what was said of it; the
    other implementation takes it."""
    def make(agent, *words, code=0):
        folder = tmp_path / f"bundle{len(list(tmp_path.glob('bundle*')))}"
        parley("--socket", agent.socket, "audit", "export", folder, *words)
        Bundle(folder, agent.dialogue)
        return folder, check(parley, folder, code)
    return make


def check(parley, folder, code=0):
    [told] = parley("--json", "audit", "check", folder, code=code).json()
    assert told["whole"] == (code == 0)
    told["said"] = " ".join(parley("audit", "check", folder,
                                   code=code).out.split())
    return told


def texts(folder, dialogue):
    """What can be read in it."""
    return [place.body[16:].decode()
            for _, place in sorted(Bundle(folder, dialogue).records.items())
            if place.record.type == ledger.MESSAGE and place.body]


def stream(told, name):
    return {one["name"]: one for one in told["streams"]}.get(name)


def test_author(cast, export, parley):
    agent = cast["EUROPOL/hq"]
    folder, told = export(agent, "--author", "UNODC", "--headers")
    assert texts(folder, agent.dialogue) == [
        "unodc, first", "unodc, second", "unodc, third"]
    assert b"hq, first" not in (folder / "blocks").read_bytes()
    assert stream(told, "dialogue")["count"] == 9
    assert stream(told, "members")["count"] == 3
    assert stream(told, "@EUROPOL")["count"] == 3
    assert told["author"] == "UNODC"
    assert "every record by UNODC, and the headers of all 9" in told["said"]
    # Without the others' headers nothing is proved, and that is said.
    folder, told = export(agent, "--author", "UNODC/hq", code=9)
    assert stream(told, "dialogue") is None
    assert "That nothing of dialogue within the limits" in told["said"]
    assert len(texts(folder, agent.dialogue)) == 3
    # Nor of more than it is there for.
    folder, _ = export(agent, "--author", "UNODC", "--headers")
    meta = json.loads((folder / "bundle.json").read_text())
    meta["author"] = "EUROPOL"
    (folder / "bundle.json").write_text(json.dumps(meta))
    assert ("9 records say that this bundle is there for"
            in check(parley, folder, 9)["said"])


def test_topic(cast, export, parley):
    agent = cast["EUROPOL/hq"]
    folder, told = export(agent, "--filter", "dialogue/b", "--headers")
    assert [one.split(",")[1] for one in texts(folder, agent.dialogue)] == [
        " first", " second", " third"]
    assert {one["name"] for one in told["streams"]} == {"dialogue"}
    assert "every record on dialogue/b, and the headers" in told["said"]
    folder, told = export(agent, "--filter", "@AFRIPOL+EUROPOL/#", "--author",
                          "AFRIPOL/hq", "--headers")
    assert {one["name"] for one in told["streams"]} == {"@EUROPOL"}
    assert len(texts(folder, agent.dialogue)) == 3
    export(agent, "--filter", "@AFRIPOL+EUROPOL/#", code=9)
    parley("--socket", agent.socket, "audit", "export", "x", "--author",
           "europol", code=2)


def test_time(cast, export, parley):
    agent = cast["AFRIPOL/hq"]
    time = {one["content"]: one["time"]
            for one in agent.records("sequence")}
    words = ("--since", time["hq, second, dialogue/a"], "--until",
             time["afripol, second"])
    folder, told = export(agent, *words)
    assert texts(folder, agent.dialogue) == [
        "hq, second, dialogue/a", "hq, second, dialogue/b",
        "hq, second, members/a", "unodc, second", "afripol, second"]
    shown = stream(told, "dialogue")
    assert (shown["from"], shown["count"]) == (3, 6)
    assert shown["opened"] < words[1] <= words[3] < shown["time"]
    assert told["since"] == words[1] and told["until"] == words[3]
    assert "numbers 4 to 6, from" in told["said"]
    folder, told = export(agent, *words, "--author", "UNODC", "--headers")
    assert texts(folder, agent.dialogue) == ["unodc, second"]
    # Of times that no mark here stands around.
    meta = json.loads((folder / "bundle.json").read_text())
    for name, to in (("since", 1000), ("until", 1 << 42)):
        (folder / "bundle.json").write_text(json.dumps({**meta, name: to}))
        said = check(parley, folder, 9)["said"]
        assert "mark here is of" in said
        assert "dialogue" in said and "members" in said
    _, told = export(agent, "--until", "2200-01-01", code=9)
    assert "up to 2200-01-01" in told["said"]


def test_left_out(cast, export, parley):
    """A header less: the mark counts it."""
    agent = cast["EUROPOL/hq"]
    folder, _ = export(agent, "--author", "UNODC", "--headers")
    octets = (folder / "blocks").read_bytes()
    at, kept = 0, b""
    while at < len(octets):
        end = at + 12 + int.from_bytes(octets[at:at + 4], "big")
        if b"members/a" not in octets[at:end]:
            kept += octets[at:end]
        at = end
    (folder / "blocks").write_bytes(kept)
    said = parley("audit", "check", folder, code=1).err
    assert "stream members" in said and "the mark counts 3" in said


def test_import(cast, export, parley, agents):
    """A record without its body is not taken, nor what stands behind it in its
    channel; a whole bundle brings them."""
    folder, _ = export(cast["EUROPOL/hq"], "--author", "UNODC", "--headers")
    alone = agents("FRONTEX/hq", NOWHERE).start()

    def take(path):
        parley("--socket", alone.socket, "--json", "import", path)
        return [one["content"] for one in alone.records("sequence")
                if one["channel"] in ("dialogue", "members")]
    assert take(folder) == []
    assert len(take(export(cast["EUROPOL/hq"])[0])) == 12
    assert alone.alarms() == []


def test_unsettled(cast, export, parley):
    """What the log signed and no quorum has seen yet is in it too."""
    agent = cast["EUROPOL/hq"]
    for name in ("AFRIPOL/hq", "SCO/rats"):
        cast[name].stop()
    number = agent.publish("dialogue/a", "seen by one")["number"]
    place = agent.wait_entry(number, "promised")["sequence"]

    def ahead():
        ledger = agent.get("status")["ledger"]
        return (ledger["verified"] or 0) > max(
            place, ledger["settled"]["size"])
    wait_for(ahead, "signed by the log alone", 60)
    folder, told = export(agent)
    note = (folder / "verified").read_text().splitlines()
    assert len(note) == 5 and int(note[1]) > told["settled"]["size"]
    for line in (2, 4):  # its root, its signature
        wrong = list(note)
        wrong[line] = wrong[line][:-6] + "AAAA" + wrong[line][-2:]
        (folder / "verified").write_text("\n".join(wrong) + "\n")
        assert "verified" in parley("audit", "check", folder, code=1).err
