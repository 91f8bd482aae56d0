"""promises.json, wire.json, feed.json."""

import json

import world as w
from format_vectors import BLOCK_2_5, hs, typed
from identity_vectors import bad, good
from parley_client import canonical as mp
from parley_client import feed, keys, ledger, messages, wire


def _refusal(index, id_, rule, **values):
    return (index, id_, rule, values)


REFUSED = [
    _refusal(1, w.MESSAGES[1][0].id, "NOT-A-WRITER", author="EUROPOL/hq",
             channel="members"),
    _refusal(3, w.MESSAGES[3][0].id, "STALE-ROSTER", stated=1, in_force=2),
]
IDS = [m[0].id for m in w.MESSAGES]
UNCUT = messages.unsendable_id(w.BATCH.head(), b"\0\0\0\1")
PROMISES = {
    "four accepted": (IDS, w.promise([(0, 2), (1, 3), (2, 4), (3, 5)])),
    "one accepted": ([w.ONE[0].id], w.promise([(0, 6)])),
    "two accepted, two refused": (IDS, w.promise([(0, 2), (2, 4)], REFUSED)),
    "a batch refused, message by message": (
        IDS[:2], w.promise([], [
            _refusal(i, IDS[i], "BAD-SIGNATURE", author="EUROPOL/hq",
                     key=w.EUROPOL.id("sign").hex()) for i in (0, 1)])),
    "refused as one": ([], w.promise([], [
        _refusal(None, UNCUT, "MALFORMED", place="headers",
                 why="ends early")])),
}
NONCE = w.fixed("hello's nonce")


# -- promises -----------------------------------------------------------


def _entries(p):
    return {
        "accepted": [[i, id_.hex(), s, leaf.hex()]
                     for i, id_, s, leaf in p.accepted],
        "refused": [[i, id_.hex(), rule, typed(values)]
                    for i, id_, rule, values in p.refused]}


def _promise(name, ids, p):
    signed = p.signed_octets(w.DIALOGUE)
    return good(name, "promise", {
        "dialogue": w.DIALOGUE.hex(), "epoch": p.epoch,
        "log_time": p.log_time, "desk_key_id": p.desk_key.hex(),
        "desk_seed": w.BROKER.secret["desk"].hex(),
        "desk_key": w.BROKER.public["desk"].hex(), "ids": hs(ids),
        **_entries(p)}, {
        "accepted_entries": [ledger.accepted_entry(*a[1:]).hex()
                             for a in p.accepted],
        "refused_entries": [ledger.refused_entry(*r[1:]).hex()
                            for r in p.refused],
        "accepted_root": p.accepted_root().hex(),
        "refused_root": p.refused_root().hex(),
        "signed": (keys.label("promise") + signed).hex(),
        "signature": p.signature.hex(),
        "reply": wire.promise_reply(p).hex()})


def _highest(name, ids, p, place):
    value = p.highest(place)
    ledger.check_highest(value, w.BROKER.public["desk"], w.DIALOGUE)
    return good(f"{name}: highest promise, entry {place}", "highest",
                {"of": name, "place": place,
                 "desk_key": w.BROKER.public["desk"].hex()},
                {"hex": mp.encode(value).hex()})


def _refused_as_one():
    head, headers = w.BATCH.head(), b"\0\0\0\1"
    return good("the id of what cannot be cut", "uncut",
                {"head": head.hex(), "headers": headers.hex()},
                {"id": messages.unsendable_id(head, headers).hex()})


def _hello_signature():
    frame1 = _hello_reply().encode()
    return good("hello's signature", "hello-signature",
                {"frame1": frame1.hex(),
                 "desk_seed": w.BROKER.secret["desk"].hex(),
                 "desk_key": w.BROKER.public["desk"].hex()},
                {"signed": (keys.label("hello") + frame1).hex(),
                 "frame2": wire.hello_signature(w.BROKER, frame1).hex()})


def promises_vectors():
    out = [_promise(name, *made) for name, made in PROMISES.items()]
    four = PROMISES["four accepted"]
    mixed = PROMISES["two accepted, two refused"]
    out += [_highest("four accepted", *four, 2),
            _highest("two accepted, two refused", *mixed, 1),
            _highest("one accepted", *PROMISES["one accepted"], 0),
            _refused_as_one(), _hello_signature()]
    return out + _bad_promises(*mixed)


