"""Who may do what at an agent: roles by account and by token, drafts and their
release, two persons, and what is kept of who did it."""
import contextlib
import grp
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from agents import Connection, free_port
from conftest import ROOT
from daemon import WAIT_S, wait_for

DOCUMENT = json.loads((ROOT / "agent" / "api" / "openapi.json").read_text())
METHODS = ("get", "post", "put", "delete", "patch")
ROLES = {"reader": {"reader"}, "drafter": {"reader", "drafter"},
         "releaser": {"reader", "drafter", "releaser"},
         "operator": {"reader", "operator"}}
TOPIC = "members/note/EUROPOL/1"
NOTE = {"topic": TOPIC, "format": "json", "content": {"text": "Hello"}}


def users_write(agent, **users):
    """The section `users`, behind the agent's own."""
    agent.configure()
    lines = ["users"] if users else []
    for name, members in users.items():
        lines.append(f"    {name}")
        lines += [f'        {key} = "{value}"' for key, value in members.items()]
    with agent.config.open("a") as file:
        file.write("".join(line + "\n" for line in lines))


class Person:
    """Who asks by a token."""

    def __init__(self, agent, secret):
        self.agent, self.secret = agent, secret

    def ask(self, method, path, body=None, code=200, **headers):
        return self.agent.ask(method, path, body, code,
                              Authorization=f"Bearer {self.secret}", **headers)

    def draft(self, body=NOTE, **headers):
        return self.ask("POST", "messages?draft=true", body, 201,
                        **headers)["number"]


def person(agent, name, role, **members):
    """Who has a new token, given out by the account that runs the test: it is
    the agent's own, and so an operator."""
    made = agent.ask("POST", "tokens", {"name": name, "role": role, **members},
                     code=201)
    return Person(agent, made["secret"])


def problem(answer):
    return answer["type"].removeprefix("urn:parley:problem:")


@pytest.fixture
def agent(agents, broker):
    """Of EUROPOL/hq, with users, and running."""
    one = agents("EUROPOL/hq", broker)
    users_write(one, anna={"login": "4201", "role": "drafter"},
                ben={"login": "4202", "role": "releaser",
                     "function": "Head of Strategic Analysis"},
                carl={"login": "4203", "role": "releaser operator"})
    return one.start()


# Roles

def operations():
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def status_of(agent, secret, method, path, kind):
    """The status alone: a feed has no end."""
    one = Connection(agent.socket)
    headers = {"Authorization": f"Bearer {secret}"}
    if kind:
        headers["Content-Type"] = kind
    try:
        one.request(method, path, b"" if kind else None, headers)
        return one.getresponse().status
    finally:
        one.close()


def test_each_operation_wants_its_role(agent):
    """Whatever openapi.json has: with the role it is looked at, without it is
    refused before that."""
    people = {role: person(agent, role, role).secret for role in ROLES}
    asked = 0
    for method, template, operation in operations():
        path = template
        for name in ("{number}", "{version}", "{sequence}", "{key}", "{which}",
                     "{plan}", "{name}"):
            path = path.replace(name, "none-such")
        # Whatever else stands there: no such thing is there.
        while "{" in path:
            path = path[:path.index("{")] + "none-such" \
                + path[path.index("}") + 1:]
        kinds = list(operation.get("requestBody", {}).get("content", {}))
        need = operation["x-parley-role"]
        queries = {"": "releaser", "?draft=true": "drafter"} \
            if need == "publish" else {"": need}
        for query, wanted in queries.items():
            for role, secret in people.items():
                code = status_of(agent, secret, method, path + query,
                                 kinds[0] if kinds else None)
                assert (code == 403) == (wanted not in ROLES[role]), \
                    (method, path + query, role, code)
                assert code != 401
                asked += 1
    assert asked >= 4 * 52


