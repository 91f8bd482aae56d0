"""What agents say of what they received, if their bodies let them; and watches,
which tell a command of the operator's that something is there."""
from daemon import wait_for
from planning import action, plan
from test_0810_plans_api import begun, say, say_plan, seen
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
