"""Annexes: how many count, what each says of itself, whose record holds an
action, and what may be said of one in front of others."""
import pytest

from daemon import wait_for
from planning import action, of, plan, wait_plans

PLAN = "EUROPOL-parts"
BOTH = "@EUROPOL+FRONTEX"


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
                                                      "FRONTEX/hq")]


def say(agent, topic, body):
    number = agent.publish(topic, body, "json")["number"]
    return agent.wait_entry(number, "promised")


def annex(agent, channel, body):
    return say(agent, f"{channel}/annex/EUROPOL/{PLAN}", body)


def refused(agent, topic, body):
    out = agent.ask("POST", "messages", code=422, body={
        "topic": topic, "format": "json", "content": body})
    assert out["type"] == "urn:parley:problem:NOT-A-PLAN", out
    return {one["pointer"]: one["text"] for one in out["problems"]}


def wait_annexes(agent, count):
    def number():
        return len(agent.get(f"plans/{PLAN}")["annexes"])
    wait_plans(agent, 1)
    wait_for(lambda: number() == count, number)
    return agent.get(f"plans/{PLAN}")


def first_plan(europol):
    say(europol, f"members/plan/EUROPOL/{PLAN}",
        plan("EUROPOL", "parts", [action("A1", "EUROPOL", "FRONTEX")]))


def test_no_more_than_count(two):
    """The 33rd is refused before it is signed; one that is there may change,
    one that was taken back still is one of them."""
    europol, _ = two
    first_plan(europol)
    for number in range(32):
        annex(europol, BOTH, of("parts", f"X{number}", text="A word."))
    wait_annexes(europol, 32)
    topic = f"{BOTH}/annex/EUROPOL/{PLAN}"
    said = refused(europol, topic, of("parts", "X32", text="More."))
    assert list(said) == ["/annex"]
    for value in ("X32", PLAN, "32", BOTH):
        assert value in said["/annex"]
    annex(europol, BOTH, of("parts", "X5", withdraw=True))
    wait_annexes(europol, 31)
    assert list(refused(europol, topic, of("parts", "X32", text="More."))) == [
        "/annex"]
    annex(europol, BOTH, of("parts", "X5", text="Again."))
    wait_annexes(europol, 32)
    annex(europol, "members", of("parts", "X32", text="Elsewhere."))
    wait_annexes(europol, 33)
    assert europol.get("quarantine")["total"] == 0


def test_no_more_proposals(two):
    europol, frontex = two
    change = {"format": 1, "version": 2, "reason": "A new crime.", "adds": {
        "priorities": {"cyber-x": {"title": "X", "parent": None}}}}
    for number in range(8):
        say(europol, "dialogue/taxonomy/change",
            dict(change, reason=f"Reason {number}."))
    wait_for(lambda: len(europol.get("taxonomy")["proposals"]) == 8,
             lambda: europol.get("taxonomy")["proposals"])
    said = refused(europol, "dialogue/taxonomy/change", change)
    assert list(said) == ["/version"]
    for value in ("2", "EUROPOL", "8"):
        assert value in said["/version"]
    say(frontex, "dialogue/taxonomy/change", change)


def test_what_waits_is_counted(steady, agents):
    """Before a record is there of any of them."""
    europol, frontex = [agents(name, steady).start() for name in (
        "EUROPOL/hq", "FRONTEX/hq")]
    first_plan(europol)
    wait_plans(frontex, 1)
    wait_plans(europol, 1)
    steady.stop()
    topic = f"members/annex/EUROPOL/{PLAN}"
    for number in range(32):
        europol.publish(topic, of("parts", f"X{number}", text="A word."),
                        "json")
    assert list(refused(europol, topic, of("parts", "X32", text="More."))) == [
        "/annex"]
    europol.publish(topic, of("parts", "X5", text="Again."), "json")
    europol.publish(f"{BOTH}/annex/EUROPOL/{PLAN}",
                    of("parts", "X32", text="Elsewhere."), "json")
    change = {"format": 1, "version": 2, "reason": "A new crime.", "adds": {
        "priorities": {"cyber-x": {"title": "X", "parent": None}}}}
    for _ in range(8):
        europol.publish("dialogue/taxonomy/change", change, "json")
    assert list(refused(europol, "dialogue/taxonomy/change", change)) == [
        "/version"]
    steady.start()
    for agent in (europol, frontex):
        agent.ask("POST", "link/retry", code=204)
    wait_annexes(frontex, 33)
    wait_for(lambda: len(frontex.get("taxonomy")["proposals"]) == 8,
             lambda: frontex.get("taxonomy")["proposals"])
    assert frontex.get("quarantine")["total"] == 0


