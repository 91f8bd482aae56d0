"""proofs.json: checkpoints, cosignatures, quorums, policies, receipts,
evidence, all about the ledger of world.py."""

import json

import world as w
from identity_vectors import bad, good
from parley_client import (checkpoint, evidence, keys, ledger, notes, policy,
                           receipt, tree)

ORIGIN = "dialogue.example/vectors/1"
LEAVES = [r.leaf for r in w.RECORDS]
AT = w.T0 // 1000 + 60
WITNESSES = (w.EUROPOL, w.AFRIPOL, w.RATS)
POLICY = policy.write(w.ROSTER1)


def point(leaves=None, size=None):
    leaves = (leaves or LEAVES)[:size]
    return checkpoint.Checkpoint(ORIGIN, len(leaves),
                                 tree.root_of_leaves(leaves))


def cosigned(of, *who):
    """The note, with cosignatures a second apart from AT on."""
    return checkpoint.add_lines(checkpoint.sign(of, w.BROKER), *(
        checkpoint.cosign(of, one, AT + i) for i, one in enumerate(who)))


POINT = point()
NOTE = checkpoint.sign(POINT, w.BROKER)
SETTLED = cosigned(POINT, w.RATS, w.EUROPOL)
LINES = checkpoint.lines(SETTLED)


def proofs_vectors():
    return [*_checkpoints(), *_cosignatures(), *_quorums(), *_policies(),
            *_receipts(), *_evidence()]


# -- checkpoints --------------------------------------------------------


def _checkpoints():
    out = []
    for name, of in (("of all records", POINT), ("of none", point([b""], 0)),
                     ("of one", point(size=1)),
                     ("of 2^53-1", checkpoint.Checkpoint(
                         ORIGIN, 2**53 - 1, bytes(32)))):
        out.append(good(f"checkpoint {name}", "checkpoint", {
            "origin": of.origin, "size": of.size, "root": of.root.hex(),
            "broker": w.BROKER.name, "seed": w.BROKER.seed.hex()}, {
            "text": of.text(), "note": checkpoint.sign(of, w.BROKER),
            "vkey": checkpoint.vkey(ORIGIN, w.BROKER.public["log"])}))
    root = keys.b64(POINT.root)
    log = checkpoint.lines(NOTE)[0]

    def one(name, text, error, lines=log):
        return bad(f"checkpoint: {name}", "checkpoint", f"{text}\n{lines}",
                   error, log=w.BROKER.public["log"].hex(), origin=ORIGIN)

    other = w.identity("broker", "another")
    communique = notes.sign(f"parley/communique/1\n{'1' * 64}\n{root}\n",
                            w.EUROPOL)
    return out + [
        one("two lines", f"{ORIGIN}\n11\n", "three lines"),
        one("an extension line", f"{ORIGIN}\n11\n{root}\nmore\n",
            "three lines"),
        one("a leading zero", f"{ORIGIN}\n011\n{root}\n", "size"),
        one("a sign", f"{ORIGIN}\n+11\n{root}\n", "size"),
        one("2^53", f"{ORIGIN}\n{2**53}\n{root}\n", "size: to 2^53-1"),
        one("no padding", f"{ORIGIN}\n11\n{root[:-1]}\n", "root: base64"),
        one("a root in hex", f"{ORIGIN}\n11\n{POINT.root.hex()}\n",
            "root: base64"),
        one("no origin", f"\n11\n{root}\n", "origin"),
        one("another size", f"{ORIGIN}\n12\n{root}\n", "signature"),
        one("another origin", f"{ORIGIN[:-1]}2\n11\n{root}\n", "origin"),
        one("another key", POINT.text(), "the log did not sign",
            checkpoint.lines(checkpoint.sign(POINT, other))[0]),
        one("signed twice", POINT.text(), "twice", log * 2),
        one("only cosigned", POINT.text(), "the log did not sign", LINES[1]),
        bad("checkpoint: a communique that looks like one", "checkpoint",
            communique, "no checkpoint", log=w.EUROPOL.public["note"].hex(),
            origin="parley/communique/1"),
    ]


