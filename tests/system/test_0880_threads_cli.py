"""Working together at the command line: a broker, agents of three bodies, and
what their officers type and read."""
import json
import re

import pytest

from daemon import wait_for
from planning import action, plan, put, wait_plans
from terminal import at_terminal

NAMES = ("EUROPOL/hq", "AFRIPOL/hq", "FRONTEX/hq")
MINE, THEIRS = "EUROPOL-cyber-2026#A1", "AFRIPOL-cyber-2026#B1"
YES = ("--yes", "--wait", "promised")


@pytest.fixture
def relay(brokers, dialogue):
    broker = brokers(dialogue, mark_seconds=1)
    broker.init()
    return broker.start()


@pytest.fixture
def office(relay, agents, parley):
    """Three offices: office(BODY, words...) types there; .sees(ID, TEXT) waits
    until each shows that of a thread."""
    class Office:
        at = {name.split("/")[0]: agents(name, relay).start()
              for name in NAMES}

        def __call__(self, body, *words, **more):
            return parley("--socket", self.at[body].socket, *words, **more)

        def sees(self, id_, text, *bodies):
            for body in bodies or self.at:
                wait_for(lambda b=body: text in self(
                    b, "thread", "show", id_, code=None).out,
                    f"'{text}' of {id_} at {body}", 30, 0.1)

        def tell(self, body, *words):
            return self(body, *words, *YES)

    return Office()


@pytest.fixture
def plans(office, tmp_path):
    """Two plans with an overlap, at all three."""
    for body, id_ in (("EUROPOL", "A1"), ("AFRIPOL", "B1")):
        put(tmp_path, plan(body, "cyber-2026", [action(id_, body)]))
        office(body, "plan", "publish", f"{body}-cyber-2026.json",
               "--channel", "members", *YES)
    for agent in office.at.values():
        wait_plans(agent, 2)
    return office


def propose(office, id_, *more):
    office.tell("EUROPOL", "align", "propose", "--channel", "members",
                "--id", id_, "--title", "One operation", "--type", "joint",
                "--about", MINE, THEIRS, "--invite", "AFRIPOL,FRONTEX",
                "--rule", "majority", *more)
    office.sees(id_, "version")


def test_alignment(plans, tmp_path):
    office, id_ = plans, "EUROPOL-align-1"
    propose(office, id_, "--deadline", "2090-12-01T17:00+01:00", "--undertake",
            "U1=AFRIPOL:Name a contact, soon,by=2090-12-31", "--undertake",
            "U2=EUROPOL:Write the plan")
    said = office("AFRIPOL", "inbox").out
    assert f"parley align endorse {id_}" in said and "waits for" in said
    office.tell("AFRIPOL", "align", "endorse", id_, "--reservation",
                "Not at sea.")
    office.tell("FRONTEX", "thread", "suggest", id_, "Say who leads")
    office.sees(id_, "Say who leads")
    shown = office("EUROPOL", "align", "show", "1",
                   env={"TZ": "Europe/Vienna"}).out
    for what in ("alignment: open, 1 of 2 answered, 1 reservation",
                 "1 Dec 2090, 17:00 (+01:00) = 16:00 UTC, in ",
                 f"{MINE} ", "AFRIPOL  endorses, by AFRIPOL/hq, record ",
                 "reservation: Not at sea.", "FRONTEX  no answer yet",
                 "U1  AFRIPOL: Name a contact, soon, by end of 31 Dec 2090 "
                 "(UTC)", "as it stands: not agreed"):
        assert what in shown, (what, shown)
    amend(office, id_)
    carry_out(office, id_)
    office("EUROPOL", "thread", "export", id_, "--out", "align.html")
    assert "Not at sea" in (tmp_path / "align.html").read_text()
    office("EUROPOL", "thread", "export", id_, code=2)


def amend(office, id_):
    """The next version takes up a suggestion; answers begin anew."""
    assert "nothing changes" in office("EUROPOL", "align", "amend", id_,
                                       "--yes", code=1).err
    shown, = office("EUROPOL", "--json", "align", "show", id_).json()
    suggestion = shown["suggestions"][0]
    office.tell("EUROPOL", "align", "amend", id_, "--text", "EUROPOL leads.",
                "--takes-up", suggestion["sequence"])
    office.sees(id_, "taken up in version 2")
    office.tell("AFRIPOL", "align", "endorse", id_, "--reservation",
                "Not at sea.")
    office.tell("FRONTEX", "align", "endorse", id_)
    office.sees(id_, "2 of 2 answered", "EUROPOL")
    office.tell("EUROPOL", "align", "close", id_)
    office.sees(id_, "2 of 2 undertakings open")
    assert "it covers 1 overlap" in office("AFRIPOL", "align", "show", id_).out
    listed = office("AFRIPOL", "align", "list", "--about", THEIRS).out
    assert re.search(rf"^\* +{id_}  agreed, not yet carried out: .*  endorses"
                     "  One operation$", listed, re.M), listed


