"""What agents derive of plans, side by side: never more than each may read,
and the same from the same records, whatever happened to the agent."""
import json

import pytest

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
