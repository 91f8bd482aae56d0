"""What agents answer about threads: a broker, agents of several bodies, and a
peer that publishes without asking whether it is right."""
import base64
import hashlib
import json

import pytest
from nacl.signing import VerifyKey
from parley_client import messages

from agents import Connection, feed_lines
from daemon import wait_for
from planning import action, plan
from test_0810_plans_api import begun, file_of, say_plan, seen
from threads import (align, common, communique, digest, items, known, meeting,
                     open_thread, pointers, refused, same, say, settled)

NAMES = ("EUROPOL/hq", "AFRIPOL/hq", "FRONTEX/hq")
MINE, THEIRS = "EUROPOL-cyber-2026", "AFRIPOL-cyber-2026"


def plans_say(europol, afripol, everybody, channel="members", **changes):
    """A plan of each of two bodies, with one overlap."""
    seen(everybody,
         say_plan(europol, plan("EUROPOL", "cyber-2026", [
             action("A1", "EUROPOL", **changes), action("A2", "EUROPOL")]),
             channel),
         say_plan(afripol, plan("AFRIPOL", "cyber-2026",
                                [action("B1", "AFRIPOL")]), channel))


@pytest.fixture
def three(brokers, dialogue, agents):
    """Of three members, with two plans."""
    broker = begun(brokers, dialogue)
    every = [agents(name, broker).start() for name in NAMES]
    plans_say(*every[:2], every)
    return broker, every


# -- an alignment -------------------------------------------------------

def test_alignment(three):
    _, every = three
    europol, afripol, frontex = every
    id_ = open_thread(europol, "align", align(
        "AFRIPOL", "FRONTEX", undertakings=[
            {"id": "U1", "who": "AFRIPOL", "what": "Name us",
             "action": f"{MINE}#A1", "shows": "named"},
            {"id": "U2", "who": "FRONTEX", "what": "Come"}]))
    topic = f"members/align/EUROPOL/{id_}"
    first = known(every, id_)[1]
    assert (first["state"], first["topic"]) == ("open", topic)
    assert {"stance", "suggest", "comment"} <= set(first["actions"])
    assert "stance" not in known([europol], id_)[0]["actions"]
    waits, = items(afripol, "stance")
    assert waits["thread"]["id"] == id_ and "AFRIPOL" in waits["words"]
    assert items(europol, "stance") == []
    early(europol, afripol, id_)
    revise(every, id_)
    agree(every, id_)
    beside_plans(every, id_)
    undertakings(every, id_)
    again(every, id_)


def early(europol, afripol, id_):
    """What nobody may say yet, or here."""
    assert refused(europol, id_, "stance", says="endorse") == ["/does"]
    assert refused(afripol, id_, "withdraw", reason="No") == ["/does"]
    assert refused(afripol, id_, "stance", says="adopt") == ["/says"]
    assert refused(afripol, id_, "close") == ["/does"]
    assert refused(afripol, id_, "stance", says="endorse", version=2) == \
        ["/version"]
    assert refused(afripol, id_, "stance", says="endorse",
                   version="0" * 64) == ["/version"]
    assert refused(afripol, id_, "done", undertaking="U2", day="2026-11-01") \
        == ["/undertaking"]
    assert refused(afripol, id_, "done", undertaking="U9", day="2026-11-01") \
        == ["/undertaking"]


def revise(every, id_):
    """A suggestion that another version takes up; what was said before it does
    not count for it."""
    europol, afripol, frontex = every
    known(every, id_, say(frontex, id_, "stance", says="object"))
    place = say(afripol, id_, "suggest", text="Later", put="In July")
    suggestion, = known([europol], id_, place)[0]["suggestions"]
    assert (suggestion["text"], suggestion["put"]) == ("Later", "In July")
    assert [one["since"] for one in items(europol, "suggestion")] == [place]
    old = europol.get(f"threads/{id_}")
    place = say(europol, id_, "propose", takes_up=[suggestion["id"]],
                **old["proposal"])
    for one in known(every, id_, place):
        assert [(v["number"], v["state"]) for v in one["versions"]] == \
            [(1, "replaced"), (2, "open")]
        assert one["suggestions"][0]["taken_up_in"] == 2
        assert one["outcome"]["tally"]["silent"] == 2
        assert [(s["entity"], s["version"], s["state"])
                for s in one["other_stances"]] == [("FRONTEX", 1, "counts")]
    assert refused(frontex, id_, "stance", says="endorse",
                   version=old["version"]["id"]) == ["/version"]


