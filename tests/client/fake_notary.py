"""The part of the fake broker that signs checkpoints, gathers cosignatures
and says what marks say (sections 7.4, 7.5, 8.11, 8.12). It signs at once,
whatever it has, and keeps all."""

from parley_client import (checkpoint, feed, ledger, marks, names, rights,
                           tree, wire)
from parley_client.errors import Refused, check


def may_read(roster, who, stream, at):
    if stream.startswith("@"):
        return stream[1:] == names.entity_of(who)
    try:
        return rights.may_read(roster, who, stream, at)
    except Refused:
        return False


class Notary:
    """Of a Broker. `signed`: size -> note with all lines, of this run;
    `settled` the newest settled note; `first_of`: roster's version -> the
    first note that settled with it."""

    def init_notary(self):
        self.signed, self.settled, self.first_of = {}, None, {}

    # -- the tree -------------------------------------------------------

    def leaf_hashes(self):
        return [r.leaf for r in self.records]

    def roster_at(self, size):
        return [read for read, at, _ in self.chain if at < size][-1]

    def checkpoint(self, size=None):
        """Of the first so many records."""
        leaves = self.leaf_hashes()[:size]
        return checkpoint.Checkpoint(
            checkpoint.origin(self.roster_at(len(leaves))), len(leaves),
            tree.root_of_leaves(leaves))

    def streams_below(self, sequence):
        """of_stream of a MarkTree."""
        return lambda name: [(r.sequence, r.leaf) for r in self.stream(name)
                             if r.sequence < sequence]

    def mark_tree(self, mark, roster):
        return marks.MarkTree(roster, self.who.secret["veil"], mark,
                              self.streams_below(mark))

    # -- what goes out --------------------------------------------------

    def grown(self, first):
        """Behind the blocks of a commit that began at `first`."""
        leaves = self.leaf_hashes()
        for at in range(first, len(leaves), feed.LEAVES_MAX):
            self.send("$log", feed.leaves_part(
                at, leaves[at:at + feed.LEAVES_MAX]))
        self.sign_checkpoint()

    def sign_checkpoint(self):
        point = self.checkpoint()
        note = checkpoint.sign(point, self.who)
        before = self.signed.get(point.size, "")
        if not before.startswith(point.text()):  # the same keeps its lines
            self.signed[point.size] = note
        self.send("$log", feed.checkpoint_part(note))
        self.settle(point.size)

    def settle(self, size):
        note, roster = self.signed[size], self.roster_at(size)
        last = checkpoint.read(self.settled)[0].size if self.settled else -1
        if size < last:
            return
        before = self.roster_at(last) if last > 0 else None
        if not checkpoint.settles(note, roster, before):
            return
        self.settled = note
        self.first_of.setdefault(roster.version, note)
        self.send("$log", feed.checkpoint_part(note, True))

    def mark(self):
        """Another mark is recorded, and shown."""
        self.add_mark()
        self.show(len(self.records) - 1)
        self.grown(len(self.records) - 1)

    # -- requests -------------------------------------------------------

    def witness_keys(self, who, size):
        """Of the roster at that size, or of the one that settled last."""
        of = [self.roster_at(size)]
        if self.settled:
            of.append(self.roster_at(checkpoint.read(self.settled)[0].size))
        return {s["witness"] for r in of if who in r.witnesses
                for s in r.delegations[who].sets}

    def do_cosign(self, who, note):
        point, _, signatures = checkpoint.read(note)
        check(point.size in self.signed, "not signed", "NOT-FOUND")
        mine = self.signed[point.size]
        check(checkpoint.read(mine)[0] == point, "another root",
              "BAD-COSIGNATURE")
        keys = self.witness_keys(who, point.size)
        check(keys, who, "NOT-A-WITNESS")
        check(len(signatures) == 1 and any(
            checkpoint.cosigned(note, who, key) for key in keys),
            "its line", "BAD-COSIGNATURE")
        line, = checkpoint.lines(note.decode())
        kept = [one for one in checkpoint.lines(mine)
                if one.split(" ")[1] != who]
        text = mine[:mine.rfind("\n\n") + 2]
        self.signed[point.size] = "".join([text, *kept, line])
        self.settle(point.size)
        return [wire.cosign_reply(self.settled and checkpoint.read(
            self.settled)[0].size)]

    def do_checkpoint(self, _who, frame):
        which, version = wire.read_checkpoint_request(frame)
        note = {wire.NEWEST: self.signed.get(max(self.signed, default=0)),
                wire.SETTLED: self.settled,
                wire.OF_ROSTER: self.first_of.get(version)}[which]
        check(note, "no such checkpoint", "NOT-FOUND")
        return [note.encode()]

    def _mark(self, sequence):
        """(its MarkTree, its roster)."""
        check(sequence < len(self.records), "no mark", "NOT-FOUND")
        mark = self.records[sequence]
        check(mark.type == ledger.MARK and mark.epoch == self.newest.epoch,
              "no mark of this epoch", "NOT-FOUND")
        roster = next(r for r, at, _ in self.chain if at == mark.roster)
        return self.mark_tree(sequence, roster), roster

    def do_paths(self, who, frame):
        sequence, = wire.read_numbers(frame, 1, "paths")
        made, roster = self._mark(sequence)
        return [wire.paths_reply(sequence, [
            one for one in made.claims
            if any(may_read(r, who, one.stream, self.clock())
                   for r in (roster, self.newest))])]

    def do_handed(self, who, frame):
        sequence, at = wire.read_numbers(frame, 2, "handed")
        made, _ = self._mark(sequence)
        check(at < sequence, "not below the mark", "NOT-FOUND")
        record = self.records[at]
        check(record.type == ledger.MESSAGE and (
            record.header().author == who
            or record.via and record.via[0] == who), "not its", "NOT-FOUND")
        places = []
        for one in made.claims:
            found = self.streams_below(sequence)(one.stream)
            number = [s for s, _ in found].index(at) + 1 if (
                (at, record.leaf) in found) else None
            if number:
                places.append((one, number, tree.path(
                    number - 1, [leaf for _, leaf in found])))
        return [wire.handed_reply(sequence, places)]

    def do_cover(self, who, frame):
        name, first, to = wire.read_cover_request(frame)
        check(name in rights.streams(self.newest, who, self.clock()), name,
              "UNKNOWN-STREAM")
        leaves = [r.leaf for r in self.stream(name)]
        check(to <= len(leaves), "beyond the stream")
        return [b"".join(tree.cover(first, to, leaves))]

    def add_mark(self):
        read, at, _ = self.chain[-1]
        sequence = len(self.records)
        root = self.mark_tree(sequence, read).root
        return self.add(ledger.Record(
            ledger.MARK, sequence, self.clock(), read.epoch, at, "$log",
            len(self.stream("$log")) + 1,
            ledger.mark_payload(read.version, read.digest, root)))
