"""What an agent answers about plans: a broker, agents of several bodies, and a
peer that publishes without asking whether it is right."""
import copy
import json

import pytest

from agents import Agent, Connection, feed_lines
from conftest import SAMPLE, program
from daemon import wait_for
from dialogue import SMALL, Dialogue
from parley_client import messages
from planning import action, derived, plan

SEATS = {"SCO": "SCO/rats"}
MINE, THEIRS = "EUROPOL-cyber-2026", "AFRIPOL-cyber-2026"


def starter(dialogue, broker, request):
    def start(name):
        one = Agent(program("parley-agent"), dialogue, name, broker)
        request.addfinalizer(one.close)
        return one.init().start()
    return start


def begun(brokers, dialogue):
    broker = brokers(dialogue, mark_seconds=1)
    broker.init()
    return broker.start()


def say(agent, topic, body):
    """Publish a body about plans; the sequence of its record."""
    number = agent.publish(topic, body, "json")["number"]
    return agent.wait_entry(number)["sequence"]


def say_plan(agent, document, channel="members"):
    entity, name = document["entity"], document["plan"]
    return say(agent, f"{channel}/plan/{entity}/{name}", document)


def refused(agent, topic, body, format="json"):
    """Pointers of what is wrong with it."""
    out = agent.ask("POST", "messages", code=422, body={
        "topic": topic, "format": format, "content": body})
    assert out["type"] == "urn:parley:problem:NOT-A-PLAN", out
    assert len(out["problems"]) == out["count"]
    return [one["pointer"] for one in out["problems"]]


def seen(agents, *sequences):
    """Until each agent derived all of it, which is in a history or a list."""
    last = max(sequences)
    for one in agents:
        wait_for(lambda one=one: (one.get("status")["plans"] or {"mark": -1})
                 ["mark"] > last, lambda one=one: one.get("status")["plans"])


def same(agents):
    """What all have derived."""
    wait_for(lambda: len({json.dumps(derived(one)) for one in agents}) == 1,
             lambda: [derived(one) for one in agents])
    return derived(agents[0])


def file_of(agent, path):
    one = Connection(agent.socket)
    one.request("GET", f"/api/v1/{path}")
    answer = one.getresponse()
    text = answer.read().decode("utf-8-sig")
    one.close()
    assert answer.status == 200, text
    return text, answer.getheader("Content-Disposition")


@pytest.fixture
def three(brokers, dialogue, agents):
    broker = begun(brokers, dialogue)
    return broker, [agents(name, broker).start() for name in
                    ("EUROPOL/hq", "AFRIPOL/hq", "FRONTEX/hq")]


@pytest.fixture
def pair(three):
    """Two plans that overlap, once claimed and once possible, at all."""
    broker, (europol, afripol, frontex) = three
    seen([europol, afripol, frontex],
         say_plan(europol, plan("EUROPOL", "cyber-2026", [
             action("A1", "EUROPOL", "AFRIPOL"), action("A2", "EUROPOL")])),
         say_plan(afripol, plan("AFRIPOL", "cyber-2026",
                                [action("B1", "AFRIPOL")])))
    return broker, europol, afripol, frontex


# -- the samples --------------------------------------------------------

def test_samples(tmp_path, founding, brokers, request):
    dialogue = Dialogue(tmp_path, founding, SMALL["limits"])
    broker = begun(brokers, dialogue)
    start = starter(dialogue, broker, request)
    documents = [json.loads(path.read_text()) for path in
                 sorted((SAMPLE / "plans").glob("*.json"))]
    by = {name: start(SEATS.get(name, f"{name}/hq"))
          for name in sorted({one["entity"] for one in documents})}
    for one in documents:
        last = say_plan(by[one["entity"]], one, "dialogue")
    seen(by.values(), last)
    same(list(by.values()))
    agent = by["UNODC"]
    out = agent.get("overlaps?all=true&broad=true&limit=500")
    assert {name: sum(count.values()) for name, count in
            out["counts"].items()} == {"same": 8, "joint": 3, "claimed": 12,
                                       "possible": 90}
    assert out["counts"]["possible"]["broad"] == 72
    assert out["counts"]["claimed"]["broad"] == 9
    assert out["listed"] == len(out["overlaps"]) == 113
    assert without_time(agent.get(
        "overlaps?all=true&broad=true&limit=500")) == without_time(out)
    assert sum(sum(c.values()) for pair in out["pairs"]
               for c in pair["counts"].values()) == 113
    pages = [agent.get(f"overlaps?all=true&broad=true&limit=40&offset={at}")
             ["overlaps"] for at in (0, 40, 80)]
    assert sum(pages, []) == out["overlaps"]
    listing(agent, documents)
    files(agent, documents)
    wait_for(lambda: agent.get("search?q=drugs&kind=plan&limit=2")["more"],
             "found")
    found = agent.get("search?q=drugs&kind=plan&limit=2")
    assert found["more"] and len(found["hits"]) == 2
    assert all("\x02" in hit["snippet"] for hit in found["hits"])
    assert agent.get("gaps?kind=unworked")["total"] > 0
    assert agent.get("gaps?kind=unserved&region=AU")["gaps"][0]["region"]


