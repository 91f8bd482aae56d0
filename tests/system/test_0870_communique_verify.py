"""`parley verify` of a communique with its adoptions, which another implementation
made of THREADS.md section 7."""
import re

import pytest

from parley_client import communique, keys as client_keys, notes
from test_0100_cli_offline import draft, keys, note  # noqa: F401 (fixtures)

TOPIC, VERSION = "all/communique/EUROPOL/EUROPOL-lyon", "ab" * 32
PROPOSAL = {
    "title": {"en": "Statement", "fr": "Déclaration"}, "binding": "en",
    "paragraphs": [{"id": "P1", "text": {"en": "We meet.\nAgain.",
                                         "fr": "Nous nous réunissons."}}],
    "decisions": [{"id": "D1", "text": "To meet", "by": "2026-12-24"}]}


def identity(folder, name, kind="delegation"):
    text = (folder / f"{name.replace('/', '-')}.secret").read_text()
    seed = client_keys.unb64(re.search("seed (.*)", text)[1])
    return client_keys.Identity(kind, name, seed)


@pytest.fixture
def text(note, tmp_path):  # noqa: F811
    roster, _ = notes.parse((tmp_path / "roster.note").read_bytes())
    return communique.text(notes.digest(roster).hex(), TOPIC, VERSION, PROPOSAL)


def lines(folder, text, *names):
    return [communique.adoption(text, identity(folder, name))
            for name in names]


def save(folder, note):
    (folder / "lyon.note").write_text(note)


def test_verified(parley, text, tmp_path):
    save(tmp_path, communique.note(
        text, lines(tmp_path, text, "INTERPOL/hq", "EUROPOL/hq")))
    said = parley("verify", "lyon.note", "--roster", "roster.note")
    for word in ("communique", TOPIC, VERSION, "adopted by  EUROPOL/hq",
                 "adopted by  INTERPOL/hq", "version 1", "All of its"):
        assert word in said.out, said.out
    assert said.out.index("EUROPOL/hq") < said.out.index("INTERPOL/hq")
    [told] = parley("verify", "lyon.note", "--roster", "roster.note",
                    "--json").json()
    assert told["kind"] == "communique" and told["thread"] == TOPIC
    assert told["binding"] == "en" and told["version"] == VERSION
    assert told["signatures"] == [{"name": "EUROPOL/hq", "known": True},
                                  {"name": "INTERPOL/hq", "known": True}]
    assert told["digest"] == notes.digest(text).hex()


def test_unknown(parley, text, tmp_path):
    """A signature that the roster does not know is passed over, and said."""
    stranger = client_keys.Identity("delegation", "QQ/hq", bytes([3]) * 32)
    other = client_keys.Identity("delegation", "INTERPOL/hq", bytes([4]) * 32)
    strange = [communique.adoption(text, one) for one in (stranger, other)]
    own = lines(tmp_path, text, "EUROPOL/hq")
    save(tmp_path, communique.note(text, own + strange))
    said = parley("verify", "lyon.note", "--roster", "roster.note")
    assert "adopted by  EUROPOL/hq" in said.out
    assert "unknown     INTERPOL/hq (not checked" in said.out
    assert "unknown     QQ/hq (not checked" in said.out
    assert "those of others are not known" in said.out
    save(tmp_path, communique.note(text, strange))
    said = parley("verify", "lyon.note", "--roster", "roster.note", code=None)
    assert said.code != 0 and "none of its 2 signatures" in said.err


def test_refused(parley, text, tmp_path):
    good = lines(tmp_path, text, "EUROPOL/hq", "INTERPOL/hq")
    whole = communique.note(text, good)
    roster = ("--roster", "roster.note")
    cases = [
        (whole.replace("We meet", "We met"), roster, "does not verify"),
        (whole.replace(VERSION, "cd" * 32), roster, "does not verify"),
        (communique.note(text, good + good[:1]), roster, "signed twice"),
        (text + "\n", roster, "nobody has signed"),
        (text, roster, "no em dash"),
        (whole[:-1], roster, "newline"),
        (whole.replace("parley/communique/1", "parley/communique/2"), roster,
         "format 2"),
        (whole, ("--roster", "lyon.note"), "lyon.note"),
        (whole, (), "--roster"),
        (whole, (*roster, "--dialogue", "0" * 64), "another dialogue"),
    ]
    for octets, options, words in cases:
        save(tmp_path, octets)
        said = parley("verify", "lyon.note", *options, code=None)
        assert said.code != 0, (words, said.out)
        assert words in said.err, (words, said.err)
    dialogue = text.split("\n")[1]
    other = text.replace(dialogue, "1" * 64)
    save(tmp_path, communique.note(other, lines(tmp_path, other, "EUROPOL/hq")))
    said = parley("verify", "lyon.note", *roster, code=None)
    assert said.code != 0 and "two dialogues" in said.err