def _cosignatures():
    out = [good(f"cosignature of {who.name}", "cosignature", {
        "text": POINT.text(), "witness": who.name, "seed": who.seed.hex(),
        "time": AT + i}, {
        "signed": checkpoint.cosigned_octets(POINT.text(), AT + i).decode(),
        "line": checkpoint.cosign(POINT, who, AT + i),
        "vkey": checkpoint.vkey(who.name, who.public["witness"],
                                notes.COSIGNATURE)})
        for i, who in enumerate(WITNESSES)]

    def one(name, error, *lines):
        return bad(f"cosignature: {name}", "cosignature",
                   checkpoint.add_lines(NOTE, *lines), error,
                   witness="EUROPOL/hq",
                   key=w.EUROPOL.public["witness"].hex())

    mine = checkpoint.cosign(POINT, w.EUROPOL, AT)
    octets = keys.unb64(mine.split(" ")[2].strip())

    def changed(octets_of):
        return f"\u2014 EUROPOL/hq {keys.b64(octets_of)}\n"

    as_note = keys.sign(w.EUROPOL.secret["witness"], POINT.text().encode())
    return out + [
        one("twice", "two by one key", mine, mine),
        one("of another checkpoint", "signature",
            checkpoint.cosign(point(size=5), w.EUROPOL, AT)),
        one("another time", "signature",
            changed(octets[:11] + bytes([octets[11] ^ 1]) + octets[12:])),
        one("no time", "length", changed(octets[:4] + octets[12:])),
        one("one octet more", "length", changed(octets + b"\0")),
        one("of the text alone", "signature",
            changed(octets[:12] + as_note)),
    ]


# -- quorums and policies -----------------------------------------------


_COSIGNED = {"nobody": (), "one": (w.AFRIPOL,), "two": (w.RATS, w.EUROPOL),
             "three": (w.AFRIPOL, w.RATS, w.EUROPOL),
             "one witness and a stranger": (w.EUROPOL, w.STRANGER)}


def _quorums():
    out = []
    for name, who in _COSIGNED.items():
        note = cosigned(POINT, *who)
        out.append(good(f"quorum: {name}", "quorum", {
            "roster": "roster 1", "note": note}, {
            "times": checkpoint.times(note, w.ROSTER1),
            "whole": checkpoint.is_whole(note, w.ROSTER1),
            "time": checkpoint.quorum_time(note, w.ROSTER1),
            "bound": checkpoint.bound(note, w.ROSTER1)}))
    return out


def _vkey(who):
    return checkpoint.vkey(who.name, who.public["witness"], notes.COSIGNATURE)


_LOG = f"log {checkpoint.vkey(ORIGIN, w.BROKER.public['log'])}\n"
_THREE = _LOG + "".join(f"witness {c} {_vkey(who)}\n"
                        for c, who in zip("abc", WITNESSES))
_POLICIES = {
    "of roster 1": POLICY,
    "two of three, with blanks and comments":
        f"\n# trust\n \t#\n{_THREE}\tgroup  g 2\ta b c \nquorum g\n",
    "all": f"{_THREE}group g all a b c\nquorum g\n",
    "any": f"{_THREE}group g any a b c\nquorum g\n",
    "one witness": f"{_THREE}quorum b\n",
    "none": f"{_THREE}quorum none\n",
    "groups of groups": f"{_THREE}group g any a b\ngroup h all g c\n"
                        "quorum h\n",
}


def _policies():
    out = [good("policy of roster 1, written", "policy-text",
                {"roster": "roster 1"}, {"text": POLICY})]
    for name, text in _POLICIES.items():
        read = policy.Policy(text)
        for signed, who in _COSIGNED.items():
            note = cosigned(POINT, *who)
            vector = {"policy": text, "note": note}
            title = f"policy {name}, signed by {signed}"
            try:
                _, found = read.check(note)
            except ValueError:
                out.append({"name": title, "kind": "policy-check",
                            "in": vector, "error": "no quorum"})
                continue
            out.append(good(title, "policy-check", vector, {
                "cosigned": len(found), "bound": read.bound(found)}))
    wrong = f"{SETTLED}{LINES[1]}"
    out.append({"name": "policy: a wrong line beside a quorum",
                "kind": "policy-check",
                "in": {"policy": POLICY, "note": wrong},
                "error": "two by one key"})
    return out + [bad(f"policy: {name}", "policy", text, error)
                  for name, text, error in (
        ("no quorum", _THREE, "a quorum line"),
        ("two quorums", f"{_THREE}quorum a\nquorum a\n", "one quorum line"),
        ("quorum of nobody", f"{_THREE}quorum d\n", "a name above"),
        ("a group before its member",
         f"{_LOG}group g any a\nwitness a {_vkey(w.RATS)}\nquorum g\n",
         "a name above"),
        ("a member twice", f"{_THREE}group g 2 a a b\nquorum g\n",
         "a member once"),
        ("a member of two groups",
         f"{_THREE}group g any a\ngroup h any a b\nquorum h\n",
         "a member once"),
        ("four of three", f"{_THREE}group g 4 a b c\nquorum g\n", "1 to 3"),
        ("none of three", f"{_THREE}group g 0 a b c\nquorum g\n", "1 to 3"),
        ("a name twice", f"{_THREE}group a any b\nquorum a\n", "a new name"),
        ("a group named none", f"{_THREE}group none any b\nquorum none\n",
         "a new name"),
        ("a witness twice", f"{_THREE}witness d {_vkey(w.RATS)}\nquorum d\n",
         "another key"),
        ("a log twice", f"{_LOG}{_LOG}quorum none\n", "another key"),
        ("another id", _LOG.replace("+1", "+2", 1) + "quorum none\n",
         "the key's id"),
        ("a carriage return", "quorum none\r\n", "no control character"),
        ("no newline", "quorum none", "a newline"),
    )]


