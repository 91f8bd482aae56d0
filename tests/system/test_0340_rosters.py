"""Rosters by SIGHUP: who comes, and who goes."""
import json

import pytest
import zmq

from parley_client import ledger
from parley_client.errors import Refused
from parley_client.follow import Follower
from parley_client.session import NoReply, curve_socket
from parley_client.wire import DeskError

from daemon import WAIT_S
from dialogue import entity
from words import gone, publish, recorded


def collect(follower, moment_s=0.3, **counts):
    """All records that come: at least so many on each of these streams, and
    then until nothing does for a moment."""
    def lacks():
        return any(len(on(out, name)) < n for name, n in counts.items())
    out = [one for name in follower.next for one in follower.fill(name)]
    while follower.sub.poll(1000 * (WAIT_S if lacks() else moment_s)):
        out += follower.take(follower.sub.recv_multipart())
    return out


def on(records, stream):
    return [n for name, n, _ in records if name == stream]


@pytest.fixture
def admit(dialogue):
    """The change that admits GCCPOL/hq as a member."""
    seat = dialogue.seat("GCCPOL", {"id": "hq"})

    def change(obj):
        obj["entities"].append(dict(entity("GCCPOL"), delegations=[seat]))

    return change


def test_newcomer(broker, client, dialogue, admit):
    author = client("EUROPOL/hq")
    author.publish_many([("members/x", f"{i}") for i in range(3)])
    with pytest.raises(NoReply):
        client("GCCPOL/hq", wait_s=0.5).hello()
    assert "no link key" in broker.daemon.wait_log("GATE-REFUSED").text
    assert recorded(broker.reload(dialogue.follow(admit))) == 2
    newcomer = client("GCCPOL/hq")
    reply = newcomer.hello()
    assert (reply.roster_version, reply.roster_sequence) == (2, 5)
    assert newcomer.streams()["members"].next_from == 4
    assert newcomer.streams()["$log"].next_from == 1
    publish(author, "members/x")
    newcomer.publish("members/x", "thank you")
    end, items = newcomer.fetch_once("members", 1)
    assert end == 5
    assert [(low, high, places is None) for low, high, places in items] == [
        (1, 3, True), (4, 4, False), (5, 5, False)]
    log = [p.record.type for _, p in newcomer.fetch("$log")]
    assert log == [ledger.ROSTER, ledger.MARK] * 2


def test_feed_goes_on(broker, client, dialogue, admit):
    """Who stays misses nothing of the change: the block with the roster
    under the old tag, then all under new ones."""
    author, reader = client("EUROPOL/hq"), client("AFRIPOL/hq")
    author.publish("members/x", "1")
    follower = Follower(reader)
    before = collect(follower, members=1)
    tags = dict(follower.by_tag)
    assert recorded(broker.reload(dialogue.follow(admit))) == 2
    publish(author, "members/x")
    after = collect(follower, members=1, **{"$log": 2})
    assert on(before, "members") + on(after, "members") == [1, 2]
    assert on(before, "$log") + on(after, "$log") == [1, 2, 3, 4]
    assert reader.generation == 2
    assert not set(tags) & set(follower.by_tag)
    assert not ({s.key for s in tags.values()}
                & {s.key for s in reader.by_name.values()})
    assert reader.view.newest.version == 2


def test_removed_reader(broker, client, dialogue):
    """It hears no more, is told so at the desk, and does not come back."""
    author, removed = client("EUROPOL/hq"), client("FRONTEX/hq")
    author.publish("members/x", "1")
    follower = Follower(removed)
    assert on(collect(follower, members=1), "members") == [1]
    old = {name: s.tag for name, s in removed.by_name.items()}
    assert recorded(broker.reload(dialogue.follow(gone("FRONTEX/hq")))) == 2
    publish(author, "members/x", 50)
    witness = Follower(client("AFRIPOL/hq"), {"members": 1})
    assert len(collect(witness, members=51)) == 51
    frames = []
    while follower.sub.poll(300):
        frames.append(follower.sub.recv_multipart())
    # The block with the roster and the head that ends the generation.
    assert {f[0] for f in frames} <= {old["$log"]}
    for request in (removed.streams, removed.status,
                    lambda: removed.fetch("members")):
        with pytest.raises(DeskError) as refused:
            request()
        assert (refused.value.rule, refused.value.values) == (
            "NOT-LISTED", {"delegation": "FRONTEX/hq"})
    after = broker.daemon.mark()
    with pytest.raises(NoReply):
        client("FRONTEX/hq", wait_s=0.5).hello()
    line = broker.daemon.wait_log("GATE-REFUSED", after=after)
    assert line.value("domain") == "desk"
    sub = curve_socket(removed.context, zmq.SUB, removed.who,
                       removed.link_key)
    sub.setsockopt(zmq.SUBSCRIBE, b"")
    after = broker.daemon.mark()
    sub.connect(broker.feed)
    line = broker.daemon.wait_log("GATE-REFUSED", after=after)
    assert line.value("domain") == "feed"
    publish(author, "members/x")
    assert not sub.poll(200)


