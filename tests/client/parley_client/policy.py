"""Trust policies (C2SP tlog-policy; section 7.5)."""

import re

from . import checkpoint, notes
from .errors import Refused, check

_NUMBER = re.compile(r"[1-9][0-9]*")


def write(roster):
    """What one roster states: its log, its witnesses, its quorum."""
    out = [f"log {checkpoint.vkey(checkpoint.origin(roster), roster.log)}"]
    of = checkpoint.witness_keys(roster)
    for name, key in of:
        shown = checkpoint.vkey(name, key, notes.COSIGNATURE)
        out.append(f"witness {name} {shown}")
    if roster.quorum:
        out.append(f"group witnesses {roster.quorum} "
                   + " ".join(name for name, _ in of))
    out.append(f"quorum {'witnesses' if roster.quorum else 'none'}")
    return "\n".join(out) + "\n"


class Policy:
    """logs: [(name, type, key)]; witnesses: {name: (key name, type, key)};
    groups: {name: (k, [member])}; quorum: a name or None."""

    def __init__(self, text):
        self.logs, self.witnesses, self.groups = [], {}, {}
        self.quorum, self.keys, self.members = None, set(), set()
        found = False
        octets = text.encode() if isinstance(text, str) else text
        check(octets == b"" or octets.endswith(b"\n"), "no newline at the end")
        check(not any(o < 32 and o not in (9, 10) or o == 127
                      for o in octets), "a control character")
        for line in octets.decode("latin-1").split("\n")[:-1]:
            words = line.replace("\t", " ").split(" ")
            words = [w for w in words if w]
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "quorum":
                check(not found, "two quorums")
                found = True
            self._line(words)
        check(found, "no quorum")

    def _line(self, words):
        forms = {"log": (2, 3), "witness": (3, 4), "quorum": (2, 2),
                 "group": (4, 1 << 30)}
        check(words[0] in forms, f"{words[0]!r} begins no line")
        low, high = forms[words[0]]
        check(low <= len(words) <= high, f"{' '.join(words)!r}")
        getattr(self, "_" + words[0])(*words[1:])

    def _key(self, text):
        try:
            text = text.encode("latin-1").decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("a vkey that is not UTF-8") from None
        name, kind, key = checkpoint.read_vkey(text)
        check(key not in self.keys, f"the key of {name} stands twice")
        self.keys.add(key)
        return name, kind, key

    def _new(self, name):
        check(name != "none" and name not in self.witnesses
              and name not in self.groups, f"{name} is taken")

    def _known(self, name):
        check(name in self.witnesses or name in self.groups,
              f"{name} is nobody")

    def _log(self, text, _url=None):
        self.logs.append(self._key(text))

    def _witness(self, name, text, _url=None):
        self._new(name)
        self.witnesses[name] = self._key(text)

    def _group(self, name, k, *members):
        self._new(name)
        for one in members:
            self._known(one)
            check(one not in self.members, f"{one} is a member twice")
            self.members.add(one)
        n = {"any": 1, "all": len(members)}.get(k)
        if n is None:
            check(_NUMBER.fullmatch(k), f"{k!r} is no number")
            n = int(k)
        check(1 <= n <= len(members), f"{n} of {len(members)}")
        self.groups[name] = n, members

    def _quorum(self, name):
        if name != "none":
            self._known(name)
            self.quorum = name

    # -- judging --------------------------------------------------------

    def check(self, note):
        """(Checkpoint, {witness: time}): a listed log signed it, and the
        quorum cosigned; Refused."""
        point = self._of_a_log(note)
        found = {}
        for name, (key_name, kind, key) in self.witnesses.items():
            if kind != notes.COSIGNATURE:
                continue
            time = checkpoint.cosigned(note, key_name, key)
            if time is not None:
                found[name] = time
        check(self.quorum is None or self._satisfied(self.quorum, found),
              "no quorum", "QUORUM")
        return point, found

    def _of_a_log(self, note):
        last = None
        for name, kind, key in self.logs:
            if kind != notes.ED25519:
                continue
            try:
                return checkpoint.check_log(note, name, key)
            except Refused as refused:
                last = refused
        raise last or Refused("no log that we know", "BAD-SIGNATURE")

    def _satisfied(self, name, found):
        if name in self.witnesses:
            return name in found
        k, members = self.groups[name]
        return sum(self._satisfied(one, found) for one in members) >= k

    def bound(self, found):
        """The (f+1)-th earliest time of a k of n quorum of witnesses."""
        if self.quorum not in self.groups:
            return None
        k, members = self.groups[self.quorum]
        if not all(one in self.witnesses for one in members):
            return None
        return checkpoint.nth_time(
            [found[m] for m in members if m in found],
            2 * k - len(members))