def _bad_promises(ids, p):
    reply = mp.decode(wire.promise_reply(p))

    def one(name, error, change, rule="MALFORMED"):
        value = json.loads(json.dumps(typed(reply)))
        value = _untyped(value)
        change(value)
        return bad(f"promise: {name}", "promise", mp.encode(value), error,
                   rule=rule, ids=hs(ids),
                   desk_key=w.BROKER.public["desk"].hex())

    def put(*path_and_value):
        *path, last, value = path_and_value

        def change(v):
            for step in path:
                v = v[step]
            v[last] = value
        return change

    bad_signature = "the desk's signature does not verify"
    return [
        one("another sequence", bad_signature, put(3, 0, 1, 3),
            "BAD-SIGNATURE"),
        one("another leaf", bad_signature, put(3, 0, 2, bytes(32)),
            "BAD-SIGNATURE"),
        one("another rule", bad_signature, put(4, 0, 2, "TOPIC"),
            "BAD-SIGNATURE"),
        one("other values", bad_signature, put(4, 0, 3, "author", "X"),
            "BAD-SIGNATURE"),
        one("another log time", bad_signature, put(1, w.T0),
            "BAD-SIGNATURE"),
        one("another epoch", bad_signature, put(0, 2), "BAD-SIGNATURE"),
        one("another desk key", bad_signature, put(2, bytes(8)),
            "BAD-SIGNATURE"),
        one("one answer lacks", "one answer a message",
            lambda v: v[3].pop()),
        one("two answers to a message", "one answer a message",
            put(4, 0, 0, 2)),
        one("indexes descend", "in order of index", put(3, 0, 0, 2)),
        one("index beyond the batch", "below its size", put(3, 1, 0, 4)),
        one("an id that was not sent", "the id of its index",
            put(4, 0, 1, bytes(32))),
        one("a value is bin", "strings and integers",
            put(4, 0, 3, "author", b"x")),
        one("a value of 2^53", "to 2^53-1", put(4, 0, 3, "author", 2**53)),
        one("a sequence of 2^53", "to 2^53-1", put(3, 0, 1, 2**53)),
        one("17 values", "16 pairs",
            put(4, 0, 3, {f"{i:02d}": i for i in range(17)}), "LIMIT"),
        one("values above 1,024 octets", "1,024 octets",
            put(4, 0, 3, {"why": "x" * 1024}), "LIMIT"),
        one("signature of 63", "bin 64", put(5, bytes(63))),
    ]


def _untyped(value):
    if isinstance(value, dict):
        if "bin" in value:
            return bytes.fromhex(value["bin"])
        return {k: _untyped(v) for k, v in value["map"]}
    return [_untyped(v) for v in value] if isinstance(value, list) else value


# -- wire ---------------------------------------------------------------


def _hello_reply():
    return wire.HelloReply(
        w.DIALOGUE, NONCE, w.RUN, "EUROPOL/hq", [1, 1], [], 1, 1,
        w.ROSTER1.digest, 0, 9, w.RECORDS[8].log_time, w.T0 + 5000, [0],
        w.GENERATION, [[w.fixed("lane EUROPOL/hq", 8), 5],
                       [w.fixed("another lane", 8), 0]])


def _streams():
    return [wire.Stream(name, w.fixed(f"tag {name}", 16),
                        w.fixed(f"key {name}"), last, first)
            for name, last, first in (("$log", 2, 1), ("dialogue", 0, 1),
                                      ("members", 6, 1), ("@EUROPOL", 1, 1))]


def _request(name, kind, fields, *frames, run=w.RUN, number=7):
    made = wire.request(kind, number, run, *frames)
    wire.read_request(made)
    return good(f"request: {name}", "request",
                {"type": wire.TYPES[kind], "request": number,
                 "run": run and run.hex(), **fields}, {"frames": hs(made)})


