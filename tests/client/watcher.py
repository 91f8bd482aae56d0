"""A thread that hears one delegation's `$log`, as a witness does, and keeps
what came and when."""

import threading
import time
from dataclasses import dataclass

from parley_client import checkpoint, feed, ledger, wire
from parley_client.auditor import Auditor
from parley_client.errors import Refused
from parley_client.follow import Follower

WAIT_S = 60
ASKED = 0


@dataclass
class Heard:
    at: float  # monotonic
    kind: int  # feed.CHECKPOINT, feed.COSIGNATURES, or ASKED
    note: str
    point: checkpoint.Checkpoint


class Watcher(threading.Thread):
    """session: its own, which it closes. `heard`: each checkpoint, verified;
    `faults`: what was refused, why; `records`: of $log. cosigns: does it hand
    in a cosignature of each checkpoint?"""

    def __init__(self, session, cosigns=False):
        super().__init__(daemon=True)
        self.session, self.cosigns = session, cosigns
        self.auditor = Auditor(session.view, session.who)
        self.heard, self.faults, self.records = [], [], []
        self.answers, self.waiting = [], []
        self.on_leaves, self.subscribed = None, False
        self.news, self.stopping = threading.Condition(), False

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.stopping = True
        self.join(WAIT_S)

    def run(self):
        try:
            follower = Follower(self.session, {"$log": 1})
            follower.listener = self.hear
            while not self.stopping:
                self.work(follower)
        except Exception as failed:  # noqa: BLE001 - told by wait()
            if not self.stopping:
                self.faults.append(failed)
            raise
        finally:
            with self.news:
                self.news.notify_all()

    def work(self, follower):
        """Pieces of the feed, until it has to look whether it goes on."""
        for name in list(follower.next):
            for _, _, place in follower.fill(name):
                self.take(place.record)
        self.fill()
        again = time.monotonic() + 0.5  # as section 8.7 has it
        while not self.stopping:
            if again and time.monotonic() > again:
                self.fill()
                again = None
                with self.news:
                    self.subscribed = True
                    self.news.notify_all()
            if follower.sub.poll(50):
                for _, _, place in follower.take(
                        follower.sub.recv_multipart()):
                    self.take(place.record)
            self.later()

    def take(self, record):
        with self.news:
            self.records.append(record)
            self.news.notify_all()

    def fill(self):
        """What was said before this one heard."""
        self.fill_leaves()
        try:
            self.waiting.append((time.monotonic(), ASKED,
                                 self.session.checkpoint_note()))
        except wire.DeskError as error:
            if error.rule != "NOT-FOUND":
                raise
        self.later()

    def fill_leaves(self):
        """Ask for what the feed did not bring."""
        while True:
            at = len(self.auditor.leaves)
            found = self.session.leaves(at, wire.LEAVES)
            self.auditor.add_leaves(at, found)
            if len(found) < wire.LEAVES:
                return

    def hear(self, kind, content):
        with self.news:
            try:
                if kind == feed.LEAVES:
                    self.leaves(*content)
                else:
                    self.waiting.append((time.monotonic(), kind, content))
            except Refused as refused:
                self.faults.append(refused)
            self.news.notify_all()

    def leaves(self, first, hashes):
        if self.on_leaves:
            self.on_leaves(first, hashes)
        if self.auditor.add_leaves(first, hashes):
            self.fill_leaves()
            self.auditor.add_leaves(first, hashes)

    def later(self):
        """Judge the checkpoints that came: here requests may be made."""
        waiting, self.waiting = self.waiting, []
        for at, kind, note in waiting:
            if checkpoint.read(note)[0].size > len(self.auditor.leaves):
                self.fill_leaves()
            with self.news:
                try:
                    point = self.auditor.verify(note)
                    self.auditor.settle(note)
                    self.heard.append(Heard(at, kind, note, point))
                except Refused as refused:
                    self.faults.append(refused)
                self.news.notify_all()
            if self.cosigns and kind != feed.COSIGNATURES:
                self.cosign(note)

    def cosign(self, note):
        point = checkpoint.read(note)[0]
        below = [m for m in self.marks if m.sequence < point.size]
        try:
            line = self.auditor.cosign(note, int(time.time() * 1000),
                                       below[-1].log_time)
            self.answers.append(self.session.cosign(line))
        except Refused as refused:
            with self.news:
                self.faults.append(refused)
                self.news.notify_all()

    # -- for the test ---------------------------------------------------

    @property
    def marks(self):
        return [r for r in self.records if r.type == ledger.MARK]

    @property
    def size(self):
        """Of the newest checkpoint that verified."""
        return max((h.point.size for h in self.heard), default=-1)

    @property
    def settled(self):
        return self.auditor.size_of(self.auditor.settled)

    def points(self, kind=feed.CHECKPOINT):
        return [h.point for h in self.heard if h.kind == kind]

    def wait(self, ready, wait_s=WAIT_S):
        """Until ready() is true; its value."""
        end = time.monotonic() + wait_s
        with self.news:
            while not (value := ready()):
                left = end - time.monotonic()
                assert left > 0 and self.is_alive(), (
                    [h.point for h in self.heard], self.faults)
                self.news.wait(left)
        return value
