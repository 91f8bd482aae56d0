"""Records, promises and refusals (sections 7.1 and 7.3)."""

import struct
from dataclasses import dataclass, field

from . import canonical as mp
from . import keys, messages, names, tree
from .errors import NewerVersion, check

RECORD_OCTETS = 8192
MESSAGE, ROSTER, MARK, ERASURE = 0, 1, 2, 3
SEQUENCE_MAX = mp.INTEGER_MAX


@dataclass
class Record:
    type: int
    sequence: int
    log_time: int
    epoch: int
    roster: int  # sequence of the roster in force
    channel: str
    channel_sequence: int
    payload: bytes  # a message's header
    previous: int = None
    via: list = None
    size: int = None
    index: int = None
    signature: bytes = None
    extension: dict = field(default_factory=mp.Ext)
    format: int = 1
    octets: bytes = None
    newer: str = None  # why this program is too old for it
    foreign: bool = False  # and that for the record, not for its header

    @property
    def leaf(self):
        return tree.leaf(self.octets)

    def encode(self):
        self.octets = mp.encode(
            [self.format, self.type, self.sequence, self.log_time,
             self.epoch, self.roster, self.channel, self.channel_sequence,
             self.previous, self.via, self.payload, self.size, self.index,
             self.signature, mp.Ext(self.extension)])
        check(len(self.octets) <= RECORD_OCTETS, "record above 8,192",
              "LIMIT")
        return self.octets

    @property
    def known(self):
        """Does this program know what the record means?"""
        return self.newer is None

    @property
    def judged(self):
        """A message whose signature and rights this program can judge?"""
        if self.type != MESSAGE or self.foreign:
            return False
        try:
            self.header()
        except NewerVersion:
            return False
        return True

    def header(self):
        return messages.read_header(self.payload, lenient=True)

    def batch(self):
        """The Batch that this message record is of."""
        header = self.header()
        return messages.Batch(header.author, self.channel, self.size,
                              header.key_id, self.signature, self.via)


def _nil_or_int(value, low, high, what):
    return None if value is None else mp.integer(value, low, high, what)


def read_record(octets):
    """A Record. One that is newer than this program comes back with
    known == False. Of one that is `foreign` too, elements 0 to 8 are
    checked, and of an unknown type the form of all; nothing more."""
    check(1 <= len(octets) <= RECORD_OCTETS, "record above 8,192", "LIMIT")
    value = mp.decode(octets, ext_at=(14,))
    check(isinstance(value, list) and len(value) >= 9, "record is no array")
    form = mp.integer(value[0], 1, mp.INTEGER_MAX, "format")
    record = Record(
        format=form, type=mp.integer(value[1], 0, mp.INTEGER_MAX, "type"),
        sequence=mp.integer(value[2], 0, SEQUENCE_MAX, "sequence"),
        log_time=mp.time(value[3], "log time"),
        epoch=mp.integer(value[4], 1, SEQUENCE_MAX, "epoch"),
        roster=mp.integer(value[5], 0, value[2], "roster's sequence"),
        channel=mp.text(value[6], "channel", names.LEVEL_OCTETS),
        channel_sequence=mp.integer(value[7], 1, SEQUENCE_MAX,
                                    "channel sequence"),
        previous=_nil_or_int(value[8], 0, value[2] - 1, "previous"),
        payload=None, octets=bytes(octets))
    check(record.channel == names.LOG or names.is_channel(record.channel),
          "no channel")
    if form > 1:
        record.newer, record.foreign = f"record of format {form}", True
        return record
    mp.array(value, 15, "record")
    record.via = messages.read_via(value[9])
    record.payload = mp.octets(value[10], None, "payload")
    check(record.payload, "an empty payload")
    record.size = _nil_or_int(value[11], 1, 256, "batch size")
    record.index = _nil_or_int(value[12], 0, 255, "index")
    if value[13] is not None:
        record.signature = mp.octets(value[13], 64, "batch signature")
    check(isinstance(value[14], mp.Ext), "extension map is no map")
    record.extension = value[14]
    even = mp.even_key(record.extension)
    if record.type > ERASURE:
        record.newer, record.foreign = f"record of type {record.type}", True
        return record
    _check_kind(record)
    if even is not None:
        record.newer, record.foreign = f"extension key {even}", True
    elif record.type == MESSAGE:
        _check_header(record)
    else:
        _check_payload(record)
    return record


def _check_kind(record):
    """What the type of a record says of its other elements."""
    batch = (record.size, record.index, record.signature)
    on_log = record.channel == names.LOG
    check((record.roster == record.sequence) == (record.type == ROSTER),
          "a roster names itself, and nothing else does")
    check(on_log == (record.type in (ROSTER, MARK)),
          "rosters and marks stand on $log, and nothing else does")
    if record.type == MESSAGE:
        check(None not in batch, "a message without its batch")
        check(record.index < record.size, "index beyond the batch")
        return
    check(batch == (None, None, None) and record.previous is None
          and record.via is None, "a batch on what is no message")


