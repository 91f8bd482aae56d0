"""Requests and replies of the desk (sections 8.1 to 8.6, 8.11, 8.12)."""

from dataclasses import dataclass

from . import canonical as mp
from . import keys, ledger, marks, names
from .errors import Refused, check

REPLY, ERROR = 128, 255
TYPES = {"hello": 1, "publish": 2, "fetch": 3, "streams": 4, "roster": 5,
         "refusals": 6, "status": 7, "leaves": 8, "erase": 9, "cosign": 10,
         "checkpoint": 11, "paths": 12, "handed": 13, "cover": 14}
# Frames behind frame 0; None: one, and one more a block item.
REQUEST_FRAMES = {1: 1, 2: 3, 3: 1, 4: 0, 5: 1, 6: 1, 7: 0, 8: 1, 9: 1,
                  10: 1, 11: 1, 12: 1, 13: 1, 14: 1}
REPLY_FRAMES = {1: 2, 2: 1, 3: None, 4: 1, 5: 2, 6: 1, 7: 1, 8: 2, 9: 1,
                10: 1, 11: 1, 12: 1, 13: 1, 14: 1}
NEWEST, SETTLED, OF_ROSTER = 0, 1, 2
FRAME_OCTETS, REQUEST_FRAMES_MAX = 1114112, 8
FRAME1_OCTETS, FRAME1_HELLO = 512, 131072
FETCH_OCTETS, LEAVES, ITEMS = 4194304, 8192, 4096
FEATURES, FEATURE_OCTETS, CHECKPOINT_OCTETS = 32, 32, 65536
COUNT_MAX = mp.INTEGER_MAX


class DeskError(Refused):
    """A reply of type 255: a rule, a text for a person, values."""

    def __init__(self, rule, text, values):
        super().__init__(f"{rule}: {text} {values}", rule)
        self.text, self.values = text, values


def request(kind, number, run, *frames):
    return [mp.encode(["parley", 1, TYPES[kind], number, run]), *frames]


def reply(kind, number, run, *frames):
    return [mp.encode(["parley", 1, TYPES[kind] + REPLY, number, run]),
            *frames]


def error(number, run, rule, text, values):
    return [mp.encode(["parley", 1, ERROR, number, run]),
            mp.encode([rule, text, values])]


def _frame0(octets):
    v = mp.decode(octets)
    check(isinstance(v, list) and len(v) >= 4 and v[0] == "parley",
          "frame 0 is none of Parley's")
    mp.integer(v[2], 0, 255, "type")
    mp.integer(v[3], 0, COUNT_MAX, "request id")
    version = mp.integer(v[1], 1, COUNT_MAX, "version")
    check(version == 1, f"version {version}", "VERSION")
    mp.array(v, 5, "frame 0")
    if v[4] is not None:
        mp.octets(v[4], 16, "run id")
    return v[2], v[3], v[4]


def read_request(frames):
    """(type, request id, run id or None, the frames behind)."""
    check(all(len(f) <= FRAME_OCTETS for f in frames), "frame", "LIMIT")
    kind, number, run = _frame0(frames[0])
    check(len(frames) - 1 <= REQUEST_FRAMES_MAX, "frames", "LIMIT")
    check(REQUEST_FRAMES.get(kind) == len(frames) - 1,
          f"type {kind} with {len(frames)} frames", "UNKNOWN-REQUEST")
    if REQUEST_FRAMES[kind] == 1:
        limit = FRAME1_HELLO if kind == 1 else FRAME1_OCTETS
        check(kind == 9 or len(frames[1]) <= limit, "frame 1", "LIMIT")
    return kind, number, run, frames[1:]


def read_reply(frames):
    """(type of the request, request id, run id, the frames behind).
    Raises DeskError for a reply of type 255."""
    kind, number, run = _frame0(frames[0])
    check(run is not None, "a reply without run id")
    if kind == ERROR:
        check(len(frames) == 2, "an error has two frames")
        raise read_error(frames[1])
    kind -= REPLY
    check(kind in REPLY_FRAMES, f"reply type {kind + REPLY}")
    want = REPLY_FRAMES[kind]
    check(len(frames) - 1 == want or want is None and len(frames) > 1,
          f"a reply of {len(frames)} frames")
    return kind, number, run, frames[1:]


