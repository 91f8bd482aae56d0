"""What CONTENTS.md asks of bodies beside their schemas, written from its text and
not from the C code: each fault as the JSON Pointer of its place."""
import base64
import binascii
import datetime
import re

import msgpack

OCTETS_MAX = 240 * 1024
DEPTH_MAX = 16
PLAN_ID = re.compile(r"[A-Z][A-Z0-9]{1,15}-[a-z0-9][a-z0-9.-]{0,63}\Z")
ENTITY = re.compile(r"[A-Z][A-Z0-9]{1,15}\Z")
DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?\Z")

# Places: names; "*" is each item of a list, "%" each member of an object.
INDICATOR = {"texts": ["title", "source"], "strings": ["unit"],
             "dates": ["baseline/at", "targets/*/at"]}
MILESTONE = {"texts": ["title"], "strings": [], "dates": ["due", "done"]}
GOAL = {"texts": ["title"], "strings": [], "dates": [],
        "parts": {"indicators/*": INDICATOR}}
ACTION = {"texts": ["title", "description", "others/*", "needs/*", "note"],
          "strings": [], "dates": ["from", "to"],
          "parts": {"milestones/*": MILESTONE, "indicators/*": INDICATOR}}
PLAN = {"texts": ["title", "summary", "adopted/by", "caveats/*/text",
                  "own_terms/%", "contacts/*/function", "contacts/*/unit"],
        "strings": ["lang", "adopted/reference", "caveats/*/scheme",
                    "caveats/*/code", "sources/*", "contacts/*/address"],
        "dates": ["adopted/on", "cycle/from", "cycle/to", "cycle/next_review",
                  "cycle/phases/*/from", "cycle/phases/*/to"],
        "parts": {"goals/*": GOAL, "actions/*": ACTION}}
ANNEX = {"texts": ["text"], "strings": [], "dates": [],
         "parts": {"actions/*": ACTION, "adds/%": ACTION}}
REPORT = {"texts": ["text"], "strings": [],
          "dates": ["period/from", "period/to", "milestones/*/done",
                    "milestones/*/due", "indicators/*/at"]}
REASON = {"texts": ["reason"], "strings": [], "dates": []}
CHANGE = {"texts": ["reason"],
          "strings": ["adds/priorities/%/title", "adds/priorities/%/parent",
                      "adds/regions/%/title", "adds/regions/%/parts/*",
                      "adds/country_groups/%/title",
                      "adds/country_groups/%/members/*/country",
                      "adds/country_groups/%/ends/*/country",
                      "titles/priorities/%", "titles/regions/%",
                      "titles/country_groups/%"],
          "dates": ["adds/country_groups/%/members/*/from",
                    "adds/country_groups/%/members/*/to",
                    "adds/country_groups/%/ends/*/to"]}
CHANGE_MAPS = ["adds/priorities", "adds/regions", "adds/country_groups",
               "titles/priorities", "titles/regions", "titles/country_groups"]
TABLES = {"plan": PLAN, "annex": ANNEX, "report": REPORT, "withdrawal": REASON,
          "statement": REASON, "hidden": {"texts": [], "strings": [],
                                          "dates": []},
          "taxonomy-change": CHANGE}


def escape(name):
    return name.replace("~", "~0").replace("/", "~1")


def steps(value, step):
    if step == "*":
        return [(str(i), item) for i, item in enumerate(listed(value))]
    if not isinstance(value, dict):
        return []
    if step == "%":
        return [(escape(name), item) for name, item in value.items()]
    return [(step, value[step])] if step in value else []


def places(value, path, pointer=""):
    """Each (pointer, value) that a path leads to."""
    found = [(pointer, value)]
    for step in path.split("/") if path else []:
        found = [(f"{at}/{name}", item) for at, inner in found
                 for name, item in steps(inner, step)]
    return found


