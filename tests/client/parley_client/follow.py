"""The feed as one agent hears it (sections 8.7 and 8.9): in number order,
each record once, and what is lacking is fetched."""

import time

import zmq

from . import feed
from .errors import Refused, check
from .session import curve_socket

SILENCE_S = 30


class Follower:
    """streams: {name: first number wanted}; None is all, from where this
    delegation may read all."""

    def __init__(self, session, streams=None, silence_s=SILENCE_S):
        self.session, self.silence_s = session, silence_s
        self.sub, self.frames, self.heard = None, {}, {}
        self.heads, self.passed = {}, 0
        self.listener = None  # listener(kind, content) of $log's others
        self.open()
        found = session.by_name
        if streams is None:
            streams = {name: s.next_from for name, s in found.items()}
        self.next = dict(streams)

    def open(self):
        """A new SUB with the tags of this run and generation. One SUB never
        reconnects: it would say the old tags again."""
        self.close()
        s = self.session
        s.streams()
        self.sub = curve_socket(s.context, zmq.SUB, s.who, s.link_key)
        self.sub.setsockopt(zmq.RECONNECT_IVL, -1)
        self.by_tag = {one.tag: one for one in s.by_name.values()}
        for tag in self.by_tag:
            self.sub.setsockopt(zmq.SUBSCRIBE, tag)
        self.sub.connect(s.feed_endpoint)
        self.frames, self.run = {}, s.run
        self.heard = dict.fromkeys(s.by_name, time.monotonic())

    def close(self):
        if self.sub is not None:
            self.sub.close()
        self.sub = None

    def records(self, seconds=None):
        """Yield (stream, number, Place); ends after so many seconds."""
        end = time.monotonic() + (seconds if seconds is not None else 1e9)
        try:
            for name in list(self.next):
                yield from self.fill(name)
            while time.monotonic() < end:
                left = min(1.0, end - time.monotonic())
                if self.sub.poll(max(0, int(left * 1000))):
                    yield from self.take(self.sub.recv_multipart())
                if self.session.run != self.run or self.is_silent():
                    yield from self.again()
        finally:
            self.close()

    def take(self, parts):
        """What one frame brings."""
        try:
            tag, run, generation, number = feed.read_clear(parts)
        except Refused:
            self.passed += 1
            return
        stream = self.by_tag.get(tag)
        if stream is None:
            self.passed += 1
            return
        if (run, generation) != (self.session.run, self.session.generation):
            yield from self.again()
            return
        try:
            frame = feed.open_frame(self.session.view.dialogue, stream.key,
                                    parts)
        except Refused:
            self.passed += 1
            return
        if number <= self.frames.get(tag, 0):  # somebody plays it again
            self.passed += 1
            return
        gap = number != self.frames.get(tag, number - 1) + 1
        self.frames[tag] = number
        self.heard[stream.name] = time.monotonic()
        if gap and stream.name in self.next:
            yield from self.fill(stream.name)
        yield from self.part(stream.name, frame.part)

    def part(self, name, part):
        kind = part[0]
        if kind == feed.BLOCK and name in self.next:
            first = int.from_bytes(part[1:9], "big")
            if first > self.next[name]:
                yield from self.fill(name, first - 1)
            places = self.session.read_block(part[9:], name, first)
            yield from self.deliver(name, places)
        elif kind == feed.HEAD:
            head = feed.read_part(part)[1]
            self.heads[name] = head
            if name in self.next and head.last >= self.next[name]:
                yield from self.fill(name, head.last)
            if head.next_generation is not None:
                yield from self.again()
        else:
            kind, content = feed.read_part(part)
            if self.listener and kind in feed.OF_LOG:
                self.listener(kind, content)

    def deliver(self, name, places):
        for number, place in places:
            if number == self.next[name]:
                self.next[name] += 1
                yield name, number, place

    def fill(self, name, last=None):
        """Fetch from the next number on; what may not be read is left
        out, with its numbers."""
        while last is None or self.next[name] <= last:
            _, items = self.session.fetch_once(name, self.next[name], last)
            if not items:
                return
            for _, high, places in items:
                yield from self.deliver(name, places or [])
                self.next[name] = high + 1

    def again(self):
        """Another run or generation: say hello, take the new tags, fill."""
        self.session.hello()
        self.open()
        for name in list(self.next):
            if name in self.session.by_name:
                yield from self.fill(name)
            else:
                del self.next[name]

    def is_silent(self):
        oldest = min(self.heard.values(), default=time.monotonic())
        return time.monotonic() - oldest > self.silence_s