def listing(agent, documents):
    every = agent.get("plans?limit=500")
    assert every["total"] == len(every["plans"]) == 14
    assert {one["plan"] for one in every["plans"]} == \
        {one["plan"] for one in documents}
    for query, count in (("entity=EUROPOL", 3), ("state=live", None),
                         ("state=over", None), ("text=empact", 3),
                         ("channel=members", 0), ("channel=dialogue", 14),
                         ("on=2019", None), ("priority=organized-crime", None),
                         ("region=150", None)):
        got = agent.get(f"plans?{query}&limit=1")
        assert count is None or got["total"] == count, query
        assert len(got["plans"]) == min(1, got["total"])
    live, over = (agent.get(f"plans?state={state}")["total"]
                  for state in ("live", "over"))
    assert live + over == 14 and live > 0 and over > 0
    for one in documents:
        got = agent.get(f"plans/{one['plan']}")
        assert got["plan"] == one
        assert len(got["actions"]) == len(one["actions"])
        assert agent.get(f"plans/{one['plan']}/document") == one


def files(agent, documents):
    for one in documents:
        text, name = file_of(agent, f"plans/{one['plan']}/export")
        assert json.loads(text) == one
        assert name == f'attachment; filename="{one["plan"]}-r1.json"'
        text, _ = file_of(agent, f"plans/{one['plan']}/export?format=csv")
        assert text.count(one["plan"]) >= len(one["actions"])
        text, _ = file_of(agent, f"plans/{one['plan']}/export?format=html")
        assert text.startswith("<!DOCTYPE html>") and one["handling"] in text
    for kind in ("cycle", "overlaps"):
        query = f"cycle?kind={kind}&from=2018&to=2030"
        rows = agent.get(query)["rows"]
        assert rows
        text, name = file_of(agent, query + "&format=csv")
        assert name.endswith('.csv"') and text.count("\r\n") > len(rows)
        text, _ = file_of(agent, query + "&format=html")
        assert text.startswith("<!DOCTYPE html>")


# -- one plan's life ----------------------------------------------------

def test_life(pair):
    _, europol, afripol, frontex = pair
    every = [europol, afripol, frontex]
    after = plan("EUROPOL", "cyber-2026", [
        action("A1", "EUROPOL", "AFRIPOL", to="2029-09-30"),
        action("A3", "EUROPOL")])
    seen(every, say_plan(europol, after))
    for agent in every:
        history = agent.get(f"plans/{MINE}/history")["entries"]
        assert [one["revision"] for one in history] == [1, 2]
        diff = agent.get(f"plans/{MINE}/diff")
        assert (diff["from"]["number"], diff["to"]["number"]) == (1, 2)
        assert {one["kind"] for one in diff["changes"]} == \
            {"action-added", "action-removed", "dates"}
        assert agent.get(f"plans/{MINE}/document?revision=1") != after
        assert agent.get(f"plans/{MINE}")["plan"] == after
    agent.ask("GET", f"plans/{MINE}/diff?from=3", code=404)
    agent.ask("GET", "plans/EUROPOL-none", code=404)
    overdue = agent.get(f"plans/{MINE}")["overdue"]
    assert ("A1", "MA1") in {(one["action"], one["milestone"])
                             for one in overdue}
    withdrawn(europol, every)
    seen(every, say_plan(europol, after))
    assert same(every)["records"]["count"] >= 6
    assert agent.get(f"plans/{MINE}")["revision"]["number"] == 3


