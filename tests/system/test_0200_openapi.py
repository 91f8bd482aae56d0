"""The API says what it does: each path of openapi.json is asked, each answer is
checked with its schema, and code and document have the same routes."""
import base64
import http.client
import json
import os
import re
import subprocess

import jsonschema
import pytest

from agents import Connection
from conftest import BUILD, ROOT
from daemon import wait_for

DOCUMENT = json.loads((ROOT / "agent" / "api" / "openapi.json").read_text())
METHODS = ("get", "post", "put", "delete", "patch")


def server_path():
    path = BUILD / "tests" / "api_server"
    if not path.exists():
        pytest.skip(f"{path} is not built")
    return str(path)


def ask(path, *request):
    """The answer, and its octets but for a feed's."""
    connection = Connection(path)
    connection.request(*request)
    answer = connection.getresponse()
    kind = answer.getheader("Content-Type", "")
    if "event-stream" not in kind:
        return answer, answer.read()
    connection.close()
    return answer, b""


class Server:
    def __init__(self, tmp_path):
        self.process = subprocess.Popen(
            [server_path()], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, "TMPDIR": str(tmp_path)})
        self.socket, port, self.token = \
            self.process.stdout.readline().split()
        self.port = int(port)

    def ask(self, *request):
        return ask(self.socket, *request)

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.process.stdout.close()


@pytest.fixture
def server(tmp_path):
    one = Server(tmp_path)
    yield one
    one.close()


def operations():
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def resolve(node):
    while "$ref" in node:
        at = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            at = at[step]
        node = at
    return node


def check(value, schema):
    """With the document as root, so that references resolve."""
    jsonschema.Draft202012Validator(
        {**DOCUMENT, "$schema": "https://json-schema.org/draft/2020-12/schema",
         **schema}).validate(value)


def check_answer(operation, answer, body):
    responses = operation["responses"]
    response = resolve(responses.get(str(answer.status), responses["default"]))
    assert answer.getheader("Cache-Control") == "no-store"
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    for header in response.get("headers", {}):
        assert answer.getheader(header)
    if "content" not in response:
        assert body == b""
        return
    kind = answer.getheader("Content-Type").split(";")[0]
    assert kind in response["content"]
    lines = body.splitlines() if kind.endswith("ndjson") else [body]
    for line in lines if kind.endswith("json") else []:
        check(json.loads(line), response["content"][kind]["schema"])


