"""README.md's "A dialogue of your own", as somebody types it: each command of
the section, with ports of this test's and the build that is tested."""
import contextlib
import os
import re
import signal
import subprocess

from agents import free_port
from conftest import BUILD, ROOT, program

SECTION = "## A dialogue of your own"


def commands():
    """The indented lines of the section, in order."""
    text = (ROOT / "README.md").read_text()
    text = text[text.index(SECTION) + len(SECTION):]
    text = text[:re.search(r"^###? ", text, re.M).start()]
    return "\n".join(line.strip() for line in text.splitlines()
                     if line.startswith("    "))


def test_a_dialogue_of_your_own(tmp_path):
    program("parley"), program("parley-broker"), program("parley-agent")
    script = commands().replace("$P/build", str(BUILD)) \
        .replace("~/dialogue", str(tmp_path / "dialogue")) \
        .replace("$P/deploy/conf/broker.conf", str(tmp_path / "broker.conf"))
    # The section's ports stand in the configuration too.
    conf = (ROOT / "deploy" / "conf" / "broker.conf").read_text()
    for port in ("7411", "7412"):
        own = str(free_port())
        script = script.replace(port, own)
        conf = conf.replace(port, own)
    (tmp_path / "broker.conf").write_text(conf.replace("0.0.0.0", "127.0.0.1"))
    wait = "for i in $(seq 100); do parley --socket {0}/api.sock status >{1} " \
        "2>&1 && grep -q 'link  *ready' {1} && break; sleep 0.1; done\n"
    # Somebody who types is slower than a shell.
    script = script.replace('echo "Good morning"', "".join(
        wait.format(body, "ready") for body in ("EUROPOL", "INTERPOL"))
        + 'echo "Good morning"', 1)
    script = script.replace(
        "parley --socket INTERPOL/api.sock replay", "for i in $(seq 100); do "
        "parley --socket INTERPOL/api.sock replay '#' 2>&1 | grep -q Good && "
        "break; sleep 0.1; done\nparley --socket INTERPOL/api.sock replay", 1)
    running = subprocess.Popen(
        ["bash", "-euc", "trap 'kill $(jobs -p); wait' EXIT\n" + script],
        cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
        env={**os.environ, "PARLEY_SOCKET": "", "LC_ALL": "C.UTF-8"})
    try:
        said, _ = running.communicate(timeout=60)
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
