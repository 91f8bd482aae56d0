"""A client on the wire: section 8 over ZeroMQ with CURVE. One thread; each
call waits for its reply. follow.py hears the feed."""

import os
import time
from dataclasses import dataclass

import zmq
from zmq.utils import z85

from . import canonical as mp
from . import checkpoint, keys, marks, messages, tree, wire
from .errors import Refused, check
from .view import View

WAIT_S = 10
HEARTBEAT_MS, GIVE_UP_MS = 5000, 15000


class NoReply(Exception):
    """The desk did not answer in time: back to `down` (section 8.8)."""


@dataclass
class Sent:
    """A batch as it was signed: sent again, it is the same octets."""
    batch: messages.Batch
    headers: list
    bodies: list

    @property
    def ids(self):
        return [h.id for h in self.headers]

    def frames(self):
        return [self.batch.head(), *messages.join_headers(
            [h.octets for h in self.headers], self.bodies)]


def now():
    return int(time.time() * 1000)


def curve_socket(context, kind, who, server_key):
    """A client socket with an identity's link key."""
    s = context.socket(kind)
    s.curve_secretkey = z85.encode(who.secret["link"])
    s.curve_publickey = z85.encode(who.public["link"])
    s.curve_serverkey = z85.encode(server_key)
    s.setsockopt(zmq.LINGER, 0)
    s.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    s.setsockopt(zmq.HEARTBEAT_TIMEOUT, GIVE_UP_MS)
    return s


