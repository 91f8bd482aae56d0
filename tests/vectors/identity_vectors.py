"""keys.json, notes.json, roster.json, names.json."""

import json

import world as w
from parley_client import keys, names, notes, rights, roster
from parley_client.errors import Refused


def good(name, kind, in_, out):
    return {"name": name, "kind": kind, "in": in_, "out": out}


def bad(name, kind, octets, error, **more):
    if isinstance(octets, str):
        return {"name": name, "kind": kind, "text": octets, "error": error,
                **more}
    return {"name": name, "kind": kind, "hex": octets.hex(), "error": error,
            **more}


# -- keys ---------------------------------------------------------------


def keys_vectors():
    out = [good(f"label {text}", "label", {"text": text},
                {"label": keys.label(text).hex()})
           for text in ("batch", "via", "promise", "hello", "frame", "key",
                        "stream", "sender")]
    for who in (w.EUROPOL, w.ROOTS[0], w.BROKER):
        out.append(_derived(who))
        out.append(good(f"secret file of {who.name}", "secret-file",
                        {"text": who.secret_file()},
                        {"kind": who.kind, "name": who.name,
                         "seed": who.seed.hex()}))
    out += [good(f"card of {who.name}", "card", {"note": notes.card(who)},
                 {"name": who.name,
                  "text": notes.card_text(who),
                  "digest": notes.digest(notes.card_text(who)).hex(),
                  "keys": _card_keys(who)})
            for who in (w.EUROPOL, w.ROOTS[0])]
    return out + _bad_secret_files() + _bad_cards()


def _derived(who):
    table = {}
    for key, secret in who.secret.items():
        entry = {"n": keys.KINDS[who.kind][key], "secret": secret.hex()}
        if key in who.public:
            entry["public"] = who.public[key].hex()
            entry["id"] = who.id(key).hex()
        if key in ("note", "root", "log", "witness"):
            entry["note_id"] = notes.id4(who.name, who.public[key]).hex()
        table[key] = entry
    return good(f"keys of {who.name}", "keys",
                {"kind": who.kind, "name": who.name, "seed": who.seed.hex()},
                table)


def _card_keys(who):
    kinds = {"delegation": keys.DELEGATION_KEYS, "root": keys.ROOT_KEYS}
    return {k: who.public[k].hex() for k in kinds[who.kind]}


def _bad_secret_files():
    text = w.EUROPOL.secret_file()
    seed = keys.b64(w.EUROPOL.seed)

    def edit(name, error, old, new):
        assert old in text
        return bad(f"secret file: {name}", "secret-file",
                   text.replace(old, new), error)

    return [
        edit("format 2", "no secret file of format 1", "secret/1",
             "secret/2"),
        edit("CRLF", "a line ends with CR", "\n", "\r\n"),
        edit("no final newline", "the last line is cut", f"{seed}\n", seed),
        edit("one line more", "six lines", f"{seed}\n", f"{seed}\n\n"),
        edit("two spaces", "one space stands between", "kind ", "kind  "),
        edit("unknown kind", "no such kind", "kind delegation", "kind proxy"),
        edit("name of another kind", "root names no delegation",
             "EUROPOL/hq", "EUROPOL/root"),
        edit("unknown protection", "only none is known", "none", "argon2id"),
        edit("seed without padding", "not the one spelling", "=\n", "\n"),
        edit("seed of 31 octets", "a seed has 32 octets", seed,
             keys.b64(w.EUROPOL.seed[:31])),
        edit("seed with loose bits", "not the one spelling", seed,
             _loosen(seed)),
    ]


def _loosen(text):
    """The same octets in a spelling that encoding does not give."""
    letters = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
               "0123456789+/")
    return text[:-2] + letters[letters.index(text[-2]) | 1] + "="


def _resigned(who, text):
    """A note that our signer would refuse to make."""
    key = "root" if who.kind == "root" else "note"
    octets = keys.sign(who.secret[key], text.encode())
    return notes.join(text, notes.line(who.name, who.public[key], octets))


