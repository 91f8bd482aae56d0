"""The next epoch: a broker whose disk was lost goes on from an older copy, by a
roster that the threshold signed; agents go back to its base, send again what
was promised above it, and settle (PROTOCOL.md section 7.7). A base that is not
an agent's own ledger is refused."""
import copy
import os
import shutil

import pytest

from parley_client import keys, roster, tree

from agents import free_port
from daemon import wait_for
from dialogue import Dialogue
from holdings import check_holdings, wait_complete
from witnesses import WITNESSED
from wronged import ledger_of, settled_size, wait_settled_at

NAMES = ["EUROPOL/hq", "AFRIPOL/hq", "FRONTEX/hq"]
SPARE = "2100-01-01T00:00:00Z"
TOPIC = "dialogue/epochs"


@pytest.fixture
def dialogue(tmp_path):
    return Dialogue(tmp_path, dict(copy.deepcopy(WITNESSED), witnesses=NAMES))


@pytest.fixture
def spare(dialogue):
    """Another identity of the broker: the first roster lists its link and desk
    keys beside those in use, so that agents find it; its log key is new."""
    who = keys.Identity("broker", "lyon", os.urandom(32))

    def both(name):
        return [{"key": keys.b64(dialogue.broker.public[name])},
                {"key": keys.b64(who.public[name]), "until": SPARE}]
    dialogue.json["brokers"][0].update(link=both("link"),
                                       desk_key=both("desk"))
    dialogue.notes = [dialogue.sign(dialogue.text(dialogue.json))]
    dialogue.id = roster.first(dialogue.notes[0]).digest
    dialogue.put(dialogue.notes[0])
    return who


@pytest.fixture
def broker(brokers, dialogue, spare):
    one = brokers(dialogue, desk=f"tcp://127.0.0.1:{free_port()}",
                  feed=f"tcp://127.0.0.1:{free_port()}", mark_seconds=1)
    one.init()
    return one.start()


@pytest.fixture
def cast(broker, agents):
    """Three witnesses and a reader."""
    return {name: agents(name, broker).start()
            for name in [*NAMES, "UNODC/hq"]}


def say(agent, text, state="done", topic=TOPIC):
    return agent.wait_entry(agent.publish(topic, text)["number"], state)


def leaves_of(broker):
    """Of a stopped broker's ledger."""
    return [p.record.leaf for p in broker.records()]


def epoch_of(leaves, spare, number=2, version=None, **more):
    """What a roster has to say to open the next epoch there."""
    def change(obj):
        obj["epoch"] = {"number": number, "base_size": len(leaves),
                        "base_root": tree.root_of_leaves(leaves).hex()}
        obj["log"] = {"key": keys.b64(spare.public["log"])}
        for kind, name in (("link", "link"), ("desk_key", "desk")):
            obj["brokers"][0][kind] = [{"key": keys.b64(spare.public[name])}]
        if version:
            obj["version"] = version
        obj.update(more)
    return change


def take_over(broker, spare):
    """The new machine has the spare keys."""
    (broker.folder / "broker.key").write_text(spare.secret_file())
    broker.dialogue.broker = spare


def open_epoch(broker, spare, note, code=0):
    take_over(broker, spare)
    broker.dialogue.put(note)
    return broker.run("epoch", "--config", broker.config, code=code)


def lose_disk(broker, old):
    broker.kill()
    shutil.rmtree(broker.state)
    shutil.copytree(old, broker.state)


def test_next_epoch(broker, dialogue, cast, spare, parley, tmp_path):
    author, reader = cast["EUROPOL/hq"], cast["UNODC/hq"]
    settled = say(author, "settled before")
    for agent in cast.values():
        wait_settled_at(agent, settled["sequence"] + 1)
    at = ("--socket", author.socket)
    parley(*at, "receipt", settled["sequence"], "--out", "before")
    parley(*at, "roster", "trust-policy", "--out", "trust.policy")
    for name in NAMES[1:]:  # no quorum: what comes now never settles
        cast[name].stop()
    broker.stop()
    shutil.copytree(broker.state, broker.folder / "copy")
    broker.configure(commit_before_hello="yes")
    broker.start()
    lost = [say(author, f"lost {n}", "promised") for n in range(5)]
    first = copy.deepcopy(dialogue.json)
    void = dialogue.follow(lambda obj: obj.update(name="Void"))
    assert broker.reload(void).id == "ROSTER-RECORDED"
    lost.append(say(author, "under the void roster", "promised"))
    wait_for(lambda: "under the void roster" in reader.texts(TOPIC), "read")
    held = {r["position"]: r["leaf"] for r in reader.records()}
    lose_disk(broker, broker.folder / "copy")
    broker.configure(commit_before_hello="no")

    # The members agree on the base: what the broker has left.
    leaves = leaves_of(broker)
    assert settled["sequence"] < len(leaves) <= lost[0]["sequence"]
    dialogue.notes.pop()
    dialogue.json = first
    note = dialogue.follow(epoch_of(leaves, spare, version=3))
    said = open_epoch(broker, spare, note)
    assert f"epoch 2 begins at record {len(leaves)}" in said
    assert "nothing was written" in open_epoch(broker, spare, note)
    broker.fsck()
    for name in NAMES[1:]:
        cast[name].start()
    author.stop()  # it gets the file; the others ask the desk
    (author.folder / "roster.note").write_text(note)
    author.start()
    broker.start()

    again = [author.wait_entry(one["number"]) for one in lost]
    assert [one["sequence"] for one in again] == sorted(
        one["sequence"] for one in again)
    assert again[0]["sequence"] >= len(leaves) + 2
    last = say(author, "goes on")
    for agent in cast.values():
        wait_settled_at(agent, last["sequence"] + 1)
        wait_for(lambda: ledger_of(agent)["current"] is True, "current")
    wait_complete(broker, *cast.values())
    for agent in cast.values():
        assert agent.alarms() == [], agent.alarms()
        parley("--socket", agent.socket, "status")
    assert "EPOCH" in author.notices() and "EPOCH" in reader.notices()
    check_positions(reader, held)

    parley("verify", "before.tlog-proof", "--policy", "trust.policy")
    check_audit(parley, reader, author)
    broker.stop()
    places = broker.records()
    assert {p.record.epoch for p in places[len(leaves):]} == {2}
    texts = [p.body[16:].decode() for p in places if p.record.type == 0]
    assert texts == ["settled before", *(f"lost {n}" for n in range(5)),
                     "under the void roster", "goes on"]
    for agent in cast.values():
        check_holdings(agent, dialogue, places)


