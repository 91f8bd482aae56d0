"""The C code's verdict on messages of threads, against the JSON Schemas and the
rules beside them as tests/client/thread_rules.py has them; and the notes that it
makes of communiques, against those of tests/client/parley_client/communique.py.
A few thousand documents, good ones and with each kind of fault.
"""
import copy
import json
import random

import pytest

import plans
import schemas
import thread_rules
from conftest import SAMPLE
from parley_client import communique, keys, notes
from schemas import drop, holder, judge, mutate, repeat, swap, walk

SEED = 860
TAXONOMY = json.loads((SAMPLE / "taxonomy.json").read_text())
THREAD, ENTITY = "ABC-raid", "ABC"
M1, M2 = "0123456789abcdef" * 4, "0" * 64
KINDS = ["align", "communique", "meeting", "consultation", "practice",
         "notice", "capability", "request"]
VALIDATORS = schemas.validators(f"thread-{kind}" for kind in KINDS)
FILE = {"file": M1[:32], "entity": "XYZ", "name": "map – 1.pdf", "size": 5,
        "sha256": M1}


def topic(kind):
    return f"all/{kind}/{ENTITY}/{THREAD}"


# Messages that are good.

def message(does, **more):
    return {"format": 1, "thread": THREAD, "does": does, **more}


UNDERTAKINGS = [
    {"id": "U1", "who": "ABC", "what": {"en": "lead", "fr": "mener"},
     "by": "2026-12-24", "action": "ABC-plan#A1", "shows": "done"},
    {"id": "U2", "who": "XYZ", "what": "join"}]
COMMON = {"about": [{"ref": "ABC-plan#A1", "of": 7}, {"ref": "XYZ-plan"}],
          "priorities": ["cybercrime"], "regions": ["EU", "002"],
          "handling": "TLP:AMBER", "takes_up": [M1, M2]}
TEXT = {"text": {"en": "Why", "fr": "Pourquoi"}}
DEADLINE = {"deadline": "2026-11-30T17:00:00+01:00"}
INVITED = {"invited": ["XYZ", "EUROPOL"]}
PROPOSALS = {
    "align": {**COMMON, **TEXT, **DEADLINE, **INVITED, "rule": "silence",
              "type": "joint", "undertakings": UNDERTAKINGS,
              "attachments": [FILE], "function": "desk"},
    "communique": {
        **COMMON, **TEXT, **DEADLINE, **INVITED, "binding": "fr",
        "rule": "majority", "undertakings": UNDERTAKINGS,
        "minutes_of": "XYZ-meeting",
        "decisions": [{"id": "D1", "text": {"en": "To meet", "de": "Treffen"},
                       "owner": "QQ", "by": "2026-12-24T09:00:00Z"},
                      {"id": "D2", "text": "Encore", "by": "2027-01-01"},
                      {"id": "D3", "text": "Fin", "owner": "XYZ"}],
        "paragraphs": [
            {"id": "P1", "text": {"en": "One\nand more", "fr": "Un",
                                  "pt-BR": "Um"}},
            {"id": "P2", "text": {"pt-BR": "Dois", "fr": "Deux",
                                  "en": "Two"}}]},
    "meeting": {**COMMON, **TEXT, **DEADLINE, **INVITED,
                "from": "2026-11-30T09:00:00+01:00",
                "to": "2026-11-30T17:30:00+01:00", "zone": "Europe/Brussels",
                "place": {"en": "Lyons"}, "series": "wg-drugs", "edition": 3,
                "agenda": [{"id": "1a".replace("1", "A"), "title": "Opening",
                            "text": "short", "entity": "ABC"},
                           {"id": "B", "title": "End"}]},
    "consultation": {**COMMON, **TEXT, **DEADLINE, **INVITED},
    "practice": {**COMMON, **TEXT},
    "notice": {**COMMON, **TEXT, "deadline": "2026-12-24"},
    "capability": {**COMMON, **TEXT, **DEADLINE, "type": "biometrics",
                   "offered_to": ["XYZ"], "conditions": "ask",
                   "contact": {"en": "the desk"}},
    "request": {**COMMON, **TEXT, **DEADLINE, **INVITED,
                "capability": "XYZ-faces", "undertakings": UNDERTAKINGS},
}
SAYS = {"align": "endorse", "communique": "adopt", "meeting": "in-writing",
        "consultation": "reply", "practice": "no-use", "request": "counter"}