def test_refusals_say_who_and_what_instead(agent):
    anna = person(agent, "phone", "releaser", user="anna")
    got = anna.ask("POST", "messages", NOTE, 403)
    assert problem(got) == "FORBIDDEN"
    assert got["needs"] == "releaser" and got["you"] == "anna"
    assert got["roles"] == ["reader", "drafter"]  # no more than he has himself
    assert got["who"] == ["ben", "carl"]
    assert "draft=true" in got["instead"]
    for word in ("anna", "drafter", "releaser", "ben, carl", "--draft"):
        assert word in got["detail"]
    got = anna.ask("GET", "tokens", code=403)
    assert got["needs"] == "operator" and got["who"] == ["carl"]
    # The agent's own account is an operator, and no releaser.
    got = agent.ask("POST", "messages", NOTE, 403)
    assert got["roles"] == ["reader", "operator"]
    you = agent.get("status")["you"]
    assert you["roles"] == ["reader", "operator"] and you["function"] is None
    assert anna.ask("GET", "status")["you"]["name"] == "anna"
    # Own drafts among the overlaps are for who writes them.
    reader = person(agent, "reader", "reader")
    assert problem(reader.ask("GET", "overlaps?drafts=true", code=403)) == \
        "FORBIDDEN"
    anna.ask("GET", "overlaps?drafts=true")


def test_without_users_all_may_all(agents, broker):
    one = agents("EUROPOL/hq", broker).start()
    you = one.get("status")["you"]
    assert you["roles"] == ["reader", "drafter", "releaser", "operator"]
    number = one.publish(TOPIC, "x")["number"]
    draft = one.ask("POST", "messages?draft=true", NOTE, 201)["number"]
    one.ask("POST", f"drafts/{draft}/release", code=202)
    acts = one.get("acts")["acts"]
    assert [act["what"] for act in acts] == ["released", "drafted", "published"]
    assert {act["user"] for act in acts} == {you["name"]}
    assert acts[2]["entry"] == number and acts[0]["draft"] == draft


# Accounts

CLIENT = """
import http.client, json, socket, sys
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(sys.argv[1])
one = Connection("localhost")
try:
    one.request(sys.argv[2], "/api/v1/" + sys.argv[3], sys.argv[4] or None,
                {"Content-Type": "application/json"} if sys.argv[4] else {})
except PermissionError:
    print("no way in")
    sys.exit()
answer = one.getresponse()
print(json.dumps([answer.status, json.loads(answer.read() or "null")]))
"""


def ask_as(uid, gid, socket, method, path, body=None):
    """[status, JSON] of who has that account; None: no way in."""
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, str(socket), method, path,
         json.dumps(body) if body else ""],
        user=uid, group=gid, extra_groups=[], cwd="/", env={},
        capture_output=True, text=True, timeout=WAIT_S, check=True)
    return None if "no way" in done.stdout else json.loads(done.stdout)


@pytest.fixture
def doorstep():
    """A folder that every account can reach."""
    folder = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs other accounts")
def test_accounts(agents, broker, doorstep):
    group = grp.getgrgid(1)
    one = agents("EUROPOL/hq", broker)
    one.socket = doorstep / "run" / "api.sock"
    one.configure(socket=one.socket, socket_group=group.gr_name)
    users_write(one, anna={"login": "4201", "role": "drafter"},
                ben={"login": "4202", "role": "releaser"})
    one.start()
    assert one.socket.stat().st_mode & 0o777 == 0o660
    assert one.socket.parent.stat().st_mode & 0o777 == 0o710

    def ask(uid, *request, gid=group.gr_gid):
        return ask_as(uid, gid, one.socket, *request)

    code, got = ask(4201, "GET", "status")
    assert code == 200 and got["you"]["name"] == "anna"
    assert ask(4201, "POST", "messages", NOTE)[0] == 403
    code, got = ask(4201, "POST", "messages?draft=true", NOTE)
    assert code == 201
    number = got["number"]
    assert ask(4202, "POST", f"drafts/{number}/release")[0] == 202
    # Who is in the group and no user may nothing, and is told so.
    code, got = ask(4209, "GET", "status")
    assert code == 403 and got["roles"] == [] and "uid-4209" in got["detail"]
    assert ask(0, "GET", "tokens")[0] == 200
    # Who is not in the group gets no answer at all.
    assert ask(4201, "GET", "status", gid=4201) is None
    # Nothing else of the agent is open to them.
    assert one.store.stat().st_mode & 0o077 == 0
    # A folder that is there is left as it is, and refused.
    one.stop()
    one.socket.parent.mkdir(mode=0o700, exist_ok=True)
    one.socket.parent.chmod(0o700)
    daemon = one.spawn()
    assert daemon.wait() == 78 and "chmod 710" in daemon.log()


