"""Files of up to 16 MiB: sent in parts, joined and checked at the reader, gone
on with after each kind of break, and never twice in the ledger."""
import hashlib
import json
import random
from collections import Counter
from urllib.parse import urlencode

import pytest

from agents import Connection
from daemon import wait_for
from parley_client import messages
from test_0840_users import person, users_write

PART = 261120
OCTETS = "application/octet-stream"


def octets(size, seed=1):
    return random.Random(seed).randbytes(size)


def id_of(data):
    return hashlib.sha256(data).hexdigest()[:32]


def send(agent, data, code=202, channel="members", name="a.bin", secret=None,
         **more):
    """What POST /files answers, whatever is wrong."""
    one = Connection(agent.socket)
    who = {"Authorization": f"Bearer {secret}"} if secret else {}
    words = urlencode({"channel": channel, "name": name, **more})
    try:
        one.request("POST", f"/api/v1/files?{words}", data,
                    {"Content-Type": OCTETS, **who})
        answer = one.getresponse()
        text = answer.read()
    finally:
        one.close()
    assert answer.status == code, (answer.status, text)
    return json.loads(text)


def content(agent, data, code=200):
    """GET /files/ID/content: its octets and headers, or the problem."""
    one = Connection(agent.socket)
    try:
        one.request("GET", f"/api/v1/files/{id_of(data)}/content")
        answer = one.getresponse()
        text = answer.read()
    finally:
        one.close()
    assert answer.status == code, (answer.status, text[:500])
    return (text, answer.headers) if code == 200 else json.loads(text)


def wait_file(agent, data, wait="complete", reached=None):
    """The file, once it is complete here (or its sending is done)."""
    file = {}

    def ask():
        file.clear()
        try:
            file.update(agent.get(f"files/{id_of(data)}?wait={wait}"
                                  "&timeout_ms=5000"))
        except AssertionError:  # nothing of it yet
            return False
        if reached:
            return reached(file)
        return file["state"] == "complete" if wait == "complete" else \
            file["sending"]["state"] == "done"
    wait_for(ask, lambda: (file, agent.daemon.log()), wait_s=120)
    return file


def file_records(agent, data):
    return agent.records("sequence", f"+/file/+/{id_of(data)}", log=0)


def check_once(agent, data):
    """One manifest, and each part once. Its sending may be done before the
    records are back here."""
    wait_file(agent, data)
    records = file_records(agent, data)
    assert [one["format"] for one in records].count("json") == 1
    bodies = Counter(one["content"] for one in records
                     if one["format"] == "octets")
    assert set(bodies.values()) <= {1}
    assert len(records) == 1 + len(bodies)


@pytest.fixture
def by(parley):
    def run(agent, *words, **more):
        return parley("--socket", agent.socket, *words, **more)
    return run


@pytest.fixture
def two(broker, agents):
    return [agents(name, broker).start()
            for name in ("EUROPOL/hq", "AFRIPOL/hq")]


# The whole way

def test_sixteen_mib(two, by, tmp_path):
    """The largest one, from the command line to another body's disk."""
    europol, afripol = two
    data = octets(16 * 1048576)
    (tmp_path / "big.pdf").write_bytes(data)
    said = by(europol, "file", "send", "big.pdf", "--channel", "members",
              "--text", "Assessment", "--wait", "done", "--yes")
    assert "complete" in said.out or "66 messages" in said.out
    file = wait_file(afripol, data)
    assert file["name"] == "big.pdf" and file["type"] == "application/pdf"
    assert file["size"] == len(data) and file["entity"] == "EUROPOL"
    assert file["parts"] == {"of": 65, "held": 65, "octets": len(data),
                             "missing": []}
    assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert file["text"] == "Assessment" and file["sending"] is None
    saved = by(afripol, "file", "get", id_of(data), "--out", "got.pdf")
    assert "its SHA-256 is right" in saved.out
    assert (tmp_path / "got.pdf").read_bytes() == data
    check_once(afripol, data)
    sending = wait_file(europol, data, "done")["sending"]
    assert sending["messages"] == sending["settled"] == 66


