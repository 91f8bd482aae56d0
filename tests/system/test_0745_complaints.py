"""What an operator does with an alarm: take out what proves it, or say in the
body's own name what left no proof."""
import json

from daemon import wait_for
from liar import TOPIC, changed
from parley_client import canonical as mp


def wait_alarm(agent, kind):
    def seen():
        return [a for a in agent.alarms() if a["kind"] == kind]
    return wait_for(seen, f"{kind}, not {agent.alarms()}", 60, 0.03)[-1]


def test_withheld(liar, agent, parley):
    """Nobody signed anything: nothing to take out, but to be complained of."""
    def lie(frames):
        what, _, items = mp.decode(frames[0])
        if what != "members":
            return frames
        first = items[0][1] if items else 1
        return [mp.encode([what, 1 << 50, [[1, first, 1 << 50]]])]
    liar.lies["fetch"] = lie
    liar.silent = True
    liar.post("EUROPOL/hq", TOPIC, "hidden")
    liar.tell(lambda b: b.head("members"))
    number = wait_alarm(agent, "WITHHELD")["number"]
    at = ("--socket", agent.socket)
    parley(*at, "evidence", number, "--out", "nothing", code=4)
    parley(*at, "complain", number, code=2)
    parley(*at, "complain", 4711, "--channel", "members", "--yes", code=4)
    liar.honest()
    said = parley(*at, "--json", "complain", number, "--channel", "members",
                  "--yes", "--wait", "promised").json()[0]
    assert said["topic"] == f"members/complaint/AFRIPOL/{number}"
    record = wait_for(lambda: [r for r in agent.records()
                               if r["topic"] == said["topic"]], "it", 60)[0]
    content = record["content"]
    assert content["kind"] == "WITHHELD" and "members" in content["text"]
    assert content["delegation"] == "AFRIPOL/hq"


def test_what_came_is_kept(liar, agent, parley, tmp_path):
    """A block that is no proof by itself is there to be looked at."""
    liar.spoil = changed(channel_sequence=7)
    liar.post("EUROPOL/hq", TOPIC, "of another number")
    number = wait_alarm(agent, "BAD-BLOCK")["number"]
    answer = parley("--socket", agent.socket, "evidence", number, "--out",
                    "block")
    assert "as it came" in answer.err
    assert (tmp_path / "block").read_bytes()[:4] == b"PLYB"
    parley("--socket", agent.socket, "evidence", number, "--out", "block",
           code=5)
    for wrong in ("", "x", "-1", str(1 << 60)):
        parley("--socket", agent.socket, "evidence", wrong, "--out", "other",
               code=2)
    status = json.dumps(agent.get("status"))
    assert "BAD-BLOCK" in status


def test_alarms_in_a_report(liar, agent, parley, tmp_path):
    """An auditor reads what alarmed the exporter's agent, as its own word."""
    at = ("--socket", agent.socket)
    parley(*at, "audit", "export", "calm")
    assert not (tmp_path / "calm" / "alarms.json").exists()
    parley("audit", "check", "calm", "--report", "calm.html")
    assert "<p>None.</p>" in (tmp_path / "calm.html").read_text()
    liar.spoil = changed(channel_sequence=7)
    liar.post("EUROPOL/hq", TOPIC, "of another number")
    told = wait_alarm(agent, "BAD-BLOCK")
    parley(*at, "audit", "export", "bundle")
    path = tmp_path / "bundle" / "alarms.json"
    # By the feed, and perhaps by fetch.
    assert {a["kind"] for a in json.loads(path.read_text())} == {"BAD-BLOCK"}
    parley("audit", "check", "bundle", "--report", "a.html")
    page = (tmp_path / "a.html").read_text()
    assert "BAD-BLOCK" in page and told["text"][:20] in page
    for n, wrong in enumerate(("", "{", "{}", "[1, null, {}]",
                               '[{"kind": "<b>"}]')):
        path.write_text(wrong)
        parley("audit", "check", "bundle", "--report", f"{n}.html")
        page = (tmp_path / f"{n}.html").read_text()
        assert "<b>" not in page
        assert ("can't be read" in page) == (n < 3), wrong
    parley("audit", "check", "bundle", "--report", "a.html", code=5)