def test_users_are_read_again(agent):
    own = {"login": str(os.geteuid()), "role": "drafter"}
    users_write(agent, me=own)
    agent.daemon.signal(signal.SIGHUP)
    agent.daemon.wait_log("RELOAD")
    you = agent.get("status")["you"]
    assert you["name"] == "me" and you["roles"] == ["reader", "drafter"]
    agent.ask("GET", "tokens", code=403)
    mark = agent.daemon.mark()
    users_write(agent, me={**own, "role": "writer"})
    agent.daemon.signal(signal.SIGHUP)
    line = agent.daemon.wait_log("CONFIG-REFUSED", after=mark)
    assert "users/me/role" in line.text
    assert agent.get("status")["you"]["name"] == "me"


# Tokens

def ask_tcp(port, secret, path="status"):
    one = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    try:
        one.request("GET", f"/api/v1/{path}", headers={
            "Authorization": f"Bearer {secret}"} if secret else {})
        answer = one.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        one.close()


def test_tokens(agents, broker):
    one, port = agents("EUROPOL/hq", broker), free_port()
    one.configure(tcp=f"127.0.0.1:{port}")
    one.start()
    for body, word in (({}, "name"), ({"name": "a"}, "role"), ([], "object"),
                       ({"name": "a b", "role": "reader"}, "name"),
                       ({"name": "a", "role": "writer"}, "role"),
                       ({"name": "a", "role": "reader", "x": 1}, "unknown"),
                       ({"name": "a", "role": "reader", "user": "gone"},
                        "configuration"),
                       ({"name": "a", "role": "reader", "function": "a\nb"},
                        "function"),
                       ({"name": "a", "role": "reader",
                         "expires": "2020-01-01"}, "time to come")):
        got = one.ask("POST", "tokens", body, 400)
        assert word in got["detail"], got
    feed = person(one, "feed", "reader", expires="2099-12-31")
    assert problem(one.ask("POST", "tokens", {"name": "feed", "role": "reader"},
                           409)) == "NAME-TAKEN"
    desk = person(one, "desk", "drafter operator", function="Desk 7")
    for code, got in (ask_tcp(port, feed.secret),
                      (200, feed.ask("GET", "status"))):
        assert code == 200 and got["you"]["name"] == "feed"
    # Also after a start.
    one.stop()
    one.start()
    days = {time.strftime("%Y-%m-%d", time.gmtime())}
    you = ask_tcp(port, desk.secret)[1]["you"]
    assert you == {"name": "desk", "function": "Desk 7",
                   "roles": ["reader", "drafter", "operator"]}
    for secret in (None, "x", feed.secret[:-1], feed.secret.upper()):
        assert ask_tcp(port, secret)[0] == 401
    # A wrong one is refused at the socket too, whoever brings it.
    one.ask("GET", "status", code=401, Authorization="Bearer x" * 8)
    one.ask("GET", "status", code=401, Authorization="Basic eA==")
    by_name = {token["name"]: token for token in one.get("tokens")["tokens"]}
    assert by_name["feed"]["expires"] == "2099-12-31T00:00:00.000Z"
    days.add(time.strftime("%Y-%m-%d", time.gmtime()))
    assert by_name["desk"]["last_used"] in days
    assert by_name["desk"]["made_by"] == one.get("status")["you"]["name"]
    assert feed.secret not in json.dumps(by_name)
    secrets = feed.secret.removeprefix("parley-").encode()
    assert all(secrets not in path.read_bytes()
               for path in one.store_files(one.folder))
    desk.ask("DELETE", "tokens/feed", code=204)
    one.ask("DELETE", "tokens/feed", code=204)
    one.ask("DELETE", "tokens/none", code=404)
    code, got = ask_tcp(port, feed.secret)
    assert code == 401 and "revoked" in got["detail"]
    assert {(act["what"], act["subject"], act["user"])
            for act in one.get("acts")["acts"]} >= {
        ("token-revoke", "feed", "desk")}