# What stands in the server's store (tests/unit/api_fixture.h).
EXAMPLES = {
    "version": ["1", "2", "x"],
    "number": ["1", "2", "3", "99", "x"],
    "key": ["30", "31", "100", "111", "120", "121", "122", "123", "124",
            "0" * 64, "x"],
    "sequence": ["30", "100", "99", "125", "x"],
    "which": ["settled", "verified", "x"],
    "file": ["2cf24dba5fb0a30e26e83b2ac5b9e29e", "x"],
    "thread": ["EUROPOL-t", "EUROPOL-m", "EUROPOL-c", "AFRIPOL-none", "x"],
    "plan": ["EUROPOL-x-2026", "EUROPOL-y-2026", "AFRIPOL-none", "x"],
}
QUERIES = {
    "/api/v1/roster": ["", "?at=30", "?at=1", "?at=99999999", "?at=x"],
    "/api/v1/audience": ["?topic=all/x", "?topic=late/x", "?topic=none/x",
                         "?topic=@EUROPOL%2BFRONTEX/x", "?topic=*", ""],
    "/api/v1/records": ["", "?log=1", "?limit=2", "?order=sequence&limit=3",
                        "?filter=all/%23&author=FRONTEX/hq&from=1&to=500",
                        "?since=2026-01-01&until=2027-01-01&after=3",
                        "?limit=x"],
    "/api/v1/outbox": ["", "?state=waiting", "?limit=1", "?after=2", "?a=b"],
    "/api/v1/refusals": ["", "?after=9", "?limit=0"],
    "/api/v1/outbox/{number}": ["", "?wait=promised&timeout_ms=0"],
    "/api/v1/bundle/meta": ["", "?filter=all/%23"],
    "/api/v1/bundle/blocks": ["", "?last=100"],
    "/api/v1/plans": ["", "?entity=EUROPOL&state=live&text=X&limit=1",
                      "?priority=organized-crime&region=EU&on=2026-05&lang=fr",
                      "?channel=members", "?priority=x", "?on=2026-02-30",
                      "?limit=501"],
    "/api/v1/plans/{plan}": ["", "?lang=fr"],
    "/api/v1/plans/{plan}/document": ["", "?revision=1", "?sequence=1",
                                      "?revision=9"],
    "/api/v1/plans/{plan}/diff": ["", "?from=1&to=1", "?from=7"],
    "/api/v1/plans/{plan}/reports": ["", "?action=A1&entity=EUROPOL"],
    "/api/v1/plans/{plan}/export": ["", "?format=csv", "?format=html",
                                    "?revision=1&format=html", "?format=x"],
    "/api/v1/overlaps": ["", "?all=true&broad=true&limit=1",
                         "?on=2026&class=possible,same&kind=training",
                         "?drafts=true&all=true&broad=true", "?all=1",
                         "?from=2026&to=2027&folded=true&plan=X&action=A1"],
    "/api/v1/gaps": ["", "?kind=unworked&thin=true&limit=2", "?region=EU",
                     "?kind=x"],
    "/api/v1/search": ["?q=action", "?q=action&kind=plan,report&limit=1", "",
                       "?q=!", "?q=x&kind=x"],
    "/api/v1/quarantine": ["", "?offset=1"],
    "/api/v1/cycle": ["", "?kind=overlaps", "?format=csv",
                      "?kind=overlaps&format=html&from=2025&to=2026-06",
                      "?from=2027&to=2026"],
    "/api/v1/threads": ["", "?kind=align,meeting&state=open&limit=1&lang=fr",
                        "?entity=EUROPOL&with=AFRIPOL&about=EUROPOL-x-2026",
                        "?waiting=true&unread=true&text=x&channel=members",
                        "?series=s", "?kind=x", "?state=x", "?waiting=1"],
    "/api/v1/threads/{thread}": ["", "?kind=align&channel=members&limit=1",
                                 "?before=1", "?limit=0"],
    "/api/v1/threads/{thread}/note": ["", "?version=1", "?version=9"],
    "/api/v1/threads/{thread}/text": ["", "?version=1", "?version=x"],
    "/api/v1/threads/{thread}/export": ["", "?format=json", "?format=x",
                                        "?version=1&lang=fr"],
    "/api/v1/calendar": ["", "?series=s&channel=members", "?series=x"],
    "/api/v1/inbox": ["", "?lang=fr&limit=1", "?limit=x"],
    "/api/v1/leaves": ["", "?from=3&count=4", "?from=999", "?count=0"],
}
BODIES = {
    "/api/v1/messages": [
        {"topic": "all/x", "format": "json", "content": {"a": 1.5}},
        {"topic": "all/x", "format": "text", "content": "é\u0000"},
        {"topic": "all/x", "format": "octets", "references": ["ab" * 32],
         "content": base64.b64encode(b"\0\xff").decode()},
        {"topic": "none/x", "format": "text", "content": "x"},
        {"topic": "late/x", "format": "text", "content": "x"},
        {"topic": "", "format": "text", "content": "x"},
        {"topic": "all/x", "format": "text", "content": ""},
        {"topic": "all/x"},
        [],
    ],
    "/api/v1/contributions": [b"", b"x"],
}


def paths_of(path):
    name = re.search(r"{(\w+)}", path)
    values = EXAMPLES[name[1]] if name else [""]
    for value in values:
        for query in QUERIES.get(path, [""]):
            yield re.sub(r"{\w+}", value, path) + query


def test_document_is_openapi():
    assert DOCUMENT["openapi"].startswith("3.1")
    ids = [o["operationId"] for _, _, o in operations()]
    assert len(set(ids)) == len(ids)
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_references_resolve():
    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                resolve(node)
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)
    walk(DOCUMENT)


def test_same_routes_and_parameters():
    out = subprocess.run([server_path(), "--routes"], capture_output=True,
                         text=True, check=True).stdout
    code = {}
    for line in out.splitlines():
        method, path, *query = line.split()
        code[method, path] = set(query)
    document = {
        (method, path): {p["name"] for p in operation.get("parameters", [])
                         if p["in"] == "query"}
        for method, path, operation in operations()}
    assert code == document
    for (_, path), _query in code.items():
        in_path = set(re.findall(r"{(\w+)}", path))
        for method, p, operation in operations():
            if p == path:
                assert in_path == {q["name"] for q in
                                   operation.get("parameters", [])
                                   if q["in"] == "path"}


