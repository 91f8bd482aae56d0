"""What agents say of what they received, if their bodies let them; and watches,
which tell a command of the operator's that something is there."""
import json

from daemon import wait_for
from planning import action, plan
from test_0810_plans_api import begun, say, say_plan, seen
from test_0840_users import person, users_write
from test_0850_files import send, wait_file
from threads import align, known, open_thread
from threads import say as say_in

ACKS = "+/ack/+"


def started(agents, broker, name, **settings):
    one = agents(name, broker)
    one.configure(**settings)
    return one.start()


def acks_of(agent, sequence):
    return agent.get(f"records/{sequence}")["acks"]


def wait_acks(agent, sequence, **want):
    want = {"verified": [], "seen": [], **want}
    wait_for(lambda: acks_of(agent, sequence) == want,
             lambda: (acks_of(agent, sequence), want, agent.daemon.log()),
             wait_s=120)


def said(agent, name):
    """All acknowledgements of that delegation, which that agent holds: each
    message's id and state."""
    return [(one["message"], one["state"])
            for record in agent.records("sequence", ACKS, log=0)
            if record["author"] == name
            for one in record["content"]["acks"]]


def id_of(agent, sequence):
    return agent.get(f"records/{sequence}")["id"]


def test_acknowledged(agents, brokers, dialogue, parley):
    broker = begun(brokers, dialogue)
    europol = started(agents, broker, "EUROPOL/hq")
    afripol = started(agents, broker, "AFRIPOL/hq", acknowledge="verified")
    frontex = started(agents, broker, "FRONTEX/hq", acknowledge="seen")
    every = [europol, afripol, frontex]
    both = ["AFRIPOL/hq", "FRONTEX/hq"]

    mine = say_plan(europol, plan("EUROPOL", "cyber-2026",
                                  [action("A1", "EUROPOL")]))
    theirs = say_plan(afripol, plan("AFRIPOL", "cyber-2026",
                                    [action("B1", "AFRIPOL")]))
    note = say(europol, "members/note/EUROPOL/1", {"a": 1})
    wait_acks(europol, mine, verified=both)
    wait_acks(europol, theirs, verified=["FRONTEX/hq"])
    # The author's own agent hears of it, and a thread's messages show it.
    id_ = open_thread(europol, "align", align("AFRIPOL", "FRONTEX"))
    thread, *_ = known(every, id_)
    opened = thread["messages"][0]["sequence"]
    wait_acks(europol, opened, verified=both)
    assert europol.get(f"threads/{id_}")["messages"][0]["acks"] == {
        "verified": both, "seen": []}
    # A file, once it is held.
    data = bytes(300000)
    send(europol, data)
    manifest = wait_file(europol, data)["sequence"]
    wait_acks(europol, manifest, verified=both)
    assert acks_of(europol, note) == {"verified": [], "seen": []}
    assert not said(europol, "EUROPOL/hq")

    # Read by somebody: FRONTEX's body lets it say so, AFRIPOL's does not.
    for one in (afripol, frontex):
        one.ask("POST", "inbox/read", body={"topic": thread["topic"]})
    wait_acks(europol, opened, verified=["AFRIPOL/hq"], seen=["FRONTEX/hq"])
    shown = parley("--socket", europol.socket, "show", opened).out
    assert "verified by" in shown and "AFRIPOL/hq" in shown
    assert "seen by" in shown and "FRONTEX/hq" in shown

    # Nobody acknowledges acknowledgements, and nothing twice.
    acks = europol.records("sequence", ACKS, log=0)
    ids = {record["id"] for record in acks}
    for name in both:
        every_one = said(europol, name)
        assert not ids & {message for message, _ in every_one}
        assert len(set(every_one)) == len(every_one)
        times = [record["time"] for record in acks if record["author"] == name]
        assert times == sorted(times)


def test_once_over_kills(agents, brokers, dialogue):
    """Killed where it may have said it, and started again: each once."""
    broker = begun(brokers, dialogue)
    europol = started(agents, broker, "EUROPOL/hq")
    afripol = started(agents, broker, "AFRIPOL/hq", acknowledge="verified")
    id_ = open_thread(europol, "consultation",
                      {"title": "What next?", "text": "What do you think?",
                       "invited": ["AFRIPOL"]})
    for turn in range(4):
        last = say_in(europol, id_, "comment", text=f"Number {turn}")
        afripol.wait_record(last)
        if turn % 2:  # in the outbox, or not yet
            wait_for(lambda: afripol.get("outbox")["entries"],
                     lambda: afripol.get("outbox"))
        afripol.kill()
        afripol.start()
    wait_acks(europol, last, verified=["AFRIPOL/hq"])
    wait_for(lambda: len(said(europol, "AFRIPOL/hq")) >= 5,
             lambda: said(europol, "AFRIPOL/hq"))
    every_one = said(europol, "AFRIPOL/hq")
    assert len(set(every_one)) == len(every_one) == 5


# Watches

TELLER = """#!/bin/sh
umask 077
t=$(mktemp '{out}/.XXXXXX') && cat >"$t"
for f in /proc/$$/fd/*; do n=${{f##*/}}
[ "$n" -le 2 ] || readlink "$f" >>'{out}/.fds'; done
mv "$t" "$t.json"
[ ! -e '{out}/fail' ]
"""


