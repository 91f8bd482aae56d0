"""Checkpoints, cosignatures, quorums (section 7.5; C2SP tlog-checkpoint,
tlog-cosignature, signed-note's vkeys)."""

import re
import struct
from dataclasses import dataclass

from . import canonical as mp
from . import keys, notes
from .errors import Refused, check

NOTE_OCTETS = 65536
TIME_MAX = mp.TIME_MAX // 1000  # a cosignature's, in seconds
_SIZE = re.compile(r"0|[1-9][0-9]*")


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    def text(self):
        return f"{self.origin}\n{self.size}\n{keys.b64(self.root)}\n"


def origin(roster):
    return f"{roster.origin}/{roster.epoch}"


# -- making -------------------------------------------------------------


def sign(point, broker):
    """The note as the log signs it."""
    text = point.text()
    signature = keys.sign(broker.secret["log"], text.encode())
    return notes.join(text, notes.line(point.origin, broker.public["log"],
                                       signature))


def cosigned_octets(text, time):
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def cosign(point, witness, time):
    """A cosignature's line; time: Unix seconds."""
    signature = keys.sign(witness.secret["witness"],
                          cosigned_octets(point.text(), time))
    return notes.line(witness.name, witness.public["witness"],
                      struct.pack(">Q", time) + signature,
                      notes.COSIGNATURE)


def add_lines(note, *lines):
    return note + "".join(lines)


def lines(note):
    """The signature lines of a note, each with its newline."""
    return note[note.rfind("\n\n") + 2:].splitlines(keepends=True)


# -- reading ------------------------------------------------------------


def read(note):
    """(Checkpoint, text, signatures): the form, nothing verified."""
    octets = note if isinstance(note, bytes) else note.encode()
    check(len(octets) <= NOTE_OCTETS, "checkpoint above 65,536", "LIMIT")
    text, signatures = notes.parse(note)
    of_text = text[:-1].split("\n")
    check(len(of_text) == 3, f"a checkpoint of {len(of_text)} lines")
    check(of_text[0] != "", "no origin")
    check(_SIZE.fullmatch(of_text[1]), f"{of_text[1]!r} is no size")
    check(len(of_text[1]) <= 16 and int(of_text[1]) <= mp.INTEGER_MAX,
          "size above 2^53-1", "LIMIT")
    point = Checkpoint(of_text[0], int(of_text[1]), keys.unb64(of_text[2], 32))
    assert point.text() == text
    return point, text, signatures


def check_log(note, name, key):
    """The Checkpoint that this log signed under its origin; Refused."""
    point, text, signatures = read(note)
    check(point.origin == name, f"origin {point.origin}, not {name}",
          "BAD-SIGNATURE")
    mine = _by(signatures, name, notes.id4(name, key))
    check(mine and keys.verifies(key, mine.signature, text.encode()),
          "the log did not sign it", "BAD-SIGNATURE")
    return point


def _by(signatures, name, id4):
    """The one line by a key, or None; two of them are refused."""
    found = [s for s in signatures if (s.name, s.id4) == (name, id4)]
    check(len(found) <= 1, f"two signatures by {name}", "BAD-SIGNATURE")
    return found[0] if found else None


def cosigned(note, name, key):
    """The time at which a witness cosigned, or None; Refused where a line
    of its key does not verify."""
    _, text, signatures = read(note)
    mine = _by(signatures, name, notes.id4(name, key, notes.COSIGNATURE))
    if mine is None:
        return None
    check(len(mine.signature) == 72, "a cosignature of another length",
          "BAD-SIGNATURE")
    time = struct.unpack(">Q", mine.signature[:8])[0]
    check(0 < time <= TIME_MAX and keys.verifies(
        key, mine.signature[8:], cosigned_octets(text, time)),
        f"the cosignature of {name} does not verify", "BAD-SIGNATURE")
    return time


# -- quorums ------------------------------------------------------------


def times(note, roster):
    """{witness: time}, of the roster's witnesses with a good line by a
    key that is valid at its time (section 5.5)."""
    out = {}
    for name in roster.witnesses:
        found = [time for one in roster.delegations[name].sets
                 if (time := _counts(note, roster.delegations[name], one))]
        if found:
            out[name] = min(found)
    return out


def _counts(note, delegation, keyset):
    try:
        time = cosigned(note, delegation.name, keyset["witness"])
    except Refused:
        return None
    ends = [t for t in (delegation.expires, keyset["until"]) if t is not None]
    if time is None or delegation.revoked or any(
            end <= time * 1000 for end in ends):
        return None
    return time


def witness_keys(roster):
    """[(name, key)]: the present key of each that has one and is not
    revoked."""
    found = [roster.delegations[name] for name in roster.witnesses]
    return [(d.name, d.sets[0]["witness"]) for d in found
            if d.sets and not d.revoked]


def is_whole(note, roster):
    return len(times(note, roster)) >= roster.quorum


def settles(note, now, before=None):
    """May it settle? now: the roster at its end; before: the one at the
    end of the checkpoint that settled last."""
    if not is_whole(note, now):
        return False
    handover = (before is not None and before.epoch == now.epoch
                and before.version != now.version)
    return not handover or is_whole(note, before)


def nth_time(found, n):
    """The n-th earliest of these times, from 1; None where fewer."""
    ordered = sorted(found)
    return ordered[n - 1] if 1 <= n <= len(ordered) else None


def quorum_time(note, roster):
    return nth_time(times(note, roster).values(), roster.quorum)


def dishonest(roster):
    """How many witnesses may be (f of section 7.5)."""
    return 2 * roster.quorum - len(roster.witnesses) - 1


def bound(note, roster):
    """The time at which it existed at the latest."""
    return nth_time(times(note, roster).values(), dishonest(roster) + 1)


# -- verifier keys ------------------------------------------------------


def vkey(name, key, kind=notes.ED25519):
    return (f"{name}+{notes.id4(name, key, kind).hex()}+"
            f"{keys.b64(bytes([kind]) + key)}")


def read_vkey(text):
    """(name, signature type, key) of an Ed25519 vkey of type 1 or 4, or of
    a type that we do not know, whose key nobody has."""
    parts = text.split("+", 2)
    check(len(parts) == 3 and parts[0], f"{text!r} is no vkey")
    check(not any(c.isspace() for c in parts[0]), "a space in a key name")
    check(re.fullmatch(r"[0-9a-f]{8}", parts[1]), f"{parts[1]!r} is no id")
    octets = keys.unb64(parts[2])
    check(octets, "a vkey without a key")
    kind, key = octets[0], octets[1:]
    if kind in (notes.ED25519, notes.COSIGNATURE):
        check(len(key) == 32, f"a key of {len(key)}")
        check(notes.id4(parts[0], key, kind).hex() == parts[1],
              "the vkey's id is of another key")
    return parts[0], kind, key
