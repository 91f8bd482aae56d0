"""Evidence: signed statements that cannot both be true (section 8.14)."""

import json
import re
from dataclasses import dataclass, field

from . import canonical as mp
from . import checkpoint, keys, ledger, messages, names, rights, roster, tree
from .errors import Refused, check

FORMAT = "parley/evidence/1"
KINDS = ("two-leaves", "two-roots", "broken-promise", "time-back",
         "bad-record")
MEMBERS = ("format", "kind", "dialogue", "made", "maker", "rosters", "leaves",
           "promise")
LEAF_MEMBERS = ("checkpoint", "index", "leaf", "record", "path")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass
class Leaf:
    checkpoint: str
    index: int
    leaf: bytes
    path: list
    record: bytes = None

    def json(self):
        return {"checkpoint": self.checkpoint, "index": self.index,
                "leaf": self.leaf.hex(),
                "record": self.record and keys.b64(self.record),
                "path": [one.hex() for one in self.path]}


@dataclass
class Evidence:
    kind: str
    dialogue: bytes
    made: int
    maker: str
    rosters: list  # notes from version 1 on
    leaves: list = field(default_factory=list)
    promise: list = None  # section 8.2's 13 elements

    def write(self):
        promise = self.promise and keys.b64(mp.encode(self.promise))
        return json.dumps({
            "format": FORMAT, "kind": self.kind,
            "dialogue": self.dialogue.hex(), "made": self.made,
            "maker": self.maker, "rosters": self.rosters,
            "leaves": [one.json() for one in self.leaves],
            "promise": promise}, ensure_ascii=False)


# -- reading ------------------------------------------------------------


def _hash(value, what):
    check(isinstance(value, str) and _HEX.fullmatch(value),
          f"{what} is no hash")
    return bytes.fromhex(value)


def _object(value, members, what):
    check(isinstance(value, dict) and sorted(value) == sorted(members),
          f"{what} has other members: "
          f"{sorted(value) if isinstance(value, dict) else value}")
    return value


def _texts(value, what):
    check(isinstance(value, list) and all(isinstance(one, str)
                                          for one in value), what)
    return value


def _read_leaf(value):
    v = _object(value, LEAF_MEMBERS, "a leaf")
    mp.text(v["checkpoint"], "checkpoint")
    mp.integer(v["index"], 0, mp.INTEGER_MAX, "index")
    path = [_hash(one, "a node") for one in _texts(v["path"], "path")]
    record = v["record"] if v["record"] is None else keys.unb64(v["record"])
    return Leaf(v["checkpoint"], v["index"], _hash(v["leaf"], "leaf"), path,
                record)


def read(text):
    try:
        value = json.loads(text)
    except ValueError as why:
        raise Refused(f"no JSON: {why}") from None
    v = _object(value, MEMBERS, "evidence")
    check(v["format"] == FORMAT, f"format {v['format']!r}")
    check(v["kind"] in KINDS, f"kind {v['kind']!r}")
    check(names.is_delegation(v["maker"]), "maker")
    check(isinstance(v["leaves"], list) and len(v["leaves"]) <= 2, "leaves")
    promise = v["promise"]
    if promise is not None:
        promise = mp.array(mp.decode(keys.unb64(promise)), 13, "promise")
    return Evidence(v["kind"], _hash(v["dialogue"], "dialogue"),
                    mp.time(v["made"], "made"), v["maker"],
                    _texts(v["rosters"], "rosters"),
                    [_read_leaf(one) for one in v["leaves"]], promise)


# -- judging ------------------------------------------------------------


def verify(of, dialogue=None):
    """What is proved, in a sentence; Refused (rule STATE where all is true
    and nothing contradicts). dialogue: None takes its own word."""
    check(dialogue in (None, of.dialogue), "another dialogue",
          "WRONG-DIALOGUE")
    chain = [roster.first(of.rosters[0])] if of.rosters else []
    check(chain and chain[0].digest == of.dialogue, "no chain to the dialogue",
          "WRONG-DIALOGUE")
    for note in of.rosters[1:]:
        chain.append(roster.following(chain[-1], note))
    shows = _shows_root if of.kind == "two-roots" else _shows_leaf
    points = [_check_leaf(one, chain, shows) for one in of.leaves]
    judge = {"two-leaves": _two_leaves, "two-roots": _two_roots,
             "broken-promise": _broken_promise, "time-back": _time_back,
             "bad-record": _bad_record}[of.kind]
    return judge(of, points, chain)


def _check_leaf(one, chain, shows):
    """(Checkpoint, epoch) of a leaf that is in its tree."""
    point, _, _ = checkpoint.read(one.checkpoint)
    found = [r for r in chain if checkpoint.origin(r) == point.origin]
    check(found, f"{point.origin} is no log of the chain", "BAD-SIGNATURE")
    checkpoint.check_log(one.checkpoint, point.origin, found[0].log)
    shows(one, point)
    if one.record is not None:
        check(tree.leaf(one.record) == one.leaf, "a record that is not its "
              "leaf", "DIGEST")
    return point, found[0].epoch