def carry_out(office, id_):
    office("AFRIPOL", "align", "done", id_, "U2", "--yes", code=1)
    office.tell("AFRIPOL", "align", "done", id_, "U1", "--day", "2026-11-02",
                "--text", "Line 4.")
    office.tell("EUROPOL", "align", "done", id_, "U2", "--day", "2026-11-03")
    office.sees(id_, "agreed, carried out")
    office.tell("EUROPOL", "align", "undone", id_, "U2")
    office.sees(id_, "1 of 2 undertakings open")
    shown = office("FRONTEX", "align", "show", id_).out
    assert "Done on 2026-11-02, its owner says: Line 4." in shown
    assert "EUROPOL/hq has not done U2" in shown
    assert f"parley align done {id_} U2" in office("EUROPOL", "inbox").out


def test_objection_and_withdrawal(plans):
    office = plans
    propose(office, "EUROPOL-one")
    propose(office, "EUROPOL-two")
    office.tell("AFRIPOL", "align", "object", "EUROPOL-one", "--text", "No.")
    office.tell("FRONTEX", "align", "abstain", "EUROPOL-one")
    office.tell("FRONTEX", "thread", "comment", "EUROPOL-one", "Which ports?")
    office.sees("EUROPOL-one", "2 of 2 answered", "EUROPOL")
    office.tell("EUROPOL", "align", "close", "one")
    office.sees("EUROPOL-one", "alignment: not agreed")
    shown = office("EUROPOL", "thread", "show", "one").out
    for what in ("AFRIPOL  objects, by AFRIPOL/hq", "FRONTEX  abstains",
                 "FRONTEX/hq says", "Which ports?",
                 "EUROPOL/hq closes it: not agreed"):
        assert what in shown, (what, shown)
    # Behind the decision nothing counts any more; it can be said all the same.
    office("AFRIPOL", "align", "endorse", "EUROPOL-one", "--yes", code=1)
    office.tell("AFRIPOL", "align", "endorse", "EUROPOL-one", "--anyway")
    office.sees("EUROPOL-one", "also said")
    office.tell("EUROPOL", "thread", "withdraw", "two", "--reason", "Replaced")
    office.sees("EUROPOL-two", "withdrawn  Replaced")
    listed = office("EUROPOL", "thread", "list", "--state", "withdrawn").out
    assert "EUROPOL-two" in listed and "EUROPOL-one" not in listed


def test_ids(plans):
    """Short where that is enough, and by topic; else named."""
    office = plans
    propose(office, "EUROPOL-align-77-x")
    propose(office, "EUROPOL-align-78-x")
    assert "short for several: members/align/" in office(
        "AFRIPOL", "align", "show", "x", code=1).err
    for word in ("EUROPOL-align-77", "77-x",
                 "members/align/EUROPOL/EUROPOL-align-77-x"):
        shown, = office("AFRIPOL", "--json", "thread", "show", word).json()
        assert shown["id"] == "EUROPOL-align-77-x"
    office("AFRIPOL", "communique", "show", "77-x", code=4)
    office("AFRIPOL", "align", "show", "nothing", code=4)
    office("AFRIPOL", "align", "show", "?", code=4)
    office("AFRIPOL", "align", "show", "77-x", "--channel", "dialogue", code=4)
    made = office("EUROPOL", "--json", "notice", "publish", "--channel",
                  "members", "--title", "T", "--text", "t", *YES).json()[0]
    assert made["thread"].startswith("EUROPOL-notice-")
    assert made["topic"].endswith(made["thread"])
    kept = office("EUROPOL", "notice", "publish", "--channel", "members",
                  "--title", "Later", "--text", "t", "--draft").out
    assert re.match(r"draft \d+ is kept", kept)
    assert "Later" not in office("EUROPOL", "notice", "list").out


