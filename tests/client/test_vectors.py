"""The vectors are what make.py makes, the client takes each good one and
refuses each bad one, and PROTOCOL.md's exchange is the one that
exchange.py prints."""

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VECTORS = HERE.parent / "vectors"
sys.path[:0] = [str(HERE), str(VECTORS)]

import make  # noqa: E402
import proof_checks  # noqa: E402
from parley_client import (block, feed, keys, ledger, marks,  # noqa: E402
                           messages, names, notes, rights, roster, segment,
                           tree, wire)
from parley_client import canonical as mp  # noqa: E402
from parley_client.errors import Refused  # noqa: E402


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


ALL = {name: load(name) for name in make.FILES}
CASES = [pytest.param(v, id=f"{name}: {v['name']}")
         for name, vectors in ALL.items() for v in vectors]
x = bytes.fromhex
DIALOGUE = notes.digest(notes.parse(ALL["roster"][0]["in"]["note"])[0])


@pytest.mark.parametrize("name", make.FILES)
def test_committed_files_are_what_make_makes(name):
    assert (VECTORS / f"{name}.json").read_text() == make.octets(name)


@pytest.mark.parametrize("name", make.FILES)
def test_names_are_unique(name):
    found = [v["name"] for v in ALL[name]]
    assert sorted(set(found)) == sorted(found)


def test_exchange_stands_in_the_page():
    import exchange
    page = (HERE.parent.parent / "common/PROTOCOL.md").read_text()
    begin, end = "<!-- exchange: begin -->\n", "<!-- exchange: end -->"
    assert begin + exchange.section() + end in page


@pytest.mark.parametrize("vector", CASES)
def test_vector(vector):
    check = CHECKS[vector["kind"]]
    if "error" not in vector:
        check(vector)
        return
    with pytest.raises(Refused) as refused:
        check(vector)
    if "rule" in vector:
        assert refused.value.rule == vector["rule"]


# -- what to do with each kind -------------------------------------------


def octets_of(v):
    """The octets of a bad vector, or None of a good one."""
    if "text" in v:
        return v["text"].encode()
    return x(v["hex"]) if "hex" in v else None


def text_of(v, name):
    return v["text"] if "text" in v else v["in"][name]


def is_valid(checker):
    def check(v):
        assert checker(v["in"]["text"]) == v["out"]["valid"]
    return check


def typed(value):
    """The value that typed JSON stands for."""
    if isinstance(value, list):
        return [typed(one) for one in value]
    if isinstance(value, dict):
        (word, inner), = value.items()
        if word == "bin":
            return x(inner)
        pairs = {k: typed(one) for k, one in inner}
        return mp.Ext(pairs) if word == "ext" else pairs
    return value


def check_msgpack(v, ext_at=None):
    if "hex" in v:
        mp.decode(x(v["hex"]), ext_at)
        return
    assert mp.encode(typed(v["in"]["value"])).hex() == v["out"]["hex"]
    assert mp.decode(x(v["out"]["hex"]), ext_at) == typed(v["in"]["value"])


def check_keys(v):
    who = keys.Identity(v["in"]["kind"], v["in"]["name"], x(v["in"]["seed"]))
    for name, want in v["out"].items():
        assert who.secret[name].hex() == want["secret"]
        assert keys.derive(who.seed, want["n"]) == who.secret[name]
        if "public" in want:
            assert who.public[name].hex() == want["public"]
            assert who.id(name).hex() == want["id"]
        if "note_id" in want:
            found = notes.id4(who.name, who.public[name])
            assert found.hex() == want["note_id"]


def check_secret_file(v):
    who = keys.read_secret_file(text_of(v, "text"))
    assert (who.kind, who.name, who.seed.hex()) == tuple(v["out"].values())
    assert who.secret_file() == v["in"]["text"]