def check_positions(agent, held):
    """Nobody's cursor meets another record under a position that it knows."""
    for record in agent.records():
        assert held.get(record["position"], record["leaf"]) == record["leaf"]


def check_audit(parley, *of):
    for agent in of:
        name = "bundle-" + agent.name.replace("/", "-")
        parley("--socket", agent.socket, "audit", "export", name)
        parley("audit", "check", name)


def test_command_refuses(broker, dialogue, spare, tmp_path):
    """What opens no epoch, each told with what is wrong; nothing is written
    then. A broker that runs takes none at all."""
    note = dialogue.sign(dialogue.text(dialogue.draft(
        epoch_of([b"\0" * 32], spare))))
    broker.client("EUROPOL/hq").hello()
    broker.client("AFRIPOL/hq").hello()
    line = broker.reload(note)
    assert line.id == "ROSTER-REFUSED" and "parley-broker epoch" in line.text
    assert "in use" in broker.run("epoch", "--config", broker.config, code=75)
    broker.stop()
    leaves = leaves_of(broker)
    rows = [
        (epoch_of(leaves[:-1], spare), f"the ledger has {len(leaves)} records with root "
         + tree.root_of_leaves(leaves).hex()),
        (epoch_of(leaves[:-1] + [b"\1" * 32], spare), "with root"),
        (epoch_of(leaves, spare, number=3, version=3), "its epoch is not"),
        (epoch_of(leaves, spare, previous="ab" * 32), "another digest"),
        (epoch_of(leaves, keys.Identity("broker", "lyon", bytes(32))),
         "is not ours"),
        (lambda obj: obj.update(name="No epoch"), "SIGHUP records it")]
    take_over(broker, spare)
    for change, why in rows:
        said = open_epoch(broker, spare, dialogue.sign(
            dialogue.text(dialogue.draft(change))), code=78)
        assert why in said, said
    note = dialogue.sign(dialogue.text(dialogue.draft(
        epoch_of(leaves, spare))), ["EUROPOL"])
    assert "1 of " in open_epoch(broker, spare, note, code=78)
    assert leaves_of(broker) == leaves


def test_command_after_settling(broker, cast, dialogue, spare):
    """The folder keeps a checkpoint above what is left of the ledger."""
    broker.stop()
    shutil.copytree(broker.state / "journal", broker.folder / "old")
    broker.start()
    settled = say(cast["EUROPOL/hq"], "settled")
    wait_settled_at(cast["UNODC/hq"], settled["sequence"] + 1)
    broker.stop()
    for part, source in (("journal", "old"), ("index", None)):
        shutil.rmtree(broker.state / part)
        if source:
            shutil.copytree(broker.folder / source, broker.state / part)
    note = dialogue.follow(epoch_of(leaves_of(broker), spare))
    assert "have settled" in open_epoch(broker, spare, note, code=75)


def test_time_goes_back(broker, agents, dialogue, spare):
    """A clock that was an hour ahead spends no more than its own epoch."""
    broker.stop()
    broker.env["PARLEY_TEST_CLOCK_OFFSET_MS"] = "3600000"
    broker.start()
    for name in NAMES[:2]:  # a third one would know better
        broker.client(name).hello()
    broker.client("EUROPOL/hq").publish(TOPIC, "an hour ahead")
    reader = agents("UNODC/hq", broker).start()
    wait_for(lambda: reader.texts(TOPIC) == ["an hour ahead"], "read")
    broker.stop()
    del broker.env["PARLEY_TEST_CLOCK_OFFSET_MS"]

    leaves = leaves_of(broker)
    note = dialogue.follow(epoch_of(leaves, spare))
    open_epoch(broker, spare, note)
    reader.stop()
    (reader.folder / "roster.note").write_text(note)
    reader.start()
    broker.start()
    for name in NAMES:
        broker.client(name).hello()
    broker.client("EUROPOL/hq").publish(TOPIC, "in time")
    wait_for(lambda: len(reader.texts(TOPIC)) == 2, "read")
    assert not {"LOG-TIME", "BAD-BLOCK"} & {a["kind"] for a in reader.alarms()}
    broker.stop()
    broker.fsck()
    at = [place.record.log_time for place in broker.records()]
    assert at[len(leaves)] < at[len(leaves) - 1] - 3000000
    broker.start()
