"""What THREADS.md asks of messages beside their schemas, written from its text and
not from the C code: each fault as the JSON Pointer of its place."""
import datetime
import re

import plans
from plans import escape, items, listed, member, places

INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?"
    r"(Z|[+-]\d\d:\d\d))?\Z", re.ASCII)
END = 253402300800000  # of the year 9999, in ms
CONTROLS = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f]")
NAME_BAD = re.compile("[\0-\x1f\x7f-\x9f/\\\\\u200b-\u200f\u2028-\u202e"
                      "\u2060-\u206f\ufeff\u061c]")

TEXTS = {
    "propose": ["title", "text", "undertakings/*/what", "decisions/*/text",
                "paragraphs/*/text", "place", "agenda/*/title",
                "agenda/*/text", "conditions", "contact"],
    "suggest": ["text", "put"], "stance": ["reservation", "text"],
    "comment": ["text"], "contribution": ["title", "text"], "done": ["text"],
    "attendance": ["present/*/text"], "close": ["text"],
    "withdraw": ["reason"]}
INSTANTS = ["deadline", "from", "to", "undertakings/*/by", "decisions/*/by"]
PROPOSERS = ("propose", "attendance", "withdraw")


def instant(text):
    """Milliseconds, or None where it is none."""
    found = INSTANT.match(text) if isinstance(text, str) else None
    if not found or plans.days(found[1]) is None:
        return None
    ms = (plans.days(found[1])[0] - datetime.date(1970, 1, 1)).days * 86400000
    if ms < 0:
        return None
    if found[2] is None:
        return ms + 86400000
    hours, minutes, seconds = (int(found[i]) for i in (2, 3, 4))
    if hours > 23 or minutes > 59 or seconds > 59 or found[6] == "-00:00":
        return None
    ms += ((hours * 60 + minutes) * 60 + seconds) * 1000
    ms += int((found[5] or "").ljust(3, "0"))
    if found[6] != "Z":
        sign, east = -1 if found[6][0] == "-" else 1, found[6][1:].split(":")
        if int(east[0]) > 23 or int(east[1]) > 59:
            return None
        ms -= sign * (int(east[0]) * 60 + int(east[1])) * 60000
    return ms if 0 <= ms <= END else None


def text_faults(document, does):
    for path in TEXTS[does]:
        for at, text in places(document, path):
            inner = places(text, "%", at) if isinstance(text, dict) \
                else [(at, text)]
            for where, plain in inner:
                if isinstance(plain, str) and "\0" in plain:
                    yield where


def file_faults(document):
    for at, one in items(document, "attachments", ""):
        name = member(one, "name")
        if isinstance(name, str) and (
                not 1 <= len(name) <= 200 or name in (".", "..")
                or name != name.strip(" ") or NAME_BAD.search(name)):
            yield f"{at}/name"
        first, whole = member(one, "file"), member(one, "sha256")
        if isinstance(first, str) and isinstance(whole, str) \
                and re.match(r"[0-9a-f]{32}\Z", first) and len(whole) == 64 \
                and not whole.startswith(first):
            yield f"{at}/sha256"


def own_id_faults(document, name):
    yield from plans.id_faults(items(document, name, ""))


def note_faults(document):
    """Texts of a communique's note."""
    for path in ("title", "text", "paragraphs/*/text", "decisions/*/text",
                 "undertakings/*/what"):
        for at, text in places(document, path):
            for where, plain in (places(text, "%", at)
                                 if isinstance(text, dict) else [(at, text)]):
                if isinstance(plain, str) and (
                        plain == "" or plain.strip("\n") != plain
                        or CONTROLS.search(plain)):
                    yield where


def language_faults(document):
    binding = document.get("binding")
    texts = places(document, "paragraphs/*/text")
    if not isinstance(binding, str) or not texts:
        return
    of = [set(text) if isinstance(text, dict) else {binding}
          for _, text in texts]
    for (at, _), own in zip(texts, of):
        if binding not in own or own != of[0]:
            yield at


def proposal_faults(document, kind, taxonomy, entity):
    yield from plans.code_faults(document, taxonomy, "")
    for path in INSTANTS:
        if kind == "meeting" or path not in ("from", "to"):
            for at, text in places(document, path):
                if isinstance(text, str) and instant(text) is None:
                    yield at
    for name in ("undertakings", "decisions", "paragraphs", "agenda"):
        yield from own_id_faults(document, name)
    invited = listed(document.get("invited"))
    for i, name in enumerate(invited):
        if name == entity:
            yield f"/invited/{i}"
    for at, one in items(document, "undertakings", ""):
        if isinstance(member(one, "who"), str) \
                and one["who"] not in [entity, *invited]:
            yield f"{at}/who"
    if document.get("rule") == "silence" and "deadline" not in document:
        yield "/rule"
    if kind == "meeting":
        first, last = (instant(document.get(name)) for name in ("from", "to"))
        if first is not None and last is not None and last < first:
            yield "/to"
    if kind == "communique":
        yield from note_faults(document)
        yield from language_faults(document)


def verb_faults(document, does):
    if does == "done" and isinstance(document.get("day"), str) \
            and plans.days(document["day"]) is None:
        yield "/day"
    if does == "attendance":
        seen = set()
        for at, one in items(document, "present", ""):
            name = member(one, "entity")
            if isinstance(name, str) and name in seen:
                yield f"{at}/entity"
            if isinstance(name, str):
                seen.add(name)
    if does == "close" and isinstance(document.get("stances"), dict):
        for name in document["stances"]:
            if "\0" in name:
                yield "/stances/" + escape(name)


def faults(kind, document, taxonomy, thread, entity):
    """Pointers of what a message of a kind breaks beside its schema."""
    if not isinstance(document, dict):
        return set()
    found = set(file_faults(document))
    if isinstance(document.get("thread"), str) and document["thread"] != thread:
        found.add("/thread")
    for name in ("function", "signature"):
        if isinstance(document.get(name), str) and "\0" in document[name] \
                and (name == "function" or document.get("does") == "stance"):
            found.add("/" + name)
    does = document.get("does")
    if not isinstance(does, str) or does not in TEXTS:
        return found
    found.update(text_faults(document, does))
    found.update(verb_faults(document, does))
    if does == "propose":
        found.update(proposal_faults(document, kind, taxonomy, entity))
    return found
