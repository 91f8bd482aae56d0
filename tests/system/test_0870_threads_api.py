"""What agents answer about threads: a broker, agents of several bodies, and a
peer that publishes without asking whether it is right."""
import pytest

from planning import action, plan
from test_0810_plans_api import begun, say_plan, seen
from threads import align, known, open_thread, refused, say, settled


@pytest.fixture
def three(brokers, dialogue, agents):
    broker = begun(brokers, dialogue)
    all_ = [agents(name, broker).start() for name in
            ("EUROPOL/hq", "AFRIPOL/hq", "FRONTEX/hq")]
    europol, afripol, _ = all_
    seen(all_,
         say_plan(europol, plan("EUROPOL", "cyber-2026",
                                [action("A1", "EUROPOL"),
                                 action("A2", "EUROPOL")])),
         say_plan(afripol, plan("AFRIPOL", "cyber-2026",
                                [action("B1", "AFRIPOL")])))
    return broker, all_


def test_alignment(three):
    _, every = three
    europol, afripol, frontex = every
    id_ = open_thread(europol, "align", align("AFRIPOL", "FRONTEX"))
    for one in known(every, id_):
        assert one["state"] == "open"

    say(afripol, id_, "stance", says="endorse", reservation="Not in June")
    last = say(frontex, id_, "stance", says="endorse")
    known(every, id_, last)
    last = say(europol, id_, "close")
    settled(every, last)
    for one in known(every, id_, last):
        assert one["state"] == "agreed"


