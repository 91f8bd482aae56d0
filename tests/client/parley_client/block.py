"""Blocks: encoding, strict decoding, verification (section 7.2)."""

import struct
from dataclasses import dataclass

import xxhash

from . import keys, ledger, messages, tree
from .errors import check

MAGIC, FIXED, ENTRY = b"PLYB", 32, 32
BLOCK_OCTETS, BLOCK_OCTETS_ONE, RECORDS = 1048576, 1114112, 4096
NONE, PRESENT, ERASED, ABSENT = 0, 1, 2, 3
NO_BATCH = 0xFFFF


def xxh3(octets, seed=0):
    return xxhash.xxh3_64_intdigest(octets, seed)


@dataclass
class Place:
    """One record in a block. body: its octets where PRESENT; length: what
    the table says, also where it is erased or absent."""
    record: ledger.Record
    state: int
    body: bytes = None
    length: int = 0


@dataclass
class Run:
    """One batch in a block: which of its messages stand here, and what
    shows that they are of the batch."""
    kind: int
    places: list  # indexes into the block
    missing: list = None  # kind 1: ids, ascending by index
    paths: list = None  # kind 2: a path a record


@dataclass
class Block:
    places: list
    runs: list

    @property
    def first(self):
        return self.places[0].record.sequence

    @property
    def channel(self):
        return self.places[0].record.channel


def place(record, body=None, state=None):
    """The Place of a record, with its body or without."""
    stated = ledger.stated_body(record)
    if stated is None:
        return Place(record, NONE)
    if state is None:
        state = PRESENT
    return Place(record, state, body if state == PRESENT else None, stated[0])


def encode(places, batch_ids=None, kind=1):
    """A block of these places. batch_ids: for each batch of which a message
    is not here, its signature -> all its message ids in order. kind: how
    such a batch is shown, 1 or 2."""
    runs = [_make_run(places, run, batch_ids or {}, kind)
            for run in _runs(places)]
    of = {i: n for n, run in enumerate(runs) for i in run.places}
    table, content = b"", b""
    for i, one in enumerate(places):
        octets = _body_octets(one)
        table += struct.pack(
            ">IIBBHIQQ", len(one.record.octets), one.length, one.state, 0,
            of.get(i, NO_BATCH), 0, xxh3(one.record.octets),
            xxh3(octets) if one.state == PRESENT else 0)
        content += one.record.octets + octets
    batches = b"".join(_run_octets(run) for run in runs)
    size = FIXED + len(table) + len(batches) + len(content)
    head = MAGIC + struct.pack(">IHHHHQ", size, 1, len(places), len(runs), 0,
                               places[0].record.sequence)
    head += struct.pack(">Q", xxh3(head + table + batches))
    return head + table + batches + content


def _body_octets(one):
    if one.state == PRESENT:
        return one.body
    return bytes(one.length) if one.state == ERASED else b""


def _batch_key(record):
    """What a record says of its batch, also where its header is newer."""
    via = tuple(record.via) if record.via else None
    return record.channel, record.size, record.signature, via


def _runs(places):
    """The longest runs of neighbours of one batch, indexes ascending."""
    out, last = [], None
    for i, one in enumerate(places):
        if one.record.type != ledger.MESSAGE or one.record.foreign:
            last = None
            continue
        key, index = _batch_key(one.record), one.record.index
        if last and last[0] == key and last[1] < index:
            out[-1].append(i)
        else:
            out.append([i])
        last = (key, index)
    return out


def message_id(record):
    """In every format of a header it is its leaf hash."""
    return tree.leaf(record.payload)


def _make_run(places, run, batch_ids, kind):
    first = places[run[0]].record
    here = [places[i].record for i in run]
    if len(run) == first.size:
        return Run(0, run)
    ids = batch_ids[first.signature]
    assert all(ids[r.index] == message_id(r) for r in here)
    if kind == 2:
        return Run(2, run, paths=[tree.path(r.index, ids) for r in here])
    indexes = {r.index for r in here}
    missing = [one for i, one in enumerate(ids) if i not in indexes]
    return Run(1, run, missing=missing)


