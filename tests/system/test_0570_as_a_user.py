"""An agent as its delegation's programs and staff see it, where the broker is
away, rosters change, or the agent dies under them."""
import http.client
import json
import subprocess
import threading

import pytest

from agents import Connection, feed_lines, free_port
from conftest import program
from daemon import WAIT_S, wait_for
from holdings import wait_complete

TOPIC = "members/user"


@pytest.fixture
def author(steady, agents):
    return agents("EUROPOL/hq", steady).start()


@pytest.fixture
def by(parley):
    """by(agent, words...): its command line."""
    def run(agent, *words, **more):
        return parley("--socket", agent.socket, *words, **more)
    return run


def texts_in(broker):
    broker.stop()
    return [p.body[16:].decode() for p in broker.records()
            if p.record.type == 0]


def problem(agent, body, code, **headers):
    """The name of the problem that a message is refused with."""
    said = agent.ask("POST", "messages", body, code, **headers)
    assert said["status"] == code and said["title"] and said["detail"]
    return said["type"].removeprefix("urn:parley:problem:"), said


# Before anything is accepted.

def test_refused_at_once(steady, agents, author):
    """By rights, audience, topic or content: no number is given, nothing is
    sent, and it says which rule."""
    observer = agents("UNODC/hq", steady).start()
    message = {"topic": TOPIC, "format": "text", "content": "no"}
    tries = [
        (observer, {}, "NOT-A-WRITER"),
        (author, {"topic": "nowhere/x"}, "UNKNOWN-CHANNEL"),
        (author, {"topic": "nobody/x"}, "EMPTY-AUDIENCE"),
        (author, {"topic": "@AFRIPOL+NOBODY/x"}, "UNKNOWN-CHANNEL"),
        (author, {"topic": "members"}, None),
        (author, {"topic": "members/a b"}, None),
        (author, {"topic": "$log/x"}, None),
        (author, {"format": "octets", "content": "no base64!"}, None),
        (author, {"format": "colour"}, None),
        (author, {"content": ""}, None),
        (author, {"content": "x" * 262144}, None),
        (author, {"references": ["ab"]}, None),
        (author, {"more": 1}, None),
    ]
    for agent, change, rule in tries:
        body = {**message, **change}
        code = next(c for c in (422, 400, 413) if fails(agent, body, c))
        name, said = problem(agent, body, code)
        if rule:
            assert code == 422 and rule in json.dumps(said), said
    for agent in (observer, author):
        assert agent.get("outbox")["entries"] == []
        assert agent.get("refusals")["refusals"] == []
    assert texts_in(steady) == []


def fails(agent, body, code):
    try:
        agent.ask("POST", "messages", body, code)
    except AssertionError:
        return False
    return True


def test_audience(author):
    told = author.get("audience?topic=frontline/x")
    assert [e["id"] for e in told["entities"]] == ["EUROPOL", "FRONTEX",
                                                   "SCO"]
    assert told["may_write"] is True and told["rule"] is None
    assert told["writers"] == ["EUROPOL/hq"]
    told = author.get("audience?topic=nobody/x")
    assert (told["entities"], told["rule"]) == ([], "EMPTY-AUDIENCE")


# Keys.

def test_key(author):
    one = {"topic": TOPIC, "format": "text", "content": "one"}
    first = author.ask("POST", "messages", one, 202, Idempotency_Key="k")
    again = author.ask("POST", "messages", one, 200, Idempotency_Key="k")
    assert again["number"] == first["number"]
    author.wait_entry(first["number"])
    again = author.ask("POST", "messages", one, 200, Idempotency_Key="k")
    assert again["state"] == "done"
    author.ask("POST", "messages", {**one, "content": "two"}, 409,
               Idempotency_Key="k")
    author.ask("POST", "messages", {**one, "topic": "dialogue/x"}, 409,
               Idempotency_Key="k")
    author.ask("POST", "messages", one, 400, Idempotency_Key="k" * 300)
    author.wait_texts("#", ["one"])