def withdrawn(europol, every):
    place = say(europol, f"members/plan/EUROPOL/{MINE}",
                {"format": 1, "withdraw": MINE, "reason": {"fr": "Fini"}})
    seen(every, place)
    for agent in every:
        assert agent.get("plans")["total"] == 1
        assert agent.get("overlaps?all=true&broad=true")["listed"] == 0
        wait_for(lambda agent=agent: agent.get(
            f"search?q=A3&plan={MINE}")["hits"] == [], "nothing found")
        one = agent.get(f"plans/{MINE}?lang=fr")
        assert one["plan"] is None and one["revision"] is None
        assert one["withdrawn"]["reason"] == "Fini"
    wait_for(lambda: {one["delegation"] for one in
                      europol.get(f"plans/{MINE}")["withdrawn"]["hidden"]}
             == {"AFRIPOL/hq", "FRONTEX/hq"},
             lambda: europol.get(f"plans/{MINE}"))
    left = europol.get(f"plans/{MINE}")["withdrawn"]
    assert left["waiting"] == ["AFRIPOL/written"]
    assert left["cannot_answer"] == []


def test_reports(pair):
    _, europol, afripol, frontex = pair
    topic = f"members/report/EUROPOL/{MINE}"
    report = {"format": 1, "report": MINE, "action": "A1", "status": "delayed",
              "period": {"from": "2026-01", "to": "2026-06"},
              "milestones": [{"id": "MA1", "done": "2026-04-02"}]}
    assert refused(frontex, topic, report) == ["/action"]
    assert refused(europol, topic, {**report, "action": "A9"}) == ["/action"]
    assert refused(europol, topic, {**report, "milestones": [
        {"id": "MA2", "done": "2026"}]}) == ["/milestones/0/id"]
    assert refused(europol, topic, {**report, "period": {
        "from": "2026-07", "to": "2026-06"}})
    assert refused(europol, f"{topic}-none",
                   {**report, "report": MINE + "-none"}) == ["/report"]
    mine = say(europol, topic, report)
    theirs = say(afripol, topic, {**report, "status": "active"})
    seen([frontex], mine, theirs)
    got = frontex.get(f"plans/{MINE}/reports")["reports"]
    assert [one["sequence"] for one in got] == [theirs, mine]
    assert all(one["counts"] and one["latest"] for one in got)
    assert len(frontex.get(f"plans/{MINE}/reports?entity=AFRIPOL&action=A1")
               ["reports"]) == 1
    one = frontex.get(f"plans/{MINE}")["actions"][0]
    assert one["reported"]["status"] == "delayed" and one["status"] == "active"
    assert one["milestones"] == [{"id": "MA1", "due": "2026-03-31", "by": mine,
                                  "done": "2026-04-02", "overdue": False}]


# -- audiences ----------------------------------------------------------

def test_annex_for_fewer(pair):
    """One reads it, the other has nothing more of it: no count, no hit."""
    _, europol, afripol, frontex = pair
    before = [afripol.get(path) for path in paths_of_nothing()]
    annex = {"format": 1, "annex": "secret", "plan": MINE, "entity": "EUROPOL",
             "actions": [action("Z1", "EUROPOL", title="Codename Zebra")],
             "adds": {"A1": {"note": "Not for all"}}}
    seen([europol, frontex, afripol],
         say(europol, f"frontline/annex/EUROPOL/{MINE}", annex))
    assert [without_time(afripol.get(path)) for path in paths_of_nothing()] == \
        [without_time(one) for one in before]
    one = frontex.get(f"plans/{MINE}")
    assert [a["id"] for a in one["plan"]["actions"]] == ["A1", "A2", "Z1"]
    assert one["audience"]["/actions/2"] == "frontline"
    assert one["annexes"][0]["covered"] == []
    wait_for(lambda: frontex.get("search?q=zebra")["hits"], lambda: "")
    line, = frontex.get("plans?entity=EUROPOL")["plans"]
    assert line["audience"] == ["members", "frontline"]
    assert frontex.get("plans?channel=frontline")["total"] == 1
    text, _ = file_of(frontex, f"plans/{MINE}/export?format=html")
    assert "Zebra" in text
    for form in ("json", "csv"):
        text, _ = file_of(frontex, f"plans/{MINE}/export?format={form}")
        assert "Zebra" not in text


def paths_of_nothing():
    return ["plans", f"plans/{MINE}", f"plans/{MINE}/history", "search?q=zebra",
            "overlaps?all=true&broad=true", "gaps?thin=true", "quarantine",
            "cycle", "plans?channel=frontline"]


def without_time(answer):
    return {name: value for name, value in answer.items()
            if name not in ("mark", "generation")}


# -- statements ---------------------------------------------------------

def claimed(agent):
    one, = agent.get("overlaps?class=claimed")["overlaps"]
    return one