def _bad_cards():
    text = notes.card_text(w.EUROPOL)
    other = notes.line("EUROPOL/hq", w.AFRIPOL.public["note"],
                       keys.sign(w.AFRIPOL.secret["note"], text.encode()))
    lines = text.split("\n")
    swapped = "\n".join(lines[:3] + [lines[4], lines[3]] + lines[5:])
    return [
        bad("card: signed by another key", "card",
            notes.join(text, other), "not signed by its own note key"),
        bad("card: keys in another order", "card",
            _resigned(w.EUROPOL, swapped), "sign stands first"),
        bad("card: one line more", "card",
            _resigned(w.EUROPOL, text + "x-more 1\n"), "exactly these lines"),
        bad("card: names a dialogue", "card",
            _resigned(w.EUROPOL, text.replace("\n-\n",
                                              f"\n{'00' * 32}\n", 1)),
            "a card has - for its dialogue"),
        bad("card: format 2", "card",
            _resigned(w.EUROPOL, text.replace("card/1", "card/2")),
            "no card of format 1"),
        bad("card: root's name, delegation's keys", "card",
            _resigned(w.EUROPOL, text.replace("EUROPOL/hq", "EUROPOL/root")),
            "a root signer's card has one key"),
    ]


# -- notes --------------------------------------------------------------

# The example of C2SP's signed-note page; its key is not published there.
C2SP = ("Ognuno sta solo sul cuor della terra\n"
        "trafitto da un raggio di sole:\n\ned \u00e8 subito sera.\n\n"
        "\u2014 quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/"
        "5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n")


def _communique(extra="Adopted in Lyon.\n"):
    return f"parley/communique/1\n{w.DIALOGUE.hex()}\n{extra}"


def _known(*who):
    return [{"name": i.name,
             "key": i.public["note" if i.kind == "delegation"
                             else "root"].hex()} for i in who]


def notes_vectors():
    text = _communique("Adopted in Lyon.\n\n\u2014 not a signature line\n")
    both = notes.sign(text, w.EUROPOL, w.AFRIPOL)
    known = _known(w.EUROPOL, w.AFRIPOL, w.RATS)
    sign = good("a communique, signed", "sign",
                {"text": text, "kind": "delegation",
                 "seeds": {i.name: i.seed.hex()
                           for i in (w.EUROPOL, w.AFRIPOL)}},
                {"note": both, "digest": notes.digest(text).hex()})
    out = [
        good("C2SP's example", "parse", {"note": C2SP},
             {"text": notes.parse(C2SP)[0], "signatures": [
                 {"name": s.name, "id4": s.id4.hex(),
                  "signature": s.signature.hex()}
                 for s in notes.parse(C2SP)[1]]}),
        sign,
        _verified("two known signers", both, known, text,
                  ["EUROPOL/hq", "AFRIPOL/hq"]),
        _verified("one is not known", both, _known(w.AFRIPOL), text,
                  ["AFRIPOL/hq"]),
        _verified("an unknown key under a known name",
                  notes.join(text, *_lines(both),
                             _line_as("SCO/rats", w.STRANGER, text)),
                  known, text, ["EUROPOL/hq", "AFRIPOL/hq"]),
        _verified("an unknown signature that is no Ed25519 one",
                  both + "\u2014 x.example/log AAAAAAE=\n", known, text,
                  ["EUROPOL/hq", "AFRIPOL/hq"]),
        _verified("DEL and C1 are not below U+0020",
                  notes.sign(_communique("\x7f\x85\n"), w.RATS), known,
                  _communique("\x7f\x85\n"), ["SCO/rats"]),
    ]
    return out + _bad_notes(text, both, known) + _bad_texts()


def _lines(note):
    return [line + "\n" for line in note.split("\n\n")[-1][:-1].split("\n")]


def _line_as(name, who, text):
    return notes.line(name, who.public["note"],
                      keys.sign(who.secret["note"], text.encode()))


def _verified(name, note, known, text, signers):
    table = [(k["name"], bytes.fromhex(k["key"])) for k in known]
    assert notes.verify(note, table)[0] == text
    return good(name, "verify", {"note": note, "known": known},
                {"text": text, "digest": notes.digest(text).hex(),
                 "signers": signers})


