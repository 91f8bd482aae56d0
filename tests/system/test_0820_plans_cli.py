"""Plans at the command line: a broker, two agents, and what an officer types
and reads."""
import csv
import json

import pytest

from daemon import wait_for
from parley_client import messages
from planning import action, plan, put, wait_plans
from terminal import at_terminal

MINE, THEIRS = "EUROPOL-cyber-2026", "AFRIPOL-cyber-2026"


@pytest.fixture
def by(parley):
    def run(agent, *words, **more):
        return parley("--socket", agent.socket, *words, **more)
    return run


@pytest.fixture
def relay(brokers, dialogue):
    broker = brokers(dialogue, mark_seconds=1)
    broker.init()
    return broker.start()


@pytest.fixture
def two(relay, agents):
    return [agents(name, relay).start() for name in ("EUROPOL/hq",
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


def readers(by, agent):
    """What `plan show` says of each reader of a withdrawal."""
    rows = by(agent, "plan", "show", MINE).out.partition("HAS HIDDEN IT\n")[2]
    return dict(row.split(maxsplit=1) for row in rows.splitlines())


def hidden_in(agent):
    """The record in which a reader's agent says so."""
    [one] = agent.get(f"plans/{MINE}")["withdrawn"]["hidden"]
    return one["sequence"]


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
    # Once it is settled AFRIPOL's agent says that it hid it; others have none.
    wait_for(lambda: readers(by, europol).get("AFRIPOL/hq", "").startswith(
        "yes, "), lambda: by(europol, "plan", "show", MINE).out)
    said = readers(by, europol)
    assert said["AFRIPOL/hq"].endswith(str(hidden_in(europol)))
    assert "UTC" in said["AFRIPOL/hq"] and "EUROPOL/hq" not in said
    assert said["FRONTEX/hq"] == "has not said so yet"
    assert "1 of 3 other readers' agents" in by(europol, "plan", "show",
                                                MINE).out
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


def test_quarantine(relay, pair, by):
    """What a peer wrote that does not ask its agent is shown as such."""
    europol, _ = pair
    assert by(europol, "plan", "quarantine").err == \
        "parley: nothing is quarantined\n"
    peer = relay.client("AFRIPOL/written")
    peer.hello()
    topic = f"members/plan/AFRIPOL/{THEIRS}"
    bad = plan("AFRIPOL", "cyber-2026", [
        action(f"B{i}", "AFRIPOL", regions=["nowhere"]) for i in range(5)])
    places = [peer.publish(topic, bad, messages.MAP)[0],
              peer.publish(topic, "no map")[0],
              peer.publish(topic, {"format": 2}, messages.MAP)[0]]
    wait_for(lambda: by(europol, "--json", "plan", "quarantine").json()[0]
             ["total"] == 3, lambda: by(europol, "plan", "quarantine").out)
    said = by(europol, "plan", "quarantine").out
    assert said.startswith("3 records about plans are quarantined")
    lines = {int(line.split()[0]): line for line in said.splitlines()[1:]
             if line.split()[:1] and line.split()[0].isdigit()}
    assert sorted(lines) == places
    assert f"plan {THEIRS} by AFRIPOL/written, " in lines[places[0]]
    assert lines[places[0]].endswith(" UTC")
    assert "\n   /actions/0/regions/0: is 'nowhere', " in said
    assert "\n   and 2 more (--json has them)\n" in said
    assert f"{lines[places[2]]}\n   needs a newer version" in said
    assert f"parley show {places[0]}" in said
    assert "nowhere" in by(europol, "show", places[0]).out
    assert "2 quarantined, 1 that need a newer version (parley plan " \
        "quarantine)" in by(europol, "status", code=None).out
    said = by(europol, "plan", "quarantine", "--limit", 1, "--offset", 1).out
    assert "2 of 3 are shown" not in said and "--offset 2" in said
    assert "refused" in by(europol, "plan", "history", THEIRS).out
    assert "revision    1, " in by(europol, "plan", "show", THEIRS).out


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
    assert "A1, milestone MA1" not in by(afripol, "plan", "show", MINE).out
    shown = by(afripol, "plan", "show", MINE).out.partition("REPORTED")[2]
    assert "delayed; milestone MA1 done 2026-03-01: Late." in shown
    period = ["--from", "2026", "--to", "2026"]
    said = by(afripol, "report", "cycle", *period).out
    assert said.startswith("2 plans from 2026-01-01 to 2026-12-31, as of ")
    assert "UTC." in said.splitlines()[0]
    for row in ((MINE, "2", "1/2", "1", "1,", "1", "missing"),
                (THEIRS, "1", "0/1", "1", "0,", "1", "missing"),
                ("A1", "active;", "reported", "delayed", "by", "EUROPOL"),
                ("A2", "active;", "no", "report", "by", "EUROPOL"),
                ("milestone", "MA1", "done", "2026-03-01,"),
                ("milestone", "MA2", "due", "2026-03-31;", "overdue"),
                ("report", "delayed", "by", "EUROPOL,", "2026-01", "to")):
        assert any(line.split()[:len(row)] == list(row)
                   for line in said.splitlines()), (row, said)
    assert f"\n{MINE}  Plan cyber-2026 of EUROPOL (TLP:AMBER, revision 1, " \
        in said
    said = by(afripol, "report", "cycle", *period, "--brief").out
    assert "1, 1 missing" in said and "milestone" not in said
    assert THEIRS not in by(afripol, "report", "cycle", *period, "--entity",
                            "EUROPOL").out
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
    assert told["counts"]["possible"] == {"narrow": 0, "broad": 0}
    assert by(europol, "overlaps", "--class", "claimed") \
        .out.startswith("1 overlap live on ")
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
    wait_for(lambda: THEIRS in by(afripol, "search", "B1", "afripol").out, "it")
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
    said = by(afripol, "report", "overlaps", *parts).out
    assert said.startswith("2 overlaps from 2026-01-01 to 2026-12-31, as of ")
    assert said.splitlines()[0].endswith(": 1 possible, 1 claimed.")
    assert "\nAFRIPOL, EUROPOL  1         1\n" in said
    assert f"\n   {MINE}#A1  Action A1 of EUROPOL (active)\n" in said
    assert f"{MINE}#A1" not in by(afripol, "report", "overlaps", *parts,
                                  "--brief").out
    assert by(afripol, "report", "overlaps", "--from", "2040", "--to", "2040"
              ).out.startswith("0 overlaps from 2040-01-01 to 2040-12-31, ")
    by(afripol, "report", "cycle", *parts, "--out", "cycle.html")
    assert "<html" in (tmp_path / "cycle.html").read_text()
    by(afripol, "report", "cycle", "--from", "2026", "--to", "2025",
       "--format", "csv", code=1)


def test_taxonomy(two, by, tmp_path):
    europol, afripol = two
    assert "Cybercrime" in by(europol, "taxonomy", "show").out
    assert "European Union" in by(europol, "taxonomy", "show", "groups").out
    said = by(europol, "taxonomy", "show", "regions", "EUROPE").out
    assert "\n150   Europe\n" in said and "Africa" not in said
    assert "holds 'Atlantis'" in by(europol, "taxonomy", "show", "regions",
                                    "Atlantis").err
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


def test_formulas(two, by, tmp_path):
    """What a spreadsheet would compute is text in each CSV."""
    europol, _ = two
    put(tmp_path, plan("EUROPOL", "sums", [
        action("A1", "EUROPOL", title='=HYPERLINK("http://x")'),
        action("A2", "EUROPOL", title="@SUM(1)"),
        action("A3", "EUROPOL", title="+1")], title="-2+3"))
    by(europol, "plan", "publish", "EUROPOL-sums.json", "--channel", "members",
       "--wait", "promised")
    wait_plans(europol, 1)
    for words in (["report", "cycle", "--from", "2026", "--to", "2026"],
                  ["plan", "export", "EUROPOL-sums"]):
        said = by(europol, *words, "--format", "csv").out
        cells = [cell for row in csv.reader(said.lstrip("\ufeff").splitlines())
                 for cell in row]
        assert any("HYPERLINK" in cell for cell in cells)
        assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r")]


def test_reading_as_json(pair, by):
    """Each command that reads answers with one object for programs."""
    europol, _ = pair
    period = ["--from", "2026", "--to", "2026"]
    for words in (["plan", "list"], ["plan", "show", MINE],
                  ["plan", "history", MINE], ["plan", "diff", MINE, 1, 1],
                  ["plan", "quarantine"], ["plan", "draft", "list"],
                  ["overlaps"], ["gaps"], ["search", "B1"],
                  ["taxonomy", "show"], ["report", "cycle", *period],
                  ["report", "overlaps", *period]):
        [answer] = by(europol, "--json", *words).json()
        assert isinstance(answer, dict) and answer, words


def test_wrong_words_say_what_to_do(two, by):
    europol, _ = two
    for words, said in (
            (["plan", "list", "--region", "Europe"],
             "region: 'Europe' is no region, country or group of the taxonomy;"
             " parley taxonomy show regions lists them"),
            (["overlaps", "--priority", "x"],
             "priority: 'x' is no priority of the taxonomy; parley taxonomy "
             "show lists them"),
            (["overlaps", "--on", "2026-13"],
             "on: '2026-13' is no date like 2026, 2026-05 or 2026-05-17"),
            (["report", "cycle", "--from", "2026", "--to", "2025"],
             "to: the period ends before it begins"),
            (["plan", "list", "--limit", "x"],
             "'limit' is 'x': a number from 1 to 500")):
        assert by(europol, *words, code=1).err == f"parley: {said}\n"
    said = by(europol, "report", "cycle", *"--from 2026 --to 2026".split(),
              "--out", "report.txt", code=2).err
    assert "json, csv or html" in said


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_terminals(pair, columns):
    """Nothing is wider than the terminal, and no title is broken into a column
    of a word or two."""
    europol, _ = pair
    period = ["--from", "2026", "--to", "2026"]
    for words in (["plan", "list"], ["plan", "show", MINE],
                  ["plan", "history", MINE], ["overlaps"],
                  ["report", "cycle", *period], ["report", "overlaps", *period],
                  ["plan", "quarantine"], ["gaps", "--region", "150"],
                  ["search", "B1"]):
        lines = at_terminal(columns, "--socket", europol.socket, *words)
        assert max(map(len, lines), default=0) <= columns, words
        assert not any("\\x0a" in line for line in lines), words
    lines = at_terminal(columns, "--socket", europol.socket, "plan", "show",
                        MINE)
    assert any("Action A1 of EUROPOL" in line for line in lines), lines
    at = next(i for i, line in enumerate(lines) if line.startswith("priorities"))
    assert "Cyber-attacks and crime as a service" in lines[at]
    assert "Europe (150)" in lines[at + 1]
