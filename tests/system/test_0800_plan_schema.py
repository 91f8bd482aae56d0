"""The C code's verdict on plans and what else bodies say of them, against the
JSON Schemas and the rules beside them as tests/client/plans.py has them: a few
thousand documents, good ones and with each kind of fault, and the same pointers.
"""
import copy
import json
import random
import re

import pytest

import plans
import schemas
from conftest import ROOT, SAMPLE
from schemas import drop, holder, judge, mutate, repeat, swap, walk, widened

SEED = 800
TAXONOMY = json.loads((SAMPLE / "taxonomy.json").read_text())
PLAN, ENTITY = "ABC-drugs-2026", "ABC"
OTHER = "XYZ-plan"
TOPICS = {"plan": f"all/plan/{ENTITY}/{PLAN}",
          "withdrawal": f"all/plan/{ENTITY}/{PLAN}",
          "annex": f"all/annex/{ENTITY}/{PLAN}",
          "report": f"all/report/{ENTITY}/{PLAN}",
          "hidden": f"all/hidden/{ENTITY}/{PLAN}",
          "statement": f"all/overlap/{ENTITY}",
          "taxonomy-change": "all/taxonomy/change"}


# Documents that are good.

def action(name="A1"):
    return {
        "id": name, "goals": ["G1", "G1.1"],
        "title": {"en": "Checks", "fr": "Contrôles", "pt-BR": "Controlos"},
        "description": "At ports", "kind": "operation",
        "priorities": ["organized-crime", "cybercrime/cyber-attacks"],
        "regions": ["EU", "002", "056"], "from": "2026-02", "to": "2026-11-30",
        "lead": "ABC", "co_leads": ["INTERPOL"], "partners": ["EUROPOL", "XY2"],
        "others": ["A ministry", {"en": "An office"}], "status": "planned",
        "open_to": ["*", "AFRIPOL"], "needs": ["boats"],
        "milestones": [{"id": f"{name}.M1", "title": "Start", "due": "2026-03",
                        "done": "2026-03-04"},
                       {"id": f"{name}.M2", "title": "End", "due": "2026"}],
        "indicators": [{"id": f"{name}.I1", "title": "Seized", "unit": "kg",
                        "better": "up",
                        "baseline": {"at": "2025", "value": 0},
                        "targets": [{"at": "2026-06", "value": 1.5},
                                    {"at": "2026-12-31", "value": 12}],
                        "source": "customs"}],
        "depends_on": [OTHER, OTHER + "#A9"], "same_as": [OTHER + "#A1"],
        "note": "none", "own-member": {"kept": [1, None]}}


def plan():
    # Small, since schemas are judged slowly.
    later = {key: value for key, value in action("A2").items()
             if key in ("id", "title", "kind", "priorities", "regions", "from",
                        "lead", "status")}
    last = dict(later, id="A3", to=None, goals=[], milestones=[])
    return {
        "format": 1, "plan": PLAN, "entity": ENTITY, "lang": "en",
        "title": "Drugs", "summary": {"en": "In short"}, "level": "strategy",
        "part_of": OTHER, "adopted": {"by": "The Council", "on": "2025-12-01",
                                      "reference": "D 25/1"},
        "cycle": {"from": "2026", "to": "2027-12", "next_review": "2026-12",
                  "phases": [{"phase": "drafting", "from": "2025",
                              "to": "2025-11"}]},
        "handling": "TLP:AMBER", "caveats": [{"scheme": "SIENA", "code": "H1",
                                              "text": "ask"}],
        "priorities": ["organized-crime"],
        "own_terms": {"organized-crime": "serious crime", "x/y~z": "w"},
        "regions": ["001"], "sources": ["https://example.org"],
        "contacts": [{"function": "desk", "unit": {"en": "U"}, "via": "mail",
                      "address": "desk@example.org"}],
        "goals": [{"id": "G1", "title": "Less"},
                  {"id": "G1.1", "parent": "G1", "title": {"en": "Fewer"},
                   "priorities": ["cybercrime"], "regions": ["AU"],
                   "indicators": [{"id": "I1", "title": "n",
                                   "better": "down"}]},
                  {"id": "G2", "parent": "G1.1", "title": "Other"}],
        "actions": [action(), later, last]}