def test_same_roles():
    """Each operation says which role it needs, and the code asks for it."""
    out = subprocess.run([server_path(), "--roles"], capture_output=True,
                         text=True, check=True).stdout
    code = {}
    for line in out.splitlines():
        method, path, role = line.split()
        code[method, path] = role
    assert set(code.values()) == {"reader", "drafter", "releaser", "operator",
                                  "publish"}
    assert code == {(method, path): operation["x-parley-role"]
                    for method, path, operation in operations()}


NDJSON = {"Accept": "application/x-ndjson"}


def test_records_as_lines(server):
    operation = DOCUMENT["paths"]["/api/v1/records"]["get"]
    for query in QUERIES["/api/v1/records"]:
        path = "/api/v1/records" + query
        answer, body = server.ask("GET", path, None, NDJSON)
        check_answer(operation, answer, body)
        _, page = server.ask("GET", path)
        if answer.status == 200:
            assert answer.getheader("Content-Type") == NDJSON["Accept"]
            assert [json.loads(line) for line in body.splitlines()] == \
                json.loads(page)["records"]
        else:
            assert body == page
    for accept in ("application/json, application/x-ndjson", "*/*",
                   "application/x-ndjsonx"):
        answer, _ = server.ask("GET", "/api/v1/records", None,
                               {"Accept": accept})
        assert answer.getheader("Content-Type") == "application/json"


def test_served_document_is_this_one(server):
    _, body = server.ask("GET", "/api/v1/openapi.json")
    assert json.loads(body) == DOCUMENT


# The server of the fixtures derives no plans: test_real_agent does.
DERIVED = ("plans", "overlaps", "gaps", "taxonomy", "quarantine", "search",
           "cycle", "drafts", "files", "threads", "calendar", "inbox")


def is_derived(path):
    return path.removeprefix("/api/v1/").split("/")[0] in DERIVED


@pytest.mark.parametrize(
    "method,path", [(m, p) for m, p, _ in operations() if m == "GET"])
def test_get(server, method, path):
    operation = DOCUMENT["paths"][path]["get"]
    seen = set()
    for url in paths_of(path):
        answer, body = server.ask(method, url)
        seen.add(answer.status)
        check_answer(operation, answer, body)
    assert 200 in seen or is_derived(path)


@pytest.mark.parametrize("path", BODIES)
def test_post(server, path):
    operation = DOCUMENT["paths"][path]["post"]
    kind, = operation["requestBody"]["content"]
    seen = set()
    for body in BODIES[path]:
        octets = body if isinstance(body, bytes) else json.dumps(body)
        for headers in ({}, {"Idempotency-Key": f"k{body}".encode().hex()[:9]},
                        {"Idempotency-Key": "\t"}, {"Content-Type": "a/b"}):
            answer, got = server.ask(
                "POST", path, octets, {"Content-Type": kind, **headers})
            seen.add(answer.status)
            check_answer(operation, answer, got)
    assert {400, 415, 422} <= seen
    if path.endswith("messages"):
        assert {202, 409} <= seen


def test_good_drafts_fit_their_schema():
    """What is accepted is what the document allows."""
    for draft in BODIES["/api/v1/messages"][:3]:
        check(draft, DOCUMENT["components"]["schemas"]["MessageDraft"])


def test_operators_words(server):
    """POSTs that bring nothing and say nothing but that it is done."""
    for path, status in (("/api/v1/notices/1/acknowledge", 204),
                         ("/api/v1/notices/1/acknowledge", 204),
                         ("/api/v1/notices/99/acknowledge", 404),
                         ("/api/v1/notices/x/acknowledge", 404),
                         ("/api/v1/link/retry", 204),
                         ("/api/v1/witness/resume", 204)):
        template = re.sub(r"notices/\w+/", "notices/{number}/", path)
        answer, body = server.ask("POST", path)
        assert answer.status == status
        check_answer(DOCUMENT["paths"][template]["post"], answer, body)
    _, body = server.ask("GET", "/api/v1/status")
    [notice] = json.loads(body)["notices"]
    assert notice["acknowledged"]


