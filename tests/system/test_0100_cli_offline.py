"""parley offline: keys, cards, and the first two rosters of the sample."""
import json
import os
import re
import stat

import pytest

from conftest import SAMPLE

FOUNDING = SAMPLE / "founding.json"


@pytest.fixture
def keys(parley, founding, tmp_path):
    """All secrets and cards of the sample, and a broker's public file."""
    os.makedirs(tmp_path / "cards")
    made = {}
    for entity in founding["entities"]:
        for d in entity["delegations"]:
            made[f"{entity['id']}/{d['id']}"] = []
    for entity in founding["root_signers"]:
        made[f"{entity}/root"] = ["--root"]
    for name, options in made.items():
        file = name.replace("/", "-")
        given = name.split("/")[0] if options else name
        parley("key", "new", *options, given, f"{file}.secret")
        parley("key", "card", f"{file}.secret", "--out", f"cards/{file}.card")
    parley("key", "new", "--broker", "lyon", "lyon.secret")
    parley("key", "card", "lyon.secret", "--desk", "tcp://127.0.0.1:7001",
           "--feed", "tcp://127.0.0.1:7002", "--out", "lyon.json")
    return list(made)


@pytest.fixture
def draft(parley, keys):
    parley("roster", "draft", FOUNDING, "--cards", "cards", "--broker",
           "lyon.json", "--out", "roster.text")


def secrets(founding, count):
    return [f"{e}-root.secret" for e in founding["root_signers"][:count]]


@pytest.fixture
def note(parley, draft, founding):
    parley("roster", "sign", "roster.text", *secrets(founding, 5),
           "--out", "roster.note")


# Keys and cards.

def test_key_new(parley, tmp_path):
    said = parley("key", "new", "EUROPOL/hq", "a.secret")
    assert "delegation EUROPOL/hq" in said.out and "key card" in said.out
    file = tmp_path / "a.secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = file.read_text().splitlines()
    assert lines[:4] == ["parley/secret/1", "kind delegation",
                         "name EUROPOL/hq", "protection none"]
    seed = lines[4].split()[1]
    assert seed not in said.out + said.err
    [told] = parley("--json", "key", "new", "--root", "EUROPOL", "b").json()
    assert told == {"name": "EUROPOL/root", "kind": "root", "file": "b"}


def test_key_new_never_overwrites(parley, tmp_path):
    parley("key", "new", "EUROPOL/hq", "a.secret")
    before = (tmp_path / "a.secret").read_bytes()
    assert "a.secret" in parley("key", "new", "UNODC/hq", "a.secret",
                                code=5).err
    assert (tmp_path / "a.secret").read_bytes() == before


@pytest.mark.parametrize("words", [
    ["europol/hq"], ["EUROPOL"], ["EUROPOL/root"], ["--root", "EUROPOL/hq"],
    ["--root", "A"], ["--broker", "Lyon"], ["E" * 60 + "/hq"],
])
def test_key_new_refuses_names(parley, words, tmp_path):
    parley("key", "new", *words, "x.secret", code=2)
    assert not (tmp_path / "x.secret").exists()


def test_card(parley, tmp_path):
    parley("key", "new", "EUROPOL/hq", "a.secret")
    card = parley("key", "card", "a.secret").out
    lines = card.splitlines()
    assert lines[:3] == ["parley/card/1", "-", "name EUROPOL/hq"]
    assert lines[-1].startswith("\u2014 EUROPOL/hq ")
    parley("key", "card", "a.secret", "--out", "a.card")
    assert (tmp_path / "a.card").read_text() == card
    parley("key", "card", "a.secret", "--out", "a.card", code=5)
    parley("key", "card", "a.secret", "--desk", "tcp://127.0.0.1:1",
           "--feed", "tcp://127.0.0.1:2", code=2)
    parley("key", "card", "missing", code=4)


def test_card_of_a_broker(parley):
    parley("key", "new", "--broker", "lyon", "b.secret")
    parley("key", "card", "b.secret", code=2)
    told = json.loads(parley(
        "key", "card", "b.secret", "--desk", "tcp://127.0.0.1:7001",
        "--feed", "tcp://[::1]:7002").out)
    assert told["id"] == "lyon" and told["feed"] == "tcp://[::1]:7002"
    assert "desk: " in parley("key", "card", "b.secret", "--desk", "lyon:7001",
                              "--feed", "tcp://h:1", code=1).err


