"""Bundles (section 8.10): reading a folder, and judging all that it can
prove."""

import json
import re
import struct
from pathlib import Path

from . import block as blocks
from . import canonical as mp
from . import checkpoint, ledger, marks, names, notes, rights, roster, tree
from .errors import Refused, check

_ROSTER = re.compile(r"\d{8}\.note")
MEMBERS = ("format", "dialogue", "exporter", "made", "first", "last",
           "filter", "program")
LIMITS = {"author", "since", "until"}  # where there are any


def entries(octets, tail=0):
    """[(octets, the `tail` octets behind)] of u32 lengths."""
    out, at = [], 0
    while at < len(octets):
        check(len(octets) - at >= 4, "an entry is cut")
        n = struct.unpack(">I", octets[at:at + 4])[0]
        at += 4
        check(len(octets) - at >= n + tail, "an entry is cut")
        out.append((octets[at:at + n], octets[at + n:at + n + tail]))
        at += n + tail
    return out


class Bundle:
    """Read, and judged: Refused where anything does not hold.

    `records`: sequence -> Place; `leaves`: sequence -> hash, of all that is
    known; `settled`: [(Checkpoint, note)]; `complete`: stream -> (mark's
    sequence, how many records it has below)."""

    def __init__(self, folder, dialogue):
        self.folder, self.dialogue = Path(folder), dialogue
        self.meta = self._meta()
        self.chain, self.at = self._rosters(), {}
        self.records, self.numbers, self.leaves = {}, {}, {}
        self._blocks()
        self._leaves()
        self.settled = self._checkpoints()
        self.complete = {}
        self._claims()
        self.promises = self._promises()

    def _file(self, name):
        path = self.folder / name
        return path.read_bytes() if path.exists() else b""

    def _meta(self):
        meta = json.loads(self._file("bundle.json"))
        check(isinstance(meta, dict)
              and sorted(set(meta) - LIMITS) == sorted(MEMBERS),
              "bundle.json")
        check(meta["format"] == 1, "format", "NEWER-FORMAT")
        check(meta["dialogue"] == self.dialogue.hex(), "another dialogue",
              "WRONG-DIALOGUE")
        check(names.is_delegation(meta["exporter"]), "exporter")
        return meta

    def _rosters(self):
        files = sorted((self.folder / "rosters").iterdir())
        chain = []
        for path in files:
            check(_ROSTER.fullmatch(path.name), path.name)
            note = path.read_bytes()
            chain.append(roster.following(chain[-1], note) if chain
                         else roster.first(note))
            check(chain[-1].version == int(path.name[:8]), path.name)
        check(chain and chain[0].digest == self.dialogue, "the first roster",
              "WRONG-DIALOGUE")
        return chain

    # -- records --------------------------------------------------------

    def _blocks(self):
        found = [(blocks.decode(octets), struct.unpack(">Q", tail)[0])
                 for octets, tail in entries(self._file("blocks"), 8)]
        last = -1
        for block, direct in found:
            check(block.first > last, "blocks do not ascend")
            last = block.first + len(block.places) - 1
            self._take(block, direct)
        self._log_is_whole()
        for block, _ in found:
            blocks.verify(block, self.dialogue, self._key_of)
        self._times()

    def _take(self, block, direct):
        stream = block.channel
        if stream[0] == "@":
            stream = "@" + names.entity_of(self.meta["exporter"])
            check(direct >= 1, "a direct block without its number")
        else:
            check(direct == 0, "a number of a direct stream")
        for i, place in enumerate(block.places):
            r = place.record
            number = direct + i if direct else r.channel_sequence
            self.records[r.sequence] = place
            self.leaves[r.sequence] = r.leaf
            of = self.numbers.setdefault(stream, {})
            check(number not in of, f"{stream} {number} stands twice")
            of[number] = r
            if r.type == ledger.ROSTER and r.known:
                self._roster_record(place)

    def _roster_record(self, place):
        version, digest = ledger.read_roster_payload(
            place.record.payload)[:2]
        found = [r for r in self.chain
                 if (r.version, r.digest) == (version, digest)]
        check(found, f"a roster that is not in the chain: {version}")
        check(place.body is None
              or notes.digest(notes.parse(place.body)[0]) == digest,
              "the note of another roster")
        self.at[place.record.sequence] = found[0]

    def _log_is_whole(self):
        numbers = sorted(self.numbers.get(names.LOG, {}))
        check(numbers == list(range(1, len(numbers) + 1)),
              "$log has holes")

    def _key_of(self, delegation, key_id, record):
        check(record.roster in self.at, f"no roster at {record.roster}",
              "ROSTER-AHEAD")
        in_force = self.at[record.roster]
        check(rights.may_write(in_force, record.header().author,
                               record.channel, record.log_time),
              f"{delegation} at {record.sequence}", "NOT-A-WRITER")
        return rights.sign_key(in_force, delegation, key_id, record.log_time)

    def _times(self):
        last = (0, 0)
        for _, place in sorted(self.records.items()):
            r = place.record
            check(r.epoch > last[0] or r.log_time >= last[1],
                  f"log time goes back at {r.sequence}")
            last = (r.epoch, r.log_time)

    def _leaves(self):
        octets, last = self._file("leaves"), -1
        check(len(octets) % 40 == 0, "leaves are cut")
        for i in range(0, len(octets), 40):
            sequence = struct.unpack(">Q", octets[i:i + 8])[0]
            check(sequence > last and sequence not in self.records,
                  "leaves do not ascend, or of what is here")
            last = sequence
            self.leaves[sequence] = octets[i + 8:i + 40]

    # -- the tree -------------------------------------------------------

    def in_force(self, size):
        return self.at[max(s for s in self.at if s < size)]

    def _checkpoints(self):
        out, before = [], None
        for octets, _ in entries(self._file("checkpoints")):
            note = octets.decode()
            size = checkpoint.read(note)[0].size
            now = self.in_force(size)
            point = checkpoint.check_log(note, checkpoint.origin(now),
                                         now.log)
            check(not out or size > out[-1][0].size, "sizes do not ascend")
            missing = [s for s in range(size) if s not in self.leaves]
            check(not missing, f"no leaf of {missing[:3]}")
            check(tree.root_of_leaves([self.leaves[s] for s in range(size)])
                  == point.root, f"another root at {size}", "DIGEST")
            check(checkpoint.settles(note, now, before),
                  f"{size} has not settled", "QUORUM")
            out.append((point, note))
            before = now
        return out

    def _claims(self):
        last = -1
        for octets, _ in entries(self._file("claims")):
            mark, value, first, cover = mp.array(mp.decode(octets), 4,
                                                 "a claim's entry")
            check(mark >= last, "claims do not ascend")
            last = mark
            self._claim(mark, marks.read_claim(value), first,
                        marks.read_path(cover, 128))

    def _claim(self, mark, claim, first, cover):
        check(mark in self.records
              and self.records[mark].record.type == ledger.MARK,
              f"no mark at {mark}")
        record = self.records[mark].record
        claim.check(self.at[record.roster], marks.root_of(record))
        held, grown = self.numbers.get(claim.stream, {}), tree.Tree()
        check(0 <= first <= claim.count, "a cover of more than there is")
        if first:
            grown.add_cover(first, cover)
        else:
            check(not cover, "a cover of nothing")
        for number in range(first + 1, claim.count + 1):
            check(number in held, f"{claim.stream} {number} is not here")
            check(held[number].sequence < mark, "behind the mark")
            grown.add(held[number].leaf)
        check(grown.root() == claim.root,
              f"{claim.stream} is another than the mark says", "DIGEST")
        below = [n for n, r in held.items() if r.sequence < mark]
        check(not below or max(below) <= claim.count,
              f"{claim.stream} has more than the mark says")
        self.complete[claim.stream] = (mark, claim.count)

    def _promises(self):
        out = []
        for octets, _ in entries(self._file("promises")):
            value = mp.decode(octets)
            self._promise(value)
            out.append(value)
        return out

    def _promise(self, value):
        known = {k for r in self.chain for k in r.desk_keys(value[2])}
        for key in known:
            try:
                ledger.check_highest(value, key, self.dialogue)
                break
            except Refused:
                continue
        else:
            check(False, "a promise of no desk", "BAD-SIGNATURE")
        check(self.leaves.get(value[9], value[10]) == value[10],
              f"record {value[9]} is not the one promised")
