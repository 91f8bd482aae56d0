"""Promises that agents show at hello: only one that this desk signed, and
that its ledger does not hold, can stop a broker."""
import pytest

from parley_client import ledger


def shown(session, highest):
    session.highest = highest
    return session.hello().state


@pytest.mark.parametrize("what", ["signature", "leaf", "sequence", "epoch",
                                  "desk key", "path"])
def test_forged_promise(client, broker, what):
    """A promise that our desk did not sign proves nothing: no agent can
    stop the broker with one."""
    author, liar = client("EUROPOL/hq"), client("UNODC/hq")
    author.publish_many([("dialogue/x", f"{n}") for n in range(5)])
    good = list(author.highest)
    assert shown(liar, good) == [0]
    at, value = {"signature": (7, bytes(64)), "leaf": (10, bytes(32)),
                 "sequence": (9, 999), "epoch": (0, 2),
                 "desk key": (1, bytes(8)),
                 "path": (12, [bytes(32)] * len(good[12]))}[what]
    forged = list(good)
    forged[at] = value
    assert shown(liar, forged) == [0]
    line = broker.daemon.wait_log("HELLO-PROMISE")
    assert line.value("delegation") == "UNODC/hq"
    author.publish("dialogue/x", "goes on")


def test_promise_by_another_desk(client, broker):
    author = client("EUROPOL/hq")
    author.hello()
    other = client("UNODC/hq")
    fake = ledger.Promise(1, broker.dialogue.broker.id("desk"), 5,
                          [(0, bytes(32), 50, bytes(32))], [])
    fake.signature = author.who.sign(
        "sign", "promise", fake.signed_octets(author.view.dialogue))
    assert shown(other, fake.highest(0)) == [0]
