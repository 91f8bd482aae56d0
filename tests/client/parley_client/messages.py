"""Headers, bodies, batches, via and written contributions (section 6)."""

import struct
from dataclasses import dataclass, field

from . import canonical as mp
from . import keys, names, tree
from .errors import NewerVersion, Refused, check

HEADER_OCTETS, REFERENCES = 6144, 64
SALT_OCTETS, BODY_MIN, BODY_MAX = 16, 17, 262144
BATCH_MESSAGES, BATCH_OCTETS = 256, 1048576
HEAD_OCTETS, CONTRIBUTION_OCTETS = 512, 1052672
MAP, TEXT, OCTETS, NOTE = 1, 2, 3, 4


@dataclass
class Header:
    dialogue: bytes
    author: str
    key_id: bytes
    roster_version: int
    lane: bytes
    number: int
    time: int
    topic: str
    body_format: int
    body_length: int
    body_digest: bytes
    references: list = field(default_factory=list)
    sealing: bytes = None
    extension: dict = field(default_factory=mp.Ext)
    octets: bytes = None  # as they travelled, or as encode() made them
    newer: Refused = None  # why this program is too old to understand it

    @property
    def id(self):
        return tree.leaf(self.octets)

    @property
    def channel(self):
        return self.topic.split("/")[0]

    def prefix(self):
        return [1, self.dialogue, self.author, self.key_id,
                self.roster_version, self.lane, self.number, self.time,
                self.topic, list(self.references), self.body_format,
                self.sealing, mp.Ext(self.extension)]

    def encode(self):
        self.octets = mp.encode(
            [self.prefix(), self.body_length, self.body_digest])
        return self.octets


def read_header(octets, lenient=False):
    """A Header, each element within its type and bounds. The signature,
    the rights and the body are not looked at. lenient: one that is sealed
    or has an even extension key comes back, with `newer` set."""
    check(len(octets) <= HEADER_OCTETS, "header above 6,144", "LIMIT")
    outer = mp.decode(octets, ext_at=(0, 12))
    check(isinstance(outer, list) and outer and isinstance(outer[0], list)
          and outer[0], "header and prefix are no arrays")
    form = mp.integer(outer[0][0], 1, mp.INTEGER_MAX, "format")
    if form > 1:
        raise NewerVersion(f"header of format {form}")
    mp.array(outer, 3, "header")
    p = mp.array(outer[0], 13, "prefix")
    references = p[9]
    check(isinstance(references, list), "references are no array")
    check(len(references) <= REFERENCES, "references above 64", "LIMIT")
    for one in references:
        mp.octets(one, 32, "reference")
    check(len(set(references)) == len(references), "two references equal")
    check(names.is_delegation(p[2]), "author is no delegation")
    if p[11] is not None:
        mp.octets(p[11], 32, "sealing key id")
    check(isinstance(p[12], mp.Ext), "extension map is no map")
    length = mp.integer(outer[1], BODY_MIN, mp.INTEGER_MAX, "body length")
    check(length <= BODY_MAX, f"body of {length}", "LIMIT")
    header = Header(
        dialogue=mp.octets(p[1], 32, "dialogue id"), author=p[2],
        key_id=mp.octets(p[3], 8, "sign key id"),
        roster_version=mp.integer(p[4], 1, mp.INTEGER_MAX, "roster version"),
        lane=mp.octets(p[5], 8, "lane"),
        number=mp.integer(p[6], 1, mp.INTEGER_MAX, "number"),
        time=mp.time(p[7], "author time"), topic=p[8], references=references,
        body_format=mp.integer(p[10], 1, 4, "body format"), sealing=p[11],
        extension=p[12], body_length=length,
        body_digest=mp.octets(outer[2], 32, "body digest"),
        octets=bytes(octets))
    names.check_topic(header.topic)
    even = mp.even_key(header.extension)
    if even is not None:
        header.newer = Refused(f"extension key {even}", "EXTENSION")
    elif header.sealing is not None:
        header.newer = Refused("sealed", "SEALING")
    if header.newer and not lenient:
        raise header.newer
    return header


# -- bodies -------------------------------------------------------------


def body(content, body_format, salt):
    """Salt and content. content: a dict, a str, octets, a note's str."""
    if body_format == MAP:
        check(type(content) is dict, "content is no map")
        content = mp.encode(content)
    elif body_format in (TEXT, NOTE):
        content = content.encode("utf-8")
    octets = salt + content
    check(len(salt) == SALT_OCTETS, "salt has 16 octets")
    check(BODY_MIN <= len(octets) <= BODY_MAX, f"body of {len(octets)}",
          "LIMIT")
    return octets


def read_body(octets, body_format):
    """The content of a body, read as its format says."""
    check(BODY_MIN <= len(octets) <= BODY_MAX, f"body of {len(octets)}",
          "LIMIT")
    content = bytes(octets[SALT_OCTETS:])
    if body_format == MAP:
        value = mp.decode(content)
        check(isinstance(value, dict), "content is no map")
        return value
    if body_format in (TEXT, NOTE):
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            check(False, "content is not UTF-8")
    return content


def check_body(header, octets):
    check(header.body_length == len(octets),
          f"{header.body_length} stated, {len(octets)} found", "BODY-LENGTH")
    check(header.body_digest == keys.blake2b(octets), "body digest differs",
          "BODY-DIGEST")


