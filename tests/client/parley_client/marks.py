"""Marks: the tree over streams, and what is claimed of one (section 7.4)."""

import hashlib
from dataclasses import dataclass

from . import canonical as mp
from . import keys, ledger, names, tree
from .errors import check

PATH_NODES = 9


def streams(roster):
    """The streams that marks under this roster speak of, in order."""
    return list(roster.channels) + ["@" + e for e in roster.entities]


def salt(veil, stream, mark):
    return hashlib.blake2b(mp.encode([stream, mark]), digest_size=32,
                           key=veil).digest()


def entry(salt_, stream, last, count, root):
    return keys.label("stream") + mp.encode([salt_, stream, last, count,
                                             root])


@dataclass
class Claim:
    stream: str
    salt: bytes
    index: int
    last: int
    count: int
    root: bytes
    path: list

    def value(self):
        return list(vars(self).values())

    def entry(self):
        return entry(self.salt, self.stream, self.last, self.count,
                     self.root)

    def check(self, roster, root):
        """Does a mark with this root, under this roster, say so?"""
        of = streams(roster)
        check(self.index < len(of) and of[self.index] == self.stream,
              f"{self.stream} is not stream {self.index}", "BAD-CLAIM")
        found = tree.root_from_path(tree.leaf(self.entry()), self.index,
                                    len(of), self.path)
        check(found == root, f"the claim of {self.stream} leads to another "
              "root", "BAD-CLAIM")


def read_claim(value):
    v = mp.array(value, 7, "claim")
    check(names.is_stream(mp.text(v[0], "stream")) and v[0] != names.LOG,
          "a claim of no stream")
    mp.octets(v[1], 32, "salt")
    mp.integer(v[2], 0, mp.INTEGER_MAX, "index")
    if v[3] is not None:
        mp.integer(v[3], 0, mp.INTEGER_MAX, "last sequence")
    mp.integer(v[4], 0, mp.INTEGER_MAX, "count")
    check((v[3] is None) == (v[4] == 0), "last sequence and count")
    mp.octets(v[5], 32, "root")
    read_path(v[6], PATH_NODES)
    return Claim(*v)


def read_path(value, most=64):
    check(isinstance(value, list) and len(value) <= most, "path")
    for one in value:
        mp.octets(one, 32, "node")
    return value


class MarkTree:
    """What a mark says: claims of all streams. veil: the epoch's key.
    of_stream(name): [(sequence, leaf hash)] below the mark."""

    def __init__(self, roster, veil, mark, of_stream):
        self.claims = []
        for index, name in enumerate(streams(roster)):
            found = of_stream(name)
            self.claims.append(Claim(
                name, salt(veil, name, mark), index,
                found[-1][0] if found else None, len(found),
                tree.root_of_leaves([leaf for _, leaf in found]), None))
        self.leaves = [tree.leaf(one.entry()) for one in self.claims]
        for index, one in enumerate(self.claims):
            one.path = tree.path(index, self.leaves)
        self.root = tree.root_of_leaves(self.leaves)


def root_of(record):
    """The streams' root that a mark's record holds."""
    return ledger.read_mark_payload(record.payload)[2]
