"""A program of ours that a test runs: its process, its log, its end."""
import os
import re
import select
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

WAIT_S = 60  # a deadline: only a failing test waits so long
_LINE = re.compile(r"\S+ (DEBUG|INFO|WARN|ERROR) +([A-Z0-9-]+) ?(.*)")
_FAULTS = ("AddressSanitizer", "LeakSanitizer", "runtime error:",
           "ThreadSanitizer", "Assertion")
_OURS = (signal.SIGKILL, signal.SIGTERM)


@dataclass
class Line:
    level: str
    id: str
    text: str

    def value(self, key):
        """The value of key=value in the line, without its quotes."""
        found = re.search(rf'(?:^| ){key}=("(?:[^"\\]|\\.)*"|\S*)', self.text)
        return found and found[1].strip('"')


class Daemon:
    """argv runs at once. Lines of standard error are read by a thread."""

    def __init__(self, argv, cwd, env=None):
        self.argv = [str(word) for word in argv]
        self.process = subprocess.Popen(
            self.argv, cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})})
        self.pidfd = os.pidfd_open(self.pid)
        self.lines, self.raw, self.ended = [], [], False
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @property
    def pid(self):
        return self.process.pid

    def _read(self):
        for octets in self.process.stderr:
            text = octets.decode("utf-8", "backslashreplace").rstrip("\n")
            found = _LINE.fullmatch(text)
            with self.news:
                self.raw.append(text)
                if found:
                    self.lines.append(Line(*found.groups()))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def mark(self):
        """Where the log ends now: wait_log's `after`."""
        with self.news:
            return len(self.lines)

    def wait_log(self, *ids, after=0, wait_s=WAIT_S):
        """The first Line with one of these ids; AssertionError where the
        program ends before, or time does."""
        end = time.monotonic() + wait_s
        with self.news:
            while True:
                for line in self.lines[after:]:
                    if line.id in ids:
                        return line
                left = end - time.monotonic()
                assert not self.ended and left > 0, \
                    f"no {ids}; the log:\n{self.log()}"
                self.news.wait(left)

    def log(self, last=80):
        return "\n".join(self.raw[-last:])

    def is_alive(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, wait_s=WAIT_S):
        """The exit code, once it has ended and its log is read."""
        code = self.process.wait(wait_s)
        self.reader.join(wait_s)
        return code

    def terminate(self, code=0):
        """End it as its operator does, and see that it was content."""
        if self.is_alive():
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
        got = self.wait()
        assert got == code, f"exit {got}, not {code}:\n{self.log()}"
        self.check_faults()

    def kill(self):
        """kill -9."""
        if self.is_alive():
            self.signal(signal.SIGKILL)
        self.wait()

    def check_faults(self):
        """No sanitizer spoke, and no signal but a test's ended it."""
        text = "\n".join(self.raw)
        ended = self.process.poll()
        assert ended is None or ended >= 0 or -ended in _OURS, (ended, text)
        for fault in _FAULTS:
            assert fault not in text, text

    def close(self):
        """For a test's end, whatever happened: no process stays."""
        self.kill()
        if self.pidfd >= 0:
            os.close(self.pidfd)
        self.pidfd = -1
        self.process.stderr.close()

    # -- what /proc says ------------------------------------------------

    def rss(self):
        """Resident memory, octets."""
        with open(f"/proc/{self.pid}/status") as status:
            found = re.search(r"VmRSS:\s+(\d+) kB", status.read())
        return int(found[1]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def wait_for(ready, what, wait_s=WAIT_S, every_s=0.02):
    """Poll what gives no event (memory, files); its first true value. `what`
    is a text, or what makes it at the end."""
    end = time.monotonic() + wait_s
    while True:
        value = ready()
        if value:
            return value
        assert time.monotonic() < end, (
            f"not in {wait_s} s: {what() if callable(what) else what}")
        select.select([], [], [], every_s)