def agree(every, id_):
    europol, afripol, frontex = every
    assert refused(europol, id_, "done", undertaking="U1", day="2026-11-01") \
        == ["/undertaking"]
    say(afripol, id_, "stance", says="endorse", reservation={"en": "Not all"},
        text="As our law has it")
    place = say(frontex, id_, "stance", says="abstain")
    one = known([europol], id_, place)[0]
    assert not one["outcome"]["would_agree"]
    place = say(frontex, id_, "stance", says="endorse")
    one = known([europol], id_, place)[0]
    assert one["outcome"]["would_agree"] and one["agreed"] is None
    assert [(s["word"], s["state"]) for s in one["other_stances"]][-1] == \
        ("abstain", "earlier")
    # What was counted wrong is not even sent.
    assert refused(europol, id_, "close", outcome="not-agreed",
                   stances={}) == ["/outcome", "/stances"]
    place = say(europol, id_, "close")
    settled(every, place)
    answers = known(every, id_, place)
    for one in answers:
        assert (one["state"], one["agreed"]) == ("agreed", 2)
        assert one["outcome"]["decided"] == place
        assert one["closes"][0]["state"] == "good"
        party = {p["entity"]: p for p in one["parties"]}["AFRIPOL"]
        assert (party["says"], party["word"], party["reservation"]) == \
            ("for", "endorse", "Not all")
        assert common(one) == common(answers[0])
    assert refused(afripol, id_, "stance", says="object") == ["/version"]
    assert refused(europol, id_, "close") == ["/does"]
    assert refused(europol, id_, "withdraw", reason="Late") == ["/does"]
    place = say(frontex, id_, "stance", "?anyway=true", says="object")
    late = known([afripol], id_, place)[0]
    assert (late["state"], late["other_stances"][-1]["state"]) == \
        ("agreed", "after")
    same(every, late["message_count"])


def beside_plans(every, id_):
    """Where plans meet, and in the plan."""
    for agent in every:
        wait_for(lambda agent=agent: agent.get("overlaps?broad=true&all=true")
                 ["overlaps"][0]["covered_by"] == [id_],
                 lambda agent=agent: agent.get("overlaps?broad=true&all=true"))
        about = agent.get(f"plans/{MINE}")["threads"]
        assert [(t["id"], t["kind"], t["state"]) for t in about] == \
            [(id_, "align", "agreed")]
        assert agent.get(f"threads/{id_}")["covers"] == 1
        assert agent.get(f"threads?about={MINE}&state=agreed")["total"] == 1
        assert agent.get(f"threads?about={THEIRS}%23B9")["total"] == 0


def undertakings(every, id_):
    """One is shown by a plan, the other said by its owner."""
    europol, afripol, frontex = every
    assert [one["undertaking"]["id"] for one in items(frontex, "undertaking")] \
        == ["U2"]
    assert "done:U2" in frontex.get(f"threads/{id_}")["actions"]
    place = say(frontex, id_, "done", undertaking="U2", day="2026-11-20",
                text="Done")
    for one in known(every, id_, place):
        assert one["carried_out"] is False
        done = {u["id"]: u["done"] for u in one["undertakings"]}
        assert done["U1"] is None and done["U2"]["by"] == "owner"
        assert (done["U2"]["day"], done["U2"]["text"]) == ("2026-11-20", "Done")
    assert items(frontex, "undertaking") == []
    seen(every, say_plan(europol, plan("EUROPOL", "cyber-2026", [
        action("A1", "EUROPOL", "AFRIPOL"), action("A2", "EUROPOL")])))
    for one in known(every, id_):
        assert one["carried_out"] is True
        assert [u["done"]["by"] for u in one["undertakings"]] == \
            ["plans", "owner"]


def again(every, id_):
    """An action that it is about changed: who spoke is asked again."""
    europol, afripol, frontex = every
    one = known([frontex], id_)[0]
    assert [ask["ref"] for ask in one["asks"]] == [f"{MINE}#A1"]
    assert "partners" in one["asks"][0]["words"]
    asked, = items(afripol, "asked-again")
    assert asked["thread"]["id"] == id_ and "partners" in asked["words"]
    assert "stance" in afripol.get(f"threads/{id_}")["actions"]
    known(every, id_, say(afripol, id_, "stance", says="endorse"))
    assert items(afripol, "asked-again") == []
    assert afripol.get(f"threads/{id_}")["state"] == "agreed"


