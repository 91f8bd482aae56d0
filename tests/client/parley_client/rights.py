"""Rights, and validity of keys, under a roster (sections 5.4 and 5.5)."""

from . import keys, names
from .errors import Refused, check


def alive(roster, delegation, at):
    """Is it in the roster, with keys, neither expired nor revoked?"""
    d = roster.delegations.get(delegation)
    return (d is not None and bool(d.sets) and not d.revoked
            and (d.expires is None or d.expires > at))


def _keyed(roster, delegations):
    return any(roster.delegations[d].sets for d in delegations)


def audience(roster, channel):
    """The delegations that may read a roster or ad-hoc channel; Refused
    with UNKNOWN-CHANNEL or EMPTY-AUDIENCE."""
    if channel.startswith("@"):
        readers = _adhoc(roster, channel)
    else:
        check(channel in roster.channels, channel, "UNKNOWN-CHANNEL")
        readers = roster.bearers(roster.channels[channel]["readers"])
    check(_keyed(roster, readers), channel, "EMPTY-AUDIENCE")
    return readers


def _adhoc(roster, channel):
    entities = names.adhoc_entities(channel)
    check(all(e in roster.roles for e in entities), channel,
          "UNKNOWN-CHANNEL")
    openers = {names.entity_of(d) for d in roster.bearers(roster.adhoc)}
    check(openers & set(entities), channel, "UNKNOWN-CHANNEL")
    return {d.name for d in roster.delegations.values()
            if d.entity in entities}


def may_read(roster, delegation, channel, at):
    if channel == names.LOG:
        return alive(roster, delegation, at)
    readers = audience(roster, channel)
    return alive(roster, delegation, at) and delegation in readers


def may_write(roster, delegation, channel, at):
    if channel == names.LOG:
        return False
    writers = audience(roster, channel)
    if not channel.startswith("@"):
        writers = roster.bearers(roster.channels[channel]["writers"])
    return alive(roster, delegation, at) and delegation in writers


def streams(roster, delegation, at):
    """The streams that a delegation may follow."""
    if not alive(roster, delegation, at):
        return []
    found = [names.LOG]
    for channel in roster.channels:
        try:
            if may_read(roster, delegation, channel, at):
                found.append(channel)
        except Refused:
            continue
    return found + ["@" + names.entity_of(delegation)]


def sign_key(roster, delegation, key_id, log_time):
    """The sign key of this id that is valid for a record of this time
    under the roster in force at its place; Refused with the rule."""
    d = roster.delegations.get(delegation)
    found = [s for s in (d.sets if d else [])
             if keys.sign_key_id(s["sign"]) == key_id]
    check(found, f"{delegation} {key_id.hex()}", "UNKNOWN-KEY")
    check(not d.revoked, delegation, "REVOKED")
    for until in (d.expires, found[0]["until"]):
        check(until is None or until > log_time,
              f"{delegation} {key_id.hex()}", "EXPIRED-KEY")
    return found[0]["sign"]
