"""canonical.json, tree.json, messages.json, records.json, blocks.json."""

import struct

import world as w
from identity_vectors import bad, good
from parley_client import block, keys, ledger, marks, messages, tree
from parley_client import canonical as mp
from parley_client.canonical import Ext


def h(octets):
    return None if octets is None else octets.hex()


def hs(many):
    return [one.hex() for one in many]


# -- canonical ----------------------------------------------------------


def typed(value):
    """JSON that tells str from bin and keeps a map's order."""
    if isinstance(value, bytes):
        return {"bin": value.hex()}
    if isinstance(value, Ext):
        return {"ext": [[k, typed(v)] for k, v in sorted(value.items())]}
    if isinstance(value, dict):
        return {"map": [[k, typed(v)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        return [typed(v) for v in value]
    return value


def _nested(n):
    value = 0
    for _ in range(n):
        value = [value]
    return value


_VALUES = [
    None, True, False, 0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536,
    2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53 - 1, 2**63 - 1, -1, -32, -33,
    -128, -129, -32768, -32769, -2**31, -2**31 - 1, -2**63, 0.5, -0.5, 1e300,
    2.0**63, -1e19, 5e-324, 1.1, "", "a", "x" * 31, "x" * 32, "x" * 255,
    "x" * 256, "\u00c0\U0001f46e\0", b"", b"\0", b"x" * 255, b"x" * 256, [],
    [1, [2, [b"", ""]]], list(range(15)), list(range(16)), {},
    {"": 1, "a": 2, "aa": 3, "b": {"z": None}, "\u00e9": 4},
    {f"{i:02d}": i for i in range(16)}, _nested(16)]

_BAD_MSGPACK = [
    ("nothing", "", "ends early"), ("cut", "9201", "ends early"),
    ("octets behind", "c0c0", "octets follow the value"),
    ("never used", "c1", "c1 begins no value"),
    ("127 as uint8", "cc7f", "shorter form"),
    ("255 as uint16", "cd00ff", "shorter form"),
    ("65535 as uint32", "ce0000ffff", "shorter form"),
    ("2^32-1 as uint64", "cf00000000ffffffff", "shorter form"),
    ("2^63", "cf8000000000000000", "outside int64"),
    ("127 as int8", "d07f", "not an unsigned form"),
    ("-32 as int8", "d0e0", "shorter form"),
    ("128 as int16", "d10080", "not an unsigned form"),
    ("256 as int16", "d10100", "not an unsigned form"),
    ("-128 as int16", "d1ff80", "shorter form"),
    ("65536 as int32", "d200010000", "not an unsigned form"),
    ("-32768 as int32", "d2ffff8000", "shorter form"),
    ("2^32 as int64", "d30000000100000000", "not an unsigned form"),
    ("-2^31 as int64", "d3ffffffff80000000", "shorter form"),
    ("float32", "ca3f000000", "no float32"),
    ("1.0", "cb3ff0000000000000", "integral, within int64"),
    ("0.0", "cb0000000000000000", "integral, within int64"),
    ("-0.0", "cb8000000000000000", "integral, within int64"),
    ("-2^63 as float", "cbc3e0000000000000", "integral, within int64"),
    ("NaN", "cb7ff8000000000000", "NaN"),
    ("infinity", "cb7ff0000000000000", "infinity"),
    ("-infinity", "cbfff0000000000000", "infinity"),
    ("fixext", "d40100", "no ext types"), ("ext 8", "c70001", "no ext types"),
    ("timestamp", "d6ff00000000", "no ext types"),
    ("31 as str 8", "d91f" + "78" * 31, "shorter form"),
    ("255 as str 16", "da00ff" + "78" * 255, "shorter form"),
    ("0 as str 32", "db00000000", "shorter form"),
    ("255 as bin 16", "c500ff" + "78" * 255, "shorter form"),
    ("0 as bin 32", "c600000000", "shorter form"),
    ("15 as array 16", "dc000f" + "00" * 15, "shorter form"),
    ("0 as array 32", "dd00000000", "shorter form"),
    ("1 as map 16", "de0001a16100", "shorter form"),
    ("0 as map 32", "df00000000", "shorter form"),
    ("str cut", "a261", "ends early"),
    ("not UTF-8", "a1ff", "not UTF-8"),
    ("overlong", "a2c080", "not UTF-8"),
    ("surrogate", "a3eda080", "not UTF-8"),
    ("above U+10FFFF", "a4f4908080", "not UTF-8"),
    ("array of 2^32-1", "ddffffffff", "ends early"),
    ("map of 2^32-1", "dfffffffff", "ends early"),
    ("bin of 2^32-1", "c6ffffffff", "ends early"),
    ("str of 2^32-1", "dbffffffff", "ends early"),
    ("keys descending", "82a16200a16100", "not ascending"),
    ("a key twice", "82a16100a16100", "not unique"),
    ("longer key first", "82a2616100a16100", "not ascending"),
    ("integer key", "810100", "a key is no string"),
    ("bin key", "81c4016100", "a key is no string"),
    ("nil key", "81c000", "a key is no string"),
    ("array key", "819000", "a key is no string"),
    ("nested 17 deep", "91" * 17 + "00", "nesting 16"),
    ("empty array 17 deep", "91" * 16 + "90", "nesting 16"),
    ("maps 17 deep", "81a161" * 16 + "80", "nesting 16"),
]
_BAD_EXT = [
    ("even order", "8203000100", "not ascending"),
    ("key 0", "810000", "keys are 1 to 2^31-1"),
    ("negative key", "81ff00", "keys are 1 to 2^31-1"),
    ("key 2^31", "81ce8000000000", "keys are 1 to 2^31-1"),
    ("string key", "81a16100", "keys are integers"),
    ("a key twice", "8201000100", "not unique"),
    ("nested 17 deep", "8101" + "91" * 16 + "00", "nesting 16"),
    ("above 1,024", "8101c503fc" + "00" * 1020, "above 1,024 octets"),
]


def canonical_vectors():
    out = []
    for i, value in enumerate(_VALUES):
        octets = mp.encode(value)
        assert mp.decode(octets) == value
        out.append(good(f"value {i}: {octets[:8].hex()}", "msgpack",
                        {"value": typed(value)}, {"hex": octets.hex()}))
    out += [bad(name, "msgpack", bytes.fromhex(octets), why)
            for name, octets, why in _BAD_MSGPACK]
    for value in (Ext(), Ext({1: _nested(15)}), 
                  Ext({1: "a", 127: None, 2**31 - 1: [{"b": 1}]}),
                  Ext({1: b"\0" * 1019})):
        out.append(good(f"extension map {mp.encode(value)[:8].hex()}",
                        "extension",
                        {"value": typed(value)},
                        {"hex": mp.encode(value).hex()}))
    return out + [bad(f"extension: {name}", "extension",
                      bytes.fromhex(octets), why)
                  for name, octets, why in _BAD_EXT]


# -- tree ---------------------------------------------------------------


def tree_vectors():
    out = []
    entries = [b"", b"\0", b"\x10", b"\x20\x21", b"\x30\x31", b"@ABC",
               b"PQRSTUVW", b"`abcdefghijklmno"]  # as in RFC 6962's own tests
    for size in range(9):
        some = entries[:size]
        leaves = [tree.leaf(e) for e in some]
        out.append(good(f"{size} entries", "tree", {"entries": hs(some)},
                        {"leaves": hs(leaves), "root": tree.root(some).hex(),
                         "paths": [hs(tree.path(i, leaves))
                                   for i in range(size)]}))
    leaf = tree.leaf(entries[2])
    for name, index, size, n in (("short", 2, 8, 2), ("long", 2, 8, 4),
                                 ("index beyond", 8, 8, 3),
                                 ("empty tree", 0, 0, 0)):
        out.append({"name": f"path: {name}", "kind": "path",
                    "in": {"leaf": leaf.hex(), "index": index, "size": size,
                           "path": hs([leaf] * n)},
                    "error": "no path of this length for index and size"})
    return out


# -- messages -----------------------------------------------------------


def _header_json(header):
    fields = dict(vars(header))
    del fields["octets"], fields["newer"]
    for name in ("dialogue", "key_id", "lane", "body_digest"):
        fields[name] = fields[name].hex()
    fields["references"] = hs(header.references)
    fields["extension"] = typed(Ext(header.extension))
    return fields


def _message(name, header, body):
    return good(name, "message",
                {**_header_json(header), "salt": body[:16].hex(),
                 "content": body[16:].hex()},
                {"prefix": mp.encode(header.prefix()).hex(),
                 "header": header.octets.hex(), "id": header.id.hex(),
                 "body": body.hex(), "digest": keys.blake2b(body).hex()})


def batch_json(batch):
    out = dict(vars(batch), key_id=batch.key_id.hex(),
               signature=batch.signature.hex())
    if batch.via:
        out["via"] = [batch.via[0], *hs(batch.via[1:])]
    return out


def _batch(name, batch, pairs, who, submitter=None):
    ids = [p[0].id for p in pairs]
    root = tree.root_of_leaves(ids)
    frame2, frame3 = messages.join_headers([p[0].octets for p in pairs],
                                           [p[1] for p in pairs])
    signed = messages.batch_octets(w.DIALOGUE, batch.author, batch.channel,
                                   batch.size, root)
    out = {"ids": hs(ids), "root": root.hex(),
           "signed": (keys.label("batch") + signed).hex(),
           "signature": batch.signature.hex(), "head": batch.head().hex(),
           "headers": frame2.hex(), "bodies": frame3.hex()}
    in_ = {"dialogue": w.DIALOGUE.hex(), "author": batch.author,
           "channel": batch.channel, "size": batch.size,
           "sign_seed": who.secret["sign"].hex(),
           "key": who.public["sign"].hex()}
    if submitter:
        via = messages.via_octets(w.DIALOGUE, submitter.name, batch.author,
                                  batch.channel, batch.size, root)
        in_.update(submitter=submitter.name,
                   submitter_sign_seed=submitter.secret["sign"].hex(),
                   submitter_key=submitter.public["sign"].hex())
        out.update(via_signed=(keys.label("via") + via).hex(),
                   via=mp.encode(batch.via).hex())
    if not batch.via:
        out["contribution"] = messages.contribution(
            batch, [p[0].octets for p in pairs], [p[1] for p in pairs]).hex()
    return good(name, "batch", in_, out)


def messages_vectors():
    first = w.MESSAGES[0]
    with_ext = w.message(w.EUROPOL, "members/x", "x", 2**53 - 1,
                         extension=Ext({1: "odd", 3: [b"\0"]}))
    big = w.message(w.EUROPOL, "a/" + "b" * 128, "y" * 100, 70000,
                    references=[w.fixed(f"ref {i}") for i in range(64)])
    out = [_message(f"message {i + 1} of a batch of four", *m)
           for i, m in enumerate(w.MESSAGES)]
    out += [
        _message("handed in", *w.HANDED),
        _message("on an ad-hoc channel", *w.ADHOC),
        _message("odd extension keys", *with_ext),
        _message("64 references", *big),
        _batch("four", w.BATCH, w.MESSAGES, w.EUROPOL),
        _batch("one", w.ONE_BATCH, [w.ONE], w.AFRIPOL),
        _batch("a contribution, before it is handed in", w.HANDED_BATCH,
               [w.HANDED], w.WRITTEN),
        _batch("handed in by EUROPOL/hq", w.HANDED_VIA, [w.HANDED],
               w.WRITTEN, w.EUROPOL),
    ]
    return (out + _bad_headers(first[0]) + _bad_bodies() + _bad_heads()
            + _bad_frames())


def _bad_headers(header):
    def one(name, error, index, value, rule="MALFORMED", place=None):
        outer = [header.prefix(), header.body_length, header.body_digest]
        if place is not None:
            outer[place] = value
        elif value is ...:
            del outer[0][index]
        else:
            outer[0][index] = value
        return bad(f"header: {name}", "header", mp.encode(outer), error,
                   rule=rule)

    ref = w.fixed("ref")
    return [
        one("format 0", "format from 1", 0, 0),
        one("format 2", "needs a newer version", 0, 2, "NEWER-FORMAT"),
        one("twelve elements", "13 elements", 12, ...),
        one("short dialogue id", "bin 32", 1, b"\0" * 31),
        one("dialogue id as str", "bin 32", 1, "\0" * 32),
        one("author is an entity", "a delegation", 2, "EUROPOL"),
        one("author is a root signer", "a delegation", 2, "EUROPOL/root"),
        one("key id of 32", "bin 8", 3, ref),
        one("roster version 0", "from 1", 4, 0),
        one("lane of 16", "bin 8", 5, b"\0" * 16),
        one("number 0", "from 1", 6, 0),
        one("number 2^53", "to 2^53-1", 6, 2**53),
        one("time -1", "from 0", 7, -1),
        one("time 2^53", "to 2^53-1", 7, 2**53),
        one("time as float", "an int", 7, 0.5),
        one("topic of one level", "no topic", 8, "members", "TOPIC"),
        one("topic on $log", "no topic", 8, "$log/x", "TOPIC"),
        one("references nil", "an array", 9, None),
        one("65 references", "at most 64", 9,
            [w.fixed(f"ref {i}") for i in range(65)], "LIMIT"),
        one("a reference twice", "no two equal", 9, [ref, ref]),
        one("reference of 31", "bin 32", 9, [b"\0" * 31]),
        one("body format 0", "1 to 4", 10, 0),
        one("body format 5", "1 to 4", 10, 5),
        one("sealed", "no sealing in version 1", 11, ref, "SEALING"),
        one("sealing key id of 8", "nil or bin 32", 11, b"\0" * 8),
        one("extension map is nil", "a map", 12, None),
        one("an even extension key", "must be understood", 12,
            Ext({2: None}), "EXTENSION"),
        one("body length 16", "17 to 262,144", 0, 16, place=1),
        one("body length 262,145", "17 to 262,144", 0, 262145, "LIMIT",
            place=1),
        one("body length 2^53", "to 2^53-1", 0, 2**53, place=1),
        one("format 2^53", "to 2^53-1", 0, 2**53),
        one("roster version 2^53", "to 2^53-1", 4, 2**53),
        one("digest of 64", "bin 32", 0, bytes(64), place=2),
        bad("header: four elements", "header", mp.encode(
            [header.prefix(), header.body_length, header.body_digest, 0]),
            "3 elements", rule="MALFORMED"),
        bad("header: an extension nested 17 deep", "header",
            header.octets.replace(b"\xc0\x80", b"\xc0\x81\1"
                                  + b"\x91" * 16 + b"\0"),
            "nesting 16", rule="LIMIT"),
        bad("header: 6,145 octets", "header",
            header.octets + bytes(6145 - len(header.octets)),
            "at most 6,144", rule="LIMIT"),
        bad("header: octets behind", "header", header.octets + b"\xc0",
            "octets follow", rule="MALFORMED"),
        bad("header: a number in a longer form", "header",
            header.octets.replace(b"\x93\x9d\x01", b"\x93\x9d\xcc\x01"),
            "shorter form", rule="MALFORMED"),
    ]


def _bad_bodies():
    header, body = w.MESSAGES[0]
    base = {"header": header.octets.hex()}
    out = [
        bad("body: longer", "body", body + b"\0", "another length",
            rule="BODY-LENGTH", **base),
        bad("body: another octet", "body", body[:-1] + b"\0",
            "another digest", rule="BODY-DIGEST", **base)]
    for name, form, content, error in (
            ("two maps", 1, b"\x80\x80", "octets follow"),
            ("an array", 1, b"\x90", "one map"),
            ("integer keys", 1, b"\x81\x01\x01", "a key is no string"),
            ("not UTF-8", 2, b"\xff", "not UTF-8")):
        out.append(bad(f"content: {name}", "content", content, error,
                       format=form))
    return out


def _bad_heads():
    b = w.HANDED_VIA

    def one(name, error, index, value, rule="MALFORMED"):
        head = [b.author, b.channel, b.size, b.key_id, b.signature, b.via]
        head[index] = value
        return bad(f"head: {name}", "head", mp.encode(head), error, rule=rule)

    return [
        one("author", "a delegation", 0, "AFRIPOL"),
        one("channel $log", "a channel", 1, "$log"),
        one("channel is a topic", "a channel", 1, "members/x"),
        one("size 0", "1 to 256", 2, 0),
        one("size 257", "1 to 256", 2, 257, "LIMIT"),
        one("size 2^53", "to 2^53-1", 2, 2**53),
        one("513 octets", "at most 512", 4, bytes(64 + 513 - len(b.head())),
            "LIMIT"),
        one("key id of 4", "bin 8", 3, b"\0" * 4),
        one("signature of 63", "bin 64", 4, bytes(63)),
        one("via of two", "array of 3", 5, b.via[:2]),
        one("via's submitter", "a delegation", 5, ["SCO", *b.via[1:]]),
        bad("head: five elements", "head", mp.encode(
            [b.author, b.channel, b.size, b.key_id, b.signature]),
            "array of 6", rule="MALFORMED"),
    ]


def _bad_frames():
    frame2, frame3 = messages.join_headers(
        [m[0].octets for m in w.MESSAGES], [m[1] for m in w.MESSAGES])

    def one(name, error, size, headers, bodies, rule="MALFORMED"):
        return {"name": f"frames: {name}", "kind": "frames",
                "in": {"size": size, "headers": headers.hex(),
                       "bodies": bodies.hex()}, "error": error,
                **({"rule": rule} if rule else {})}

    return [
        one("size above", "headers end early", 5, frame2, frame3),
        one("size below", "octets follow the headers", 3, frame2, frame3),
        one("headers cut", "headers end early", 4, frame2[:-1], frame3),
        one("bodies cut", "bodies end early", 4, frame2, frame3[:-1]),
        one("octets behind", "octets follow the bodies", 4, frame2,
            frame3 + b"\0"),
        one("a header of 2^32-1", "headers end early", 1,
            struct.pack(">II", 2**32 - 1, 17) + b"\0", b"\0" * 17),
        one("a body of 2^32-1", "bodies end early", 1,
            struct.pack(">II", 1, 2**32 - 1) + b"\0", b"\0" * 17),
    ]


# -- records ------------------------------------------------------------

TYPES = ["message", "roster", "mark", "erasure"]


def record_json(r):
    return {"format": r.format, "type": r.type, "sequence": r.sequence,
            "log_time": r.log_time, "epoch": r.epoch, "roster": r.roster,
            "channel": r.channel, "channel_sequence": r.channel_sequence,
            "previous": r.previous,
            "via": r.via and [r.via[0], *hs(r.via[1:])],
            "payload": h(r.payload), "size": r.size, "index": r.index,
            "signature": h(r.signature), "extension": typed(Ext(r.extension))}


def _record(r):
    name = f"record {r.sequence}, a {TYPES[r.type]}"
    return good(name, "record", record_json(r),
                {"hex": r.octets.hex(), "leaf": r.leaf.hex()})


def _erasure():
    order = b"(an order's note stands here; its text format: section 5)\n"
    payload = ledger.order_payload(w.fixed("order's digest"), order)
    return w.log_record(ledger.ERASURE, payload, 11, 6, 9, "members")


def _other(r, extension=None, **changes):
    fields = {k: v for k, v in vars(r).items()
              if k not in ("newer", "foreign")}
    fields.update(changes)
    if extension is not None:
        fields["extension"] = extension
    made = ledger.Record(**fields)
    made.encode()
    return made


NEWER_HEADER = mp.encode([[2, {"what": "a later version says"}], b"so"])


def _nine(r, **changes):
    """A record of which only elements 0 to 8 are there."""
    made = _other(r, **changes)
    made.octets = mp.encode(mp.decode(made.octets, (14,))[:9])
    return made


def records_vectors():
    message, mark = w.RECORDS[2], w.RECORDS[1]
    out = [_record(r) for r in w.RECORDS + [_erasure()]]
    streams = w.mark_record(w.ROSTER1, 12, 5, 9, w.fixed("streams' root"))
    out.append(_record(streams))
    odd = _other(mark, Ext({1: "passed over"}))
    out.append(good("a mark with an odd extension key", "record",
                    record_json(odd),
                    {"hex": odd.octets.hex(), "leaf": odd.leaf.hex()}))
    deep = _other(mark, Ext({1: _nested(15)}))
    out.append(good("an extension map nests from itself", "record",
                    record_json(deep),
                    {"hex": deep.octets.hex(), "leaf": deep.leaf.hex()}))
    for name, r in (("type 4", _other(mark, type=4)),
                    ("type 4 with a batch", _other(message, type=4)),
                    ("type 4 with a via", _other(
                        message, type=4, via=w.HANDED_VIA.via, size=None,
                        payload=b"\0")),
                    ("type 4 on $log", _other(mark, type=4, roster=1)),
                    ("format 2", _other(mark, format=2)),
                    ("format 2, nine elements", _nine(mark, format=2)),
                    ("an even extension key on a message",
                     _other(message, Ext({2: 0}))),
                    ("a newer header", _other(message, payload=NEWER_HEADER)),
                    ("an even extension key", _other(mark, Ext({2: 0})))):
        out.append(good(f"newer: {name}", "newer-record",
                        {"hex": r.octets.hex()},
                        {"leaf": r.leaf.hex(), "sequence": r.sequence,
                         "channel": r.channel, "roster": r.roster,
                         "channel_sequence": r.channel_sequence}))
    leaves = [r.leaf for r in w.RECORDS]
    out.append(good("the ledger's root", "root", {"leaves": hs(leaves)},
                    {"root": tree.root_of_leaves(leaves).hex()}))
    out.append(_mark_leaf(leaves))
    return out + _bad_records(message, mark)


def _mark_leaf(leaves):
    """Section 7.4, for the checkpoints to come."""
    veil = w.BROKER.secret["veil"]
    salt = marks.salt(veil, "members", 10)
    entry = marks.entry(salt, "members", 7, 6,
                        tree.root_of_leaves(leaves[2:8]))
    return good("a stream's entry in a mark", "stream-entry",
                {"veil": veil.hex(), "mark": 10, "stream": "members",
                 "last": 7, "leaves": hs(leaves[2:8])},
                {"salt": salt.hex(), "entry": entry.hex()})


def _bad_records(message, mark):
    def one(name, error, r, **changes):
        return bad(f"record: {name}", "record", _other(r, **changes).octets,
                   error)

    other = w.ADHOC[0].octets
    return [
        one("format 0", "format from 1", mark, format=0),
        one("sequence -1", "from 0", mark, sequence=-1),
        one("epoch 0", "from 1", mark, epoch=0),
        one("format 2^53", "to 2^53-1", mark, format=2**53),
        one("type 2^53", "to 2^53-1", mark, type=2**53),
        one("sequence 2^53", "to 2^53-1", mark, sequence=2**53),
        one("epoch 2^53", "to 2^53-1", mark, epoch=2**53),
        one("channel sequence 2^53", "to 2^53-1", mark,
            channel_sequence=2**53),
        one("format 2, a later roster in force", "not after the record",
            mark, format=2, roster=2),
        one("format 2, no channel", "a channel", mark, format=2,
            channel="$LOG"),
        one("type 4, no channel", "a channel", message, type=4,
            channel="Members"),
        one("type 4, previous not before", "below the sequence", message,
            type=4, previous=2),
        one("type 4, signature of 63", "bin 64", message, type=4,
            signature=bytes(63)),
        one("a message that names itself as roster", "only a roster does",
            message, roster=2),
        one("a later roster in force", "not after the record", mark,
            roster=2),
        one("channel sequence 0", "from 1", mark, channel_sequence=0),
        one("channel is no str", "a str", mark, channel=b"$log"),
        one("payload nil", "bin", mark, payload=None),
        one("a mark on members", "marks stand on $log", mark,
            channel="members"),
        one("a mark with a batch", "nil for all but messages", mark, size=1),
        one("a mark with a previous", "nil for all but messages", mark,
            previous=0),
        one("a mark with a via", "nil for all but messages", mark,
            via=w.HANDED_VIA.via),
        one("a roster that names another", "a roster names itself",
            w.RECORDS[9], roster=0),
        one("a message on $log", "only the broker writes it", message,
            channel="$log"),
        one("a topic on another channel", "topic and channel differ",
            message, payload=other),
        one("no batch size", "int 1..256", message, size=None),
        one("batch size 0", "int 1..256", message, size=0),
        one("batch size 257", "int 1..256", message, size=257),
        one("index 4 of 4", "below the size", message, index=4),
        one("signature of 63", "bin 64", message, signature=bytes(63)),
        one("no signature", "bin 64", message, signature=None),
        one("previous not before", "below the sequence", message,
            previous=2),
        one("via by the author", "nil where the author hands in", message,
            via=["EUROPOL/hq", bytes(8), bytes(64)]),
        bad("record: 14 elements", "record", mp.encode(
            mp.decode(mark.octets, (14,))[:14]), "array of 15"),
        bad("record: octets behind", "record", mark.octets + b"\xc0",
            "octets follow"),
        bad("record: 8,193 octets", "record",
            mark.octets + bytes(8193 - len(mark.octets)), "above 8,192"),
    ]


# -- blocks -------------------------------------------------------------

STATES = ["none", "present", "erased", "absent"]


def places(first, last, states=None):
    out = []
    for s in range(first, last + 1):
        state = (states or {}).get(s)
        out.append(block.place(w.RECORDS[s], w.BODIES[s], state))
    return out


def _block(name, made, kind=1):
    octets = block.encode(made, w.BATCH_IDS, kind)
    read = block.decode(octets)
    keyring = {who.name: who.public["sign"] for who in w.DELEGATIONS}
    block.verify(read, w.DIALOGUE, lambda d, _id, _r: keyring[d])
    return good(name, "block",
                {"places": [{"record": p.record.octets.hex(),
                             "state": STATES[p.state], "body": h(p.body),
                             "length": p.length} for p in made]},
                {"hex": octets.hex(), "batches": [
                    {"kind": r.kind, "places": r.places,
                     "root": block.run_roots(read, r).hex(),
                     "missing": hs(r.missing or []),
                     "paths": [hs(p) for p in r.paths or []]}
                    for r in read.runs]})


def blocks_vectors():
    out = [
        _block("roster and mark", places(0, 1)),
        _block("a batch of four, whole", places(2, 5)),
        _block("three batches, one with via", places(2, 7)),
        _block("messages 2 and 3 of four, missing ids", places(3, 4)),
        _block("messages 2 and 3 of four, paths", places(3, 4), 2),
        _block("the last of four, missing ids", places(5, 6)),
        _block("the last of four, paths", places(5, 5), 2),
        _block("an ad-hoc channel", places(8, 8)),
        _block("an absent and an erased body",
               places(2, 5, {3: block.ABSENT, 4: block.ERASED})),
        _block("a newer header in a batch", _newer_places()),
        _block("a batch of a newer form, whole", _even(2, 3, 4, 5)),
        _block("messages of a newer form in no batch", [
            block.Place(_newer(p.record), p.state, p.body, p.length)
            for p in _even(2, 3, 4, 5)]),
    ]
    return out + _bad_blocks()


def _newer_places():
    """Three messages under one signature, the second of header format 2."""
    headers = [m[0] for m in w.MESSAGES[:3]]
    headers[1] = messages.Header(**vars(headers[1]))
    headers[1].octets = NEWER_HEADER
    batch = messages.sign_batch(w.EUROPOL, w.DIALOGUE, headers)
    return [block.Place(w.message_record(one, batch, i, 2 + i, 1 + i),
                        block.PRESENT, w.MESSAGES[i][1],
                        len(w.MESSAGES[i][1]))
            for i, one in enumerate(headers)]


def _even(*sequences):
    """Records 2 to 5; these with an extension key to be understood. They
    look known as long as nobody reads them."""
    return [block.Place(_other(p.record, Ext({2: 0})), p.state, p.body,
                        p.length) if p.record.sequence in sequences else p
            for p in places(2, 5)]


def _newer(record):
    return ledger.read_record(record.octets)


def _sum(octets):
    """A block with its own checksum mended."""
    n, m = struct.unpack(">HH", octets[10:14])
    at = 32 + 32 * n
    for _ in range(m):
        at += 8 + struct.unpack(">I", octets[at + 4:at + 8])[0]
    check = struct.pack(">Q", block.xxh3(octets[:24] + octets[32:at]))
    return octets[:24] + check + octets[32:]


def u16(n):
    return struct.pack(">H", n)


def u32(n):
    return struct.pack(">I", n)


def u64(n):
    return struct.pack(">Q", n)


def _bad_blocks():
    one = block.encode(places(2, 5))
    mark = block.encode(places(0, 1))
    paths = block.encode(places(3, 4), w.BATCH_IDS, 2)
    missing = block.encode(places(3, 4), w.BATCH_IDS, 1)
    batches = 32 + 2 * 32

    def edit(name, error, base, at, new, mend=True):
        octets = base[:at] + new + base[at + len(new):]
        return bad(f"block: {name}", "block",
                   _sum(octets) if mend else octets, error)

    jumble = places(2, 2) + places(4, 4)
    mixed = places(8, 8) + places(2, 2)
    out = [
        edit("magic", "PLYB", one, 0, b"PLYC"),
        edit("size", "octets of the whole block", one, 4, u32(len(one) + 1)),
        edit("format 2", "format 1", one, 8, u16(2)),
        edit("no records", "1 to 4,096 records", one, 10, u16(0), False),
        edit("4,097 records", "1 to 4,096 records", one, 10, u16(4097),
             False),
        edit("octets 14 and 15", "zero", one, 14, u16(1)),
        edit("first sequence", "the first record's", one, 16, u64(3)),
        edit("its checksum", "checksum", one, 24, u64(0), False),
        edit("record of 0", "1 to 8,192", one, 32, u32(0)),
        edit("record of 8,193", "1 to 8,192", one, 32, u32(8193)),
        edit("body of 2^32-1", "cut", one, 36, u32(2**32 - 1)),
        edit("body state 4", "state 0 to 3", one, 40, b"\4"),
        edit("octet 9 of an entry", "zero", one, 41, b"\1"),
        edit("an index of no batch", "batches in order", one, 42, u16(1)),
        edit("a message of no batch", "each message has one", one, 42,
             u16(0xFFFF)),
        edit("a record's checksum", "checksum", one, 48, u64(0)),
        edit("a body's checksum", "checksum", one, 56, u64(0)),
        edit("a mark with a length", "no body, no length", mark, 68,
             u32(1)),
        edit("a mark with a checksum of a body", "no body: 0", mark, 88,
             u64(1)),
        edit("kind 3", "kind 0 to 2", paths, batches, u16(3)),
        edit("an empty run", "a run has records", paths, batches + 2,
             u16(0)),
        edit("a long run", "no such records", paths, batches + 2, u16(3)),
        edit("kind 1 with too many ids", "size less run", paths, batches,
             u16(1)),
        edit("kind 0 with octets", "nothing follows", missing, batches,
             u16(0)),
        bad("block: cut", "block", one[:-1], "octets of the whole block"),
        bad("block: octets behind", "block", one + b"\0",
            "octets of the whole block"),
        bad("block: another body", "block", _swap_body(),
            "digest in the record"),
        bad("block: sequences with a hole", "block",
            block.encode(jumble, w.BATCH_IDS, 1), "consecutive"),
        bad("block: two channels", "block",
            block.encode(mixed, w.BATCH_IDS, 1), "one channel"),
        bad("block: a newer form beside ours in a batch", "block",
            block.encode(_even(4)), "all of a batch, or none"),
        bad("block: the first of a newer form", "block",
            block.encode(_even(2)), "all of a batch, or none"),
        bad("block: no mark behind a roster", "block", block.encode(
            [places(0, 0)[0], block.Place(_other(w.RECORDS[1], type=4),
                                          block.NONE)]),
            "a mark behind each roster"),
        bad("block: a message without body state", "block", _no_state(),
            "a message has a body"),
    ]
    return out + _bad_signatures(missing, paths, batches)


def _swap_body():
    made = places(8, 8)
    made[0].body = made[0].body[:-1] + b"!"
    return block.encode(made)


def _no_state():
    made = places(8, 8)
    made[0] = block.Place(made[0].record, block.NONE)
    return block.encode(made)


def _bad_signatures(missing, paths, batches):
    """Well-formed blocks whose batch signatures do not verify."""
    flip = missing[batches + 8] ^ 1
    at = batches + 8
    wrong_id = _sum(missing[:at] + bytes([flip]) + missing[at + 1:])
    flip = paths[at] ^ 1
    wrong_path = _sum(paths[:at] + bytes([flip]) + paths[at + 1:])
    signature = bytes(64)
    forged = _other(w.RECORDS[8], signature=signature)
    handed = _other(w.RECORDS[7], via=["SCO/rats", w.RATS.id("sign"),
                                     w.HANDED_VIA.via[2]])
    return [
        bad("signature: a missing id is wrong", "block-signature", wrong_id,
            "the batch signature does not verify", rule="BAD-SIGNATURE"),
        bad("signature: a path is wrong", "block-signature", wrong_path,
            "paths lead to two roots"),
        bad("signature: forged", "block-signature",
            block.encode([block.place(forged, w.BODIES[8])]),
            "the batch signature does not verify", rule="BAD-SIGNATURE"),
        bad("signature: a newer header is another", "block-signature",
            _another_newer(), "the batch signature does not verify",
            rule="BAD-SIGNATURE"),
        bad("signature: another submitter", "block-signature",
            block.encode([block.place(handed, w.BODIES[7])]),
            "the via signature does not verify", rule="BAD-VIA"),
    ]


def _another_newer():
    made = _newer_places()
    made[1].record = _other(made[1].record,
                            payload=NEWER_HEADER[:-1] + b"!")
    return block.encode(made)


BLOCK_2_5 = block.encode(places(2, 5))