def _reply(name, kind, fields, *frames, number=7):
    made = wire.reply(kind, number, w.RUN, *frames)
    wire.read_reply(made)
    return good(f"reply: {name}", "reply",
                {"type": wire.TYPES[kind], "request": number,
                 "run": w.RUN.hex(), **fields}, {"frames": hs(made)})


def _publish_frames(batch, pairs):
    return [batch.head(), *messages.join_headers(
        [p[0].octets for p in pairs], [p[1] for p in pairs])]


def _refusals_entry(p):
    signed = [p.epoch, p.log_time, p.desk_key, len(p.accepted),
              p.accepted_root(), [list(r) for r in p.refused], p.signature]
    _, id_, rule, values = p.refused[0]
    return [1, p.log_time, "EUROPOL/hq", id_, rule, values, signed]


def _requests():
    lanes = [[w.fixed("lane EUROPOL/hq", 8), 5]]
    highest = PROMISES["two accepted, two refused"][1].highest(1)
    hello = wire.hello(NONCE, w.T0, 1, w.ROSTER1.digest, lanes)
    shown = wire.hello(NONCE, w.T0, 1, w.ROSTER1.digest, [], highest,
                       b"a checkpoint's note")
    fields = {"versions": [1, 1], "features": [], "program": "parley-test",
              "nonce": NONCE.hex(), "time": w.T0, "roster_version": 1,
              "roster_digest": w.ROSTER1.digest.hex()}
    return [
        _request("hello", "hello",
                 dict(fields, lanes=[[lanes[0][0].hex(), 5]],
                      highest=None, checkpoint=None), hello, run=None),
        _request("hello with a promise", "hello",
                 dict(fields, lanes=[], highest=mp.encode(highest).hex(),
                      checkpoint=b"a checkpoint's note".hex()), shown,
                 run=None, number=2**53 - 1),
        _request("publish one", "publish", {},
                 *_publish_frames(w.ONE_BATCH, [w.ONE])),
        _request("publish, handed in", "publish", {},
                 *_publish_frames(w.HANDED_VIA, [w.HANDED])),
        _request("fetch to the end", "fetch",
                 {"stream": "members", "first": 3, "last": None,
                  "octets": 65536}, wire.fetch("members", 3, None, 65536)),
        _request("fetch a range", "fetch",
                 {"stream": "@EUROPOL", "first": 1, "last": 9, "octets": 0},
                 wire.fetch("@EUROPOL", 1, 9, 0)),
        _request("streams", "streams", {}),
        _request("roster in force", "roster", {"version": None},
                 mp.encode([None])),
        _request("roster 1", "roster", {"version": 1}, mp.encode([1])),
        _request("refusals", "refusals", {"from": 1, "most": 256},
                 mp.encode([1, 256])),
        _request("status", "status", {}),
        _request("leaves", "leaves", {"from": 2, "count": 4},
                 mp.encode([2, 4])),
    ]


def _replies():
    hello = _hello_reply().encode()
    closed = _hello_reply()
    closed.state = [1, "LEDGER-BEHIND"]
    closed = closed.encode()
    streams = [dict(vars(s), tag=s.tag.hex(), key=s.key.hex())
               for s in _streams()]
    accepted = wire.promise_reply(PROMISES["four accepted"][1])
    leaves = [r.leaf for r in w.RECORDS[2:6]]
    entry = _refusals_entry(PROMISES["two accepted, two refused"][1])
    items = [(2, 5, BLOCK_2_5), (6, 6, None)]
    return [
        _reply("hello", "hello", {}, hello,
               wire.hello_signature(w.BROKER, hello)),
        _reply("hello, closed", "hello", {}, closed,
               wire.hello_signature(w.BROKER, closed)),
        _reply("publish", "publish", {}, accepted),
        _reply("fetch, a block and a gap", "fetch",
               {"stream": "members", "first": 2, "last": 6,
                "items": [[0, 2, 5], [1, 6, 6]]},
               *wire.fetch_reply("members", 6, items)),
        _reply("fetch, nothing there yet", "fetch",
               {"stream": "members", "first": 7, "last": 6, "items": []},
               *wire.fetch_reply("members", 6, [])),
        _reply("streams", "streams",
               {"generation": w.GENERATION, "streams": streams},
               wire.streams_reply(w.GENERATION, _streams())),
        _reply("roster", "roster", {"version": 1, "sequence": 0},
               mp.encode([1, 0]), w.NOTE1.encode()),
        _reply("refusals", "refusals", {}, mp.encode([entry])),
        _reply("refusals, none", "refusals", {}, mp.encode([])),
        _reply("status", "status", {},
               mp.encode({"program": "parley-broker", "records": 9})),
        _reply("leaves", "leaves", {"from": 2, "hashes": hs(leaves)},
               mp.encode([2]), b"".join(leaves)),
    ]


