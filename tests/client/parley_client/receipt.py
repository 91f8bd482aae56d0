"""Receipts: C2SP tlog-proof of one record (section 8.13)."""

import re
from dataclasses import dataclass

from . import canonical as mp
from . import keys, ledger, messages, notes, rights, roster, tree
from .errors import check
from .marks import read_path

FIRST, EXTRA = "c2sp.org/tlog-proof@v1", "parley/receipt/1"
_INDEX = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass
class Receipt:
    index: int
    path: list
    checkpoint: str  # the note
    batch: list = None  # the path from message id to batch root
    extra: bytes = None  # octets that are not ours

    def write(self):
        extra = mp.encode([EXTRA, self.batch])
        head = [FIRST, f"extra {keys.b64(extra)}", f"index {self.index}"]
        return "\n".join(head + [keys.b64(one) for one in self.path]) + (
            "\n\n" + self.checkpoint)


def make(index, leaves, note, batch=None):
    """leaves: of the checkpoint's whole tree."""
    return Receipt(index, tree.path(index, leaves), note, batch)


def read(text):
    """The form; the checkpoint's note is not read."""
    head, found, note = text.partition("\n\n")
    check(found, "no empty line before the checkpoint")
    lines = head.split("\n")
    check(lines.pop(0) == FIRST, "no tlog-proof")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = keys.unb64(lines.pop(0)[6:])
    check(lines and lines[0].startswith("index "), "no index")
    index = lines.pop(0)[6:]
    check(_INDEX.fullmatch(index) and int(index) <= mp.INTEGER_MAX,
          f"{index!r} is no index")
    check(len(lines) <= 64, "path", "LIMIT")
    out = Receipt(int(index), [keys.unb64(one, 32) for one in lines], note)
    _read_extra(out, extra)
    return out


def _read_extra(out, extra):
    """What is not ours is passed over: nobody trusts it."""
    out.extra = extra
    try:
        value = mp.array(mp.decode(extra), 2, "extra") if extra else None
        if value and value[0] == EXTRA and value[1] is not None:
            out.batch = read_path(value[1], 8)
    except ValueError:
        pass


@dataclass
class Facts:
    point: object  # the Checkpoint
    cosigned: dict  # {witness of the policy: time}
    bound: int  # when it existed at the latest, Unix seconds, or None
    record: ledger.Record
    author: str = None  # whose key signed, under the roster given


def verify(proof, record, policy, body=None, roster_note=None):
    """The Facts; Refused at the first that does not hold. record: the
    leaf's octets."""
    point, found = policy.check(proof.checkpoint)
    root = tree.root_from_path(tree.leaf(record), proof.index, point.size,
                               proof.path)
    check(root == point.root, "the path leads to another root", "DIGEST")
    read_record = ledger.read_record(record)
    check(read_record.sequence == proof.index, "a record of another place")
    out = Facts(point, found, policy.bound(found), read_record)
    if body is not None and read_record.judged:
        messages.check_body(read_record.header(), body)
    if roster_note is not None and read_record.judged:
        out.author = check_author(read_record, proof.batch, roster_note)
    return out


def verify_roster(proof, record, roster_note, policy, of):
    """That the note is the roster that `of`, a record, names as in force at
    its place: by the receipt of that roster's own record."""
    found = verify(proof, record, policy).record
    check(found.type == ledger.ROSTER and found.sequence == of.roster,
          "the receipt of another record than the roster's")
    text, _ = notes.parse(roster_note)
    version, digest, size, body = mp.decode(found.payload)
    check(roster.Roster(text).version == version
          and tree.sha256(text.encode()) == digest
          and len(roster_note.encode()) == size
          and keys.blake2b(roster_note.encode()) == body,
          "another roster than its record's", "DIGEST")


def check_author(record, batch_path, roster_note):
    """The author, whose key in this roster signed the batch."""
    header, batch = record.header(), record.batch()
    text, _ = notes.parse(roster_note)
    in_force = roster.Roster(text)
    check(in_force.dialogue == header.dialogue, "another dialogue's roster",
          "WRONG-DIALOGUE")
    check(header.roster_version <= in_force.version, "an older roster than "
          "its header names")
    key = rights.sign_key(in_force, batch.author, batch.key_id,
                          record.log_time)
    check(batch_path is not None, "no batch path")
    root = tree.root_from_path(header.id, record.index, record.size,
                               batch_path)
    check(messages.batch_verifies(key, header.dialogue, batch, root),
          f"{batch.author} did not sign it", "BAD-SIGNATURE")
    return batch.author
