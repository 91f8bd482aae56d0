"""parley against an agent's API: what it asks, says and returns."""
import base64
import json
import os
import pty
import subprocess

import pytest

from conftest import program
from daemon import WAIT_S
from fake_agent import Events, FakeAgent, Lines, problem
from terminal import at_terminal

ID = "ab" * 32
STATUS = {
    "program": "parley-agent", "version": "0.1.0", "dialogue": "cd" * 32,
    "delegation": "EUROPOL/hq", "entity": "EUROPOL", "name": "A dialogue",
    "started": "2026-11-24T05:00:00.000Z", "now": "2026-11-24T05:12:09.123Z",
    "link": {"state": "down", "since": "2026-11-24T05:10:00.000Z",
             "desk": "tcp://127.0.0.1:7001", "run": None,
             "retry_in_ms": 700, "last_error": "no \x1b[31manswer",
             "clock_offset_ms": None},
    "broker": {"size": 40, "log_time": "2026-11-24T05:09:00.000Z",
               "closed": "LEDGER-BEHIND"},
    "roster": {"version": 3, "digest": "ef" * 32, "sequence": 9},
    "streams": [{"name": "$log", "upto": 9, "last": 12, "behind": 3,
                 "heard": None}],
    "ledger": {"size": 40, "verified": 40,
               "settled": {"size": 39, "time": "2026-11-24T05:12:07.000Z",
                           "cosigned": 5, "quorum": 4, "witnesses": 8},
               "current": False, "stale": "no quorum for 3 minutes",
               "witness": True, "cosigned": 40, "stopped": False,
               "older": False,
               "alarms": 1},
    "complete_upto": {"sequence": 37, "time": "2026-11-24T05:09:00.000Z"},
    "lacks": "members: 1 of 5 is withheld", "records": 31, "position": 33,
    "outbox": {"waiting": 2, "sent": 0, "promised": 0, "done": 4,
               "refused": 1, "cancelled": 0},
    "notices": [{"number": 1, "time": "2026-11-24T05:00:01.000Z",
                 "kind": "BAD-BLOCK", "alarm": True, "text": "block 12",
                 "count": 2, "acknowledged": None},
                {"number": 2, "time": "2026-11-24T05:00:01.000Z",
                 "kind": "WITHHELD", "alarm": True, "text": "one lacks",
                 "count": 1, "acknowledged": "2026-11-24T05:03:01.000Z"}],
    "store": {"path": "store.db", "octets": 4096},
}
AUDIENCE = {
    "topic": "members/note/1", "channel": "members", "rule": None,
    "entities": [
        {"id": "EUROPOL", "name": "Europol", "role": "member",
         "delegations": ["EUROPOL/hq"]},
        {"id": "SCO", "name": "Shanghai", "role": "observer",
         "delegations": ["SCO/rats", "SCO/secretariat"]}],
    "writers": ["EUROPOL/hq"], "may_write": True,
}


def entry(state, **values):
    return {"number": 3, "state": state, "lane": "00" * 8, "lane_number": 1,
            "topic": "members/note/1", "format": "text", "octets": 5,
            "created": "2026-11-24T05:12:09.123Z", "sent": None,
            "attempts": 0, "id": None, "sequence": None, "leaf": None,
            "refusal": None, "contribution": False, **values}


def record(sequence, **values):
    return {"position": sequence + 100, "sequence": sequence,
            "type": "message", "time": "2026-11-24T05:12:09.123Z",
            "channel": "members", "channel_sequence": sequence, "author":
            "UNODC/hq", "via": None, "topic": "members/note/1", "id": ID,
            "leaf": ID, "previous": None, "roster": 0, "author_time":
            "2026-11-24T05:12:08.000Z", "format": "text", "references": [],
            "body": "present", "content": "one\x1b[2Jtwo\nthree", "octets": 9,
            "verified": True, "problem": None, **values}


@pytest.fixture
def agent(tmp_path):
    fake = FakeAgent(tmp_path / "s")
    fake.on("GET", "/api/v1/status", STATUS)
    fake.on("GET", "/api/v1/audience", AUDIENCE)
    fake.on("POST", "/api/v1/messages", (202, entry("waiting")))
    yield fake
    fake.close()


@pytest.fixture
def ask(parley, agent):
    def run(*words, **more):
        return parley("--socket", agent.path, *words, **more)
    return run


@pytest.fixture
def note(tmp_path):
    (tmp_path / "note.txt").write_text("Salaam")
    return "note.txt"


