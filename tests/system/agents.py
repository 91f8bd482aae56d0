"""A parley-agent for a test: its files, its process, its API."""
import contextlib
import http.client
import json
import random
import shutil
import socket
import sqlite3
import time
from urllib.parse import quote

from daemon import WAIT_S, Daemon, wait_for

READY = ("READY", "START-FAILED", "CONFIG-REFUSED")


_taken = []  # the reservations of this process


def _reserve(port):
    """No other test process of this machine is given that port, as long as
    this one lives."""
    one = socket.socket(socket.AF_UNIX)
    try:
        one.bind(f"\0parley-test-port-{port}")
    except OSError:
        one.close()
        return False
    _taken.append(one)
    return True


def _is_free(port):
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """For a broker that comes back at the same place: below the ports that
    the system gives to whoever asks for any, and each only once."""
    while True:
        port = random.SystemRandom().randrange(10000, 32768)
        if _reserve(port) and _is_free(port):
            return port


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=WAIT_S)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(WAIT_S)
        self.sock.connect(self.path)


def feed_lines(answer):
    """Lines of a feed, whose signs of life would go on for ever: until what is
    awaited should have come."""
    end = time.monotonic() + WAIT_S
    while True:
        octets = answer.readline()
        assert octets, "the feed has ended"
        assert time.monotonic() < end, octets
        yield octets


class Agent:
    """Of one delegation, in a folder of its own under the dialogue's. It knows
    the first roster, unless another note is given."""

    def __init__(self, program, dialogue, name, broker, note=None):
        self.program, self.name = program, name
        self.dialogue, self.of = dialogue.id, dialogue
        self.folder = dialogue.folder / name.replace("/", "-").lower()
        self.folder.mkdir(mode=0o700)
        self.store = self.folder / "store.db"
        self.socket = self.folder / "api.sock"
        self.daemon, self.daemons, self.env = None, [], {}
        secret = self.folder / "agent.key"
        secret.write_text(dialogue.identity(name).secret_file())
        secret.chmod(0o600)
        (self.folder / "roster.note").write_text(note or dialogue.notes[0])
        self.config = self.folder / "agent.conf"
        self.settings = {"identity": "agent.key", "roster": "roster.note",
                         "dialogue": dialogue.id.hex(), "desk": broker.desk,
                         "feed": broker.feed}
        self.configure()

    def configure(self, **settings):
        self.settings.update(settings)
        lines = [f'    {name.replace("_", "-")} = "{value}"'
                 for name, value in self.settings.items()]
        self.config.write_text("\n".join(["agent", *lines]) + "\n")

    # -- its life -------------------------------------------------------

    def spawn(self, *words):
        daemon = Daemon([self.program, *words, "--config", self.config],
                        self.folder, self.env)
        self.daemons.append(daemon)
        return daemon

    def init(self):
        daemon = self.spawn("init")
        assert daemon.wait() == 0, daemon.log()
        return self

    def start(self):
        """Run it, and wait until the API answers."""
        self.daemon = self.spawn()
        line = self.daemon.wait_log(*READY)
        assert line.id == "READY", self.daemon.log()
        return self

    def stop(self):
        self.daemon.terminate()

    def kill(self):
        self.daemon.kill()
        self.daemon.check_faults()

    def close(self):
        """At the end of a test."""
        try:
            for one in self.daemons:
                if one.is_alive():
                    one.terminate()
                one.check_faults()
        finally:
            for one in self.daemons:
                one.close()
            if self.daemon:
                print(self.daemon.log())

    # -- its store ------------------------------------------------------

    def store_files(self, folder):
        return [p for p in folder.glob("store.db*")]

    def backup(self, name="backup"):
        """The store as it is now; nobody may write to it meanwhile."""
        folder = self.folder / name
        folder.mkdir()
        for path in self.store_files(self.folder):
            shutil.copy2(path, folder)

    def backup_live(self, name="backup"):
        """The same in one file, as the manual says, whoever writes to it."""
        folder = self.folder / name
        folder.mkdir()
        with contextlib.closing(sqlite3.connect(self.store)) as db:
            db.execute("VACUUM INTO ?", [str(folder / "store.db")])

    def restore(self, name="backup"):
        for path in self.store_files(self.folder):
            path.unlink()
        for path in self.store_files(self.folder / name):
            shutil.copy2(path, self.folder)

    def restore_empty(self):
        """A store that holds nothing yet."""
        for path in self.store_files(self.folder):
            path.unlink()
        return self.init()

    # -- its API --------------------------------------------------------

    def ask(self, method, path, body=None, code=200, **headers):
        """The JSON that is answered, None where there is none."""
        one = Connection(self.socket)
        octets = None if body is None else json.dumps(body)
        if octets is not None:
            headers["Content-Type"] = "application/json"
        try:
            one.request(method, f"/api/v1/{path}", octets,
                        {k.replace("_", "-"): v for k, v in headers.items()})
            answer = one.getresponse()
            text = answer.read()
        finally:
            one.close()
        assert answer.status == code, (answer.status, text)
        kind = answer.headers.get_content_type()
        if kind == "text/plain":
            return text.decode()
        return json.loads(text) if text else None

    def get(self, path):
        return self.ask("GET", path)

    def publish(self, topic, content, format="text"):
        """Its entry of the outbox."""
        return self.ask("POST", "messages", code=202, body={
            "topic": topic, "format": format, "content": content})

    def wait_entry(self, number, state="done"):
        """The entry, once it has that state; what is done was promised."""
        entry = {}
        reached = {state, "done"} if state == "promised" else {state}
        while entry.get("state") not in reached:
            last = entry
            entry = self.get(f"outbox/{number}?wait={state}&timeout_ms=20000")
            assert entry != last, (entry, self.daemon.log())
        return entry

    def wait_texts(self, filter, texts):
        """Until it holds these, in the ledger's order: a message may be done
        before its record comes."""
        wait_for(lambda: len(self.texts(filter)) >= len(texts),
                 lambda: (self.texts(filter), texts))
        assert self.texts(filter) == texts

    def wait_record(self, sequence, wait_s=60):
        """The record, once it is held: its leaf may settle before it comes."""
        end = time.monotonic() + wait_s
        while True:
            page = self.get(f"records?order=sequence&from={sequence}&limit=1")
            if page["records"] and page["records"][0]["sequence"] == sequence:
                return self.get(f"records/{sequence}")
            assert time.monotonic() < end, self.daemon.log()
            time.sleep(0.02)

    def wait_plans(self, sequence, plan):
        """Until that record is derived: the history of its plan."""
        end = time.monotonic() + WAIT_S
        while True:
            try:
                out = self.get(f"plans/{plan}/history")
            except AssertionError:  # nothing of it yet
                out = {"entries": []}
            if any(one["sequence"] == sequence for one in out["entries"]):
                return out
            assert time.monotonic() < end, self.daemon.log()
            time.sleep(0.02)

    def records(self, order="position", filter=None, log=1):
        """All that it holds, page by page."""
        out, at = [], 0
        cursor = "after" if order == "position" else "from"
        words = f"order={order}&log={log}&limit=1000"
        if filter:
            words += f"&filter={quote(filter, safe='')}"
        while at is not None:
            page = self.get(f"records?{words}&{cursor}={at}")
            out += page["records"]
            at = page["next"]
        return out

    def texts(self, filter):
        """Contents of what it holds, in the ledger's order."""
        return [one["content"] for one in
                self.records("sequence", filter, log=0)]

    def alarms(self):
        return [one for one in self.get("status")["notices"] if one["alarm"]]

    def notices(self):
        return [one["kind"] for one in self.get("status")["notices"]]