def test_each_part_with_its_handling(two, by, tmp_path):
    europol, frontex = two
    first_plan(europol)
    annex(europol, BOTH, of(
        "parts", "X1", handling="TLP:RED", text={"en": "For two.",
                                                 "fr": "Pour deux."},
        actions=[action("A9", "EUROPOL")]))
    annex(europol, "members", of("parts", "X2", adds={
        "A1": {"note": "A note."}}))
    for agent in two:
        shown = wait_annexes(agent, 2)
        assert shown["plan"]["handling"] == "TLP:AMBER"
        assert shown["handling"] == "TLP:RED"
        one, other = shown["annexes"]
        assert (one["handling"], one["text"]) == ("TLP:RED", "For two.")
        assert (other["handling"], other["text"]) == ("", None)
        assert [(a["action"], a["handling"]) for a in shown["actions"]] == [
            ("A1", "TLP:AMBER"), ("A9", "TLP:RED")]
        assert shown["actions"][1]["sequence"] == one["sequence"]
        assert shown["handlings"]["/actions/1"] == "TLP:RED"
        told = agent.get(f"plans/{PLAN}?lang=fr")["annexes"][0]["text"]
        assert told == "Pour deux."
        said = " ".join(by(agent, "plan", "show", PLAN).out.split())
        for part in ("TLP:RED (the plan alone: TLP:AMBER)", "For two.",
                     f"channel {BOTH}, TLP:RED", f"[{BOTH}, TLP:RED]"):
            assert part in said, said
    by(frontex, "plan", "export", PLAN, "--out", "a.html")
    page = (tmp_path / "a.html").read_text()
    assert "For two." in page and "Pour deux." in page and BOTH in page
    assert 'tlp-red"' in page and ">TLP:RED<" in page
    # The table that is imported again has the plan alone; that which holds
    # more says for whom, and is taken for no plan.
    by(frontex, "plan", "export", PLAN, "--out", "a.csv")
    assert "A9" not in (tmp_path / "a.csv").read_text()
    by(frontex, "plan", "export", PLAN, "--annexes", "--out", "all.csv")
    table = (tmp_path / "all.csv").read_text()
    for part in ("audience", "For two.", "Pour deux.", "A9", "TLP:RED", BOTH):
        assert part in table
    by(frontex, "plan", "new", PLAN, "--out", "head.json")
    assert "no column of a plan" in by(
        frontex, "plan", "import", "all.csv", "--head", "head.json",
        code=1).err
    by(frontex, "plan", "export", PLAN, "--annexes", "--format", "json",
       code=1)


def test_reports_take_the_strictest(two):
    europol, frontex = two
    first_plan(europol)
    annex(europol, BOTH, of("parts", "X1", handling="TLP:RED",
                            actions=[action("A9", "EUROPOL")]))
    say(frontex, "members/plan/FRONTEX/FRONTEX-own",
        plan("FRONTEX", "own", [action("F1", "FRONTEX")]))
    for agent in two:
        wait_plans(agent, 2)
        wait_for(lambda agent=agent: agent.get(f"plans/{PLAN}")["annexes"],
                 lambda agent=agent: agent.get(f"plans/{PLAN}"))
        rows = agent.get("cycle?kind=overlaps&from=2026&to=2029")["rows"]
        assert {tuple(sorted((row["a"], row["b"]))): row["handling"]
                for row in rows} == {
            (f"{PLAN}#A1", "FRONTEX-own#F1"): "TLP:AMBER",
            (f"{PLAN}#A9", "FRONTEX-own#F1"): "TLP:RED"}