def test_a_token_ends(agents, broker):
    one = agents("EUROPOL/hq", broker).start()
    brief = None
    for seconds in (2, 10, 40):  # a busy machine may be slow to ask
        end = int(time.time()) + seconds
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end))
        with contextlib.suppress(AssertionError):
            brief = person(one, f"brief-{seconds}", "reader", expires=text)
            break

    def code():
        return status_of(one, brief.secret, "GET", "/api/v1/status", None)
    wait_for(lambda: code() == 401, "the token's end")
    assert "over" in brief.ask("GET", "status", code=401)["detail"]


# Drafts

def test_draft_and_release(agent):
    anna = person(agent, "phone", "drafter", user="anna")
    ben = person(agent, "pc", "releaser", user="ben")
    # Judged as if it were published now.
    got = anna.ask("POST", "messages?draft=true",
                   {**NOTE, "topic": "nobody/x"}, 422)
    assert problem(got) == "EMPTY-AUDIENCE"
    got = anna.ask("POST", "messages?draft=true", {
        "topic": "members/plan/EUROPOL/EUROPOL-x", "format": "json",
        "content": {"format": 1}}, 422)
    assert problem(got) == "NOT-A-PLAN"
    assert anna.ask("POST", "messages?draft=x", NOTE, 403)["needs"] == "releaser"
    ben.ask("POST", "messages?draft=x", NOTE, 400)
    assert anna.ask("GET", "drafts")["drafts"] == []

    number = anna.draft(Idempotency_Key="k")
    again = anna.ask("POST", "messages?draft=true", NOTE, 200,
                     Idempotency_Key="k")
    assert again["number"] == number
    got = anna.ask("POST", "messages?draft=true",
                   {**NOTE, "content": {"text": "Other"}}, 409,
                   Idempotency_Key="k")
    assert problem(got) == "KEY-REUSED"
    assert agent.get("outbox")["entries"] == []

    # Given back, changed, seen, changed again, and sent as it was seen.
    ben.ask("POST", f"drafts/{number}/return", {}, 400)
    ben.ask("POST", "drafts/99/return", {"remark": "x"}, 404)
    ben.ask("POST", f"drafts/{number}/return", {"remark": "Greet all."}, 204)
    [line] = anna.ask("GET", "drafts")["drafts"]
    assert line["state"] == "returned" and line["remark"] == "Greet all."
    assert line["remarked_by"] == "ben" and line["drafter"] == "anna"
    anna.ask("PUT", f"drafts/{number}", {**NOTE, "topic": "nobody/x"}, 422)
    anna.ask("PUT", f"drafts/{number}", {"text": "no message"}, 400)
    body = {**NOTE, "content": {"text": "Hello all"}, "references": ["ab" * 32]}
    anna.ask("PUT", f"drafts/{number}", body)
    seen = ben.ask("GET", f"drafts/{number}")
    assert seen["state"] == "open" and seen["draft"] == body["content"]
    assert seen["references"] == body["references"]
    body["content"]["text"] = "Hello, all"
    anna.ask("PUT", f"drafts/{number}", body)
    got = ben.ask("POST", f"drafts/{number}/release?updated={seen['updated']}",
                  code=409)
    assert problem(got) == "DRAFT-CHANGED"
    anna.ask("POST", f"drafts/{number}/release", code=403)
    ben.ask("POST", f"drafts/{number}/release?channel=members", code=400)
    seen = ben.ask("GET", f"drafts/{number}")
    entry = ben.ask("POST",
                    f"drafts/{number}/release?updated={seen['updated']}",
                    code=202)
    anna.ask("GET", f"drafts/{number}", code=404)

    # Whose answer was lost asks again, also after a crash.
    agent.kill()
    agent.start()
    again = ben.ask("POST", f"drafts/{number}/release")
    assert again["number"] == entry["number"]
    ben.ask("POST", "drafts/99/release", code=404)

    # The ledger has the office, and nobody's name.
    done = agent.wait_entry(entry["number"])
    record = agent.wait_record(done["sequence"])
    assert record["content"] == {"text": "Hello, all",
                                 "function": "Head of Strategic Analysis"}
    assert record["references"] == body["references"]
    for name in ("anna", "ben"):
        assert name not in json.dumps(record)
    acts = agent.get("acts")["acts"]
    assert [(act["what"], act["user"]) for act in acts if act["draft"]] == [
        ("released", "ben"), ("edited", "anna"), ("edited", "anna"),
        ("returned", "ben"), ("drafted", "anna")]
    page = agent.get(f"acts?limit=2&before={acts[1]['number']}")
    assert page["acts"] == acts[2:4] and page["next"] == acts[3]["number"]