def test_words_that_are_refused(office):
    def err(*words, code=2):
        return office("EUROPOL", *words, "--yes", code=code).err
    align = ("align", "propose", "--channel", "members")
    assert "who shall read it?" in err("align", "propose", "--title", "x")
    for instant in ("2026-12-01T17:00", "2026-02-30", "tomorrow",
                    "2026-12-01T17:00:00:00+01:00", "2" * 99):
        assert "is no instant" in err(*align, "--deadline", instant)
    assert "is not ID=WHO:WHAT" in err(*align, "--undertake", "AFRIPOL: x")
    assert "is not WHO:WHAT" in err(*align, "--undertake", "U1=Name")
    assert "is no instant" in err(*align, "--undertake", "U1=A:x,by=soon")
    faults = err(*align, "--title", "x", code=1)
    for name in ("invited", "rule", "about", "type"):
        assert f"has no '{name}'" in faults, faults
    assert "is no number" in err("meeting", "propose", "--channel", "members",
                                 "--edition", "x")
    assert "is for meetings" in err("align", "endorse", "x",
                                    "--represented-by", "AFRIPOL")
    assert "OFFER, or" in err("capability", "request", "--to", "AFRIPOL")
    assert "JSON is no object" in office(
        "EUROPOL", "align", "propose", "-", "--channel", "members", "--yes",
        stdin="[]", code=1).err
    err("consult", "close", "x")
    err("thread", "withdraw", "x")
    err("align", "undone", "x", "U1", "--day", "2026-01-01")
    err("align", "list", "--kind", "notice")


def test_communique(office, tmp_path):
    id_ = "EUROPOL-c-1"
    (tmp_path / "c.json").write_text(json.dumps({
        "title": {"en": "Outcome", "fr": "R\u00e9sultat"}, "binding": "en",
        "invited": ["AFRIPOL"], "rule": "all", "paragraphs": [
            {"id": "P1", "text": {"en": "We share.", "fr": "Partageons."}}]}))
    office.tell("EUROPOL", "communique", "propose", "c.json", "--channel",
                "members", "--id", id_, "--decide",
                "D1=To meet, again,owner=AFRIPOL,by=2090-01-01")
    office.sees(id_, "version")
    office("EUROPOL", "communique", "export", id_, code=4)
    office.tell("AFRIPOL", "communique", "suggest", id_, "Clearer",
                "--paragraph", "P1", "--put", "We share all.")
    office.sees(id_, 'on P1: Clearer (instead: "We share all.")')
    document = json.loads((tmp_path / "c.json").read_text())
    document["paragraphs"][0]["text"]["en"] = "We share all."
    (tmp_path / "d.json").write_text(json.dumps(document))
    office.tell("EUROPOL", "communique", "amend", id_, "d.json")
    office.sees(id_, "proposes version 2")
    office.tell("AFRIPOL", "communique", "abstain", id_)
    office.tell("AFRIPOL", "communique", "object", id_)
    for body in ("AFRIPOL", "EUROPOL"):
        office.tell(body, "communique", "adopt", id_)
    office.sees(id_, "2 of 2 answered", "EUROPOL")
    office.tell("EUROPOL", "communique", "close", id_)
    office.sees(id_, "communique: agreed")
    note = office("FRONTEX", "communique", "export", id_).out
    assert "== fr ==" in note and "We share all." in note
    office("FRONTEX", "communique", "export", id_, "--out", "c.note")
    said = office("FRONTEX", "verify", "c.note", "--roster",
                  "roster.note").out
    for body in ("AFRIPOL/hq", "EUROPOL/hq"):
        assert f"adopted by  {body}" in said, said
    office("FRONTEX", "communique", "export", id_, "--html", "--out",
           "c.html")
    assert "We share all." in (tmp_path / "c.html").read_text()
    office("FRONTEX", "communique", "export", id_, "--version", "1", code=4)
    assert id_ in office("FRONTEX", "communique", "list").out
    assert "D1  To meet, again, AFRIPOL" not in office(
        "FRONTEX", "communique", "show", id_).out  # of the first version


def hold(office, id_, edition, *days):
    office.tell("EUROPOL", "meeting", "propose", "--channel", "members",
                "--id", id_, "--title", f"Dialogue {edition}", "--from",
                f"{days[0]}T09:00+01:00", "--to", f"{days[1]}T17:00+01:00",
                "--zone", "Europe/Amsterdam", "--place", "The Hague",
                "--invite", "AFRIPOL,FRONTEX", "--series", "dialogue",
                "--edition", edition, "--agenda", "Opening", "--agenda",
                "F=Firearms")
    office.sees(id_, "version")