def good(kind):
    """One of each verb that the kind knows."""
    yield message("propose", title={"en": "A raid", "fr": "Une opération"},
                  **PROPOSALS[kind])
    yield message("suggest", version=M1, text="better", paragraph="P1",
                  put={"en": "so"})
    yield message("comment", text={"en": "well"}, attachments=[FILE, FILE])
    yield message("contribution", title="On it", text="long", function="hq")
    yield message("withdraw", reason="over")
    if kind in SAYS:
        stance = message("stance", version=M1, says=SAYS[kind], text="yes",
                         reservation={"en": "but", "fr": "mais"})
        if kind == "communique":
            yield dict(stance, says="object")
            stance["signature"] = "— XYZ/hq AAAA"
        if kind == "meeting":
            stance["represented_by"] = "EUROPOL"
        yield stance
    if kind in ("align", "communique", "request"):
        yield message("done", undertaking="U1", day="2026-12-24", text="done")
        yield message("done", undertaking="U1", undone=True)
        yield message("close", version=M1, outcome="not-agreed",
                      stances={"XYZ": M2, "EUROPOL": M1})
    if kind == "consultation":
        yield message("close", version=M1, outcome="closed", stances={},
                      text="so they say")
    if kind == "meeting":
        yield message("attendance", present=[
            {"entity": "XYZ", "represented_by": "ABC", "text": "late"},
            {"entity": "EUROPOL"}])


# Faults, somewhere.

VALUES = [
    None, True, False, 0, 1, 2, 1.0, -1, 1.5, 9999, 10000, 2**53, "", "x",
    "é" * 200, "é" * 201, "é" * 4001, "nul\0", "a\n", "\na", "a\nb", "a\tb",
    "a\x7fb", "a\x85b", "a\xa0b", "2026", "2026-12", "2026-12-24",
    "2026-11-31", "1969-12-31", "1970-01-01", "9999-12-31",
    "2026-11-30T17:00:00Z", "2026-11-30T17:00:00.123-03:30",
    "2026-11-30T17:00:00-00:00", "2026-11-30T24:00:00Z",
    "2026-11-30T23:59:60Z", "2026-11-30T17:00:00+24:00",
    "2026-11-30T17:00:00+23:60", "1970-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-01:00", "2026-11-30T17:00Z", "2026-11-30 17:00:00Z",
    "2026-11-30T17:00:00Z\n", "2026-11-30T17:00:00.1234Z", "A1", "1A", "U1",
    "P1", "ABC", "XYZ", "EUROPOL", "abc", THREAD, "XYZ-plan", "XYZ-plan#A1",
    "XYZ-plan#", "all", "majority", "silence", "any", "joint", "database",
    "endorse", "adopt", "object", "abstain", "yes", "reply", "use", "agreed",
    "closed", "done", "named", "propose", "stance", "close", "suggest",
    "TLP:RED", "en", "fr", "pt-BR", "EN", "Europe/Paris", "Etc/GMT+1",
    "a//b", "a/b/c/d", "9/a", "wg-1", "WG", "a" * 64, "a" * 65, M1, M2,
    M1.upper(), M1[1:], M1[:32], "..", " a", "a/b", "a\u202eb", [], {}, ["x"],
    ["XYZ"], ["XYZ", "XYZ"], ["ABC"], [M1, M1], {"en": "t"}, {"fr": "t"},
    {"en": "t", "fr": "u"}, {"en": ""}, {"en": "t\n"}, {"EN": "t"}, {"en": 1},
    {"en": "nul\0"}, {"XYZ": M1}, {"X": M1}, [{}], [{"id": "P1", "text": "t"}],
    FILE, dict(FILE, sha256=M2), [[[[0]]]]]
NAMES = ["text", "rule", "deadline", "type", "decisions", "paragraphs",
         "binding", "minutes_of", "from", "zone", "series", "priorities",
         "offered_to", "capability", "signature", "represented_by", "undone",
         "day", "invited", "undertakings", "function", "attachments", "by",
         "shows", "action", "en", "fr", "own", "a/b~c"]


def add(rng, document, path):
    inner = holder(document, path)
    if isinstance(inner, dict):
        inner.setdefault(rng.choice(NAMES), copy.deepcopy(rng.choice(VALUES)))
    else:
        inner.append(copy.deepcopy(rng.choice(VALUES)))


