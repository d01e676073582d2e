"""Web as it is served: gunicorn on a socket, with clients that hang up, dawdle, or are there when it must end."""

import socket
import threading

import pytest
import urllib3

from ingest_queue.access.actor import LOCAL
from ingest_queue.access.people import Role
from ingest_queue.engine import Engine
from tests.redis.http_side import LINES, Api
from tests.servers.ports import free_port
from tests.servers.processes import Process, Processes, wait_for

HEAD = b"POST /api/indexes/cities/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(LINES)
CUT_OFF = {
    "length": HEAD + b"Content-Length: %d\r\n\r\n" % (len(LINES) + 1) + LINES,
    "between chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(LINES), LINES),
    "in a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (len(LINES) + 9, LINES),
    "no chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + LINES,
}


class Web:
    """A running web server: its process, its port, and the engine behind it."""

    def __init__(self, process: Process, port: int, api: Api) -> None:
        self.process, self.port, self.api = process, port, api

    def connect(self, request: bytes) -> socket.socket:
        """Send bytes; return the open connection."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(request)
        return connection

    def answers(self) -> bool:
        """Whether another client is answered now."""
        try:
            return urllib3.request("GET", f"http://127.0.0.1:{self.port}/healthz", retries=False, timeout=1).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def jobs(self) -> int:
        return len(self.api.engine.list().items)

    def stored_bytes(self) -> int:
        return self.api.engine.store.payloads.stored_bytes()


@pytest.fixture
def web(engine: Engine, processes: Processes) -> Web:
    """One process of gunicorn as the Procfile starts it."""
    port = free_port()
    port = free_port()
    env = {"INGEST_HOST": "0.0.0.0", "INGEST_PORT": str(port), "REDIS_URL": engine.config.redis_url, "WEB_CONCURRENCY": "1"}
    refused = processes.web(env)
    assert refused.wait() != 0
    assert "ingest-queue users create" in refused.tail()

    engine.directory.create_user("ada@example.com", by=LOCAL, role=Role.ADMIN, password="correct horse")
    web = Web(processes.web(env), port, Api(engine))
    wait_for(web.answers, what="web")


@pytest.mark.parametrize(("host", "status"), [("localhost:8000", 200), ("127.0.0.1:8000", 200), ("evil.example:8000", 400)])
def test_only_this_machines_names_are_answered_while_web_is_local(engine: Engine, host: str, status: int) -> None:
    """A page in the operator's browser can make its own name lead to 127.0.0.1; its requests say that name."""
    assert Api(engine).http.get("/api/jobs", headers={"Host": host}).status_code == status