def _bad_notes(text, both, known):
    first, second = _lines(both)
    flipped = keys.unb64(first.split(" ")[2][:-1])
    flipped = flipped[:-1] + bytes([flipped[-1] ^ 1])
    wrong = f"\u2014 EUROPOL/hq {keys.b64(flipped)}\n"
    short = f"\u2014 EUROPOL/hq {keys.b64(flipped[:-1])}\n"
    low = notes.line("EUROPOL/hq", w.EUROPOL.public["note"],
                     _high_s(keys.sign(w.EUROPOL.secret["note"],
                                       text.encode())))

    def one(name, note, error):
        return bad(name, "verify", note, error, known=known)

    return [
        one("no signature", text + "\n", "no signature line"),
        one("no empty line", text[:-1].replace("\n\n", "\n") + "\n" + first,
            "no empty line before the signatures"),
        one("no known signer", notes.join(
            text, _line_as("STRANGER/hq", w.STRANGER, text)),
            "no signature by a known key"),
        one("a known key's signature is wrong", notes.join(text, wrong,
                                                           second),
            "a known key's signature does not verify"),
        one("a known key's signature is short", notes.join(text, short,
                                                           second),
            "a known key's signature does not verify"),
        one("S is not reduced", notes.join(text, low),
            "a non-canonical signature"),
        one("two by one key", notes.join(text, first, first),
            "two signatures by one key"),
        one("text changed", both.replace("Lyon", "Rome"),
            "a known key's signature does not verify"),
        one("no newline at the end", both[:-1], "ends without a newline"),
        one("hyphen for the dash", notes.join(text, first.replace(
            "\u2014", "-")), "not a signature line"),
        one("two spaces", notes.join(text, first.replace(" ", "  ", 1)),
            "not a signature line"),
        one("plus in a name", notes.join(text, first, second.replace(
            "AFRIPOL/hq", "AFRIPOL+hq")), "not a key name"),
        one("a name of 256", notes.join(text, first, second.replace(
            "AFRIPOL/hq", "x" * 256)), "a key name has 1 to 255 octets"),
        one("no-break space in a name", notes.join(
            text, first, second.replace("AFRIPOL/hq", "AFRIPOL\u00a0hq")),
            "not a key name"),
        one("base64 without padding", notes.join(text, first.replace(
            "=\n", "\n")), "not the one spelling"),
        one("no signature behind the id", notes.join(
            text, first, "\u2014 x.example AAAAAA==\n"),
            "a signature line without a signature"),
        one("tab", notes.join(text.replace(" ", "\t"), first),
            "a control character"),
        one("NUL", b"\0" + both.encode(), "a control character"),
        one("not UTF-8", both.encode().replace(b"Lyon", b"Ly\xf6n"),
            "not UTF-8"),
        one("surrogate", both.encode().replace(b"Lyon", b"\xed\xa0\x80"),
            "not UTF-8"),
        one("65 signatures", notes.join(text, first, *[
            f"\u2014 x{i}.example AAAAAAE=\n" for i in range(64)]),
            "more than 64 signatures"),
    ]


def _high_s(signature):
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(signature[32:], "little") + order
    return signature[:32] + s.to_bytes(32, "little")


def _bad_texts():
    """Texts that a signer refuses. signer: the kind of its key."""
    d = w.DIALOGUE.hex()

    def one(name, text, error, signer="delegation"):
        return bad(f"text: {name}", "sign", text, error, signer=signer)

    return [
        one("a delegation signs a roster", w.roster_text(w.roster_json()),
            "a delegation signs no roster"),
        one("a root key signs a communique", _communique(),
            "a root key signs no communique", "root"),
        one("unknown kind", f"parley/plan/1\n{d}\nx\n", "no kind of note"),
        one("a checkpoint", "dialogue.example/vectors/1\n5\nAAAA\n",
            "no kind of note"),
        one("format 0", f"parley/communique/0\n{d}\nx\n", "no format"),
        one("format 01", f"parley/communique/01\n{d}\nx\n", "no format"),
        one("upper-case dialogue", f"parley/communique/1\n{d.upper()}\nx\n",
            "not a dialogue id"),
        one("short dialogue", f"parley/communique/1\n{d[:-1]}\nx\n",
            "not a dialogue id"),
        one("a communique without dialogue", "parley/communique/1\n-\nx\n",
            "a communique names its dialogue"),
        one("one line", "parley/communique/1\n", "two lines at least"),
        one("no newline at the end", f"parley/communique/1\n{d}\nx",
            "ends without a newline"),
        one("carriage return", f"parley/communique/1\n{d}\nx\r\n",
            "a control character"),
    ]


# -- names --------------------------------------------------------------


def _short(text):
    return text if len(text) <= 40 else f"{text[:30]}... ({len(text)})"


