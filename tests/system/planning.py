"""Plans for tests of the command line and of what agents derive."""
import json

from daemon import wait_for


def plan(entity, name, actions, **more):
    """A good plan of these actions."""
    return {"format": 1, "plan": f"{entity}-{name}", "entity": entity,
            "lang": "en", "title": f"Plan {name} of {entity}",
            "cycle": {"from": "2026-01-01", "to": "2029-12-31"},
            "handling": "TLP:AMBER", "priorities": ["cybercrime/cyber-attacks"],
            "regions": ["150"], "goals": [{"id": "G1", "title": "A goal"}],
            "actions": actions, **more}


def action(id_, lead, *partners, **more):
    return {"id": id_, "title": f"Action {id_} of {lead}", "kind": "operation",
            "priorities": ["cybercrime/cyber-attacks"], "regions": ["150"],
            "from": "2026-02-01", "to": "2029-06-30", "lead": lead,
            "partners": list(partners), "status": "active",
            "milestones": [{"id": f"M{id_}", "title": "A step",
                            "due": "2026-03-31"}], **more}


def put(folder, document):
    """In a file of the plan's name."""
    path = folder / (document.get("annex", document["plan"]) + ".json")
    path.write_text(json.dumps(document))
    return path.name


def derived(agent):
    """What it derives: how many records, and the digests."""
    plans = agent.get("status")["plans"] or {}
    return plans and {name: plans[name] for name in ("records", "digests")}


def wait_plans(agent, count):
    """Until that many plans are in its model."""
    wait_for(lambda: agent.get("plans")["total"] == count,
             lambda: agent.get("plans"))


def wait_records(agent, count):
    """Until a mark covers that many records of plans; what it derived."""
    wait_for(lambda: (derived(agent) or {"records": {"count": -1}})
             ["records"]["count"] >= count, lambda: derived(agent))
    return derived(agent)


def of(name, id_, **more):
    """An annex of EUROPOL's plan of that name."""
    return {"format": 1, "annex": id_, "plan": f"EUROPOL-{name}",
            "entity": "EUROPOL", **more}