# The agent itself.

def test_no_agent(parley, tmp_path):
    assert "PARLEY_SOCKET" in parley("status", code=2,
                                     env={"PARLEY_SOCKET": ""}).err
    assert "no agent answers" in parley("--socket", tmp_path / "x", "status",
                                        code=3).err
    assert "108 octets" in parley("--socket", "/" + "x" * 107, "status",
                                  code=2).err


def test_agents_failures(agent, ask, parley):
    agent.on("GET", "/api/v1/status", problem(503, "FULL", "no room",
                                              limit=64))
    assert "FULL: no room limit=64" in ask("status", code=7).err
    agent.on("GET", "/api/v1/status", (500, b"<html>"))
    assert "status 500" in ask("status", code=7).err
    agent.on("GET", "/api/v1/status", (200, b"[1]"))
    ask("status", code=7)
    agent.on("GET", "/api/v1/status", STATUS)
    [told] = parley("status", "--json", code=8,
                    env={"PARLEY_SOCKET": agent.path}).json()
    assert told == STATUS


def test_status(agent, ask):
    said = ask("status", code=8).out
    for words in ("EUROPOL/hq", "down since", "LEDGER-BEHIND", "waiting 2",
                  "ALARM BAD-BLOCK", "version 3", "in 700 ms", "never",
                  "up to 24 Nov 2026 05:09 UTC (record 37)",
                  "members: 1 of 5 is withheld", "cosigned up to record 39",
                  "up to record 38 by 5 of 8 witnesses, 2 s ago",
                  "no quorum for 3 minutes",
                  "one lacks (acknowledged 24 Nov 2026 05:03 UTC)"):
        assert words in said
    assert "ALARM WITHHELD" not in said
    assert "\x1b" not in said and "\\x1b[31m" in said
    assert agent.requests[-1].headers["host"] == "localhost"


@pytest.mark.parametrize("alarms,current,code", [
    (0, True, 0), (1, True, 8), (0, False, 8)])
def test_status_exit_code(agent, ask, alarms, current, code):
    ledger = {**STATUS["ledger"], "alarms": alarms, "current": current,
              "stale": None if current else "why", "settled": None}
    agent.on("GET", "/api/v1/status",
             {**STATUS, "ledger": ledger, "complete_upto": None})
    said = ask("status", code=code).out
    assert "nothing yet" in said and "not known yet" in said
    assert ("tell the broker's operator" in said) == (alarms > 0)


def test_show_settled(agent, ask):
    by = {"size": 40, "time": "2026-11-24T05:12:10.000Z", "roster": 3,
          "quorum": 2, "witnesses": 3, "cosigned": [
              {"witness": who, "time": "2026-11-24T05:12:10.000Z"}
              for who in ("EUROPOL/hq", "SCO/rats")]}
    detail = record(7, promise=None, record_octets="AA==")
    for settled, words in (
            (by, "24 Nov 2026 05:12 UTC, by 2 of 3 witnesses: EUROPOL/hq, "
                 "SCO/rats (checkpoint of 40 records)"),
            ({**by, "quorum": 0, "witnesses": 0, "cosigned": []},
             "no witness is needed"),
            (None, "not yet, as far as this agent knows")):
        agent.on("GET", "/api/v1/records/7", {**detail, "settled": settled})
        said = " ".join(ask("show", "7").out.split())
        assert words in said, said


def test_status_told(agent, ask):
    for words, path in ((("--acknowledge", "7"),
                         "/api/v1/notices/7/acknowledge"),
                        (("--retry",), "/api/v1/link/retry"),
                        (("--resume",), "/api/v1/witness/resume")):
        assert "nothing there" in ask("status", *words, code=4).err
        agent.on("POST", path, (204, b""))
        ask("status", *words)
        assert agent.requests[-1].body == b""
    ask("status", "--acknowledge", "x", code=2)
    ask("status", "--acknowledge", "", code=2)
    ask("status", "--retry", "--resume", code=2)


@pytest.mark.parametrize("columns", [80, 40, 12])
def test_narrow_terminals(agent, columns):
    agent.on("GET", "/api/v1/status", {**STATUS, "notices": [
        {**STATUS["notices"][0], "text": "block 12 " + "is no block, " * 20}]})
    agent.on("GET", "/api/v1/records", {"records": [record(1)], "next": None})
    for words in (["status"], ["replay", "#"]):
        words = ["--socket", agent.path, *words]
        whole = subprocess.run([program("parley"), *words], text=True,
                               capture_output=True, timeout=WAIT_S).stdout
        lines = at_terminal(columns, *words)
        split = max(map(len, whole.split()))  # no word is broken
        assert max(map(len, lines)) <= max(columns, 2 * split)
        assert sorted(" ".join(lines).split()) == sorted(whole.split())
        assert not any(line.endswith(" ") for line in lines)