def fit(rng, document, path):
    """Another of its form: of an entity, an id, a time, a language."""
    inner = holder(document, path)
    value = inner[path[-1]]
    near = {"entity": ["ABC", "XYZ", "QQ"], "who": ["ABC", "XYZ", "QQ"],
            "owner": ["ABC", "QQ"], "id": ["P1", "U1", "D1", "A", "B"],
            "deadline": VALUES[25:46], "from": VALUES[25:46],
            "to": VALUES[25:46], "by": VALUES[25:46], "day": VALUES[25:31],
            "binding": ["en", "fr", "de"], "rule": ["all", "silence"],
            "edition": [0, 1, 9999, 10000, 2.0], "does": ["propose", "done"],
            "invited": [["ABC"], ["XYZ"], ["QQ", "XYZ"]], "sha256": [M2],
            "file": [M2[:32]]}
    name = [step for step in path if isinstance(step, str)][-1]
    if name in near:
        inner[path[-1]] = rng.choice(near[name])
    elif isinstance(value, str):
        inner[path[-1]] = rng.choice([value[:1], value + "\0", "é" * 4001,
                                      value + "\n", "", value + "é",
                                      "a\x85b", "a\tb"])
    elif isinstance(path[-1], int):
        inner.reverse()


def fill(rng, document, path):
    """Lists that are as long as they may be, and one longer."""
    inner = holder(document, path)
    if not isinstance(inner, list):
        return
    count = rng.choice([32, 33, 63, 64, 65, 100, 101, 128, 129, 200, 201])
    item = inner[path[-1]]
    for i in range(count - len(inner)):
        own = copy.deepcopy(item)
        if isinstance(own, dict) and "id" in own:
            own["id"] = f"X{i}"
        elif isinstance(own, dict) and path[0] == "present":
            own["entity"] = f"X{i}X"
        elif isinstance(own, str) and len(own) == 64:
            own = f"{i:064d}"
        elif isinstance(own, str):
            own = f"X{i}X"
        inner.append(own)


put_value = schemas.putter(VALUES)
OPERATIONS = [put_value, put_value, drop, repeat, swap, add, add, fit, fit,
              fit, fill]


def drawn(kind, count):
    rng = random.Random(f"{SEED} {kind}")
    for _ in range(count):
        # Proposals have the most to break.
        first, *others = good(kind)
        yield mutate(rng, copy.deepcopy(
            first if rng.random() < 0.5 else rng.choice(others)), OPERATIONS)


# Verdicts

def line(kind, document):
    return f"{topic(kind)}\t{json.dumps(document)}\n"


def expected(kind, document):
    validator = VALIDATORS[f"thread-{kind}"]
    found, wide = schemas.schema_faults(validator, document)
    return found | thread_rules.faults(kind, document, TAXONOMY, THREAD,
                                       ENTITY), wide


def compare(kind, document, answer):
    """The same verdict. Places: what members say of each other is not told of
    where one of them is wrong by itself."""
    if plans.is_newer(document):
        assert answer["newer"] and answer["count"] == 0
        return
    found, wide = expected(kind, document)
    assert answer["ok"] == (answer["count"] == 0)
    assert answer["ok"] == (not found), (document, found, answer["faults"])
    for fault in answer["faults"]:
        at = schemas.widened(fault["pointer"], wide)
        assert at in found or any(at == schemas.widened(other, wide)
                                  for other in found), (document, fault, found)


COUNT = 800  # a kind

PHRASES = ["has no place in", "has no '", "is no instant", "is no day",
           "which proposes", "neither proposes nor", "is the id of",
           "needs a 'deadline'", "no 'action'", "before 'from'",
           "is not in '", "at an end", "control character", "is empty",
           "is no time zone", "is no series", "no 'signature'",
           "only a stance", "'day'", "is named already", "the topic says",
           "does not know", "entries, at most", "message's id",
           "does not begin with", "one of: ", "has to be 1"]


def answers_of(kind, count=COUNT):
    documents = list(drawn(kind, count))
    answers = judge("say_judge", [line(kind, one) for one in documents])
    assert len(answers) == len(documents)
    return list(zip(documents, answers))


