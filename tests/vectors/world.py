"""The small dialogue that all vectors are about: fixed seeds, three
entities, two rosters. Nothing here is random."""

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "client"))

from parley_client import keys, ledger, messages, notes, roster  # noqa: E402

T0 = 1561017600000  # 2019-06-20T08:00:00Z
RUN = bytes(range(0xA0, 0xB0))
GENERATION = 1


def fixed(name, n=32):
    """n octets that stand for random ones."""
    return hashlib.shake_256(b"parley vectors: " + name.encode()).digest(n)


def identity(kind, name):
    return keys.Identity(kind, name, fixed(f"seed {name}"))


EUROPOL = identity("delegation", "EUROPOL/hq")
AFRIPOL = identity("delegation", "AFRIPOL/hq")
WRITTEN = identity("delegation", "AFRIPOL/written")
RATS = identity("delegation", "SCO/rats")
STRANGER = identity("delegation", "STRANGER/hq")
BROKER = identity("broker", "lyon")
ROOTS = [identity("root", f"{e}/root") for e in ("EUROPOL", "AFRIPOL", "SCO")]
DELEGATIONS = [EUROPOL, AFRIPOL, WRITTEN, RATS]


def keyset(who):
    return {k: keys.b64(v) for k, v in who.public.items()}


def roster_json():
    """The object of roster 1; a new one each time."""
    entity = {"role": "member", "sector": "police"}
    return {
        "format": 1, "requires": [], "version": 1, "previous": None,
        "nonce": fixed("nonce").hex(), "name": "A small dialogue",
        "origin": "dialogue.example/vectors", "epoch": {"number": 1},
        "threshold": 2,
        "root_signers": [{"entity": r.name[:-5],
                          "key": keys.b64(r.public["root"])} for r in ROOTS],
        "log": {"key": keys.b64(BROKER.public["log"])},
        "brokers": [{
            "id": "lyon", "desk": "tcp://127.0.0.1:7701",
            "feed": "tcp://127.0.0.1:7702",
            "link": [{"key": keys.b64(BROKER.public["link"])}],
            "desk_key": [{"key": keys.b64(BROKER.public["desk"])}]}],
        "proxies": [],
        "entities": [
            dict(entity, id="EUROPOL", name="Europol", regions=["EU"],
                 delegations=[{"id": "hq", "keys": [keyset(EUROPOL)]}]),
            dict(entity, id="AFRIPOL", name="Afripol", regions=["AU"],
                 delegations=[{"id": "hq", "keys": [keyset(AFRIPOL)]},
                              {"id": "written", "keys": [keyset(WRITTEN)]}]),
            dict(entity, id="SCO", name="Shanghai Cooperation Organization",
                 role="observer", regions=["SCO"], delegations=[
                     {"id": "rats", "keys": [keyset(RATS)]},
                     {"id": "secretariat", "keys": []}]),
        ],
        "groups": [{"id": "frontline", "title": "Frontline access",
                    "entities": ["EUROPOL", "AFRIPOL"]}],
        "channels": [
            {"id": "dialogue", "title": "All",
             "readers": ["role:member", "role:observer"],
             "writers": ["role:member", "role:observer"]},
            {"id": "members", "title": "Members",
             "readers": ["role:member"], "writers": ["role:member"],
             "retention_days": 3650},
            {"id": "frontline", "title": "Frontline access",
             "readers": ["group:frontline", "entity:SCO"],
             "writers": ["delegation:EUROPOL/hq"]},
            {"id": "secretariat", "title": "Nobody yet",
             "readers": ["delegation:SCO/secretariat"], "writers": []},
        ],
        "adhoc": ["role:member"],
        "witnesses": ["EUROPOL/hq", "AFRIPOL/hq", "SCO/rats"],
        "quorum": 2,
        "limits": {"messages_a_minute": 1000, "octets_a_minute": 10000000,
                   "connections": 4, "requests_outstanding": 64,
                   "lanes_a_day": 16},
    }


def roster_text(obj, dialogue=None):
    return ("parley/roster/1\n" + (dialogue.hex() if dialogue else "-") + "\n"
            + json.dumps(obj, ensure_ascii=False, separators=(",", ":"))
            + "\n")


NOTE1 = notes.sign(roster_text(roster_json()), ROOTS[0], ROOTS[1])
ROSTER1 = roster.first(NOTE1)
DIALOGUE = ROSTER1.dialogue


def roster2_json():
    """Roster 2: SCO is a member; AFRIPOL/written has left."""
    obj = roster_json()
    del obj["nonce"]
    obj["version"], obj["previous"] = 2, ROSTER1.digest.hex()
    obj["entities"][2]["role"] = "member"
    obj["entities"][1]["delegations"][1]["revoked"] = "2019-06-21"
    return obj


NOTE2 = notes.sign(roster_text(roster2_json(), DIALOGUE), ROOTS[1], ROOTS[2])
ROSTER2 = roster.following(ROSTER1, NOTE2)