class Teller:
    """A command that keeps what it is told."""

    def __init__(self, folder):
        self.out = folder / "told"
        self.out.mkdir()
        self.path = folder / "teller"
        self.path.write_text(TELLER.format(out=self.out))
        self.path.chmod(0o700)

    def told(self, name=None):
        got = [json.loads(path.read_text())
               for path in sorted(self.out.glob(".*.json"),
                                  key=lambda path: path.stat().st_mtime_ns)]
        return [one for one in got
                if name is None or one["watch"]["name"] == name]

    def wait(self, name, count, total=None):
        """Until it was told so often, or of so many; what it was told."""
        def enough():
            got = self.told(name)
            return len(got) >= count and (
                total is None or sum(one["total"] for one in got) >= total)
        wait_for(enough, self.told, wait_s=120)
        return self.told(name)


def watching(agent, code=201, **body):
    return agent.ask("POST", "watches", body, code)


def test_watches(agents, brokers, dialogue, parley, tmp_path):
    broker = begun(brokers, dialogue)
    teller = Teller(tmp_path)
    europol = started(agents, broker, "EUROPOL/hq",
                      watch_command=f"{teller.path} a b")
    afripol = started(agents, broker, "AFRIPOL/hq", acknowledge="verified")
    say(afripol, "members/note/AFRIPOL/0", {"text": "before"})
    for body in ({}, {"name": "a b"}, {"name": "a", "kinds": ["x"]},
                 {"name": "a", "filter": "#/a"}, {"name": "a", "x": 1},
                 {"name": "a", "mode": "hourly"}, {"name": "a", "entity": "x"}):
        watching(europol, 400, **body)
    every = watching(europol, name="every")
    plans = watching(europol, name="plans", filter="+/plan/#",
                     kinds=["plan"], entity="AFRIPOL")
    daily = watching(europol, name="daily", mode="daily")
    assert watching(europol, 409, name="every")["type"].endswith("NAME-TAKEN")
    assert [one["number"] for one in europol.get("watches")["watches"]] == [
        every["number"], plans["number"], daily["number"]]

    # A trial, and the command line.
    where = ["--socket", europol.socket]
    parley(*where, "watch", "test", daily["number"])
    assert teller.wait("daily", 1)[0]["test"] is True
    out = parley(*where, "watch", "list").out
    assert "+/plan/#" in out and "never" in out and "daily" in out

    # Own words, and acknowledgements, are no news.
    say_plan(europol, plan("EUROPOL", "own-2026", [action("A1", "EUROPOL")]))
    say_plan(afripol, plan("AFRIPOL", "cyber-2026", [action("B1", "AFRIPOL")]))
    note = say(afripol, "members/note/AFRIPOL/1", {"text": "Geheimnis"})
    europol.wait_record(note)
    got = teller.wait("every", 1, 2)
    assert sum(one["counts"].get("plan", 0) for one in got) == 1
    assert sum(one["counts"].get("other", 0) for one in got) == 1
    one, = teller.wait("plans", 1)
    assert one["counts"] == {"plan": 1} and one["total"] == 1
    assert one["user"] == plans["user"] and one["inbox"] is not None
    assert one["delegation"] == "EUROPOL/hq" and not one["test"]
    assert "/api/v1/inbox" in one["links"]
    link = one["links"][1].removeprefix("/api/v1/")
    assert [record["topic"] for record in europol.get(link)["records"]] == [
        "members/plan/AFRIPOL/AFRIPOL-cyber-2026"]
    # Nothing that anybody wrote, and no descriptor but the script's own.
    for path in teller.out.glob(".*.json"):
        text = path.read_text()
        for word in ("Geheimnis", "before", "Action", "Plan cyber"):
            assert word not in text
    open_ = set((teller.out / ".fds").read_text().split())
    assert open_ <= {str(teller.path)}, open_

    # Noted only once the command ended well: not over a failure, nor a kill.
    (teller.out / "fail").touch()
    say_plan(afripol, plan("AFRIPOL", "drugs-2026", [action("C1", "AFRIPOL")]))
    teller.wait("plans", 2)
    wait_for(lambda: "WATCH-FAILED" in europol.notices(), europol.notices)
    europol.kill()
    (teller.out / "fail").unlink()
    europol.start()
    teller.wait("plans", 3)
    wait_for(lambda: [one["told"] for one in europol.get("watches")["watches"]
                      if one["name"] == "plans" and one["position"]
                      > plans["position"] + 1], lambda: europol.get("watches"))
    assert europol.notices().count("WATCH-FAILED") == 1

    parley(*where, "watch", "remove", plans["number"])
    europol.ask("DELETE", f"watches/{plans['number']}", code=404)
    assert len(teller.told("daily")) == 1  # its time is not here


def test_watches_of_others(agents, broker):
    """Each sees his own; an operator all. Without a command nobody is told."""
    agent = agents("EUROPOL/hq", broker)
    users_write(agent, anna={"login": "4201", "role": "reader"},
                ben={"login": "4202", "role": "reader"})
    agent.start()
    anna = person(agent, "anna-phone", "reader", user="anna")
    ben = person(agent, "ben-phone", "reader", user="ben")
    number = anna.ask("POST", "watches", {"name": "mine"}, 201)["number"]
    assert ben.ask("GET", "watches")["watches"] == []
    ben.ask("DELETE", f"watches/{number}", code=404)
    ben.ask("POST", f"watches/{number}/test", code=404)
    got = anna.ask("POST", f"watches/{number}/test")
    assert not got["fine"] and "no watch-command" in got["why"]
    assert agent.get("watches")["command"] is False
    assert [one["user"] for one in agent.get("watches")["watches"]] == ["anna"]
    agent.ask("DELETE", f"watches/{number}", code=204)
    assert anna.ask("GET", "watches")["watches"] == []
