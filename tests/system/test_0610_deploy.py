"""What deploy/ holds for operators: examples of configurations that the daemons
take, units that systemd takes, manual pages that leave nothing out."""
import os
import re
import shutil
import socket
import subprocess

import pytest

from conftest import BUILD, ROOT, program
from daemon import WAIT_S, Daemon, wait_for

DEPLOY = ROOT / "deploy"
UNITS = {"broker": "parley-broker.service", "agent": "parley-agent@.service"}
DAEMONS = tuple(UNITS)
SETTING = re.compile(r"^    (?:# )?([a-z][a-z-]*) = ", re.M)


def settings_of(daemon):
    """The names that the daemon's code asks for."""
    text = (ROOT / daemon / "settings.c").read_text()
    return set(re.findall(rf'"{daemon}/([a-z-]+)"', text))


@pytest.fixture
def config(dialogue, tmp_path):
    """config("broker", change): the example beside the keys that it names."""

    def write(daemon, change=lambda text: text):
        text = (DEPLOY / "conf" / f"{daemon}.conf").read_text()
        if daemon == "agent":
            secret = tmp_path / "agent.key"
            secret.write_text(dialogue.identity("EUROPOL/hq").secret_file())
            secret.chmod(0o600)
            text = re.sub("0{64}", dialogue.id.hex(), text)
        path = tmp_path / f"{daemon}.conf"
        path.write_text(change(text))
        return path

    return write


def check(daemon, path):
    done = subprocess.run(
        [program(f"parley-{daemon}"), "--config", str(path), "-n"],
        capture_output=True, text=True, timeout=WAIT_S)
    assert (done.returncode, done.stdout) == (0, "configuration OK\n"), \
        done.stderr


@pytest.mark.parametrize("daemon", DAEMONS)
def test_examples(config, daemon):
    check(daemon, config(daemon))
    text = (DEPLOY / "conf" / f"{daemon}.conf").read_text()
    names = SETTING.findall(text)
    assert sorted(names) == sorted(settings_of(daemon))
    # What is commented out is taken too.
    check(daemon, config(daemon, lambda text: SETTING.sub(
        lambda found: f"    {found[1]} = ", text)))


@pytest.mark.parametrize("daemon", DAEMONS)
def test_pages_tell_each_setting_and_exit(daemon):
    text = (DEPLOY / "man" / f"parley-{daemon}.8").read_text()
    names = re.findall(r"^\.It Cm ([a-z-]+) No =", text, re.M)
    assert sorted(names) == sorted(settings_of(daemon))
    header = (ROOT / daemon / "settings.h").read_text()
    codes = re.findall(r"EXIT_[A-Z]+ =\s+(\d+)", header)
    assert sorted(re.findall(r"^\.It (\d+)$", text, re.M)) == sorted(codes)


def test_page_of_the_command_line(parley):
    page = (DEPLOY / "man" / "parley.1").read_text()
    told = re.findall(r"^\s{2}([a-z][a-z -]*?)  ", parley("--help").out, re.M)
    assert len(told) > 10
    for name in told:
        heads = "".join(re.findall(rf"^\.It Cm {name}\b.*\n", page, re.M))
        usage = parley(*name.split(), "--help").out.split("\n\n")[0]
        assert heads, name
        for option in re.findall(r"--([a-z-]+)", usage):
            assert f"Fl -{option} " in heads.replace("\n", " "), (name, option)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_pages_tell_each_way_to_start(daemon):
    page = (DEPLOY / "man" / f"parley-{daemon}.8").read_text()
    usage = subprocess.run([program(f"parley-{daemon}"), "--help"],
                           capture_output=True, text=True, check=True).stdout
    head = usage.split("\n\n")[0]
    ways = re.findall(rf"parley-{daemon} ([a-z]+)", head)
    assert "init" in ways
    for way in ways:
        assert f"\n.Cm {way}\n" in page and f"\n.It Cm {way}" in page, way
    for option in re.findall(r"--([a-z-]+)", usage):
        assert f"Fl -{option}" in page, option


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff")
@pytest.mark.parametrize("page", sorted(
    path.name for path in (DEPLOY / "man").iterdir()))
def test_pages_are_mdoc(page):
    done = subprocess.run(
        ["groff", "-mdoc", "-ww", "-z", "-Tutf8", DEPLOY / "man" / page],
        capture_output=True, text=True, timeout=WAIT_S)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd")
