"""C2SP signed notes, our kinds of them, and cards (section 5.2)."""

import hashlib
import re

from . import keys
from .errors import Refused, check
from .names import is_delegation, is_entity

SIGNATURES = 64
ED25519, COSIGNATURE = 1, 4  # C2SP signature types
KINDS = ("card", "roster", "communique", "erasure")
_KIND = re.compile(r"parley/([a-z]+)/([1-9][0-9]*)")
_HEX = re.compile(r"[0-9a-f]{64}")
# Which kinds the keys of each kind of identity may sign.
_MAY_SIGN = {
    "delegation": ("card", "communique", "erasure"),
    "root": ("card", "roster", "erasure"),
}


class Signature:
    def __init__(self, name, id4, signature):
        self.name, self.id4, self.signature = name, id4, signature


def id4(name, key, kind=ED25519):
    octets = name.encode() + b"\n" + bytes([kind]) + key
    return hashlib.sha256(octets).digest()[:4]


def digest(text):
    return hashlib.sha256(text.encode()).digest()


def line(name, key, signature, kind=ED25519):
    octets = id4(name, key, kind) + signature
    return f"\u2014 {name} {keys.b64(octets)}\n"


def join(text, *lines):
    return text + "\n" + "".join(lines)


def check_text(text):
    """What any C2SP note's text has to be."""
    check(text.endswith("\n"), "a note's text ends with a newline")
    check(not any(c < " " and c != "\n" for c in text),
          "a control character in a note")


def first_lines(text):
    """(kind, format, dialogue id or None) of one of our texts."""
    lines = text.split("\n", 2)
    check(len(lines) == 3, "a note of ours begins with two lines")
    found = _KIND.fullmatch(lines[0])
    check(found and found[1] in KINDS, f"{lines[0]!r} is no kind of note")
    check(lines[1] == "-" or _HEX.fullmatch(lines[1]),
          f"{lines[1]!r} is no dialogue id")
    dialogue = None if lines[1] == "-" else bytes.fromhex(lines[1])
    kind, form = found[1], int(found[2])
    check(kind != "card" or dialogue is None, "a card names no dialogue")
    check(kind in ("card", "roster") or dialogue is not None,
          f"a {kind} names its dialogue")
    return kind, form, dialogue


def sign(text, *identities):
    """The note of a text, signed by delegations' note or root keys."""
    check_text(text)
    kind, form, _ = first_lines(text)
    check(form == 1, f"no {kind} of format {form} is signed")
    lines = []
    for who in identities:
        check(kind in _MAY_SIGN[who.kind], f"a {who.kind} signs no {kind}")
        key = "note" if who.kind == "delegation" else "root"
        signature = keys.sign(who.secret[key], text.encode())
        lines.append(line(who.name, who.public[key], signature))
    return join(text, *lines)


def parse(note):
    """(text, signatures) of a note's octets or str; verifies nothing."""
    if isinstance(note, bytes):
        try:
            note = note.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("a note is not UTF-8") from None
    check_text(note)
    cut = note.rfind("\n\n")
    check(cut >= 0, "no empty line before the signatures")
    text, rest = note[:cut + 1], note[cut + 2:]
    check(rest != "", "no signature")
    lines = rest[:-1].split("\n")
    check(len(lines) <= SIGNATURES, f"{len(lines)} signatures", "LIMIT")
    return text, [_signature(one) for one in lines]


def _signature(one):
    parts = one.split(" ")
    check(len(parts) == 3 and parts[0] == "\u2014",
          f"{one!r} is no signature line")
    name = parts[1]
    check(1 <= len(name.encode()) <= 255 and "+" not in name
          and not any(c.isspace() for c in name), f"{name!r} is no key name")
    octets = keys.unb64(parts[2])
    check(len(octets) > 4, "a signature line without a signature")
    return Signature(name, octets[:4], octets[4:])


def verify(note, known):
    """(text, those of `known` that signed). known: [(name, key)].

    Refused where a known key's signature is wrong or stands twice, and
    where no known key signed."""
    text, signatures = parse(note)
    table = {(name, id4(name, key)): (name, key) for name, key in known}
    signers = []
    for one in signatures:
        who = table.get((one.name, one.id4))
        if who is None:
            continue
        check(keys.verifies(who[1], one.signature, text.encode()),
              f"the signature of {one.name} does not verify", "BAD-SIGNATURE")
        check(who not in signers, f"two signatures by {one.name}")
        signers.append(who)
    check(signers, "no signature by a known key", "BAD-SIGNATURE")
    return text, signers


# -- cards --------------------------------------------------------------


def card_text(who):
    names = {"delegation": keys.DELEGATION_KEYS, "root": keys.ROOT_KEYS}
    lines = ["parley/card/1", "-", f"name {who.name}"]
    lines += [f"{k} {keys.b64(who.public[k])}" for k in names[who.kind]]
    return "\n".join(lines) + "\n"


def card(who):
    return sign(card_text(who), who)


def read_card(note):
    """(name, {key: 32 octets}) of a card that its own key signed."""
    text, _ = parse(note)
    kind, form, _ = first_lines(text)
    check(kind == "card" and form == 1, "no card of format 1")
    lines = text[:-1].split("\n")[2:]
    check(lines and lines[0].startswith("name "), "a card begins with a name")
    name = lines[0][5:]
    root = name.endswith("/root") and is_entity(name[:-5])
    check(root or is_delegation(name), f"{name!r} names nobody")
    wanted = list(keys.ROOT_KEYS if root else keys.DELEGATION_KEYS)
    check(len(lines) == 1 + len(wanted), f"a card has {len(wanted)} keys")
    found = {}
    for key, text_line in zip(wanted, lines[1:]):
        check(text_line.startswith(key + " "), f"{key!r} expected")
        found[key] = keys.unb64(text_line[len(key) + 1:], 32)
    verify(note, [(name, found["root" if root else "note"])])
    return name, found
