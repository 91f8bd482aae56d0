"""parley in a dialogue: a broker and two agents, from a person's words to an
audit on another machine."""
import json
import os
import subprocess

import pytest

import planning
from conftest import program
from daemon import wait_for
from holdings import wait_complete


@pytest.fixture
def pair(broker, agents):
    """The agents of EUROPOL/hq and AFRIPOL/hq, running."""
    return [agents(name, broker).start() for name in ("EUROPOL/hq",
                                                      "AFRIPOL/hq")]


@pytest.fixture
def by(parley):
    """by(agent, words...): the command line of that agent's staff."""
    def run(agent, *words, **more):
        return parley("--socket", agent.socket, *words, **more)
    return run


def seen(agent, topic):
    """Wait until that agent holds a record of the topic; it."""
    path = f"records?filter={topic}"
    wait_for(lambda: agent.get(path)["records"], topic)
    return agent.get(path)["records"][0]


def test_publish_follow_replay(pair, by, tmp_path):
    europol, afripol = pair
    follower = subprocess.Popen(
        [program("parley"), "--socket", afripol.socket, "--json", "follow",
         "members/#", "--after", "0"], stdout=subprocess.PIPE, text=True)
    (tmp_path / "note.txt").write_text("Salaam.")
    said = by(europol, "publish", "members/note/1", "note.txt", "--wait",
              "done")
    assert "can be read by 3 entities" in said.err and "FRONTEX" in said.err
    assert "done as record 2" in said.out
    [told] = by(europol, "--json", "outbox", "list").json()
    assert told["state"] == "done" and told["sequence"] == 2
    heard = json.loads(follower.stdout.readline())
    follower.terminate()
    follower.communicate(timeout=60)
    assert heard["content"] == "Salaam." and heard["author"] == "EUROPOL/hq"
    assert heard["id"] == told["id"]
    seen(europol, "members/note/1")
    [line] = by(afripol, "replay", "members/#").out.splitlines()
    assert line.startswith("2  ") and line.endswith("members/note/1  Salaam.")
    assert by(afripol, "replay", "#", "--since", "3").out == ""
    assert len(by(afripol, "--json", "replay", "#", "--log").json()) >= 3
    said = by(europol, "show", told["id"]).out
    assert "signed by the broker's desk" in said and said.endswith("\nSalaam.\n")
    by(afripol, "show", "99", code=4)
    assert "link" in by(europol, "status").out
    assert by(europol, "refusals").out == ""


def test_plan_and_refusals(pair, by, tmp_path):
    europol, _ = pair
    plan = planning.plan("EUROPOL", "x-1", [], title="A plan")
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    by(europol, "plan", "publish", "plan.json", "--channel", "members",
       "--wait", "done", "--key", "one")
    by(europol, "plan", "publish", "plan.json", "--channel", "members",
       "--wait", "done", "--key", "one")
    seen(europol, "members/plan/EUROPOL/+")
    [line] = by(europol, "replay", "members/plan/EUROPOL/+"
                ).out.splitlines()
    assert line.endswith("members/plan/EUROPOL/EUROPOL-x-1  A plan")
    for channel in ("nobody", "nowhere"):
        by(europol, "plan", "publish", "plan.json", "--channel", channel,
           code=1)
    plan["title"] = "Another"
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    by(europol, "plan", "publish", "plan.json", "--channel", "members",
       "--key", "one", code=1)


def test_outbox_without_a_broker(pair, by, broker):
    europol, _ = pair
    broker.stop()
    said = by(europol, "publish", "members/note/2", "-", "--wait", "promised",
              "--timeout", "1", code=6, stdin="later")
    assert "it stays in the outbox" in said.err
    [entry] = by(europol, "--json", "outbox", "list").json()
    by(europol, "outbox", "show", entry["number"])
    if entry["state"] == "waiting":
        by(europol, "outbox", "cancel", entry["number"])
        assert "cancelled" in by(europol, "outbox", "list").out


def test_contribution(pair, by, parley, dialogue, tmp_path):
    europol, afripol = pair
    secret = tmp_path / "written.secret"
    secret.write_text(dialogue.identity("AFRIPOL/written").secret_file())
    secret.chmod(0o600)
    (tmp_path / "words.txt").write_text("By letter.")
    make = ["contribution", "write", "members/note/3", "words.txt",
            "--identity", secret, "--roster", "roster.note", "--out"]
    said = parley(*make, "c.contribution")
    assert "EUROPOL/hq" in said.err and "AFRIPOL/written" in said.out
    parley(*make, "c.contribution", code=5)
    by(europol, "contribution", "submit", "c.contribution", "--wait", "done")
    got = seen(afripol, "members/note/3")
    assert got["author"] == "AFRIPOL/written" and got["via"]
    assert got["content"] == "By letter."
    octets = bytearray((tmp_path / "c.contribution").read_bytes())
    octets[-1] ^= 1
    (tmp_path / "bad").write_bytes(octets)
    assert "BODY-DIGEST" in by(europol, "contribution", "submit", "bad",
                               code=1).err
    parley("contribution", "write", "announcements/x", "words.txt",
           "--identity", secret, "--roster", "roster.note", "--out", "d",
           code=1)