def test_formats_and_functions(agent):
    ben = person(agent, "pc", "releaser", user="ben")
    bodies = [{"topic": TOPIC, "format": "text", "content": "é"},
              {"topic": TOPIC, "format": "octets", "content": "AP8="},
              {"topic": TOPIC, "format": "json",
               "content": {"a": [1, 2.5, {"b": None}], "function": "Clerk"}}]
    expected = [bodies[0]["content"], bodies[1]["content"],
                {**bodies[2]["content"],
                 "function": "Head of Strategic Analysis"}]
    for body, want in zip(bodies, expected):
        number = ben.draft(body)
        assert ben.ask("GET", f"drafts/{number}")["draft"] == body["content"]
        entries = [ben.ask("POST", f"drafts/{number}/release", code=202),
                   ben.ask("POST", "messages", body, 202)]
        for entry in entries:
            done = agent.wait_entry(entry["number"])
            assert agent.wait_record(done["sequence"])["content"] == want


def test_whose_draft_is_deleted(agent):
    anna = person(agent, "phone", "drafter", user="anna")
    other = person(agent, "other", "drafter")
    ben = person(agent, "pc", "releaser", user="ben")
    first, second = anna.draft(), anna.draft()
    assert problem(other.ask("DELETE", f"drafts/{first}", code=403)) == \
        "FORBIDDEN"
    anna.ask("DELETE", f"drafts/{first}", code=204)
    ben.ask("DELETE", f"drafts/{second}", code=204)
    anna.ask("DELETE", f"drafts/{second}", code=404)


def plan_of(name):
    return {"format": 1, "plan": name, "entity": "EUROPOL", "lang": "en",
            "title": "A plan", "cycle": {"from": "2020", "to": "2030"},
            "handling": "TLP:GREEN", "priorities": ["organized-crime"],
            "regions": ["EU"], "goals": [{"id": "G1", "title": "A goal"}],
            "actions": []}


def test_a_plan_without_a_topic(agent):
    """A plan that was saved, right or wrong, is released on a channel."""
    ben = person(agent, "pc", "releaser", user="ben")
    plan = plan_of("EUROPOL-x-2026")
    number = ben.ask("POST", "drafts", {**plan, "cycle": 7}, 201)["number"]
    for query in ("", "?channel=a/b", "?channel=%2B"):
        ben.ask("POST", f"drafts/{number}/release{query}", code=400)
    got = ben.ask("POST", f"drafts/{number}/release?channel=members", code=422)
    assert problem(got) == "NOT-A-PLAN"
    ben.ask("PUT", f"drafts/{number}", plan)
    [line] = ben.ask("GET", "drafts")["drafts"]
    assert line["topic"] is None and line["plan"] == plan["plan"]
    entry = ben.ask("POST", f"drafts/{number}/release?channel=members",
                    code=202)
    assert entry["topic"] == "members/plan/EUROPOL/EUROPOL-x-2026"
    agent.wait_entry(entry["number"])


def test_two_persons(agents, broker):
    one = agents("EUROPOL/hq", broker)
    one.configure(two_person="yes")
    users_write(one, **{name: {"login": str(login), "role": "releaser"}
                        for login, name in enumerate(("anna", "ben", "carl"),
                                                     4201)})
    one.start()
    anna, ben, carl = (person(one, f"of-{name}", "releaser", user=name)
                       for name in ("anna", "ben", "carl"))
    number = anna.draft()
    got = anna.ask("POST", f"drafts/{number}/release", code=403)
    assert problem(got) == "FORBIDDEN" and "two persons" in got["detail"]
    # Another token of hers is no other person.
    person(one, "tablet", "releaser", user="anna").ask(
        "POST", f"drafts/{number}/release", code=403)
    ben.ask("PUT", f"drafts/{number}", NOTE)
    got = ben.ask("POST", f"drafts/{number}/release", code=403)
    assert "changed" in got["detail"]
    carl.ask("POST", f"drafts/{number}/release", code=202)
    # To send at once is to release one's own.
    got = anna.ask("POST", "messages", NOTE, 403)
    assert "two persons" in got["detail"] and "draft=true" in got["detail"]


