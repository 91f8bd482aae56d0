"""What a test asks of an agent whose broker signed what is not so."""
import contextlib
import sqlite3

from parley_client import evidence

from daemon import wait_for

ALARM_EXIT = 8


def ledger_of(agent):
    return agent.get("status")["ledger"]


def settled_size(agent):
    settled = ledger_of(agent)["settled"]
    return settled["size"] if settled else -1


def wait_settled_at(agent, size, wait_s=60):
    wait_for(lambda: settled_size(agent) >= size, f"{agent.name} settled at "
             f"{size}", wait_s, 0.03)


def wait_alarm_of(agent, *kinds, wait_s=60):
    """The first alarm of one of these kinds."""
    def seen():
        return [a for a in agent.alarms() if a["kind"] in kinds]
    return wait_for(seen, f"{kinds}, not {agent.alarms()}\n"
                    f"{agent.daemon.log()}", wait_s, 0.03)[0]


def evidence_octets(agent, kind):
    """The newest file of evidence that the store has for notices of a kind;
    others hold what was said, as it was."""
    with contextlib.closing(sqlite3.connect(agent.store)) as db:
        rows = db.execute("SELECT evidence FROM notices WHERE kind = ? "
                          "ORDER BY number DESC", [kind]).fetchall()
    return next((row[0] for row in rows if row[0][:1] == b"{"), None)


def proof_of(agent, kind, parley=None):
    """(kind of evidence, what it says) of an alarm, judged by the dialogue
    id alone: by the other implementation, and by `parley verify`."""
    octets = wait_for(lambda: evidence_octets(agent, kind), "evidence", 60)
    found = evidence.read(octets.decode())
    assert found.maker == agent.name
    said = evidence.verify(found, agent.dialogue)
    if parley:
        file = agent.folder / "evidence.json"
        file.write_bytes(octets)
        parley("verify", file, "--dialogue", agent.dialogue.hex())
        other = parley("verify", file, "--dialogue", "ab" * 32, code=None)
        assert other.code != 0
    return found.kind, said


def wait_current(agent):
    """It knows a quorum that is near and young: `parley status` is content."""
    wait_for(lambda: ledger_of(agent)["current"],
             lambda: f"{agent.name} current: {ledger_of(agent)}")


def cosigned_more(liar, before):
    """What was cosigned behind the first so many, that was not among them: a
    line may be sent again, and be on its way when something else is seen."""
    known = liar.cosigns[:before]
    return [one for one in liar.cosigns[before:] if one not in known]


def check_stopped(agent, liar):
    """It cosigns no more, whatever honest things are signed, goes on serving
    what it has, and says that it stopped."""
    wait_for(lambda: ledger_of(agent)["stopped"], "stopped")
    before, size = len(liar.cosigns), len(liar.records)
    held = agent.texts("#")
    assert ledger_of(agent)["current"] is False
    liar.tell(lambda b: b.mark())
    liar.tell(lambda b: b.mark())
    entry = agent.publish("dialogue/other", "goes on")
    wait_for(lambda: agent.get(f"outbox/{entry['number']}")["state"]
             not in ("waiting", "sent"), "an answer")
    assert all(point.size <= size for _, point in liar.cosigns[before:])
    assert agent.texts("#")[:len(held)] == held


def check_cosigned(liar, name="AFRIPOL/hq"):
    """Never two roots for a size, never a smaller size after a larger."""
    mine = [point for who, point in liar.cosigns if who == name]
    for a, b in zip(mine, mine[1:]):
        assert a.size < b.size or a == b, (a, b)
    return mine
