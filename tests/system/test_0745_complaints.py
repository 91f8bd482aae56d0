"""What an operator does with an alarm: take out what proves it, or say in the
body's own name what left no proof."""
import json

from daemon import wait_for
from liar import TOPIC, changed
from parley_client import canonical as mp


def wait_alarm(agent, kind):
    def seen():
        return [a for a in agent.alarms() if a["kind"] == kind]
    return wait_for(seen, f"{kind}, not {agent.alarms()}", 20, 0.03)[-1]


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
                               if r["topic"] == said["topic"]], "it", 20)[0]
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