def _run_octets(run):
    octets = b"".join(run.missing or [])
    octets += b"".join(b"".join(p) for p in run.paths or [])
    return struct.pack(">HHI", run.kind, len(run.places), len(octets)) + octets


# -- decoding -----------------------------------------------------------


def decode(octets):
    """A Block, each octet accounted for. What needs keys is verify()'s."""
    check(len(octets) >= FIXED + ENTRY, "a block is cut")
    magic, size, form, n, m, zero, first, checksum = struct.unpack(
        ">4sIHHHHQQ", octets[:FIXED])
    check(magic == MAGIC and zero == 0, "no block")
    check(form == 1, f"block of format {form}", "NEWER-FORMAT")
    check(size == len(octets), f"{size} octets stated, {len(octets)} found")
    check(1 <= n <= RECORDS and m <= n, f"{n} records, {m} batches", "LIMIT")
    check(size <= (BLOCK_OCTETS_ONE if n == 1 else BLOCK_OCTETS),
          f"block of {size}", "LIMIT")
    entries = _table(octets, n)
    runs, at = _batches(octets, FIXED + n * ENTRY, m)
    check(xxh3(octets[:24] + octets[FIXED:at]) == checksum,
          "the block's checksum differs")
    places, at = _places(octets, at, entries)
    check(at == size, "octets follow the last body")
    _check_order(places, first)
    _check_runs(places, entries, runs)
    return Block(places, runs)


def _table(octets, n):
    check(len(octets) >= FIXED + n * ENTRY, "the table is cut")
    entries = []
    for i in range(n):
        at = FIXED + i * ENTRY
        length, body, state, z1, batch, z2, xr, xb = struct.unpack(
            ">IIBBHIQQ", octets[at:at + ENTRY])
        check(1 <= length <= ledger.RECORD_OCTETS, f"record of {length}",
              "LIMIT")
        check(state <= ABSENT and z1 == z2 == 0, "a table entry")
        check(state != NONE or body == 0, "no body, and a length")
        check(state == PRESENT or xb == 0, "a checksum of no body")
        entries.append((length, body, state, batch, xr, xb))
    return entries


def _batches(octets, at, m):
    runs, seen = [], 0
    for _ in range(m):
        check(len(octets) - at >= 8, "the batches are cut")
        kind, n, length = struct.unpack(">HHI", octets[at:at + 8])
        at += 8
        check(kind <= 2 and n >= 1 and length % 32 == 0, "a batch entry")
        check(kind or length == 0, "kind 0 with octets")
        check(len(octets) - at >= length, "the batches are cut")
        hashes = [octets[i:i + 32] for i in range(at, at + length, 32)]
        runs.append((kind, n, hashes))
        at, seen = at + length, seen + n
    return runs, at


def _places(octets, at, entries):
    places = []
    for length, body, state, _, xr, xb in entries:
        have = 0 if state in (NONE, ABSENT) else body
        check(len(octets) - at >= length + have, "the block is cut")
        record = octets[at:at + length]
        content = octets[at + length:at + length + have]
        at += length + have
        check(xxh3(record) == xr, "a record's checksum differs")
        check(state != PRESENT or xxh3(content) == xb,
              "a body's checksum differs")
        check(state != ERASED or not any(content), "an erased body is there")
        places.append(Place(ledger.read_record(record), state,
                            content if state == PRESENT else None, body))
    return places, at


def _check_order(places, first):
    head = places[0].record
    for i, one in enumerate(places):
        record = one.record
        check(record.sequence == first + i, "records are not consecutive")
        check(record.channel == head.channel, "two channels in one block")
        check(record.roster == head.roster, "two rosters in one block")
        check(record.epoch == head.epoch, "two epochs in one block")
        check(record.channel_sequence == head.channel_sequence + i,
              "channel sequences are not consecutive")
        check(i == 0 or places[i - 1].record.type != ledger.ROSTER
              or record.type == ledger.MARK, "no mark behind a roster")
        check(i == 0 or record.log_time >= places[i - 1].record.log_time,
              "log time decreases")
        if record.known or record.judged:
            _check_body(one)


