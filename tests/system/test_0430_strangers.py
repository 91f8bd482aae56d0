"""Peers that are nobody, on both sockets; and peers that talk where they have
to listen."""
import os
import re
import socket

import pytest
import zmq
from zmq.utils import z85
from zmq.utils.monitor import parse_monitor_message

from parley_client import keys
from parley_client.session import curve_socket

from daemon import WAIT_S, wait_for

SIDES = ("desk", "feed")
TURNED_AWAY = (zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED
               | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
               | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
               | zmq.EVENT_HANDSHAKE_FAILED_AUTH)


@pytest.fixture
def knock(victim, broker):
    """knock(side, how): a socket that `how` sets up tries to come in; True
    where it was let in, and False once it was turned away."""
    context = zmq.Context()

    def run(side, how):
        s = context.socket(zmq.DEALER if side == "desk" else zmq.SUB)
        s.setsockopt(zmq.LINGER, 0)
        how(s)
        monitor = s.get_monitor_socket(
            TURNED_AWAY | zmq.EVENT_HANDSHAKE_SUCCEEDED)
        s.connect(getattr(broker, side))
        if side == "desk":
            s.send(b"let me in", zmq.DONTWAIT)
        else:
            s.setsockopt(zmq.SUBSCRIBE, b"")
        assert monitor.poll(WAIT_S * 1000)
        event = parse_monitor_message(monitor.recv_multipart())["event"]
        return event == zmq.EVENT_HANDSHAKE_SUCCEEDED

    yield run
    context.destroy(linger=0)


def curve(who, server):
    def how(s):
        s.curve_secretkey = z85.encode(who.secret["link"])
        s.curve_publickey = z85.encode(who.public["link"])
        s.curve_serverkey = z85.encode(server)
    return how


def plain(s):
    s.plain_username, s.plain_password = b"EUROPOL/hq", b"secret"


@pytest.mark.parametrize("side", SIDES)
def test_listed(knock, dialogue, side):
    assert knock(side, curve(dialogue.at["UNODC/hq"],
                             dialogue.broker.public["link"]))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("what", [
    "no mechanism", "plain", "unknown key", "another's public key",
    "seal key", "broker's own key", "wrong server key", "absent seat"])
def test_turned_away(knock, dialogue, broker, side, what):
    server = dialogue.broker.public["link"]
    stranger = keys.Identity("delegation", "EUROPOL/hq", os.urandom(32))
    how = {"no mechanism": lambda s: None, "plain": plain,
           "unknown key": curve(stranger, server),
           "wrong server key": curve(dialogue.at["UNODC/hq"],
                                     stranger.public["link"]),
           "broker's own key": curve(dialogue.broker, server),
           "absent seat": curve(dialogue.at["SCO/secretariat"], server)}
    if what == "seal key":
        who = dialogue.at["UNODC/hq"]
        stranger.secret["link"] = who.secret["seal"]
        stranger.public["link"] = who.public["seal"]
    elif what == "another's public key":
        stranger.public["link"] = dialogue.at["UNODC/hq"].public["link"]
    after = broker.daemon.mark()
    assert not knock(side, how.get(what, curve(stranger, server)))
    if what in ("unknown key", "seal key", "broker's own key",
                "absent seat"):
        line = broker.daemon.wait_log("GATE-REFUSED", after=after)
        assert line.value("domain") == side
        assert line.value("address") == "127.0.0.1"
        assert "no link key" in line.value("why")


# -- no ZeroMQ at all ---------------------------------------------------

GREETING = (b"\xff" + bytes(8) + b"\x7f\3\0" + b"CURVE".ljust(20, b"\0")
            + bytes(32))
OCTETS = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "zeros": bytes(4000),
    "ones": b"\xff" * 4000, "ZMTP 1": b"\1\0", "ZMTP 2": b"\xff" + bytes(8)
    + b"\x7f\1\5\0\0",
    "HELLO cut": GREETING + b"\4\xc8\5HELLO" + bytes(40),
    "HELLO of zeros": GREETING + b"\4\xc8\5HELLO\1\0" + bytes(192),
    "long command": GREETING + b"\6" + b"\x7f" + b"\xff" * 7 + b"x" * 99,
    "message first": GREETING + b"\0\5junk!",
    "unknown command": GREETING + b"\4\6\5WORLD",
}


def port_of(endpoint):
    return int(re.fullmatch(r"tcp://127\.0\.0\.1:(\d+)", endpoint)[1])


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("what", OCTETS)
def test_octets(victim, broker, side, what):
    with socket.create_connection(
            ("127.0.0.1", port_of(getattr(broker, side)))) as s:
        s.settimeout(WAIT_S)
        try:
            s.sendall(OCTETS[what])
            s.shutdown(socket.SHUT_WR)
            while s.recv(4096):
                pass
        except TimeoutError:
            raise
        except OSError:
            pass  # reset, or closed before the shutdown


def test_many_idle_connections(victim, broker):
    """Who says nothing is let go once the handshake's time is over, and
    until then keeps nobody out."""
    before = broker.daemon.descriptors()
    idle = [socket.create_connection(("127.0.0.1", port_of(endpoint)))
            for endpoint in (broker.desk, broker.feed) for _ in range(150)]
    # A few files that are written beside, and closed, do not matter.
    wait_for(lambda: broker.daemon.descriptors() >= before + 290,
             "connections taken")
    broker.client("UNODC/hq").hello()
    for one in idle:
        one.close()
    wait_for(lambda: broker.daemon.descriptors() <= before + 10,
             "connections let go")


# -- who talks where it has to listen -----------------------------------


@pytest.fixture
def xsub(victim, broker):
    """A listed delegation's XSUB on the feed: it can send any frame."""
    s = curve_socket(victim.context, zmq.XSUB,
                     broker.dialogue.at["FRONTEX/hq"], victim.link_key)
    s.setsockopt(zmq.SNDTIMEO, 2000)
    s.connect(broker.feed)
    yield s
    s.close()


@pytest.mark.parametrize("frames", [
    [b"junk"], [b""], [b"\2"], [b"\0"], [b"\0" + bytes(16)], [b"\xff" * 400],
    [b"a", b"b", b"c"], [b"\1" * 17, b"\1" * 17], [b""] * 100])
def test_frames_on_the_feed(client, broker, xsub, victim, frames):
    """Nobody else gets them, nothing ends."""
    reader = client("UNODC/hq")
    reader.hello()
    sub = curve_socket(reader.context, zmq.SUB, reader.who, reader.link_key)
    own = reader.streams()["$log"].tag
    sub.setsockopt(zmq.SUBSCRIBE, own)
    sub.connect(broker.feed)
    for _ in range(50):
        xsub.send_multipart(frames)
    while sub.poll(200):
        assert sub.recv_multipart()[0] == own


def test_long_frame_on_the_feed(broker, xsub):
    """Above 512 octets the connection ends."""
    monitor = xsub.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    xsub.send(b"\1" + bytes(600))
    assert monitor.poll(WAIT_S * 1000)


@pytest.mark.parametrize("kind", [zmq.ROUTER, zmq.REQ])
def test_other_sockets_at_the_desk(victim, broker, kind):
    """A REQ's delimiter is no frame 0; a ROUTER sends nothing by itself."""
    s = curve_socket(victim.context, kind, victim.who, victim.link_key)
    s.connect(broker.desk)
    if kind == zmq.REQ:
        s.send(b"junk")
    assert not s.poll(200)
    s.close()
