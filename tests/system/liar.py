"""A broker with the right keys that says what is not so: what an agent would
meet if the broker's machine were in other hands."""
import copy
import dataclasses
import os
import time

import fake_broker
from parley_client import block, checkpoint, feed, keys, messages, wire
from parley_client import canonical as mp

from daemon import wait_for


def now():
    return int(time.time() * 1000)


TOPIC = "members/lies"


class Liar(fake_broker.Broker):
    """Honest until told otherwise. `lies`: name of a request, or that and a
    delegation -> what is made of its reply's frames. `spoil`: what is made of
    a block, for fetch and feed; it gets the places that a block is encoded of.
    `ahead`: of its clock, ms. `cosigns`: (who, Checkpoint) as they came."""

    def __init__(self, dialogue):
        self.lies, self.spoil, self.silent = {}, None, False
        self.ahead, self.cosigns = 0, []
        super().__init__(dialogue.broker, dialogue.notes[0], self.time)
        self.dialogue = dialogue
        self.start()
        self.desk_at, self.feed_at = self.desk_endpoint, self.feed_endpoint
        self.texts = []

    def time(self):
        return now() + self.ahead

    def fork(self):
        """Another broker with the same keys, and all that this one has."""
        twin = Liar(self.dialogue)

        def take(_):
            for name in ("records", "bodies", "chain", "texts"):
                setattr(twin, name, list(getattr(self, name)))
            twin.lanes, twin.tops = dict(self.lanes), dict(self.tops)
            twin.settled, twin.first_of = self.settled, dict(self.first_of)
        self.tell(take)
        twin.tell(lambda b: b.new_run())
        return twin

    def answer(self, word, who, *frames):
        lie = self.lies.get((word, who)) or self.lies.get(word)
        if word == "cosign":
            self.cosigns.append((who, checkpoint.read(frames[0])[0]))
        out = super().answer(word, who, *frames)
        return lie(out) if lie else out

    def block(self, sequences):
        if not self.spoil:
            return super().block(sequences)
        places = [block.place(copy.copy(self.records[s]), self.bodies[s])
                  for s in sequences]
        return self.spoil(places)

    def show(self, *sequences):
        if not self.silent:
            super().show(*sequences)

    # -- epochs ---------------------------------------------------------

    def cut(self, size):
        """Its disk was lost, but for so many records. In its thread."""
        del self.records[size:], self.bodies[size:]
        self.chain = [one for one in self.chain if one[1] < size]
        self.lanes = {k: at for k, at in self.lanes.items() if at < size}
        self.tops = {}
        for who, lane, number in self.lanes:
            top = self.tops.get((who, lane), 0)
            self.tops[who, lane] = max(top, number)

    def log_key(self):
        """The same broker with another log key."""
        other = copy.copy(self.who)
        made = keys.Identity("broker", other.name, os.urandom(32))
        other.secret = {**other.secret, "log": made.secret["log"]}
        other.public = {**other.public, "log": made.public["log"]}
        return other

    def open_epoch(self, note, who):
        """The next epoch begins at its end, whatever the base says."""
        def call(b):
            b.who = who
            b.add_roster(note)
        self.send_part("$log", feed.head_part(0, 0, 0), run=os.urandom(16))
        self.tell(call)
        self.tell(lambda b: b.new_run())

    # -- from the test's thread -----------------------------------------

    def frames_of(self, name, topic, text):
        """A publish request's frames, of one message that is signed well."""
        who, body = self.dialogue.identity(name), messages.body(
            text, messages.TEXT, os.urandom(16))
        header = messages.Header(
            self.dialogue.id, name, who.id("sign"), 1, os.urandom(8), 1,
            now(), topic, messages.TEXT, len(body), keys.blake2b(body))
        header.encode()
        batch = messages.sign_batch(who, self.dialogue.id, [header])
        return [batch.head(),
                *messages.join_headers([header.octets], [body])]

    def post(self, name, topic, text):
        """A delegation's message is recorded, and shown."""
        frames = self.frames_of(name, topic, text)
        before = len(self.records)
        self.tell(lambda b: fake_broker.Broker.do_publish(b, name, *frames))
        assert len(self.records) == before + 1
        self.texts.append(text)

    def honest(self):
        """From here on."""
        self.lies, self.spoil, self.silent = {}, None, False
        self.another_run()

    def another_run(self):
        """Its first frame still has a tag that agents listen to, so that they
        say hello at once; a broker that was started again is seen by its
        lost connections."""
        self.send_part("$log", feed.head_part(0, 0, 0), run=os.urandom(16))
        self.tell(lambda b: b.new_run())

    def say_hello(self, **changes):
        """A lie: hello's reply with other values, signed all the same."""
        def lie(frames):
            reply = wire.HelloReply(*mp.decode(frames[0]))
            frame = dataclasses.replace(reply, **changes).encode()
            return [frame, wire.hello_signature(self.who, frame)]
        return lie

    def send_part(self, name, part, **more):
        """A frame of a stream, as it would be sent; `more` is other than
        that: tag, key, run, generation, number, octets."""
        def call(b):
            tag, key = b.tag(name)
            number = b.frame_numbers[tag] = b.frame_numbers.get(tag, 0) + 1
            said = {"tag": tag, "key": key, "run": b.run_id,
                    "generation": b.generation, "number": number, **more}
            b.feed.send_multipart(feed.seal(
                b.chain[0][0].digest, said["tag"], said["key"], said["run"],
                said["generation"], said["number"], part, os.urandom(24)))
        self.tell(call)

    def send_raw(self, *frames):
        self.tell(lambda b: b.feed.send_multipart(frames))


def changed(**values):
    """A spoil: the records say other things, in a sound block."""
    def spoil(places):
        for one in places:
            for name, value in values.items():
                was = getattr(one.record, name)
                setattr(one.record, name,
                        value(was) if callable(value) else value)
            one.record.encode()
        return block.encode(places)
    return spoil


def flipped(octets, at):
    """One bit of it is another."""
    at %= len(octets)
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:]


# What a test asks of an agent that is lied to.

def wait_texts(agent, liar):
    """It holds all that was said, in order, once."""
    wait_for(lambda: len(agent.texts(TOPIC)) >= len(liar.texts),
             f"{liar.texts}", 60, 0.03)
    assert agent.texts(TOPIC) == liar.texts


def wait_log(agent, liar):
    """It holds all of `$log`."""
    count = len(liar.stream("$log"))
    wait_for(lambda: any(s["name"] == "$log" and s["upto"] >= count
                         for s in agent.get("status")["streams"]), "the log")


def wait_alarm(agent, kind):
    """The text of the alarm."""
    def seen():
        return [a["text"] for a in agent.alarms() if a["kind"] == kind]
    return wait_for(seen, f"{kind}, not {agent.alarms()}\n"
                    f"{agent.daemon.log()}", 60, 0.03)[-1]


def check_recovery(agent, liar):
    """The truth is heard, and stored beside what was true before."""
    liar.honest()
    liar.post("EUROPOL/hq", TOPIC, "true after")
    wait_texts(agent, liar)
    entry = agent.publish(TOPIC, "my own")
    liar.texts.append("my own")
    agent.wait_entry(entry["number"])
    wait_texts(agent, liar)