def wire_vectors():
    error = wire.error(7, w.RUN, "UNKNOWN-STREAM", "There is no such stream.",
                       {"stream": "nowhere"})
    out = _requests() + _replies()
    out.append(good("error", "error",
                    {"request": 7, "run": w.RUN.hex(),
                     "rule": "UNKNOWN-STREAM",
                     "text": "There is no such stream.",
                     "values": typed({"stream": "nowhere"})},
                    {"frames": hs(error)}))
    return out + _bad_requests() + _bad_hellos() + _bad_fetch_replies()


def _frames(name, kind, frames, error, rule="MALFORMED"):
    return {"name": f"{kind}: {name}", "kind": kind, "frames": hs(frames),
            "error": error, **({"rule": rule} if rule else {})}


def _bad_requests():
    def one(name, error, rule="MALFORMED", frames=(), **changes):
        fields = {"word": "parley", "version": 1, "type": 4, "request": 7,
                  "run": w.RUN, **changes}
        return _frames(name, "request", [mp.encode(list(fields.values())),
                                         *frames], error, rule)

    return [
        one("another word", "parley", word="parlay"),
        one("version 2", "version 1", "VERSION", version=2),
        _frames("version 2, six elements", "request",
                [mp.encode(["parley", 2, 4, 7, w.RUN, 0])], "version 1",
                "VERSION"),
        _frames("frame 0 of six", "request",
                [mp.encode(["parley", 1, 4, 7, w.RUN, 0])], "array of 5"),
        one("version 0", "from 1", version=0),
        one("type 256", "0 to 255", type=256),
        one("type 0", "no such type", "UNKNOWN-REQUEST", type=0),
        one("request id 2^53", "to 2^53-1", request=2**53),
        one("type 99", "no such type", "UNKNOWN-REQUEST", type=99),
        one("a frame too many", "no frame", "UNKNOWN-REQUEST",
            frames=[b"\xc0"]),
        one("a frame too few", "one frame", "UNKNOWN-REQUEST", type=3),
        one("eight frames more", "no frame", "UNKNOWN-REQUEST",
            frames=[b""] * 8),
        one("nine frames more", "at most 8", "LIMIT", frames=[b""] * 9),
        one("frame 1 of 513", "at most 512", "LIMIT", type=3,
            frames=[b"\xc5\2\0" + bytes(510)]),
        one("run id of 8", "bin 16", run=bytes(8)),
        _frames("frame 0 of four", "request",
                [mp.encode(["parley", 1, 4, 7])], "array of 5"),
        _frames("frame 0 empty", "request", [b""], "ends early"),
    ]


def _bad_hellos():
    base = mp.decode(wire.hello(NONCE, w.T0, 1, w.ROSTER1.digest, []))

    def one(name, error, index, value):
        return bad(f"hello: {name}", "hello", mp.encode(
            base[:index] + [value] + base[index + 1:]), error)

    return [
        one("versions reversed", "lowest first", 0, [2, 1]),
        one("program above 64", "up to 64", 2, "x" * 65),
        one("nonce of 16", "bin 32", 3, bytes(16)),
        one("roster digest nil", "bin 32", 6, None),
        one("65 lanes", "up to 64", 7, [[bytes(8), 1]] * 65),
        one("33 features", "up to 32", 1, ["x"] * 33),
        one("feature of 33", "up to 32", 1, ["x" * 33]),
        one("roster version 2^53", "to 2^53-1", 5, 2**53),
        one("highest number 2^53", "to 2^53-1", 7, [[bytes(8), 2**53]]),
        one("promise of twelve", "array of 13", 8, [0] * 12),
        bad("hello: nine elements", "hello", mp.encode(base[:9]),
            "array of 10"),
    ]