def test_one_file(two, by, tmp_path):
    """Small ones; again is the same; another name is no second file."""
    europol, afripol = two
    data = octets(PART + 1)
    first = send(europol, data, name="a.txt", type="text/plain")
    assert first["file"] == id_of(data) and first["reference"]["size"] == PART + 1
    wait_file(europol, data, "done")
    wait_file(europol, data)
    again = send(europol, data, 200, name="a.txt", type="text/plain")
    assert again["state"] == "complete"
    send(europol, data, 202, name="b.txt", type="text/plain")
    wait_file(afripol, data, reached=lambda file: file["name"] == "b.txt")
    assert len(file_records(afripol, data)) == 4  # two manifests, two parts
    listed = afripol.get("files")["files"]
    assert [(one["name"], one["state"]) for one in listed] == \
        [("b.txt", "complete")]
    got, headers = content(afripol, data)
    assert got == data and headers["Content-Type"] == OCTETS
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "b.txt" in by(afripol, "file", "list").out
    assert by(afripol, "file", "get", id_of(data), "--out", "x").code == 0
    by(afripol, "file", "get", id_of(data), "--out", "x", code=5)
    by(afripol, "file", "get", "0" * 32, "--out", "y", code=4)
    by(afripol, "file", "get", "zz", "--out", "y", code=2)
    assert not (tmp_path / "y").exists()


def test_same_part_twice(two):
    """A file of equal parts needs one of them."""
    europol, afripol = two
    data = bytes(3 * PART + 5)
    send(europol, data)
    file = wait_file(afripol, data)
    assert file["parts"]["of"] == 4
    assert content(afripol, data)[0] == data
    check_once(afripol, data)


def test_withdrawal(two, by):
    europol, afripol = two
    data = octets(5)
    send(europol, data)
    wait_file(afripol, data)
    afripol.ask("DELETE", f"files/{id_of(data)}", code=400)
    by(europol, "file", "withdraw", id_of(data), "--reason", "old", "--yes")
    file = wait_file(afripol, data,
                     reached=lambda file: file["state"] == "withdrawn")
    assert file["reason"] == "old"
    assert content(afripol, data, 409)["type"].endswith("FILE-WITHDRAWN")
    assert afripol.get("files")["files"] == []
    assert len(afripol.get("files?state=withdrawn")["files"]) == 1
    by(afripol, "file", "get", id_of(data), "--out", "x", code=1)
    send(europol, data)  # it is back, with its part as it was
    wait_file(afripol, data)
    assert content(afripol, data)[0] == data
    parts = [one for one in file_records(afripol, data)
             if one["format"] == "octets"]
    assert len(parts) == 1


# What is refused

def test_bad_requests(two):
    europol, _ = two
    data = octets(10)
    for words, code in (({"channel": "nobody"}, 422),
                        ({"channel": "frontline2"}, 422),
                        ({"channel": "a/b"}, 400), ({"name": "../a"}, 400),
                        ({"name": "a\u202eb"}, 400), ({"type": "x"}, 400),
                        ({"text": "x" * 4001}, 400), ({"other": "1"}, 400)):
        assert send(europol, data, code, **words)["status"] == code, words
    assert send(europol, b"", 400)["type"].endswith("BAD-REQUEST")
    chunks = iter([bytes(8 * 1048576)] * 2 + [b"x"])
    assert send(europol, chunks, 413)["limit"] == 16777216
    # Told also where all of its octets are on their way.
    assert send(europol, bytes(16 * 1048576), 422, channel="nobody")
    assert europol.get("files")["files"] == []
    europol.ask("GET", f"files/{id_of(data)}", code=404)
    europol.ask("GET", "files/abc", code=404)


def test_other_readers_see_nothing(broker, agents):
    """Who may not read the channel has no name, no size, no part of it."""
    europol = agents("EUROPOL/hq", broker).start()
    unodc = agents("UNODC/hq", broker).start()
    data, shown = octets(300000), octets(7)
    send(europol, data, channel="members")
    send(europol, shown, channel="dialogue")
    wait_file(europol, data, "done")
    wait_file(unodc, shown)
    assert [one["file"] for one in unodc.get("files")["files"]] == \
        [id_of(shown)]
    unodc.ask("GET", f"files/{id_of(data)}", code=404)
    content(unodc, data, 404)
    assert file_records(unodc, data) == []