# -- receipts -----------------------------------------------------------


IDS = [m[0].id for m in w.MESSAGES]


def _receipts():
    out = []
    for sequence, batch, note in (
            (3, tree.path(1, IDS), w.NOTE1), (6, [], w.NOTE1),
            (7, [], w.NOTE1), (0, None, None), (10, None, None)):
        proof = receipt.make(sequence, LEAVES, SETTLED, batch)
        out.append(_receipt(f"receipt of record {sequence}", proof, note))
    proof = receipt.make(3, LEAVES, SETTLED, tree.path(1, IDS))

    def one(name, error, text=None, **change):
        vector = _receipt(f"receipt: {name}", proof, w.NOTE1, text, change)
        vector["error"] = error
        del vector["out"]
        return vector

    text = proof.write()
    record = w.RECORDS[3].octets
    three = tree.path(2, IDS)
    moved = receipt.make(4, LEAVES, SETTLED, tree.path(1, IDS)).write()
    return out + [
        one("another record", "the path", record=w.RECORDS[4].octets.hex()),
        one("an octet changed", "the path",
            record=(record[:-1] + b"\x81").hex()),
        one("another place", "the path", moved),
        one("another body", "digest", body=w.MESSAGES[0][1].hex()),
        one("a roster of another dialogue", "dialogue",
            roster=notes.sign(w.roster_text(dict(
                w.roster_json(), name="Another")), *w.ROOTS)),
        one("no quorum", "quorum", receipt.make(
            3, LEAVES, cosigned(POINT, w.RATS), tree.path(1, IDS)).write()),
        one("only the log", "quorum", receipt.make(
            3, LEAVES, NOTE, tree.path(1, IDS)).write()),
        one("another batch path", "signature", receipt.make(
            3, LEAVES, SETTLED, three).write()),
        one("no batch path", "batch path", receipt.make(
            3, LEAVES, SETTLED, None).write()),
        one("a smaller ledger", "the path", receipt.Receipt(
            3, tree.path(3, LEAVES), cosigned(point(size=9), *WITNESSES),
            tree.path(1, IDS)).write()),
        one("a node less", "length", receipt.Receipt(
            3, tree.path(3, LEAVES)[:-1], SETTLED,
            tree.path(1, IDS)).write()),
        one("another first line", "tlog-proof", text.replace("@v1", "@v2")),
        one("a leading zero", "index", text.replace("index 3", "index 03")),
        one("no index", "index", text.replace("index 3\n", "")),
        one("no empty line", "an empty line",
            text.replace("\n\n", "\n", 1).split("\n\n")[0]),
    ]


def _receipt(name, proof, roster_note, text=None, change=None):
    record = w.RECORDS[proof.index]
    body = w.BODIES[proof.index]
    given = {"receipt": text or proof.write(), "record": record.octets.hex(),
             "body": body.hex() if body else None, "roster": roster_note,
             "policy": POLICY, **(change or {})}
    message = record.type == ledger.MESSAGE
    return good(name, "receipt", given, {
        "index": proof.index, "size": POINT.size, "bound": AT,
        "path": [one.hex() for one in proof.path],
        "batch": proof.batch and [one.hex() for one in proof.batch],
        "author": record.header().author if message else None})


# -- evidence -----------------------------------------------------------


def _leaf(leaves, index, record=None, size=None):
    leaves = leaves[:size]
    return evidence.Leaf(checkpoint.sign(point(leaves), w.BROKER), index,
                         leaves[index], tree.path(index, leaves), record)


