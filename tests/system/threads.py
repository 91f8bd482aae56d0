"""Threads for tests: what bodies say, and what agents answer about it."""
import json

from daemon import wait_for


def align(*invited, about=("EUROPOL-cyber-2026#A1", "AFRIPOL-cyber-2026#B1"),
          **more):
    """A proposal to align."""
    return {"title": {"en": "One operation", "fr": "Une seule opération"},
            "invited": list(invited), "rule": "all", "type": "joint",
            "about": [{"ref": ref} for ref in about], **more}


def communique(*invited, **more):
    return {"title": "Joint communique", "invited": list(invited),
            "binding": "en", "paragraphs": [
                {"id": "p1", "text": {"en": "We met.", "fr": "Réunis."}},
                {"id": "p2", "text": {"en": "We agreed.", "fr": "D'accord."}}],
            **more}


def meeting(*invited, edition=1, day="2099-03-01", **more):
    return {"title": f"Meeting {edition}", "invited": list(invited),
            "from": f"{day}T10:00:00+01:00", "to": f"{day}T12:00:00+01:00",
            "zone": "Europe/Paris", "place": "Lyon", "series": "plenary",
            "edition": edition, **more}


def open_thread(agent, kind, proposal, channel="members", **more):
    """Propose it; its id, once it is recorded and derived here."""
    out = agent.ask("POST", "threads", code=202, body={
        "channel": channel, "kind": kind, "proposal": proposal, **more})
    reached([agent], out["thread"], agent.wait_entry(out["number"])["sequence"])
    return out["thread"]


def say(agent, thread, does, query="", **more):
    """The sequence of its record, derived here. What another one proposed may
    not have come yet."""
    reached([agent], thread)
    out = agent.ask("POST", f"threads/{thread}/messages{query}", code=202,
                    body={"does": does, **more})
    assert out["thread"] == thread
    sequence = agent.wait_entry(out["number"])["sequence"]
    reached([agent], thread, sequence)
    return sequence


def refused(agent, thread, does, **more):
    """Pointers of what is wrong with it."""
    reached([agent], thread)
    return pointers(agent.ask("POST", f"threads/{thread}/messages", code=422,
                              body={"does": does, **more}))


def pointers(out):
    assert out["type"] == "urn:parley:problem:NOT-FOR-THREAD", out
    assert len(out["problems"]) == out["count"]
    return [one["pointer"] for one in out["problems"]]


def holds(agent, thread, sequence):
    return any(one["id"] == thread and (one["last"]["sequence"] or 0) >= sequence
               for one in agent.get("threads?limit=500")["threads"])


def reached(agents, thread, sequence=0):
    """Until each holds that thread up to that record."""
    for agent in agents:
        wait_for(lambda agent=agent: holds(agent, thread, sequence),
                 lambda agent=agent: agent.get("threads"))


def known(agents, thread, sequence=0):
    """The same; what they answer."""
    reached(agents, thread, sequence)
    return [agent.get(f"threads/{thread}") for agent in agents]


def mark(agent):
    place = agent.get("threads?limit=1")["mark"]["sequence"]
    return -1 if place is None else place


def settled(agents, sequence):
    """Until what they answer is of a settled mark behind that record."""
    for agent in agents:
        wait_for(lambda agent=agent: mark(agent) > sequence,
                 lambda agent=agent: agent.get("status"))


def digest(agent):
    """Of all threads, and of the records that they rest on."""
    plans = agent.get("status")["plans"]
    return plans and {name: plans["threads"][name]
                      for name in ("records", "digest")}


def same(agents, records):
    """Until all have derived the same of so many records."""
    def equal():
        got = [digest(one) for one in agents]
        return got[0] and got[0]["records"]["count"] >= records and \
            all(one == got[0] for one in got)
    wait_for(equal, lambda: [digest(one) for one in agents])


def common(thread):
    """What each agent answers alike: not what is the asking one's own."""
    out = json.loads(json.dumps(thread))
    for name in ("mark", "generation", "unread", "actions"):
        del out[name]
    for one in out["messages"]:
        del one["unread"], one["acks"]
    return out


def items(agent, kind):
    """Of its inbox, of that kind."""
    return [one for one in agent.get("inbox")["items"] if one["kind"] == kind]