# -- batches ------------------------------------------------------------


@dataclass
class Batch:
    author: str
    channel: str
    size: int
    key_id: bytes
    signature: bytes
    via: list = None  # [submitter, key id, signature]

    def head(self):
        return mp.encode([self.author, self.channel, self.size, self.key_id,
                          self.signature, self.via])


def batch_octets(dialogue, author, channel, size, root):
    """What the author signs, behind label `batch`."""
    return mp.encode([dialogue, author, channel, size, root])


def via_octets(dialogue, submitter, author, channel, size, root):
    """What the submitter signs, behind label `via`."""
    return mp.encode([dialogue, submitter, author, channel, size, root])


def batch_verifies(key, dialogue, batch, root):
    octets = batch_octets(dialogue, batch.author, batch.channel, batch.size,
                          root)
    return keys.verifies(key, batch.signature, keys.label("batch") + octets)


def via_verifies(key, dialogue, batch, root):
    octets = via_octets(dialogue, batch.via[0], batch.author, batch.channel,
                        batch.size, root)
    return keys.verifies(key, batch.via[2], keys.label("via") + octets)


def sign_batch(author, dialogue, headers):
    """The Batch of encoded headers of one author and channel."""
    first = headers[0]
    root = tree.root([h.octets for h in headers])
    octets = batch_octets(dialogue, first.author, first.channel, len(headers),
                          root)
    return Batch(first.author, first.channel, len(headers),
                 author.id("sign"), author.sign("sign", "batch", octets))


def sign_via(submitter, dialogue, batch, root):
    octets = via_octets(dialogue, submitter.name, batch.author, batch.channel,
                        batch.size, root)
    return [submitter.name, submitter.id("sign"),
            submitter.sign("sign", "via", octets)]


def read_via(value):
    if value is None:
        return None
    submitter, key, signature = mp.array(value, 3, "via")
    check(names.is_delegation(submitter), "submitter is no delegation")
    return [submitter, mp.octets(key, 8, "via key id"),
            mp.octets(signature, 64, "via signature")]


def read_head(octets):
    check(len(octets) <= HEAD_OCTETS, "batch head above 512", "LIMIT")
    head = mp.array(mp.decode(octets), 6, "batch head")
    check(names.is_delegation(head[0]), "author is no delegation")
    check(names.is_channel(mp.text(head[1], "channel")), "no channel")
    size = mp.integer(head[2], 1, mp.INTEGER_MAX, "batch size")
    check(size <= BATCH_MESSAGES, f"batch of {size}", "LIMIT")
    return Batch(head[0], head[1], size,
                 mp.octets(head[3], 8, "sign key id"),
                 mp.octets(head[4], 64, "batch signature"),
                 read_via(head[5]))


def join_headers(headers, bodies):
    """Frames 2 and 3 of a publish request (section 8.4)."""
    frame = b"".join(struct.pack(">II", len(h), len(b)) + h
                     for h, b in zip(headers, bodies))
    return frame, b"".join(bodies)


def cut_headers(size, headers, bodies):
    """[(header's octets, body's octets)] of frames 2 and 3. How long each
    may be is each message's own matter."""
    check(len(headers) - 8 * size + len(bodies) <= BATCH_OCTETS,
          "batch above 1,048,576", "LIMIT")
    out, at, body_at = [], 0, 0
    for _ in range(size):
        check(len(headers) - at >= 8, "headers end early")
        h, b = struct.unpack(">II", headers[at:at + 8])
        at += 8
        check(len(headers) - at >= h, "headers end early")
        check(len(bodies) - body_at >= b, "bodies end early")
        out.append((headers[at:at + h], bodies[body_at:body_at + b]))
        at, body_at = at + h, body_at + b
    check(at == len(headers), "octets follow the headers")
    check(body_at == len(bodies), "octets follow the bodies")
    return out


def check_batch(dialogue, batch, headers):
    """The faults of a whole batch that need no roster."""
    for i, one in enumerate(headers):
        check(one.dialogue == dialogue, f"message {i}", "WRONG-DIALOGUE")
        for what in ("author", "channel", "key_id"):
            check(getattr(one, what) == getattr(batch, what),
                  f"message {i} has another {what}", "MIXED-BATCH")


def unsendable_id(head, headers):
    """The id under which what cannot be cut is refused (section 7.3)."""
    return tree.leaf(head + headers)


# -- written contributions ----------------------------------------------


def contribution(batch, headers, bodies):
    check(batch.via is None, "a written contribution has no via")
    return mp.encode([1, batch.head(), *join_headers(headers, bodies)])


def read_contribution(octets):
    """(Batch, [(header, body)])."""
    check(len(octets) <= CONTRIBUTION_OCTETS, "contribution", "LIMIT")
    value = mp.decode(octets)
    check(isinstance(value, list) and value, "a contribution is an array")
    form = mp.integer(value[0], 1, mp.INTEGER_MAX, "format")
    if form > 1:
        raise NewerVersion(f"contribution of format {form}")
    mp.array(value, 4, "contribution")
    for one in value[1:]:
        mp.octets(one, None, "a part")
    batch = read_head(value[1])
    check(batch.via is None, "a written contribution has no via")
    return batch, cut_headers(batch.size, value[2], value[3])
