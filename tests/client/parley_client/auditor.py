"""What each agent is to a ledger (section 7.5): it holds all leaf hashes,
verifies checkpoints, knows what is settled, and cosigns as a witness."""

from . import checkpoint, notes, tree
from .errors import check

CLOCK_MS = 120000


class Auditor:
    """view: a View, whose `at` has the place of each roster. who: an
    Identity that cosigns, or None."""

    def __init__(self, view, who=None):
        self.view, self.who = view, who
        self.leaves, self.tree = [], tree.Tree()
        self.roots = {0: self.tree.root()}  # size -> root
        self.verified = self.settled = None  # notes
        self.cosigned = {}  # origin -> Checkpoint

    def in_force(self, size):
        """The roster at the last record below a size."""
        found = [s for s in self.view.at if s < size]
        check(found, f"no roster below {size}", "ROSTER-AHEAD")
        return self.view.at[max(found)]

    def add_leaves(self, first, hashes):
        """Those that are held are compared; how many lack before them."""
        for at, one in enumerate(hashes, first):
            if at < len(self.leaves):
                check(self.leaves[at] == one, f"two leaves at {at}",
                      "CONTRADICTION")
            elif at > len(self.leaves):
                return at - len(self.leaves)
            else:
                self.leaves.append(one)
                self.tree.add(one)
                self.roots[self.tree.size] = self.tree.root()
        return 0

    def root(self, size):
        check(size in self.roots, f"{size} is above {len(self.leaves)}",
              "LEAVES")
        return self.roots[size]

    def verify(self, note):
        """The Checkpoint of a note; Refused with LEAVES where hashes lack,
        with ROOT where the tree has another root."""
        point, _, _ = checkpoint.read(note)
        root = self.root(point.size)
        now = self.in_force(point.size)
        checkpoint.check_log(note, checkpoint.origin(now), now.log)
        check(point.root == root, f"another root at {point.size}", "ROOT")
        if not self.verified or self.size_of(self.verified) <= point.size:
            self.verified = note
        return point

    @staticmethod
    def size_of(note):
        return -1 if note is None else checkpoint.read(note)[0].size

    def settle(self, note):
        """Does it settle now? The newest one is kept."""
        point = self.verify(note)
        now, before = self.in_force(point.size), None
        if self.settled:
            if point.size < self.size_of(self.settled):
                return False
            before = self.in_force(self.size_of(self.settled))
        if not checkpoint.settles(note, now, before):
            return False
        self.settled = note
        return True

    def is_witness(self, size):
        of = [self.in_force(size)]
        if self.settled:
            of.append(self.in_force(self.size_of(self.settled)))
        return any(self.who.name in r.witnesses for r in of)

    def cosign(self, note, time, mark_time):
        """The checkpoint's text with one line; Refused where it must not.
        time, mark_time: Unix ms, mark_time of the newest mark below."""
        point = self.verify(note)
        check(self.is_witness(point.size), f"{self.who.name} is no witness",
              "NOT-A-WITNESS")
        check(abs(time - mark_time) <= CLOCK_MS, "the mark's time", "CLOCK")
        last = self.cosigned.get(point.origin)
        check(last is None or last.size < point.size or last == point,
              "a smaller size, or another root", "CONTRADICTION")
        self.cosigned[point.origin] = point
        return line_note(point, self.who, time // 1000)


def line_note(point, who, time):
    """A checkpoint's text with one cosignature."""
    return notes.join(point.text(), checkpoint.cosign(point, who, time))