# Publishing.

def test_publish(agent, ask, note):
    said = ask("publish", "members/note/1", note, "--ref", ID, "--key", "k 1")
    assert said.out.startswith("outbox 3: waiting")
    assert "can be read by 2 entities" in said.err
    assert "EUROPOL" in said.err and "SCO/rats, SCO/secretariat" in said.err
    [sent] = agent.asked("/api/v1/messages")
    assert sent.headers["idempotency-key"] == "k 1"
    assert sent.headers["content-type"] == "application/json"
    assert sent.json() == {"topic": "members/note/1", "format": "text",
                           "content": "Salaam", "references": [ID]}
    assert agent.asked("/api/v1/audience")[0].query == {
        "topic": "members/note/1"}


def test_publish_formats(agent, ask, tmp_path):
    (tmp_path / "a.json").write_text('{"b": [1, 2.5], "a": "\\u00e9"}')
    ask("publish", "members/note/1", "a.json")
    ask("publish", "members/note/1", "-", stdin="by pipe")
    (tmp_path / "b").write_bytes(b"\xff\x00")
    assert "--as octets" in ask("publish", "members/note/1", "b", code=1).err
    ask("publish", "members/note/1", "b", "--as", "octets")
    bodies = [r.json() for r in agent.asked("/api/v1/messages")]
    assert [b["format"] for b in bodies] == ["json", "text", "octets"]
    assert bodies[0]["content"] == {"a": "\u00e9", "b": [1, 2.5]}
    assert bodies[1]["content"] == "by pipe"
    assert base64.b64decode(bodies[2]["content"]) == b"\xff\x00"


@pytest.mark.parametrize("change, why", [
    ({"rule": "UNKNOWN-CHANNEL", "entities": []}, "UNKNOWN-CHANNEL"),
    ({"rule": "EMPTY-AUDIENCE", "entities": []}, "EMPTY-AUDIENCE"),
    ({"entities": []}, "EMPTY-AUDIENCE"),
    ({"entities": None}, "EMPTY-AUDIENCE"),
    ({"may_write": False}, "NOT-A-WRITER"),
    ({"may_write": False, "rule": "NOT-A-WRITER"}, "may not write"),
    ({"may_write": False, "rule": "REVOKED-KEY"}, "REVOKED-KEY"),
])
def test_publish_refuses_audiences(agent, ask, note, change, why):
    agent.on("GET", "/api/v1/audience", {**AUDIENCE, **change})
    assert why in ask("publish", "members/note/1", note, "--yes", code=1).err
    assert not agent.asked("/api/v1/messages")


@pytest.mark.parametrize("words", [
    ["members", "x"], ["members/#", "x"], ["$log/x", "x"],
    ["members/x", "x", "--as", "yaml"], ["members/x", "x", "--ref", "12"],
    ["members/x", "x", "--wait", "sent"], ["members/x"],
    ["members/x", "x", "--timeout", "3"],
    ["members/x", "x", "--wait", "done", "--timeout", "0"],
])
def test_publish_usage(agent, ask, words):
    ask("publish", *words, code=2)
    assert not agent.requests


def test_publish_refused(agent, ask, note):
    agent.on("POST", "/api/v1/messages",
             problem(422, "TOPIC", "too deep", why="17 levels"),
             problem(422, "LIMIT", "LIMIT size=3", size=3))
    assert "TOPIC: too deep why=17 levels" in ask(
        "publish", "members/note/1", note, code=1).err
    said = ask("publish", "members/note/1", note, code=1).err
    assert "parley: LIMIT size=3\n" in said  # once


def test_publish_waits(agent, ask, note):
    agent.on("GET", "/api/v1/outbox/3", entry("sent"),
             entry("promised", sequence=7, id=ID))
    [told] = ask("--json", "publish", "members/note/1", note, "--wait",
                 "promised").json()
    assert told["sequence"] == 7
    asked = agent.asked("/api/v1/outbox/3")
    assert len(asked) == 2 and asked[0].query["wait"] == "promised"
    agent.on("GET", "/api/v1/outbox/3", entry(
        "refused", refusal={"rule": "RATE", "values": {"limit": 2},
                            "text": "", "final": True}))
    assert "RATE limit=2" in ask("publish", "members/note/1", note, "--wait",
                                 "done", code=1).out
    agent.on("GET", "/api/v1/outbox/3", entry("sent"))
    assert "not done after 1 s" in ask(
        "publish", "members/note/1", note, "--wait", "done", "--timeout", "1",
        code=6).err


