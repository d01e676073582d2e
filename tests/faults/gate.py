"""A gate before a real search server: bulks that carry certain documents are held, refused, or kept from their answer.

Everything else passes as it came. So a test strikes at one exact request, and a request of a run that was killed can
still reach the server, however late.
"""

import http.client
import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

HELD_S: Final = 60.0  # a test that forgets what it holds must end
JSON: Final = {"content-type": "application/json"}
BUSY: Final = {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "the gate is busy"}}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def ids(self) -> list[str]:
        """Return the ids of a bulk's documents in their order; nothing for any other request."""
        if not self.path.partition("?")[0].endswith("/_bulk"):
            return []
        return [json.loads(line)["index"]["_id"] for line in self.body.split(b"\n")[:-1:2]]

    def only(self, ids: Iterable[str]) -> "Request":
        """Return the same bulk without all other documents."""
        wanted, lines = set(ids), self.body.split(b"\n")[:-1]
        kept = [pair for id, pair in zip(self.ids(), zip(lines[::2], lines[1::2], strict=True), strict=True) if id in wanted]
        return Request(self.method, self.path, self.headers, b"".join(line + b"\n" for pair in kept for line in pair))


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's answer."""

    status: int
    headers: dict[str, str]
    body: bytes


Forward = Callable[[Request], Reply]


class Rule(Protocol):
    """What becomes of bulks that carry one of `ids`."""

    @property
    def ids(self) -> frozenset[str]: ...

    @property
    def once(self) -> bool: ...

    def answer(self, request: Request, forward: Forward) -> Reply: ...


class Held:
    """Holds one bulk until it is let go: before it reaches the server, or (`applied`) only its answer."""

    once = True

    def __init__(self, id: str, *, applied: bool = False) -> None:
        self.ids, self._applied = frozenset({id}), applied
        self._came, self._opened, self._done = threading.Event(), threading.Event(), threading.Event()

    def answer(self, request: Request, forward: Forward) -> Reply:
        early = forward(request) if self._applied else None
        self._came.set()
        self._opened.wait(HELD_S)
        reply = early or forward(request)
        self._done.set()
        return reply

    def until_here(self) -> None:
        """Wait until the bulk is at the gate (and, if applied, in the index)."""
        assert self._came.wait(HELD_S), f"no bulk with {set(self.ids)} came"

    def open(self) -> None:
        """Let it through, whenever it comes."""
        self._opened.set()

    def let_go(self) -> None:
        """Let it through; return when the server has answered, whether its sender still listens or not."""
        self.open()
        assert self._done.wait(HELD_S), "the server did not answer"


class Busy:
    """Refuses some documents with 429 each, the rest of their bulk passes; with `applied` they pass in secret."""

    once = False

    def __init__(self, ids: Iterable[str], *, applied: bool = False) -> None:
        self.ids, self._applied = frozenset(ids), applied
        self.times = 0  # how often it refused

    def answer(self, request: Request, forward: Forward) -> Reply:
        ids = request.ids()
        passing = [id for id in ids if self._applied or id not in self.ids]
        items = iter(json.loads(forward(request.only(passing)).body)["items"] if passing else [])
        true = {id: next(items) for id in passing}
        told = [{"index": BUSY} if id in self.ids else true[id] for id in ids]
        self.times += 1
        return Reply(200, JSON, json.dumps({"errors": True, "items": told}).encode())


class Gate:
    """Listens on a port of its own before `upstream`. `bulks` are the ids of each bulk that came, in order."""

    def __init__(self, upstream: str) -> None:
        self.bulks: list[list[str]] = []
        self._rules: list[Rule] = []
        self._held: list[Held] = []
        self._lock = threading.Lock()
        self._upstream = urlsplit(upstream).netloc
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def hold(self, id: str, *, applied: bool = False) -> Held:
        """Hold the next bulk that carries this document."""
        held = Held(id, applied=applied)
        self._rules.append(held)
        self._held.append(held)
        return held

    def refuse(self, ids: Iterable[str], *, applied: bool = False) -> Busy:
        """Refuse these documents until `open`."""
        busy = Busy(ids, applied=applied)
        self._rules.append(busy)
        return busy

    def open(self) -> None:
        """Hold and refuse nothing more that comes from now on."""
        with self._lock:
            self._rules.clear()

    def take(self, request: Request) -> Reply:
        """Answer one request by the first rule that concerns it."""
        ids = request.ids()
        with self._lock:
            if ids:
                self.bulks.append(ids)
            rule = next((one for one in self._rules if not one.ids.isdisjoint(ids)), None)
            if rule and rule.once:
                self._rules.remove(rule)
        return rule.answer(request, self._forward) if rule else self._forward(request)

    def _forward(self, request: Request) -> Reply:
        connection = http.client.HTTPConnection(self._upstream, timeout=HELD_S)
        try:
            connection.request(request.method, request.path, request.body or None, request.headers)
            answer = connection.getresponse()
            return Reply(answer.status, {"content-type": answer.getheader("content-type") or ""}, answer.read())
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for held in self._held:
            held.open()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(gate: Gate) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers}
            reply = gate.take(Request(self.command, self.path, headers, body))
            with suppress(ConnectionError):  # whoever asked was killed
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

        def do_POST(self) -> None:
            self.pass_on()

        def do_GET(self) -> None:
            self.pass_on()

        def do_HEAD(self) -> None:
            self.pass_on()

        def do_PUT(self) -> None:
            self.pass_on()

        def do_DELETE(self) -> None:
            self.pass_on()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a test's output is its own."""

    return Handler
