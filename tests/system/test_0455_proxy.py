"""A feed proxy that the roster lists: it passes frames on, and can read
none."""
import os
import threading

import pytest
import zmq

from parley_client import feed, keys
from parley_client.errors import Refused
from parley_client.session import NoReply, curve_socket

from daemon import WAIT_S


@pytest.fixture
def proxy(brokers, dialogue):
    """(broker, identity of a proxy in its roster)."""
    who = keys.Identity("delegation", "PROXY/feed", os.urandom(32))

    def change(obj):
        obj["proxies"].append({"id": "geneva", "feed": "tcp://127.0.0.1:1",
                               "link": keys.b64(who.public["link"])})

    broker = brokers(dialogue)
    broker.init()
    broker.start()
    broker.client("EUROPOL/hq").hello()
    assert broker.reload(dialogue.follow(change)).id == "ROSTER-RECORDED"
    return broker, who


def test_frames_through_a_proxy(proxy):
    broker, who = proxy
    author, reader = broker.client("EUROPOL/hq"), broker.client("AFRIPOL/hq")
    author.hello()
    streams = reader.streams()
    context = reader.context
    inner = curve_socket(context, zmq.XSUB, who, author.link_key)
    inner.connect(broker.feed)
    outer = context.socket(zmq.XPUB)
    port = outer.bind_to_random_port("tcp://127.0.0.1")
    control = context.socket(zmq.PAIR)
    control.bind("inproc://end")
    thread = threading.Thread(
        target=passes_on, args=(inner, outer, context), daemon=True)
    thread.start()
    sub = context.socket(zmq.SUB)
    sub.connect(f"tcp://127.0.0.1:{port}")
    sub.setsockopt(zmq.SUBSCRIBE, streams["members"].tag)
    parts = None
    while parts is None:  # until the subscription is there
        author.publish("members/x", "hello")
        if sub.poll(100):
            parts = sub.recv_multipart()
    frame = feed.open_frame(reader.view.dialogue, streams["members"].key,
                            parts)
    assert feed.read_part(frame.part)[0] in (feed.BLOCK, feed.HEAD)
    for one in streams.values():
        if one.name != "members":
            with pytest.raises(Refused):
                feed.open_frame(reader.view.dialogue, one.key, parts)
    control.send(b"")
    thread.join(WAIT_S)
    sub.close()
    assert "FEED-CUT" not in [line.id for line in broker.daemon.lines]


def passes_on(inner, outer, context):
    """What any XSUB/XPUB proxy does, until it is told to end."""
    end = context.socket(zmq.PAIR)
    end.connect("inproc://end")
    poller = zmq.Poller()
    for s in (inner, outer, end):
        poller.register(s, zmq.POLLIN)
    ready = {}
    while end not in ready:
        ready = dict(poller.poll())
        for source, to in ((inner, outer), (outer, inner)):
            if source in ready:
                to.send_multipart(source.recv_multipart())
    for s in (inner, outer, end):
        s.close()


def test_no_proxy_at_the_desk(proxy):
    broker, who = proxy
    with pytest.raises(NoReply):
        broker.client("UNODC/hq", who=who, wait_s=0.5).hello()
    line = broker.daemon.wait_log("GATE-REFUSED")
    assert line.value("domain") == "desk"


def test_proxy_asks_for_more_than_tags(proxy):
    """Prefixes it may have, as its own subscribers do; nothing longer."""
    broker, who = proxy
    author = broker.client("EUROPOL/hq")
    author.hello()
    s = curve_socket(author.context, zmq.XSUB, who, author.link_key)
    s.setsockopt(zmq.RECONNECT_IVL, -1)
    monitor = s.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    s.connect(broker.feed)
    for prefix in (b"", b"a", bytes(16)):
        s.send(b"\1" + prefix)
    assert not monitor.poll(300)
    s.send(b"\1" + bytes(17))
    assert monitor.poll(WAIT_S * 1000)
    assert broker.daemon.wait_log("FEED-CUT").value("shut") == "1"
