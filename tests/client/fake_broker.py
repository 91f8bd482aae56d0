"""A broker in memory, just enough of one to try the client against: no
disk, no limits, rights by the client's own rights.py. Not a reference."""

import os
import threading

import zmq
from zmq.utils import z85

from fake_notary import Notary
from parley_client import (block, feed, keys, ledger, messages, names,
                           rights, roster, wire)
from parley_client import canonical as mp
from parley_client.errors import Refused

ZAP = "inproc://zeromq.zap.01"


class Broker(Notary, threading.Thread):
    """tell(call): run call(self) in the broker's thread."""

    def __init__(self, who, note, clock):
        super().__init__(daemon=True)
        self.who, self.clock = who, clock
        self.init_notary()
        self.records, self.bodies, self.rosters = [], [], []
        self.lanes, self.tops, self.direct = {}, {}, {}
        self.run_id, self.generation, self.frame_numbers = None, 0, {}
        self.drop_frames, self.drop_replies = 0, 0
        self.chain = [(roster.first(note), 0, note)]
        self.add_roster(note)
        self.context = zmq.Context()
        self.desk, self.feed = self.bind(zmq.ROUTER), self.bind(zmq.XPUB)
        self.zap = self.context.socket(zmq.REP)
        self.calls = self.context.socket(zmq.PULL)
        self.calls.bind("inproc://calls")
        self.todo, self.stop = [], False
        self.new_run()

    def bind(self, kind):
        s = self.context.socket(kind)
        s.curve_server, s.linger = True, 0
        s.curve_secretkey = z85.encode(self.who.secret["link"])
        s.zap_domain = b"desk" if kind == zmq.ROUTER else b"feed"
        return s

    def start(self):
        self.zap.bind(ZAP)
        self.desk_endpoint, self.feed_endpoint = (
            f"tcp://127.0.0.1:{s.bind_to_random_port('tcp://127.0.0.1')}"
            for s in (self.desk, self.feed))
        super().start()

    def tell(self, call):
        done = threading.Event()
        self.todo.append((call, done))
        s = self.context.socket(zmq.PUSH)
        s.connect("inproc://calls")
        s.send(b"")
        assert done.wait(60)
        s.close()

    def end(self):
        self.tell(lambda b: setattr(b, "stop", True))
        self.join(60)
        self.context.destroy(linger=0)

    def run(self):
        poller = zmq.Poller()
        for s in (self.desk, self.feed, self.zap, self.calls):
            poller.register(s, zmq.POLLIN)
        while not self.stop:
            ready = dict(poller.poll())
            if self.zap in ready:
                self.judge_peer(self.zap.recv_multipart())
            if self.feed in ready:
                self.feed.recv()
            if self.desk in ready:
                self.request()
            if self.calls in ready:
                self.calls.recv()
                call, done = self.todo.pop(0)
                call(self)
                done.set()

    # -- peers ----------------------------------------------------------

    @property
    def newest(self):
        return self.chain[-1][0]

    def judge_peer(self, frames):
        version, number, mechanism, key = (frames[0], frames[1], frames[5],
                                           frames[6])
        known = mechanism == b"CURVE" and any(
            s["link"] == key for d in self.newest.delegations.values()
            for s in d.sets if not d.revoked)
        self.zap.send_multipart(
            [version, number, b"200" if known else b"400", b"",
             z85.encode(key) if known else b"", b""])

    def delegation(self, frame):
        key = z85.decode(frame.get("User-Id").encode())
        return next(d.name for d in self.newest.delegations.values()
                    if any(s["link"] == key for s in d.sets))

    def request(self):
        got = self.desk.recv_multipart(copy=False)
        peer, frames = got[0].bytes, [f.bytes for f in got[1:]]
        kind, number, run, rest = wire.read_request(frames)
        word = {n: w for w, n in wire.TYPES.items()}[kind]
        try:
            early = word == "hello" or word == "roster" and run is None
            if not early and run != self.run_id:
                raise Refused("", "HELLO-FIRST")
            out = self.answer(word, self.delegation(got[1]), *rest)
            reply = wire.reply(word, number, self.run_id, *out)
        except Refused as refused:
            reply = wire.error(number, self.run_id, refused.rule,
                               str(refused), {})
        if self.drop_replies:
            self.drop_replies -= 1
        else:
            self.desk.send_multipart([peer, *reply])

    # -- requests -------------------------------------------------------

    def answer(self, word, who, *frames):
        """The frames of a reply, behind frame 0."""
        return getattr(self, "do_" + word)(who, *frames)

    def do_hello(self, who, frame):
        hello = wire.read_hello(frame)
        read, at, _ = self.chain[-1]
        lanes = [[lane, self.tops.get((who, lane), 0)]
                 for lane, _ in hello[7]]
        if hello[8] is not None:
            ledger.check_highest(hello[8], self.who.public["desk"],
                                 self.chain[0][0].digest)
        frame1 = wire.HelloReply(
            self.chain[0][0].digest, hello[3], self.run_id, who, [1, 1], [],
            read.epoch, read.version, read.digest, at, len(self.records),
            self.records[-1].log_time, self.clock(), [0], self.generation,
            lanes).encode()
        return [frame1, wire.hello_signature(self.who, frame1)]

    def do_streams(self, who):
        return [wire.streams_reply(self.generation, [
            wire.Stream(name, *self.tag(name), len(self.stream(name)), 1)
            for name in rights.streams(self.newest, who, self.clock())])]

    def do_roster(self, _who, frame):
        version = mp.decode(frame)[0] or self.newest.version
        for read, at, note in self.chain:
            if read.version == version:
                return [mp.encode([version, at]), note.encode()]
        raise Refused("", "NOT-FOUND")

    def do_status(self, _who):
        return [mp.encode({"records": len(self.records)})]

    def do_leaves(self, _who, frame):
        first, count = mp.decode(frame)
        return [mp.encode([first]), b"".join(
            r.leaf for r in self.records[first:first + count])]

    def do_fetch(self, who, frame):
        name, first, last, _ = wire.read_fetch(frame)
        if name not in rights.streams(self.newest, who, self.clock()):
            raise Refused(name, "UNKNOWN-STREAM")
        of = self.stream(name)
        items = []
        for number, r in enumerate(of[first - 1:last], first):
            in_force = next(x for x, at, _ in self.chain if at == r.roster)
            readable = rights.may_read(in_force, who, r.channel, r.log_time)
            items.append((number, number, self.block([r.sequence])
                          if readable else None))
        return wire.fetch_reply(name, len(of), items)

    def do_publish(self, who, head, headers, bodies):
        batch = messages.read_head(head)
        pairs = messages.cut_headers(batch.size, headers, bodies)
        read = [messages.read_header(h) for h, _ in pairs]
        dialogue = self.chain[0][0].digest
        messages.check_batch(dialogue, batch, read)
        key = rights.sign_key(self.newest, batch.author, batch.key_id,
                              self.clock())
        root = block.tree.root([h for h, _ in pairs])
        assert messages.batch_verifies(key, dialogue, batch, root)
        assert (batch.via is None) == (batch.author == who)
        accepted, refused, new = [], [], []
        for i, (header, (_, body)) in enumerate(zip(read, pairs)):
            try:
                messages.check_body(header, body)
                sequence, fresh = self.judge(header, batch, i, body)
                new += [sequence] if fresh else []
                accepted.append((i, header.id, sequence,
                                 self.records[sequence].leaf))
            except Refused as no:
                refused.append((i, header.id, no.rule, {"why": str(no)}))
        promise = ledger.Promise(self.newest.epoch, self.who.id("desk"),
                                 self.clock(), accepted, refused)
        promise.sign(self.who, dialogue)
        for sequence in new:
            self.show(sequence)
        if new:
            self.grown(new[0])
        return [wire.promise_reply(promise)]

    def judge(self, header, batch, index, body):
        slot = (header.author, header.lane, header.number)
        if slot in self.lanes:
            sequence = self.lanes[slot]
            if self.records[sequence].header().id != header.id:
                raise Refused("another", "USED-NUMBER")
            return sequence, False
        if not rights.may_write(self.newest, header.author, header.channel,
                                self.clock()):
            raise Refused(header.channel, "NOT-A-WRITER")
        of = self.stream(header.channel)
        previous = [r.sequence for r in of
                    if r.header().topic == header.topic]
        sequence = self.add(ledger.Record(
            ledger.MESSAGE, len(self.records), self.clock(), self.newest.epoch,
            self.chain[-1][1], header.channel, len(of) + 1, header.octets,
            previous[-1] if previous else None, batch.via, batch.size, index,
            batch.signature), body)
        self.lanes[slot] = sequence
        lane = slot[:2]
        self.tops[lane] = max(self.tops.get(lane, 0), header.number)
        return sequence, True

    # -- ledger ---------------------------------------------------------

    def add(self, record, body=None):
        record.encode()
        self.records.append(record)
        self.bodies.append(body)
        return record.sequence

    def add_roster(self, note):
        if self.records:
            read = roster.following(self.newest, note)
            self.chain.append((read, len(self.records), note))
        read, at, _ = self.chain[-1]
        self.add(ledger.Record(
            ledger.ROSTER, len(self.records), self.clock(), read.epoch, at,
            "$log", len(self.stream("$log")) + 1, ledger.roster_payload(
                read.version, read.digest, note.encode())), note.encode())
        self.add_mark()
        return at

    def stream(self, name):
        if name.startswith("@") and "+" not in name:
            return [r for r in self.records if r.channel[0] == "@"
                    and name[1:] in names.adhoc_entities(r.channel)]
        return [r for r in self.records if r.channel == name]

    def block(self, sequences):
        places = [block.place(self.records[s], self.bodies[s])
                  for s in sequences]
        ids = {}
        for r in self.records:
            if r.type == ledger.MESSAGE:
                ids.setdefault(r.signature, []).append(r.header().id)
        return block.encode(places, ids)

    # -- feed -----------------------------------------------------------

    def new_run(self):
        self.run_id, self.generation = os.urandom(16), 0
        self.new_tags()
        self.signed = {}
        self.sign_checkpoint()

    def new_tags(self):
        self.generation += 1
        self.tags, self.frame_numbers = {}, {}

    def tag(self, name):
        return self.tags.setdefault(name, (os.urandom(16), os.urandom(32)))

    def send(self, name, part):
        tag, key = self.tag(name)
        number = self.frame_numbers[tag] = self.frame_numbers.get(tag, 0) + 1
        if self.drop_frames and part[0] in (feed.BLOCK, feed.HEAD):
            self.drop_frames -= 1
            return
        self.feed.send_multipart(feed.seal(
            self.chain[0][0].digest, tag, key, self.run_id, self.generation,
            number, part, os.urandom(24)))

    def show(self, *sequences):
        record = self.records[sequences[0]]
        found = [record.channel]
        if record.channel.startswith("@"):
            found = ["@" + e for e in names.adhoc_entities(record.channel)]
        for name in found:
            first = 1 + [r.sequence for r in self.stream(name)].index(
                record.sequence)
            self.send(name, feed.block_part(first, self.block(sequences)))

    def head(self, name, next_generation=None):
        self.send(name, feed.head_part(
            len(self.records), self.records[-1].log_time,
            len(self.stream(name)), next_generation))

    def change_roster(self, note):
        at = self.add_roster(note)
        self.show(at, at + 1)
        self.grown(at)
        self.head("$log", self.generation + 1)
        self.new_tags()

    def restart(self):
        self.new_run()


def contribution(author, dialogue, topic, text):
    """What a body writes offline, as a file."""
    body = messages.body(text, messages.TEXT, os.urandom(16))
    header = messages.Header(
        dialogue, author.name, author.id("sign"), 1, os.urandom(8), 1, 0,
        topic, messages.TEXT, len(body), keys.blake2b(body))
    header.encode()
    batch = messages.sign_batch(author, dialogue, [header])
    return messages.contribution(batch, [header.octets], [body])