def message(who, topic, content, number, form=messages.TEXT, references=(),
            lane=None, extension=None):
    """(Header, body octets)."""
    salt = fixed(f"salt {who.name} {topic} {number}", 16)
    body = messages.body(content, form, salt)
    header = messages.Header(
        DIALOGUE, who.name, who.id("sign"), 1,
        lane or fixed(f"lane {who.name}", 8), number, T0 + number % 1000,
        topic, form, len(body), keys.blake2b(body), list(references))
    if extension:
        header.extension = extension
    header.encode()
    return header, body


TOPIC = "members/plan/EUROPOL/EMPACT-2026-2029"
MESSAGES = [
    message(EUROPOL, TOPIC, {"title": "EMPACT", "days": 1461}, 1,
            messages.MAP),
    message(EUROPOL, "members/thread/7", "Agreed. \u00c0 bient\u00f4t.", 2),
    message(EUROPOL, TOPIC, b"\x00\xff\xc1", 3, messages.OCTETS),
]
MESSAGES.append(message(EUROPOL, TOPIC, "A fourth.", 4,
                        references=[m[0].id for m in MESSAGES[:2]]))
BATCH = messages.sign_batch(EUROPOL, DIALOGUE, [m[0] for m in MESSAGES])
ONE = message(AFRIPOL, "members/plan/AFRIPOL/WORK-PLAN-2020-2024",
              {"title": "Work plan"}, 1, messages.MAP)
ONE_BATCH = messages.sign_batch(AFRIPOL, DIALOGUE, [ONE[0]])
HANDED = message(WRITTEN, "members/plan/AFRIPOL/WRITTEN", "From Algiers.", 1)
HANDED_BATCH = messages.sign_batch(WRITTEN, DIALOGUE, [HANDED[0]])
ADHOC = message(EUROPOL, "@AFRIPOL+EUROPOL/thread/1", "Between us.", 5)
ADHOC_BATCH = messages.sign_batch(EUROPOL, DIALOGUE, [ADHOC[0]])


def with_via(batch, submitter, header):
    signed = messages.Batch(**vars(batch))
    signed.via = messages.sign_via(submitter, DIALOGUE, batch, header.id)
    return signed


HANDED_VIA = with_via(HANDED_BATCH, EUROPOL, HANDED[0])


# -- the ledger: records 0 to 10 ----------------------------------------


def message_record(header, batch, index, sequence, channel_sequence,
                   previous=None):
    record = ledger.Record(
        ledger.MESSAGE, sequence, T0 + 100 * sequence, 1, 0, batch.channel,
        channel_sequence, header.octets, previous, batch.via, batch.size,
        index, batch.signature)
    record.encode()
    return record


def log_record(kind, payload, sequence, channel_sequence, in_force,
               channel="$log"):
    record = ledger.Record(kind, sequence, T0 + 100 * sequence, 1, in_force,
                           channel, channel_sequence, payload)
    record.encode()
    return record


def roster_record(note, read, sequence, channel_sequence):
    payload = ledger.roster_payload(read.version, read.digest, note.encode())
    return log_record(ledger.ROSTER, payload, sequence, channel_sequence,
                      sequence)


def mark_record(read, sequence, channel_sequence, in_force, streams=None):
    payload = ledger.mark_payload(read.version, read.digest, streams)
    return log_record(ledger.MARK, payload, sequence, channel_sequence,
                      in_force)


RECORDS = [
    roster_record(NOTE1, ROSTER1, 0, 1),
    mark_record(ROSTER1, 1, 2, 0),
    message_record(MESSAGES[0][0], BATCH, 0, 2, 1),
    message_record(MESSAGES[1][0], BATCH, 1, 3, 2),
    message_record(MESSAGES[2][0], BATCH, 2, 4, 3, 2),
    message_record(MESSAGES[3][0], BATCH, 3, 5, 4, 4),
    message_record(ONE[0], ONE_BATCH, 0, 6, 5),
    message_record(HANDED[0], HANDED_VIA, 0, 7, 6),
    message_record(ADHOC[0], ADHOC_BATCH, 0, 8, 1),
    roster_record(NOTE2, ROSTER2, 9, 3),
    mark_record(ROSTER2, 10, 4, 9),
]
BODIES = [NOTE1.encode(), None, *[m[1] for m in MESSAGES], ONE[1], HANDED[1],
          ADHOC[1], NOTE2.encode(), None]
BATCH_IDS = {BATCH.signature: [m[0].id for m in MESSAGES]}


def promise(accepted=(), refused=(), log_time=T0 + 600):
    """accepted: [(index, sequence)]; the desk's signature over them."""
    made = ledger.Promise(1, BROKER.id("desk"), log_time, [
        (i, RECORDS[s].header().id, s, RECORDS[s].leaf)
        for i, s in accepted], list(refused))
    made.sign(BROKER, DIALOGUE)
    return made