def names_vectors():
    out = []
    tests = {
        "entity": (names.is_entity, ["EU", "E9", "A" * 16],
                   ["E", "9E", "eu", "A" * 17, "", "E-U", "\u00c9U", "EU\n"]),
        "delegation": (names.is_delegation,
                       ["EUROPOL/hq", "SCO/a-", "A" * 16 + "/" + "a" * 32],
                       ["EUROPOL", "EUROPOL/", "EUROPOL/root", "EUROPOL/HQ",
                        "EUROPOL/hq/1", "EUROPOL/9", "/hq", "EUROPOL/-a",
                        "EUROPOL/" + "a" * 33]),
        "name": (names.is_name, ["a", "a-", "a" * 32],
                 ["", "9", "-a", "A", "a" * 33, "a_b", "$log"]),
        "topic": (names.is_topic, _GOOD_TOPICS, _BAD_TOPICS),
        "filter": (names.is_filter, _GOOD_FILTERS, _BAD_FILTERS),
        "stream": (names.is_stream, ["$log", "members", "@EUROPOL"],
                   ["", "@", "$Log", "@EUROPOL+SCO", "log/a", "Members"]),
    }
    for kind, (check, right, wrong) in tests.items():
        for text in right + wrong:
            assert check(text) == (text in right), (kind, text)
            out.append(good(f"{kind}: {_short(text)}", kind, {"text": text},
                            {"valid": text in right}))
    for pattern, topic, want in _MATCHES:
        assert names.matches(pattern, topic) == want, (pattern, topic)
        out.append(good(f"{pattern} on {topic}", "match",
                        {"filter": pattern, "topic": topic},
                        {"matches": want}))
    return out


_ADHOC_128 = "@" + "+".join(
    [f"A{i:02d}BCDEFGHIJKL" for i in range(8)] + ["ZZZZZZZ"])
_GOOD_TOPICS = [
    "members/plan", "members/plan/EUROPOL/EUROPOL-empact-2026-2029",
    "a/.", "a/..", "a/-", "a/_", "@EUROPOL/x", "@AFRIPOL+EUROPOL/x",
    "@EU+EUR/x", "@A1+AA/x", "log/x", "/".join(["a"] * 16),
    "a/" + "b" * 128, _ADHOC_128 + "/x", "a/" + "b" * 128 + "/" + "c" * 124]
_BAD_TOPICS = [
    "", "members", "members/", "/a", "a//b", "a/b/", "$log/a", "Members/a",
    "a/b c", "a/+", "a/#", "a/b+c", "a/\u00e9", "a/b\n", "@/a", "@europol/a",
    "@EUROPOL+AFRIPOL/a", "@EUR+EU/a", "@EUROPOL+EUROPOL/a", "@EUROPOL+/a",
    "@EUROPOL/hq+SCO/a", "a/@EUROPOL", "/".join(["a"] * 17), "a/" + "b" * 129,
    "a" * 33 + "/b", _ADHOC_128 + "Z/x",
    "a/" + "b" * 128 + "/" + "c" * 125]
_GOOD_FILTERS = [
    "#", "+", "members", "members/#", "members/+", "+/plan/+/#", "+/+",
    "@AFRIPOL+EUROPOL", "@AFRIPOL+EUROPOL/#", "a/#", "/".join(["+"] * 16),
    "/".join(["a"] * 15) + "/#"]
_BAD_FILTERS = [
    "", "/", "a/", "/#", "#/a", "a/#/b", "a/b#", "a/b+", "a/+b", "##", "$log",
    "$log/#", "@+", "@EUROPOL+AFRIPOL", "Members/#", "/".join(["+"] * 17),
    "/".join(["a"] * 16) + "/#"]
_MATCHES = [
    ("#", "a/b", True), ("#", "@EU+SCO/b", True), ("a", "a/b", False),
    ("a/#", "a/b", True), ("a/#", "a", True), ("a/b/#", "a/b", True),
    ("a/b/#", "a/bc", False), ("a/+", "a/b", True), ("a/+", "a/b/c", False),
    ("a/+", "a", False), ("+", "a/b", False), ("+/b", "a/b", True),
    ("+/b", "@EU+SCO/b", True), ("@EU+SCO/+", "@EU+SCO/b", True),
    ("@EU+SCO/+", "@EU+FR+SCO/b", False), ("a/+/c", "a/b/c", True),
    ("a/+/#", "a/b", True), ("a/+/#", "a/b/c/d", True),
    ("a/+/#", "a", False), ("a/b", "a/b", True), ("a/b", "a/B", False),
    ("a/b/c", "a/b", False)]


