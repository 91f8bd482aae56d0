"""Plans at the command line: a broker, two agents, and what an officer types
and reads."""
import json

import pytest

from daemon import wait_for
from planning import action, plan, put, wait_plans

MINE, THEIRS = "EUROPOL-cyber-2026", "AFRIPOL-cyber-2026"


@pytest.fixture
def by(parley):
    def run(agent, *words, **more):
        return parley("--socket", agent.socket, *words, **more)
    return run


@pytest.fixture
def two(brokers, dialogue, agents):
    broker = brokers(dialogue, mark_seconds=1)
    broker.init()
    broker.start()
    return [agents(name, broker).start() for name in ("EUROPOL/hq",
                                                      "AFRIPOL/hq")]


@pytest.fixture
def pair(two, by, tmp_path):
    """Two plans that overlap, once claimed and once possible, at both."""
    europol, afripol = two
    put(tmp_path, plan("EUROPOL", "cyber-2026", [
        action("A1", "EUROPOL", "AFRIPOL"), action("A2", "EUROPOL")]))
    put(tmp_path, plan("AFRIPOL", "cyber-2026", [action("B1", "AFRIPOL")]))
    for agent, name in ((europol, MINE), (afripol, THEIRS)):
        by(agent, "plan", "publish", f"{name}.json", "--channel", "members",
           "--wait", "promised")
    for agent in two:
        wait_plans(agent, 2)
    return two


def test_offline(parley, tmp_path):
    parley("plan", "new", MINE, "--out", "plan.json")
    parley("plan", "new", MINE, "--out", "plan.json", code=5)
    parley("plan", "new", "x", code=2)
    rows = parley("plan", "new", MINE, "--csv").out.strip()
    (tmp_path / "a.csv").write_text(
        rows + "\nA1,One,,operation,cybercrime,150,03/04/2026,ongoing,EUROPOL"
        ",,,planned,G1,\n")
    said = parley("plan", "import", "a.csv", "--head", "plan.json", code=1).err
    assert "row 2, from" in said and "2026-04-03" in said
    [one] = json.loads(parley("plan", "import", "a.csv", "--head", "plan.json",
                              "--dates", "day-first").out)["actions"]
    assert one["from"] == "2026-04-03" and one["to"] is None
    parley("plan", "import", "plan.json", "--out", "again.json")
    said = parley("plan", "diff", "plan.json", "again.json").out
    assert said == "again.json: nothing changed\n"
    parley("plan", "import", "none.csv", code=4)
    for words in (("plan",), ("overlaps", "--all", "--on", "2026"),
                  ("plan", "report", "x"), ("report", "cycle"),
                  ("plan", "draft", "burn", "1"), ("search",),
                  ("taxonomy", "show", "x")):
        parley("--socket", "none", *words, code=2)


def test_publish_revise_withdraw(pair, by, tmp_path):
    europol, afripol = pair
    listed = by(afripol, "plan", "list").out
    assert MINE in listed and "2026-2029" in listed
    [told] = by(afripol, "--json", "plan", "list", "--entity", "EUROPOL").json()
    assert told["total"] == 1 and told["plans"][0]["overdue"] == 2
    shown = by(afripol, "plan", "show", MINE).out
    assert "overlaps    1 possible, 1 claimed, now or later" in shown
    assert "A1, milestone MA1" in shown and "EUROPOL with AFRIPOL" in shown
    by(afripol, "plan", "show", "EUROPOL-none", code=4)
    by(afripol, "plan", "show", "../status", code=4)

    said = by(europol, "plan", "revise", f"{MINE}.json", code=1).err
    assert "nothing changes" in said
    by(afripol, "plan", "revise", f"{MINE}.json", code=1)
    later = plan("EUROPOL", "cyber-2026", [
        action("A1", "EUROPOL", "AFRIPOL", to="2029-08-09"),
        action("A2", "EUROPOL")])
    put(tmp_path, later)
    said = by(europol, "plan", "revise", f"{MINE}.json", "--wait", "promised")
    assert "40 days later" in said.err and "can be read by 3" in said.err
    wait_for(lambda: "revision 2" in by(afripol, "plan", "history", MINE).out,
             "the revision")
    said = by(afripol, "plan", "diff", MINE).out
    assert "revision 1 to 2: 1 change" in said and "40 days later" in said
    assert "nothing changed" in by(afripol, "plan", "diff", MINE, 2, 2).out
    by(afripol, "plan", "diff", MINE, 7, code=4)

    by(afripol, "plan", "withdraw", MINE, code=1)
    by(europol, "plan", "withdraw", MINE, "--reason", "done with", "--wait",
       "promised")
    wait_for(lambda: "withdrawn by EUROPOL/hq"
             in by(afripol, "plan", "show", MINE).out, "the withdrawal")
    assert "done with" in by(afripol, "plan", "show", MINE).out
    assert MINE not in by(afripol, "plan", "list").out
    assert "withdrawal" in by(afripol, "plan", "history", MINE).out
    assert by(afripol, "overlaps").out.startswith("0 overlaps")