def test_contribution_for_a_meeting(by, pair, parley, dialogue, tmp_path):
    """Its topic is told by the meeting's id; what readers would refuse is
    refused where it is written."""
    europol, afripol = pair
    secret = tmp_path / "written.secret"
    secret.write_text(dialogue.identity("AFRIPOL/written").secret_file())
    secret.chmod(0o600)
    (tmp_path / "words.txt").write_text("We regret our absence.\n")

    def write(meeting, out, *more, code=0):
        return parley("contribution", "write", "words.txt", "--meeting",
                      meeting, "--identity", secret, "--roster",
                      "roster.note", "--out", out, *more, code=code)
    write("EUROPOL-dpd-5", "c", "--channel", "members")
    write("members/meeting/EUROPOL/EUROPOL-dpd-5", "d", "--title", "Absent")
    assert "begins with no body" in write(
        "dpd-5", "e", "--channel", "members", code=4).err
    assert "--channel" in write("EUROPOL-dpd-5", "e", code=2).err
    assert "is no topic" in write("members/note/EUROPOL/EUROPOL-dpd-5", "e",
                                  code=2).err
    write("EUROPOL-dpd-5", "e", "--channel", "members", "--title", "x" * 9999,
          code=1)
    topic = "members/meeting/EUROPOL/EUROPOL-dpd-5"
    (tmp_path / "meeting.json").write_text(json.dumps({
        "format": 1, "thread": "EUROPOL-dpd-5", "does": "propose",
        "title": "Fifth dialogue", "from": "2027-03-01T09:00:00+01:00",
        "to": "2027-03-02T17:00:00+01:00", "zone": "Europe/Amsterdam",
        "place": "The Hague", "invited": ["AFRIPOL"]}))
    by(europol, "publish", topic, "meeting.json", "--wait", "done")
    by(europol, "contribution", "submit", "c", "--wait", "done")
    wait_for(lambda: len(afripol.get(f"records?filter={topic}")["records"])
             == 2, "the contribution at AFRIPOL")
    got = afripol.get(f"records?filter={topic}")["records"][1]
    assert got["author"] == "AFRIPOL/written"
    assert got["content"]["does"] == "contribution"
    assert got["content"]["text"] == "We regret our absence."


def test_audit(pair, by, parley, broker, dialogue, tmp_path):
    europol, afripol = pair
    (tmp_path / "note.txt").write_text("Salaam.")
    for topic in ("members/note/1", "members/note/1", "@AFRIPOL+EUROPOL/a",
                  "dialogue/note/9"):
        by(europol, "publish", topic, "note.txt", "--wait", "done")
    by(afripol, "publish", "members/note/1", "note.txt", "--wait", "done")
    broker.reload(dialogue.follow())
    by(europol, "publish", "members/note/2", "note.txt", "--wait", "done")
    parley("audit", "check", "none", code=4)
    wait_complete(broker, europol, afripol)
    by(europol, "audit", "export", "bundle")
    by(europol, "audit", "export", "bundle", code=5)
    [told] = parley("--json", "audit", "check", "bundle", "--dialogue",
                    dialogue.id.hex()).json()
    assert told["messages"] == 6 and told["rosters"] == 2
    assert told["promises"] == 5 and told["authors"] == 2
    assert told["holes"] == 0 and len(told["caveats"]) > 1
    said = parley("audit", "check", "bundle").out
    assert dialogue.id.hex() in said and "broker's word" in said
    parley("audit", "check", "bundle", "--dialogue", "0" * 64, code=1)
    parley("audit", "check", "bundle", "--dialogue", "x", code=2)
    by(afripol, "audit", "export", "less", "--filter", "dialogue/#")
    [told] = parley("--json", "audit", "check", "less").json()
    assert told["messages"] == 1 and told["leaves"] + told["holes"] > 0
    blocks = tmp_path / "bundle" / "blocks"
    octets = bytearray(blocks.read_bytes())
    octets[-12] ^= 1
    blocks.write_bytes(octets)
    assert "bundle: blocks" in parley("audit", "check", "bundle", code=1).err
    os.unlink(tmp_path / "bundle" / "bundle.json")
    parley("audit", "check", "bundle", code=4)


def test_roster_show(pair, by, parley, dialogue):
    europol, _ = pair
    from_agent = by(europol, "roster", "show", "--agent").out
    assert from_agent == parley("roster", "show", "roster.note").out
    assert dialogue.id.hex() in from_agent
    by(europol, "roster", "show", code=2)