# -- roster -------------------------------------------------------------


def _roster_out(r):
    return {"dialogue": r.dialogue.hex(), "digest": r.digest.hex(),
            "version": r.version, "epoch": r.epoch,
            "threshold": r.threshold,
            "signers": [s[0] for s in r.signers],
            "delegations": list(r.delegations),
            "channels": list(r.channels), "quorum": r.quorum}


def roster_vectors():
    out = [
        good("roster 1", "first", {"note": w.NOTE1}, _roster_out(w.ROSTER1)),
        good("roster 2", "next", {"before": "roster 1", "note": w.NOTE2},
             _roster_out(w.ROSTER2)),
    ]
    return out + _rights() + _sign_keys() + _bad_first() + _bad_next()


def _rights():
    out = []
    for version, r in ((1, w.ROSTER1), (2, w.ROSTER2)):
        for channel in ("$log", "dialogue", "members", "frontline",
                        "secretariat", "nowhere", "@AFRIPOL+EUROPOL",
                        "@AFRIPOL+SCO", "@SCO", "@EUROPOL+NOBODY"):
            for d in ("EUROPOL/hq", "AFRIPOL/written", "SCO/rats",
                      "SCO/secretariat", "NOBODY/hq"):
                out.append(_right(version, r, d, channel))
    return out


def _right(version, r, delegation, channel):
    out = {}
    for word, ask in (("read", rights.may_read), ("write",
                                                  rights.may_write)):
        try:
            out[word] = ask(r, delegation, channel, w.T0)
        except Refused as refused:
            out[word] = False
            out["rule"] = refused.rule
    return good(f"roster {version}: {delegation} on {channel}", "rights",
                {"roster": f"roster {version}", "delegation": delegation,
                 "channel": channel, "time": w.T0}, out)


def _dated_note():
    """A roster 2 with an expiring delegation and an older key set."""
    obj = w.roster2_json()
    older = w.identity("delegation", "EUROPOL/old")
    obj["entities"][0]["delegations"][0]["keys"].append(
        dict(w.keyset(older), until="2019-06-22T00:00:00.5Z"))
    obj["entities"][2]["delegations"][0]["expires"] = (
        "2019-06-22T02:00:00+02:00")
    return notes.sign(w.roster_text(obj, w.DIALOGUE), *w.ROOTS), older


def _sign_keys():
    note, older = _dated_note()
    r = roster.following(w.ROSTER1, note)
    limit = 1561161600000  # 2019-06-22T00:00:00Z
    out = [good("a roster with dates", "next",
                {"before": "roster 1", "note": note}, _roster_out(r))]
    for who, name, time in (
            (w.EUROPOL, "EUROPOL/hq", limit + 10**9),
            (older, "EUROPOL/hq", limit + 499),
            (older, "EUROPOL/hq", limit + 500),
            (w.RATS, "SCO/rats", limit - 1), (w.RATS, "SCO/rats", limit),
            (w.WRITTEN, "AFRIPOL/written", w.T0),
            (w.RATS, "EUROPOL/hq", w.T0),
            (w.STRANGER, "STRANGER/hq", w.T0)):
        try:
            key = rights.sign_key(r, name, who.id("sign"), time)
            verdict = {"valid": True, "key": key.hex()}
        except Refused as refused:
            verdict = {"valid": False, "rule": refused.rule}
        out.append(good(f"{who.name}'s key for {name} at {time}", "sign-key",
                        {"roster": "a roster with dates", "delegation": name,
                         "key_id": who.id("sign").hex(), "time": time},
                        verdict))
    return out


def _changed(path, value, base=None):
    """Roster JSON with the value at a path replaced; ... removes it."""
    obj = base or w.roster_json()
    at = obj
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return obj