# The command line

def test_command_line(agent, parley, tmp_path):
    def run(who, *words, code=0):
        env = {"PARLEY_SOCKET": str(agent.socket)}
        if who:
            env["PARLEY_TOKEN_FILE"] = str(tmp_path / who)
        return parley(*words, code=code, env=env)

    out = run(None, "token", "new", "phone", "--role", "drafter", "--user",
              "anna", "--out", "anna.token")
    assert "parley-" not in out.out
    assert (tmp_path / "anna.token").stat().st_mode & 0o777 == 0o600
    run(None, "token", "new", "pc", "--role", "releaser", "--user", "ben",
        "--out", "ben.token")
    shown = run(None, "token", "new", "feed", "--role", "reader",
                "--expires", "2099-01-01").out.strip()
    assert shown.startswith("parley-") and len(shown) == 71
    # A file that is there is not written over, and its secret given to nobody.
    run(None, "token", "new", "lost", "--role", "reader", "--out",
        "anna.token", code=5)
    table = run(None, "token", "list").out
    assert "phone" in table and "anna" in table and shown not in table
    [lost] = [one for one in
              run(None, "--json", "token", "list").json()[0]["tokens"]
              if one["name"] == "lost"]
    assert lost["revoked"]

    assert run("anna.token", "whoami").out == (
        "anna at the agent of EUROPOL/hq: reader, drafter\n")
    assert "Head of Strategic" in run("ben.token", "whoami").out
    assert "you" in run("ben.token", "status").out

    (tmp_path / "note.json").write_text('{"text": "Hello"}')
    refused = run("anna.token", "publish", TOPIC, "note.json", "--yes", code=1)
    assert "--draft" in refused.err and "ben, carl" in refused.err
    run("anna.token", "publish", TOPIC, "note.json", "--draft", "--wait", "done",
        code=2)
    kept = run("anna.token", "publish", TOPIC, "note.json", "--draft")
    assert kept.out == ("draft 1 is kept; a releaser sends it: "
                        "parley draft release 1\n")
    listed = run("ben.token", "draft", "list").out
    assert TOPIC in listed and "anna" in listed
    run("ben.token", "draft", "return", "1", "Say more.")
    assert "returned by ben: Say more." in run("anna.token", "draft",
                                               "list").out
    shown = run("ben.token", "draft", "show", "1").out
    assert '"Hello"' in shown and "Say more." in shown
    run("anna.token", "draft", "release", "1", code=1)
    sent = run("ben.token", "draft", "release", "1", "--wait", "promised")
    assert sent.out.startswith("outbox 1: ") and "FRONTEX" in sent.err
    again = run("ben.token", "--json", "draft", "release", "1").json()[0]
    assert again["number"] == 1
    run("anna.token", "draft", "show", "1", code=4)

    (tmp_path / "plan.json").write_text(json.dumps(plan_of("EUROPOL-y")))
    run("anna.token", "plan", "draft", "save", "plan.json")
    assert "EUROPOL-y" in run("ben.token", "draft", "list").out
    run("ben.token", "draft", "release", "2", code=2)
    run("ben.token", "draft", "release", "2", "--channel", "members")
    assert run("anna.token", "draft", "list").out == ""
    run("anna.token", "publish", TOPIC, "note.json", "--draft")
    run("anna.token", "draft", "delete", "3")
    acts = run(None, "acts", "--limit", "3").out
    assert "deleted" in acts and "released" in acts and "--before" in acts
    run(None, "token", "revoke", "phone")
    gone = run("anna.token", "whoami", code=1)
    assert "revoked" in gone.err
    (tmp_path / "anna.token").chmod(0o644)
    run("anna.token", "whoami", code=1)


