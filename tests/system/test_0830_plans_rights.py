"""What agents derive of plans, side by side: never more than each may read,
and the same from the same records, whatever happened to the agent."""
import contextlib
import json
import sqlite3
import threading

import pytest

from agents import Connection
from daemon import wait_for
from planning import (action, derived, plan, wait_plans, wait_records)

SECRET = "Albatros"  # in no plan but the narrow ones


def publish(agent, channel, document, kind="plan"):
    topic = f"{channel}/{kind}/{document['entity']}/{document['plan']}"
    entry = agent.publish(topic, document, "json")
    return agent.wait_entry(entry["number"], "promised")


@pytest.fixture
def ring(brokers, dialogue, agents):
    broker = brokers(dialogue, mark_seconds=1)
    broker.init()
    broker.start()
    broker.agent = lambda name: agents(name, broker).start()
    return broker


def fill(europol, frontex):
    """Plans for all on dialogue, one on frontline that UNODC can't read, an
    annex between EUROPOL and FRONTEX: four records, two of them for all."""
    publish(europol, "dialogue", plan("EUROPOL", "open", [
        action("A1", "EUROPOL"), action("A2", "EUROPOL", "FRONTEX")]))
    publish(frontex, "dialogue", plan("FRONTEX", "open", [
        action("F1", "FRONTEX")]))
    publish(europol, "frontline", plan("EUROPOL", "hush", [
        action("N1", "EUROPOL", title=f"Operation {SECRET}")]))
    publish(europol, "@EUROPOL+FRONTEX", {
        "format": 1, "annex": "X1", "plan": "EUROPOL-open",
        "entity": "EUROPOL",
        "actions": [action("A9", "EUROPOL", title=f"Annex of {SECRET}")]},
        "annex")


QUESTIONS = ("plans", "plans/EUROPOL-open", "plans/EUROPOL-open/history",
             "overlaps?all=true&broad=true", "gaps?thin=true&limit=500")


# All that the API tells of plans, with what it may be asked for.
LISTINGS = (
    "plans", "plans?text=Action", "plans?channel=dialogue",
    "plans?region=150&priority=cybercrime", "plans/EUROPOL-open",
    "plans/EUROPOL-open?lang=en", "plans/EUROPOL-open/history",
    "plans/EUROPOL-open/document?revision=1",
    "plans/EUROPOL-open/diff?from=1&to=1", "plans/EUROPOL-open/reports",
    "plans/EUROPOL-open/export?format=csv",
    "plans/EUROPOL-open/export?format=csv&annexes=true",
    "plans/EUROPOL-open/export?format=html",
    "plans/FRONTEX-gone", "plans/FRONTEX-gone/history",
    "overlaps?all=true&broad=true&limit=500", "overlaps?plan=EUROPOL-open",
    "gaps?thin=true&limit=500", "quarantine", "taxonomy", "taxonomy/history",
    "cycle?kind=cycle&from=2026&to=2029",
    "cycle?kind=overlaps&from=2026&to=2029",
    "cycle?kind=cycle&from=2026&to=2029&format=csv",
    "cycle?kind=overlaps&from=2026&to=2029&format=html",
    f"search?q={SECRET}", "search?q=action&limit=500", "search?q=annex",
    "search?q=operation&kind=message")


def octets(agent, path, code=200):
    """The body of an answer, octet by octet."""
    one = Connection(agent.socket)
    try:
        one.request("GET", f"/api/v1/{path}")
        answer = one.getresponse()
        text = answer.read()
        assert answer.status == code, (path, answer.status, text)
        return text, answer.getheader("Content-Disposition")
    finally:
        one.close()


def without_turns(text):
    """`generation` counts an agent's own turns, and is no part of what is
    derived."""
    try:
        out = json.loads(text)
    except ValueError:
        return text
    if isinstance(out, dict) and "generation" in out:
        number = out["generation"]
        return text.replace(b'"generation":%d' % number, b'"generation":0', 1)
    return text


def said(agent, question):
    """An answer without what tells when it was asked."""
    answer = agent.get(question)
    answer.pop("generation")
    answer.pop("mark")
    return json.dumps(answer, sort_keys=True)