_EUROPOL_KEYS = ("entities", 0, "delegations", 0, "keys", 0)
_BAD_MEMBERS = [
    ("unknown name", ("colour",), "blue", "$.colour: unknown name"),
    ("format as a real", ("format",), 1.0, "$.format: no whole number"),
    ("format as true", ("format",), True, "$.format: no whole number"),
    ("a member is missing", ("proxies",), ..., "$.proxies: missing"),
    ("version 2 first", ("version",), 2, "$.version: the first is 1"),
    ("previous in the first", ("previous",), "00" * 32,
     "$.previous: the first has null"),
    ("no nonce", ("nonce",), ..., "$.nonce: missing"),
    ("short nonce", ("nonce",), "00" * 31, "$.nonce: 32 octets hex"),
    ("upper-case hex", ("nonce",), "AB" * 32, "$.nonce: lower case"),
    ("origin with plus", ("origin",), "a+b", "$.origin: no plus"),
    ("origin with space", ("origin",), "a b", "$.origin: no spaces"),
    ("long name", ("name",), "x" * 201, "$.name: up to 200"),
    ("epoch 1 with a base", ("epoch", "base_size"), 1,
     "$.epoch.base_size: unknown in epoch 1"),
    ("threshold 0", ("threshold",), 0, "$.threshold: 1 to 3"),
    ("threshold above the signers", ("threshold",), 4,
     "$.threshold: 1 to 3"),
    ("two signers of an entity", ("root_signers", 1, "entity"), "EUROPOL",
     "$.root_signers: one an entity"),
    ("no broker", ("brokers",), [], "$.brokers: 1 to 8"),
    ("endpoint", ("brokers", 0, "desk"), "ipc:///tmp/x",
     "$.brokers[0].desk: tcp://HOST:PORT"),
    ("port 0", ("brokers", 0, "desk"), "tcp://a:0",
     "$.brokers[0].desk: tcp://HOST:PORT"),
    ("no desk key", ("brokers", 0, "desk_key"), [],
     "$.brokers[0].desk_key: 1 or 2"),
    ("key not base64", ("log", "key"), "x", "$.log.key: base64"),
    ("key without padding", ("log", "key"),
     keys.b64(w.BROKER.public["log"])[:-1], "$.log.key: base64"),
    ("a key twice", ("log", "key"), keys.b64(w.BROKER.public["desk"]),
     "$.brokers[0].desk_key[0].key: stands twice"),
    ("an entity twice", ("entities", 1, "id"), "EUROPOL",
     "$.entities: an id twice"),
    ("entity's id", ("entities", 0, "id"), "Europol",
     "$.entities[0].id: no entity"),
    ("role", ("entities", 0, "role"), "Member", "$.entities[0].role: a name"),
    ("delegation root", ("entities", 1, "delegations", 0, "id"), "root",
     "$.entities[1].delegations[0].id: root"),
    ("older without until", ("entities", 0, "delegations", 0, "keys"),
     [w.keyset(w.EUROPOL), w.keyset(w.STRANGER)],
     "$.entities[0].delegations[0].keys[1].until: missing"),
    ("until in the newer", _EUROPOL_KEYS + ("until",),
     "2030-01-01T00:00:00Z", "..keys[0].until: unknown name"),
    ("a key is missing", _EUROPOL_KEYS + ("seal",), ...,
     "..keys[0].seal: missing"),
    ("expires is no time", ("entities", 0, "delegations", 0, "expires"),
     "2030-13-01T00:00:00Z", "..expires: RFC 3339"),
    ("expires without zone", ("entities", 0, "delegations", 0, "expires"),
     "2030-01-01T00:00:00", "..expires: RFC 3339"),
    ("revoked false", ("entities", 0, "delegations", 0, "revoked"), False,
     "..revoked: true or a date"),
    ("group of nobody", ("groups", 0, "entities", 0), "NOBODY",
     "$.groups[0].entities[0]: no entity"),
    ("channel log", ("channels", 0, "id"), "log", "$.channels[0].id: log"),
    ("a channel twice", ("channels", 1, "id"), "dialogue",
     "$.channels[1].id: twice"),
    ("writer is no reader", ("channels", 1, "writers"),
     ["role:member", "entity:SCO"], "$.channels[1].writers: SCO may not read"),
    ("grantee of no kind", ("channels", 0, "readers"), ["member"],
     "$.channels[0].readers[0]: no grantee"),
    ("unknown grantee", ("adhoc",), ["group:nowhere"],
     "$.adhoc[0]: nobody"),
    ("retention 0", ("channels", 1, "retention_days"), 0,
     "$.channels[1].retention_days: from 1"),
    ("unknown witness", ("witnesses", 0), "NOBODY/hq",
     "$.witnesses[0]: no delegation"),
    ("quorum 0", ("quorum",), 0, "$.quorum: 1 to 3"),
    ("quorum above", ("quorum",), 4, "$.quorum: 1 to 3"),
    ("limit 0", ("limits", "connections"), 0, "$.limits.connections: from 1"),
    ("limit above", ("limits", "connections"), 65,
     "$.limits.connections: to 64"),
    ("limit missing", ("limits", "lanes_a_day"), ...,
     "$.limits.lanes_a_day: missing"),
]