def test_settled_by(server):
    _, body = server.ask("GET", "/api/v1/records/100")
    settled = json.loads(body)["settled"]
    assert settled["size"] == 125 and settled["quorum"] == 2
    assert [one["witness"] for one in settled["cosigned"]] == \
        ["EUROPOL/hq", "FRONTEX/hq"]


def test_delete(server):
    operation = DOCUMENT["paths"]["/api/v1/outbox/{number}"]["delete"]
    for number, status in ((3, 204), (3, 409), (1, 409), (99, 404)):
        answer, body = server.ask("DELETE", f"/api/v1/outbox/{number}")
        assert answer.status == status
        check_answer(operation, answer, body)


def test_events(server):
    connection = Connection(server.socket)
    connection.request("GET", "/api/v1/events?after=0&log=1")
    answer = connection.getresponse()
    assert answer.getheader("Content-Type").startswith("text/event-stream")
    position = 0
    while position < 12:
        name = data = None
        while (line := answer.readline().decode().rstrip("\n")):
            field, _, value = line.partition(": ")
            if field == "id":
                position = int(value.split("-")[1])
            name = value if field == "event" else name
            data = value if field == "data" else data
        if name == "record":
            record = json.loads(data)
            check(record, {"$ref": "#/components/schemas/Record"})
            assert record["position"] == position
    connection.close()

    connection = Connection(server.socket)
    connection.request("GET", "/api/v1/events",
                       headers={"Last-Event-ID": "0123456789abcdef-99"})
    answer = connection.getresponse()
    while (line := answer.readline().decode()) != "event: gap\n":
        assert line.startswith(":") or line == "\n"
    assert re.fullmatch(rb"id: [0-9a-f]{16}-0\n", answer.readline())
    check(json.loads(answer.readline().removeprefix(b"data: ")),
          {"$ref": "#/components/schemas/Gap"})
    connection.close()


def test_tcp_wants_a_token(server):
    for token, status in ((None, 401), ("x" * 32, 401), (server.token, 200)):
        connection = http.client.HTTPConnection("127.0.0.1", server.port,
                                                timeout=60)
        connection.request("GET", "/api/v1/status", headers=(
            {"Authorization": f"Bearer {token}"} if token else {}))
        answer = connection.getresponse()
        assert answer.status == status
        check_answer(DOCUMENT["paths"]["/api/v1/status"]["get"], answer,
                     answer.read())
        connection.close()


def test_unknown_paths_and_methods(server):
    for method, path, status in (("GET", "/", 404), ("GET", "/api/v2", 404),
                                 ("POST", "/api/v1/status", 405),
                                 ("PATCH", "/api/v1/outbox/1", 405)):
        answer, body = server.ask(method, path)
        assert answer.status == status
        check(json.loads(body), {"$ref": "#/components/schemas/Problem"})


def plan_of(name, **changes):
    action = {"id": "A1", "title": {"en": "An action", "fr": "Une action"},
              "kind": "training", "goals": ["G1"], "status": "planned",
              "priorities": ["organized-crime"], "regions": ["EU"],
              "from": "2020", "to": "2021-03", "lead": "EUROPOL",
              "partners": [], "milestones": [
                  {"id": "M1", "title": "First", "due": "2020-05-01"}],
              "indicators": [{"id": "I1", "title": "Trained", "unit": "people",
                              "targets": [{"at": "2021", "value": 10}]}]}
    return {"format": 1, "plan": name, "entity": "EUROPOL", "lang": "en",
            "title": "A plan", "cycle": {"from": "2020", "to": "2030"},
            "handling": "TLP:GREEN", "priorities": ["organized-crime"],
            "regions": ["EU"], "goals": [{"id": "G1", "title": "A goal"}],
            "actions": [action], **changes}


