"""What test_vectors.py does with each kind of proofs.json."""

import json

from parley_client import checkpoint, evidence, keys, notes, policy, receipt
from parley_client import roster

x = bytes.fromhex


def check_checkpoint(v):
    if "error" in v:
        checkpoint.check_log(v["text"], v["origin"], x(v["log"]))
        return
    i, out = v["in"], v["out"]
    broker = keys.Identity("broker", i["broker"], x(i["seed"]))
    point = checkpoint.Checkpoint(i["origin"], i["size"], x(i["root"]))
    log = broker.public["log"]
    assert point.text() == out["text"]
    assert checkpoint.sign(point, broker) == out["note"]
    assert checkpoint.check_log(out["note"], i["origin"], log) == point
    assert checkpoint.vkey(i["origin"], log) == out["vkey"]
    assert checkpoint.read_vkey(out["vkey"]) == (
        i["origin"], notes.ED25519, log)


def check_cosignature(v):
    if "error" in v:
        assert checkpoint.cosigned(v["text"], v["witness"], x(v["key"]))
        return
    i, out = v["in"], v["out"]
    who = keys.Identity("delegation", i["witness"], x(i["seed"]))
    point, _, _ = checkpoint.read(f"{i['text']}\n{out['line']}")
    key = who.public["witness"]
    assert checkpoint.cosign(point, who, i["time"]) == out["line"]
    assert checkpoint.cosigned_octets(i["text"], i["time"]) == (
        out["signed"].encode())
    assert checkpoint.cosigned(f"{i['text']}\n{out['line']}", who.name,
                               key) == i["time"]
    assert checkpoint.read_vkey(out["vkey"]) == (
        who.name, notes.COSIGNATURE, key)


def roster_1(rosters):
    note = next(v for v in rosters if v["name"] == "roster 1")["in"]["note"]
    return roster.first(note)


def check_quorum(v, rosters):
    note, by = v["in"]["note"], roster_1(rosters)
    assert checkpoint.times(note, by) == v["out"]["times"]
    assert checkpoint.is_whole(note, by) == v["out"]["whole"]
    assert checkpoint.quorum_time(note, by) == v["out"]["time"]
    assert checkpoint.bound(note, by) == v["out"]["bound"]


def check_policy_text(v, rosters):
    assert policy.write(roster_1(rosters)) == v["out"]["text"]


def check_policy(v):
    policy.Policy(v["text"])


def check_policy_check(v):
    read = policy.Policy(v["in"]["policy"])
    _, found = read.check(v["in"]["note"])
    assert len(found) == v["out"]["cosigned"]
    assert read.bound(found) == v["out"]["bound"]


def check_receipt(v):
    i = v["in"]
    proof = receipt.read(i["receipt"])
    facts = receipt.verify(proof, x(i["record"]), policy.Policy(i["policy"]),
                           i["body"] and x(i["body"]), i["roster"])
    out = v["out"]
    assert proof.write() == i["receipt"]
    assert [one.hex() for one in proof.path] == out["path"]
    assert (proof.batch and [one.hex() for one in proof.batch]) == (
        out["batch"])
    assert (proof.index, facts.point.size, facts.bound, facts.author) == (
        out["index"], out["size"], out["bound"], out["author"])


def check_evidence(v):
    text = v["text"] if "error" in v else v["in"]["json"]
    dialogue = v["dialogue"] if "error" in v else v["in"]["dialogue"]
    found = evidence.read(text)
    assert evidence.verify(found, x(dialogue))
    assert found.kind == v["out"]["kind"]
    assert json.loads(found.write()) == json.loads(text)


def checks(rosters):
    return {
        "checkpoint": check_checkpoint, "cosignature": check_cosignature,
        "quorum": lambda v: check_quorum(v, rosters),
        "policy-text": lambda v: check_policy_text(v, rosters),
        "policy": check_policy, "policy-check": check_policy_check,
        "receipt": check_receipt, "evidence": check_evidence,
    }