@pytest.mark.parametrize("answer, code", [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_publish_asks_on_a_terminal(agent, note, tmp_path, answer, code):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [program("parley"), "--socket", agent.path, "publish",
         "members/note/1", note], cwd=tmp_path, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(
            theirs, __import__("termios").TIOCSCTTY, 0))
    os.close(theirs)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(ours, 1000)
    assert b"EUROPOL" in said and not agent.asked("/api/v1/messages")
    os.write(ours, answer.encode())
    process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == code
    assert len(agent.asked("/api/v1/messages")) == (code == 0)


def test_plan_publish(agent, ask, tmp_path):
    plan = {"format": 1, "plan": "EUROPOL-x-1", "entity": "EUROPOL"}
    (tmp_path / "p.json").write_text(json.dumps(plan))
    assert "--channel" in ask("plan", "publish", "p.json", code=2).err
    fault = {"pointer": "/title", "text": "is not\x1b there"}
    agent.on("POST", "/api/v1/plans/check",
             {"valid": False, "problems": [fault]})
    said = ask("plan", "publish", "p.json", "--channel", "members", code=1).err
    assert "1 fault" in said and "/title  is not\\x1b there" in said
    assert agent.asked("/api/v1/messages") == []
    agent.on("POST", "/api/v1/plans/check", {"valid": True, "problems": []})
    ask("plan", "publish", "p.json", "--channel", "members")
    [sent] = agent.asked("/api/v1/messages")
    assert sent.json()["topic"] == "members/plan/EUROPOL/EUROPOL-x-1"
    assert sent.json()["content"] == plan
    for broken in ({"entity": "UNODC"}, {"entity": None}, {"plan": 3},
                   {"plan": "a/b"}, {"plan": "#"}):
        (tmp_path / "p.json").write_text(json.dumps({**plan, **broken}))
        assert "p.json" in ask("plan", "publish", "p.json", "--channel",
                               "members", code=1).err
    (tmp_path / "p.json").write_text('{"plan": "x", "plan": "y"}')
    ask("plan", "publish", "p.json", "--channel", "members", code=1)
    assert len(agent.asked("/api/v1/messages")) == 1


# Reading.

def test_replay(agent, ask):
    def page(request):
        if request.query["order"] == "position":
            return {"records": [record(41)], "next": None}
        if request.headers["accept"] == Lines.kind:
            return Lines(record(7, body="erased", content=None))
        if request.query["from"] == "5":
            return {"records": [record(5), record(6)], "next": 7}
        return {"records": [record(7, body="erased", content=None)],
                "next": None}
    agent.on("GET", "/api/v1/records", page)
    said = ask("replay", "members/#", "--since", "5", "--author", "UNODC")
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines] == ["5", "6", "7"]
    assert "one\\x1b[2Jtwo three" in lines[0] and "(erased)" in lines[2]
    query = agent.asked("/api/v1/records")[1].query
    assert query["filter"] == "members/#" and query["to"] == "41"
    assert query["author"] == "UNODC" and "log" not in query
    told = ask("replay", "#", "--json", "--log", "--since", "7", "--until",
               "2026-11-24").json()
    assert told == [record(7, body="erased", content=None)]
    query = agent.asked("/api/v1/records")[-1].query
    assert query["log"] == "1" and query["until"] == "2026-11-24"
    ask("replay", "#", "--since", "yesterday", code=2)
    ask("replay", "#/a", code=2)


def test_replay_of_nothing(agent, ask):
    agent.on("GET", "/api/v1/status", {**STATUS, "position": 0,
                                       "broker": {"size": 0}})
    agent.on("GET", "/api/v1/records", {"records": [], "next": None})
    assert ask("replay", "#").out == ""


def test_show(agent, ask):
    agent.on("GET", "/api/v1/records/17",
             {**record(17), "promise": {}, "record_octets": "AA=="})
    said = ask("show", "17").out
    assert "signed by the broker's desk" in said
    assert said.endswith("\none\\x1b[2Jtwo\nthree\n")
    ask("show", ID, code=4)
    ask("show", "x", code=2)