def plans_publish(agent):
    """Something of each kind, and a draft."""
    x, y = "EUROPOL-x-2026", "EUROPOL-y-2026"
    plan = plan_of(x)
    report = {"format": 1, "report": x, "action": "A1",
              "period": {"from": "2020", "to": "2020"}, "status": "active",
              "milestones": [{"id": "M1", "done": "2020-06"}],
              "indicators": [{"id": "I1", "at": "2020-07", "value": 2.5}]}
    annex = {"format": 1, "annex": "more", "plan": x, "entity": "EUROPOL",
             "adds": {"A1": {"note": "Only for members"}}}
    for kind, name, body in (
            ("plan", x, plan), ("plan", x, {**plan, "title": "Another"}),
            ("annex", x, annex), ("report", x, report), ("plan", y, plan_of(y)),
            ("plan", y, {"format": 1, "withdraw": y, "reason": "Off"})):
        number = agent.publish(f"members/{kind}/EUROPOL/{name}", body,
                               "json")["number"]
        entry = agent.wait_entry(number)
        agent.wait_plans(entry["sequence"], name)
    agent.ask("POST", "drafts", plan_of("EUROPOL-z"), code=201)


def threads_publish(agent):
    """A thread of some kinds, with something of each sort in it."""
    post = DOCUMENT["paths"]
    instant = "2027-03-01T10:00:00+01:00"
    align = {"title": {"en": "One", "fr": "Une"}, "invited": ["AFRIPOL"],
             "deadline": "2099-12-31", "rule": "all", "type": "joint",
             "about": [{"ref": "EUROPOL-x-2026#A1"}], "undertakings": [
                 {"id": "U1", "who": "EUROPOL", "what": "It", "by": instant}]}
    meeting = {"title": "M", "invited": ["AFRIPOL"], "from": instant,
               "to": instant, "zone": "Europe/Paris", "place": "Here",
               "series": "s", "edition": 1, "agenda": [
                   {"id": "A", "title": "First"}]}
    text = {"title": "C", "invited": ["AFRIPOL"], "binding": "en",
            "minutes_of": "EUROPOL-m", "decisions": [{"id": "D", "text": "D"}],
            "paragraphs": [{"id": "p", "text": "Yes"}]}
    opened = {"EUROPOL-t": ("align", align), "EUROPOL-m": ("meeting", meeting),
              "EUROPOL-c": ("communique", text)}
    for id_, (kind, proposal) in opened.items():
        body = {"channel": "members", "kind": kind, "id": id_,
                "proposal": proposal}
        check(body, {"$ref": "#/components/schemas/ThreadNew"})
        threads_say(agent, "threads", post["/api/v1/threads"]["post"], body)
    messages = post["/api/v1/threads/{thread}/messages"]["post"]
    for id_, body in (
            ("t", {"does": "comment", "text": "Why?"}),
            ("t", {"does": "suggest", "text": "More", "version": 1}),
            ("t", {"does": "contribution", "title": "I", "text": "Here"}),
            ("t", {"does": "done", "undertaking": "U1", "day": "2026-11-01"}),
            ("m", {"does": "attendance", "present": [{"entity": "AFRIPOL"}]}),
            ("c", {"does": "stance", "says": "adopt", "reservation": "But"}),
            ("t", {"does": "propose", **align})):
        check(body, {"$ref": "#/components/schemas/ThreadMessageNew"})
        threads_say(agent, f"threads/EUROPOL-{id_}/messages", messages, body)
    for path, body, status in (
            ("threads", {"channel": "members", "kind": "align", "id": "EUROPOL-t",
                         "proposal": align}, 409),
            ("threads", {"kind": "align"}, 400), ("threads", [], 400),
            ("threads", {"channel": "members", "kind": "align",
                         "proposal": {}}, 422),
            ("threads/EUROPOL-t/messages", {"does": "close"}, 422),
            ("threads/EUROPOL-none/messages", {"does": "comment"}, 404)):
        threads_ask(agent, path, messages, body, status)
    read = post["/api/v1/inbox/read"]["post"]
    topic = "members/align/EUROPOL/EUROPOL-t"
    for body, status in (({"topic": topic}, 200), ({"sequence": 1}, 400),
                         ({"topic": topic, "sequence": 1}, 200), ([], 400),
                         ({"topic": "members/align/EUROPOL/EUROPOL-x"}, 404)):
        threads_ask(agent, "inbox/read", read, body, status)


def threads_ask(agent, path, operation, body, status):
    answer, got = ask(agent.socket, "POST", f"/api/v1/{path}",
                      json.dumps(body), {"Content-Type": "application/json"})
    assert answer.status == status, got
    check_answer(operation, answer, got)
    return json.loads(got)