def _check_header(record):
    try:
        header = record.header()
    except NewerVersion as newer:
        record.newer = str(newer)
        return
    check(header.channel == record.channel, "topic on another channel")
    check(record.via is None or record.via[0] != header.author,
          "a via by the author")
    if header.newer:
        record.newer = str(header.newer)


def _check_payload(record):
    {ROSTER: read_roster_payload, MARK: read_mark_payload,
     ERASURE: read_order_payload}[record.type](record.payload)


def roster_payload(version, digest, note):
    return mp.encode([version, digest, len(note), keys.blake2b(note)])


def read_roster_payload(octets):
    """(version, digest, note length, BLAKE2b-256 of the note)."""
    v = mp.array(mp.decode(octets), 4, "roster payload")
    return (mp.integer(v[0], 1, mp.TIME_MAX, "roster version"),
            mp.octets(v[1], 32, "roster digest"),
            mp.integer(v[2], 1, 1048576, "note length"),
            mp.octets(v[3], 32, "note's digest"))


def order_payload(digest, note):
    return mp.encode([digest, len(note), keys.blake2b(note)])


def read_order_payload(octets):
    v = mp.array(mp.decode(octets), 3, "erasure payload")
    return (mp.octets(v[0], 32, "order's digest"),
            mp.integer(v[1], 1, 65536, "order length"),
            mp.octets(v[2], 32, "order's BLAKE2b"))


def mark_payload(version, digest, streams=None):
    return mp.encode([version, digest, streams])


def read_mark_payload(octets):
    v = mp.array(mp.decode(octets), 3, "mark payload")
    if v[2] is not None:
        mp.octets(v[2], 32, "streams' root")
    return (mp.integer(v[0], 1, mp.TIME_MAX, "roster version"),
            mp.octets(v[1], 32, "roster digest"), v[2])


def stated_body(record):
    """(length, BLAKE2b-256) of the body that a known record states, or
    None where it has none."""
    if record.type == MESSAGE:
        header = record.header()
        return header.body_length, header.body_digest
    if record.type == ROSTER:
        return read_roster_payload(record.payload)[2:]
    if record.type == ERASURE:
        return read_order_payload(record.payload)[1:]
    return None


# -- promises -----------------------------------------------------------


@dataclass
class Promise:
    epoch: int
    desk_key: bytes  # key id, 8 octets
    log_time: int
    accepted: list  # [(index, id, sequence, leaf hash)]
    refused: list  # [(index or None, id, rule, values)]
    signature: bytes = None

    def accepted_root(self):
        return tree.root([accepted_entry(*a[1:]) for a in self.accepted])

    def refused_root(self):
        return tree.root([refused_entry(*r[1:]) for r in self.refused])

    def signed_octets(self, dialogue):
        return promise_octets(
            dialogue, self.epoch, self.desk_key, self.log_time,
            len(self.accepted), self.accepted_root(), len(self.refused),
            self.refused_root())

    def sign(self, desk, dialogue):
        self.signature = desk.sign("desk", "promise",
                                   self.signed_octets(dialogue))

    def verify(self, key, dialogue):
        octets = keys.label("promise") + self.signed_octets(dialogue)
        check(keys.sign_key_id(key) == self.desk_key, "another desk key",
              "BAD-SIGNATURE")
        check(keys.verifies(key, self.signature, octets),
              "the promise does not verify", "BAD-SIGNATURE")

    def highest(self, place):
        """The array of section 8.2 for one accepted entry, by its place
        among the accepted ones."""
        _, message, sequence, leaf_hash = self.accepted[place]
        leaves = [tree.leaf(accepted_entry(*a[1:])) for a in self.accepted]
        return [self.epoch, self.desk_key, self.log_time, len(self.accepted),
                self.accepted_root(), len(self.refused), self.refused_root(),
                self.signature, message, sequence, leaf_hash, place,
                tree.path(place, leaves)]


def promise_octets(dialogue, epoch, desk_key, log_time, n_accepted, accepted,
                   n_refused, refused):
    return mp.encode([dialogue, epoch, desk_key, log_time, n_accepted,
                      accepted, n_refused, refused])


def accepted_entry(message, sequence, leaf_hash):
    return message + struct.pack(">Q", sequence) + leaf_hash


def refused_entry(message, rule, values):
    return mp.encode([message, rule, values])


def read_values(values):
    """A refusal's values: strings and integers, 16 pairs, 1,024 octets."""
    check(type(values) is dict, "values are no map")
    check(len(values) <= 16 and len(mp.encode(values)) <= 1024,
          "values above the limit", "LIMIT")
    for value in values.values():
        if not isinstance(value, str):
            mp.integer(value, -mp.INTEGER_MAX, mp.INTEGER_MAX, "a value")
    return values


def check_highest(value, key, dialogue):
    """Verify the 13 elements of a highest promise (section 8.2)."""
    v = mp.array(value, 13, "highest promise")
    octets = promise_octets(dialogue, *v[:7])
    check(keys.verifies(key, v[7], keys.label("promise") + octets),
          "the promise does not verify", "BAD-SIGNATURE")
    entry = tree.leaf(accepted_entry(*v[8:11]))
    check(tree.root_from_path(entry, v[11], v[3], v[12]) == v[4],
          "the path leads to another root")
