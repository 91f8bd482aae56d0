"""What several tests say in few words."""
import pytest

from parley_client import messages
from parley_client.errors import Refused

from dialogue import find


def text(place):
    return messages.read_body(place.body, place.record.header().body_format)


def contribution(writer, topic, content="From far away."):
    sent = writer.sign([writer.make(topic, content)])
    return messages.contribution(
        sent.batch, [h.octets for h in sent.headers], sent.bodies)


def refused(call, *args):
    """(rule, values) of what a call raises."""
    with pytest.raises(Refused) as error:
        call(*args)
    return error.value.rule, getattr(error.value, "values", None)


def verdict(promise):
    return [(r[2], r[3]) for r in promise.refused]


def publish(author, topic, count=1):
    """Under the roster in force."""
    author.hello()
    promise = author.publish_many([(topic, f"{i}") for i in range(count)])
    assert not promise.refused


def recorded(line):
    assert line.id == "ROSTER-RECORDED", line
    return int(line.value("version"))


def gone(name):
    def change(obj):
        find(obj, name)["revoked"] = True
    return change