# -- a communique -------------------------------------------------------

def check_note(note, text, dialogue, *names):
    """By another program's Ed25519: each signs that text, once."""
    assert note.startswith(text + "\n")
    lines = note[len(text) + 1:].splitlines()
    assert [line.split(" ")[1] for line in lines] == list(names)
    for line, name in zip(lines, names):
        octets = base64.b64decode(line.split(" ")[2])
        key = bytes(dialogue.identity(name).public["note"])
        of = hashlib.sha256(name.encode() + b"\n\x01" + key).digest()[:4]
        assert octets[:4] == of
        VerifyKey(key).verify(text.encode(), octets[4:])


def test_communique(three, dialogue):
    _, every = three
    europol, afripol, frontex = every
    id_ = open_thread(europol, "communique", communique("AFRIPOL", "FRONTEX"))
    known(every, id_)
    europol.ask("GET", f"threads/{id_}/note", code=404)
    assert refused(afripol, id_, "suggest", text="No", paragraph="p9") == \
        ["/paragraph"]
    assert refused(afripol, id_, "stance", says="adopt", signature="x") == \
        ["/signature"]
    assert refused(afripol, id_, "stance", says="object",
                   signature="x") == ["/signature"]
    for agent in (europol, afripol):
        place = say(agent, id_, "stance", says="adopt")
    one = known([europol], id_, place)[0]
    text = europol.get(f"threads/{id_}/text")
    assert text.splitlines()[:2] == ["parley/communique/1", dialogue.id.hex()]
    assert "== en ==" in text and "== fr ==" in text
    # The signature of another text is none.
    other = afripol.get(f"threads/{id_}")["messages"][-1]["content"]
    assert refused(frontex, id_, "stance", says="adopt",
                   signature=other["signature"]) == ["/signature"]
    check_note(europol.get(f"threads/{id_}/note"), text, dialogue,
               "AFRIPOL/hq", "EUROPOL/hq")
    assert not one["outcome"]["would_agree"]
    place = say(frontex, id_, "stance", says="adopt", reservation="Not p2")
    known([europol], id_, place)
    place = say(europol, id_, "close")
    settled(every, place)
    for agent in every:
        one = known([agent], id_, place)[0]
        assert one["state"] == "agreed"
        assert agent.get(f"threads/{id_}/text?version=1") == text
        check_note(agent.get(f"threads/{id_}/note"), text, dialogue,
                   "AFRIPOL/hq", "EUROPOL/hq", "FRONTEX/hq")
    page, name = file_of(frontex, f"threads/{id_}/export")
    assert page.startswith("<!DOCTYPE html>") and "Not p2" in page
    assert name == f'attachment; filename="{id_}.html"'
    frontex.ask("GET", f"threads/{id_}/text?version=2", code=404)


# -- peers that are not asked -------------------------------------------