def test_statements(pair):
    _, europol, afripol, frontex = pair
    one = claimed(afripol)
    a, b = one["a"]["ref"], one["b"]["ref"]
    assert (a, b) == (f"{THEIRS}#B1", f"{MINE}#A1")
    places = {name: afripol.get(f"plans/{name}")["revision"]["sequence"]
              for name in (MINE, THEIRS)}
    said = {"format": 1, "a": a, "b": b, "a_of": places[THEIRS],
            "b_of": places[MINE]}
    confirm = {**said, "says": "confirm"}
    assert refused(europol, "members/overlap/EUROPOL", confirm) == ["/says"]
    topic = "members/overlap/AFRIPOL"
    assert refused(afripol, topic, {**confirm, "b": f"{MINE}#A9"}) == ["/b"]
    assert refused(afripol, topic, {**confirm, "b": f"{MINE}#A2"}) == ["/says"]
    assert refused(afripol, topic, {**confirm, "a_of": 1}) == ["/a_of"]
    assert refused(afripol, topic, {**said, "says": "not-overlap"}) == [""]
    for word, state in (("confirm", "confirmed"), ("deny", "denied"),
                        ("retract", "")):
        seen([frontex], say(afripol, topic, {**said, "says": word}))
        assert claimed(frontex)["state"] == state
    seen([europol, frontex],
         say(europol, "members/overlap/EUROPOL",
             {**said, "says": "not-overlap", "reason": "Other systems"}))
    assert europol.get("overlaps?class=claimed")["listed"] == 0
    assert europol.get("overlaps?class=claimed&folded=true")["listed"] == 1
    assert claimed(frontex)["statements"][0]["reason"] == "Other systems"
    comes_back(europol, frontex)


def comes_back(europol, frontex):
    """A title doesn't matter; other dates do."""
    document = europol.get(f"plans/{MINE}")["plan"]
    document["actions"][0]["title"] = "Called otherwise"
    seen([europol], say_plan(europol, document))
    assert europol.get("overlaps?class=claimed")["listed"] == 0
    document["actions"][0]["to"] = "2028-01-31"
    seen([europol, frontex], say_plan(europol, document))
    statement, = claimed(europol)["statements"]
    assert not statement["stands"]


# -- before it is published ---------------------------------------------

def test_check_and_drafts(pair):
    _, europol, afripol, _ = pair
    draft = plan("AFRIPOL", "draft", [action("D1", "AFRIPOL", "EUROPOL",
                                             note="Call +32 2 555 12 12")])
    out = afripol.ask("POST", "plans/check?topic=members", draft)
    assert out["valid"] and out["problems"] == []
    assert out["overlaps"]["counts"]["claimed"]["narrow"] == 1
    assert out["overlaps"]["counts"]["joint"]["narrow"] == 1
    assert all(one["draft"] for one in out["overlaps"]["overlaps"])
    assert [one["kind"] for one in out["personal"]] == ["phone-number"]
    assert out["audience"]["may_write"]
    out = europol.ask("POST", "plans/check?topic=members", draft)
    assert [one["pointer"] for one in out["problems"]] == ["/entity"]
    out = afripol.ask("POST", "plans/check?topic=nobody",
                      {**draft, "cycle": {"from": "2026-02-30", "to": "2027"}})
    assert out["problems"][0]["pointer"] == "/cycle/from"
    assert out["audience"]["rule"] and out["overlaps"] is None
    number = afripol.ask("POST", "drafts", draft, code=201)["number"]
    got = afripol.get("overlaps?drafts=true&limit=1")
    assert got["listed"] == 2 and len(got["overlaps"]) == 1
    assert got["overlaps"][0]["draft"]
    assert afripol.get("overlaps?drafts=true&limit=1&offset=1")["overlaps"] \
        not in ([], got["overlaps"])
    bad = afripol.ask("PUT", f"drafts/{number}", {"format": 1, "x": "kept"})
    assert bad["problems"]
    assert afripol.get(f"drafts/{number}")["draft"]["x"] == "kept"
    assert afripol.get("overlaps?drafts=true")["listed"] == 0
    assert europol.get("drafts")["drafts"] == []


