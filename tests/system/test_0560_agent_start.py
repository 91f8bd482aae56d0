"""How an agent starts, and how it says why it does not."""
import shutil
import socket
import subprocess

import pytest

from conftest import program
from daemon import wait_for
from dialogue import SMALL, Dialogue

USAGE, DAMAGED, BUSY, CONFIG = 64, 65, 75, 78


@pytest.fixture
def agent(broker, agents):
    return agents("EUROPOL/hq", broker)


def check_fails(agent, code, *words, command=()):
    """It ends with this exit code; its last line but its threads' says all
    these words."""
    daemon = agent.spawn(*command)
    assert daemon.wait() == code, daemon.log()
    last = [one for one in daemon.lines
            if not one.id.startswith(("LINK-", "PLANS-"))][-1]
    assert last.level == "ERROR", daemon.log()
    for word in words:
        assert word in last.text, (word, daemon.log())


def check_starts(agent):
    agent.start()
    agent.daemon.wait_log("LINK-READY")
    agent.stop()


def test_words(agent):
    def run(*words):
        done = subprocess.run([program("parley-agent"), *words], timeout=60,
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr
    assert run("--version")[0] == 0 and run("--help")[0] == 0
    for words in ((), ("--colour",), ("init",), ("run", "--config", "x"),
                  ("init", "-n", "--config", "x"), ("--config",)):
        assert run(*words)[0] == USAGE, words
    code, said = run("-n", "--config", str(agent.config))
    assert (code, said) == (0, "configuration OK\n")
    assert run("--config", "/nowhere/agent.conf")[0] == CONFIG


@pytest.mark.parametrize("name, value, says", [
    ("colour", "green", "colour"), ("desk", "tcp://nowhere", "agent/desk"),
    ("dialogue", "0" * 63, "64 lower case hex"), ("log", "loud", "loud"),
    ("socket", "x" * 200, "at most 107"), ("tcp", "192.0.2.1:9", "192.0.2.1"),
    ("token_file", "token", "agent/tcp"),
    ("identity", "none.key", "none.key"), ("roster", "none", "none"),
    ("dialogue", "0" * 64, "dialogue"),
])
def test_settings(agent, name, value, says):
    agent.configure(**{name: value})
    check_fails(agent, CONFIG, says)


def test_socket_path(agent):
    """107 octets are a path; 108 are said to be too many."""
    room = 107 - len(str(agent.folder)) - 1
    agent.configure(socket="s" * (room + 1))
    check_fails(agent, CONFIG, "a path of 108 octets", "at most 107")
    agent.configure(socket="s" * room)
    check_starts(agent)


def test_key_and_roster(agent, dialogue):
    key, note = agent.folder / "agent.key", agent.folder / "roster.note"
    good, text = key.read_text(), note.read_text()
    key.chmod(0o640)
    check_fails(agent, CONFIG, "agent.key")
    key.chmod(0o600)
    key.write_text(dialogue.broker.secret_file())
    check_fails(agent, CONFIG, "not the key of a delegation")
    key.write_text(good[:-5] + "\n")
    check_fails(agent, CONFIG, "agent.key")
    key.write_text(good)
    for wrong in ("", "noise", text[:-30], text.replace("Europol", "Eur0pol")):
        note.write_text(wrong)
        check_fails(agent, CONFIG, "roster.note")
        daemon = agent.spawn("-n")
        assert daemon.wait() == CONFIG
    note.write_text(text)
    check_starts(agent)


def test_store(agent, agents, broker, dialogue, tmp_path):
    """It makes none by itself, takes nobody else's, and none that another
    agent has open."""
    check_fails(agent, BUSY, "store.db", command=("init",))  # it is there
    moved = agent.folder / "elsewhere.db"
    agent.store.rename(moved)
    check_fails(agent, CONFIG, "there is no store", "init")
    other = agents("AFRIPOL/hq", broker)
    shutil.copy(other.store, agent.store)
    check_fails(agent, CONFIG, "AFRIPOL/hq")
    folder = tmp_path / "another"
    folder.mkdir()
    more = Dialogue(folder, SMALL)
    stranger = type(agent)(program("parley-agent"), more, "EUROPOL/hq", broker)
    stranger.init().close()
    shutil.copy(stranger.store, agent.store)
    check_fails(agent, CONFIG, "dialogue")
    moved.replace(agent.store)
    agent.start()
    check_fails(agent, BUSY, "in use by another agent")
    agent.stop()
    check_starts(agent)


def test_store_made_where_told(agent):
    agent.store.unlink()
    agent.configure(new_store="yes")
    agent.config.write_text(agent.config.read_text().replace('"yes"', "yes"))
    check_starts(agent)


def test_damaged_store(agent):
    agent.start()
    for n in range(30):
        last = agent.publish("members/x", "x" * 900)["number"]
    agent.wait_entry(last)
    agent.stop()
    good = agent.store.read_bytes()
    for octets in (b"", b"noise" * 3000, good[:-8192],
                   good[:20000] + bytes(4096) + good[24096:]):
        agent.store.write_bytes(octets)
        check_fails(agent, DAMAGED, "store.db")
    agent.store.write_bytes(good)
    check_starts(agent)


def test_socket_in_use(agent, agents, broker):
    """A living agent's socket stays; a dead one's is taken over; what is no
    socket is left alone."""
    agent.start()
    other = agents("AFRIPOL/hq", broker)
    other.configure(socket=str(agent.socket))
    check_fails(other, BUSY, "api.sock")
    assert agent.get("status")["delegation"] == "EUROPOL/hq"
    agent.kill()
    assert agent.socket.exists()
    agent.start()
    assert agent.socket.stat().st_mode & 0o777 == 0o600
    agent.stop()
    assert not agent.socket.exists()
    agent.socket.write_text("somebody's file")
    daemon = agent.spawn()
    assert daemon.wait() != 0
    assert "api.sock" in daemon.wait_log("START-FAILED").text
    assert agent.socket.read_text() == "somebody's file"


def test_tcp_port_in_use(agent):
    token = agent.folder / "token"
    token.write_text("t" * 40 + "\n")
    token.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        agent.configure(tcp=f"127.0.0.1:{port}", token_file="token")
        check_fails(agent, BUSY, str(port))
    token.chmod(0o644)
    check_fails(agent, CONFIG, "token")
    token.chmod(0o600)
    check_starts(agent)


@pytest.mark.parametrize("ms", [40000, -40000])
def test_clock(agent, ms):
    """It works all the same, and says so."""
    agent.env["PARLEY_TEST_CLOCK_OFFSET_MS"] = str(ms)
    agent.start()
    wait_for(lambda: "CLOCK-OFFSET" in agent.notices(), "a notice")

    def offset():
        return agent.get("status")["link"]["clock_offset_ms"]
    wait_for(lambda: offset() is not None, "an offset")
    assert abs(offset() + ms) < 5000
    assert agent.alarms() == []
    agent.wait_entry(agent.publish("members/x", "late or early")["number"])


def test_good_clock(agent):
    agent.start()
    agent.daemon.wait_log("LINK-READY")
    wait_for(lambda: agent.get("status")["link"]["clock_offset_ms"] is not
             None, "an offset")
    assert abs(agent.get("status")["link"]["clock_offset_ms"]) < 5000
    assert agent.notices() == []


def test_hangup(agent):
    """The level of the log is read again; a file that is wrong changes
    nothing."""
    agent.start()
    after = agent.daemon.mark()
    agent.configure(log="debug")
    agent.daemon.signal(1)
    agent.daemon.wait_log("RELOAD", after=after)
    agent.configure(log="loud")
    agent.daemon.signal(1)
    line = agent.daemon.wait_log("CONFIG-REFUSED", after=after)
    assert "loud" in line.text and agent.daemon.is_alive()
    agent.configure(log="info")


def test_started_many_times(agent):
    """kill -9 at any moment of a start leaves nothing that a start needs."""
    for n in range(12):
        daemon = agent.spawn()
        if n % 3:
            daemon.wait_log("READY", "LINK-READY")
        daemon.kill()
    check_starts(agent)