MESSAGE = "0123456789abcdef" * 4
GOOD = {
    "plan": plan,
    "withdrawal": lambda: {"format": 1, "withdraw": PLAN, "reason": "over"},
    "hidden": lambda: {"format": 1, "hidden": PLAN, "withdrawal": MESSAGE},
    "annex": lambda: {
        "format": 1, "annex": "X1", "plan": PLAN, "entity": ENTITY,
        "actions": [action("B1")], "text": "more", "handling": "TLP:RED",
        "adds": {"A1": {"note": "more", "own": 1},
                 "A2": {key: value for key, value in action("A2").items()
                        if key in ("milestones", "same_as", "regions", "to",
                                   "indicators", "from")}}},
    "report": lambda: {
        "format": 1, "report": PLAN, "action": "A1",
        "period": {"from": "2026-01", "to": "2026-06"}, "status": "active",
        "milestones": [{"id": "A1.M1", "done": "2026-03"},
                       {"id": "A1.M2", "done": None, "due": "2027"}],
        "indicators": [{"id": "A1.I1", "at": "2026-05", "value": 2.5}],
        "text": {"en": "well"}},
    "statement": lambda: {
        "format": 1, "a": PLAN + "#A1", "b": OTHER + "#A1",
        "says": "not-overlap", "a_of": 12, "b_of": 900, "reason": "another"},
    "taxonomy-change": lambda: {
        "format": 1, "version": 2, "reason": "new",
        "adds": {"priorities": {"arms": {"title": "Arms", "parent": None}},
                 "regions": {"999": {"title": "R", "parts": ["056"]}},
                 "country_groups": {
                     "NEW": {"title": "N", "members": [
                         {"country": "056", "from": "2026", "to": None}]},
                     "EU": {"ends": [{"country": "056", "to": "2026-05"}]}}},
        "titles": {"priorities": {"cybercrime": "Crime by computer"}}},
}
VARIANTS = {  # other forms of a kind
    "annex": [{"format": 1, "annex": "X1", "plan": PLAN, "entity": ENTITY,
               "withdraw": True}],
    "taxonomy-change": [{"format": 1, "consent": MESSAGE}],
}
VALIDATORS = schemas.validators(GOOD)


# Faults, somewhere.

VALUES = [
    None, True, False, 0, 1, 2, 1.0, 2.0, -1, 1.5, 2**53, -2**63, 1e300, "",
    "x", "*", "é" * 4000, "é" * 4001, "nul\0", "2026", "2026-13", "2026-1",
    "2026-02-29", "2024-02-29", "2026-04-31", "0000", "0000-01-01", "0001",
    "9999-12-31", "2026\n", "20260101", "2026-01-01T00:00", "A1", "G1", "G2",
    "I1", "A2", "1A", "A" * 32, "A" * 33, "A_b", "ABC", "abc", "A", "A" * 16,
    "A" * 17, PLAN, PLAN + "#A1", OTHER, OTHER + "#A1", OTHER + "#", "abc-x",
    "A-x", "ABC-" + "x" * 64, "ABC-" + "x" * 65, "ABC-X", "#A1", "056", "EU",
    "998", "ZZ", "organized-crime", "organized-crime/none", "a/b/c", "done",
    "planned", "operation", "up", "TLP:RED", "confirm", "not-overlap",
    MESSAGE, MESSAGE.upper(), MESSAGE[1:], [], {}, ["A1"], [1, 1], ["x", "x"],
    {"en": "t"}, {"EN": "t"}, {"en": 1}, {"en-": "t"}, {"engl": "t"},
    {"zh-Hans-CN": "t"}, {"en": "nul\0"}, {"de-123456789": "x"}, {"$bin": "AA=="},
    {"$bin": 5}, [[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]],
]


