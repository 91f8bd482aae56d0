"""Entities, delegations, channels, topics and filters (section 4)."""

import re

from .errors import Refused, check

_ENTITY = re.compile(r"[A-Z][A-Z0-9]{1,15}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_LEVEL = re.compile(r"[A-Za-z0-9._-]{1,128}")
LEVELS, TOPIC_OCTETS, LEVEL_OCTETS, ADHOC_ENTITIES = 16, 255, 128, 16
LOG = "$log"


def is_entity(text):
    return isinstance(text, str) and _ENTITY.fullmatch(text) is not None


def is_name(text):
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def is_delegation(text):
    if not isinstance(text, str) or text.count("/") != 1:
        return False
    entity, name = text.split("/")
    return is_entity(entity) and is_name(name) and name != "root"


def is_key_name(text):
    """A delegation's, or a root signer's (ENTITY/root)."""
    if is_delegation(text):
        return True
    return (isinstance(text, str) and text.endswith("/root")
            and is_entity(text[:-5]))


def entity_of(delegation):
    return delegation.split("/")[0]


def adhoc_entities(channel):
    """The entities of an ad-hoc channel's name; Refused where it is none."""
    check(channel.startswith("@"), f"{channel!r} is no ad-hoc channel")
    check(len(channel.encode()) <= LEVEL_OCTETS, "ad-hoc channel above 128",
          "TOPIC")
    entities = channel[1:].split("+")
    check(len(entities) <= ADHOC_ENTITIES, "more than 16 entities", "TOPIC")
    for entity in entities:
        check(is_entity(entity), f"{entity!r} is no entity", "TOPIC")
    for one, two in zip(entities, entities[1:]):
        check(one < two, f"{one}, {two}: not ascending", "TOPIC")
    return entities


def check_channel(channel):
    """A roster channel's name or an ad-hoc one; not $log."""
    if channel.startswith("@"):
        adhoc_entities(channel)
    else:
        check(is_name(channel), f"{channel!r} is no channel", "TOPIC")


def is_channel(channel):
    return _passes(check_channel, channel)


def check_topic(topic):
    """The levels of a topic; Refused (TOPIC) where it is none."""
    check(isinstance(topic, str), "topic is no str")
    check(len(topic.encode()) <= TOPIC_OCTETS, "topic above 255", "TOPIC")
    levels = topic.split("/")
    check(2 <= len(levels) <= LEVELS, f"{len(levels)} levels", "TOPIC")
    check_channel(levels[0])
    for level in levels[1:]:
        check(_LEVEL.fullmatch(level), f"{level!r} is no level", "TOPIC")
    return levels


def is_topic(topic):
    return _passes(check_topic, topic)


def check_filter(pattern):
    """The levels of a filter; Refused where it is none."""
    check(isinstance(pattern, str), "filter is no str")
    check(len(pattern.encode()) <= TOPIC_OCTETS, "filter above 255", "TOPIC")
    levels = pattern.split("/")
    check(len(levels) <= LEVELS, f"{len(levels)} levels", "TOPIC")
    for i, level in enumerate(levels):
        if level == "#":
            check(i == len(levels) - 1, "# is not the last level", "TOPIC")
        elif level == "+":
            continue
        elif i == 0:
            check_channel(level)
        else:
            check(_LEVEL.fullmatch(level), f"{level!r} is no level", "TOPIC")
    return levels


def is_filter(pattern):
    return _passes(check_filter, pattern)


def matches(pattern, topic):
    """Does the filter match the topic (or a topic's beginning)?"""
    want, have = check_filter(pattern), topic.split("/")
    if want[-1] == "#":
        want = want[:-1]
        if len(have) < len(want):
            return False
        have = have[:len(want)]
    return len(want) == len(have) and all(
        w in ("+", h) for w, h in zip(want, have))


def is_stream(name):
    """$log, a roster channel, or @ENTITY (one entity's direct stream)."""
    return name == LOG or is_name(name) or (
        name.startswith("@") and is_entity(name[1:]))


def _passes(checker, value):
    try:
        checker(value)
    except Refused:
        return False
    return True