def test_peers(brokers, dialogue, agents):
    """Who is not invited, observers, a second delegation, messages that break
    a rule, and a close that says something else than the records do."""
    broker = begun(brokers, dialogue)
    every = [agents(name, broker).start() for name in NAMES]
    europol, afripol, frontex = every
    plans_say(europol, afripol, every, "dialogue")
    id_ = open_thread(europol, "align", align("AFRIPOL", "UNODC"), "dialogue")
    one = known(every, id_)[0]
    topic, version = one["topic"], one["version"]["id"]
    peers = {name: broker.client(name) for name in
             ("AFRIPOL/written", "UNODC/hq", "SCO/rats")}
    for peer in peers.values():
        peer.hello()

    def peer_says(name, **body):
        return peers[name].publish(topic, {"format": 1, "thread": id_, **body},
                                   messages.MAP)[0]

    assert refused(frontex, id_, "stance", says="endorse") == ["/does"]
    stance = {"does": "stance", "version": version}
    places = [peer_says("SCO/rats", says="endorse", **stance),
              peer_says("UNODC/hq", says="object", **stance),
              say(afripol, id_, "stance", says="endorse"),
              peer_says("AFRIPOL/written", says="object", **stance),
              peer_says("SCO/rats", says="perhaps", **stance),
              peer_says("SCO/rats", does="close", version=version,
                        outcome="agreed", stances={}),
              peer_says("SCO/rats", does="propose")]
    for agent in every:
        one = known([agent], id_, places[3])[0]
        wait_for(lambda agent=agent: agent.get("quarantine")["total"] == 3,
                 lambda agent=agent: agent.get("quarantine"))
        assert {e["sequence"] for e in agent.get("quarantine")["entries"]} == \
            set(places[4:])
        entry = agent.get("quarantine")["entries"][0]
        assert (entry["topic"], entry["kind"]) == (topic, "align")
        assert one["outcome"]["tally"] == {
            "members": 1, "for": 0, "against": 1, "neither": 0, "silent": 0}
        party = {p["entity"]: p for p in one["parties"]}
        assert not party["UNODC"]["member"] and \
            party["UNODC"]["word"] == "object"
        assert [d["author"] for d in party["AFRIPOL"]["disagrees"]] == \
            ["AFRIPOL/hq"]
        assert {(s["entity"], s["state"]) for s in one["other_stances"]} == \
            {("SCO", "uninvited"), ("AFRIPOL", "earlier")}
    same(every, 8)
    false_close(broker, every)


def false_close(broker, every):
    """By a proposer who does not ask its agent."""
    europol, afripol, frontex = every
    id_ = open_thread(afripol, "align", align("EUROPOL", "FRONTEX"), "dialogue")
    known(every, id_, say(europol, id_, "stance", says="object"))
    one = afripol.get(f"threads/{id_}")
    peer = broker.client("AFRIPOL/written")
    peer.hello()
    place = peer.publish(one["topic"], {
        "format": 1, "thread": id_, "does": "close", "outcome": "agreed",
        "version": one["version"]["id"], "stances": {}}, messages.MAP)[0]
    settled(every, place)
    for agent in every:
        one = known([agent], id_, place)[0]
        assert one["state"] == "open" and one["outcome"]["decided"] is None
        assert one["closes"][0]["state"] == "false" and one["closes"][0]["why"]
        wait_for(lambda agent=agent: alarms(agent),
                 lambda agent=agent: agent.get("status"))
        notice, = alarms(agent)
        assert id_ in notice["text"] and "AFRIPOL/written" in notice["text"]
        assert notice["alarm"]
    same(every, 11)
    place = say(afripol, id_, "close")
    for one in known(every, id_, place):
        assert one["state"] == "not-agreed"
    frontex.stop()
    frontex.start()
    known([frontex], id_, place)
    same(every, 12)
    assert [(one["count"], one["text"]) for one in alarms(frontex)] == \
        [(1, alarms(europol)[0]["text"])]


def alarms(agent):
    return [one for one in agent.get("status")["notices"]
            if one["kind"] == "FALSE-CLOSE"]


def test_handed_in(three, dialogue):
    """What a body wrote that was not there, handed in for it."""
    broker, every = three
    europol, _, frontex = every
    id_ = open_thread(europol, "consultation", {
        "title": "What?", "text": "Say", "invited": ["AFRIPOL"]})
    one = known([frontex], id_)[0]
    writer = broker.client("AFRIPOL/written")
    writer.hello()

    def hand_in(code, **body):
        sent = writer.sign([writer.make(one["topic"], {
            "format": 1, "thread": id_, **body}, messages.MAP)])
        link = Connection(frontex.socket)
        link.request("POST", "/api/v1/contributions", messages.contribution(
            sent.batch, [h.octets for h in sent.headers], sent.bodies),
            {"Content-Type": "application/octet-stream"})
        answer = link.getresponse()
        out = json.loads(answer.read())
        link.close()
        assert answer.status == code, out
        return out

    version = one["version"]["id"]
    assert pointers(hand_in(422, does="stance", says="reply",
                            version="0" * 64)) == ["/version"]
    assert pointers(hand_in(422, does="close", outcome="closed", stances={},
                            version=version)) == ["/does"]
    out = hand_in(202, does="stance", says="reply", version=version, text="So")
    place = frontex.wait_entry(out["number"])["sequence"]
    for one in known(every, id_, place):
        party, = one["parties"]
        assert (party["author"], party["text"]) == ("AFRIPOL/written", "So")
        assert one["messages"][-1]["handed_in_by"] == "FRONTEX/hq"
    place = say(europol, id_, "close", text="They said so")
    assert known([frontex], id_, place)[0]["state"] == "closed"
    # A contribution may come before its thread does.
    one = {**one, "topic": "members/meeting/EUROPOL/EUROPOL-later"}
    id_ = "EUROPOL-later"
    assert pointers(hand_in(422, does="comment", text="Early")) == ["/thread"]
    out = hand_in(202, does="contribution", title="Ours", text="Early")
    place = frontex.wait_entry(out["number"])["sequence"]
    europol.ask("POST", "threads", code=202, body={
        "channel": "members", "kind": "meeting", "id": id_,
        "proposal": meeting("AFRIPOL", "FRONTEX")})
    for one in known(every, id_):
        contribution, = one["contributions"]
        assert (contribution["sequence"], contribution["handed_in_by"]) == (
            place, "FRONTEX/hq")