def test_open_secret_is_refused(parley, tmp_path):
    parley("key", "new", "EUROPOL/hq", "a.secret")
    os.chmod(tmp_path / "a.secret", 0o640)
    assert "chmod 600" in parley("key", "card", "a.secret", code=1).err


# Drafts.

def test_draft(parley, draft, keys, founding, tmp_path):
    text = (tmp_path / "roster.text").read_text()
    head, _, document = text.partition("\n-\n")
    assert head == "parley/roster/1"
    roster = json.loads(document)
    assert roster["version"] == 1 and len(roster["nonce"]) == 64
    found = [f"{e['id']}/{d['id']}" for e in roster["entities"]
             for d in e["delegations"] if d["keys"]]
    assert found == [n for n in keys if not n.endswith("/root")]
    assert [s["entity"] for s in roster["root_signers"]] == \
        founding["root_signers"]
    parley("roster", "draft", FOUNDING, "--cards", "cards", "--broker",
           "lyon.json", "--out", "roster.text", code=5)


def test_draft_says_what_it_lacks(parley, keys, tmp_path):
    (tmp_path / "cards" / "notes.txt").write_text("no card\n")
    (tmp_path / "cards" / "AFRIPOL-written.card").unlink()
    said = parley("roster", "draft", FOUNDING, "--cards", "cards", "--broker",
                  "lyon.json")
    assert "AFRIPOL/written has no card" in said.err
    assert "notes.txt is no card" in said.err
    (tmp_path / "cards" / "EUROPOL-root.card").unlink()
    assert "EUROPOL/root" in parley(
        "roster", "draft", FOUNDING, "--cards", "cards", "--broker",
        "lyon.json", code=4).err


def test_draft_refuses_a_forged_card(parley, keys, tmp_path):
    card = tmp_path / "cards" / "EUROPOL-hq.card"
    other = (tmp_path / "cards" / "UNODC-hq.card").read_text()
    seal = re.search("seal .*", other).group()
    card.write_text(re.sub("seal .*", seal.replace("\\", ""),
                           card.read_text()))
    assert "EUROPOL-hq.card" in parley(
        "roster", "draft", FOUNDING, "--cards", "cards", "--broker",
        "lyon.json", code=1).err


@pytest.mark.parametrize("words", [
    ["x.json"], ["x.json", "--cards", "c"], ["x.json", "--broker", "b"],
    ["--next", "a", "b.json", "--cards", "c"], ["--cards", "c"],
])
def test_draft_usage(parley, words):
    assert "usage: parley roster draft" in parley("roster", "draft", *words,
                                                  code=2).err


# Signatures.

def test_sign_counts(parley, draft, founding, tmp_path):
    [told] = parley("--json", "roster", "sign", "roster.text",
                    *secrets(founding, 2), "--out", "roster.note").json()
    assert (told["signed"], told["threshold"]) == (2, founding["threshold"])
    assert "2 of" in parley("roster", "check", "roster.note", code=1).err
    said = parley("roster", "sign", "roster.note", *secrets(founding, 5))
    assert "5 of its own root signers have signed, 5 are needed" in said.out
    assert "INTERPOL/root has signed it already" in said.err
    note = (tmp_path / "roster.note").read_text()
    assert note.count("\n\u2014 ") == 5
    assert note.startswith((tmp_path / "roster.text").read_text() + "\n")


def test_sign_refuses(parley, draft, keys, tmp_path):
    parley("key", "new", "--root", "EUROPOL", "other.secret")
    sign = ["roster", "sign", "roster.text", "--out", "x.note"]
    assert "no root signer" in parley(*sign, "other.secret", code=1).err
    parley(*sign, "EUROPOL-hq.secret", code=1)
    parley(*sign, "lyon.secret", code=1)
    parley(*sign, "missing", code=4)
    text = (tmp_path / "roster.text").read_text()
    (tmp_path / "roster.text").write_text(
        text.replace('"threshold"', '"treshold"'))
    assert "treshold" in parley(*sign, "EUROPOL-root.secret", code=1).err
    (tmp_path / "roster.text").write_text("I owe you everything\n")
    parley(*sign, "EUROPOL-root.secret", code=1)
    assert not (tmp_path / "x.note").exists()


