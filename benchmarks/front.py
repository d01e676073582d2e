"""What a benchmark of web has before it: gunicorn as the Procfile starts it, and a plain client, whose own cost is small.

Every request to it is made in `Client.call`.
"""

import re
import socket
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from benchmarks.stage import World
from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.intake.body import Form
from tests.servers.ports import free_port
from tests.servers.processes import Process, wait_for

TYPES: Final = {Form.NDJSON: "application/x-ndjson", Form.ARRAY: "application/json"}
UNLIMITED: Final = dict.fromkeys(
    ("INGEST_SUBMITS_PER_MINUTE", "INGEST_SUBMITS_PER_HOUR", "INGEST_CALLS_PER_MINUTE"), "0"
)  # it is the speed that is measured
PATIENCE_S: Final = 120
PIECE_BYTES: Final = 1 << 16
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Reply(NamedTuple):
    """What a server said."""

    status: int
    body: bytes


class Front:
    """A web server of some processes before a world's engine, or before another application with the same settings."""

    def __init__(self, world: World, processes: int = 2, application: str = "") -> None:
        self.port = free_port()
        _, secret = world.engine.keyring.issue("benchmark", [Scope.ADMIN], by=LOCAL)
        self.headers: Mapping[str, str] = {"Authorization": f"Bearer {secret}"}  # of every request
        env = {**world.environ, **UNLIMITED, "INGEST_PORT": str(self.port), "WEB_CONCURRENCY": str(processes)}
        arguments = ("-c", "web/gunicorn.conf.py", *([application] if application else []))
        self.process: Process = world.stage.processes.script("gunicorn", *arguments, env=env)

    def __enter__(self) -> Self:
        wait_for(lambda: self._listens() or not self.process.is_running, what="gunicorn")
        assert self.process.is_running, self.process.tail()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()

    def client(self) -> "Client":
        """Return a new connection that is kept alive."""
        return Client(self.port, self.headers)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


class Client:
    """One connection; a call at a time."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = {"Host": f"127.0.0.1:{port}", **headers}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def submit(self, slug: str, body: bytes) -> Reply:
        """Submit NDJSON, or a JSON array."""
        form = Form.ARRAY if body.startswith(b"[") else Form.NDJSON
        return self.call("POST", f"/api/indexes/{slug}/documents", body, TYPES[form])

    def call(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> Reply:
        """Send a request and return the answer; one that is no success is an error."""
        headers = self._headers | ({"Content-Type": content_type, "Content-Length": str(len(body))} if body else {})
        lines = (f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", "")
        head = "\r\n".join(lines).encode()
        if len(body) < PIECE_BYTES:
            self._socket.sendall(head + body)
        else:
            self._socket.sendall(head)
            self._socket.sendall(body)
        reply = self._reply()
        assert reply.status < 300, reply
        return reply

    def _reply(self) -> Reply:
        said = b""
        while (end := said.find(b"\r\n\r\n")) < 0:
            said += self._received()
        length = _LENGTH.search(said, 0, end)
        assert length, said
        size = end + 4 + int(length[1])
        while len(said) < size:
            said += self._received()
        return Reply(int(said[9:12]), said[end + 4 :])

    def _received(self) -> bytes:
        piece = self._socket.recv(PIECE_BYTES)
        assert piece, "the server closed the connection"
        return piece