def test_bad_plans_are_refused(two, by, tmp_path):
    europol, _ = two
    bad = plan("EUROPOL", "bad-1", [action("A1", "EUROPOL", to="2025-01-01")])
    put(tmp_path, bad)
    said = by(europol, "plan", "publish", "EUROPOL-bad-1.json", "--channel",
              "members", code=1).err
    assert "/actions/0" in said
    put(tmp_path, plan("AFRIPOL", "x", [action("A1", "AFRIPOL")]))
    said = by(europol, "plan", "publish", "AFRIPOL-x.json", "--channel",
              "members", code=1).err
    assert "speaks for EUROPOL" in said
    by(europol, "plan", "publish", "AFRIPOL-x.json", code=2)
    assert by(europol, "--json", "outbox", "list").out == ""


def test_report(pair, by):
    europol, afripol = pair
    report = ["plan", "report", f"{MINE}#A1", "--period", "2026-01..2026-06"]
    for words in ([], ["--status", "fine"], ["--milestone", "MA1"],
                  ["--indicator", "I1=x@2026"], ["--milestone", "MA1=2026-13"]):
        by(europol, *report, *words, code=2)
    by(europol, *report, "--status", "delayed", "--milestone",
       "MA1=2026-03-01", "--text", "Late.", "--wait", "promised")
    wait_for(lambda: "reported delayed by EUROPOL"
             in by(afripol, "plan", "show", MINE).out, "the report")
    assert "milestone MA1" not in by(afripol, "plan", "show", MINE).out
    # A body that the action does not name.
    said = by(afripol, "plan", "report", f"{MINE}#A2", "--period",
              "2026-01..2026-06", "--status", "done", code=1).err
    assert "AFRIPOL" in said


def test_overlaps_and_gaps(pair, by):
    europol, afripol = pair
    said = by(europol, "overlaps").out
    assert said.startswith("2 overlaps live on ")
    assert "between 1 pair of" in said.splitlines()[0]
    assert "1 possible, 1 claimed" in said and f"{THEIRS}#B1" in said
    assert "names" in said
    [told] = by(europol, "--json", "overlaps", "--class", "claimed").json()
    assert told["listed"] == 1 and told["overlaps"][0]["class"] == "claimed"
    assert by(europol, "overlaps", "--on", "2031-01-01").out \
        == "0 overlaps live on 2031-01-01 or later.\n"
    by(europol, "overlaps", "--class", "wrong", code=1)
    refs = [f"{MINE}#A1", f"{THEIRS}#B1"]
    by(afripol, "overlaps", "say", *refs, "confirm", code=2)
    by(afripol, "overlaps", "say", *refs, "not-overlap", "--own", code=2)
    by(afripol, "overlaps", "say", *refs, "confirm", "--channel", "members",
       "--wait", "promised")
    wait_for(lambda: "claimed, confirmed" in by(europol, "overlaps").out,
             "the word")
    by(europol, "overlaps", "say", f"{THEIRS}#B1", f"{MINE}#A2", "not-overlap",
       "--reason", "other tools", "--own", "--wait", "promised")
    wait_for(lambda: by(europol, "overlaps").out.startswith("1 overlap "),
             "the folding")
    assert "other tools" in by(europol, "overlaps", "--folded").out
    assert by(afripol, "overlaps").out.startswith("2 overlaps")

    said = by(europol, "gaps", "--region", "150").out
    assert "SERVED BY NOBODY" in said and "Corruption" in said
    [told] = by(europol, "--json", "gaps", "--kind", "unserved").json()
    assert all(one["kind"] == "unserved" for one in told["gaps"])


def test_annex(pair, by, tmp_path):
    europol, afripol = pair
    annex = {"format": 1, "annex": "N1", "plan": MINE, "entity": "EUROPOL",
             "actions": [action("A9", "EUROPOL")]}
    put(tmp_path, annex)
    by(europol, "plan", "annex", "N1.json", "--channel", "@AFRIPOL+EUROPOL",
       "--wait", "promised")
    wait_for(lambda: "A9" in by(afripol, "plan", "show", MINE).out, "the annex")
    assert "[@AFRIPOL+EUROPOL]" in by(afripol, "plan", "show", MINE).out