# Check and show.

def test_check(parley, note, tmp_path):
    [told] = parley("--json", "roster", "check", "roster.note").json()
    assert told["dialogue"] == told["digest"] and told["chained"]
    assert told["version"] == 1 and told["signed"] == 5
    said = parley("roster", "check", "roster.note", "--dialogue",
                  told["dialogue"])
    assert told["dialogue"] in said.out
    parley("roster", "check", "roster.note", "--dialogue", "0" * 64, code=1)
    parley("roster", "check", "roster.note", "--dialogue", "x", code=2)
    good = (tmp_path / "roster.note").read_text()
    (tmp_path / "roster.note").write_text(good.replace("Lyon", "Nice"))
    assert "roster.note" in parley("roster", "check", "roster.note",
                                   code=1).err
    parley("roster", "sign", "roster.note", "GCCPOL-root.secret", code=1)


def test_show(parley, note, founding):
    said = parley("roster", "show", "roster.note").out
    for entity in founding["entities"]:
        assert entity["name"] in said
    for channel in founding["channels"]:
        assert re.search(f"^{channel['id']} .*{channel['title']}", said, re.M)
    assert "a quorum is 5" in said
    [told] = parley("roster", "show", "roster.note", "--json").json()
    assert told["document"]["channels"] == founding["channels"]


def test_show_drafts(parley, note):
    """Who is to sign reads the text before."""
    said = parley("roster", "show", "roster.text").out
    assert "not signed by its threshold" in said
    signed = parley("roster", "show", "roster.note").out
    assert said.replace("; not signed by its threshold", "") == signed
    assert "nobody has signed it" in parley("roster", "check", "roster.text",
                                            code=1).err


def test_next(parley, note, founding, tmp_path):
    [told] = parley("--json", "roster", "show", "roster.note").json()
    document = told["document"]
    document["name"] = "A new name"
    document["root_signers"] = [s for s in document["root_signers"]
                                if s["entity"] != "INTERPOL"]
    (tmp_path / "edited.json").write_text(json.dumps(document))
    parley("roster", "draft", "--next", "roster.note", "edited.json", "--out",
           "next.text")
    assert "--previous" in parley(
        "roster", "sign", "next.text", "INTERPOL-root.secret", "--out",
        "next.note", code=1).err
    parley("roster", "sign", "next.text", *secrets(founding, 5), "--previous",
           "roster.note", "--out", "next.note")
    check = ["roster", "check", "next.note", "--previous", "roster.note"]
    assert "4 of" in parley(*check, code=1).err
    parley("roster", "sign", "next.note", *secrets(founding, 6)[5:])
    said = parley(*check, "--dialogue", told["dialogue"]).out
    assert "follows   version 1" in said and "version 2" in said
    assert "not asked" in parley("roster", "check", "next.note").out
    parley("roster", "check", "roster.note", "--previous", "next.note", code=1)


# The program itself.

def ways(told):
    """What stands behind "parley" in each line of a usage: for each place the
    words that may stand there."""
    return [[word.split("|") for word in way.split()] for way in
            re.findall(r"^(?:usage:|      ) parley (.*)", told, re.M)]


def test_help(parley):
    said = parley("--help").out
    names = re.findall(r"^  (\w[\w-]*(?: \w[\w-]*)?)  ", said, re.M)
    assert len(names) > 5 and "Exit codes: 0" in said
    for name in names:
        told = parley(*name.split(), "--help").out
        words = name.split()
        assert told.startswith("usage: parley "), name
        assert any(all(word in place for word, place in zip(words, way))
                   and len(way) >= len(words) for way in ways(told)), name
        assert told.count("Example: ") == 1, name
    assert re.fullmatch(r"parley \d+\.\d+\.\d+\n", parley("--version").out)


@pytest.mark.parametrize("words", [
    [], ["no"], ["key"], ["key", "no"], ["--no"], ["key", "new"],
    ["key", "new", "a", "b", "c"], ["key", "new", "--no", "a", "b"],
    ["key", "card", "a", "--out"], ["key", "card", "a", "--out=b", "--out=c"],
])
def test_usage(parley, words):
    assert parley(*words, code=2).err