def reply_number(frames):
    return _frame0(frames[0])[1]


def read_error(octets):
    v = mp.array(mp.decode(octets), 3, "error")
    return DeskError(mp.text(v[0], "rule", 32), mp.text(v[1], "text", 512),
                     ledger.read_values(v[2]))


# -- hello --------------------------------------------------------------


def hello(nonce, time, version, digest, lanes, highest=None,
          checkpoint=None, program="parley-test"):
    return mp.encode([[1, 1], [], program, nonce, time, version, digest,
                      [list(one) for one in lanes], highest, checkpoint])


@dataclass
class HelloReply:
    dialogue: bytes
    nonce: bytes
    run: bytes
    delegation: str
    versions: list
    features: list
    epoch: int
    roster_version: int
    roster_digest: bytes
    roster_sequence: int
    size: int
    log_time: int
    time: int
    state: list
    generation: int
    lanes: list

    def encode(self):
        return mp.encode(list(vars(self).values()))


def hello_signature(desk, frame1):
    return mp.encode([desk.id("desk"), desk.sign("desk", "hello", frame1)])


def read_hello_reply(frame1, frame2, desk_keys):
    """The HelloReply, once one of the roster's desk keys signed it."""
    v = mp.array(mp.decode(frame2), 2, "hello's signature")
    id_, signature = mp.octets(v[0], 8, "key id"), mp.octets(v[1], 64, "sig")
    octets = keys.label("hello") + frame1
    check(any(keys.sign_key_id(k) == id_
              and keys.verifies(k, signature, octets) for k in desk_keys),
          "hello's signature", "BAD-SIGNATURE")
    r = HelloReply(*mp.array(mp.decode(frame1), 16, "hello's reply"))
    for what, n in (("dialogue", 32), ("nonce", 32), ("run", 16),
                    ("roster_digest", 32)):
        mp.octets(getattr(r, what), n, what)
    for what in ("epoch", "roster_version", "roster_sequence", "size",
                 "log_time", "time", "generation"):
        mp.integer(getattr(r, what), 0, COUNT_MAX, what)
    check(names.is_delegation(r.delegation), "delegation")
    _range(r.versions)
    check(isinstance(r.features, list), "features")
    check(r.state == [0] or (isinstance(r.state, list) and len(r.state) == 2
                             and r.state[0] == 1
                             and isinstance(r.state[1], str)), "state")
    check(isinstance(r.lanes, list), "lanes")
    for one in r.lanes:
        lane, number = mp.array(one, 2, "lane")
        mp.octets(lane, 8, "lane")
        mp.integer(number, 0, COUNT_MAX, "number")
    return r


def _range(versions):
    low, high = mp.array(versions, 2, "versions")
    mp.integer(low, 1, COUNT_MAX, "lowest")
    mp.integer(high, low, COUNT_MAX, "highest")


def read_hello(octets):
    """The ten elements of a hello, checked."""
    v = mp.array(mp.decode(octets), 10, "hello")
    _range(v[0])
    check(isinstance(v[1], list) and len(v[1]) <= FEATURES, "features")
    for one in v[1]:
        check(mp.text(one, "feature", FEATURE_OCTETS), "empty feature")
    mp.text(v[2], "program", 64)
    mp.octets(v[3], 32, "nonce")
    mp.time(v[4], "time")
    mp.integer(v[5], 1, COUNT_MAX, "roster version")
    mp.octets(v[6], 32, "roster digest")
    check(isinstance(v[7], list) and len(v[7]) <= 64, "lanes")
    for one in v[7]:
        mp.octets(mp.array(one, 2, "lane")[0], 8, "lane")
        mp.integer(one[1], 0, COUNT_MAX, "highest signed")
    if v[8] is not None:
        mp.array(v[8], 13, "highest promise")
    if v[9] is not None:
        mp.octets(v[9], None, "checkpoint")
        check(1 <= len(v[9]) <= CHECKPOINT_OCTETS, "checkpoint")
    return v


# -- the others ---------------------------------------------------------


@dataclass
class Stream:
    name: str
    tag: bytes
    key: bytes
    last: int
    next_from: int