def check_card(v):
    name, found = notes.read_card(text_of(v, "note"))
    assert name == v["out"]["name"]
    assert {k: one.hex() for k, one in found.items()} == v["out"]["keys"]
    text = notes.parse(v["in"]["note"])[0]
    assert text == v["out"]["text"]
    assert notes.digest(text).hex() == v["out"]["digest"]


def check_label(v):
    assert keys.label(v["in"]["text"]).hex() == v["out"]["label"]


def check_note_parse(v):
    text, signatures = notes.parse(v["in"]["note"])
    assert text == v["out"]["text"]
    assert [{"name": s.name, "id4": s.id4.hex(),
             "signature": s.signature.hex()} for s in signatures] == (
        v["out"]["signatures"])


def check_note_verify(v):
    known = v["known"] if "error" in v else v["in"]["known"]
    table = [(k["name"], x(k["key"])) for k in known]
    note = octets_of(v) or v["in"]["note"].encode()
    text, signers = notes.verify(note, table)
    assert text == v["out"]["text"]
    assert [s[0] for s in signers] == v["out"]["signers"]
    assert notes.digest(text).hex() == v["out"]["digest"]


def check_note_sign(v):
    if "error" in v:
        name = {"root": "EUROPOL/root", "delegation": "EUROPOL/hq"}
        who = keys.Identity(v["signer"], name[v["signer"]], bytes(32))
        notes.sign(v["text"], who)
        return
    signers = [keys.Identity(v["in"]["kind"], name, x(seed))
               for name, seed in v["in"]["seeds"].items()]
    assert notes.sign(v["in"]["text"], *signers) == v["out"]["note"]
    assert notes.digest(v["in"]["text"]).hex() == v["out"]["digest"]


def rosters(name):
    """The Roster of a good vector of roster.json."""
    v = next(one for one in ALL["roster"] if one["name"] == name)
    if v["kind"] == "first":
        return roster.first(v["in"]["note"])
    return roster.following(rosters(v["in"]["before"]), v["in"]["note"])


def _roster_is(found, want):
    for name in ("version", "epoch", "threshold", "quorum"):
        assert getattr(found, name) == want[name]
    assert found.digest.hex() == want["digest"]
    assert found.dialogue.hex() == want["dialogue"]
    assert list(found.delegations) == want["delegations"]
    assert list(found.channels) == want["channels"]
    assert [s[0] for s in found.signers] == want["signers"]


def check_first(v):
    _roster_is(roster.first(text_of(v, "note")), v.get("out"))


def check_next(v):
    before = rosters(v["before"] if "error" in v else v["in"]["before"])
    _roster_is(roster.following(before, text_of(v, "note")), v.get("out"))


def check_rights(v):
    r, (d, c, t) = rosters(v["in"]["roster"]), list(v["in"].values())[1:]
    for word, ask in (("read", rights.may_read), ("write",
                                                  rights.may_write)):
        try:
            assert ask(r, d, c, t) == v["out"][word]
        except Refused as refused:
            assert not v["out"][word]
            assert refused.rule == v["out"]["rule"]


def check_sign_key(v):
    r, (d, id_, t) = rosters(v["in"]["roster"]), list(v["in"].values())[1:]
    try:
        found = rights.sign_key(r, d, x(id_), t)
        assert v["out"] == {"valid": True, "key": found.hex()}
    except Refused as refused:
        assert v["out"] == {"valid": False, "rule": refused.rule}


def check_match(v):
    found = names.matches(v["in"]["filter"], v["in"]["topic"])
    assert found == v["out"]["matches"]


def check_tree(v):
    leaves = [tree.leaf(x(e)) for e in v["in"]["entries"]]
    assert [one.hex() for one in leaves] == v["out"]["leaves"]
    assert tree.root_of_leaves(leaves).hex() == v["out"]["root"]
    for i, path in enumerate(v["out"]["paths"]):
        path = [x(one) for one in path]
        assert tree.path(i, leaves) == path
        assert tree.root_from_path(leaves[i], i, len(leaves), path).hex() == (
            v["out"]["root"])