def _shows_leaf(one, point):
    root = tree.root_from_path(one.leaf, one.index, point.size, one.path)
    check(root == point.root, "a path leads to another root", "DIGEST")


def _shows_root(one, point):
    """`leaf` is the root that its tree has at size `index`."""
    tree.check_consistency(one.index, one.leaf, point.size, point.root,
                           one.path)


def _contradicts(condition, said):
    check(condition, f"nothing contradicts: not {said}", "STATE")
    return said


def _count(of, leaves, promise=False):
    check(len(of.leaves) == leaves, f"{of.kind} with {len(of.leaves)} leaves")
    check((of.promise is not None) == promise, f"{of.kind} and its promise")


def _two_leaves(of, points, _):
    _count(of, 2)
    a, b = of.leaves
    check(a.index == b.index and points[0][1] == points[1][1],
          "leaves of two places or origins")
    return _contradicts(a.leaf != b.leaf, f"two records at {a.index}")


def _two_roots(of, points, _):
    _count(of, 2)
    a, b = of.leaves
    check(a.index == b.index and points[0][0].origin == points[1][0].origin,
          "roots of two sizes or origins")
    return _contradicts(a.leaf != b.leaf, f"two roots at {a.index}")


def _broken_promise(of, points, chain):
    _count(of, 1, True)
    p, leaf = of.promise, of.leaves[0]
    known = [k for r in chain if r.epoch == p[0] for k in r.desk_keys(p[2])
             if keys.sign_key_id(k) == p[1]]
    check(known, "the promise is by no desk of the chain", "BAD-SIGNATURE")
    ledger.check_highest(p, known[0], of.dialogue)
    ends = [r.base[0] for r in chain if r.epoch > p[0]]  # what is void
    check(p[9] == leaf.index and (p[0] == points[0][1] or (
        p[0] < points[0][1] and p[9] < min(ends))),
        "a promise of another place or epoch")
    return _contradicts(p[10] != leaf.leaf,
                        f"record {leaf.index} is not the one promised")


def _records(of):
    for one in of.leaves:
        check(one.record is not None, f"{of.kind} without a record")
    return [ledger.read_record(one.record) for one in of.leaves]


def _time_back(of, points, _):
    _count(of, 2)
    a, b = sorted(_records(of), key=lambda r: r.sequence)
    check({a.sequence, b.sequence} == {x.index for x in of.leaves},
          "records of other places")
    check(a.epoch == b.epoch and points[0][1] == points[1][1],
          "records of two epochs")
    return _contradicts(a.sequence < b.sequence and b.log_time < a.log_time,
                        f"log time goes back at {b.sequence}")


def _bad_record(of, _points, chain):
    check(1 <= len(of.leaves) <= 2 and of.promise is None,
          "bad-record and its leaves")
    record, *more = _records(of)
    check(record.type == ledger.MESSAGE and not record.foreign,
          "no message of format 1")
    said = f"record {record.sequence} is not what {record.header().author}" \
        " may have there"
    if record.sequence != of.leaves[0].index or (
            record.header().dialogue != of.dialogue):
        return said
    in_force = _in_force(of, record, more, chain)
    if in_force and not _is_good_there(record, in_force):
        return said
    return _contradicts(_is_forged(record, chain, of.dialogue), said)


def _in_force(of, record, more, chain):
    """The roster that element 5 of the record names, where that is
    proved."""
    if record.roster == 0 and not more:
        return chain[0]
    if not more:
        return None
    check(more[0].type == ledger.ROSTER and more[0].known
          and more[0].sequence == of.leaves[1].index == record.roster,
          "the second record is not the roster that the first names")
    version, digest = ledger.read_roster_payload(more[0].payload)[:2]
    found = [r for r in chain if (r.version, r.digest) == (version, digest)]
    check(found, "a roster record of another chain")
    return found[0]


def _is_good_there(record, in_force):
    batch = record.batch()
    try:
        rights.sign_key(in_force, batch.author, batch.key_id,
                        record.log_time)
        return rights.may_write(in_force, batch.author, record.channel,
                                record.log_time)
    except Refused:
        return False


def _is_forged(record, chain, dialogue):
    """The signature of a batch of one, by whichever key has that id."""
    batch, keysets = record.batch(), [
        s["sign"] for r in chain for d in r.delegations.values()
        if d.name == record.header().author for s in d.sets]
    known = [k for k in keysets if keys.sign_key_id(k) == batch.key_id]
    return bool(known) and record.size == 1 and not messages.batch_verifies(
        known[0], dialogue, batch, record.header().id)
