"""deploy/examples/mirror.py, as somebody who reads it would run it."""
import json
import subprocess
import sys

import pytest

import planning
from conftest import ROOT, SAMPLE
from daemon import WAIT_S, wait_for

PLAN = SAMPLE / "plans" / "EUROPOL-empact-2026-2029.json"


@pytest.fixture
def mirror(tmp_path):
    """mirror(agent, *words): the example runs; what it says is in log.txt."""
    running = []

    def run(agent, *words):
        with (tmp_path / "log.txt").open("a") as log:
            running.append(subprocess.Popen(
                [sys.executable, ROOT / "deploy" / "examples" / "mirror.py",
                 agent.socket, tmp_path / "plans", *words],
                stdout=log, stderr=log))
        return running[-1]

    yield run
    for one in running:
        one.kill()
        one.wait(WAIT_S)


@pytest.fixture
def shows(tmp_path):
    """shows(name, plan): the mirrored file has, or will have, that content."""

    def look(name, plan):
        path = tmp_path / "plans" / name
        wait_for(lambda: path.exists() and json.loads(path.read_text()) == plan,
                 f"{name}: {plan}")

    return look


def says(tmp_path, text):
    log = tmp_path / "log.txt"
    wait_for(lambda: text in log.read_text(), f"{text!r} in {log}")


def end(process):
    process.terminate()
    process.wait(WAIT_S)


def revision(name, number):
    """A plan that says which revision it is."""
    return planning.plan("EUROPOL", name, [], title=f"Revision {number}")


def plan(agent, name, number, channel="dialogue"):
    document = revision(name, number)
    entry = agent.publish(f"{channel}/plan/EUROPOL/{document['plan']}",
                          document, "json")
    return agent.wait_entry(entry["number"])


def test_mirror(broker, agents, mirror, shows, tmp_path):
    europol = agents("EUROPOL/hq", broker).start()
    unodc = agents("UNODC/hq", broker).start()
    plan(europol, "known-before", 1)
    plan(europol, "for-members", 1, "members")

    # Both bodies mirror; one publishes.
    first = mirror(europol, "--publish", PLAN)
    shows(f"EUROPOL/{PLAN.name}", json.loads(PLAN.read_text()))
    shows("EUROPOL/EUROPOL-for-members.json", revision("for-members", 1))
    end(first)
    for file in (tmp_path / "plans").rglob("*.json"):
        file.unlink()
    (tmp_path / "plans" / "last-event-id").unlink()
    second = mirror(unodc)
    shows(f"EUROPOL/{PLAN.name}", json.loads(PLAN.read_text()))
    shows("EUROPOL/EUROPOL-known-before.json", revision("known-before", 1))

    # A new revision; what it may not read is not there.
    plan(europol, "known-before", 2)
    shows("EUROPOL/EUROPOL-known-before.json", revision("known-before", 2))
    names = {path.name for path in (tmp_path / "plans").rglob("*.json")}
    assert names == {PLAN.name, "EUROPOL-known-before.json"}

    # What came while it did not run; only that.
    end(second)
    (tmp_path / "plans" / "EUROPOL" / PLAN.name).unlink()
    plan(europol, "known-before", 3)
    third = mirror(unodc)
    shows("EUROPOL/EUROPOL-known-before.json", revision("known-before", 3))
    assert not (tmp_path / "plans" / "EUROPOL" / PLAN.name).exists()

    # The agent goes and comes.
    unodc.stop()
    says(tmp_path, "again in 1 s")
    unodc.start()
    plan(europol, "known-before", 4)
    shows("EUROPOL/EUROPOL-known-before.json", revision("known-before", 4))

    # The agent's store was made anew: a gap, and all of it once more.
    end(third)
    (tmp_path / "plans" / "last-event-id").write_text(
        "0123456789abcdef-1")
    mirror(unodc)
    says(tmp_path, "gap")
    shows(f"EUROPOL/{PLAN.name}", json.loads(PLAN.read_text()))
    shows("EUROPOL/EUROPOL-known-before.json", revision("known-before", 4))


def test_published_once(broker, agents, mirror, tmp_path):
    """The same file, handed in again, is the same message."""
    europol = agents("EUROPOL/hq", broker).start()
    log = tmp_path / "log.txt"
    for times in (1, 2):
        running = mirror(europol, "--publish", PLAN)
        wait_for(lambda: log.read_text().count("accepted as 1\n") == times,
                 f"{times} times")
        end(running)
    mirror(europol)
    says(tmp_path, "dialogue/plan/EUROPOL")
    topic = "dialogue/plan/EUROPOL/" + PLAN.stem
    europol.wait_record(europol.wait_entry(1)["sequence"])
    assert len(europol.get(f"records?filter={topic}")["records"]) == 1
    assert europol.get("status")["outbox"]["done"] == 1