def check_path(v):
    a = v["in"]
    tree.root_from_path(x(a["leaf"]), a["index"], a["size"],
                        [x(one) for one in a["path"]])


def check_message(v):
    a, want = v["in"], v["out"]
    header = messages.read_header(x(want["header"]))
    body = x(want["body"])
    assert header.encode().hex() == want["header"]
    assert mp.encode(header.prefix()).hex() == want["prefix"]
    assert header.id.hex() == want["id"]
    for name in ("author", "roster_version", "number", "time", "topic",
                 "body_format", "body_length"):
        assert getattr(header, name) == a[name]
    for name in ("dialogue", "key_id", "lane", "body_digest"):
        assert getattr(header, name).hex() == a[name]
    assert header.extension == typed(a["extension"])
    assert [one.hex() for one in header.references] == a["references"]
    assert body == x(a["salt"]) + x(a["content"])
    messages.check_body(header, body)
    messages.read_body(body, header.body_format)
    assert keys.blake2b(body).hex() == want["digest"]


def check_batch(v):
    a, want = v["in"], v["out"]
    batch = messages.read_head(x(want["head"]))
    pairs = messages.cut_headers(batch.size, x(want["headers"]),
                                 x(want["bodies"]))
    headers = [messages.read_header(h) for h, _ in pairs]
    messages.check_batch(x(a["dialogue"]), batch, headers)
    root = tree.root([h for h, _ in pairs])
    assert root.hex() == want["root"]
    assert messages.batch_verifies(x(a["key"]), x(a["dialogue"]), batch, root)
    assert keys.sign(x(a["sign_seed"]), x(want["signed"])).hex() == (
        want["signature"])
    assert batch.head().hex() == want["head"]
    if "submitter" in a:
        assert messages.via_verifies(x(a["submitter_key"]), x(a["dialogue"]),
                                     batch, root)
        assert mp.encode(batch.via).hex() == want["via"]
        signature = keys.sign(x(a["submitter_sign_seed"]),
                              x(want["via_signed"]))
        assert signature == batch.via[2]
    else:
        found = messages.read_contribution(x(want["contribution"]))
        assert found == (batch, pairs)


def check_body(v):
    messages.check_body(messages.read_header(x(v["header"])), x(v["hex"]))


def check_content(v):
    messages.read_body(bytes(16) + x(v["hex"]), v["format"])


def check_body_or_content(v):
    check_content(v) if "format" in v else check_body(v)


def check_frames(v):
    a = v["in"]
    messages.cut_headers(a["size"], x(a["headers"]), x(a["bodies"]))


def check_record(v):
    octets = octets_of(v)
    record = ledger.read_record(octets or x(v["out"]["hex"]))
    assert record.known
    assert record.encode().hex() == v["out"]["hex"]
    assert record.leaf.hex() == v["out"]["leaf"]
    for name in ("format", "type", "sequence", "log_time", "epoch", "roster",
                 "channel", "channel_sequence", "previous", "size", "index"):
        assert getattr(record, name) == v["in"][name]
    assert record.payload.hex() == v["in"]["payload"]


def check_newer_record(v):
    record = ledger.read_record(x(v["in"]["hex"]))
    assert not record.known
    assert record.leaf.hex() == v["out"]["leaf"]
    for name in ("sequence", "channel", "roster", "channel_sequence"):
        assert getattr(record, name) == v["out"][name]


def check_root(v):
    leaves = [x(one) for one in v["in"]["leaves"]]
    assert tree.root_of_leaves(leaves).hex() == v["out"]["root"]


def check_stream_entry(v):
    a = v["in"]
    leaves = [x(one) for one in a["leaves"]]
    salt = marks.salt(x(a["veil"]), a["stream"], a["mark"])
    assert salt.hex() == v["out"]["salt"]
    entry = marks.entry(salt, a["stream"], a["last"], len(leaves),
                        tree.root_of_leaves(leaves))
    assert entry.hex() == v["out"]["entry"]


