"""Witnesses of a broker, in Python: who say hello so that it begins, hear
what it signs, and cosign."""
from dialogue import SMALL
from watcher import Watcher

NAMES = ["EUROPOL/hq", "AFRIPOL/hq", "SCO/rats"]
WITNESSED = dict(SMALL, witnesses=NAMES, quorum=2)


class Witnesses:
    """Of a Broker that runs. Sessions by name say hello at once, so that it
    takes messages."""

    def __init__(self, broker):
        self.broker, self.watchers = broker, []
        self.at = {name: broker.client(name) for name in NAMES}
        self.hello()

    def hello(self):
        for one in self.at.values():
            one.hello()

    def watch(self, name="UNODC/hq", cosigns=False):
        """A Watcher that hears `$log`, from here on."""
        one = Watcher(self.broker.client(name), cosigns)
        self.watchers.append(one)
        one.start()
        one.wait(lambda: one.subscribed)
        return one

    def publish(self, count=1, topic="dialogue/x", name="EUROPOL/hq"):
        """One batch; its last sequence."""
        promise = self.at[name].publish_many(
            [(topic, f"{i}") for i in range(count)])
        assert promise.refused == []
        return promise.accepted[-1][2]

    def close(self):
        for one in self.watchers:
            one.end()
