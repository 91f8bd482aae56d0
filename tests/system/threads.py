"""Threads for tests: what bodies say, and what agents answer about it."""
import base64
import copy
import hashlib
import json

from nacl.signing import VerifyKey

from daemon import wait_for
from planning import derived


def align(*invited, about=("EUROPOL-cyber-2026#A1", "AFRIPOL-cyber-2026#B1"),
          **more):
    """A proposal to align."""
    return {"title": {"en": "One operation", "fr": "Une seule opération"},
            "invited": list(invited), "rule": "all", "type": "joint",
            "about": [{"ref": ref} for ref in about], **more}


def communique(*invited, **more):
    return {"title": "Joint communique", "invited": list(invited),
            "binding": "en", "paragraphs": [
                {"id": "p1", "text": {"en": "We met.", "fr": "Nous étions."}},
                {"id": "p2", "text": {"en": "We agreed.", "fr": "D'accord."}}],
            **more}


def open_thread(agent, kind, proposal, channel="members", **more):
    """Propose it; its id, once it is recorded."""
    out = agent.ask("POST", "threads", code=202, body={
        "channel": channel, "kind": kind, "proposal": proposal, **more})
    agent.wait_entry(out["number"])
    return out["thread"]


def say(agent, thread, does, query="", **more):
    """The sequence of its record."""
    out = agent.ask("POST", f"threads/{thread}/messages{query}", code=202,
                    body={"does": does, **more})
    assert out["thread"] == thread
    return agent.wait_entry(out["number"])["sequence"]


def refused(agent, thread, does, **more):
    """Pointers of what is wrong with it."""
    out = agent.ask("POST", f"threads/{thread}/messages", code=422,
                    body={"does": does, **more})
    return pointers(out)


def pointers(out):
    assert out["type"] == "urn:parley:problem:NOT-FOR-THREAD", out
    assert len(out["problems"]) == out["count"]
    return [one["pointer"] for one in out["problems"]]


def known(agents, thread, sequence=0):
    """Until each holds that thread up to that record; what they answer."""
    def reached(agent):
        page = agent.get("threads?limit=500")["threads"]
        return any(one["id"] == thread and one["last"]["sequence"] >= sequence
                   for one in page)
    for agent in agents:
        wait_for(lambda agent=agent: reached(agent),
                 lambda agent=agent: agent.get("threads"))
    return [agent.get(f"threads/{thread}") for agent in agents]


def settled(agents, sequence):
    """Until what they answer is of a settled mark behind that record."""
    for agent in agents:
        wait_for(lambda agent=agent:
                 (agent.get("threads?limit=1")["mark"]["sequence"] or -1)
                 > sequence, lambda agent=agent: agent.get("status"))
