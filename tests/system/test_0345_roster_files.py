"""Roster files that a broker refuses at SIGHUP: a line in the log, and nothing
changes."""
import pytest

from parley_client import keys, notes

from words import gone, recorded


def text_of(dialogue, change=lambda obj: None):
    return dialogue.text(dialogue.draft(change))


def forked(obj):
    obj["previous"] = "00" * 32


def skipped(obj):
    obj["version"] += 1


def other_broker(obj):
    obj["brokers"][0]["desk_key"][0]["key"] = keys.b64(bytes(range(32)))


def unknown_name(obj):
    obj["surprise"] = 1


def other_origin(obj):
    obj["origin"] = "other.example/dialogue"


def bad(dialogue, what):
    """(the file's text, a word of the reason)."""
    text = text_of(dialogue)
    if what in ("forked", "skipped", "unknown_name", "other_origin",
                "other_broker"):
        return dialogue.sign(text_of(dialogue, globals()[what])), {
            "forked": "predecessor", "skipped": "version",
            "unknown_name": "surprise", "other_origin": "origin",
            "other_broker": "desk"}[what]
    if what == "one signature":
        return dialogue.sign(text, ["EUROPOL"]), "signers"
    if what == "new signers alone":
        return new_signers(dialogue), "signers"
    if what == "name twice":
        twice = text.replace('"version":2', '"version":2,"version":2')
        return dialogue.sign(twice), "version"
    if what == "octet changed":
        return dialogue.sign(text).replace("Small", "small", 1).replace(
            "A small", "A SMALL"), "signature"
    if what == "another dialogue":
        other = text.replace(dialogue.id.hex(), "ab" * 32)
        return dialogue.sign(other), "dialogue"
    return {"no note": "parley", "empty": "",
            "unsigned": text}[what], ""


def new_signers(dialogue):
    """Of its own threshold, but not of its predecessor's."""
    made = [keys.Identity("root", f"{e}/root", bytes([n] * 32))
            for n, e in enumerate(("EUROPOL", "AFRIPOL"), 1)]

    def change(obj):
        obj["root_signers"] = [
            {"entity": r.name[:-5], "key": keys.b64(r.public["root"])}
            for r in made]

    return notes.sign(text_of(dialogue, change), *made)


@pytest.mark.parametrize("what", [
    "forked", "skipped", "one signature", "new signers alone", "name twice",
    "octet changed", "another dialogue", "unknown_name", "other_origin",
    "other_broker", "no note", "empty", "unsigned"])
def test_roster_refused(broker, client, dialogue, what):
    author = client("EUROPOL/hq")
    author.publish("members/x", "1")
    note, word = bad(dialogue, what)
    line = broker.reload(note)
    assert line.id == "ROSTER-REFUSED" and line.level == "ERROR"
    assert word in line.text
    reply = author.hello()
    assert (reply.roster_version, reply.size) == (1, 3)
    assert recorded(broker.reload(dialogue.follow())) == 2
    author.hello()
    author.publish("members/x", "goes on")


def test_older_and_same_roster(broker, client, dialogue):
    author = client("EUROPOL/hq")
    author.hello()
    assert broker.reload().id == "ROSTER-SAME"
    assert recorded(broker.reload(dialogue.follow())) == 2
    assert broker.reload(dialogue.notes[0]).id == "ROSTER-REFUSED"
    assert broker.reload(dialogue.notes[1]).id == "ROSTER-SAME"
    (broker.folder / "roster.note").unlink()
    assert broker.reload().id == "ROSTER-REFUSED"
    reply = author.hello()
    assert (reply.roster_version, reply.size) == (2, 4)


def test_fork_after_roster(broker, client, dialogue):
    """A second version 2, signed by the threshold: the first one stays."""
    client("EUROPOL/hq").hello()
    fork = dialogue.sign(text_of(dialogue, gone("UNODC/hq")))
    assert recorded(broker.reload(dialogue.follow())) == 2
    assert broker.reload(fork).id == "ROSTER-REFUSED"
    assert client("UNODC/hq").hello().roster_version == 2


def test_new_root_signers(broker, client, dialogue):
    """Signed by the old threshold and the new one, it passes; the old
    signers alone can't sign the one behind it."""
    client("EUROPOL/hq").hello()
    old = [dialogue.roots.pop("SCO"), dialogue.roots["AFRIPOL"]]
    new = keys.Identity("root", "FRONTEX/root", bytes(31) + b"\1")
    dialogue.roots["FRONTEX"] = new

    def change(obj):
        obj["root_signers"][2] = {"entity": "FRONTEX",
                                  "key": keys.b64(new.public["root"])}

    assert recorded(broker.reload(dialogue.follow(change))) == 2
    note = notes.sign(text_of(dialogue), *old)
    assert broker.reload(note).id == "ROSTER-REFUSED"
    note = notes.sign(text_of(dialogue), new, old[1])
    assert recorded(broker.reload(note)) == 3
