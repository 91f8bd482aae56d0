#!/usr/bin/env python3
"""Mirror a dialogue's plans into a folder, through an agent's API, for ever.

FOLDER/ENTITY/PLAN-ID.json is the newest revision of that plan, and
FOLDER/last-event-id is where the mirror goes on when it is started again.
Example: mirror.py api.sock plans --publish EUROPOL-empact-2026-2029.json
"""
import argparse
import hashlib
import http.client
import json
import os
import pathlib
import socket
import time


class Agent(http.client.HTTPConnection):
    """HTTP over the agent's Unix socket."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(40)  # a feed says something every 15 s
        self.sock.connect(options.socket)

    def ask(self, method, path, body=None, headers=None):
        self.request(method, f"/api/v1/{path}", body, headers or {})
        answer = self.getresponse()
        if answer.status >= 300:
            raise http.client.HTTPException(answer.status, answer.read(2000))
        return answer


def publish(agent, path, channel):
    """The same file again is no second revision: the key says so."""
    plan = json.loads(path.read_bytes())
    topic = f"{channel}/plan/{plan['entity']}/{plan['plan']}"
    body = json.dumps({"topic": topic, "format": "json", "content": plan})
    answer = agent.ask("POST", "messages", body, {
        "Content-Type": "application/json",
        "Idempotency-Key": hashlib.sha256(body.encode()).hexdigest()})
    print("accepted as", json.load(answer)["number"], flush=True)


def write(path, text):
    """Whole or not at all, also when the power fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        print(text, file=file, flush=True)
        os.fsync(file.fileno())
    fresh.replace(path)


def take(folder, record):
    """A topic is its author's choice: a body's plans are its own alone."""
    entity, name = record["topic"].split("/")[2:]
    plan, author = record["content"], record["author"].split("/")[0]
    if record["format"] == "json" and plan is not None and author == entity:
        write(folder / entity / f"{name}.json",
              json.dumps(plan, ensure_ascii=False, indent=1))
        print(record["sequence"], record["topic"], flush=True)


def follow(agent, folder):
    """Until the agent is gone, or has a gap: then all of it once more."""
    cursor = folder / "last-event-id"
    resume = ({"Last-Event-ID": cursor.read_text().strip()}
              if cursor.exists() else {})
    event = {}
    for line in agent.ask("GET", "events?filter=%2B/plan/%2B/%2B&after=0",
                          headers=resume):
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:  # a comment has none; an empty line ends the event
            event[name] = value
        elif event.get("event") == "gap":
            print("gap", event["data"], flush=True)
            return cursor.unlink(missing_ok=True)
        elif event.get("event") == "record":
            take(folder, json.loads(event["data"]))
            write(cursor, event["id"])
        event = event if name else {}


words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
words.add_argument("socket")
words.add_argument("folder", type=pathlib.Path)
words.add_argument("--publish", type=pathlib.Path, metavar="PLAN")
words.add_argument("--channel", default="dialogue")
options = words.parse_args()
if options.publish:
    publish(Agent("localhost"), options.publish, options.channel)
while True:
    try:
        follow(Agent("localhost"), options.folder)
    except (OSError, http.client.HTTPException) as why:
        print("again in 1 s:", repr(why), flush=True)
    time.sleep(1)
