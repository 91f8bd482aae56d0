"""A broker's life: found, checked, started, stopped, and told to read its
configuration again; each with its exit code."""
import os
import signal
import socket
import subprocess

import pytest

from parley_client import keys, wire
from parley_client.session import NoReply

from daemon import WAIT_S, wait_for

USAGE, BUSY, CONFIG = 64, 75, 78


def fails(broker, code, *words):
    """It does not start; the exit code, and words of the line that says
    why."""
    daemon = broker.spawn()
    line = daemon.wait_log("START-FAILED", "CONFIG-REFUSED", "READY")
    assert daemon.wait(WAIT_S) == code, line
    for word in words:
        assert word in line.text, line
    return line


# -- words --------------------------------------------------------------


@pytest.mark.parametrize("words", [
    [], ["--config"], ["--what"], ["init"], ["fsck"], ["fsck", "a", "b"],
    ["init", "--config", "x", "y"], ["--config", "x", "run"], ["-n"]])
def test_usage(brokers, dialogue, words):
    assert "usage:" in brokers(dialogue).run(*words, code=USAGE)


def test_help_and_version(brokers, dialogue):
    broker = brokers(dialogue)
    assert "Exit: 0 fine" in broker.run("--help")
    assert broker.run("--version").startswith("parley-broker ")


# -- found --------------------------------------------------------------


def test_founded_once(broker, client):
    client("EUROPOL/hq").publish("members/x", "kept")
    said = broker.run("init", "--config", broker.config, code=BUSY)
    assert "INIT-FAILED" in said
    broker.stop()
    said = broker.run("init", "--config", broker.config, code=CONFIG)
    assert "INIT-FAILED" in said
    broker.start()
    assert len(client("AFRIPOL/hq").fetch("members")) == 1


@pytest.mark.parametrize("left", ["records", "a segment", "part of them"])
def test_founding_cut_off(brokers, dialogue, left):
    """Without its last file nothing is founded: init goes on from there."""
    broker = brokers(dialogue)
    broker.init()
    (broker.state / "ledger.json").unlink()
    (segment,) = (broker.state / "journal").glob("*.seg")
    sizes = {"a segment": 112, "part of them": 1000}
    if left in sizes:
        os.truncate(segment, sizes[left])
    fails(broker, CONFIG, "parley-broker init")
    broker.init()
    broker.start()
    author = broker.client("EUROPOL/hq")
    author.publish("members/x", "first")
    broker.stop()
    (broker.state / "ledger.json").unlink()
    said = broker.run("init", "--config", broker.config, code=CONFIG)
    assert "ledger.json is missing" in said


def test_not_founded(brokers, dialogue):
    line = fails(brokers(dialogue), CONFIG, "parley-broker init")
    assert line.id == "START-FAILED"


def test_not_the_first_roster(brokers, dialogue):
    """A ledger begins with a dialogue's first roster."""
    dialogue.put(dialogue.follow())
    broker = brokers(dialogue)
    assert "INIT-FAILED" in broker.run("init", "--config", broker.config,
                                       code=CONFIG)
    assert not broker.state.exists()


# -- configuration ------------------------------------------------------