def manifest(data, parts, **more):
    whole = hashlib.sha256(data).hexdigest()
    return {"format": 1, "file": whole[:32], "name": "a", "type": "text/plain",
            "size": len(data), "sha256": whole, "parts": [
                {"size": len(one), "sha256": hashlib.sha256(one).hexdigest()}
                for one in parts], **more}


def publish(session, data, body):
    topic = f"members/file/EUROPOL/{id_of(data)}"
    content, format = (body, messages.OCTETS) if isinstance(body, bytes) else \
        (body, messages.MAP)
    return session.publish(topic, content, format)


def test_wrong_parts(broker, agents):
    """What strangers and broken programs put on a file's topic changes nothing,
    and is told."""
    agent = agents("FRONTEX/hq", broker).start()
    owner, other = broker.client("EUROPOL/hq"), broker.client("AFRIPOL/hq")
    owner.hello(), other.hello()
    one, two = b"first ", b"second"
    data = one + two
    publish(owner, data, two)                       # parts may come first
    publish(other, data, one)                       # a stranger's
    publish(other, data, manifest(data, [one, two]))
    publish(owner, data, b"nobody asked for this")
    publish(owner, data, manifest(data, [one, two], size=5))
    publish(owner, data, manifest(data, [one, two]))
    file = wait_file(agent, data, reached=lambda f: f.get("parts"))
    assert file["state"] == "incomplete"
    assert file["parts"]["missing"] == [1] and file["parts"]["held"] == 1
    problem = content(agent, data, 409)
    assert problem["type"].endswith("FILE-INCOMPLETE")
    assert problem["missing"] == 1
    why = [(s["author"], s["kind"], [p["text"] for p in s["problems"]])
           for s in file["said"]]
    assert sum("not its owner's" in str(one) for one in why) == 2, why
    assert sum("/size" in str(s["problems"]) for s in file["said"]) == 1
    publish(owner, data, one)
    wait_file(agent, data)
    assert content(agent, data)[0] == data


def test_broken_file(broker, agents):
    """Parts that are all there, and together are something else."""
    agent = agents("FRONTEX/hq", broker).start()
    owner = broker.client("EUROPOL/hq")
    owner.hello()
    data = b"what it says"
    publish(owner, data, manifest(data, [b"what it ", b"is!!"]))
    publish(owner, data, b"what it ")
    publish(owner, data, b"is!!")
    wait_file(agent, data)
    assert content(agent, data, 409)["type"].endswith("FILE-BROKEN")


# Order, rates, breaks

def test_messages_go_first(two):
    """What is handed in behind a file is in the ledger before its end."""
    europol, afripol = two
    data = octets(12 * 1048576)
    send(europol, data)
    entries = [europol.publish("members/stance", f"{i}") for i in range(5)]
    for one in entries:
        europol.wait_entry(one["number"], "promised")
    wait_file(afripol, data)
    afripol.wait_texts("members/stance", [f"{i}" for i in range(5)])
    stances = [one["sequence"] for one in
               afripol.records("sequence", "members/stance", log=0)]
    last = file_records(afripol, data)[-1]["sequence"]
    assert max(stances) < last


def test_rate(brokers, tmp_path):
    """The roster's limits are obeyed without a refusal, and said."""
    from dialogue import SMALL, Dialogue
    from conftest import program
    from agents import Agent
    few = Dialogue(tmp_path, SMALL, {"octets_a_minute": 6000000})
    broker = brokers(few)
    broker.init()
    broker.start()
    agent = Agent(program("parley-agent"), few, "EUROPOL/hq", broker).init()
    try:
        agent.start()
        data = octets(5000000)
        send(agent, data)
        file = wait_file(agent, data,
                         reached=lambda f: f["sending"]["handed"] > 15)
        assert file["sending"]["least_seconds"] > 0
        # What is left over is for messages: it goes at once.
        entry = agent.publish("members/now", "x")
        agent.wait_entry(entry["number"], "promised")
        assert agent.get("refusals")["refusals"] == []
        sending = agent.get(f"files/{id_of(data)}")["sending"]
        assert sending["state"] == "sending"
        agent.ask("DELETE", f"files/{id_of(data)}", code=202)
        file = wait_file(agent, data,
                         reached=lambda f: f["state"] == "withdrawn")
        assert file["sending"]["state"] == "stopped"
    finally:
        agent.close()