def test_channel_taken_away(broker, client, dialogue):
    """Still of the dialogue, but no reader of one channel any more: its
    count ends where its right did, its own messages stay."""
    observer, author = client("SCO/rats"), client("EUROPOL/hq")
    author.publish_many([("frontline/x", f"{i}") for i in range(4)])
    follower = Follower(observer)
    assert on(collect(follower, frontline=4), "frontline") == [1, 2, 3, 4]

    def change(obj):
        obj["channels"][2]["readers"].remove("entity:SCO")

    assert recorded(broker.reload(dialogue.follow(change))) == 2
    publish(author, "frontline/x", 7)
    assert on(collect(follower), "frontline") == []
    assert "frontline" not in observer.streams()
    end, items = observer.fetch_once("frontline", 1)
    assert end == 4, "what came later is not even counted"
    assert [(low, high, places) for low, high, places in items] == [
        (1, 4, None)]


# -- messages signed before ---------------------------------------------


def judged(session, sent):
    promise = session.send_batch(sent)
    assert promise.refused or promise.accepted
    return [(r[2], r[3]) for r in promise.refused]


def test_stale_roster(broker, client, dialogue, admit):
    author = client("EUROPOL/hq")
    author.hello()
    sent = [author.sign([author.make(topic, "old")]) for topic in (
        "members/x", "frontline/x", "@AFRIPOL+EUROPOL/x")]
    assert recorded(broker.reload(dialogue.follow(admit))) == 2
    assert judged(author, sent[0]) == [
        ("STALE-ROSTER", {"stated": 1, "in_force": 2})]
    assert judged(author, sent[1]) == [], "the same readers"
    assert judged(author, sent[2]) == []
    number = sent[0].headers[0].number
    author.hello()
    again = author.sign([author.make("members/x", "new", number=number)])
    assert judged(author, again) == [], "signed anew, the same number"


def test_same_readers(broker, client, dialogue):
    author = client("EUROPOL/hq")
    author.hello()
    sent = author.sign([author.make("members/x", "old")])

    def change(obj):
        obj["channels"][1]["title"] = "Renamed"

    assert recorded(broker.reload(dialogue.follow(change))) == 2
    assert judged(author, sent) == []


def test_roster_ahead(broker, client, dialogue):
    """The agent follows a roster that the broker does not have yet."""
    author = client("EUROPOL/hq")
    author.hello()
    note = dialogue.follow()
    ahead = client("EUROPOL/hq")
    sent = ahead.sign([ahead.make("members/x", "soon")])
    assert judged(author, sent) == [
        ("ROSTER-AHEAD", {"stated": 2, "in_force": 1})]
    assert recorded(broker.reload(note)) == 2
    author.hello()
    assert judged(author, sent) == []


def test_rosters_across_restart(broker, client, dialogue, admit):
    author = client("EUROPOL/hq")
    author.publish("members/x", "1")
    recorded(broker.reload(dialogue.follow(admit)))
    publish(author, "members/x")
    broker.restart()
    found = client("AFRIPOL/hq").fetch("members")
    assert [p.record.roster for _, p in found] == [0, 3]
    newcomer = client("GCCPOL/hq")
    assert newcomer.hello().roster_version == 2
    with pytest.raises(DeskError) as refused:
        newcomer.roster(3)
    assert refused.value.rule == "NOT-FOUND"
    assert json.loads(newcomer.roster(1).text.split("\n", 2)[2])[
        "version"] == 1
    broker.stop()
    assert broker.printed(broker.fsck(), "rosters") == 2


def test_sighup_before_hello(broker, client, dialogue):
    """Nothing is committed before the first hello, no roster either."""
    note = dialogue.follow()
    line = broker.reload(note)
    assert line.id == "ROSTER-REFUSED" and "hello" in line.text
    client("EUROPOL/hq", known=1).hello()
    assert recorded(broker.reload()) == 2


def test_observer_writes_nothing(client):
    observer = client("UNODC/hq")
    with pytest.raises(Refused) as refused:
        observer.publish("members/x", "no")
    assert refused.value.rule == "NOT-A-WRITER"
    observer.publish("dialogue/x", "yes")
