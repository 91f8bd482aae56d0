"""A broker that lies in hello, lists of streams and promises: the agent stores
none of it, says so, does not fall, and goes on when it hears the truth."""
import os

import pytest

from parley_client import ledger, wire
from parley_client import canonical as mp

from liar import TOPIC, check_recovery, flipped, wait_alarm, wait_texts


# Hello.

HELLOS = {
    "signature": (lambda b: lambda f: [f[0], flipped(f[1], -1)], "not signed"),
    "no octets": (lambda b: lambda f: [b"", b""], ""),
    "one frame": (lambda b: lambda f: f[:1], "1 frames"),
    "three frames": (lambda b: lambda f: [*f, b"x"], "3 frames"),
    "altered": (lambda b: lambda f: [flipped(f[0], -1), f[1]], "not signed"),
    "nonce": (lambda b: b.say_hello(nonce=bytes(32)), "another hello"),
    "dialogue": (lambda b: b.say_hello(dialogue=bytes(32)), "dialogue"),
    "run": (lambda b: b.say_hello(run=bytes(16)), "another run"),
    "who": (lambda b: b.say_hello(delegation="FRONTEX/hq"), "FRONTEX/hq"),
    "versions": (lambda b: b.say_hello(versions=[2, 3]), "2 to 3"),
    "roster digest": (lambda b: b.say_hello(roster_digest=bytes(32)),
                      "roster"),
    "roster ahead": (lambda b: b.say_hello(roster_version=9,
                                           roster_digest=bytes(32)),
                     "version 9"),
    "negative size": (lambda b: b.say_hello(size=-1), ""),
    "garbage": (lambda b: lambda f: [os.urandom(200), os.urandom(80)], ""),
}


def test_hello(liar, agent):
    for name, (lie, why) in HELLOS.items():
        agent.stop()
        liar.lies["hello"] = lie(liar)
        agent.start()
        line = agent.daemon.wait_log("LINK-DOWN")
        assert why in line.value("why"), (name, line)
        assert agent.get("status")["link"]["state"] != "ready"
        assert agent.texts(TOPIC) == liar.texts
    agent.stop()
    liar.honest()
    agent.start()
    check_recovery(agent, liar)
    assert agent.alarms() == []


def test_unsigned_run(liar, agent):
    """Another run, without a word: down, hello, and on."""
    liar.another_run()
    entry = agent.publish(TOPIC, "into the next run")
    liar.texts.append("into the next run")
    agent.wait_entry(entry["number"])
    check_recovery(agent, liar)


def test_memory(liar, agent):
    """A ledger that is shorter than what it gave out."""
    liar.lies["hello"] = liar.say_hello(size=1)
    liar.another_run()
    liar.post("EUROPOL/hq", TOPIC, "more")
    assert "before record 2" in wait_alarm(agent, "LEDGER-BEHIND")
    check_recovery(agent, liar)


# Lists of streams.

def streams(change):
    def lie(frames):
        generation, rows = mp.decode(frames[0])
        return [mp.encode(change(generation, rows))]
    return lie


STREAMS = {
    "garbage": lambda f: [os.urandom(100)],
    "no frame": lambda f: [],
    "names twice": streams(lambda g, rows: [g, rows + rows[:1]]),
    "a name": streams(lambda g, rows: [
        g, [["../../x", *rows[0][1:]], *rows[1:]]]),
    "a long name": streams(lambda g, rows: [
        g, [["x" * 200, *rows[0][1:]], *rows[1:]]]),
    "a short tag": streams(lambda g, rows: [
        g, [[rows[0][0], b"x", *rows[0][2:]], *rows[1:]]]),
    "a negative number": streams(lambda g, rows: [
        g, [[*rows[0][:3], -5, 1], *rows[1:]]]),
    "no $log": streams(lambda g, rows: [
        g, [row for row in rows if row[0] != "$log"]]),
}


def test_streams(liar, agent):
    for name, lie in STREAMS.items():
        agent.stop()
        liar.lies["streams"] = lie
        agent.start()
        agent.daemon.wait_log("LINK-DOWN")
        assert agent.texts(TOPIC) == liar.texts, name
    agent.stop()
    liar.honest()
    agent.start()
    check_recovery(agent, liar)


def test_stream_shorter(liar, agent):
    liar.lies["streams"] = streams(lambda g, rows: [
        g, [[*row[:3], 0, 1] for row in rows]])
    liar.another_run()
    liar.post("EUROPOL/hq", TOPIC, "more")
    assert "ends at 0" in wait_alarm(agent, "LEDGER-BEHIND")
    check_recovery(agent, liar)


# Promises.

def promise(change, signed=True):
    """A lie: the promise changed, signed anew or not."""
    def make(liar):
        def lie(frames):
            v = mp.decode(frames[0])
            ids = [r.header().id for r in liar.records
                   if r.type == ledger.MESSAGE
                   and r.sequence in [a[1] for a in v[3]]]
            p = wire.read_promise(frames[0], ids)
            change(p)
            if signed:
                p.sign(liar.who, liar.dialogue.id)
            return [wire.promise_reply(p)]
        return lie
    return make


def accepted(**changes):
    names = ("index", "id", "sequence", "leaf")

    def change(p):
        p.accepted = [tuple({**dict(zip(names, one)), **changes}[n]
                            for n in names) for one in p.accepted]
    return change


def no_answer(p):
    p.accepted = []


def refuse_as_one(p):
    p.accepted, p.refused = [], [(None, bytes(32), "LIMIT", {})]


def refuse_another(p):
    p.accepted, p.refused = [], [(0, bytes(32), "LIMIT", {})]


PROMISES = {
    "signature": promise(lambda p: setattr(
        p, "signature", flipped(p.signature, 5)), signed=False),
    "another key": promise(lambda p: setattr(p, "desk_key", bytes(8))),
    "unsigned place": promise(accepted(sequence=77), signed=False),
    "no answer": promise(no_answer),
    "index": promise(accepted(index=3)),
    "as one": promise(refuse_as_one),
    "another id": promise(refuse_another),
    "garbage": lambda b: lambda f: [os.urandom(120)],
    "two frames": lambda b: lambda f: [f[0], f[0]],
}


@pytest.mark.parametrize("name", PROMISES)
def test_promise(liar, agent, name):
    liar.silent = True
    liar.lies["publish"] = PROMISES[name](liar)
    entry = agent.publish(TOPIC, "promised badly")
    agent.daemon.wait_log("LINK-DOWN")
    if name != "two frames":
        wait_alarm(agent, "BAD-PROMISE")
    assert agent.get(f"outbox/{entry['number']}")["state"] not in (
        "promised", "refused")
    assert agent.get("refusals")["refusals"] == []
    liar.texts.append("promised badly")
    liar.honest()
    assert agent.wait_entry(entry["number"])["sequence"] == 3
    check_recovery(agent, liar)


@pytest.mark.parametrize("changes", [{"sequence": 2}, {"leaf": bytes(32)}])
def test_promise_broken(liar, agent, changes):
    """Well signed, and not what stands there: kept as evidence."""
    liar.lies["publish"] = promise(accepted(**changes))(liar)
    agent.publish(TOPIC, "elsewhere")
    liar.texts.append("elsewhere")
    wait_alarm(agent, "PROMISE-BROKEN")
    wait_texts(agent, liar)
    check_recovery(agent, liar)
