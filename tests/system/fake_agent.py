"""An agent's API in little, on a Unix socket, for the command line's tests.

Answers come from a table: (method, path) to a list of answers, of which the
last one stays. An answer is an object, (status, object), (status, octets), or
a function of the request that gives one of those. All requests are kept.
"""
import http.server
import json
import socketserver
import threading
import urllib.parse


class Request:
    def __init__(self, handler, body):
        parts = urllib.parse.urlsplit(handler.path)
        self.method = handler.command
        self.path = parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query,
                                                 keep_blank_values=True))
        self.headers = {k.lower(): v for k, v in handler.headers.items()}
        self.body = body

    def json(self):
        return json.loads(self.body)


def problem(status, name, detail, **values):
    return status, {"type": f"urn:parley:problem:{name}", "title": name,
                    "status": status, "detail": detail, **values}


class Events:
    """A stream of server-sent events, in pieces as given; then cut off."""

    kind = "text/event-stream"

    def __init__(self, *pieces):
        self.pieces = pieces


class Lines(Events):
    """Objects, a line each."""

    kind = "application/x-ndjson"

    def __init__(self, *objects):
        super().__init__(*(json.dumps(o) + "\n" for o in objects))


class FakeAgent(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path):
        self.path = str(path)
        self.answers = {}
        self.requests = []
        self.seen = threading.Condition()
        super().__init__(self.path, _Handler)
        threading.Thread(target=self.serve_forever, daemon=True,
                         kwargs={"poll_interval": 0.05}).start()

    def on(self, method, path, *answers):
        self.answers[method, path] = list(answers)

    def asked(self, path):
        return [r for r in self.requests if r.path == path]

    def wait_asked(self, path, count, seconds=60):
        with self.seen:
            assert self.seen.wait_for(
                lambda: len(self.asked(path)) >= count, seconds), \
                f"{path} was asked {len(self.asked(path))} times"

    def close(self):
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *args):
        pass

    def do(self):
        size = int(self.headers.get("Content-Length") or 0)
        request = Request(self, self.rfile.read(size))
        with self.server.seen:
            answers = self.server.answers.get((request.method, request.path))
            self.server.requests.append(request)
            self.server.seen.notify_all()
        answer = problem(404, "NOT-FOUND", "nothing there")
        if answers:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Events):
            return self.stream(answer)
        status, value = answer if isinstance(answer, tuple) else (200, answer)
        octets = value if isinstance(value, bytes) else json.dumps(
            value).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        if status != 204:
            self.wfile.write(octets)

    def stream(self, events):
        self.send_response(200)
        self.send_header("Content-Type", events.kind)
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in events.pieces:
            self.wfile.write(piece.encode())
            self.wfile.flush()
        self.close_connection = True

    do_GET = do_POST = do_DELETE = do