def threads_say(agent, path, operation, body):
    """Published, and derived."""
    out = threads_ask(agent, path, operation, body, 202)
    sequence = agent.wait_entry(out["number"])["sequence"]
    wait_for(lambda: any(one["last"]["sequence"] >= sequence for one in
                         agent.get("threads")["threads"]),
             lambda: agent.get("threads"))


CSV = ("id,title,kind,priorities,regions,from,to,lead,status\n"
       "A1,An action,training,organized-crime,EU,{},2021,EUROPOL,planned\n")


def plans_posted(agent):
    """What is judged, converted and kept."""
    post = DOCUMENT["paths"]
    bad = plan_of("EUROPOL-x-2026", cycle={"from": "2020-02-30", "to": "2021"})
    kept = json.dumps(bad)
    for method, template, query, kind, body, status in (
            ("POST", "plans/check", "?topic=members", "json",
             json.dumps(plan_of("EUROPOL-x-2026")), 200),
            ("POST", "plans/check", "", "json", kept, 200),
            ("POST", "plans/check", "", "json", "[]", 200),
            ("POST", "plans/check", "", "json", "{", 400),
            ("POST", "plans/check", "?topic=*", "json", kept, 400),
            ("POST", "plans/check", "", "csv", kept, 415),
            ("POST", "plans/convert", "?plan=EUROPOL-t&title=T&from=2020&to=2021"
             "&handling=TLP:GREEN&priorities=organized-crime&regions=EU", "csv",
             CSV.format("2020"), 200),
            ("POST", "plans/convert", "", "csv", CSV.format("03/04/2020"), 200),
            ("POST", "plans/convert", "?dates=x", "csv", "", 400),
            ("POST", "drafts", "", "json", kept, 201),
            ("POST", "drafts", "", "json", "[]", 400),
            ("PUT", "drafts/{number}", "1", "json", kept, 200),
            ("PUT", "drafts/{number}", "99", "json", kept, 404),
            ("PUT", "drafts/{number}", "0", "json", kept, 404),
            ("DELETE", "drafts/{number}", "1", None, None, 204),
            ("DELETE", "drafts/{number}", "1", None, None, 404)):
        kind = {"json": "application/json", "csv": "text/csv"}.get(kind)
        path = f"/api/v1/{template}".replace("{number}", "") + query
        answer, got = ask(agent.socket, method, path, body,
                          {"Content-Type": kind} if kind else {})
        assert answer.status == status, (path, got)
        check_answer(post["/api/v1/" + template][method.lower()], answer, got)
    out = agent.ask("POST", "messages", code=422, body={
        "topic": "members/plan/EUROPOL/EUROPOL-x-2026", "format": "json",
        "content": bad})
    check(out, {"$ref": "#/components/schemas/Problem"})
    assert [one["pointer"] for one in out["problems"]] == ["/cycle/from"]


def file_send(agent):
    answer, _ = ask(agent.socket, "POST",
                    "/api/v1/files?channel=members&name=a.txt", b"hello",
                    {"Content-Type": "application/octet-stream"})
    assert answer.status == 202
    agent.get(f"files/{EXAMPLES['file'][0]}?wait=complete&timeout_ms=20000")


def test_real_agent(dialogue, brokers, agents):
    """The same of an agent that is linked: all that the fixtures made up."""
    broker = brokers(dialogue)
    broker.init()
    agent = agents("EUROPOL/hq", broker.start()).start()
    number = agent.publish("members/note/x", {"a": [1, 2.5]}, "json")["number"]
    sequence = agent.wait_entry(number)["sequence"]
    plans_publish(agent)
    file_send(agent)
    threads_publish(agent)
    for method, path, operation in operations():
        if method != "GET":
            continue
        seen = set()
        for url in paths_of(path):
            answer, body = ask(agent.socket, method, url)
            check_answer(operation, answer, body)
            seen.add(answer.status)
        assert 200 in seen or not is_derived(path), path
    plans_posted(agent)
    record = agent.get(f"records/{sequence}")
    assert record["content"] == {"a": [1, 2.5]}
    assert record["promise"]["sequence"] == sequence
    assert agent.get("status")["link"]["state"] == "ready"
    out = agent.ask("POST", "messages", code=422, body={
        "topic": "nobody/x", "format": "text", "content": "x"})
    assert out["type"] == "urn:parley:problem:EMPTY-AUDIENCE"