def streams_reply(generation, streams):
    return mp.encode([generation, [list(vars(s).values()) for s in streams]])


def read_streams(octets):
    """(generation, {name: Stream})."""
    v = mp.array(mp.decode(octets), 2, "streams")
    mp.integer(v[0], 1, COUNT_MAX, "generation")
    check(isinstance(v[1], list), "streams")
    out = {}
    for one in v[1]:
        s = Stream(*mp.array(one, 5, "stream"))
        check(names.is_stream(s.name) and s.name not in out, "stream's name")
        mp.octets(s.tag, 16, "tag")
        mp.octets(s.key, 32, "key")
        mp.integer(s.last, 0, COUNT_MAX, "last number")
        mp.integer(s.next_from, 1, COUNT_MAX, "next-from")
        out[s.name] = s
    return v[0], out


def promise_reply(p):
    return mp.encode([
        p.epoch, p.log_time, p.desk_key,
        [[a[0], a[2], a[3]] for a in p.accepted],
        [list(r) for r in p.refused], p.signature])


def read_promise(octets, ids):
    """A Promise (not yet verified) for messages with these ids."""
    v = mp.array(mp.decode(octets), 6, "promise")
    check(isinstance(v[3], list) and isinstance(v[4], list), "promise")
    accepted, refused, last = [], [], -1
    for one in v[3]:
        index, sequence, leaf = mp.array(one, 3, "accepted")
        mp.integer(index, last + 1, len(ids) - 1, "index")
        accepted.append((index, ids[index],
                         mp.integer(sequence, 0, COUNT_MAX, "sequence"),
                         mp.octets(leaf, 32, "leaf hash")))
        last = index
    last = -1
    for one in v[4]:
        index, id_, rule, values = mp.array(one, 4, "refused")
        mp.octets(id_, 32, "id")
        if index is not None:
            mp.integer(index, last + 1, len(ids) - 1, "index")
            check(ids[index] == id_, "a refusal of another message")
            last = index
        else:
            check(len(v[4]) == 1 and not accepted, "refused as one, and more")
        refused.append((index, id_, mp.text(rule, "rule", 32),
                        ledger.read_values(values)))
    answered = [a[0] for a in accepted] + [r[0] for r in refused]
    check(answered == [None] or sorted(answered) == list(range(len(ids))),
          "not one answer a message")
    return ledger.Promise(
        mp.integer(v[0], 1, COUNT_MAX, "epoch"),
        mp.octets(v[2], 8, "desk key id"), mp.time(v[1], "log time"),
        accepted, refused, mp.octets(v[5], 64, "signature"))


def fetch(stream, first, last=None, octets=FETCH_OCTETS):
    return mp.encode([stream, first, last, octets])


def read_fetch(octets):
    v = mp.array(mp.decode(octets), 4, "fetch")
    mp.text(v[0], "stream", names.LEVEL_OCTETS)
    mp.integer(v[1], 1, COUNT_MAX, "first")
    if v[2] is not None:
        mp.integer(v[2], v[1], COUNT_MAX, "last")
    mp.integer(v[3], 0, COUNT_MAX, "octets wanted")
    return v


def fetch_reply(stream, last, items):
    """items: [(first, last, block's octets or None)]."""
    head = [[1 if b is None else 0, first, end] for first, end, b in items]
    return [mp.encode([stream, last, head]),
            *[b for _, _, b in items if b is not None]]


def read_fetch_reply(frames, stream, first):
    """(last number, [(first, last, block's octets or None)])."""
    v = mp.array(mp.decode(frames[0]), 3, "fetch reply")
    check(v[0] == stream, "a reply about another stream")
    mp.integer(v[1], 0, COUNT_MAX, "last number")
    check(isinstance(v[2], list) and len(v[2]) <= ITEMS, "items")
    items, rest = [], list(frames[1:])
    for one in v[2]:
        kind, low, high = mp.array(one, 3, "item")
        mp.integer(kind, 0, 1, "item's kind")
        check(low == first, "items are not consecutive")
        mp.integer(high, low, v[1], "item's last number")
        check(kind == 1 or rest, "an item without its block")
        items.append((low, high, rest.pop(0) if kind == 0 else None))
        first = high + 1
    check(not rest, "a block without its item")
    return v[1], items


