"""The log's time: never back, and against a clock that is wrong."""
import pytest

from parley_client import messages, wire
from parley_client.session import now

HOUR_MS = 3600000


def says_hello_at(session, ms):
    """A hello of an agent whose clock is so much ahead."""
    values = wire.mp.decode(wire.hello(bytes(32), now() + ms, 1, bytes(32),
                                       []))
    session.run = None
    frames = session.exchange(
        wire.mp.encode(["parley", 1, 1, 1, None]), wire.mp.encode(values))
    return wire.mp.decode(wire.read_reply(frames)[3][0])[13]


def verdict(session):
    sent = session.sign([session.make("dialogue/x", "text")])
    return [(r[2], r[3]) for r in session.send_batch(sent).refused]


@pytest.fixture
def shifted(broker):
    """shifted(ms): the broker again, with its clock so much ahead."""
    def restart(ms):
        broker.stop()
        broker.env["PARLEY_TEST_CLOCK_OFFSET_MS"] = str(ms)
        broker.start()
    return restart


def test_behind_the_last_record(broker, client, shifted):
    """A clock that was set back is waited for; reading goes on."""
    author = client("EUROPOL/hq")
    author.publish("dialogue/x", "1")
    shifted(-HOUR_MS)
    assert author.hello().state == [1, "CLOCK"]
    (rule, values), = verdict(author)
    assert rule == "CLOCK" and "behind the last record" in values["why"]
    assert "CLOCK" in broker.daemon.wait_log("CLOSED").text
    assert len(client("UNODC/hq").fetch("dialogue")) == 1
    shifted(0)
    assert author.hello().state == [0]
    assert verdict(author) == []


def test_a_moment_behind(client, shifted):
    """The log's time stands still until the clock is there again, which it
    may be where the start takes longer than that moment."""
    author, begin = client("EUROPOL/hq"), now()
    author.publish("dialogue/x", "1")
    shifted(-1900)
    author.publish("dialogue/x", "2")
    took = now() - begin
    author.publish("dialogue/x", "3")
    times = [p.record.log_time for _, p in author.fetch("dialogue")]
    assert times == sorted(times)
    assert times[0] == times[1] or took >= 1900


@pytest.mark.parametrize("ahead", [-HOUR_MS, HOUR_MS])
def test_agents_say_another_time(broker, client, ahead):
    """The median of at least three entities counts, not one that is
    wrong."""
    author, one, other = (client(f"{e}/hq") for e in (
        "EUROPOL", "AFRIPOL", "UNODC"))
    author.publish("dialogue/x", "1")
    says_hello_at(one, ahead)
    assert verdict(author) == [], "two clocks, and which is right?"
    says_hello_at(other, 0)
    assert verdict(author) == []
    says_hello_at(other, ahead)
    (rule, values), = verdict(author)
    assert rule == "CLOCK" and "agents' clocks" in values["why"]
    assert abs(values["ms"] - ahead) < 60000
    assert author.hello().state == [1, "CLOCK"]
    says_hello_at(other, 0)
    assert verdict(author) == []
    broker.daemon.wait_log("OPEN")


def test_two_seats_are_one_clock(client):
    """Delegations of one entity do not outvote others."""
    author = client("EUROPOL/hq")
    for name in ("AFRIPOL/hq", "AFRIPOL/written"):
        says_hello_at(client(name), HOUR_MS)
    says_hello_at(client("UNODC/hq"), 0)
    assert verdict(author) == []


def test_author_time_is_judged_by_nobody(client):
    author = client("EUROPOL/hq")
    author.hello()
    made = []
    for time in (0, (1 << 53) - 1):
        header, body = author.make("dialogue/x", "when?")
        header.time = time
        header.encode()
        made.append((header, body))
    assert not author.send_batch(author.sign(made)).refused
    found = client("UNODC/hq").fetch("dialogue")
    assert [messages.read_header(p.record.payload).time
            for _, p in found] == [0, (1 << 53) - 1]
