"""Trees, checkpoints, cosignatures, policies, receipts, tiles, marks and
evidence: known vectors of RFC 6962 and C2SP, and each rule once broken."""

import base64
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "vectors")]

import world as w  # noqa: E402
from parley_client import (checkpoint, evidence, keys, ledger,  # noqa: E402
                           marks, notes, policy, receipt, tiles, tree)
from parley_client import canonical as mp  # noqa: E402
from parley_client.auditor import Auditor, line_note  # noqa: E402
from parley_client.errors import Refused  # noqa: E402
from parley_client.view import View  # noqa: E402

x = bytes.fromhex


def refused(call, *args, **more):
    with pytest.raises(Refused) as error:
        call(*args, **more)
    return error.value.rule


# -- RFC 6962: the entries and roots of Certificate Transparency's tests --

ENTRIES = [x(e) for e in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f")]
LEAVES = [tree.leaf(e) for e in ENTRIES]
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"]
PATHS = {
    (0, 1): [], (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 3): [
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]}
CONSISTENT = {
    (1, 1): [], (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"]}


def test_roots():
    grown = tree.Tree()
    assert grown.root().hex() == tree.root([]).hex() == EMPTY
    for n, want in enumerate(ROOTS, 1):
        grown.add(LEAVES[n - 1])
        assert grown.size == n
        assert grown.root().hex() == tree.root(ENTRIES[:n]).hex() == want


@pytest.mark.parametrize("index, size", PATHS)
def test_path(index, size):
    want = [x(one) for one in PATHS[index, size]]
    assert tree.path(index, LEAVES[:size]) == want
    found = tree.root_from_path(LEAVES[index], index, size, want)
    assert found.hex() == ROOTS[size - 1]
    for wrong in (want + [bytes(32)], want[:-1], [bytes(32)] + want):
        if len(wrong) != len(want):
            refused(tree.root_from_path, LEAVES[index], index, size, wrong)
    refused(tree.root_from_path, LEAVES[index], size, size, want)


@pytest.mark.parametrize("older, size", CONSISTENT)
def test_consistency(older, size):
    want = [x(one) for one in CONSISTENT[older, size]]
    assert tree.consistency(older, LEAVES[:size]) == want
    _check_consistency(older, size, want)


def _check_consistency(older, size, proof):
    roots = [x(r) for r in ROOTS]
    tree.check_consistency(older, roots[older - 1], size, roots[size - 1],
                           proof)
    for wrong in (proof + [bytes(32)], proof[:-1]):
        if wrong != proof:
            refused(tree.check_consistency, older, roots[older - 1], size,
                    roots[size - 1], wrong)
    for at in range(len(proof)):
        wrong = proof[:at] + [bytes(32)] + proof[at + 1:]
        refused(tree.check_consistency, older, roots[older - 1], size,
                roots[size - 1], wrong)
    refused(tree.check_consistency, older, bytes(32), size, roots[size - 1],
            proof)
    refused(tree.check_consistency, older, roots[older - 1], size, bytes(32),
            proof)


def test_consistency_of_all():
    for size in range(1, 9):
        for older in range(1, size + 1):
            _check_consistency(older, size,
                               tree.consistency(older, LEAVES[:size]))
    refused(tree.check_consistency, 0, x(EMPTY), 8, x(ROOTS[7]), [])
    refused(tree.check_consistency, 8, x(ROOTS[7]), 7, x(ROOTS[6]), [])


def test_covers():
    """A tree that lacks any span, and its cover, is the whole tree."""
    for size in range(1, 9):
        for first in range(size):
            for to in range(first + 1, size + 1):
                grown = tree.Tree(LEAVES[:first])
                grown.add_cover(to, tree.cover(first, to, LEAVES))
                for one in LEAVES[to:size]:
                    grown.add(one)
                assert grown.root().hex() == ROOTS[size - 1]
    assert tree.cover_heights(3, 8) == [0, 2]
    assert tree.cover_heights(1, 7) == [0, 1, 1, 0]
    refused(tree.Tree(LEAVES[:3]).add_cover, 8, [bytes(32)])
    refused(tree.cover_heights, 3, 3)


# -- C2SP ---------------------------------------------------------------

NOTE = """This is an example message.

\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1\
ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
BEHIND = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeO\
oRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5\
OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""


def test_signed_note_example():
    name, kind, key = checkpoint.read_vkey(VKEY)
    assert (name, kind) == ("example.com/foo", notes.ED25519)
    assert checkpoint.vkey(name, key) == VKEY
    assert notes.verify(NOTE, [(name, key)])[1] == [(name, key)]
    for wrong in (VKEY.replace("530d", "530e"), VKEY[:-4], "x+" + VKEY,
                  VKEY.replace("foo", "f oo")):
        refused(checkpoint.read_vkey, wrong)


def test_checkpoint_example():
    """Its keys are not published: the form only."""
    point, text, signatures = checkpoint.read(BEHIND)
    assert (point.origin, point.size) == ("example.com/behind-the-sofa",
                                          20852163)
    assert point.text() == text
    assert [s.name for s in signatures] == ["example.com/behind-the-sofa",
                                            "witness.example.com/w1"]
    assert int.from_bytes(signatures[1].signature[:8], "big") == 1679315147
    assert [len(s.signature) for s in signatures] == [64, 72]
    assert checkpoint.cosigned_octets(text, 1679315147) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n"
        b"20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")


ORIGIN = checkpoint.origin(w.ROSTER1)
TIME = 1561017601
POINT = checkpoint.Checkpoint(ORIGIN, 8, x(ROOTS[7]))
SIGNED = checkpoint.sign(POINT, w.BROKER)
WITNESSES = [w.EUROPOL, w.AFRIPOL, w.RATS]


def settled(point=POINT, who=WITNESSES):
    return checkpoint.add_lines(checkpoint.sign(point, w.BROKER), *[
        checkpoint.cosign(point, one, TIME + n)
        for n, one in enumerate(who)])


@pytest.mark.parametrize("text", [
    "o\n8\n", "o\n8\nAA==\n", f"o\n08\n{keys.b64(bytes(32))}\n",
    f"o\n-1\n{keys.b64(bytes(32))}\n", f"\n8\n{keys.b64(bytes(32))}\n",
    f"o\n8\n{keys.b64(bytes(32))}\nmore\n",
    f"o\n{1 << 53}\n{keys.b64(bytes(32))}\n",
    f"o\n{'9' * 400}\n{keys.b64(bytes(32))}\n",
    f"o\n8\n{keys.b64(bytes(32))[:-1]}\n"])
def test_bad_checkpoints(text):
    refused(checkpoint.read, notes.join(text, *checkpoint.lines(SIGNED)))


def test_log_signature():
    log = w.BROKER.public["log"]
    assert checkpoint.check_log(SIGNED, ORIGIN, log) == POINT
    assert checkpoint.check_log(settled(), ORIGIN, log) == POINT
    bad = "BAD-SIGNATURE"
    assert refused(checkpoint.check_log, SIGNED, ORIGIN + "2", log) == bad
    assert refused(checkpoint.check_log, SIGNED, ORIGIN,
                   w.BROKER.public["desk"]) == bad
    assert refused(checkpoint.check_log, SIGNED.replace("\n8\n", "\n9\n"),
                   ORIGIN, log) == bad
    assert refused(checkpoint.check_log, checkpoint.add_lines(
        SIGNED, *checkpoint.lines(SIGNED)), ORIGIN, log) == bad


def test_cosignatures():
    note = settled()
    for n, who in enumerate(WITNESSES):
        key = who.public["witness"]
        assert checkpoint.cosigned(note, who.name, key) == TIME + n
        assert checkpoint.cosigned(SIGNED, who.name, key) is None
        assert checkpoint.cosigned(note, who.name, who.public["note"]) is None
    moved = note.replace("\n8\n", "\n9\n")
    bad = "BAD-SIGNATURE"
    assert refused(checkpoint.cosigned, moved, w.EUROPOL.name,
                   w.EUROPOL.public["witness"]) == bad
    twice = note + checkpoint.cosign(POINT, w.EUROPOL, TIME + 9)
    assert refused(checkpoint.cosigned, twice, w.EUROPOL.name,
                   w.EUROPOL.public["witness"]) == bad
    # A note's signature (type 1) by the same key is none.
    line = notes.line(w.EUROPOL.name, w.EUROPOL.public["witness"],
                      keys.sign(w.EUROPOL.secret["witness"],
                                POINT.text().encode()))
    assert checkpoint.cosigned(SIGNED + line, w.EUROPOL.name,
                               w.EUROPOL.public["witness"]) is None


def test_quorum():
    assert w.ROSTER1.quorum == 2
    assert not checkpoint.is_whole(SIGNED, w.ROSTER1)
    assert not checkpoint.is_whole(settled(who=WITNESSES[:1]), w.ROSTER1)
    assert not checkpoint.is_whole(settled(who=[w.EUROPOL, w.WRITTEN]),
                                   w.ROSTER1)
    two = settled(who=WITNESSES[1:])
    assert checkpoint.is_whole(two, w.ROSTER1)
    assert checkpoint.quorum_time(two, w.ROSTER1) == TIME + 1
    assert checkpoint.dishonest(w.ROSTER1) == 0
    assert checkpoint.bound(two, w.ROSTER1) == TIME
    octets = base64.b64encode(bytes(76)).decode()
    bad = settled(who=[w.EUROPOL]) + f"\u2014 AFRIPOL/hq {octets}\n"
    assert not checkpoint.is_whole(bad, w.ROSTER1)


# -- policies -----------------------------------------------------------


def test_policy_of_a_roster():
    text = policy.write(w.ROSTER1)
    assert text.endswith("group witnesses 2 EUROPOL/hq AFRIPOL/hq SCO/rats\n"
                         "quorum witnesses\n")
    read = policy.Policy(text)
    point, found = read.check(settled(who=WITNESSES[:2]))
    assert point == POINT
    assert found == {"EUROPOL/hq": TIME, "AFRIPOL/hq": TIME + 1}
    assert read.bound(found) == TIME
    assert refused(read.check, SIGNED) == "QUORUM"
    assert refused(read.check, settled(who=[w.EUROPOL, w.WRITTEN])) == (
        "QUORUM")
    other = checkpoint.Checkpoint("other.example/1", 8, bytes(32))
    assert refused(read.check, settled(other)) == "BAD-SIGNATURE"


def vkeys(who):
    return checkpoint.vkey(who.name, who.public["witness"],
                           notes.COSIGNATURE)


LOG = f"log {checkpoint.vkey(ORIGIN, w.BROKER.public['log'])}\n"
TWO = (f"witness A {vkeys(w.EUROPOL)}\n"
       f"  witness\tB {vkeys(w.AFRIPOL)} https://b.example\t\n")


@pytest.mark.parametrize("text, who, good", [
    (LOG + "quorum none\n", [], True),
    ("# note\n\n \t\n" + LOG + TWO + "quorum B\n", [w.AFRIPOL], True),
    (LOG + TWO + "quorum B\n", [w.EUROPOL], False),
    (LOG + TWO + "group g any A B\nquorum g\n", [w.EUROPOL], True),
    (LOG + TWO + "group g all A B\nquorum g\n", [w.EUROPOL], False),
    (LOG + TWO + "group g 2 A B\nquorum g\n", WITNESSES, True),
    (LOG + TWO + "group g any A\ngroup h all g B\nquorum h\n",
     [w.AFRIPOL], False),
    (LOG + TWO + "group g any A\ngroup h all g B\nquorum h\n",
     [w.AFRIPOL, w.EUROPOL], True),
    ("quorum none\n", WITNESSES, False)])
def test_policies(text, who, good):
    read = policy.Policy(text)
    if good:
        assert read.check(settled(who=who))[0] == POINT
    else:
        refused(read.check, settled(who=who))


@pytest.mark.parametrize("text", [
    LOG, LOG + "quorum none", LOG + "quorum none\nquorum none\n",
    LOG + "quorum A\n" + TWO, LOG + LOG + "quorum none\n",
    LOG + TWO + "group none any A\nquorum none\n",
    LOG + TWO + "group A any B\nquorum none\n",
    LOG + TWO + "group g 3 A B\nquorum g\n",
    LOG + TWO + "group g 0 A B\nquorum g\n",
    LOG + TWO + "group g 02 A B\nquorum g\n",
    LOG + TWO + "group g some A B\nquorum g\n",
    LOG + TWO + "group g any A none\nquorum g\n",
    LOG + TWO + "group g any\nquorum none\n",
    LOG + TWO + "group g any A\ngroup h any A\nquorum g\n",
    LOG + TWO + "group g any A A\nquorum g\n",
    LOG + TWO + f"witness C {vkeys(w.AFRIPOL)}\nquorum A\n",
    LOG + "peer x\nquorum none\n", LOG + "quorum none\r\n"])
def test_bad_policies(text):
    refused(policy.Policy, text)


# -- receipts -----------------------------------------------------------


def ledger_of():
    """The vectors' ledger: [Record], and bodies by sequence."""
    return w.RECORDS


def test_receipt():
    places = ledger_of()
    leaves = [r.leaf for r in places]
    point = checkpoint.Checkpoint(ORIGIN, len(leaves),
                                  tree.root_of_leaves(leaves))
    note = settled(point)
    record = next(r for r in places if r.judged and r.size == 4)
    ids = [m[0].id for m in w.MESSAGES]
    made = receipt.make(record.sequence, leaves, note,
                        tree.path(record.index, ids))
    text = made.write()
    assert text.split("\n")[0] == "c2sp.org/tlog-proof@v1"
    read = receipt.read(text)
    assert read.write() == text
    facts = receipt.verify(read, record.octets, policy.Policy(
        policy.write(w.ROSTER1)), w.MESSAGES[record.index][1], w.NOTE1)
    assert facts.author == "EUROPOL/hq" and facts.bound == TIME
    trust = policy.Policy(policy.write(w.ROSTER1))
    other = places[record.sequence + 1].octets
    assert refused(receipt.verify, read, other, trust) == "DIGEST"
    assert refused(receipt.verify, read, record.octets, trust,
                   w.MESSAGES[record.index][1] + b"x") == "BODY-LENGTH"
    read.batch = read.batch[:-1] + [bytes(32)]
    assert refused(receipt.verify, read, record.octets, trust, None,
                   w.NOTE1) == "BAD-SIGNATURE"
    for a, b in (("@v1", "@v2"), ("index ", "index 0"), ("index", "indeks"),
                 ("\n\n", "\n")):
        refused(receipt.read, text.replace(a, b, 1 if a != "\n\n" else -1))
    no_extra = "".join(line for line in text.splitlines(keepends=True)
                       if not line.startswith("extra "))
    assert receipt.read(no_extra).batch is None
    foreign = text.replace(text.split("\n")[1], "extra AAAA")
    assert receipt.read(foreign).batch is None


# -- tiles --------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 8, 255, 256, 257, 70000])
def test_tiles(tmp_path, size):
    leaves = [tree.leaf(str(n).encode()) for n in range(size)]
    point = checkpoint.Checkpoint(ORIGIN, size, tree.root_of_leaves(leaves))
    tiles.write(tmp_path, leaves, checkpoint.sign(point, w.BROKER))
    found = tiles.Tiles(tmp_path)
    assert found.verify() == leaves
    assert found.root_from_above() == point.root
    assert found.files() == found.expected_files()
    one = tmp_path / found.files()[-1]
    one.write_bytes(bytes(len(one.read_bytes())))
    refused(found.verify)


def test_tile_names():
    assert tiles.tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tiles.tile_path(2, 0, 17) == "tile/2/000.p/17"
    assert [len(tiles.tiles_of(70000, n)) for n in (0, 1, 2)] == [274, 2, 1]
    assert tiles.tiles_of(70000)[-1] == (273, 112)
    assert tiles.tiles_of(70000, 1) == [(0, 256), (1, 17)]
    assert tiles.tiles_of(256, 1) == [(0, 1)]


# -- marks --------------------------------------------------------------


def test_claims():
    of = {"members": [(2, LEAVES[2]), (7, LEAVES[7])], "@EUROPOL":
          [(5, LEAVES[5])]}
    made = marks.MarkTree(w.ROSTER1, w.BROKER.secret["veil"], 10,
                          lambda name: of.get(name, []))
    assert [c.stream for c in made.claims] == [
        "dialogue", "members", "frontline", "secretariat", "@EUROPOL",
        "@AFRIPOL", "@SCO"]
    for claim in made.claims:
        read = marks.read_claim(mp.decode(mp.encode(claim.value())))
        assert read == claim
        read.check(w.ROSTER1, made.root)
    members = made.claims[1]
    assert (members.last, members.count) == (7, 2)
    assert members.root == tree.node(LEAVES[2], LEAVES[7])
    for name, value in (("count", 3), ("last", 8), ("salt", bytes(32)),
                        ("root", bytes(32)), ("index", 2),
                        ("stream", "frontline"), ("path", members.path[1:])):
        wrong = marks.Claim(**dict(vars(members), **{name: value}))
        refused(wrong.check, w.ROSTER1, made.root)
    empty = marks.Claim(**dict(vars(members), last=None))
    refused(marks.read_claim, empty.value())


# -- the auditor --------------------------------------------------------


def test_auditor():
    view = View([w.NOTE1, w.NOTE2])
    view.at = {0: view.chain[0], 5: view.chain[1]}
    one = Auditor(view, w.EUROPOL)
    assert one.add_leaves(2, LEAVES[2:]) == 2
    assert one.add_leaves(0, LEAVES[:7]) == 0
    assert refused(one.verify, SIGNED) == "LEAVES"
    one.add_leaves(5, LEAVES[5:])
    assert one.verify(SIGNED) == POINT
    assert refused(one.add_leaves, 3, [bytes(32)]) == "CONTRADICTION"
    wrong = checkpoint.Checkpoint(ORIGIN, 8, bytes(32))
    assert refused(one.verify, checkpoint.sign(wrong, w.BROKER)) == "ROOT"
    now = TIME * 1000
    assert refused(one.cosign, SIGNED, now, now - 120001) == "CLOCK"
    line = checkpoint.lines(one.cosign(SIGNED, now, now - 120000))
    assert checkpoint.cosigned(SIGNED + line[0], "EUROPOL/hq",
                               w.EUROPOL.public["witness"]) == TIME
    seven = checkpoint.sign(checkpoint.Checkpoint(ORIGIN, 7, x(ROOTS[6])),
                            w.BROKER)
    assert one.verify(seven).size == 7 and one.verified == SIGNED
    assert refused(one.cosign, seven, now, now) == "CONTRADICTION"
    written = Auditor(view, w.WRITTEN)
    written.add_leaves(0, LEAVES)
    assert refused(written.cosign, SIGNED, now, now) == "NOT-A-WITNESS"
    assert not one.settle(SIGNED)
    assert one.settle(settled()) and one.size_of(one.settled) == 8
    assert not one.settle(seven)


def test_handover():
    """From roster 1's witnesses to those of another: both have to be."""
    after = w.ROSTER2
    before = type("Roster", (), dict(vars(w.ROSTER1)))()
    before.witnesses, before.quorum = ["AFRIPOL/written"], 1
    for r in (before, after):
        assert r.epoch == 1
    two = settled(who=WITNESSES[:2])
    both = settled(who=[*WITNESSES[:2], w.WRITTEN])
    assert not checkpoint.settles(two, after, before)
    assert checkpoint.settles(both, after, before)
    assert not checkpoint.settles(settled(who=[w.WRITTEN]), after, before)
    assert checkpoint.settles(two, after, after)
    assert checkpoint.settles(two, after)
    before.epoch = 0
    assert checkpoint.settles(two, after, before)


# -- evidence -----------------------------------------------------------


def leaf_of(leaves, index, record=None, origin=ORIGIN):
    point = checkpoint.Checkpoint(origin, len(leaves),
                                  tree.root_of_leaves(leaves))
    return evidence.Leaf(checkpoint.sign(point, w.BROKER), index,
                         leaves[index], tree.path(index, leaves), record)


def made(kind, *leaves, promise=None):
    of = evidence.Evidence(kind, w.DIALOGUE, w.T0, "EUROPOL/hq",
                           [w.NOTE1, w.NOTE2], list(leaves), promise)
    return evidence.read(of.write())


def test_two_leaves():
    other = [*LEAVES[:7], bytes(32)]
    two = made("two-leaves", leaf_of(LEAVES, 7), leaf_of(other, 7))
    assert evidence.verify(two, w.DIALOGUE) == "two records at 7"
    refused(evidence.verify, two, bytes(32))
    assert refused(evidence.verify, made(
        "two-leaves", leaf_of(LEAVES, 6), leaf_of(other, 6))) == "STATE"
    refused(evidence.verify, made("two-leaves", leaf_of(LEAVES, 7),
                                  leaf_of(other, 6)))
    refused(evidence.verify, made("two-leaves", leaf_of(LEAVES, 7),
                                  leaf_of(other, 7, origin="x.example/1")))
    two.leaves[0].checkpoint = SIGNED.replace("/vectors", "/other")
    refused(evidence.verify, two)
    two.rosters = [w.NOTE2]
    refused(evidence.verify, two)


def test_broken_promise():
    promise = w.promise([(0, 2), (1, 3)])
    leaves = [r.leaf for r in ledger_of()]
    assert refused(evidence.verify, made(
        "broken-promise", leaf_of(leaves, 3),
        promise=promise.highest(1))) == "STATE"
    leaves[3] = bytes(32)
    found = made("broken-promise", leaf_of(leaves, 3),
                 promise=promise.highest(1))
    assert "record 3" in evidence.verify(found)
    refused(evidence.verify, made("broken-promise", leaf_of(leaves, 3),
                                  promise=promise.highest(0)))
    found.promise[7] = bytes(64)
    refused(evidence.verify, found)


def changed(record, **values):
    out = ledger.Record(**dict(vars(record), **values))
    out.encode()
    return out


def test_time_back():
    places = ledger_of()
    places = [*places[:4], changed(places[4], log_time=w.T0 - 1), *places[5:]]
    leaves = [r.leaf for r in places]
    found = made("time-back", leaf_of(leaves, 3, places[3].octets),
                 leaf_of(leaves, 4, places[4].octets))
    assert "goes back at 4" in evidence.verify(found)
    assert refused(evidence.verify, made(
        "time-back", leaf_of(leaves, 4, places[4].octets),
        leaf_of(leaves, 5, places[5].octets))) == "STATE"
    refused(evidence.verify, made("time-back", leaf_of(leaves, 3),
                                  leaf_of(leaves, 4)))


def one_record(places, one):
    """bad-record of this Record in the place of the one that stands there;
    a roster's record beside it, where it is not the first's."""
    leaves = [r.leaf for r in places]
    leaves[one.sequence] = one.leaf
    found = [leaf_of(leaves, one.sequence, one.octets)]
    if one.roster:
        found.append(leaf_of(leaves, one.roster,
                             places[one.roster].octets))
    return made("bad-record", *found)


def test_bad_record():
    places = ledger_of()
    for one in places:
        if one.judged:
            assert refused(evidence.verify, one_record(places, one)) == (
                "STATE")
    one = next(r for r in places if r.judged and r.size == 1)
    wrong = changed(one, signature=bytes(64))
    found = one_record(places, wrong)
    assert one.header().author in evidence.verify(found)
    refused(evidence.verify, made("bad-record", leaf_of(
        [r.leaf for r in places], one.sequence, wrong.octets)))
    for author, topic in (("SCO/rats", "members/x"), ("NO/body", "members/x"),
                          ("AFRIPOL/hq", "frontline/x")):
        header = one.header()
        header.author, header.topic = author, topic
        header.encode()
        assert evidence.verify(one_record(places, changed(
            one, payload=header.octets, channel=header.channel)))
    moved = leaf_of([r.leaf for r in places], one.sequence, one.octets)
    assert refused(evidence.verify, made("bad-record", moved, moved)) == (
        "MALFORMED")


def test_two_roots():
    def root(size, leaves, at):
        return evidence.Leaf(checkpoint.sign(checkpoint.Checkpoint(
            ORIGIN, size, tree.root_of_leaves(leaves[:size])), w.BROKER), at,
            tree.root_of_leaves(leaves[:at]),
            tree.consistency(at, leaves[:size]))

    other = [*LEAVES[:3], bytes(32), *LEAVES[4:]]
    for a, b in ((8, 5), (5, 5), (5, 8), (8, 8)):
        assert evidence.verify(made("two-roots", root(a, LEAVES, 5),
                                    root(b, other, 5))) == "two roots at 5"
        assert refused(evidence.verify, made(
            "two-roots", root(a, LEAVES, 5), root(b, LEAVES, 5))) == "STATE"
    refused(evidence.verify, made("two-roots", root(8, LEAVES, 5),
                                  root(8, other, 4)))
    bad = root(8, other, 5)
    bad.leaf = bytes(32)
    refused(evidence.verify, made("two-roots", root(8, LEAVES, 5), bad))


@pytest.mark.parametrize("change", [
    lambda t: t.replace('"kind"', '"kinds"'), lambda t: "[]", lambda t: "{",
    lambda t: t.replace("two-leaves", "three-leaves"),
    lambda t: t.replace("evidence/1", "evidence/2"),
    lambda t: t.replace('"index": 7', '"index": -7'),
    lambda t: t.replace('"promise": null', '"promise": 5')])
def test_bad_evidence(change):
    text = evidence.Evidence(
        "two-leaves", w.DIALOGUE, w.T0, "EUROPOL/hq", [w.NOTE1],
        [leaf_of(LEAVES, 7), leaf_of(LEAVES, 6)]).write()
    refused(evidence.read, change(text))


def test_one_line_notes():
    """What a witness hands in is short enough for frame 1."""
    longest = checkpoint.Checkpoint("o" * 200 + "/" + str((1 << 53) - 1),
                                    (1 << 53) - 1, bytes(32))
    who = keys.Identity("delegation", f"{'A' * 16}/{'b' * 32}", bytes(32))
    assert len(line_note(longest, who, 1 << 40).encode()) <= 512