def test_check_and_drafts(pair, by, tmp_path):
    europol, afripol = pair
    draft = plan("EUROPOL", "next", [
        action("A1", "EUROPOL", description="Ring +33 1 23 45 67 89")])
    put(tmp_path, draft)
    said = by(europol, "plan", "check", "EUROPOL-next.json", "--channel",
              "members").out
    assert "a good plan" in said and "AFRIPOL, FRONTEX" in said
    assert "1 possible" in said and "if agreed" in said
    assert "phone" in said and "23 45" not in said
    [told] = by(europol, "--json", "plan", "check", "EUROPOL-next.json").json()
    assert told["valid"] and told["personal"][0]["kind"] == "phone-number"
    assert "draft 1 is kept" in by(europol, "plan", "draft", "save",
                                   "EUROPOL-next.json").out
    assert by(europol, "overlaps", "--drafts").out.startswith(
        "1 overlap of own drafts")
    assert by(europol, "overlaps").out.startswith("2 overlaps")
    assert by(afripol, "overlaps", "--drafts").out.startswith("0 overlaps")
    by(afripol, "plan", "draft", "show", 1, code=4)

    draft["actions"][0]["from"] = "2026-02-30"
    put(tmp_path, draft)
    said = by(europol, "plan", "check", "EUROPOL-next.json", code=1).out
    assert "1 fault" in said and "/actions/0/from" in said
    said = by(europol, "plan", "draft", "save", "EUROPOL-next.json", "--as",
              1).out
    assert "1 fault" in said
    assert "EUROPOL-next" in by(europol, "plan", "draft", "list").out
    assert "2026-02-30" in by(europol, "plan", "draft", "show", 1).out
    by(europol, "plan", "draft", "delete", 1)
    by(europol, "plan", "draft", "show", 1, code=4)
    assert "no draft" in by(europol, "plan", "draft", "list").err


def test_search_and_files(pair, by, tmp_path):
    europol, afripol = pair
    said = by(afripol, "search", "B1", "afripol").out
    assert f"{THEIRS}#B1" in said and "[B1]" in said
    assert "nothing found" in by(afripol, "search", "albatros").err
    by(afripol, "search", "...", code=1)
    by(afripol, "plan", "export", MINE, code=2)
    for name, part in (("e.json", "A2"), ("e.csv", "A2"), ("e.html", "TLP")):
        by(afripol, "plan", "export", MINE, "--out", name)
        by(afripol, "plan", "export", MINE, "--out", name, code=5)
        assert part in (tmp_path / name).read_text()
    parts = ["--from", "2026", "--to", "2026"]
    said = by(afripol, "report", "cycle", *parts, "--format", "csv").out
    assert MINE in said and "missing" in said
    said = by(afripol, "report", "overlaps", *parts, "--format", "csv").out
    assert "claimed" in said
    by(afripol, "report", "cycle", *parts, "--out", "cycle.html")
    assert "<html" in (tmp_path / "cycle.html").read_text()
    by(afripol, "report", "cycle", "--from", "2026", "--to", "2025",
       "--format", "csv", code=1)


def test_taxonomy(two, by, tmp_path):
    europol, afripol = two
    assert "Cybercrime" in by(europol, "taxonomy", "show").out
    assert "European Union" in by(europol, "taxonomy", "show", "groups").out
    change = {"format": 1, "version": 2, "reason": "It is asked for.",
              "adds": {"priorities": {"cybercrime/deep-fakes": {
                  "title": "Deep fakes", "parent": "cybercrime"}}}}
    (tmp_path / "change.json").write_text(json.dumps(change))
    by(europol, "taxonomy", "propose", "change.json", code=2)
    by(europol, "taxonomy", "consent", "x", "--channel", "dialogue", code=1)
    by(europol, "taxonomy", "propose", "change.json", "--channel", "dialogue",
       "--wait", "promised")
    wait_for(lambda: "proposal" in by(afripol, "taxonomy", "show").out,
             "the proposal")
    [told] = by(afripol, "--json", "taxonomy", "show").json()
    by(afripol, "taxonomy", "consent", told["proposals"][0]["id"], "--channel",
       "dialogue", "--wait", "promised")
    wait_for(lambda: "cybercrime/deep-fakes" in by(europol, "taxonomy",
                                                   "show").out, "the code")
    assert "in force" in by(europol, "taxonomy", "show").out