@pytest.mark.parametrize("daemon", DAEMONS)
def test_units(tmp_path, daemon):
    unit = UNITS[daemon]
    text = (BUILD / "deploy" / unit).read_text()
    path = tmp_path / unit
    # Not installed here: the program that was built.
    path.write_text(re.sub(rf"/\S*/parley-{daemon} ",
                           program(f"parley-{daemon}") + " ", text))
    for words in (["verify", "--man=no"],
                  ["security", "--offline=true", "--threshold=20",
                   "--no-pager"]):
        done = subprocess.run(["systemd-analyze", *words, path],
                              capture_output=True, text=True, timeout=WAIT_S)
        assert done.returncode == 0, done.stdout + done.stderr
        assert words[0] == "security" or not done.stderr, done.stderr
    # What a restart does not mend, as the daemon's page says.
    prevented = re.search(r"^RestartPreventExitStatus=(.*)$", text, re.M)
    assert prevented[1].split() == ["64", "65", "78"]


def filter_of(name):
    """The system calls of a filter's name, by systemd's own table."""
    if not name.startswith("@"):
        return {name}
    done = subprocess.run(["systemd-analyze", "syscall-filter", name],
                          capture_output=True, text=True, check=True)
    members = [line.strip() for line in done.stdout.splitlines()[1:]]
    return {call for member in members if member and member[0] != "#"
            for call in filter_of(member)}


def allowed_by(text):
    """The same of a unit: its lines in order, as systemd reads them."""
    calls = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.M):
        names = line.removeprefix("~").split()
        these = {call for name in names for call in filter_of(name)}
        calls = calls - these if line[0] == "~" else calls | these
    return calls


def can_trace():
    tools = shutil.which("strace") and shutil.which("systemd-analyze")
    return tools and subprocess.run(["strace", "-qq", "-o", "/dev/null",
                                     "true"]).returncode == 0


@pytest.mark.skipif(not can_trace(), reason="no strace or no systemd")
@pytest.mark.parametrize("daemon", DAEMONS)
def test_sandbox_lets_it_work(broker, agents, tmp_path, daemon):
    """What it asks of the kernel is what its unit allows: libraries abort
    where a call fails that never does."""
    agent = agents("EUROPOL/hq", broker)
    traced = agent if daemon == "agent" else broker
    broker.stop()
    trace = tmp_path / "trace"

    def spawn():
        one = Daemon(["strace", "-D", "-f", "-q", "-o", trace,
                      traced.program, "--config", traced.config], traced.folder,
                     {"ASAN_OPTIONS": "detect_leaks=0"})
        traced.daemons.append(one)
        return one

    traced.spawn = spawn
    broker.start()
    agent.configure(desk=broker.desk, feed=broker.feed, source="127.0.0.1")
    agent.start()
    agent.wait_entry(agent.publish("dialogue/note/1", "hello")["number"])
    agent.stop()
    broker.stop()
    end = re.compile(rf"^{traced.daemon.pid} .*exited with 0", re.M)
    wait_for(lambda: end.search(trace.read_text(errors="replace")), end, 60)
    text = trace.read_text(errors="replace")
    calls = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", text, re.M))
    unit = (BUILD / "deploy" / UNITS[daemon]).read_text()
    if os.geteuid() == 0:
        calls.discard("fchown")  # SQLite's, for root alone
    assert calls - allowed_by(unit) == set()
    families = set(re.findall(r"socket\((AF_[A-Z0-9]+)", text))
    allowed = re.search(r"^RestrictAddressFamilies=(.*)$", unit, re.M)
    assert families and families - set(allowed[1].split()) == set()


@pytest.fixture
def manager(tmp_path):
    """A service manager's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(tmp_path / "notify"))
        one.settimeout(WAIT_S)
        yield one


@pytest.mark.parametrize("daemon", DAEMONS)
def test_notify(broker, agents, manager, daemon):
    """The manager hears when it is ready, and when it stops."""
    one = agents("EUROPOL/hq", broker) if daemon == "agent" else broker
    if daemon == "broker":
        broker.stop()
    running = Daemon([one.program, "--config", one.config], one.folder,
                     {"NOTIFY_SOCKET": manager.getsockname()})
    try:
        assert manager.recv(100) == b"READY=1"
        assert any(line.id == "READY" for line in running.lines) \
            or running.wait_log("READY")
        running.terminate()
        assert manager.recv(100) == b"STOPPING=1"
    finally:
        running.close()
