"""What the system tests share: where the programs are, and how to run them."""
import json
import os
import pathlib
import subprocess
import sys
from types import SimpleNamespace

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "client"))

from agents import Agent, free_port  # noqa: E402
from brokers import Broker  # noqa: E402
from dialogue import SMALL, Dialogue  # noqa: E402
from liar import TOPIC, Liar, wait_log, wait_texts  # noqa: E402
from witnesses import WITNESSED, Witnesses  # noqa: E402

BUILD = pathlib.Path(os.environ.get("PARLEY_BUILD", ROOT / "build")).resolve()
SAMPLE = ROOT / "deploy" / "sample"


def program(name):
    """Path of a built program; the test is skipped where it is not built."""
    folder = "broker" if name == "parley-broker" else "agent"
    path = BUILD / folder / name
    if not path.exists():
        pytest.skip(f"{path} is not built")
    return str(path)


class Answer:
    def __init__(self, done):
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def json(self):
        """The objects printed, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"


@pytest.fixture
def parley(tmp_path):
    """parley(words...) runs the command line in the test's folder. Asserts the
    exit code, 0 unless code= says another, or None: any."""
    path = program("parley")

    def run(*words, code=0, env=None, stdin=""):
        done = subprocess.run(
            [path, *map(str, words)], cwd=tmp_path, input=stdin,
            capture_output=True, text=True, timeout=120,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
        answer = Answer(done)
        assert code is None or answer.code == code, answer
        return answer

    return run


@pytest.fixture(scope="session")
def founding():
    return json.loads((SAMPLE / "founding.json").read_text())


# A broker, and who talks to it.

@pytest.fixture
def dialogue(tmp_path):
    """Keys and first roster of the small dialogue, in the test's folder."""
    return Dialogue(tmp_path, SMALL)


@pytest.fixture
def sample(tmp_path, founding):
    """The same with all entities of the sample."""
    return Dialogue(tmp_path, founding)


@pytest.fixture
def witnessed(tmp_path):
    """The small dialogue, with three witnesses, of whom two are a quorum."""
    return Dialogue(tmp_path, WITNESSED)


@pytest.fixture
def witnesses(brokers, witnessed):
    """witnesses(**settings): a broker of it that runs, and its Witnesses."""
    made = []

    def make(**settings):
        one = brokers(witnessed, **settings)
        one.init()
        made.append(Witnesses(one.start()))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def brokers():
    """brokers(dialogue, **settings): a Broker that is not founded yet. All
    processes and sockets of it end with the test."""
    made = []

    def make(dialogue, **settings):
        made.append(Broker(program("parley-broker"), dialogue, **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def broker(brokers, dialogue):
    """A broker of the small dialogue, founded and running."""
    one = brokers(dialogue)
    one.init()
    return one.start()


@pytest.fixture
def steady(brokers, dialogue):
    """The same, at an address where agents find it again."""
    one = brokers(dialogue, desk=f"tcp://127.0.0.1:{free_port()}",
                  feed=f"tcp://127.0.0.1:{free_port()}")
    one.init()
    return one.start()


@pytest.fixture
def client(broker):
    """client("EUROPOL/hq"): a Session with that broker."""
    return broker.client


@pytest.fixture
def victim(client):
    """A session to do wrong with. Whatever it did, the broker is there, its
    ledger has nothing new, and others publish."""
    session = client("EUROPOL/hq")
    before = session.hello().size
    yield session
    other = client("AFRIPOL/hq")
    assert other.hello().size == before
    other.publish("members/after", "goes on")
    assert len(other.fetch("members")) == 1


@pytest.fixture
def agents(dialogue):
    """agents("EUROPOL/hq", broker): an Agent of the small dialogue, with a
    store, that does not run yet. It ends with the test. note: its roster
    file, the first one of the dialogue otherwise."""
    made = []

    def make(name, broker, note=None):
        made.append(Agent(program("parley-agent"), dialogue, name, broker,
                          note))
        return made[-1].init()

    yield make
    for one in made:
        one.close()


# A broker that lies, and whom it lies to.

@pytest.fixture
def liar(dialogue):
    one = Liar(dialogue)
    yield one
    one.end()


@pytest.fixture
def agent(liar, agents):
    """Of AFRIPOL/hq, which has got one record of another's from the liar."""
    at = SimpleNamespace(desk=liar.desk_at, feed=liar.feed_at)
    one = agents("AFRIPOL/hq", at).start()
    one.daemon.wait_log("LINK-READY", wait_s=60)
    liar.post("EUROPOL/hq", TOPIC, "true before")
    wait_texts(one, liar)
    wait_log(one, liar)
    return one