class Session:
    """rosters: the notes of rosters 1 to n, in order (or the one note of
    roster 1). secret: a secret file's text, or an Identity. desk, feed:
    endpoints instead of the roster's. broker: which one, by its id."""

    def __init__(self, rosters, secret, desk=None, feed=None, broker=None,
                 wait_s=WAIT_S):
        if isinstance(rosters, (str, bytes)):
            rosters = [rosters]
        self.view = View(rosters)
        self.who = (keys.read_secret_file(secret)
                    if isinstance(secret, str) else secret)
        entry = next(b for b in self.view.newest.brokers
                     if broker in (None, b["id"]))
        self.desk_endpoint = desk or entry["desk"]
        self.feed_endpoint = feed or entry["feed"]
        self.link_key = entry["link"][0][0]
        self.wait_s = wait_s
        self.until = None  # a descriptor: readable ends all waiting
        self.context = zmq.Context()
        self.desk, self.run, self.state = None, None, "down"
        self.requests = 0
        self.lane, self.number = os.urandom(8), 0
        self.highest = self.checkpoint = None
        self.by_name, self.generation = {}, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.down()
        self.context.destroy(linger=0)

    def down(self):
        if self.desk is not None:
            self.desk.close()
        self.desk, self.run, self.state = None, None, "down"

    # -- requests -------------------------------------------------------

    def connect(self):
        if self.desk is None:
            self.desk = curve_socket(self.context, zmq.DEALER, self.who,
                                     self.link_key)
            self.desk.connect(self.desk_endpoint)

    def send(self, kind, *frames, run=None):
        """Send a request without waiting; its id."""
        self.connect()
        self.requests += 1
        self.desk.send_multipart(
            wire.request(kind, self.requests, run or self.run, *frames))
        return self.requests

    def receive(self, number, wait_s=None):
        """The frames of the reply to a request; those of others that were
        given up are passed over."""
        end = time.monotonic() + (wait_s or self.wait_s)
        while True:
            if not self._wait(end):
                self.down()
                raise NoReply(f"request {number}")
            frames = self.desk.recv_multipart()
            if wire.reply_number(frames) == number:
                return frames

    def _wait(self, end):
        poller = zmq.Poller()
        poller.register(self.desk, zmq.POLLIN)
        if self.until is not None:
            poller.register(self.until, zmq.POLLIN)
        left = max(0, end - time.monotonic())
        return self.desk in dict(poller.poll(int(left * 1000)))

    def exchange(self, *frames, wait_s=None):
        """Send these frames as they are; the frames that come next."""
        self.connect()
        self.desk.send_multipart(frames)
        return self.next_frames(wait_s)

    def next_frames(self, wait_s=None):
        """The frames of whichever reply comes next."""
        if not self._wait(time.monotonic() + (wait_s or self.wait_s)):
            raise NoReply("no reply came next")
        return self.desk.recv_multipart()

    def ask(self, kind, *frames):
        """The frames of the reply behind frame 0; where the broker has
        begun another run, hello is said again. wire.DeskError where the
        desk refuses."""
        for last in (False, True):
            if self.state != "ready":
                self.hello()
            try:
                return self._answer(kind, self.send(kind, *frames))
            except wire.DeskError as error:
                if last or error.rule != "HELLO-FIRST":
                    raise

    def _answer(self, kind, number):
        try:
            got, _, run, rest = wire.read_reply(self.receive(number))
        except wire.DeskError as error:
            if error.rule == "HELLO-FIRST":
                self.down()
            raise
        check(got == wire.TYPES[kind], "a reply of another type")
        check(self.run in (None, run), "a reply of another run")
        self.run = run
        return rest

    # -- hello, streams, roster -----------------------------------------

    def hello(self, lanes=None):
        """Say hello; the verified HelloReply. Rosters that this client
        lacks are fetched and followed."""
        nonce, newest = os.urandom(32), self.view.newest
        if lanes is None:
            lanes = [[self.lane, self.number]] if self.number else []
        self.run, self.state = None, "hello sent"
        frame = wire.hello(nonce, now(), newest.version, newest.digest, lanes,
                           self.highest, self.checkpoint)
        rest = self._answer("hello", self.send("hello", frame))
        try:
            reply = self._read_hello(rest, nonce)
        except Refused as refused:
            if refused.rule != "BAD-SIGNATURE":
                raise
            reply = self._after_rosters(rest, nonce)
        self.state = "ready"
        self._follow_rosters(reply)
        return reply

    def _after_rosters(self, rest, nonce):
        """The desk key may stand in a roster that this client lacks. The
        chain is judged by signatures, whoever hands it out."""
        self.state = "ready"
        try:
            while True:
                self.roster(self.view.newest.version + 1)
        except wire.DeskError as error:
            check(error.rule == "NOT-FOUND", str(error), error.rule)
        finally:
            self.state = "hello sent"
        return self._read_hello(rest, nonce)

    def _read_hello(self, rest, nonce):
        reply = wire.read_hello_reply(*rest,
                                      self.view.newest.desk_keys(now()))
        check(reply.nonce == nonce, "hello's nonce")
        check(reply.dialogue == self.view.dialogue, "another dialogue",
              "WRONG-DIALOGUE")
        check(reply.run == self.run, "hello's run id")
        check(reply.delegation == self.who.name, "taken for another")
        low, high = reply.versions
        check(low <= 1 <= high, f"versions {low} to {high}", "VERSION")
        return reply

    def _follow_rosters(self, reply):
        known = {r.version for r in self.view.at.values()}
        for version in range(1, reply.roster_version + 1):
            if version in known:
                continue
            try:
                self.roster(version)
            except wire.DeskError as error:  # an epoch may leave some out
                check(error.rule == "NOT-FOUND" and (
                    version < reply.roster_version), str(error), error.rule)
        newest = self.view.newest
        check((newest.version, newest.digest)
              == (reply.roster_version, reply.roster_digest),
              "hello names another roster")
        check(self.view.at.get(reply.roster_sequence) is newest,
              "hello names another place of the roster")

    def roster(self, version=None):
        """A roster, checked against the chain."""
        found, note = self.ask("roster", mp.encode([version]))
        v = mp.array(mp.decode(found), 2, "roster reply")
        read = self.view.learn(note, mp.integer(v[1], 0, mp.TIME_MAX,
                                                "sequence"))
        check(read.version == v[0] and version in (None, v[0]),
              "another roster than asked for")
        return read

    def streams(self):
        """{name: wire.Stream}."""
        self.generation, self.by_name = wire.read_streams(
            self.ask("streams")[0])
        return self.by_name

    def status(self):
        return mp.decode(self.ask("status")[0])

    def leaves(self, first, count):
        """Leaf hashes from a sequence on."""
        start, hashes = wire.read_leaves(
            *self.ask("leaves", mp.encode([first, count])))
        check(start == first and len(hashes) <= count, "other leaves")
        return hashes

    def refusals(self, first=1, most=256):
        """The broker's list of this delegation's refusals, each verified."""
        entries = wire.read_refusals(
            self.ask("refusals", mp.encode([first, most]))[0])
        for one in entries:
            check(any(wire.refusal_verifies(one, key, self.view.dialogue)
                      for r in self.view.chain
                      for key in r.desk_keys(one[1])),
                  "a refusal does not verify", "BAD-SIGNATURE")
        return entries

    # -- checkpoints and marks ------------------------------------------

    def cosign(self, note):
        """Hand a cosignature in; the size of the newest settled
        checkpoint, or None."""
        return wire.read_cosign_reply(self.ask("cosign", note.encode())[0])

    def checkpoint_note(self, which=wire.NEWEST, version=None):
        """A note, signed by the log of the newest roster."""
        note = self.ask("checkpoint", mp.encode([which, version]))[0].decode()
        newest = self.view.newest
        checkpoint.check_log(note, checkpoint.origin(newest), newest.log)
        return note

    def paths(self, mark):
        """[Claim] of a mark (its Record), each checked."""
        sequence, claims = wire.read_paths_reply(
            self.ask("paths", mp.encode([mark.sequence]))[0])
        check(sequence == mark.sequence, "claims of another mark")
        for one in claims:
            one.check(self.view.at[mark.roster], marks.root_of(mark))
        return claims

    def handed(self, mark, sequence, leaf):
        """[(Claim, number)]: where a record that this delegation wrote or
        handed in stands, by a mark behind it."""
        found, places = wire.read_handed_reply(
            self.ask("handed", mp.encode([mark.sequence, sequence]))[0])
        check(found == mark.sequence, "claims of another mark")
        for claim, number, path in places:
            claim.check(self.view.at[mark.roster], marks.root_of(mark))
            check(tree.root_from_path(leaf, number - 1, claim.count, path)
                  == claim.root, "a path to another root", "DIGEST")
        return [place[:2] for place in places]

    def cover(self, stream, first, to):
        return wire.read_hashes(
            self.ask("cover", mp.encode([stream, first, to]))[0])

    # -- publish --------------------------------------------------------

    def make(self, topic, content, form=messages.TEXT, references=(),
             lane=None, number=None):
        """(Header, body) of one message, under the next number."""
        if number is None:
            self.number += 1
            number = self.number
        body = messages.body(content, form, os.urandom(16))
        header = messages.Header(
            self.view.dialogue, self.who.name, self.who.id("sign"),
            self.view.newest.version, lane or self.lane, number, now(), topic,
            form, len(body), keys.blake2b(body), list(references))
        header.encode()
        return header, body

    def sign(self, made):
        """A Sent of [(Header, body)], all of one channel."""
        headers = [header for header, _ in made]
        return Sent(messages.sign_batch(self.who, self.view.dialogue,
                                        headers), headers,
                    [body for _, body in made])

    def publish(self, topic, content, form=messages.TEXT, references=()):
        """Publish one message; (sequence, leaf hash) as promised. A refusal
        is raised as Refused with its rule."""
        promise = self.send_batch(self.sign(
            [self.make(topic, content, form, references)]))
        for _, _, rule, values in promise.refused:
            raise Refused(str(values), rule)
        return promise.accepted[0][2:]

    def publish_many(self, topic_contents, form=messages.TEXT):
        """One batch of [(topic, content)]; the verified Promise."""
        return self.send_batch(self.sign(
            [self.make(topic, content, form)
             for topic, content in topic_contents]))

    def send_batch(self, sent):
        """Send a Sent, the same octets once more where no reply comes; the
        verified Promise."""
        try:
            frames = self.ask("publish", *sent.frames())
        except NoReply:
            frames = self.ask("publish", *sent.frames())
        return self.check_promise(sent, frames[0])

    def start_batch(self, sent):
        """Send a Sent without waiting; its request id."""
        if self.state != "ready":
            self.hello()
        return self.send("publish", *sent.frames())

    def finish_batch(self, sent, number):
        """The verified Promise that start_batch waits for."""
        return self.check_promise(sent, self._answer("publish", number)[0])

    def check_promise(self, sent, frame):
        promise = wire.read_promise(frame, sent.ids)
        key = next((k for k in self.view.newest.desk_keys(promise.log_time)
                    if keys.sign_key_id(k) == promise.desk_key), None)
        check(key is not None, "an unknown desk key", "BAD-SIGNATURE")
        promise.verify(key, self.view.dialogue)
        for place, (_, _, sequence, leaf) in enumerate(promise.accepted):
            self.view.promise(sequence, leaf)
            if self.highest is None or sequence > self.highest[9]:
                self.highest = promise.highest(place)
        return promise

    def hand_in(self, contribution):
        """Hand in what another delegation wrote; the verified Promise."""
        batch, pairs = messages.read_contribution(contribution)
        headers = [messages.read_header(h) for h, _ in pairs]
        messages.check_batch(self.view.dialogue, batch, headers)
        root = tree.root([h for h, _ in pairs])
        batch.via = messages.sign_via(self.who, self.view.dialogue, batch,
                                      root)
        return self.send_batch(Sent(batch, headers, [b for _, b in pairs]))

    # -- fetch ----------------------------------------------------------

    def fetch(self, stream, first=1, last=None, octets=wire.FETCH_OCTETS):
        """[(number, Place)] of what may be read of a stream, verified;
        asks until `last`, or until nothing more is there."""
        out = []
        while last is None or first <= last:
            _, items = self.fetch_once(stream, first, last, octets)
            if not items:
                break
            for low, high, places in items:
                out += places or []
                first = high + 1
        return out

    def fetch_once(self, stream, first, last=None, octets=wire.FETCH_OCTETS):
        """(last number of the stream, [(low, high, places or None)])."""
        end, items = wire.read_fetch_reply(
            self.ask("fetch", wire.fetch(stream, first, last, octets)),
            stream, first)
        out = []
        for low, high, block in items:
            places = None
            if block is not None:
                places = self.read_block(block, stream, low)
                check(len(places) == high - low + 1,
                      "an item of another length")
            out.append((low, high, places))
        return end, out

    def read_block(self, octets, stream, first):
        """A block checked; where it is under a roster that this client
        lacks, that one is fetched (NOT-FOUND ends it)."""
        while True:
            try:
                return self.view.read_block(octets, stream, first,
                                            self.who.name)
            except Refused as refused:
                if refused.rule != "ROSTER-AHEAD":
                    raise
            self.roster(self.view.newest.version + 1)

    def follow(self, streams=None, seconds=None):
        """(stream, number, Place) of all that comes, from number 1 on or
        from what streams ({name: first number}) says."""
        from .follow import Follower
        return Follower(self, streams).records(seconds)
