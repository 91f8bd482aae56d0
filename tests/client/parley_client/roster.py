"""The roster: read strictly, and followed along its chain (section 5.3).
Rights under it are in rights.py."""

import json
import re
from datetime import datetime

from . import canonical as mp
from . import keys, names, notes
from .errors import NewerVersion, Refused, check

OCTETS, NESTING = 1000000, 16
KEY_NAMES = ("sign", "note", "witness", "seal", "link")
LIMITS = {"messages_a_minute": None, "octets_a_minute": None,
          "connections": 64, "requests_outstanding": 1024,
          "lanes_a_day": 1024}
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?"
                   r"([Zz]|[+-]\d\d:\d\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ENDPOINT = re.compile(r"tcp://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")
_HEX = re.compile(r"[0-9a-f]{64}")


def rfc3339(text, where):
    """Unix milliseconds, fractions of them cut off."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    check(found, f"{where}: no RFC 3339 time")
    day, clock, fraction, zone = found.groups()
    zone = "+00:00" if zone in "Zz" else zone
    try:
        when = datetime.fromisoformat(f"{day}T{clock}{zone}")
    except ValueError:
        raise Refused(f"{where}: no RFC 3339 time") from None
    seconds = round(when.timestamp())
    ms = seconds * 1000 + int(((fraction or ".") + "000")[1:4])
    check(0 <= ms <= mp.TIME_MAX, f"{where}: before 1970")
    return ms


class _Reader:
    """Checks of JSON values; each names the path."""

    def __init__(self):
        self.keys = {}

    def object(self, value, where, members, optional=()):
        check(isinstance(value, dict), f"{where}: no object")
        for name in value:
            check(name in members or name in optional
                  or name.startswith("x-"), f"{where}.{name}: unknown")
        for name in members:
            check(name in value, f"{where}.{name}: missing")
        return value

    def array(self, value, where, low=0, high=1 << 20):
        check(isinstance(value, list), f"{where}: no array")
        check(low <= len(value) <= high,
              f"{where}: {len(value)} elements, {low} to {high} allowed",
              "LIMIT")
        return [(one, f"{where}[{i}]") for i, one in enumerate(value)]

    def text(self, value, where, test=None, rule="a text of 1 to 200 octets"):
        good = isinstance(value, str) and (
            test(value) if test else 1 <= len(value.encode()) <= 200)
        check(good, f"{where}: not {rule}")
        return value

    def name(self, value, where):
        return self.text(value, where, names.is_name, "a name")

    def whole(self, value, where, low, high=None):
        high = mp.TIME_MAX if high is None else high
        check(type(value) is int and low <= value <= high,
              f"{where}: no whole number of {low} to {high}")
        return value

    def key(self, value, where):
        try:
            octets = keys.unb64(value, 32)
        except Refused as refused:
            raise Refused(f"{where}: {refused}") from None
        check(octets not in self.keys,
              f"{where}: the key of {self.keys.get(octets)}")
        self.keys[octets] = where
        return octets

    def hex(self, value, where):
        self.text(value, where, _HEX.fullmatch, "64 hex digits")
        return bytes.fromhex(value)

    def endpoint(self, value, where):
        found = isinstance(value, str) and _ENDPOINT.fullmatch(value)
        check(found and 1 <= int(found[2]) <= 65535,
              f"{where}: not tcp://HOST:PORT")
        return value

    def unique(self, values, where):
        check(len(set(values)) == len(values), f"{where}: one stands twice")

    def dated_keys(self, value, where):
        """KEYS: [(key, until in ms or None)]."""
        out = []
        for i, (one, at) in enumerate(self.array(value, where, 1, 2)):
            self.object(one, at, ("key",) + (("until",) if i else ()))
            until = rfc3339(one["until"], f"{at}.until") if i else None
            out.append((self.key(one["key"], f"{at}.key"), until))
        return out


class Delegation:
    def __init__(self, name, entity, sets, expires, revoked):
        self.name, self.entity, self.sets = name, entity, sets
        self.expires, self.revoked = expires, revoked


MEMBERS = ("format", "requires", "version", "previous", "name", "origin",
           "epoch", "threshold", "root_signers", "log", "brokers", "proxies",
           "entities", "groups", "channels", "adhoc", "witnesses", "quorum",
           "limits")


class Roster:
    """One roster's text, read. dialogue: None in the first one's text."""

    def __init__(self, text):
        kind, form, dialogue = notes.first_lines(text)
        check(kind == "roster", f"a {kind}, no roster")
        if form != 1:
            raise NewerVersion(f"roster of format {form}")
        body = text.split("\n", 2)[2]
        check(len(body.encode()) <= OCTETS, "roster above 1,000,000", "LIMIT")
        self.text, self.digest = text, notes.digest(text)
        self.first = dialogue is None
        self.dialogue = self.digest if self.first else dialogue
        j, r = _json(body), _Reader()
        check(isinstance(j, dict), "$: no object")
        self._newer(j)
        self._read(r.object(j, "$", MEMBERS + self._nonce()), r)

    def _nonce(self):
        return ("nonce",) if self.first else ()

    def _newer(self, j):
        form = j.get("format")
        if type(form) is int and form > 1:
            raise NewerVersion(f"$.format: {form}")
        requires = j.get("requires")
        if isinstance(requires, list) and requires:
            raise NewerVersion(f"$.requires: {requires}")

    def _read(self, j, r):
        r.whole(j["format"], "$.format", 1, 1)
        r.array(j["requires"], "$.requires", 0, 0)
        self.version = r.whole(j["version"], "$.version", 1)
        self.previous = None
        if self.first:
            check(self.version == 1, "$.version: the first is 1")
            check(j["previous"] is None, "$.previous: the first has null")
            r.hex(j["nonce"], "$.nonce")
        else:
            check(self.version > 1, "$.version: 1, and not the first")
            self.previous = r.hex(j["previous"], "$.previous")
        self.name = r.text(j["name"], "$.name")
        self.origin = r.text(j["origin"], "$.origin", _is_origin,
                             "a C2SP key name")
        self._epoch(j["epoch"], r)
        self._signers(j, r)
        self._brokers(j, r)
        self._entities(j["entities"], r)
        self._groups(j["groups"], r)
        self._channels(j, r)
        self._witnesses(j, r)
        limits = r.object(j["limits"], "$.limits", tuple(LIMITS))
        self.limits = {k: r.whole(limits[k], f"$.limits.{k}", 1, top)
                       for k, top in LIMITS.items()}

    def _epoch(self, j, r):
        check(isinstance(j, dict), "$.epoch: no object")
        self.epoch = r.whole(j.get("number"), "$.epoch.number", 1)
        later = self.epoch > 1
        r.object(j, "$.epoch", ("number",) + (
            ("base_size", "base_root") if later else ()))
        self.base = None
        if later:
            self.base = (r.whole(j["base_size"], "$.epoch.base_size", 0),
                         r.hex(j["base_root"], "$.epoch.base_root"))

    def _signers(self, j, r):
        self.signers = []
        for one, at in r.array(j["root_signers"], "$.root_signers", 1, 64):
            r.object(one, at, ("entity", "key"))
            entity = r.text(one["entity"], f"{at}.entity", names.is_entity,
                            "an entity")
            self.signers.append((entity + "/root",
                                 r.key(one["key"], f"{at}.key")))
        r.unique([s[0] for s in self.signers], "$.root_signers")
        self.threshold = r.whole(j["threshold"], "$.threshold", 1,
                                 len(self.signers))

    def _brokers(self, j, r):
        log = r.object(j["log"], "$.log", ("key",))
        self.log = r.key(log["key"], "$.log.key")
        self.brokers = []
        for one, at in r.array(j["brokers"], "$.brokers", 1, 8):
            r.object(one, at, ("id", "desk", "feed", "link", "desk_key"))
            self.brokers.append({
                "id": r.name(one["id"], f"{at}.id"),
                "desk": r.endpoint(one["desk"], f"{at}.desk"),
                "feed": r.endpoint(one["feed"], f"{at}.feed"),
                "link": r.dated_keys(one["link"], f"{at}.link"),
                "desk_key": r.dated_keys(one["desk_key"], f"{at}.desk_key")})
        r.unique([b["id"] for b in self.brokers], "$.brokers")
        self.proxies = []
        for one, at in r.array(j["proxies"], "$.proxies", 0, 64):
            r.object(one, at, ("id", "feed", "link"))
            self.proxies.append((r.name(one["id"], f"{at}.id"),
                                 r.endpoint(one["feed"], f"{at}.feed"),
                                 r.key(one["link"], f"{at}.link")))
        r.unique([p[0] for p in self.proxies], "$.proxies")

    def _entities(self, value, r):
        self.entities, self.roles, self.delegations = [], {}, {}
        for one, at in r.array(value, "$.entities", 1, 256):
            r.object(one, at, ("id", "name", "role", "sector", "regions",
                               "delegations"))
            entity = r.text(one["id"], f"{at}.id", names.is_entity,
                            "an entity")
            r.text(one["name"], f"{at}.name")
            self.roles[entity] = r.name(one["role"], f"{at}.role")
            r.text(one["sector"], f"{at}.sector")
            for region, place in r.array(one["regions"], f"{at}.regions"):
                r.text(region, place)
            self.entities.append(entity)
            for d, place in r.array(one["delegations"],
                                    f"{at}.delegations", 0, 512):
                self._delegation(d, place, entity, r)
        r.unique(self.entities, "$.entities")
        check(len(self.delegations) <= 512, "$.entities: delegations above "
              "512", "LIMIT")

    def _delegation(self, j, at, entity, r):
        r.object(j, at, ("id", "keys"), ("expires", "revoked"))
        name = f"{entity}/{r.name(j['id'], f'{at}.id')}"
        check(names.is_delegation(name), f"{at}.id: root names no delegation")
        check(name not in self.delegations, f"{at}.id: stands twice")
        sets = []
        for i, (one, place) in enumerate(
                r.array(j["keys"], f"{at}.keys", 0, 2)):
            r.object(one, place, KEY_NAMES + (("until",) if i else ()))
            keyset = {k: r.key(one[k], f"{place}.{k}") for k in KEY_NAMES}
            keyset["until"] = (rfc3339(one["until"], f"{place}.until")
                               if i else None)
            sets.append(keyset)
        expires = None
        if "expires" in j:
            expires = rfc3339(j["expires"], f"{at}.expires")
        self.delegations[name] = Delegation(
            name, entity, sets, expires, _revoked(j, at))

    def _groups(self, value, r):
        self.groups = {}
        for one, at in r.array(value, "$.groups", 0, 256):
            r.object(one, at, ("id", "title", "entities"))
            id_ = r.name(one["id"], f"{at}.id")
            check(id_ not in self.groups, f"{at}.id: stands twice")
            r.text(one["title"], f"{at}.title")
            for entity, place in r.array(one["entities"], f"{at}.entities"):
                check(isinstance(entity, str) and entity in self.roles,
                      f"{place}: no entity of this roster")
            r.unique(one["entities"], f"{at}.entities")
            self.groups[id_] = list(one["entities"])

    def _channels(self, j, r):
        self.channels = {}
        for one, at in r.array(j["channels"], "$.channels", 0, 256):
            r.object(one, at, ("id", "title", "readers", "writers"),
                     ("retention_days",))
            id_ = r.name(one["id"], f"{at}.id")
            check(id_ != "log", f"{at}.id: no channel is named log")
            check(id_ not in self.channels, f"{at}.id: stands twice")
            r.text(one["title"], f"{at}.title")
            if "retention_days" in one:
                r.whole(one["retention_days"], f"{at}.retention_days", 1)
            readers = self._grants(one["readers"], f"{at}.readers", r)
            writers = self._grants(one["writers"], f"{at}.writers", r)
            left = self.bearers(writers) - self.bearers(readers)
            check(not left, f"{at}.writers: {sorted(left)} may not read")
            self.channels[id_] = {"readers": readers, "writers": writers}
        self.adhoc = self._grants(j["adhoc"], "$.adhoc", r)

    def _grants(self, value, where, r):
        return [self._grant(one, at) for one, at in r.array(value, where)]

    def _grant(self, grant, at):
        check(isinstance(grant, str) and ":" in grant, f"{at}: no grantee")
        kind, id_ = grant.split(":", 1)
        known = {"role": names.is_name(id_), "entity": id_ in self.roles,
                 "delegation": id_ in self.delegations,
                 "group": id_ in self.groups}
        check(known.get(kind), f"{at}: {grant} is nobody")
        return kind, id_

    def bearers(self, grants):
        """The delegations that these grants stand for."""
        return {d.name for d in self.delegations.values()
                if any(self._bears(d, *grant) for grant in grants)}

    def _bears(self, delegation, kind, id_):
        if kind == "role":
            return self.roles[delegation.entity] == id_
        if kind == "entity":
            return delegation.entity == id_
        if kind == "delegation":
            return delegation.name == id_
        return delegation.entity in self.groups[id_]

    def _witnesses(self, j, r):
        self.witnesses = []
        for one, at in r.array(j["witnesses"], "$.witnesses", 0, 31):
            check(isinstance(one, str) and one in self.delegations,
                  f"{at}: no delegation of this roster")
            self.witnesses.append(one)
        r.unique(self.witnesses, "$.witnesses")
        low = 1 if self.witnesses else 0
        self.quorum = r.whole(j["quorum"], "$.quorum", low,
                              len(self.witnesses))

    def desk_keys(self, at=0):
        """The desk keys of all brokers that are good at a time."""
        return [key for b in self.brokers for key, until in b["desk_key"]
                if until is None or until > at]


def _is_origin(text):
    return (1 <= len(text.encode()) <= 200 and "+" not in text
            and not any(c.isspace() for c in text))


def _revoked(j, at):
    if "revoked" not in j:
        return False
    value = j["revoked"]
    if value is not True:
        check(isinstance(value, str), f"{at}.revoked: not true, no date")
        if not _DATE.fullmatch(value):
            rfc3339(value, f"{at}.revoked")
    return True


def _json(body):
    def no_twice(pairs):
        out = dict(pairs)
        check(len(out) == len(pairs), "a name stands twice in an object")
        return out

    def no_constant(text):
        raise Refused(f"{text} is no JSON")

    try:
        value = json.loads(body, object_pairs_hook=no_twice,
                           parse_constant=no_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except (json.JSONDecodeError, RecursionError, UnicodeEncodeError) as why:
        raise Refused(f"no JSON: {why}") from None
    check(_depth(value) <= NESTING, "JSON nests more than 16 deep", "LIMIT")
    return value


def _depth(value):
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return 0
    return 1 + max(map(_depth, value), default=0)


# -- the chain ----------------------------------------------------------


def _signed_by(note, roster, signers, threshold, known):
    _, found = notes.verify(note, known)
    count = sum(1 for s in found if s in signers)
    check(count >= threshold, f"roster {roster.version}: {count} of "
          f"{threshold} signatures", "BAD-SIGNATURE")


def first(note):
    """The first roster of a dialogue, signed by its own threshold."""
    text, _ = notes.parse(note)
    roster = Roster(text)
    check(roster.first, "not the first roster")
    check(roster.epoch == 1, "the first roster opens epoch 1")
    _signed_by(note, roster, roster.signers, roster.threshold,
               roster.signers)
    return roster


def following(before, note):
    """The roster that follows `before`."""
    text, _ = notes.parse(note)
    roster = Roster(text)
    check(not roster.first, "a first roster follows none")
    check(roster.dialogue == before.dialogue, "another dialogue",
          "WRONG-DIALOGUE")
    check(roster.previous == before.digest, "it names another predecessor")
    check(roster.version == before.version + 1
          or roster.epoch > before.epoch and roster.version > before.version,
          f"version {roster.version} behind {before.version}")
    check(roster.epoch in (before.epoch, before.epoch + 1),
          f"epoch {roster.epoch} behind {before.epoch}")
    check(roster.epoch != before.epoch or roster.base == before.base,
          "the same epoch with another base")
    check((roster.epoch == before.epoch) == (roster.log == before.log),
          "another log key in the same epoch, or the same in another")
    known = list({*before.signers, *roster.signers})
    _signed_by(note, roster, before.signers, before.threshold, known)
    _signed_by(note, roster, roster.signers, roster.threshold, known)
    return roster
