"""The note that bodies adopt as a communique (agent/threads/THREADS.md section 7),
from its text alone."""

from . import keys, notes
from .errors import check


def languages(proposal):
    """The binding one first, then by octets."""
    binding, text = proposal["binding"], proposal["paragraphs"][0]["text"]
    names = [binding] if isinstance(text, str) else list(text)
    return sorted(names, key=lambda name: (name != binding, name.encode()))


def in_language(text, lang):
    if isinstance(text, str):
        return text
    return text.get(lang, text[min(text, key=str.encode)])


def blocks(proposal, lang):
    yield f"== {lang} =="
    yield in_language(proposal["title"], lang)
    if "text" in proposal:
        yield in_language(proposal["text"], lang)
    for paragraph in proposal["paragraphs"]:
        yield in_language(paragraph["text"], lang)
    if lang != proposal["binding"]:
        return
    for one in proposal.get("decisions", []):
        said = in_language(one["text"], lang)
        yield f"Decision {one['id']}: {said}" + brackets(one)
    for one in proposal.get("undertakings", []):
        said = in_language(one["what"], lang)
        yield (f"Undertaking {one['id']}: {one['who']}: {said}"
               + brackets({"by": one["by"]} if "by" in one else {}))


def brackets(one):
    inner = [one["owner"]] if "owner" in one else []
    inner += ["by " + one["by"]] if "by" in one else []
    return f" [{', '.join(inner)}]" if inner else ""


def text(dialogue, topic, version, proposal):
    """Of a version; `dialogue` and `version` in hex."""
    head = ["parley/communique/1", dialogue, f"thread {topic}",
            f"version {version}", f"binding {proposal['binding']}"]
    parts = ["\n".join(head) + "\n"]
    for lang in languages(proposal):
        parts += [block + "\n" for block in blocks(proposal, lang)]
    return "\n".join(parts)


def adoption(text, who):
    """The signature line, without its line feed, of a delegation's note key."""
    signature = keys.sign(who.secret["note"], text.encode())
    return notes.line(who.name, who.public["note"], signature)[:-1]


def note(text, lines):
    """The whole: lines by their names."""
    check(lines, "nobody has adopted it")
    return notes.join(text, *(line + "\n" for line in sorted(
        lines, key=lambda line: line.split(" ")[1])))
