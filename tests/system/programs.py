"""Threads that give messages to an agent, as programs of its delegation do:
over the API, with a key, again and again until they are answered."""
import http.client
import json
import random
import threading

from agents import Connection
from daemon import WAIT_S

OCTETS = (20, 200, 200, 900, 20000)


class Program(threading.Thread):
    """runs: a Runs of its agent. `answered`: key -> (number, content) of what
    the agent has taken. `taken` is a Semaphore that counts those."""

    def __init__(self, runs, topic, seed, taken):
        super().__init__(daemon=True)
        self.runs, self.topic, self.taken = runs, topic, taken
        self.agent = runs.broker
        self.random = random.Random(seed)
        self.name = f"{self.agent.name}:{topic}"
        self.answered, self.repeated, self.failed = {}, 0, None
        self.connection = None

    def run(self):
        try:
            while not self.runs.stopping:
                self.post(f"{self.topic}/{len(self.answered)}")
        except Exception as failed:  # noqa: BLE001 - told by check()
            self.failed = failed
            raise
        finally:
            self.close()

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def post(self, key):
        filler = self.random.randrange(self.random.choice(OCTETS))
        content, tries = f"{self.agent.name} {key} " + "x" * filler, 0
        while True:
            tries, run = tries + 1, self.runs.number
            try:
                code, entry = self.ask(key, content)
                break
            except (OSError, http.client.HTTPException):
                self.close()
                self.runs.wait(run)
        assert code == 202 or code == 200 and tries > 1, (code, entry)
        self.repeated += code == 200
        self.answered[key] = (entry["number"], content)
        self.taken.release()

    def ask(self, key, content):
        if not self.connection:
            self.connection = Connection(self.agent.socket)
        self.connection.request(
            "POST", "/api/v1/messages",
            json.dumps({"topic": self.topic, "format": "text",
                        "content": content}),
            {"Content-Type": "application/json", "Idempotency-Key": key})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def check(self):
        if self.failed:
            raise AssertionError(f"{self.name} failed") from self.failed

    def end(self):
        self.join(WAIT_S)
        self.check()
        assert not self.is_alive() and self.answered