def refer(rng, document, _):
    """The name of some part where another is named: of another kind, of itself,
    in a circle."""
    paths = {}
    for path in list(walk(document))[1:]:
        name = [step for step in path if isinstance(step, str)][-1]
        if isinstance(holder(document, path)[path[-1]], str):
            paths.setdefault(name, []).append(path)
    kinds = [kind for kind in ("id", "parent", "goals", "same_as", "a", "b")
             if kind in paths]
    if not kinds or "id" not in paths:
        return
    kind = rng.choice(kinds)
    path = rng.choice(paths[kind])
    near = [at for at in paths["id"] if at[0] == "goals"] or paths["id"]
    source = rng.choice(near if kind == "parent" else paths["id"])
    name = holder(document, source)[source[-1]]
    holder(document, path)[path[-1]] = \
        rng.choice([f"{PLAN}#{name}", f"{PLAN}#{name}", OTHER]) \
        if kind in ("same_as", "a", "b") else name


def add(rng, document, path):
    inner = holder(document, path)
    name = rng.choice(["other", "milestones", "to", "withdraw", "consent",
                       "parent", "en", "a/b~c", "xx-1"])
    if isinstance(inner, dict):
        inner.setdefault(name, copy.deepcopy(rng.choice(VALUES)))
    else:
        inner.append(copy.deepcopy(rng.choice(VALUES)))


FORMS = [(plans.PLAN_ID,
          [OTHER, PLAN + "7", "AB-x", "ABCD-x", "ABC-" + "y" * 64]),
         (plans.ENTITY, ["AB", "ABCD", "XYZ", "AU", "GCC", "A" * 16]),
         (re.compile(r"[0-9]{3}\Z"), ["001", "250", "999", "0560"])]


def fit(rng, document, path):
    """Another of its form; shorter; in another order."""
    inner = holder(document, path)
    value = inner[path[-1]]
    if isinstance(value, (int, float)):
        inner[path[-1]] = rng.choice([0, -1, -2, 3.0, 1.0, 1.5, 2, 2**53, True])
    elif isinstance(value, str):
        others = [values for form, values in FORMS if form.match(value)]
        inner[path[-1]] = rng.choice(
            others[0] if others else
            [value[:1], value[:7], value[:40], value + "\0", "é" * 4001])
    elif isinstance(path[-1], int):
        inner.reverse()


def redate(rng, document, _):
    """Other days that are fine by themselves, all over the document."""
    for at in list(walk(document))[1:]:
        inner = holder(document, at)
        if plans.days(inner[at[-1]]) and rng.random() < 0.2:
            inner[at[-1]] = rng.choice(["2024-02-29", "2025", "2025-12",
                                        "2026-01-01", "2026-12", "2028"])


put_value = schemas.putter(VALUES)
OPERATIONS = [put_value, put_value, put_value, drop, repeat, swap, swap, add,
              fit, fit, refer, redate]


def drawn(kind, count):
    rng = random.Random(f"{SEED} {kind}")
    for _ in range(count):
        forms = [GOOD[kind](), *copy.deepcopy(VARIANTS.get(kind, []))]
        yield mutate(rng, rng.choice(forms), OPERATIONS)


# Verdicts

def line(kind, document, topic=None):
    return f"{topic or TOPICS[kind]}\t{json.dumps(document)}\n"


def kind_of(kind, document):
    """What a body on a plan's topic is taken for."""
    if kind in ("plan", "withdrawal") and isinstance(document, dict):
        back = "withdraw" in document and "plan" not in document
        return "withdrawal" if back else "plan"
    return kind


def expected(kind, document, plan_id=PLAN, entity=ENTITY):
    kind = kind_of(kind, document)
    found, wide = schemas.schema_faults(VALIDATORS[kind], document)
    found |= plans.faults(kind, document, TAXONOMY, plan_id, entity)
    return {widened(at, wide) for at in found}, wide


def compare(kind, document, answer, want=None):
    if plans.is_newer(document):
        assert answer["newer"] and answer["count"] == 0
        return
    found, wide = want or expected(kind, document)
    assert not answer["newer"]
    assert answer["ok"] == (answer["count"] == 0)
    got = {widened(fault["pointer"], wide) for fault in answer["faults"]}
    if answer["count"] > len(answer["faults"]):  # only so many are kept
        assert got <= found
    else:
        assert got == found, (document, answer["faults"])


