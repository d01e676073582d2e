"""A search server over real HTTP that misbehaves by script: `ScriptedSearch(index).then(Act(...), Act(...))`."""

import socket
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.servers.memory_index import MemoryIndex


@dataclass(frozen=True, slots=True)
class Act:
    """What the server does with one request; with nothing said it serves it truthfully.

    status, text: answer this, and write nothing. applies: whether the request has its effect (when no status is
    given). drops: close the connection without a word. cuts: say the whole length, send half. instead: replace the
    truthful text. until: wait for this before doing anything.
    """

    status: int | None = None
    text: str = '{"error":{"type":"scripted","reason":"as scripted"}}'
    headers: Mapping[str, str] = field(default_factory=dict)
    applies: bool = True
    drops: bool = False
    cuts: bool = False
    instead: str | None = None
    until: threading.Event | None = None


TRUTHFUL = Act()


class ScriptedSearch:
    """Serves `index` on a port of its own. `requests` are the paths and bodies that came, in order."""

    def __init__(self, index: MemoryIndex) -> None:
        self.index = index
        self.requests: list[tuple[str, bytes]] = []
        self._acts: deque[Act] = deque()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def then(self, *acts: Act) -> Self:
        """Do these with the next requests, in order; afterwards be truthful."""
        self._acts.extend(acts)
        return self

    def paths(self) -> list[str]:
        """Return what each request asked for, without the alias."""
        return [path.rpartition("/")[2] for path, _ in self.requests]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        for connection in self._server.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def play(self, path: str, params: Mapping[str, str], body: bytes) -> tuple[Act, int, bytes]:
        """Take the next act and return it with status and text of the answer."""
        with self._lock:
            act = self._acts.popleft() if self._acts else TRUTHFUL
            self.requests.append((path, body))
        if act.until:
            act.until.wait(10)
        with self._lock:
            if act.status is not None:
                return act, act.status, act.text.encode()
            status, text = self.index.answer(path, params, body) if act.applies else (200, "")
            return act, status, (text if act.instead is None else act.instead).encode()


class _Server(ThreadingHTTPServer):
    """Waits at its end for all its threads, so that no later test meets them; a client may keep its connection open."""

    daemon_threads = False

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address


def _handler(search: ScriptedSearch) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            act, status, text = search.play(url.path, dict(parse_qsl(url.query)), body)
            self.close_connection = act.drops or act.cuts
            if act.drops:
                return
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **act.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            with suppress(ConnectionError):  # the client did not wait
                self.end_headers()
                self.wfile.write(text[: len(text) // 2] if act.cuts else text)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a test's output is its own."""

    return Handler