def _check_body(one):
    stated = ledger.stated_body(one.record)
    if stated is None:
        check(one.state == NONE, "a body where none belongs")
        return
    check(one.state != NONE, "no body state where one belongs")
    check(one.length == stated[0], "another length than the record's",
          "BODY-LENGTH")
    check(one.state == PRESENT or one.record.type == ledger.MESSAGE
          or one.state == ABSENT, "only a message's body is erased")
    if one.state == PRESENT:
        check(keys.blake2b(one.body) == stated[1], "another digest than the "
              "record's", "BODY-DIGEST")


def _check_runs(places, entries, raw):
    """Each message is in one run, in order; fills in the runs' places."""
    at = 0
    for n, (kind, count, hashes) in enumerate(raw):
        while at < len(places) and entries[at][3] == NO_BATCH:
            at += 1
        run = list(range(at, at + count))
        check(at + count <= len(places)
              and all(entries[i][3] == n for i in run), "a batch's run")
        raw[n] = _run(places, run, kind, hashes)
        at += count
    check(all(e[3] == NO_BATCH for e in entries[at:]), "an index of no batch")
    for one, entry in zip(places, entries):
        if not one.record.foreign:
            check((one.record.type == ledger.MESSAGE)
                  == (entry[3] != NO_BATCH), "a message without a batch")


def _run(places, run, kind, hashes):
    here = [places[i].record for i in run]
    check(all(r.type == ledger.MESSAGE for r in here),
          "a batch of what is no message")
    if all(r.foreign for r in here):
        return Run(kind, run)  # kept, and checked by a newer program
    check(not any(r.foreign for r in here), "a newer form beside ours")
    headers = [r.header() for r in here if r.judged]
    check(len({_batch_key(r) for r in here}) == 1
          and len({(h.author, h.key_id) for h in headers}) <= 1,
          "two batches in one run")
    indexes = [r.index for r in here]
    check(all(a < b for a, b in zip(indexes, indexes[1:])),
          "indexes do not ascend")
    size = here[0].size
    if kind == 0:
        check(len(here) == size, "kind 0, and a message is missing")
        return Run(0, run)
    if kind == 1:
        check(len(hashes) == size - len(here), "kind 1: missing ids")
        return Run(1, run, missing=hashes)
    lengths = [tree.path_length(i, size) for i in indexes]
    check(sum(lengths) == len(hashes), "kind 2: paths")
    paths = []
    for n in lengths:
        paths.append(hashes[:n])
        hashes = hashes[n:]
    return Run(2, run, paths=paths)


# -- signatures ---------------------------------------------------------


def run_roots(block, run):
    """The batch root (kind 2: the root of each path; they must agree)."""
    here = [block.places[i].record for i in run.places]
    ids = [message_id(r) for r in here]
    if run.kind == 2:
        roots = {tree.root_from_path(one, r.index, r.size, p)
                 for one, r, p in zip(ids, here, run.paths)}
        check(len(roots) == 1, "paths lead to two roots")
        return roots.pop()
    all_ids = dict(zip((r.index for r in here), ids))
    missing = iter(run.missing or [])
    return tree.root_of_leaves([
        all_ids[i] if i in all_ids else next(missing)
        for i in range(here[0].size)])


def verify(block, dialogue, key_of):
    """Check each batch's signature, and its via's. key_of(delegation,
    key id, record) gives the sign key that is valid there, or Refused.
    Batches of which nothing can be judged are passed over."""
    for run in block.runs:
        here = [block.places[i].record for i in run.places]
        judged = [r for r in here if r.judged]
        if not judged:
            continue
        batch, root = judged[0].batch(), run_roots(block, run)
        for one in judged:
            check(one.header().dialogue == dialogue, "another dialogue",
                  "WRONG-DIALOGUE")
            key = key_of(batch.author, batch.key_id, one)
            if batch.via:
                via_key = key_of(batch.via[0], batch.via[1], one)
        check(messages.batch_verifies(key, dialogue, batch, root),
              f"batch at {here[0].sequence}", "BAD-SIGNATURE")
        if batch.via:
            check(messages.via_verifies(via_key, dialogue, batch, root),
                  f"via at {here[0].sequence}", "BAD-VIA")