def _first_note(obj, *signers):
    return notes.sign(w.roster_text(obj), *(signers or w.ROOTS))


def _bad_first():
    out = [good("members named x-", "first", {"note": note},
                _roster_out(roster.first(note)))
           for note in [_first_note(_changed(
               ("entities", 0, "x-seat"), {"city": "The Hague"}))]]
    for name, path, value, error in _BAD_MEMBERS:
        out.append(bad(name, "first", _first_note(_changed(path, value)),
                       error))
    text = w.roster_text(w.roster_json())
    twice = text.replace('"format":1,', '"format":1,"format":1,')
    assert twice != text
    deep = _changed(("x-deep",), json.loads("[" * 16 + "]" * 16))
    out += [
        bad("a name twice", "first", notes.sign(twice, *w.ROOTS),
            "a name stands twice"),
        bad("octets behind the object", "first",
            notes.sign(text + "{}\n", *w.ROOTS), "one object"),
        bad("nested 17 deep", "first", _first_note(deep), "nesting 16"),
        bad("one signature of two", "first",
            _first_note(w.roster_json(), w.ROOTS[2]), "1 of 2 signatures"),
        bad("no signature that counts", "first",
            _first_note(w.roster_json(), w.identity("root", "STRANGER/root")),
            "no signature by a known key"),
        bad("roster 2 as the first", "first", w.NOTE2, "not the first"),
        bad("format 2", "first", _first_note(_changed(("format",), 2)),
            "needs a newer version", rule="NEWER-FORMAT"),
        bad("a feature is required", "first",
            _first_note(_changed(("requires",), ["sealing"])),
            "needs a newer version", rule="NEWER-FORMAT"),
    ]
    return out


def _bad_next():
    def one(name, error, path=(), value=None, signers=None, dialogue=None):
        obj = w.roster2_json()
        if path:
            obj = _changed(path, value, obj)
        text = w.roster_text(obj, dialogue or w.DIALOGUE)
        note = notes.sign(text, *(signers or w.ROOTS))
        return bad(f"next: {name}", "next", note, error, before="roster 1")

    stranger = w.identity("root", "STRANGER/root")
    other = w.identity("root", "UNODC/root")
    taken = [{"entity": s.name[:-5], "key": keys.b64(s.public["root"])}
             for s in (stranger, other)]
    later = {"number": 2, "base_size": 9, "base_root": "00" * 32}
    log = keys.b64(w.identity("broker", "next").public["log"])
    obj = _changed(("epoch",), later, w.roster2_json())
    obj = _changed(("log", "key"), log, obj)
    note = notes.sign(w.roster_text(obj, w.DIALOGUE), *w.ROOTS[:2])
    return [
        good("roster 2 opens epoch 2", "next",
             {"before": "roster 1", "note": note},
             _roster_out(roster.following(w.ROSTER1, note))),
        one("another predecessor", "previous is not roster 1's digest",
            ("previous",), "00" * 32),
        one("another dialogue", "another dialogue", dialogue=bytes(32)),
        one("a version is left out", "version 3 behind 1", ("version",), 3),
        one("a nonce", "$.nonce: unknown name", ("nonce",), "00" * 32),
        one("epoch 3 behind 1", "the same epoch or one higher", ("epoch",),
            dict(later, number=3)),
        one("epoch 2 with the log key of epoch 1", "another log key, or the "
            "same", ("epoch",), later),
        one("another log key in epoch 1", "another log key, or the same",
            ("log", "key"), log),
        one("epoch 2 without base", "$.epoch.base_size: missing", ("epoch",),
            {"number": 2}),
        one("one signature of two", "1 of 2 signatures",
            signers=[w.ROOTS[0]]),
        one("only the new signers", "0 of 2 of the predecessor's signatures",
            ("root_signers",), taken, signers=[stranger, other]),
        one("only the old signers", "0 of 2 of its own signatures",
            ("root_signers",), taken, signers=w.ROOTS),
        bad("roster 1 behind itself", "next", w.NOTE1,
            "a first roster follows none", before="roster 1"),
    ]