# -- meetings -----------------------------------------------------------

def test_meetings(three):
    _, every = three
    europol, afripol, frontex = every
    first = open_thread(europol, "meeting", meeting("AFRIPOL", "FRONTEX"))
    known(every, first)
    assert items(frontex, "invitation")[0]["due"]["utc"] == \
        "2099-03-01T09:00:00Z"
    say(afripol, first, "stance", says="yes", represented_by="FRONTEX")
    say(frontex, first, "stance", says="in-writing")
    place = say(frontex, first, "contribution", title="Our view", text="Here")
    known([europol], first, place)
    place = say(europol, first, "attendance", present=[
        {"entity": "EUROPOL"}, {"entity": "AFRIPOL", "text": "By video"}])
    for one in known(every, first, place):
        assert [p["entity"] for p in one["attendance"]["present"]] == \
            ["EUROPOL", "AFRIPOL"]
        assert one["attendance"]["in_writing"] == ["FRONTEX"]
        assert one["contributions"][0]["text"] == "Here"
    out = europol.ask("POST", "threads", code=422, body={
        "channel": "members", "kind": "communique",
        "proposal": communique("AFRIPOL", minutes_of="EUROPOL-none")})
    assert pointers(out) == ["/minutes_of"]
    minutes = open_thread(europol, "communique", communique(
        "AFRIPOL", minutes_of=first,
        decisions=[{"id": "D1", "text": "Go on", "owner": "AFRIPOL"}],
        undertakings=[{"id": "U1", "who": "AFRIPOL", "what": "Write",
                       "by": "2027-01-31"}]))
    known([afripol], minutes)
    for agent in (afripol, europol):
        place = say(agent, minutes, "stance", says="adopt")
    known([europol], minutes, place)
    place = say(europol, minutes, "close")
    second = open_thread(europol, "meeting", meeting(
        "AFRIPOL", edition=2, day="2099-09-01"))
    for one in known(every, second):
        before, = one["meeting"]["earlier"]
        assert (before["id"], before["edition"]) == (first, 1)
        assert before["minutes"]["id"] == minutes
        assert before["decisions"][0]["text"] == "Go on"
        carried, = one["meeting"]["carried"]
        assert (carried["id"], carried["meeting"], carried["minutes"]) == \
            ("U1", first, minutes)
    for path, count in ((f"threads/{first}/calendar", 1), ("calendar", 2),
                        ("calendar?series=plenary", 2),
                        ("calendar?series=none", 0)):
        text, _ = file_of(frontex, path)
        assert text.startswith("BEGIN:VCALENDAR\r\n")
        assert text.count("BEGIN:VEVENT") == count
    frontex.ask("GET", f"threads/{minutes}/calendar", code=404)
    assert frontex.get("threads?series=plenary")["total"] == 2


# -- what is refused, found, read ---------------------------------------