def _bad_fetch_replies():
    def one(name, error, head, *blocks):
        frames = [mp.encode(head), *blocks]
        return {"name": f"fetch reply: {name}", "kind": "fetch-reply",
                "in": {"stream": "members", "first": 2},
                "frames": hs(frames), "error": error}

    return [
        one("another stream", "the stream asked for", ["dialogue", 6, []]),
        one("begins later", "from the first number asked",
            ["members", 6, [[1, 3, 6]]]),
        one("a hole", "consecutive", ["members", 6, [[1, 2, 3], [1, 5, 6]]]),
        one("ends before it begins", "first to last",
            ["members", 6, [[1, 2, 1]]]),
        one("beyond the last", "the stream's last number",
            ["members", 4, [[1, 2, 5]]]),
        one("no block", "a frame for each block", ["members", 6, [[0, 2, 5]]]),
        one("a block too many", "a frame for each block",
            ["members", 6, [[1, 2, 6]]], BLOCK_2_5),
        one("item of kind 2", "kind 0 or 1", ["members", 6, [[2, 2, 6]]]),
    ]


# -- feed ---------------------------------------------------------------


def _frame(name, stream, number, part, content):
    tag, key = w.fixed(f"tag {stream}", 16), w.fixed(f"key {stream}")
    nonce = w.fixed(f"nonce {stream} {number}", 24)
    parts = feed.seal(w.DIALOGUE, tag, key, w.RUN, w.GENERATION, number,
                      part, nonce)
    assert feed.open_frame(w.DIALOGUE, key, parts).part == part
    return good(name, "frame",
                {"dialogue": w.DIALOGUE.hex(), "tag": tag.hex(),
                 "key": key.hex(), "run": w.RUN.hex(),
                 "generation": w.GENERATION, "number": number,
                 "nonce": nonce.hex(), "part": part.hex(), **content},
                {"frames": hs(parts)})


def feed_vectors():
    last = w.RECORDS[5]
    leaves = [r.leaf for r in w.RECORDS[2:6]]
    out = [
        _frame("a block", "members", 1, feed.block_part(1, BLOCK_2_5),
               {"first": 1, "block": BLOCK_2_5.hex()}),
        _frame("a head", "members", 2,
               feed.head_part(6, last.log_time, 4),
               {"head": [6, last.log_time, 4, None]}),
        _frame("a head with the next generation", "$log", 3,
               feed.head_part(11, w.RECORDS[10].log_time, 4, 2),
               {"head": [11, w.RECORDS[10].log_time, 4, 2]}),
        _frame("leaf hashes", "$log", 4, feed.leaves_part(2, leaves),
               {"first": 2, "leaves": hs(leaves)}),
        _frame("a kind to pass over", "$log", 5, b"\x06new", {}),
    ]
    return out + _bad_frames(out[1])


def _bad_frames(head):
    in_ = head["in"]
    tag, clear, sealed = (bytes.fromhex(f) for f in head["out"]["frames"])

    def one(name, error, *frames, **changes):
        return {"name": f"frame: {name}", "kind": "frame",
                "in": {"dialogue": in_["dialogue"], "key": in_["key"],
                       **changes},
                "frames": hs(frames), "error": error}

    wrong = "the key does not open it"
    return [
        one("two parts", "three parts", tag, clear + sealed),
        one("tag of 15", "16 octets", tag[:15], clear, sealed),
        one("clear of 31", "32 octets", tag, clear[:31], sealed),
        one("another tag", wrong, bytes(16), clear, sealed),
        one("another number", wrong, tag, clear[:-1] + b"\3", sealed),
        one("another dialogue", wrong, tag, clear, sealed,
            dialogue=bytes(32).hex()),
        one("another key", wrong, tag, clear, sealed, key=bytes(32).hex()),
        one("cut", wrong, tag, clear, sealed[:-1]),
        one("no part", "24 + 16 and more", tag, clear, sealed[:40]),
    ]
