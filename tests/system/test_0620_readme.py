"""README.md's "A dialogue of your own" and what follows in it, "Two plans",
"Agree on it" and "Proof, without trusting the operator", as somebody types
them: each command of the sections, with ports of this test's and the build that
is tested."""
import contextlib
import html
import os
import re
import signal
import subprocess

from agents import free_port
from conftest import BUILD, ROOT, program

DIALOGUE = "## A dialogue of your own"
PLANS = "### Two plans, and what they have in common"
AGREE = "### Agree on it"
PROOF = "### Proof, without trusting the operator"


def commands(section):
    """The indented lines of the section, in order, without what they say
    beside a command."""
    text = (ROOT / "README.md").read_text()
    text = text[text.index(section) + len(section):]
    text = text[:re.search(r"^###? ", text, re.M).start()]
    return "\n".join(re.split(r"   +", line.strip())[0]
                     for line in text.splitlines() if line.startswith("    "))


def proof_commands():
    """Those of EUROPOL, for record 2; there is no alarm to take out."""
    script = commands(PROOF)
    for said, own in (
            ("show 7", "show 2"), ("receipt 7", "receipt 2"),
            ("parley checkpoint compare", "parley --socket INTERPOL/api.sock "
             "checkpoint show --out theirs.checkpoint\n"
             "parley checkpoint compare"),
            ("parley audit check", "parley audit export /tmp/bundle\n"
             "parley audit check"),
            ("/srv/www/", ""), ("/media/stick/", ""), ("/tmp/", ""),
            ("fork.json", "fork.json || test $? = 4")):
        assert said in script
        script = script.replace(said, own)
    return "export PARLEY_SOCKET=EUROPOL/api.sock\n" \
        "parley publish members/note/2 hello --yes --wait done\n" + script


def plan_commands():
    """An agent's plans stand a moment after its records: somebody who types is
    slower than a shell, which therefore waits for what the next line needs."""
    return waiting(commands(PLANS), (
        ("parley plan list\n", "plan list", "INTERPOL-ports-2027"),
        ("parley plan diff", "plan history EUROPOL-firearms-2027",
         "revision 2"),
        ("parley plan show", "plan show EUROPOL-firearms-2027",
         "reported delayed by EUROPOL")))


def agree_commands():
    there = "--socket INTERPOL/api.sock "
    return waiting(commands(AGREE), (
        (f"parley {there}inbox", f"{there}align show ports", "version"),
        ("parley align close", "align show ports", "1 of 1 answered"),
        (f"parley {there}align done", f"{there}align show ports",
         "its undertaking is open"),
        ("parley align show ports\n", "align show ports", "agreed, carried out"),
        ("for body in", f"{there}thread show EUROPOL-communique-ports",
         "version"),
        ("parley communique close",
         "communique show EUROPOL-communique-ports", "2 of 2 answered"),
        ("parley communique export",
         "communique show EUROPOL-communique-ports", "communique: agreed")))


def waiting(script, needs):
    """The script, with a wait before some of its lines."""
    for line, asks, needed in needs:
        assert script.count(line) == 1, line
        script = script.replace(
            line, "for i in $(seq 500); do parley " + asks + " 2>&1 | grep -q '"
            + needed + "' && break; sleep 0.1; done\n" + line)
    return script


def test_a_dialogue_of_your_own(tmp_path):
    program("parley"), program("parley-broker"), program("parley-agent")
    script = commands(DIALOGUE).replace("$P/build", str(BUILD)) \
        .replace("~/dialogue", str(tmp_path / "dialogue")) \
        .replace("$P/deploy/conf/broker.conf", str(tmp_path / "broker.conf"))
    # The section's ports stand in the configuration too.
    conf = (ROOT / "deploy" / "conf" / "broker.conf").read_text()
    for port in ("7411", "7412"):
        own = str(free_port())
        script = script.replace(port, own)
        conf = conf.replace(port, own)
    (tmp_path / "broker.conf").write_text(conf.replace("0.0.0.0", "127.0.0.1"))
    wait = "for i in $(seq 500); do parley --socket {0}/api.sock status >{1} " \
        "2>&1 && grep -q 'link  *ready' {1} && break; sleep 0.1; done\n"
    # Somebody who types is slower than a shell.
    script = script.replace('echo "Good morning"', "".join(
        wait.format(body, "ready") for body in ("EUROPOL", "INTERPOL"))
        + 'echo "Good morning"', 1)
    script = script.replace(
        "parley --socket INTERPOL/api.sock replay", "for i in $(seq 500); do "
        "parley --socket INTERPOL/api.sock replay '#' 2>&1 | grep -q Good && "
        "break; sleep 0.1; done\nparley --socket INTERPOL/api.sock replay", 1)
    running = subprocess.Popen(
        ["bash", "-euc", "trap 'kill $(jobs -p); wait' EXIT\n" + script + "\n"
         + proof_commands() + "\n" + plan_commands() + "\n"
         + agree_commands()],
        cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
        env={**os.environ, "PARLEY_SOCKET": "", "LC_ALL": "C.UTF-8"})
    try:
        said, _ = running.communicate(timeout=300)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert running.returncode == 0, said
    assert "configuration OK" in said
    assert "promised as record 2" in said or "done as record 2" in said
    assert re.search(r"^2  .*  EUROPOL/hq  members/note/1  Good morning$", said,
                     re.M), said
    assert "Draft written to next.text" in said
    for what in ("by 2 of 2 witnesses", "in plan7.tlog-proof, .record, .body",
                 "All of that is proved, under this policy.",
                 "The same: both hold one ledger", "All of that holds.",
                 "The tree over ", "0 new records; "):
        assert what in said, said
    page = html.unescape((tmp_path / "dialogue" / "audit.html").read_text())
    assert "2 of 2 members' witnesses" in page
    for what in (r"^EUROPOL-plan.json: a good plan$",
                 r"^INTERPOL-ports-2027 +2027-",
                 r"^1 overlap of all times .*: 1 claimed\.$",
                 r"^EUROPOL-firearms-2027, revision 1 to 2: 1 change$",
                 r"starts 10 April 2027, 40 days later",
                 r"^A1 +planned; reported delayed by EUROPOL  2027-04-10 to ",
                 r"^A1 +EUROPOL +2027-01 to 2027-03 .* delayed: Ships are late",
                 r"^EUROPOL-firearms-2027 .* 1$",
                 r"^    parley align endorse EUROPOL-align-ports$",
                 r"^alignment: agreed, carried out, 1 reservation$",
                 r"^adopted by  INTERPOL/hq$",
                 r"^[* ] +EUROPOL-communique-ports +communique +agreed "):
        assert re.search(what, said, re.M), (what, said)
    for name in ("2027.html", "firearms.html"):
        page = (tmp_path / "dialogue" / name).read_text()
        assert "TLP:AMBER" in page and "revision 2, record " in page