def _root(leaves, older, size=None):
    leaves = leaves[:size]
    return evidence.Leaf(checkpoint.sign(point(leaves), w.BROKER), older,
                         tree.root_of_leaves(leaves[:older]),
                         tree.consistency(older, leaves))


def _file(kind, *leaves, promise=None, rosters=None):
    return evidence.Evidence(kind, w.DIALOGUE, w.T0 + 10**6, "AFRIPOL/hq",
                             rosters or [w.NOTE1, w.NOTE2], list(leaves),
                             promise).write()


def _with(record, **values):
    out = ledger.Record(**dict(vars(record), **values))
    out.encode()
    return out


def _put(*records):
    """The ledger's leaves with these in the places that they state."""
    leaves = list(LEAVES)
    for one in records:
        leaves[one.sequence] = one.leaf
    return leaves


def _evidence():
    other = [*LEAVES[:7], bytes(32), *LEAVES[8:]]
    late = _with(w.RECORDS[4], log_time=w.T0 + 1)
    forged = _with(w.RECORDS[6], signature=bytes(64))
    # Recorded under roster 2, in which its author is revoked.
    unlisted = _with(w.RECORDS[7], sequence=10, roster=9)
    kept = w.promise([(0, 2), (1, 3)]).highest(1)
    true = {
        "two leaves": _file("two-leaves", _leaf(LEAVES, 7), _leaf(other, 7)),
        "two leaves, two sizes": _file(
            "two-leaves", _leaf(LEAVES, 7, size=8), _leaf(other, 7)),
        "two roots": _file("two-roots", _root(LEAVES, 11), _root(other, 11)),
        "two roots, two sizes": _file("two-roots", _root(LEAVES, 8, 8),
                                      _root(other, 8)),
        "a broken promise": _file(
            "broken-promise", _leaf(_put(_with(w.RECORDS[3], epoch=1,
                                               log_time=w.T0)), 3),
            promise=kept),
        "time that goes back": _file(
            "time-back", _leaf(_put(late), 3, w.RECORDS[3].octets),
            _leaf(_put(late), 4, late.octets)),
        "a forged signature": _file(
            "bad-record", _leaf(_put(forged), 6, forged.octets),
            rosters=[w.NOTE1]),
        "an author that is revoked": _file(
            "bad-record", _leaf(_put(unlisted), 10, unlisted.octets),
            _leaf(_put(unlisted), 9, w.RECORDS[9].octets)),
    }
    false = {
        "one leaf": _file("two-leaves", _leaf(LEAVES, 7),
                          _leaf(LEAVES, 7, size=8)),
        "two places": _file("two-leaves", _leaf(LEAVES, 7),
                            _leaf(LEAVES, 8)),
        "one root": _file("two-roots", _root(LEAVES, 8, 8),
                          _root(LEAVES, 8)),
        "a promise that was kept": _file("broken-promise", _leaf(LEAVES, 3),
                                         promise=kept),
        "time that does not go back": _file(
            "time-back", _leaf(LEAVES, 3, w.RECORDS[3].octets),
            _leaf(LEAVES, 4, w.RECORDS[4].octets)),
        "a good record": _file(
            "bad-record", _leaf(LEAVES, 6, w.RECORDS[6].octets)),
        "nobody knows the roster": _file(
            "bad-record", _leaf(_put(unlisted), 10, unlisted.octets)),
        "no first roster": _file("two-leaves", _leaf(LEAVES, 7),
                                 _leaf(other, 7), rosters=[w.NOTE2]),
        "a kind of nobody": _file("three-leaves", _leaf(LEAVES, 7),
                                  _leaf(other, 7)),
    }
    signed = json.loads(true["two leaves"])
    stranger = w.identity("broker", "another")
    signed["leaves"][0]["checkpoint"] = checkpoint.sign(POINT, stranger)
    false["another log's key"] = json.dumps(signed)
    return [good(f"evidence: {name}", "evidence", {
        "json": text, "dialogue": w.DIALOGUE.hex()}, {
        "kind": json.loads(text)["kind"]}) for name, text in true.items()] + [
        bad(f"no evidence: {name}", "evidence", text, "proves nothing",
            dialogue=w.DIALOGUE.hex()) for name, text in false.items()] + [
        bad("no evidence: of another dialogue", "evidence",
            true["two leaves"], "another dialogue", dialogue="00" * 32)]