def kill_at(agent, data, count):
    """Once so many messages of it are promised."""
    wait_file(agent, data,
              reached=lambda f: f["sending"]["promised"] >= count)


@pytest.mark.parametrize("who", ["sender", "broker", "reader"])
def test_kill(steady, agents, who):
    """kill -9 in the middle, thrice: it arrives whole, and once."""
    europol = agents("EUROPOL/hq", steady).start()
    afripol = agents("AFRIPOL/hq", steady).start()
    data = octets(6 * 1048576 + 7)
    send(europol, data)
    victim = {"sender": europol, "broker": steady, "reader": afripol}[who]
    for count in (3, 9, 16):
        kill_at(europol, data, count)
        victim.kill()
        victim.start()
    wait_file(europol, data, "done")
    wait_file(afripol, data)
    assert content(afripol, data)[0] == data
    check_once(afripol, data)
    check_once(europol, data)


def test_cut_upload(two):
    """A client that goes in the middle leaves nothing behind."""
    europol, _ = two
    data = octets(4 * PART)
    one = Connection(europol.socket)
    one.putrequest("POST", "/api/v1/files?channel=members&name=a")
    one.putheader("Content-Type", OCTETS)
    one.putheader("Content-Length", str(len(data)))
    one.endheaders(data[:2 * PART])
    one.close()
    send(europol, data)  # and takes nobody's place
    wait_file(europol, data, "done")
    check_once(europol, data)
    assert len(europol.get("files?state=all")["files"]) == 1


def test_offline(steady, agents):
    """Without a broker it is kept, and goes when one is there."""
    europol = agents("EUROPOL/hq", steady).start()
    data = octets(3 * PART)
    steady.kill()
    file = send(europol, data)
    assert file["state"] == "sending" and file["sending"]["promised"] == 0
    assert [one["state"] for one in europol.get("files")["files"]] == \
        ["sending"]
    europol.kill()
    europol.start()
    steady.start()
    wait_file(europol, data, "done")
    check_once(europol, data)


def test_restored_store(steady, agents):
    """A store that was put back sends nothing that it had sent before."""
    europol = agents("EUROPOL/hq", steady).start()
    data = octets(6 * PART)
    steady.kill()
    send(europol, data)
    europol.stop()
    europol.backup()  # nothing of it is sent
    steady.start()
    europol.start()
    wait_file(europol, data, "done")
    europol.stop()
    europol.restore()
    europol.start()
    wait_file(europol, data, "done")
    wait_file(europol, data)
    check_once(europol, data)


def test_draft(broker, agents):
    """What a drafter hands in waits; with two-person another one releases it."""
    europol = agents("EUROPOL/hq", broker)
    europol.configure(two_person="yes")
    users_write(europol, anna={"login": "4201", "role": "drafter"},
                ben={"login": "4202", "role": "releaser"})
    europol.start()
    anna, ben, eve = (person(europol, *who) for who in
                      (("a", "drafter"), ("b", "releaser"), ("e", "reader")))
    data, other = octets(PART + 7), octets(9)
    send(europol, data, 403, secret=anna.secret)
    send(europol, data, 403, secret=ben.secret)
    send(europol, data, 403, secret=eve.secret, draft="true")
    file = send(europol, data, secret=anna.secret, draft="true")
    assert file["state"] == "draft" and file["sending"]["drafter"] == "a"
    send(europol, other, secret=ben.secret, draft="true")
    release = f"files/{id_of(data)}/release"
    anna.ask("POST", release, code=403)
    ben.ask("POST", f"files/{id_of(other)}/release", code=403)
    europol.kill()  # it is kept
    europol.start()
    assert len(eve.ask("GET", "files?state=draft")["files"]) == 2
    assert file_records(europol, data) == []
    ben.ask("POST", release, code=204)
    wait_file(europol, data, "done")
    check_once(europol, data)
    ben.ask("POST", release, code=409)
    ben.ask("DELETE", f"files/{id_of(other)}", code=204)
    assert europol.get("files?state=draft")["files"] == []
    assert file_records(europol, other) == []
    assert [(one["user"], one["what"]) for one in europol.get("acts")["acts"]
            if "/file/" in one["subject"]] == [
                ("b", "withdrawn"), ("b", "released"), ("b", "drafted"),
                ("a", "drafted")]
