"""A dialogue for a test: identities, rosters and their files, made by the
independent client. Nothing of it is random but the keys."""
import copy
import json
import os

from parley_client import keys, notes, roster

NO_KEYS = "x-no-keys"  # a delegation that takes no part yet


def entity(id_, *delegations, role="member", absent=()):
    seats = [{"id": d} for d in delegations]
    seats += [{"id": d, NO_KEYS: True} for d in absent]
    return {"id": id_, "name": id_.title(), "role": role, "sector": "police",
            "regions": [], "delegations": seats}


def channel(id_, readers, writers=None):
    return {"id": id_, "title": id_.title(), "readers": readers,
            "writers": readers if writers is None else writers}


ALL, MEMBERS = ["role:member", "role:observer"], ["role:member"]
SMALL = {
    "name": "A small dialogue", "origin": "dialogue.example/small",
    "threshold": 2, "root_signers": ["EUROPOL", "AFRIPOL", "SCO"],
    "adhoc": MEMBERS,
    "entities": [
        entity("EUROPOL", "hq"), entity("AFRIPOL", "hq", "written"),
        entity("FRONTEX", "hq"), entity("UNODC", "hq", role="observer"),
        entity("SCO", "rats", role="observer", absent=["secretariat"])],
    "groups": [{"id": "frontline", "title": "Frontline",
                "entities": ["EUROPOL", "FRONTEX"]}],
    "channels": [
        channel("dialogue", ALL), channel("members", MEMBERS),
        channel("frontline", ["group:frontline", "entity:SCO"],
                ["delegation:EUROPOL/hq"]),
        channel("announcements", ALL, ["entity:EUROPOL"]),
        channel("nobody", ["delegation:SCO/secretariat"], [])],
    "witnesses": [], "quorum": 0,
    "limits": {"messages_a_minute": 10000000, "octets_a_minute": 1 << 40,
               "connections": 16, "requests_outstanding": 64,
               "lanes_a_day": 1024},
}


def keyset(who):
    return {name: keys.b64(key) for name, key in who.public.items()}


class Dialogue:
    """founding: a founding.json's object; `limits`: some others than its.
    `at` are the delegations' identities by name, `notes` the rosters that
    were written so far, oldest first."""

    def __init__(self, folder, founding, limits=None):
        self.folder = folder
        self.at, self.roots = {}, {}
        self.broker = keys.Identity("broker", "lyon", os.urandom(32))
        self.json = self._first(copy.deepcopy(founding), limits or {})
        self.notes = [self.sign(self.text(self.json))]
        self.id = roster.first(self.notes[0]).digest
        secret = folder / "broker.key"
        secret.write_text(self.broker.secret_file())
        secret.chmod(0o600)
        self.put(self.notes[0])

    def identity(self, name):
        """A delegation's identity, made where there is none."""
        if name not in self.at:
            self.at[name] = keys.Identity("delegation", name, os.urandom(32))
        return self.at[name]

    def seat(self, entity_id, seat):
        """A delegation of the founding as the roster has it."""
        who = self.identity(f"{entity_id}/{seat['id']}")
        absent = seat.pop(NO_KEYS, False)
        return dict(seat, keys=[] if absent else [keyset(who)])

    def _first(self, founding, limits):
        for one in founding["root_signers"]:
            self.roots[one] = keys.Identity("root", f"{one}/root",
                                            os.urandom(32))
        for one in founding["entities"]:
            one["delegations"] = [self.seat(one["id"], seat)
                                  for seat in one["delegations"]]
        founding["limits"].update(limits)
        founding.update(
            format=1, requires=[], version=1, previous=None,
            nonce=os.urandom(32).hex(), epoch={"number": 1}, proxies=[],
            root_signers=[{"entity": e, "key": keys.b64(r.public["root"])}
                          for e, r in self.roots.items()],
            log={"key": keys.b64(self.broker.public["log"])},
            brokers=[{
                "id": "lyon", "desk": "tcp://127.0.0.1:7411",
                "feed": "tcp://127.0.0.1:7412",
                "link": [{"key": keys.b64(self.broker.public["link"])}],
                "desk_key": [{"key": keys.b64(self.broker.public["desk"])}]}])
        return founding

    def text(self, obj):
        head = self.id.hex() if obj["version"] > 1 else "-"
        return (f"parley/roster/1\n{head}\n"
                f"{json.dumps(obj, separators=(',', ':'))}\n")

    def sign(self, text, signers=None):
        """signers: names of root signers; None is the threshold."""
        if signers is None:
            signers = list(self.roots)[:self.json["threshold"]]
        return notes.sign(text, *[self.roots[s] for s in signers])

    def draft(self, change=lambda obj: None):
        """The object of the roster that follows, changed."""
        obj = copy.deepcopy(self.json)
        obj.pop("nonce", None)
        obj["version"] += 1
        obj["previous"] = notes.digest(notes.parse(self.notes[-1])[0]).hex()
        change(obj)
        return obj

    def follow(self, change=lambda obj: None):
        """Make the next roster, the one in force from here on; its note."""
        obj = self.draft(change)
        note = self.sign(self.text(obj))
        self.json = obj
        self.notes.append(note)
        return note

    def put(self, note):
        """Write the roster file that the broker reads."""
        (self.folder / "roster.note").write_text(note)


def find(obj, name):
    """An entity (or, "ENTITY/seat", a delegation) in a roster's object."""
    id_, _, seat = name.partition("/")
    one = next(e for e in obj["entities"] if e["id"] == id_)
    if not seat:
        return one
    return next(d for d in one["delegations"] if d["id"] == seat)
