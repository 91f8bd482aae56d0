"""A parley-broker for a test, and the clients that talk to it."""
import re
import subprocess

from parley_client import segment
from parley_client.session import Session

from daemon import WAIT_S, Daemon

READY = ("READY", "START-FAILED", "CONFIG-REFUSED")


class Broker:
    """Its folder has a Dialogue's files already. settings: more lines of the
    configuration, with _ for -. `prefix`: words in front of the program.
    `sessions` are closed at the end."""

    def __init__(self, program, dialogue, env=None, state="state",
                 **settings):
        self.program, self.dialogue = program, dialogue
        # A second between checkpoints is long where each message is waited for.
        self.folder = dialogue.folder
        self.env = {"PARLEY_TEST_CHECKPOINT_MS": "50", **(env or {})}
        self.state = self.folder / state
        self.settings = {"state": state, "identity": "broker.key",
                         "roster": "roster.note", "keep_free": 0,
                         "desk": "tcp://127.0.0.1:*",
                         "feed": "tcp://127.0.0.1:*",
                         "ready_file": "ready", **settings}
        self.prefix, self.daemon = [], None
        self.daemons, self.sessions = [], []
        self.config = self.folder / "broker.conf"
        self.configure()

    def configure(self, **settings):
        self.settings.update(settings)
        lines = ["broker"]
        for name, value in self.settings.items():
            shown = f'"{value}"' if isinstance(value, str) else value
            lines.append(f"    {name.replace('_', '-')} = {shown}")
        self.config.write_text("\n".join(lines) + "\n")

    def run(self, *words, code=0):
        """An offline command; what it printed."""
        done = subprocess.run(
            [*self.prefix, self.program, *map(str, words)], text=True,
            capture_output=True, timeout=WAIT_S, cwd=self.folder)
        shown = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == code, shown
        assert "Sanitizer" not in done.stderr, shown
        return done.stdout + done.stderr

    def init(self):
        return self.run("init", "--config", self.config)

    def fsck(self, code=0):
        return self.run("fsck", self.state, "--config", self.config, code=code)

    # -- its life -------------------------------------------------------

    def spawn(self, *words):
        daemon = Daemon([*self.prefix, self.program, "--config", self.config,
                         *words], self.folder, self.env)
        self.daemons.append(daemon)
        return daemon

    def start(self):
        """Run it, and wait until both sockets are bound."""
        ready = self.folder / self.settings["ready_file"]
        ready.unlink(missing_ok=True)
        self.daemon = self.spawn()
        line = self.daemon.wait_log(*READY)
        assert line.id == "READY", self.daemon.log()
        self.desk, self.feed = ready.read_text().split()
        for one in self.sessions:
            self.move(one)
        return self

    def move(self, session):
        """A session of this run: another run has other ports."""
        session.down()
        session.desk_endpoint = self.desk
        session.feed_endpoint = self.feed
        session.until = self.daemon.pidfd

    def stop(self):
        self.daemon.terminate()

    def kill(self):
        self.daemon.kill()
        self.daemon.check_faults()

    def restart(self):
        self.stop()
        return self.start()

    def reload(self, note=None):
        """SIGHUP, with another roster file; the line that tells how it
        went."""
        if note is not None:
            self.dialogue.put(note)
        after = self.daemon.mark()
        self.daemon.signal(1)
        return self.daemon.wait_log("ROSTER-RECORDED", "ROSTER-REFUSED",
                                    "ROSTER-SAME", after=after)

    def close(self):
        """At the end of a test: all sessions and processes. What the last
        one logged is for whoever reads why a test failed."""
        for one in self.sessions:
            one.close()
        alive = [d for d in self.daemons if d.is_alive()]
        try:
            for one in alive:
                one.terminate()
            for one in self.daemons:
                one.check_faults()
        finally:
            for one in self.daemons:
                one.close()
            if self.daemon:
                print(self.daemon.log())

    # -- its memory -----------------------------------------------------

    def grown(self, before, mib):
        """Assert that its memory is not so much above what it was. The
        sanitizers keep what is freed: with them this says nothing."""
        now = self.daemon.rss()
        with open(self.program, "rb") as binary:
            sanitized = b"__asan_init" in binary.read()
        assert sanitized or now - before < mib << 20, f"{now - before} more"

    # -- who talks to it ------------------------------------------------

    def client(self, name, known=None, who=None, **more):
        """A Session of a delegation, that knows so many rosters (all). who:
        an identity that is not the dialogue's."""
        session = Session(self.dialogue.notes[:known],
                          who or self.dialogue.identity(name), self.desk,
                          self.feed, **{"wait_s": WAIT_S, **more})
        session.until = self.daemon.pidfd
        self.sessions.append(session)
        return session

    # -- what it holds --------------------------------------------------

    def segments(self):
        return sorted((self.state / "journal").glob("*.seg"))

    def records(self):
        """Every Place of a stopped broker's journal, read by the other
        implementation, which checks every octet."""
        return [place for path in self.segments()
                for _, group in segment.read(path.read_bytes()).groups
                for block in group
                for place in segment.blocks.decode(block).places]

    def printed(self, text, name):
        """A number that fsck printed."""
        return int(re.search(rf"^{name}\s+(\d+)", text, re.M)[1])