@pytest.mark.parametrize("kind", KINDS)
def test_good(kind):
    documents = list(good(kind))
    answers = judge("say_judge", [line(kind, one) for one in documents])
    for document, answer in zip(documents, answers):
        assert answer["ok"], (document, answer["faults"])
        compare(kind, document, answer)


def without(kind):
    """Each good message without one of its parts, with an item twice, and with
    each word that others have for a member."""
    for document in good(kind):
        for path in list(walk(document))[1:]:
            less = copy.deepcopy(document)
            drop(None, less, path)
            yield less
            again = copy.deepcopy(document)
            inner = holder(again, path)
            if isinstance(inner, list):
                inner.append(inner[path[-1]])
                yield again
        for name, words in WORDS.items():
            if name in document:
                yield from (dict(document, **{name: word}) for word in words)


WORDS = {"says": ["endorse", "adopt", "object", "yes", "reply", "use",
                  "accept"],
         "does": list(thread_rules.TEXTS), "outcome": ["agreed", "closed"],
         "type": ["merge", "training"], "rule": ["all", "silence", "none"]}


@pytest.mark.parametrize("kind", KINDS)
def test_without(kind):
    documents = list(without(kind))
    answers = judge("say_judge", [line(kind, one) for one in documents])
    for document, answer in zip(documents, answers):
        compare(kind, document, answer)


@pytest.mark.parametrize("kind", KINDS)
def test_drawn(kind):
    pairs = answers_of(kind)
    for document, answer in pairs:
        compare(kind, document, answer)
    fine = sum(answer["ok"] for _, answer in pairs)
    assert COUNT // 10 < fine < COUNT * 9 // 10


def test_phrases():
    """All that a message can be refused for is met."""
    lines = [line(kind, one) for kind in KINDS
             for one in [*drawn(kind, COUNT), *without(kind)]]
    texts = [fault["text"] for answer in judge("say_judge", lines)
             for fault in answer["faults"]]
    for phrase in PHRASES:
        assert any(phrase in text for text in texts), phrase


def test_schemas():
    for kind in KINDS:
        schemas.VALIDATOR.check_schema(schemas.SCHEMAS[f"thread-{kind}"])
    assert {name for name in schemas.SCHEMAS if name.startswith("thread-")} \
        == set(VALIDATORS)


# Communiques: two implementations, one note.

DIALOGUE, VERSION = "1" * 64, "2" * 64
SIGNER = keys.Identity("delegation", "ABC/hq", bytes([7]) * 32)


def test_notes():
    rng = random.Random(f"{SEED} notes")
    first = next(good("communique"))
    documents = [first] + [mutate(rng, copy.deepcopy(first), OPERATIONS)
                           for _ in range(1500)]
    answers = judge("say_judge", [line("communique", one)
                                  for one in documents])
    count = 0
    for document, answer in zip(documents, answers):
        if not answer["ok"] or document["does"] != "propose":
            continue
        text = communique.text(DIALOGUE, topic("communique"), VERSION,
                               document)
        assert answer["note"] == text
        assert answer["line"] == communique.adoption(text, SIGNER)
        whole = communique.note(text, [answer["line"]])
        assert notes.verify(whole, [(SIGNER.name, SIGNER.public["note"])])
        count += 1
    assert count > 300


def test_note_example():
    """As section 7 shows it."""
    document = message(
        "propose", title={"fr": "Titre", "en": "Title"}, binding="fr",
        invited=["XYZ"], text="Plain",
        paragraphs=[{"id": "P1", "text": {"en": "One", "fr": "Un\ndeux"}}],
        decisions=[{"id": "D1", "text": "t", "owner": "QQ",
                    "by": "2026-12-24"}, {"id": "D2", "text": {"en": "u"}}],
        undertakings=[{"id": "U1", "who": "XYZ", "what": "w",
                       "by": "2026-12-24T09:00:00Z"}])
    [answer] = judge("say_judge", [line("communique", document)])
    assert answer["note"] == f"""parley/communique/1
{DIALOGUE}
thread all/communique/ABC/ABC-raid
version {VERSION}
binding fr

== fr ==

Titre

Plain

Un
deux

Decision D1: t [QQ, by 2026-12-24]

Decision D2: u

Undertaking U1: XYZ: w [by 2026-12-24T09:00:00Z]

== en ==

Title

Plain

One
"""
