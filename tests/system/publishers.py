"""Threads that publish without a break, through every death of the broker,
and remember what they were promised."""
import random
import threading

from parley_client.session import NoReply, Session

from daemon import WAIT_S

SIZES = (1, 1, 2, 5, 16, 48)
OCTETS = (20, 300, 300, 900, 18000)  # a kill may tear what is written long


class Runs:
    """Which run of a broker is on: publishers wait here for the next."""

    def __init__(self, broker):
        self.broker, self.stopping = broker, False
        self.news = threading.Condition()
        self.number = 1

    def next(self):
        with self.news:
            self.number += 1
            self.news.notify_all()

    def stop(self):
        with self.news:
            self.stopping = True
            self.news.notify_all()

    def wait(self, after):
        """The number of a run behind `after`."""
        with self.news:
            assert self.news.wait_for(lambda: self.number > after, WAIT_S)
            return self.number


class Publisher(threading.Thread):
    """A delegation's messages on one channel, in batches, one after the
    other. `promised`: id -> (sequence, leaf). `sent` is a Semaphore that
    counts batches as they go out. `failed` is what ended it."""

    def __init__(self, runs, name, channel, seed, sent):
        super().__init__(daemon=True)
        self.runs, self.channel = runs, channel
        self.random = random.Random(seed)
        dialogue = runs.broker.dialogue
        self.session = Session(dialogue.notes, dialogue.identity(name),
                               wait_s=WAIT_S)
        self.promised, self.repeated, self.failed = {}, 0, None
        self.sent = sent

    def run(self):
        try:
            self._run()
        except Exception as failed:  # noqa: BLE001 - told by check()
            self.failed = failed
            raise
        finally:
            self.session.close()

    def _run(self):
        run = self.runs.number
        self.runs.broker.move(self.session)
        while not self.runs.stopping:
            sent, tries = self.batch(), 0
            while True:
                tries += 1
                try:
                    number = self.session.start_batch(sent)
                    self.sent.release()
                    promise = self.session.finish_batch(sent, number)
                    break
                except NoReply:
                    run = self.runs.wait(run)
                    self.runs.broker.move(self.session)
            self.take(sent, promise, tries)

    def batch(self):
        octets = self.random.choice(OCTETS)
        made = [self.session.make(f"{self.channel}/n/{i % 7}",
                                  "x" * self.random.randrange(1, octets))
                for i in range(self.random.choice(SIZES))]
        return self.session.sign(made)

    def take(self, sent, promise, tries):
        assert promise.refused == []
        assert [a[1] for a in promise.accepted] == sent.ids
        for _, id_, sequence, leaf in promise.accepted:
            assert id_ not in self.promised
            self.promised[id_] = (sequence, leaf)
        self.repeated += tries > 1

    def check(self):
        if self.failed:
            raise AssertionError(f"{self.name} failed") from self.failed