def _key_of(delegation, key_id, record):
    in_force = rosters("roster 1" if record.roster == 0 else "roster 2")
    return rights.sign_key(in_force, delegation, key_id, record.log_time)


def check_block(v):
    found = block.decode(octets_of(v) or x(v["out"]["hex"]))
    states = {0: "none", 1: "present", 2: "erased", 3: "absent"}
    assert [{"record": p.record.octets.hex(), "state": states[p.state],
             "body": p.body and p.body.hex(), "length": p.length}
            for p in found.places] == v["in"]["places"]
    for run, want in zip(found.runs, v["out"]["batches"], strict=True):
        assert (run.kind, run.places) == (want["kind"], want["places"])
        assert block.run_roots(found, run).hex() == want["root"]
    block.verify(found, DIALOGUE, _key_of)


def check_block_signature(v):
    try:
        found = block.decode(x(v["hex"]))
    except Refused:
        pytest.fail("refused before its signature was looked at")
    block.verify(found, DIALOGUE, _key_of)


def check_segment(v):
    if "error" in v:
        of = next(o for o in ALL["segment"] if o["name"] == v["of"])
        octets = bytearray(x(of["in"]["hex"]))
        if "flip" in v:
            octets[v["flip"]] ^= 1
        else:
            del octets[v["cut"]:]
        segment.read(bytes(octets))
        return
    found = segment.read(x(v["in"]["hex"]))
    want = v["out"]
    assert found.dialogue.hex() == want["dialogue"]
    assert (found.first, found.group, found.before) == (
        want["first"], want["group"], want["before"])
    assert f"{found.seed:016x}" == want["seed"]
    assert [[b.hex() for b in g] for _, g in found.groups] == want["groups"]
    assert found.open_header == want.get("next_group")


def check_promise(v):
    a = v if "error" in v else v["in"]
    ids = [x(one) for one in a["ids"]]
    octets = octets_of(v) or x(v["out"]["reply"])
    found = wire.read_promise(octets, ids)
    found.verify(x(a["desk_key"]), DIALOGUE)
    assert found.accepted_root().hex() == v["out"]["accepted_root"]
    assert found.refused_root().hex() == v["out"]["refused_root"]
    assert wire.promise_reply(found) == octets


def check_highest(v):
    value = mp.decode(x(v["out"]["hex"]))
    ledger.check_highest(value, x(v["in"]["desk_key"]), DIALOGUE)


def check_uncut(v):
    found = messages.unsendable_id(x(v["in"]["head"]), x(v["in"]["headers"]))
    assert found.hex() == v["out"]["id"]


def check_hello_signature(v):
    wire.read_hello_reply(x(v["in"]["frame1"]), x(v["out"]["frame2"]),
                          [x(v["in"]["desk_key"])])
    found = keys.sign(x(v["in"]["desk_seed"]), x(v["out"]["signed"]))
    assert found == mp.decode(x(v["out"]["frame2"]))[1]


def _frames_of(v):
    return [x(f) for f in (v["frames"] if "error" in v
                           else v["out"]["frames"])]


def check_request(v):
    kind, number, run, rest = wire.read_request(_frames_of(v))
    assert (kind, number, run and run.hex()) == (
        v["in"]["type"], v["in"]["request"], v["in"]["run"])
    if kind == wire.TYPES["hello"]:
        wire.read_hello(rest[0])
    if kind == wire.TYPES["fetch"]:
        assert wire.read_fetch(rest[0]) == list(v["in"].values())[3:]


