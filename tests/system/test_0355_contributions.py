"""What is handed in for others, and refusals that are kept."""

from dialogue import find
from words import contribution, refused, text, verdict


def test_contribution(broker, client, dialogue):
    """AFRIPOL was absent; its written contribution was circulated."""
    kept = contribution(client("AFRIPOL/written"), "dialogue/statement/1")
    submitter = client("SCO/rats")
    promise = submitter.hand_in(kept)
    assert verdict(promise) == []
    found, = client("UNODC/hq").fetch("dialogue")
    record = found[1].record
    assert text(found[1]) == "From far away."
    assert record.header().author == "AFRIPOL/written"
    assert record.via[0] == "SCO/rats"
    broker.stop()
    assert broker.printed(broker.fsck(), "signatures") == 1


def test_contribution_after_newcomer(broker, client, dialogue):
    """A roster that only adds readers does not make it stale; one that
    takes a reader away does."""
    writer, submitter = client("AFRIPOL/written"), client("EUROPOL/hq")
    kept = [contribution(writer, "members/a"), contribution(writer,
                                                            "members/b")]
    submitter.hello()
    seat = dialogue.seat("FRONTEX", {"id": "second"})

    def add(obj):
        find(obj, "FRONTEX")["delegations"].append(seat)

    broker.reload(dialogue.follow(add))
    assert verdict(submitter.hand_in(kept[0])) == []

    def take(obj):
        find(obj, "FRONTEX")["delegations"].pop(0)

    broker.reload(dialogue.follow(take))
    assert verdict(submitter.hand_in(kept[1])) == [
        ("STALE-ROSTER", {"stated": 1, "in_force": 3})]


def test_refusals_are_kept(broker, client):
    """Each delegation's own, signed, also after a restart; nobody else's."""
    author, other = client("AFRIPOL/hq"), client("UNODC/hq")
    for n in range(3):
        refused(author.publish, "announcements/x", f"{n}")
    refused(other.publish, "members/x", "no")
    for _ in range(2):
        mine = author.refusals()
        assert [one[4] for one in mine] == ["NOT-A-WRITER"] * 3
        assert [one[0] for one in mine] == [1, 2, 3]
        assert author.refusals(3, 1)[0][0] == 3
        theirs, = other.refusals()  # and counts from 1 again
        assert theirs[0] == 1 and theirs[2] == "UNODC/hq"
        broker.restart()

