"""Keys that end, and ad-hoc channels."""
import os
from datetime import datetime, timezone

import pytest

from parley_client import keys
from parley_client.follow import Follower
from parley_client.session import NoReply, now
from parley_client.wire import DeskError

from dialogue import find, keyset
from words import contribution, refused, text, verdict

HOUR_MS = 3600000


def rfc3339(ms):
    return datetime.fromtimestamp(ms // 1000, timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")


def later(broker, ms):
    """The broker's clock goes so much ahead, by a restart."""
    broker.stop()
    broker.env["PARLEY_TEST_CLOCK_OFFSET_MS"] = str(ms)
    broker.start()


# -- keys that end ------------------------------------------------------


def test_expired(broker, client, dialogue):
    soon = (now() // 1000 + 3600) * 1000

    def change(obj):
        find(obj, "AFRIPOL/written")["expires"] = rfc3339(soon)

    client("EUROPOL/hq").hello()
    broker.reload(dialogue.follow(change))
    writer = client("AFRIPOL/written")
    writer.hello()
    writer.publish("dialogue/x", "in time")
    kept = contribution(writer, "dialogue/y")
    key = writer.who.id("sign").hex()
    later(broker, 2 * HOUR_MS)
    submitter = client("EUROPOL/hq")
    assert verdict(submitter.hand_in(kept)) == [("EXPIRED-KEY", {
        "author": "AFRIPOL/written", "key": key, "until": soon})]
    with pytest.raises(NoReply):
        client("AFRIPOL/written", wait_s=0.5).hello()
    assert "no link key" in broker.daemon.wait_log("GATE-REFUSED").text
    assert len(client("UNODC/hq").fetch("dialogue")) == 1


def test_expires_while_connected(brokers, dialogue):
    """Its connection goes on, its requests do not."""
    def change(obj):
        find(obj, "FRONTEX/hq")["expires"] = datetime.fromtimestamp(
            ends / 1000, timezone.utc).isoformat(timespec="milliseconds")

    broker = brokers(dialogue)
    broker.init()
    broker.start()
    broker.client("EUROPOL/hq").hello()
    session = broker.client("FRONTEX/hq")
    session.hello()
    ends = now() + 4000
    broker.reload(dialogue.follow(change))
    while True:
        asked = now()
        try:
            session.status()
            assert asked < ends + 500
        except DeskError as error:
            assert error.rule == "NOT-LISTED"
            assert now() >= ends
            break


def test_older_set(broker, client, dialogue):
    """Keys renewed: the older set is good until its date, then no more."""
    soon = (now() // 1000 + 3600) * 1000
    fresh = keys.Identity("delegation", "AFRIPOL/hq", os.urandom(32))
    old = dialogue.at["AFRIPOL/hq"]

    def change(obj):
        seat = find(obj, "AFRIPOL/hq")
        seat["keys"] = [keyset(fresh),
                        dict(seat["keys"][0], until=rfc3339(soon))]

    client("EUROPOL/hq").hello()
    broker.reload(dialogue.follow(change))
    for who in (old, fresh):
        session = client("AFRIPOL/hq", who=who)
        session.hello()
        session.publish("members/x", "both are good")
    kept = contribution(client("AFRIPOL/hq", who=old), "members/y")
    later(broker, 2 * HOUR_MS)
    with pytest.raises(NoReply):
        client("AFRIPOL/hq", who=old, wait_s=0.5).hello()
    assert verdict(client("EUROPOL/hq").hand_in(kept)) == [("EXPIRED-KEY", {
        "author": "AFRIPOL/hq", "key": old.id("sign").hex(), "until": soon})]
    fresh_session = client("AFRIPOL/hq", who=fresh)
    fresh_session.publish("members/x", "goes on")
    assert len(client("EUROPOL/hq").fetch("members")) == 3


def test_revoked(broker, client, dialogue):
    submitter, writer = client("EUROPOL/hq"), client("AFRIPOL/written")
    writer.hello()
    writer.publish("dialogue/x", "before")
    kept = contribution(writer, "dialogue/y")

    def change(obj):
        find(obj, "AFRIPOL/written")["revoked"] = "2026-01-01"

    broker.reload(dialogue.follow(change))
    assert verdict(submitter.hand_in(kept)) == [
        ("REVOKED", {"author": "AFRIPOL/written"})]
    assert refused(writer.publish, "dialogue/x", "after") == (
        "NOT-LISTED", {"delegation": "AFRIPOL/written"})
    found, = client("UNODC/hq").fetch("dialogue")
    assert text(found[1]) == "before", "what was said stays"


def test_lost_key_replaced_at_once(broker, client, dialogue):
    """A set that is no more in the roster is unknown from its record on."""
    old = dialogue.at["AFRIPOL/written"]
    kept = contribution(client("AFRIPOL/written"), "dialogue/y")
    fresh = keys.Identity("delegation", "AFRIPOL/written", os.urandom(32))

    def change(obj):
        find(obj, "AFRIPOL/written")["keys"] = [keyset(fresh)]

    submitter = client("EUROPOL/hq")
    submitter.hello()
    broker.reload(dialogue.follow(change))
    assert verdict(submitter.hand_in(kept)) == [("UNKNOWN-KEY", {
        "author": "AFRIPOL/written", "key": old.id("sign").hex()})]


# -- ad-hoc channels ----------------------------------------------------


def test_adhoc(client):
    author, other, third = (client(f"{e}/hq") for e in (
        "EUROPOL", "AFRIPOL", "FRONTEX"))
    first, _ = author.publish("@AFRIPOL+EUROPOL/thread/1", "Between us.")
    second, _ = author.publish("@EUROPOL+FRONTEX/thread/1", "And us.")
    third_, _ = other.publish("@AFRIPOL+EUROPOL/thread/1", "Yes.")
    for session, stream, sequences in (
            (author, "@EUROPOL", [first, second, third_]),
            (other, "@AFRIPOL", [first, third_]),
            (third, "@FRONTEX", [second])):
        found = session.fetch(stream)
        assert [n for n, _ in found] == list(range(1, len(found) + 1))
        assert [p.record.sequence for _, p in found] == sequences
        assert session.streams()[stream].last == len(found)
    found = other.fetch("@AFRIPOL")
    assert [p.record.channel_sequence for _, p in found] == [1, 2]
    assert found[1][1].record.previous == first
    # The other seat of AFRIPOL reads along.
    assert len(client("AFRIPOL/written").fetch("@AFRIPOL")) == 2


def test_adhoc_third_party(client):
    """Neither content nor number: only that the ledger grew."""
    author, third = client("EUROPOL/hq"), client("UNODC/hq")
    follower = Follower(third)
    for _ in range(5):
        author.publish("@AFRIPOL+EUROPOL/x", "secret")
    assert sorted(third.streams()) == ["$log", "@UNODC", "announcements",
                                       "dialogue"]
    assert third.streams()["@UNODC"].last == 0
    assert list(follower.fill("@UNODC")) == []
    for stream in ("@AFRIPOL", "@EUROPOL", "@AFRIPOL+EUROPOL", "members",
                   "frontline", "nobody", "none", "@"):
        assert refused(third.fetch, stream) == (
            "UNKNOWN-STREAM", {"stream": stream})
    assert len(third.leaves(0, 100)) == 7
    while follower.sub.poll(300):
        assert list(follower.take(follower.sub.recv_multipart())) == []


def test_adhoc_live(client):
    author, other = client("EUROPOL/hq"), client("UNODC/hq")
    follower = Follower(other, {"@UNODC": 1})
    author.publish("@EUROPOL+UNODC/x", "first")
    number, got = 1, []
    while not got or got[-1][1] < 3:
        number += 1
        author.publish("@EUROPOL+UNODC/x", f"{number}")
        if follower.sub.poll(100):
            got += follower.take(follower.sub.recv_multipart())
    assert [n for _, n, _ in got] == list(range(1, got[-1][1] + 1))
    other.publish("@EUROPOL+UNODC/x", "an observer answers")


@pytest.mark.parametrize("name, topic, rule", [
    ("UNODC/hq", "@SCO+UNODC/x", "UNKNOWN-CHANNEL"),
    ("EUROPOL/hq", "@EUROPOL+NOBODY/x", "UNKNOWN-CHANNEL"),
    ("EUROPOL/hq", "@AFRIPOL+FRONTEX/x", "NOT-A-WRITER"),
    ("UNODC/hq", "members/x", "NOT-A-WRITER"),
    ("AFRIPOL/hq", "announcements/x", "NOT-A-WRITER"),
    ("EUROPOL/hq", "none/x", "UNKNOWN-CHANNEL"),
    ("EUROPOL/hq", "nobody/x", "EMPTY-AUDIENCE")])
def test_no_writer(client, name, topic, rule):
    author = client(name)
    promise = author.send_batch(author.sign([author.make(topic, "no")]))
    channel = topic.split("/")[0]
    values = {"channel": channel}
    if rule == "NOT-A-WRITER":
        values["author"] = name
    assert verdict(promise) == [(rule, values)]
    assert author.status()["size"] == 2


def test_adhoc_without_opener(broker, client, dialogue):
    """The openers change: what was open is closed to write, and its past
    to read."""
    author, other = client("EUROPOL/hq"), client("UNODC/hq")
    author.publish("@EUROPOL+UNODC/x", "open")

    def change(obj):
        obj["adhoc"] = ["entity:AFRIPOL"]

    broker.reload(dialogue.follow(change))
    for session in (author, other):
        session.hello()
        assert refused(session.publish, "@EUROPOL+UNODC/x", "no")[0] == \
            "UNKNOWN-CHANNEL"
    assert author.fetch("@EUROPOL"), "an author reads its own"
    end, items = other.fetch_once("@UNODC", 1)
    assert (end, items) == (1, [(1, 1, None)])