def test_meeting(office, parley, dialogue, tmp_path):
    first, minutes, second = "EUROPOL-d-4", "EUROPOL-m-4", "EUROPOL-d-5"
    hold(office, first, 4, "2026-11-02", "2026-11-03")
    office.tell("EUROPOL", "meeting", "amend", first, "--place", "Lyon")
    office.sees(first, "Lyon")
    office.tell("FRONTEX", "meeting", "answer", first, "yes")
    office.tell("AFRIPOL", "meeting", "answer", first, "no")
    office.tell("AFRIPOL", "meeting", "answer", first, "in-writing")
    office.tell("EUROPOL", "meeting", "attendance", first, "FRONTEX",
                "AFRIPOL=FRONTEX")
    secret = tmp_path / "written.secret"
    secret.write_text(dialogue.identity("AFRIPOL/written").secret_file())
    secret.chmod(0o600)
    parley("contribution", "write", "-", "--meeting", first, "--channel",
           "members", "--identity", secret, "--roster", "roster.note",
           "--out", "c", stdin="We regret our absence.\n")
    office("FRONTEX", "contribution", "submit", "c", *YES)
    office.sees(first, "Written contribution of AFRIPOL, by AFRIPOL/written, "
                "handed in by FRONTEX/hq")
    office.tell("EUROPOL", "meeting", "minutes", first, "--id", minutes,
                "--binding", "en", "--paragraph", "We met.", "--decide",
                "D1=To meet in Vienna", "--undertake",
                "U1=AFRIPOL:Send the list,by=2090-01-01")
    office.sees(minutes, "version")
    for body in office.at:
        office.tell(body, "communique", "adopt", minutes)
    office.sees(minutes, "3 of 3 answered", "EUROPOL")
    office.tell("EUROPOL", "communique", "close", minutes)
    hold(office, second, 5, "2090-03-01", "2090-03-02")
    office.sees(second, "carried over: AFRIPOL: Send the list")
    shown = office("AFRIPOL", "meeting", "show", first).out
    for what in ("meeting: over", "AFRIPOL  takes part in writing",
                 "FRONTEX  comes", "AFRIPOL  represented by FRONTEX",
                 f"minutes: {minutes}, agreed", "Opening"):
        assert what in shown, (what, shown)
    assert "To meet in Vienna" in office("AFRIPOL", "meeting", "show",
                                         second).out
    calendar = office("AFRIPOL", "meeting", "calendar").out
    assert calendar.count("BEGIN:VEVENT") == 2
    office("AFRIPOL", "meeting", "calendar", second, "--out", "d.ics")
    assert (tmp_path / "d.ics").read_text().count("BEGIN:VEVENT") == 1
    office("AFRIPOL", "meeting", "calendar", second, "--series", "s", code=2)
    assert f"parley meeting answer {second} yes" in office(
        "FRONTEX", "inbox").out


def test_consultation(office):
    id_ = "EUROPOL-ask"
    office.tell("EUROPOL", "consult", "ask", "--channel", "members", "--id",
                id_, "--title", "Labs", "--text", "Who can test?", "--invite",
                "AFRIPOL", "--deadline", "2090-01-01")
    office.sees(id_, "version")
    assert f"parley consult reply {id_} TEXT" in office("AFRIPOL", "inbox").out
    office.tell("AFRIPOL", "consult", "reply", id_, "Two of ours.")
    office.sees(id_, "AFRIPOL  replies, by AFRIPOL/hq", "EUROPOL")
    office.tell("EUROPOL", "consult", "close", id_, "--summary",
                "AFRIPOL can.")
    office.sees(id_, "consultation: closed")
    shown = office("FRONTEX", "consult", "show", id_).out
    assert "Two of ours." in shown and "AFRIPOL can." in shown
    assert id_ in office("FRONTEX", "consult", "list", "--state", "closed").out


def test_practices_and_notices(office):
    office.tell("EUROPOL", "practice", "publish", "--channel", "members",
                "--id", "EUROPOL-p", "--title", "Parcels", "--text", "How.",
                "--region", "EU")
    office.tell("EUROPOL", "notice", "publish", "--channel", "members",
                "--id", "EUROPOL-n", "--title", "Holidays", "--text",
                "Closed.", "--until", "2090-01-01")
    office.sees("EUROPOL-p", "version")
    office.sees("EUROPOL-n", "notice: published")
    office.tell("AFRIPOL", "practice", "no-use", "EUROPOL-p")
    office.tell("AFRIPOL", "practice", "use", "EUROPOL-p", "--text", "In May.")
    office.sees("EUROPOL-p", "AFRIPOL  uses it, by AFRIPOL/hq")
    assert "Parcels" in office("FRONTEX", "practice", "list").out
    assert "Holidays" in office("FRONTEX", "notice", "list").out
    assert "Closed." in office("FRONTEX", "notice", "show", "EUROPOL-n").out
    assert "who uses it" in office("FRONTEX", "practice", "show",
                                   "EUROPOL-p").out