def test_json_on_a_terminal(agent, ask):
    """What a terminal would act on is escaped in JSON too, and no more."""
    text = "\x1b[2J \x7f \x9b31m \u202ebackwards\u2069 M\u00fcnchen \u20ac " \
        "\U0001f600 \u200b"
    agent.on("GET", "/api/v1/records/17",
             {**record(17, content=text, topic="\x85"), "promise": {},
              "record_octets": "AA=="})
    said = ask("--json", "show", "17")
    assert not set(said.out) & set("\x1b\x7f\x85\x9b\u202e\u2069")
    assert "M\u00fcnchen \u20ac \U0001f600" in said.out
    [told] = said.json()
    assert told["content"] == text and told["topic"] == "\x85"


def event(name, sequence, value):
    number = f"id: {sequence}\n" if sequence else ""
    return f"event: {name}\n{number}data: {json.dumps(value)}\n\n"


def test_follow(agent, tmp_path):
    first = event("record", 101, record(1))
    agent.on(
        "GET", "/api/v1/events",
        Events(": still here\n\n", first[:30], first[30:],
               event("record", 102, record(2))[:-1]),
        problem(503, "FULL", "too many"),
        Events(event("gap", None, {"from": 103, "to": 110, "reason":
                                   "a restored store"}),
               event("status", None, {"state": "ready"}),
               event("record", 111, record(3))))
    process = subprocess.Popen(
        [program("parley"), "--json", "--socket", agent.path, "follow",
         "members/#", "--log"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    agent.wait_asked("/api/v1/events", 4)
    process.terminate()
    out, err = process.communicate(timeout=60)
    told = [json.loads(line) for line in out.splitlines()]
    assert told[:2] == [record(1), {"from": 103, "to": 110, "reason":
                                    "a restored store", "event": "gap"}]
    assert told[2] == record(3)
    assert "a restored store" in err and "link is ready" in err
    asked = agent.asked("/api/v1/events")
    assert asked[0].query == {"filter": "members/#", "log": "1",
                              "after": "33"}
    assert [r.headers.get("last-event-id") for r in asked[:4]] == [
        None, "101", "101", "111"]


def test_follow_ends_on_refusals(agent, ask, parley, tmp_path):
    agent.on("GET", "/api/v1/events", problem(422, "FILTER", "no filter"))
    assert "no filter" in ask("follow", "#", code=1).err
    agent.on("GET", "/api/v1/status", {**STATUS, "streams": [
        {"name": name} for name in ("$log", "dialogue", "members", "@SCO")]})
    assert "no channel 'member', but: dialogue, members\n" in ask(
        "follow", "member/#", code=1).err
    assert "'members/#'" in ask("follow", "members", code=1).err
    ask("follow", "a b", code=2)
    ask("follow", "#", "--after", "x", code=2)
    parley("--socket", tmp_path / "none", "follow", "#", code=3)


# The outbox.

def test_outbox(agent, ask):
    agent.on("GET", "/api/v1/outbox",
             {"entries": [entry("done", sequence=9)], "next": 3},
             {"entries": [entry("refused", number=4, refusal={
                 "rule": "TOPIC", "values": {}})], "next": None})
    said = ask("outbox", "list", "--state", "done").out
    assert "record 9" in said and "TOPIC" in said
    assert [r.query["after"] for r in agent.asked("/api/v1/outbox")] == [
        "0", "3"]
    agent.on("GET", "/api/v1/outbox/3", entry("waiting"))
    assert "waiting" in ask("outbox", "show", "3").out
    agent.on("DELETE", "/api/v1/outbox/3", (204, b""))
    assert ask("outbox", "cancel", "3").out == "outbox 3: cancelled\n"
    agent.on("DELETE", "/api/v1/outbox/3",
             problem(409, "SENT", "it was sent", state="sent"))
    assert "it was sent" in ask("outbox", "cancel", "3", code=1).err
    ask("outbox", "show", "9", code=4)
    ask("outbox", "show", "3x", code=2)


def test_refusals(agent, ask):
    agent.on("GET", "/api/v1/refusals", {"refusals": [
        {"number": 1, "time": "2026-11-24T05:00:01.000Z", "id": ID,
         "topic": "members/note/1", "rule": "TOPICS", "values":
         {"channel": "members", "limit": 65536}, "text": ""}], "next": None})
    assert "TOPICS channel=members limit=65536" in ask("refusals").out