WRONG = {
    "unknown name": ("surprise = 1", "surprise"),
    "name twice": ('state = "other"', "state"),
    "number": ("jobs = many", "jobs"), "too few": ("jobs = 1", "jobs"),
    "too many": ("intake-threads = 99", "intake-threads"),
    "level": ("log = loud", "log"), "marks": ("mark-seconds = 61", "mark"),
    "bool": ("commit-before-hello = 3", "commit-before-hello"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_configuration(broker, what):
    """Refused at the start and by -n; a running broker keeps the old one."""
    line, word = WRONG[what]
    with broker.config.open("a") as file:
        file.write(f"    {line}\n")
    assert word in broker.run("--config", broker.config, "-n", code=CONFIG)
    after = broker.daemon.mark()
    broker.daemon.signal(signal.SIGHUP)
    said = broker.daemon.wait_log("CONFIG-REFUSED", after=after)
    assert word in said.text and said.value("kept") == "old"
    broker.stop()
    assert fails(broker, CONFIG, word).id == "CONFIG-REFUSED"


@pytest.mark.parametrize("name, value", [
    ("desk", "ipc:///tmp/desk"), ("desk", "inproc://desk"), ("desk", ""),
    ("feed", "tcp://127.0.0.1:99999"), ("feed", "tcp://127.0.0.1"),
    ("feed", "udp://127.0.0.1:1"), ("state", ""), ("identity", "")])
def test_wrong_value(brokers, dialogue, name, value):
    broker = brokers(dialogue, **{name: value})
    assert name in broker.run("--config", broker.config, "-n", code=CONFIG)


@pytest.mark.parametrize("octets", [
    b"", b"\0", b"broker\n  state = x\n", b"[broker]\nstate = x\n",
    b"\xff\xfe", b"broker\n" + b"x" * 70000, b"broker\n    state\n"])
def test_no_configuration(brokers, dialogue, octets):
    broker = brokers(dialogue)
    broker.config.write_bytes(octets)
    broker.run("--config", broker.config, "-n", code=CONFIG)
    broker.config.unlink()
    broker.run("--config", broker.config, "-n", code=CONFIG)


def test_check(broker):
    """-n opens nothing for writing and minds no running broker."""
    assert "configuration OK" in broker.run("--config", broker.config, "-n")
    assert broker.client("EUROPOL/hq").hello().size == 2


# -- keys and roster ----------------------------------------------------


def key_files(dialogue):
    stranger = keys.Identity("broker", "lyon", os.urandom(32))
    elsewhere = keys.Identity("broker", "paris", dialogue.broker.seed)
    good = dialogue.broker.secret_file()
    return {
        "another's": stranger.secret_file(), "another id":
        elsewhere.secret_file(), "a delegation's":
        dialogue.at["EUROPOL/hq"].secret_file(), "empty": "",
        "cut": good[:-5], "longer": good + "more\n", "protection":
        good.replace("none", "argon2id")}


@pytest.mark.parametrize("what", [
    "another's", "another id", "a delegation's", "empty", "cut", "longer",
    "protection", "open to others", "missing"])
def test_wrong_identity(broker, dialogue, what):
    broker.stop()
    path = dialogue.folder / "broker.key"
    if what == "open to others":
        path.chmod(0o644)
    elif what == "missing":
        path.unlink()
    else:
        path.write_text(key_files(dialogue)[what])
    broker.run("--config", broker.config, "-n", code=CONFIG)
    fails(broker, CONFIG)


def test_roster_file_at_start(broker, dialogue):
    """The ledger's roster is in force; the file is for the next one."""
    broker.stop()
    dialogue.put("no roster\n")
    broker.run("--config", broker.config, "-n", code=CONFIG)
    broker.start()
    assert broker.client("EUROPOL/hq").hello().roster_version == 1


# -- in use -------------------------------------------------------------


def test_second_broker(broker, brokers, dialogue):
    """One at a time in a state folder: a second one, and fsck, wait."""
    second = brokers(dialogue, ready_file="other")
    fails(second, BUSY, f"in use by process {broker.daemon.pid}")
    broker.fsck(code=BUSY)
    assert broker.client("EUROPOL/hq").hello().size == 2
    broker.kill()
    broker.fsck()
    second.start()


def test_address_in_use(brokers, dialogue):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        broker = brokers(dialogue, desk=f"tcp://127.0.0.1:{port}")
        broker.init()
        fails(broker, BUSY, f"127.0.0.1:{port}", "in use")
    broker.start()


def test_no_ready_file(brokers, dialogue):
    broker = brokers(dialogue, ready_file="nowhere/ready")
    broker.init()
    fails(broker, CONFIG, "nowhere")


# -- stop ---------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop(broker, client, number):
    author = client("EUROPOL/hq")
    author.publish("members/x", "kept")
    broker.daemon.signal(number)
    assert broker.daemon.wait() == 0
    assert broker.daemon.wait_log("STOPPED").value("exit") == "0"
    broker.start()
    assert author.hello().size == 3


def test_stop_under_load(broker, client):
    """What was taken is answered; what was not has no record."""
    author = client("EUROPOL/hq")
    author.hello()
    sent = [author.sign([author.make("members/x", f"{n} {i}")
                         for i in range(10)]) for n in range(60)]
    waiting = {author.start_batch(one): one for one in sent}
    answers = {}

    def read():
        frames = author.next_frames()
        answers[wire.reply_number(frames)] = wire.read_reply(frames)[3][0]

    read()
    broker.daemon.signal(signal.SIGTERM)
    while len(answers) < len(sent):
        try:
            read()
        except NoReply:
            break
    while author.desk.poll(1000):  # it came before the end was seen
        read()
    assert broker.daemon.wait() == 0
    promised = [author.check_promise(waiting[n], frame)
                for n, frame in answers.items()]
    assert not any(p.refused for p in promised)
    size = 2 + sum(len(p.accepted) for p in promised)
    assert broker.printed(broker.fsck(), "records") == size
    broker.start()
    for one in sent:
        assert not author.send_batch(one).refused
    assert author.status()["size"] == 2 + 600


def test_nobody_reads_the_log(broker, client):
    """A log that nobody takes does not end it."""
    broker.stop()
    ready = broker.folder / "ready"
    ready.unlink()
    read, write = os.pipe()
    with subprocess.Popen([broker.program, "--config", broker.config],
                          stderr=write) as process:
        os.close(read)
        os.close(write)
        try:
            wait_for(ready.exists, "the ready-file")
            broker.desk, broker.feed = ready.read_text().split()
            session = client("AFRIPOL/hq")
            session.until = None
            session.publish("members/x", "goes on")
            process.send_signal(signal.SIGHUP)
            assert session.status()["size"] == 3
            process.terminate()
            assert process.wait(WAIT_S) == 0
        finally:
            process.kill()
