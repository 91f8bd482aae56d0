"""Batches that are wrong on purpose: made of octets, not of checked values."""
from parley_client import canonical as mp
from parley_client import keys, messages, tree


class Raw:
    """What Session.send_batch takes: a publish request's frames, and the ids
    by which the answer names its messages (none where it can't be cut)."""

    def __init__(self, head, headers, bodies, ids=()):
        self._frames, self.ids = [head, headers, bodies], list(ids)

    def frames(self):
        return self._frames


def made(session, count=2, topic="members/x"):
    return [session.make(topic, f"text {i}") for i in range(count)]


def parts(session, count=2, topic="members/x"):
    """(headers' octets, bodies) of so many good messages."""
    pairs = made(session, count, topic)
    return [h.octets for h, _ in pairs], [b for _, b in pairs]


def values_of(session, topic="members/x", content="text", **more):
    """([prefix, body length, digest] as lists, body): to be changed."""
    header, body = session.make(topic, content, **more)
    return [header.prefix(), header.body_length, header.body_digest], body


def head_of(who, dialogue, author, channel, headers, via=None, size=None,
            key_id=None, signed=None):
    """A Batch that `who` signs over these headers' octets. signed: values
    that differ in what is signed."""
    said = dict(dialogue=dialogue, author=author, channel=channel,
                size=len(headers) if size is None else size,
                root=tree.root(headers))
    said.update(signed or {})
    octets = mp.encode(list(said.values()))
    return messages.Batch(author, channel,
                          len(headers) if size is None else size,
                          key_id or who.id("sign"),
                          who.sign("sign", "batch", octets), via)


def raw(session, headers, bodies, channel="members", author=None, cut=True,
        who=None, **more):
    """A Raw of headers' octets and bodies, signed by the session's own
    delegation (or `who`). cut: can the broker cut it into messages?"""
    who = who or session.who
    batch = head_of(who, session.view.dialogue, author or who.name, channel,
                    headers, **more)
    joined = messages.join_headers(headers, bodies)
    return Raw(batch.head(), *joined,
               [tree.leaf(h) for h in headers] if cut else [])


def refused(session, sent):
    """[(index, id, rule, values)] of a batch that is refused whole; the
    broker's signature is checked."""
    promise = session.send_batch(sent)
    assert promise.accepted == []
    return promise.refused


def only(session, sent):
    """(rule, values) of the refusal that all messages of it got."""
    answers = {(rule, tuple(sorted(values.items())))
               for _, _, rule, values in refused(session, sent)}
    (rule, values), = answers
    return rule, dict(values)


def agrees(got, rule, **values):
    """The rule and exactly these values; where one is a set, each of its
    words stands in the value."""
    assert got[0] == rule, got
    assert sorted(got[1]) == sorted(values), got
    for key, value in values.items():
        if isinstance(value, set):
            assert all(word in got[1][key] for word in value), got
        else:
            assert got[1][key] == value, got


def digest_hex(body):
    return keys.blake2b(body).hex()