# Hundreds a kind; of plans, whose schema is slow to judge, what time allows.
COUNTS = {"plan": 3000, "annex": 600, "report": 700, "withdrawal": 200,
          "hidden": 200, "statement": 500, "taxonomy-change": 700}


# What plans are refused for: the drawn ones meet all of it.
PHRASES = [
    "which is no date", "which is no day", "before 'from'", "is no priority",
    "is no country", "is the id of", "is no goal", "makes a circle",
    "which stands at", "needs at least one", "entries, at most",
    "characters, at most", "NUL", "can't be sent", "has no '", "has to begin",
    "the topic says", "an action of this plan", "a plan; an action", "is no id",
    "is no entity's", "is no reference", "is no plan's id", "is no language",
    "no text in any", "one of: ", "has to be text", "has to be an object",
    "has to be a list", "has to be a number", "has to be 1"]


@pytest.mark.parametrize("kind", COUNTS)
def test_drawn(kind):
    documents = list(drawn(kind, COUNTS[kind]))
    answers = judge("plan_judge",
                    [line(kind, document) for document in documents])
    assert len(answers) == len(documents)
    for document, answer in zip(documents, answers):
        compare(kind, document, answer)
    good = sum(answer["ok"] for answer in answers)
    assert any(answer["newer"] for answer in answers)
    assert len(documents) // 10 < good < len(documents) * 9 // 10
    texts = [fault["text"] for answer in answers for fault in answer["faults"]]
    for phrase in PHRASES if kind == "plan" else []:
        assert sum(phrase in text for text in texts) >= 3, phrase


def test_samples():
    """Those of deploy/sample are good, and break as the schema says."""
    rng = random.Random(f"{SEED} samples")
    documents, answers = [], []
    for path in sorted((SAMPLE / "plans").glob("*.json")):
        good = json.loads(path.read_text())
        topic = f"all/plan/{good['entity']}/{good['plan']}"
        mutants = [good, *(mutate(rng, copy.deepcopy(good), OPERATIONS)
                           for _ in range(12))]
        documents += [(good, mutant) for mutant in mutants]
        answers += judge("plan_judge",
                         [line("plan", mutant, topic) for mutant in mutants])
    assert len(answers) == len(documents)
    for (good, mutant), answer in zip(documents, answers):
        assert answer["ok"] or mutant is not good
        compare("plan", mutant, answer,
                expected("plan", mutant, good["plan"], good["entity"]))


def test_schemas():
    """They are JSON Schema, and installed, and their forms are all there."""
    for name, schema in schemas.SCHEMAS.items():
        schemas.VALIDATOR.check_schema(schema)
        assert (ROOT / "deploy" / "meson.build").read_text().count(
            f"/{name}.schema.json") == 1
    assert set(GOOD) == {name for name in schemas.SCHEMAS
                         if not name.startswith("thread")}


def test_edges():
    """Numbers and texts at the limits: what the schema says of them."""
    changes = [("format", 1.0), ("format", 1.5), ("format", -0.0),
               ("format", True), ("text", "\U0001f600"), ("text", "a\0b"),
               *(("value", value) for value in (
                   -0.0, 1e300, 5e-324, 2.0 ** 63, 2 ** 63 - 1, -2 ** 63, 0,
                   True, None, "1"))]
    documents = []
    for name, value in changes:
        one = copy.deepcopy(GOOD["report"]())
        if name == "value":
            one["indicators"] = [{"id": "I1", "at": "2026", "value": value}]
        else:
            one[name] = value
        documents.append(one)
    answers = judge("plan_judge", [line("report", one) for one in documents])
    assert len(answers) == len(documents)
    for (name, value), document, answer in zip(changes, documents, answers):
        compare("report", document, answer)
    assert [answer["ok"] for answer in answers] == [
        True, False, False, False, True, False] + [True] * 7 + [False] * 3