def test_one_key_at_once(steady, author):
    """Twenty programs with one key at the same moment: one message."""
    codes, barrier = [], threading.Barrier(20)
    body = json.dumps({"topic": TOPIC, "format": "text", "content": "one"})

    def post():
        one = Connection(author.socket)
        barrier.wait(WAIT_S)
        one.request("POST", "/api/v1/messages", body,
                    {"Content-Type": "application/json",
                     "Idempotency-Key": "same"})
        answer = one.getresponse()
        codes.append((answer.status, json.loads(answer.read())["number"]))
        one.close()
    threads = [threading.Thread(target=post) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(WAIT_S)
    assert sorted(codes) == [(200, 1)] * 19 + [(202, 1)]
    author.wait_entry(1)
    assert texts_in(steady) == ["one"]


# Before it is sent.

def test_cancel(steady, agents, by):
    steady.stop()
    agent = agents("EUROPOL/hq", steady).start()
    numbers = [agent.publish(TOPIC, f"{n}")["number"] for n in range(4)]
    agent.ask("DELETE", f"outbox/{numbers[0]}", code=204)
    by(agent, "outbox", "cancel", numbers[2])
    by(agent, "outbox", "cancel", 99, code=4)
    agent.kill()
    agent.start()
    states = [e["state"] for e in agent.get("outbox")["entries"]]
    assert states == ["cancelled", "waiting", "cancelled", "waiting"]
    [entry] = by(agent, "--json", "outbox", "list", "--state",
                 "cancelled").json()[:1]
    assert entry["number"] == numbers[0]
    steady.start()
    agent.wait_entry(numbers[3])
    for number in numbers:
        agent.ask("DELETE", f"outbox/{number}", code=409)
    by(agent, "outbox", "cancel", numbers[3], code=1)
    assert texts_in(steady) == ["1", "3"]


def test_waiting_for_a_state(steady, author):
    """?wait= answers when it is so, or when time is over."""
    steady.stop()
    number = author.publish(TOPIC, "waited for")["number"]
    entry = author.get(f"outbox/{number}?wait=promised&timeout_ms=50")
    assert entry["state"] in ("waiting", "sent")
    got = []
    waiter = threading.Thread(target=lambda: got.append(author.get(
        f"outbox/{number}?wait=done&timeout_ms=50000")))
    waiter.start()
    steady.start()
    waiter.join(WAIT_S)
    assert got[0]["state"] == "done" and got[0]["sequence"] == 2


# Refused by the broker.

@pytest.fixture
def refused(steady, dialogue, agents):
    """An agent whose message was accepted under roster 1 and reaches the
    broker under roster 2, in which it may not write there any more."""
    agent = agents("EUROPOL/hq", steady).start()
    agent.daemon.wait_log("LINK-READY")
    after, place = agent.daemon.mark(), steady.desk
    steady.stop()
    agent.daemon.wait_log("LINK-DOWN", after=after)
    number = agent.publish("announcements/x", "too late")["number"]
    steady.configure(desk=f"tcp://127.0.0.1:{free_port()}")
    steady.start()  # where the agent does not look
    steady.client("AFRIPOL/hq").hello()
    line = steady.reload(dialogue.follow(lambda obj: obj["channels"][3].update(
        writers=["entity:AFRIPOL"])))
    assert line.id == "ROSTER-RECORDED"
    steady.stop()
    steady.configure(desk=place)
    steady.start()
    def entry():
        one = agent.get(f"outbox/{number}?wait=done&timeout_ms=5000")
        return one["state"] == "refused" and one
    return wait_for(entry, "a refusal"), agent


def test_refused_by_the_broker(steady, refused, by, parley, dialogue):
    entry, agent = refused
    assert entry["refusal"]["rule"] == "NOT-A-WRITER"
    assert entry["refusal"]["final"] is True and entry["sequence"] is None
    assert entry["refusal"]["values"] == {"author": "EUROPOL/hq",
                                          "channel": "announcements"}
    [told] = agent.get("refusals")["refusals"]
    assert (told["rule"], told["id"], told["topic"]) == (
        "NOT-A-WRITER", entry["id"], "announcements/x")
    [line] = by(agent, "--json", "refusals").json()
    assert line["id"] == entry["id"]
    assert "NOT-A-WRITER" in by(agent, "refusals").out
    assert "NOT-A-WRITER" in by(agent, "outbox", "show", entry["number"]).out
    agent.ask("DELETE", f"outbox/{entry['number']}", code=409)
    # The broker's own list says the same, and a bundle has the proof.
    [theirs] = steady.client("EUROPOL/hq").refusals()
    assert theirs[3].hex() == entry["id"] and theirs[4] == "NOT-A-WRITER"
    agent.wait_entry(agent.publish(TOPIC, "others go on")["number"])
    by(agent, "audit", "export", "bundle")
    [told] = parley("--json", "audit", "check", "bundle", "--dialogue",
                    dialogue.id.hex()).json()
    assert told["refusals"] == 1 and told["rosters"] == 2
    agent.kill()
    agent.start()
    assert agent.get(f"outbox/{entry['number']}") == entry
    # Only now: the file is as roster 1 was, and is no reason to try again.
    problem(agent, {"topic": "announcements/x", "format": "text",
                    "content": "known now"}, 422)


# Follow, through deaths.

class Follower:
    """parley follow, and what it has printed."""

    def __init__(self, agent, *words):
        self.process = subprocess.Popen(
            [program("parley"), "--socket", agent.socket, "--json", "follow",
             *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        self.got, self.news = [], threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.got.append(json.loads(line))
                self.news.notify_all()

    def wait(self, count):
        with self.news:
            assert self.news.wait_for(lambda: len(self.got) >= count, WAIT_S)

    def end(self):
        self.process.terminate()
        self.process.communicate(timeout=WAIT_S)


def test_follow_through_kills(steady, agents, author):
    """Each record once and in order, whoever dies: agent or broker."""
    reader = agents("AFRIPOL/hq", steady).start()
    follower = Follower(reader, "members/#", "--after", "0")
    author.publish(TOPIC, "first")
    follower.wait(1)  # it is there; without an agent it would end
    try:
        for n in range(4):
            for i in range(5):
                last = author.publish(TOPIC, f"{n}.{i}")["number"]
            if n % 2:
                steady.kill()
                steady.start()
            else:
                reader.kill()
                reader.start()
            author.wait_entry(last)
            follower.wait(1 + 5 * (n + 1))
    finally:
        follower.end()
    assert [one["content"] for one in follower.got] == ["first", *(
        f"{n}.{i}" for n in range(4) for i in range(5))]


def events(agent, count, path="", **headers):
    """So many events as (name, id, data), from the beginning of a feed."""
    one = Connection(agent.socket)
    one.request("GET", f"/api/v1/events?filter=members/%23{path}", headers={
        name.replace("_", "-"): value for name, value in headers.items()})
    answer, out, fields = one.getresponse(), [], {}
    assert answer.getheader("Content-Type").startswith("text/event-stream")
    lines = feed_lines(answer)
    while len(out) < count:
        line = next(lines).decode().rstrip("\n")
        name, colon, value = line.partition(": ")
        if not line and "data" in fields:
            if fields["event"] != "status":  # of the link: at any time
                out.append((fields["event"], fields.get("id"),
                            json.loads(fields["data"])))
            fields = {}
        elif name:
            fields[name] = value
    one.close()
    return out


def test_events_after_a_restore(steady, agents, author):
    """A store that was put back may count anew: a program that goes on from
    what it saw last is told of the gap, and then gets what there is."""
    reader = agents("AFRIPOL/hq", steady)
    author.wait_entry(author.publish(TOPIC, "one")["number"])
    reader.start()
    wait_complete(steady, reader)
    [early] = events(reader, 1, "&after=0")
    reader.stop()
    reader.backup()
    reader.start()
    author.wait_entry(author.publish(TOPIC, "two")["number"])
    wait_complete(steady, reader)
    seen = events(reader, 2, "&after=0")
    assert [data["content"] for _, _, data in seen] == ["one", "two"]
    [after] = events(reader, 1, Last_Event_ID=seen[0][1])
    assert after[2]["content"] == "two"
    reader.stop()
    reader.restore()
    reader.start()
    wait_complete(steady, reader)  # "two" has a place of its own again
    [(name, at, gap)] = events(reader, 1, Last_Event_ID=seen[1][1])
    assert name == "gap" and gap["reason"]
    again = events(reader, 2, Last_Event_ID=at)
    assert [data["content"] for _, _, data in again] == ["one", "two"]
    [after] = events(reader, 1, Last_Event_ID=early[1])
    assert after[0] == "record" and after[2]["content"] == "two"


# Other things that a user does.

def test_replay_and_show(steady, agents, author, by):
    reader = agents("UNODC/hq", steady).start()
    ids = []
    for n in range(3):
        entry = author.publish("dialogue/a/b", f"text {n}")
        ids.append(author.wait_entry(entry["number"])["id"])
    author.wait_entry(author.publish("dialogue/c", {"n": [1, 2.5, None]},
                                     "json")["number"])
    author.wait_entry(author.publish("members/c", "not for it")["number"])
    wait_complete(steady, reader, author)
    lines = by(reader, "--json", "replay", "dialogue/#").json()
    assert [one["sequence"] for one in lines] == [2, 3, 4, 5]
    assert lines[3]["content"] == {"n": [1, 2.5, None]}
    assert [one["id"] for one in by(reader, "--json", "replay",
                                    "dialogue/+/b").json()] == ids
    assert len(by(reader, "--json", "replay", "#", "--since", "3", "--until",
                  "4").json()) == 2
    [shown] = by(reader, "--json", "show", ids[1]).json()
    assert shown["sequence"] == 3 and shown["previous"] == 2
    assert shown["promise"] is None  # not the reader's own
    [shown] = by(author, "--json", "show", 3).json()
    assert shown["promise"]["sequence"] == 3
    by(reader, "show", 6, code=4)
    [status] = by(reader, "--json", "status").json()
    assert status["link"]["state"] == "ready" and status["broker"]["size"] >= 6
    assert {s["name"] for s in status["streams"]} == {
        "$log", "dialogue", "announcements", "@UNODC"}


def test_many_ask_at_once(author, steady):
    """Eighty programs on one socket: answered, or told to come again."""
    open_ones = []
    try:
        for _ in range(80):
            one = Connection(author.socket)
            open_ones.append(one)
            try:
                one.request("GET", "/api/v1/events")
                one.getresponse()
            except (OSError, http.client.HTTPException):
                pass
    finally:
        for one in open_ones:
            one.close()
    wait_for(lambda: fine(author, "status"), "answers again")
    number = author.publish(TOPIC, "all the same")["number"]
    # The agent sees that those are gone when it has something for them.
    wait_for(lambda: fine(author, f"outbox/{number}?wait=done"), "a place", 30)
    author.wait_entry(number)
    wait_for(lambda: author.daemon.descriptors() < 80, "let go")


def fine(agent, path):
    try:
        return agent.get(path)
    except (OSError, http.client.HTTPException, AssertionError):
        return None