def test_support(office):
    office.tell("AFRIPOL", "capability", "offer", "--channel", "members",
                "--id", "AFRIPOL-dna", "--title", "DNA", "--type",
                "biometrics", "--text", "In a day.", "--to", "EUROPOL",
                "--contact", "Front desk", "--conditions", "By treaty")
    office.sees("AFRIPOL-dna", "version")
    office.tell("EUROPOL", "capability", "request", "AFRIPOL-dna", "--id",
                "EUROPOL-r", "--title", "40 profiles", "--text", "From A1.",
                "--needed-by", "2090-01-01")
    office.tell("EUROPOL", "capability", "request", "--to", "FRONTEX",
                "--channel", "members", "--id", "EUROPOL-s", "--title",
                "A ship", "--text", "For a week.")
    office.sees("EUROPOL-r", "AFRIPOL-dna")
    office.sees("EUROPOL-s", "version")
    assert "parley capability answer EUROPOL-r accept" in office(
        "AFRIPOL", "inbox").out
    office.tell("AFRIPOL", "capability", "answer", "EUROPOL-r", "counter",
                "--text", "Twenty.")
    office.tell("AFRIPOL", "capability", "answer", "EUROPOL-r", "accept")
    office.tell("FRONTEX", "capability", "answer", "EUROPOL-s", "decline")
    office.sees("EUROPOL-r", "AFRIPOL  accepts", "EUROPOL")
    office.sees("EUROPOL-s", "FRONTEX  declines", "EUROPOL")
    for id_, state in (("EUROPOL-r", "agreed"), ("EUROPOL-s", "not agreed")):
        office.tell("EUROPOL", "capability", "close", id_)
        office.sees(id_, f"request for support: {state}")
    listed = office("FRONTEX", "capability", "list").out
    assert "DNA" in listed and "40 profiles" in listed
    shown = office("EUROPOL", "capability", "show", "AFRIPOL-dna").out
    assert "Front desk" in shown and "By treaty" in shown


def test_reading(plans):
    office = plans
    propose(office, "EUROPOL-a")
    propose(office, "EUROPOL-b")
    unread = ("thread", "list", "--unread")
    assert "EUROPOL-a" in office("AFRIPOL", *unread).out
    office("AFRIPOL", "inbox", "read", "EUROPOL-a")
    listed = office("AFRIPOL", *unread).out
    assert "EUROPOL-a" not in listed and "EUROPOL-b" in listed
    said = office("AFRIPOL", "inbox", "--unread").out
    assert "endorse EUROPOL-b" in said and "endorse EUROPOL-a" not in said
    assert "1 thread is read" in office("AFRIPOL", "inbox", "read", "all").out
    assert office("AFRIPOL", *unread).err == \
        "parley: no such thread is there\n"
    assert office("AFRIPOL", "inbox", "--unread").out == "Nothing new waits.\n"
    assert office("EUROPOL", "inbox").out == "Nothing waits.\n"
    office("AFRIPOL", "inbox", "read", "nothing", code=4)
    waiting = office("AFRIPOL", "thread", "list", "--waiting").out
    assert "EUROPOL-a" in waiting and "not yet" in waiting


def test_at_a_narrow_terminal(plans):
    """Nothing is cut off, and no line is longer."""
    office = plans
    propose(office, "EUROPOL-align-at-a-terminal", "--text", "word " * 60)
    office.tell("AFRIPOL", "align", "endorse", "EUROPOL-align-at-a-terminal",
                "--reservation", "only so far as it is possible " * 5)
    office.sees("EUROPOL-align-at-a-terminal", "only so far", "EUROPOL")
    for words in (("thread", "list"), ("thread", "show", "terminal"),
                  ("inbox",)):
        lines = at_terminal(80, "--socket", office.at["FRONTEX"].socket,
                            *words)
        assert "One operation" in " ".join(lines), lines
        assert max(map(len, lines)) <= 80, lines