def test_refused(three):
    """Before anything is sent."""
    _, (europol, _, _) = three

    def opened(kind, proposal, channel="members", code=422, query=""):
        return europol.ask("POST", f"threads{query}", code=code, body={
            "channel": channel, "kind": kind, "proposal": proposal})

    for proposal, places in (
            (align("AFRIPOL", "UNODC"), ["/invited/1"]),
            (align("NOBODY"), ["/invited/0"]),
            (align("EUROPOL"), ["/invited/0"]),
            (align("AFRIPOL", about=["EUROPOL-x#A1", f"{MINE}#A9", MINE]),
             ["/about/0/ref", "/about/1/ref"]),
            ({**align("AFRIPOL"), "about": [{"ref": MINE, "of": 1}]},
             ["/about/0/of"]),
            (align("AFRIPOL", takes_up=["0" * 64]), ["/takes_up/0"]),
            (align("AFRIPOL", deadline="2020-01-01"), ["/deadline"]),
            (align("AFRIPOL", rule="silence"), ["/rule"]),
            (align("AFRIPOL", undertakings=[
                {"id": "U", "who": "FRONTEX", "what": "x"},
                {"id": "V", "who": "AFRIPOL", "what": "x",
                 "action": f"{THEIRS}#B9"}]), ["/undertakings/0/who"]),
            ({}, ["", "", "", "", ""])):
        assert pointers(opened("align", proposal)) == places, proposal
    request = {"title": "Help", "text": "Please", "invited": ["AFRIPOL"]}
    assert pointers(opened("request", {**request, "capability": "AFRIPOL-x"})) \
        == ["/capability"]
    # What came by a narrower channel is not named on a wider one.
    assert "/about/0/ref" in pointers(opened("align", align("AFRIPOL"),
                                             "dialogue"))
    out = opened("align", align("AFRIPOL"), "nobody")
    assert out["type"] != "urn:parley:problem:NOT-FOR-THREAD"
    opened("vote", {}, code=400)
    # The same is judged wherever a message is published.
    topic = "members/align/EUROPOL/EUROPOL-raw"
    for format, content in (("json", {"format": 1}), ("text", "Yes")):
        out = europol.ask("POST", "messages", code=422, body={
            "topic": topic, "format": format, "content": content})
        assert pointers(out)
    assert europol.get("outbox")["entries"][-1]["topic"].startswith(
        "members/plan/")
    late = {**request, "deadline": "2020-01-01"}
    assert pointers(opened("request", late)) == ["/deadline"]
    id_ = opened("request", late, query="?anyway=true", code=202)["thread"]
    one, = known([europol], id_)
    assert one["deadline"]["utc"] == "2020-01-02T00:00:00Z"


def test_names(three):
    """Ids that are given, made, the same on two channels, and asked again."""
    _, (europol, afripol, _) = three
    notice = {"title": "Note", "text": "That"}

    def opened(code=202, key=None, **more):
        headers = {"Idempotency_Key": key} if key else {}
        return europol.ask("POST", "threads", code=code, body={
            "channel": "members", "kind": "notice", "proposal": notice, **more},
            **headers)

    made = opened(key="k1")
    again = opened(key="k1", code=200)
    assert (again["number"], again["thread"]) == (made["number"],
                                                  made["thread"])
    known([europol], made["thread"])
    assert opened(key="k1", code=200)["number"] == made["number"]
    open_thread(europol, "notice", notice, id="EUROPOL-n")
    for key in (None, "k2"):
        out = opened(409, key, id="EUROPOL-n")
        assert out["type"].endswith("NAME-TAKEN")
    open_thread(europol, "notice", notice, "dialogue", id="EUROPOL-n")
    out = europol.ask("GET", "threads/EUROPOL-n", code=409)
    assert out["type"].endswith("AMBIGUOUS") and len(out["topics"]) == 2
    one = europol.get("threads/EUROPOL-n?channel=dialogue&kind=notice")
    assert (one["channel"], one["state"]) == ("dialogue", "there")
    # Asked again, it is not judged by what has become of the thread.
    said = {"does": "withdraw", "reason": "Old"}
    path = f"threads/{made['thread']}/messages"
    number = europol.ask("POST", path, said, 202,
                         Idempotency_Key="k3")["number"]
    known([europol], made["thread"], europol.wait_entry(number)["sequence"])
    assert europol.ask("POST", path, said, 200,
                       Idempotency_Key="k3")["number"] == number
    assert refused(europol, made["thread"], **said) == ["/does"]
    europol.ask("POST", "threads/EUROPOL-n/messages", code=409,
                body={"does": "comment", "text": "x"})
    say(europol, "EUROPOL-n", "comment", "?channel=members", text="Hello")
    assert europol.get("threads?state=there&kind=notice")["total"] == 2
    assert europol.get("threads?text=note&channel=dialogue")["total"] == 1
    assert europol.get("threads?with=AFRIPOL")["total"] == 0
    afripol.ask("GET", "threads/AFRIPOL-none", code=404)