def test_no_more_than_rights(ring):
    europol, frontex, unodc = map(ring.agent, ("EUROPOL/hq", "FRONTEX/hq",
                                               "UNODC/hq"))
    fill(europol, frontex)
    inner = [wait_records(agent, 4) for agent in (europol, frontex)]
    outer = wait_records(unodc, 2)
    assert inner[0] == inner[1] and inner[0]["records"]["count"] == 4
    assert outer["records"]["count"] == 2
    assert outer["digests"]["all"] != inner[0]["digests"]["all"]
    for agent in (europol, frontex):
        assert agent.get("plans")["total"] == 3
        shown = agent.get("plans/EUROPOL-open")
        assert [one["id"] for one in shown["plan"]["actions"]] == [
            "A1", "A2", "A9"]
        assert shown["audience"]["/actions/2"] == "@EUROPOL+FRONTEX"
        assert sum(n for one in agent.get("overlaps?all=true")["counts"]
                   .values() for n in one.values()) == 4
    # Of what it may not read there is no trace: the same as a dialogue where
    # it was never written.
    assert unodc.get("plans")["total"] == 2
    assert sum(n for one in unodc.get("overlaps?all=true")["counts"].values()
               for n in one.values()) == 2
    assert unodc.get("plans/EUROPOL-open")["annexes"] == []
    for question in QUESTIONS:
        text = said(unodc, question)
        for trace in (SECRET, "hush", "A9", "X1", "frontline", "@EUROPOL"):
            assert trace not in text, (question, trace)
    unodc.ask("GET", "plans/EUROPOL-hush", code=404)
    unodc.ask("GET", "plans/EUROPOL-hush/history", code=404)
    # Both readers are told the same, word by word.
    for question in QUESTIONS:
        assert said(europol, question) == said(frontex, question)


def test_kill_and_rebuild(ring):
    europol, frontex = map(ring.agent, ("EUROPOL/hq", "FRONTEX/hq"))
    fill(europol, frontex)
    before = wait_records(europol, 4)
    answers = [said(europol, question) for question in QUESTIONS]
    europol.kill()
    europol.start()
    wait_plans(europol, 3)
    assert wait_records(europol, 4) == before
    assert [said(europol, question) for question in QUESTIONS] == answers


def test_late_arrival(ring):
    """One that comes when all is there fetches it channel by channel; one that
    lost its store gets it all anew."""
    europol = ring.agent("EUROPOL/hq")
    frontex = ring.agent("FRONTEX/hq")
    fill(europol, frontex)
    changed = plan("EUROPOL", "open", [
        action("A1", "EUROPOL", "AFRIPOL"), action("A2", "EUROPOL")])
    publish(europol, "dialogue", changed)
    publish(europol, "frontline", plan("EUROPOL", "open", [
        action("A2", "EUROPOL", "FRONTEX")]))
    first = wait_records(europol, 6)
    frontex.stop()
    frontex.restore_empty()
    frontex.start()
    afripol, unodc = ring.agent("AFRIPOL/hq"), ring.agent("UNODC/hq")
    assert wait_records(frontex, 6) == first
    assert wait_records(afripol, 3) == wait_records(unodc, 3)
    assert derived(afripol)["records"]["count"] == 3
    # The newest revision for all is not the newest there is.
    assert afripol.get("plans/EUROPOL-open")["revision"]["number"] == 2
    assert frontex.get("plans/EUROPOL-open")["revision"]["number"] == 3


def wide(europol, frontex):
    """What there is for all, after fill(): a withdrawn plan, a report, and a
    record that breaks a rule; and the same kinds for few."""
    for channel, name in (("dialogue", "gone"), ("frontline", "dark")):
        owner = frontex if name == "gone" else europol
        entity = owner.name.split("/")[0]
        publish(owner, channel, plan(entity, name, [action("D1", entity)]))
        owner.ask("POST", "messages", code=202, body={
            "topic": f"{channel}/plan/{entity}/{entity}-{name}",
            "format": "json", "content": {
                "format": 1, "withdraw": f"{entity}-{name}"}})
    for channel, action_, words in (("dialogue", "A1", "Well."),
                                    ("@EUROPOL+FRONTEX", "A9", SECRET)):
        publish(europol, channel, {
            "format": 1, "report": "EUROPOL-open", "action": action_,
            "plan": "EUROPOL-open", "entity": "EUROPOL", "text": words,
            "period": {"from": "2026-01", "to": "2026-03"}}, "report")
    entry = europol.publish("frontline/note/x", f"{SECRET} as text")
    europol.wait_entry(entry["number"], "promised")