def read_refusals(octets):
    """[[number, log time, author, id, rule, values, Promise]]: a list that
    this delegation's refused messages stand in."""
    out = mp.decode(octets)
    check(isinstance(out, list), "refusals")
    for one in out:
        mp.array(one, 7, "refusal")
        read_values = ledger.read_values(one[5])
        p = mp.array(one[6], 7, "refusal's promise")
        check(any(r[1:] == [one[3], one[4], read_values] for r in p[5]),
              "its promise does not hold it")
    return out


def refusal_verifies(entry, key, dialogue):
    """Is one entry of a refusals' reply signed by this desk key?"""
    epoch, log_time, desk_key, n, accepted, refused, signature = entry[6]
    root = ledger.Promise(0, b"", 0, [], [tuple(r) for r in refused])
    octets = ledger.promise_octets(dialogue, epoch, desk_key, log_time, n,
                                   accepted, len(refused),
                                   root.refused_root())
    return keys.verifies(key, signature, keys.label("promise") + octets)


def read_leaves(frame1, frame2):
    """(first sequence, [leaf hash])."""
    first = mp.integer(mp.array(mp.decode(frame1), 1, "leaves")[0], 0,
                       COUNT_MAX, "from")
    check(len(frame2) % 32 == 0 and len(frame2) <= 32 * LEAVES, "hashes")
    return first, [frame2[i:i + 32] for i in range(0, len(frame2), 32)]


# -- checkpoints and marks ----------------------------------------------


def cosign_reply(settled):
    return mp.encode([settled])


def read_cosign_reply(octets):
    """The size of the newest settled checkpoint, or None."""
    v = mp.array(mp.decode(octets), 1, "cosign's reply")
    if v[0] is not None:
        mp.integer(v[0], 0, COUNT_MAX, "settled size")
    return v[0]


def read_checkpoint_request(octets):
    """(which, roster version or None)."""
    which, version = mp.array(mp.decode(octets), 2, "checkpoint")
    mp.integer(which, NEWEST, OF_ROSTER, "which")
    check((version is None) == (which != OF_ROSTER), "which, and a version")
    if version is not None:
        mp.integer(version, 1, COUNT_MAX, "version")
    return which, version


def read_numbers(octets, n, what):
    """The whole numbers that a request consists of."""
    v = mp.array(mp.decode(octets), n, what)
    return [mp.integer(one, 0, COUNT_MAX, what) for one in v]


def paths_reply(mark, claims):
    return mp.encode([mark, [one.value() for one in claims]])


def read_paths_reply(octets):
    """(mark's sequence, [Claim])."""
    v = mp.array(mp.decode(octets), 2, "paths")
    mp.integer(v[0], 0, COUNT_MAX, "mark")
    check(isinstance(v[1], list), "claims")
    out = [marks.read_claim(one) for one in v[1]]
    indexes = [one.index for one in out]
    check(indexes == sorted(set(indexes)), "claims do not ascend")
    return v[0], out


def handed_reply(mark, places):
    return mp.encode([mark, [[claim.value(), number, path]
                             for claim, number, path in places]])


def read_handed_reply(octets):
    """(mark's sequence, [(Claim, number, path)])."""
    v = mp.array(mp.decode(octets), 2, "handed")
    mp.integer(v[0], 0, COUNT_MAX, "mark")
    check(isinstance(v[1], list), "places")
    out = []
    for one in v[1]:
        claim, number, path = mp.array(one, 3, "place")
        out.append((marks.read_claim(claim),
                    mp.integer(number, 1, COUNT_MAX, "number"),
                    marks.read_path(path)))
    return v[0], out


def read_cover_request(octets):
    """(stream, from, to)."""
    v = mp.array(mp.decode(octets), 3, "cover")
    mp.text(v[0], "stream", names.LEVEL_OCTETS)
    mp.integer(v[1], 0, COUNT_MAX, "from")
    mp.integer(v[2], v[1] + 1, COUNT_MAX, "to")
    return v


def read_hashes(octets):
    check(len(octets) % 32 == 0, "hashes")
    return [octets[i:i + 32] for i in range(0, len(octets), 32)]