def test_reading(three):
    """Read marks, search, feeds and drafts."""
    _, every = three
    europol, afripol, _ = every
    feed = Connection(afripol.socket)
    feed.request("GET", "/api/v1/events")
    events = feed.getresponse()
    assert events.readline() == b": parley\n"
    id_ = open_thread(europol, "consultation", {
        "title": {"en": "Bicycles", "fr": "Bicyclettes"}, "text": "What of it?",
        "invited": ["AFRIPOL"]})
    topic = known([afripol], id_)[0]["topic"]
    assert b"event: threads\n" in feed_lines(events)
    data = json.loads(events.readline().removeprefix(b"data: "))
    assert data["changes"][0]["topic"] == topic and not data["lost"]
    feed.close()
    assert afripol.get("threads?unread=true")["total"] == 1
    assert europol.get("threads")["unread"] == 0
    assert afripol.get("threads?lang=fr")["threads"][0]["title"] == \
        "Bicyclettes"
    afripol.ask("POST", "inbox/read", {"topic": topic})
    assert afripol.get("threads?unread=true")["total"] == 0
    place = say(europol, id_, "comment", text="Of tandems, too")
    assert known([afripol], id_, place)[0]["unread"]
    last = afripol.get(f"threads/{id_}?limit=1")
    assert [m["sequence"] for m in last["messages"]] == [place]
    assert last["earlier"] and last["messages"][0]["text"] == "Of tandems, too"
    assert not afripol.get(f"threads/{id_}?before={place}")["earlier"]
    for words, count in (("bicycles", 1), ("tandems", 1), ("reply", 0)):
        wait_for(lambda words=words, count=count: len(afripol.get(
            f"search?q={words}&kind=thread")["hits"]) == count, words)
    hit, = afripol.get("search?q=tandems")["hits"]
    assert (hit["thread"], hit["topic"], hit["sequence"]) == (id_, topic, place)
    drafted(afripol, id_)


def drafted(agent, id_):
    """Kept, seen by who may release it, released."""
    draft = agent.ask("POST", f"threads/{id_}/messages?draft=true", code=201,
                      body={"does": "stance", "says": "reply", "text": "Good"})
    assert draft["thread"] == id_
    waits, = items(agent, "draft")
    assert waits["draft"]["number"] == draft["number"] and id_ in waits["words"]
    assert agent.get("inbox")["counts"]["reply"] == 1
    agent.ask("POST", f"drafts/{draft['number']}/release", code=202)
    wait_for(lambda: agent.get("inbox")["counts"]["reply"] == 0,
             lambda: agent.get("inbox"))
    assert items(agent, "draft") == []


# -- the same, whoever derives it ---------------------------------------

def test_replay(three):
    """A restart, and an agent that comes later, make the same of it."""
    broker, every = three
    europol, afripol, frontex = every
    id_ = open_thread(europol, "align", align("AFRIPOL", "FRONTEX"))
    known(every, id_)
    frontex.kill()
    say(afripol, id_, "stance", says="endorse", reservation="Perhaps")
    frontex.start()
    place = say(frontex, id_, "stance", says="object", text="No")
    known([europol], id_, place)
    place = say(europol, id_, "close")
    known(every, id_, place)
    settled(every, place)
    same(every, 4)  # proved to be all, for which the broker is asked
    broker.stop()
    paths = [f"threads/{id_}", "threads", "inbox", f"threads/{id_}/export"]
    before = {path: octets(frontex, path) for path in paths}
    frontex.stop()
    frontex.start()
    wait_for(lambda: octets(frontex, "threads/" + id_) ==
             before["threads/" + id_], lambda: frontex.get("threads/" + id_))
    assert {path: octets(frontex, path) for path in paths} == before
    wait_for(lambda: digest(frontex)["records"]["count"] == 4,
             lambda: frontex.get("status"))


def octets(agent, path):
    """Of an answer, but for how often something changed."""
    if "export" in path:
        return file_of(agent, path)[0]
    out = agent.get(path)
    del out["generation"]
    return json.dumps(out)