def settled(*listeners):
    """Until all have derived the same, up to one mark; how many records."""
    def states():
        return [agent.get("status")["plans"] or {} for agent in listeners]
    wait_for(lambda: len({json.dumps([one.get("mark"), one.get("digests")])
                          for one in states()}) == 1, states)
    return states()[0]


def all_said(agent):
    """Every listing, at one mark: asked again where one came between."""
    while True:
        before = agent.get("plans?limit=1")["mark"]
        out = {question: octets(agent, question) for question in LISTINGS}
        if agent.get("plans?limit=1")["mark"] == before:
            return before, {name: (without_turns(text), file)
                            for name, (text, file) in out.items()}


def quiet(broker, *listeners):
    """No more marks, so that all stand at one: the broker is stopped."""
    broker.stop()
    wait_for(lambda: len({json.dumps(agent.get("plans?limit=1")["mark"])
                          for agent in listeners}) == 1,
             lambda: [agent.get("plans?limit=1")["mark"]
                      for agent in listeners])


class Feed(threading.Thread):
    """The events of an agent, from now on, until `word` comes."""

    def __init__(self, agent, word):
        super().__init__(daemon=True)
        self.word, self.text = word.encode(), b""
        self.one = Connection(agent.socket)
        self.one.request("GET", "/api/v1/events")
        self.answer = self.one.getresponse()
        self.start()

    def run(self):
        while self.word not in self.text:
            piece = self.answer.read1(65536)
            if not piece:
                break
            self.text += piece

    def end(self):
        """What was told up to the word."""
        self.join(timeout=60)
        assert self.word in self.text, self.text
        self.one.close()
        return self.text.decode()


TRACES = (SECRET, "hush", "dark", "A9", "X1", "N1", "D1 of EUROPOL",
          "frontline", "@EUROPOL")


def test_every_listing_and_feed(ring):
    """Nothing that UNODC is told, in any listing or event, has a trace of what
    it may not read; EUROPOL and FRONTEX are told all of it."""
    europol, frontex, unodc = map(ring.agent, ("EUROPOL/hq", "FRONTEX/hq",
                                               "UNODC/hq"))
    feeds = [Feed(agent, "FRONTEX-last") for agent in (frontex, unodc)]
    fill(europol, frontex)
    wide(europol, frontex)
    publish(frontex, "dialogue", plan("FRONTEX", "last", [
        action("L1", "FRONTEX")]))
    inner, outer = [feed.end() for feed in feeds]
    for agent in (europol, frontex):
        wait_for(lambda agent=agent: SECRET in octets(
            agent, f"search?q={SECRET}")[0].decode(),
            lambda agent=agent: octets(agent, f"search?q={SECRET}"))
        wait_plans(agent, 4)
    wait_plans(unodc, 3)
    assert "hush" in inner and "A9" not in outer
    for trace in TRACES:
        assert trace not in outer, (trace, outer)
    hidden = {record["sequence"] for record in europol.records()
              if record["sequence"] not in
              {one["sequence"] for one in unodc.records()}}
    assert len(hidden) >= 6
    _, told = all_said(unodc)
    for question, (text, file) in told.items():
        # A priority's code in the taxonomy is no trace.
        text = text.decode().replace("frontline-access", "") + (file or "")
        for trace in TRACES:
            assert trace not in text, (question, trace)
        if text.startswith("{"):
            assert not hidden & sequences(json.loads(text)), question
    for path in ("plans/EUROPOL-hush", "plans/EUROPOL-dark",
                 "plans/EUROPOL-dark/history",
                 "plans/EUROPOL-hush/export?format=html"):
        octets(unodc, path, 404)
    assert unodc.get(f"search?q={SECRET}")["total"] == 0
    assert unodc.get("quarantine")["total"] == 0
    assert unodc.get("drafts")["drafts"] == []
    # One that is not there and one that is not to be read: the same answer.
    assert octets(unodc, "plans/EUROPOL-hush", 404)[0].replace(
        b"hush", b"none") == octets(unodc, "plans/EUROPOL-none", 404)[0]