def test_statement_names_the_own_record(two, by):
    """Two annexes on one channel: the second one brought the action."""
    europol, frontex = two
    first_plan(europol)
    annex(europol, BOTH, of("parts", "X1", text="First."))
    annex(europol, BOTH, of("parts", "X2", actions=[action("A9", "EUROPOL")]))
    say(frontex, "members/plan/FRONTEX/FRONTEX-own",
        plan("FRONTEX", "own", [action("F1", "FRONTEX")]))
    wait_plans(frontex, 2)
    wait_for(lambda: len(frontex.get(f"plans/{PLAN}")["annexes"]) == 2,
             lambda: frontex.get(f"plans/{PLAN}"))
    second = frontex.get(f"plans/{PLAN}")["annexes"][1]
    assert second["annex"] == "X2"
    words = ("overlaps", "say", f"{PLAN}#A9", "FRONTEX-own#F1", "not-overlap",
             "--reason", "Other routes.")
    # Whoever reads 'members' would learn of the action.
    said = by(frontex, *words, "--channel", "members", code=1).err
    assert "A9" in said and BOTH in said and "members" in said, said
    by(frontex, *words, "--channel", BOTH, "--wait", "promised")
    [content] = wait_for(lambda: frontex.texts("+/overlap/#"), "it")
    assert content["a_of"] == second["sequence"]


def test_report_on_what_others_cannot_read(two, by):
    europol, frontex = two
    first_plan(europol)
    annex(europol, BOTH, of("parts", "X1", actions=[
        action("A9", "EUROPOL", "FRONTEX")]))
    wait_plans(frontex, 1)
    wait_for(lambda: frontex.get(f"plans/{PLAN}")["annexes"],
             lambda: frontex.get(f"plans/{PLAN}"))
    report = {"format": 1, "report": PLAN, "action": "A9", "text": "Well.",
              "period": {"from": "2026", "to": "2026"}}
    said = refused(frontex, f"members/report/EUROPOL/{PLAN}", report)
    assert list(said) == ["/action"] and BOTH in said["/action"]
    # The command line says it where the action came by.
    by(frontex, "plan", "report", f"{PLAN}#A9", "--period", "2026..2026",
       "--text", "Well.", "--wait", "promised")
    assert [one["topic"] for one in [*frontex.get("outbox")["entries"]]
            if "/report/" in one["topic"]] == [
        f"{BOTH}/report/EUROPOL/{PLAN}"]


def test_taxonomy_history(two, by):
    """A new country, and a group's past, that a majority has agreed on."""
    europol, frontex = two
    assert "version 1" in by(europol, "taxonomy", "history").out
    change = {"format": 1, "version": 2, "reason": "It is one since 2020.",
              "adds": {"regions": {"990": {"title": "New", "alpha2": "XA",
                                           "within": ["155"]}},
                       "country_groups": {"EU": {
                           "members": [{"country": "990", "from": "2020"}],
                           "ends": [{"country": "056", "to": "2019"}]}}}}
    say(europol, "dialogue/taxonomy/change", change)
    wait_for(lambda: frontex.get("taxonomy")["proposals"],
             lambda: frontex.get("taxonomy"))
    id_ = frontex.get("taxonomy")["proposals"][0]["id"]
    needed = frontex.get("taxonomy")["proposals"][0]["needed"]
    assert needed == 2
    say(frontex, "dialogue/taxonomy/change", {"format": 1, "consent": id_})
    for agent in two:
        wait_for(lambda agent=agent: agent.get("taxonomy")["version"] == 2,
                 lambda agent=agent: agent.get("taxonomy")["proposals"])
        regions = agent.get("taxonomy")["taxonomy"]["regions"]
        assert "990" in regions["155"]["parts"]
        [one] = agent.get("taxonomy/history")["versions"]
        assert (one["id"], one["version"]) == (id_, 2)
        assert one["in_force"]["sequence"] > one["sequence"]
        assert one["past"] == [
            {"group": "EU", "country": "056", "from": None, "to": "2019"},
            {"group": "EU", "country": "990", "from": "2020", "to": None}]
        said = " ".join(by(agent, "taxonomy", "history").out.split())
        for part in ("version 2 by record", "adds: 990; EU",
                     "changes the past: EU has 990 from 2020",
                     "changes the past: EU has 056 to 2019"):
            assert part in said, said