def test_refused_before_it_is_taken(three):
    _, (europol, *_) = three
    good = plan("EUROPOL", "x", [action("A1", "EUROPOL")])
    topic = "members/plan/EUROPOL/EUROPOL-x"
    assert refused(europol, topic, "text", "text") == [""]
    assert refused(europol, topic, {**good, "format": 2}) == ["/format"]
    assert refused(europol, "members/plan/AFRIPOL/AFRIPOL-x", good) == [""]
    assert refused(europol, "members/plan/EUROPOL", good) == [""]
    assert refused(europol, topic + "y", good)
    bad = copy.deepcopy(good)
    bad["actions"][0].update({"from": "2026-02-30", "regions": ["nowhere"]})
    assert sorted(refused(europol, topic, bad)) == \
        ["/actions/0/from", "/actions/0/regions/0"]
    hidden = {"format": 1, "hidden": "EUROPOL-x", "withdrawal": "0" * 64}
    assert refused(europol, "members/hidden/EUROPOL/EUROPOL-x", hidden)
    assert europol.get("outbox")["entries"] == []
    assert europol.publish("members/planning/x", "is no such topic")


# -- peers --------------------------------------------------------------

def test_bad_plan_of_a_peer(pair):
    """One that does not ask its agent: all put it aside alike."""
    broker, europol, afripol, frontex = pair
    peer = broker.client("AFRIPOL/written")
    peer.hello()
    bad = plan("AFRIPOL", "cyber-2026", [action("B1", "AFRIPOL",
                                                regions=["nowhere"])])
    topic = f"members/plan/AFRIPOL/{THEIRS}"
    places = [peer.publish(topic, bad, messages.MAP)[0],
              peer.publish(topic, "no map")[0],
              peer.publish("members/plan/EUROPOL/" + MINE,
                           plan("EUROPOL", "cyber-2026", []), messages.MAP)[0],
              peer.publish(topic, {"format": 2}, messages.MAP)[0]]
    seen([europol, afripol, frontex], *places)
    for agent in (europol, afripol, frontex):
        out = agent.get("quarantine")
        assert sorted(one["sequence"] for one in out["entries"]) == places
        by = {one["sequence"]: one for one in out["entries"]}
        assert by[places[0]]["problems"][0]["pointer"] == "/actions/0/regions/0"
        assert by[places[0]]["topic"] == topic
        assert by[places[3]]["newer"]
        assert agent.get("plans")["total"] == 2
        assert agent.get(f"plans/{THEIRS}")["revision"]["number"] == 1
        assert agent.get("quarantine?limit=1&offset=3")["total"] == 4
    same([europol, afripol, frontex])


def test_taxonomy_by_majority(three):
    _, (europol, afripol, frontex) = three
    topic = "dialogue/taxonomy/change"
    change = {"format": 1, "version": 2, "reason": "New", "adds": {"priorities": {
        "cybercrime/deep-fakes": {"title": "Deep fakes",
                                  "parent": "cybercrime"}}}}
    assert refused(europol, "members/taxonomy/change", change) == [""]
    assert refused(europol, topic, {**change, "version": 3}) == ["/version"]
    seen([europol, afripol], say(europol, topic, change))
    proposal, = afripol.get("taxonomy")["proposals"]
    assert (proposal["state"], proposal["consents"]) == ("open", ["EUROPOL"])
    assert afripol.get("taxonomy")["version"] == 1
    assert refused(afripol, topic, {"format": 1, "consent": "0" * 64}) == \
        ["/consent"]
    new = plan("EUROPOL", "x", [action(
        "A1", "EUROPOL", priorities=["cybercrime/deep-fakes"])])
    assert refused(europol, "members/plan/EUROPOL/EUROPOL-x", new) == \
        ["/actions/0/priorities/0"]
    seen([europol, afripol, frontex],
         say(afripol, topic, {"format": 1, "consent": proposal["id"]}))
    for agent in (europol, afripol, frontex):
        got = agent.get("taxonomy")
        assert got["version"] == 2
        assert got["proposals"][0]["state"] == "in force"
        assert "cybercrime/deep-fakes" in got["taxonomy"]["priorities"]
    seen([europol, afripol, frontex], say_plan(europol, new))
    same([europol, afripol, frontex])
    assert frontex.get("plans?priority=cybercrime/deep-fakes")["total"] == 1


def test_events(pair):
    _, europol, afripol, _ = pair
    feed = Connection(afripol.socket)
    feed.request("GET", "/api/v1/events")
    answer = feed.getresponse()
    assert answer.readline() == b": parley\n"
    place = say_plan(europol, plan("EUROPOL", "x", [action("A1", "EUROPOL")]))
    assert b"event: plans\n" in feed_lines(answer)
    data = json.loads(answer.readline().removeprefix(b"data: "))
    assert not data["lost"] and data["changes"] == [
        {"plan": "EUROPOL-x", "kind": "plan", "sequence": place}]
    feed.close()