def check_reply(v):
    kind, number, run, rest = wire.read_reply(_frames_of(v))
    a, desk = v["in"], keys_of_desk()
    assert (kind, number, run.hex()) == (a["type"], a["request"], a["run"])
    if kind == wire.TYPES["hello"]:
        assert wire.read_hello_reply(*rest, [desk]).encode() == rest[0]
    elif kind == wire.TYPES["streams"]:
        generation, found = wire.read_streams(rest[0])
        assert generation == a["generation"]
        assert [dict(vars(s), tag=s.tag.hex(), key=s.key.hex())
                for s in found.values()] == a["streams"]
    elif kind == wire.TYPES["fetch"]:
        last, items = wire.read_fetch_reply(rest, a["stream"], a["first"])
        assert last == a["last"]
        assert [[0 if b else 1, f, e] for f, e, b in items] == a["items"]
    elif kind == wire.TYPES["refusals"]:
        for entry in wire.read_refusals(rest[0]):
            assert wire.refusal_verifies(entry, desk, DIALOGUE)
    elif kind == wire.TYPES["leaves"]:
        first, hashes = wire.read_leaves(*rest)
        assert first == a["from"]
        assert [one.hex() for one in hashes] == a["hashes"]


def keys_of_desk():
    return rosters("roster 1").desk_keys()[0]


def check_error(v):
    with pytest.raises(wire.DeskError) as found:
        wire.read_reply(_frames_of(v))
    assert found.value.rule == v["in"]["rule"]
    assert found.value.text == v["in"]["text"]
    assert found.value.values == typed(v["in"]["values"])


def check_fetch_reply(v):
    a = v["in"]
    wire.read_fetch_reply(_frames_of(v), a["stream"], a["first"])


def check_frame(v):
    a = v["in"]
    frame = feed.open_frame(x(a["dialogue"]), x(a["key"]), _frames_of(v))
    assert frame.part.hex() == a["part"]
    assert (frame.tag.hex(), frame.run.hex(), frame.generation,
            frame.number) == (a["tag"], a["run"], a["generation"],
                              a["number"])
    made = feed.seal(x(a["dialogue"]), x(a["tag"]), x(a["key"]), x(a["run"]),
                     a["generation"], a["number"], x(a["part"]),
                     x(a["nonce"]))
    assert made == _frames_of(v)
    kind, content = feed.read_part(frame.part)
    if kind == feed.HEAD:
        assert list(vars(content).values()) == a["head"]
    if kind == feed.BLOCK:
        assert content[0] == a["first"]
    if kind == feed.LEAVES:
        assert [one.hex() for one in content[1]] == a["leaves"]


CHECKS = {
    "label": check_label, "keys": check_keys,
    "secret-file": check_secret_file, "card": check_card,
    "parse": check_note_parse, "verify": check_note_verify,
    "sign": check_note_sign, "first": check_first, "next": check_next,
    "rights": check_rights, "sign-key": check_sign_key,
    "entity": is_valid(names.is_entity), "name": is_valid(names.is_name),
    "delegation": is_valid(names.is_delegation),
    "topic": is_valid(names.is_topic), "filter": is_valid(names.is_filter),
    "stream": is_valid(names.is_stream), "match": check_match,
    "msgpack": check_msgpack,
    "extension": lambda v: check_msgpack(v, ext_at=()),
    "tree": check_tree, "path": check_path, "message": check_message,
    "batch": check_batch, "body": check_body_or_content,
    "content": check_content, "frames": check_frames,
    "header": lambda v: messages.read_header(x(v["hex"])),
    "head": lambda v: messages.read_head(x(v["hex"])),
    "record": check_record, "newer-record": check_newer_record,
    "root": check_root, "stream-entry": check_stream_entry,
    "block": check_block, "block-signature": check_block_signature,
    "segment": check_segment, "promise": check_promise,
    "highest": check_highest, "uncut": check_uncut,
    "hello-signature": check_hello_signature, "request": check_request,
    "reply": check_reply, "error": check_error,
    "hello": lambda v: wire.read_hello(x(v["hex"])),
    "fetch-reply": check_fetch_reply, "frame": check_frame,
}
CHECKS.update(proof_checks.checks(ALL["roster"]))