def sequences(value):
    """All numbers that stand as a record's sequence."""
    out = set()
    if isinstance(value, dict):
        out |= {number for name, number in value.items()
                if name in ("sequence", "a_of", "b_of", "by", "record")
                and isinstance(number, int)}
        value = list(value.values())
    for one in value if isinstance(value, list) else []:
        out |= sequences(one)
    return out


def test_equal_octets(ring):
    """Two with equal rights answer every listing in the same octets, also
    after one lost its texts and was killed."""
    europol, frontex = map(ring.agent, ("EUROPOL/hq", "FRONTEX/hq"))
    fill(europol, frontex)
    wide(europol, frontex)
    for agent in (europol, frontex):
        wait_for(lambda agent=agent: b"message" in octets(
            agent, f"search?q={SECRET}")[0],
            lambda agent=agent: octets(agent, f"search?q={SECRET}"))
    # Both have hidden the other's withdrawn plan, and all of it is here.
    for agent in (europol, frontex):
        wait_for(lambda agent=agent: all(
            agent.get(f"plans/{name}")["withdrawn"]["hidden"]
            for name in ("FRONTEX-gone", "EUROPOL-dark")),
            lambda agent=agent: agent.get("plans/FRONTEX-gone"))
    settled(europol, frontex)
    quiet(ring, europol, frontex)
    mark, first = all_said(europol)
    for again in range(2):
        other, second = all_said(frontex)
        assert other == mark
        for question in LISTINGS:
            assert second[question] == first[question], question
        if again:
            break
        frontex.kill()
        with contextlib.closing(sqlite3.connect(frontex.store)) as db:
            for table in ("text_words", "text_runs"):
                db.execute(f"INSERT INTO {table} ({table})"
                           " VALUES ('delete-all')")
            for table in ("texts", "text_plans"):
                db.execute(f"DELETE FROM {table}")
            db.execute("DELETE FROM meta WHERE key = 'search_position'")
            db.commit()
        frontex.start()
        wait_plans(frontex, 3)
        wait_for(lambda: all_said(frontex)[1][f"search?q={SECRET}"]
                 == first[f"search?q={SECRET}"],
                 lambda: all_said(frontex)[1][f"search?q={SECRET}"])


def test_hidden_answers(ring, parley):
    """Those who can read a withdrawal say that they hid the plan, each where
    it may write; the owner sees at the command line who did, and who can't."""
    names = ("EUROPOL/hq", "FRONTEX/hq", "UNODC/hq")
    europol, frontex, unodc = map(ring.agent, names)
    publish(europol, "announcements", plan("EUROPOL", "open", [
        action("A1", "EUROPOL")]))
    for agent in (frontex, unodc):
        wait_plans(agent, 1)

    def shown(agent):
        said = parley("--socket", agent.socket, "plan", "show",
                      "EUROPOL-open").out
        return " ".join(said.split())
    assert "Plan open of EUROPOL" in shown(unodc)
    parley("--socket", europol.socket, "plan", "withdraw", "EUROPOL-open",
           "--reason", "All done.", "--wait", "promised")
    for agent in (europol, frontex, unodc):
        wait_for(lambda agent=agent: "withdrawn by EUROPOL/hq" in shown(agent),
                 lambda agent=agent: shown(agent))
        wait_plans(agent, 0)
    # Each answers on the ad-hoc channel of the two bodies.
    for word in ("FRONTEX/hq yes", "UNODC/hq yes"):
        wait_for(lambda word=word: word in shown(europol),
                 lambda: shown(europol))
    said = shown(europol)
    assert "All done." in said and "2 of 5" in said
    assert "AFRIPOL/hq has not said so yet" in said  # it does not run
    # What FRONTEX said stands between the two, and nobody else is told.
    wait_for(lambda: "UNODC/hq yes" in shown(unodc), lambda: shown(unodc))
    assert "FRONTEX/hq has not said so yet" in shown(unodc)
    assert [one["author"] for one in unodc.records()
            if "/hidden/" in (one.get("topic") or "")] == ["UNODC/hq"]
