"""What one delegation knows of a ledger: its rosters, what it was promised,
what it saw. Nothing goes on to a caller before it is checked here."""

from . import block as blocks
from . import ledger, names, notes, rights, roster
from .errors import Refused, check


class View:
    def __init__(self, roster_notes):
        """roster_notes: the notes of rosters 1 to n, in order."""
        self.chain = [roster.first(roster_notes[0])]
        for note in roster_notes[1:]:
            self.chain.append(roster.following(self.chain[-1], note))
        self.at = {}  # sequence of a roster's record -> Roster
        self.promised = {}  # sequence -> leaf hash
        self.seen = {}  # sequence -> leaf hash
        self.times = {}  # sequence -> (epoch, log time)

    @property
    def dialogue(self):
        return self.chain[0].digest

    @property
    def newest(self):
        return self.chain[-1]

    def learn(self, note, sequence):
        """A roster and the sequence of its record; the next of the chain,
        or one that is known."""
        digest = notes.digest(notes.parse(note)[0])
        found = next((r for r in self.chain if r.digest == digest), None)
        if found is None:
            found = roster.following(self.newest, note)
            self.chain.append(found)
        check(self.at.setdefault(sequence, found) is found,
              f"two rosters at {sequence}")
        return found

    def promise(self, sequence, leaf):
        """Remember a promise; a record that differs is then refused."""
        for known in (self.promised, self.seen):
            check(known.get(sequence, leaf) == leaf,
                  f"record {sequence} is not the one promised")
        self.promised[sequence] = leaf

    def key_of(self, delegation, key_id, record):
        check(record.roster in self.at, f"no roster at {record.roster}",
              "ROSTER-AHEAD")
        return rights.sign_key(self.at[record.roster], delegation, key_id,
                               record.log_time)

    def read_block(self, octets, stream, first, own):
        """[(number, Place)] of a block on a stream. own: this agent's
        delegation, which may read what it wrote."""
        block = blocks.decode(octets)
        self._check_stream(block, stream, first)
        for place in block.places:
            self._check_record(place)
        blocks.verify(block, self.dialogue, self.key_of)
        for place in block.places:
            self._check_right(place.record, own)
        return [(first + i, p) for i, p in enumerate(block.places)]

    def _check_stream(self, block, stream, first):
        if stream.startswith("@"):
            check(stream[1:] in names.adhoc_entities(block.channel),
                  "a block of another stream")
            return
        check(block.channel == stream, "a block of another stream")
        check(block.places[0].record.channel_sequence == first,
              "a block with another number")

    def _check_record(self, place):
        record = place.record
        for known in (self.promised, self.seen):
            check(known.get(record.sequence, record.leaf) == record.leaf,
                  f"record {record.sequence} is another than before")
        epoch, before = self.times.get(record.sequence - 1, (0, 0))
        check(before <= record.log_time or epoch != record.epoch,
              "log time decreases")
        check(record.sequence - 1 not in self.at
              or record.type == ledger.MARK, "no mark behind a roster")
        if record.known and record.type == ledger.ROSTER:
            self._check_roster(place)
        if record.known and record.type == ledger.MARK:
            self._check_mark(record)
        self.seen[record.sequence] = record.leaf
        self.times[record.sequence] = record.epoch, record.log_time

    def _check_roster(self, place):
        check(place.body is not None, "a roster without its note")
        version, digest, _, _ = ledger.read_roster_payload(
            place.record.payload)
        found = self.learn(place.body, place.record.sequence)
        check((found.version, found.digest) == (version, digest),
              "a roster record about another roster")

    def _check_mark(self, record):
        version, digest, _ = ledger.read_mark_payload(record.payload)
        in_force = self.at.get(record.roster)
        check(in_force and (in_force.version, in_force.digest)
              == (version, digest), "a mark of another roster")

    def _check_right(self, record, own):
        """Readers and writers, under the roster at the record's place. A
        broker that hands out more than that has a fault worth a test."""
        if not record.known and not record.judged:
            return
        in_force = self.at[record.roster]
        author = record.type == ledger.MESSAGE and record.header().author
        check(not author or record.header().roster_version
              <= in_force.version, "under a roster to come")
        check(not author or rights.may_write(
            in_force, author, record.channel, record.log_time),
            f"{author} may not write {record.channel}", "NOT-A-WRITER")
        if own == author or record.channel == names.LOG:
            return
        for r in (in_force, self.newest):
            try:
                allowed = rights.may_read(r, own, record.channel,
                                          record.log_time)
            except Refused:
                allowed = False
            check(allowed, f"{own} may not read {record.channel}")
