"""What an agent holds, against what the broker's ledger holds."""
from parley_client import ledger, rights, roster
from parley_client.errors import Refused

from daemon import WAIT_S, wait_for


def chain(dialogue):
    """The dialogue's rosters, by version."""
    read = [roster.first(dialogue.notes[0])]
    for note in dialogue.notes[1:]:
        read.append(roster.following(read[-1], note))
    return read


def may_read(of, name, channel, at):
    try:
        return rights.may_read(of, name, channel, at)
    except Refused:
        return False


def readable(dialogue, places, name):
    """The Places that a delegation may read: under the roster at the place
    and the newest, or written by it (PROTOCOL.md section 5.4)."""
    rosters, in_force, out = chain(dialogue), {}, []
    newest, read = rosters[-1], iter(rosters)
    for place in places:
        r = place.record
        if r.type == ledger.ROSTER:
            in_force[r.sequence] = next(read)
        own = r.type == ledger.MESSAGE and r.header().author == name
        if own or r.channel == "$log" or all(
                may_read(of, name, r.channel, r.log_time)
                for of in (in_force[r.roster], newest)):
            out.append(place)
    return out


def shown(place):
    """A place of the ledger, as the API would show it."""
    r = place.record
    message = r.type == ledger.MESSAGE
    return (r.sequence, r.leaf.hex(), r.channel, r.channel_sequence,
            r.header().id.hex() if message else None,
            place.body[16:].decode() if message else None)


def held(record):
    """The same of a record that the API has shown; it is whole."""
    assert record["verified"] is True and record["problem"] is None
    message = record["type"] == "message"
    assert record["body"] == ("none" if record["type"] == "mark"
                              else "present"), record
    return (record["sequence"], record["leaf"], record["channel"],
            record["channel_sequence"], record["id"],
            record["content"] if message else None)


def check_holdings(agent, dialogue, places):
    """It holds every record that it may read, in order, once, and nothing
    else, whichever way it is asked. Contents have to be text."""
    want = [shown(one) for one in readable(dialogue, places, agent.name)]
    by_sequence = agent.records("sequence")
    assert [held(one) for one in by_sequence] == want, agent.name
    by_position = agent.records("position")
    positions = [one["position"] for one in by_position]
    assert positions == sorted(set(positions))
    assert sorted(map(held, by_position)) == want
    last = {}
    for one in by_position:
        channel, number = one["channel"], one["channel_sequence"]
        assert number > last.get(channel, 0), "a channel out of order"
        last[channel] = number


def settled(agent):
    """Is all that was given to it done, and nothing lacking?"""
    status = agent.get("status")
    states = status["outbox"]
    return (status["link"]["state"] == "ready" and status["streams"]
            and not any(states[s] for s in ("waiting", "sent", "promised"))
            and not any(s["behind"] for s in status["streams"]))


def wait_settled(*agents, wait_s=WAIT_S):
    for agent in agents:
        wait_for(lambda: settled(agent), f"{agent.name} settled", wait_s, 0.1)


def wait_complete(broker, *agents, wait_s=WAIT_S):
    """Until all are settled, and then until each holds all that the broker
    has for it."""
    wait_settled(*agents, wait_s=wait_s)
    for agent in agents:
        with broker.client(agent.name) as session:
            last = {s.name: s.last for s in session.streams().values()}
            broker.sessions.remove(session)
        wait_for(lambda: reached(agent, last), f"{agent.name}: {last}",
                 wait_s, 0.1)


def reached(agent, last):
    upto = {s["name"]: s["upto"] for s in agent.get("status")["streams"]}
    return all(upto.get(name, -1) >= n for name, n in last.items())


def wait_complete_at(agent, sequence):
    """It holds all below that mark, and proves it; nothing alarmed it."""
    def look():
        status = agent.get("status")
        place = status["complete_upto"]
        return (place and place["sequence"] >= sequence
                and status["lacks"] is None)
    wait_for(look, lambda: f"complete at {sequence}: {agent.get('status')}")
    assert agent.alarms() == []