def days(text):
    """First and last day, or None where the text is no date."""
    if not isinstance(text, str) or not DATE.match(text):
        return None
    year, *rest = [int(part) for part in text.split("-")]
    try:
        if len(rest) == 2:
            day = datetime.date(year, *rest)
            return day, day
        months = (rest or [1])[0], (rest or [12])[-1]
        first = datetime.date(year, months[0], 1)
        if (year, months[1]) == (9999, 12):
            return first, datetime.date.max
        following = datetime.date(year + months[1] // 12, months[1] % 12 + 1, 1)
        return first, following - datetime.timedelta(days=1)
    except ValueError:
        return None


def listed(value):
    return value if isinstance(value, list) else []


def member(value, name):
    return value.get(name) if isinstance(value, dict) else None


def table_faults(value, table, pointer):
    """Days that are none, and texts with a NUL."""
    for path in table["dates"]:
        for at, text in places(value, path, pointer):
            if isinstance(text, str) and days(text) is None:
                yield at
    for path in table["texts"] + table["strings"]:
        for at, text in places(value, path, pointer):
            inner = [(at, text)]
            if path in table["texts"] and isinstance(text, dict):
                inner = places(text, "%", at)
            for where, plain in inner:
                if isinstance(plain, str) and "\0" in plain:
                    yield where
    for path, part in table.get("parts", {}).items():
        for at, inner in places(value, path, pointer):
            yield from table_faults(inner, part, at)


def code_faults(document, taxonomy, *prefixes):
    regions = {**taxonomy["regions"], **taxonomy["country_groups"]}
    for prefix in prefixes:
        for name, known in (("priorities", taxonomy["priorities"]),
                            ("regions", regions)):
            for at, lists in places(document, prefix + name):
                for i, code in enumerate(listed(lists)):
                    if isinstance(code, str) and code not in known:
                        yield f"{at}/{i}"


def order_fault(value, pointer):
    first, last = days(member(value, "from")), days(member(value, "to"))
    if first and last and last[1] < first[0]:
        yield f"{pointer}/to"


def id_faults(parts):
    """Of (pointer, part): ids that came before."""
    seen = set()
    for at, part in parts:
        name = member(part, "id")
        if not isinstance(name, str) or not name:
            continue
        if name in seen:
            yield f"{at}/id"
        seen.add(name)


def items(value, path, pointer):
    """Of lists alone."""
    for at, inner in places(value, path, pointer):
        for i, item in enumerate(listed(inner)):
            yield f"{at}/{i}", item


def with_parts(parts, own=True, lists=("milestones", "indicators")):
    for at, part in parts:
        if own:
            yield at, part
        for name in lists:
            yield from items(part, name, at)


def same_faults(actions, plan):
    for at, action in actions:
        for where, ref in items(action, "same_as", at):
            if not isinstance(ref, str):
                continue
            name, mark, _ = ref.partition("#")
            if PLAN_ID.match(name) and (not mark or name == plan):
                yield where


def circle_faults(goals):
    first = {}
    for i, goal in enumerate(goals):
        name = member(goal, "id")
        if isinstance(name, str) and name:
            first.setdefault(name, i)
    above = []
    for i, goal in enumerate(goals):
        parent = member(goal, "parent")
        known = isinstance(parent, str) and parent in first
        above.append(first[parent] if known else None)
        if isinstance(parent, str) and parent and not known:
            yield f"/goals/{i}/parent"
    for i in range(len(goals)):
        ring, at = [], above[i]
        while at is not None and at != i and at not in ring:
            ring.append(at)
            at = above[at]
        if at == i and i <= min(ring, default=i):
            yield f"/goals/{i}/parent"


def canonical(value, depth=0):
    """As it is packed; ValueError where it can't be."""
    if isinstance(value, float) and -2**63 <= value < 2**63 \
            and value == int(value):
        return int(value)
    if not isinstance(value, (list, dict)):
        return value
    if isinstance(value, dict) and set(value) == {"$bin"}:
        try:
            text = value["$bin"].encode()
            data = base64.b64decode(text, validate=True)
        except (AttributeError, binascii.Error) as why:
            raise ValueError("no base64") from why
        if base64.b64encode(data) != text:
            raise ValueError("another spelling")
        return data
    if depth == DEPTH_MAX:
        raise ValueError("too deep")
    if isinstance(value, list):
        return [canonical(item, depth + 1) for item in value]
    return {name: canonical(item, depth + 1) for name, item in value.items()}


def size_faults(document):
    try:
        if len(msgpack.packb(canonical(document))) > OCTETS_MAX:
            yield ""
    except ValueError:
        yield ""


def plan_id_faults(document):
    plan, entity = member(document, "plan"), member(document, "entity")
    if isinstance(plan, str) and isinstance(entity, str) \
            and PLAN_ID.match(plan) and ENTITY.match(entity) \
            and not plan.startswith(entity + "-"):
        yield "/plan"


def plan_faults(document, taxonomy):
    yield from plan_id_faults(document)
    yield from code_faults(document, taxonomy, "", "goals/*/", "actions/*/")
    yield from order_fault(document.get("cycle"), "/cycle")
    goals = list(items(document, "goals", ""))
    actions = list(items(document, "actions", ""))
    yield from id_faults([*with_parts(goals, lists=["indicators"]),
                          *with_parts(actions)])
    yield from circle_faults([goal for _, goal in goals])
    names = {member(goal, "id") for _, goal in goals
             if isinstance(member(goal, "id"), str)}
    for at, action in actions:
        yield from order_fault(action, at)
        for where, name in items(action, "goals", at):
            if isinstance(name, str) and name and name not in names:
                yield where
    yield from same_faults(actions, document.get("plan"))
    yield from size_faults(document)
    if isinstance(document.get("own_terms"), dict):
        for name in document["own_terms"]:
            if "\0" in name:
                yield "/own_terms/" + escape(name)


def annex_faults(document, taxonomy):
    yield from plan_id_faults(document)
    yield from code_faults(document, taxonomy, "actions/*/", "adds/%/")
    actions = list(items(document, "actions", ""))
    adds = []
    if isinstance(document.get("adds"), dict):
        adds = places(document, "adds/%")
    yield from id_faults([*with_parts(actions), *with_parts(adds, own=False)])
    for at, action in actions + adds:
        yield from order_fault(action, at)
    yield from same_faults(actions + adds, document.get("plan"))


def report_faults(document, _):
    yield from order_fault(document.get("period"), "/period")
    yield from id_faults(items(document, "milestones", ""))


def statement_faults(document, _):
    a, b = document.get("a"), document.get("b")
    if isinstance(a, str) and isinstance(b, str) and a.encode() >= b.encode():
        yield "/b"


def change_faults(document, _):
    for path in CHANGE_MAPS:
        for at, names in places(document, path):
            for name in names if isinstance(names, dict) else []:
                if "\0" in name:
                    yield f"{at}/{escape(name)}"


RULES = {"plan": plan_faults, "annex": annex_faults, "report": report_faults,
         "statement": statement_faults, "taxonomy-change": change_faults}


def topic_faults(kind, document, plan, entity):
    """The body names another plan or entity than its topic."""
    said = {"plan": [("plan", plan), ("entity", entity)],
            "annex": [("plan", plan), ("entity", entity)],
            "report": [("report", plan)], "hidden": [("hidden", plan)],
            "withdrawal": [("withdraw", plan)]}
    for name, topic in said.get(kind, []):
        if isinstance(document.get(name), str) and document[name] != topic:
            yield "/" + name


def is_newer(document):
    """A higher format is kept and judged no further."""
    number = member(document, "format")
    return isinstance(number, (int, float)) and not isinstance(number, bool) \
        and 1 < number < 2**63 and number == int(number)


def faults(kind, document, taxonomy, plan, entity):
    """Pointers of what a body of a kind breaks beside its schema."""
    if not isinstance(document, dict):
        return set()
    if kind == "taxonomy-change" and "consent" in document \
            and "version" not in document:
        return set()
    found = set(table_faults(document, TABLES[kind], ""))
    found.update(topic_faults(kind, document, plan, entity))
    if kind in RULES:
        found.update(RULES[kind](document, taxonomy))
    return found
