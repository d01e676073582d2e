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
        connection.sendall(request.replace(b"\r\n", b"\r\nAuthorization: Bearer %s\r\n" % self.api.secret.encode(), 1))
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
    env = {
        "REDIS_URL": engine.config.redis_url,
        "OPENSEARCH_URL": engine.config.opensearch_url,
        "INGEST_PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "INGEST_SUBMITS_PER_MINUTE": "0",
    }
    web = Web(processes.web(env), port, Api(engine))
    wait_for(web.answers, what="web")
    return web


def reply_of(connection: socket.socket) -> bytes:
    """Return everything until the server closes or has said a whole problem."""
    said = b""
    while not said.endswith(b"}") and (piece := connection.recv(65536)):
        said += piece
    return said


@pytest.mark.parametrize("request_", CUT_OFF.values(), ids=CUT_OFF)
def test_a_client_that_hangs_up_leaves_no_job_and_no_bytes(web: Web, request_: bytes) -> None:
    """What came ends at a line end, so stored as it is it would pass for a whole payload."""
    with web.connect(request_) as connection:
        connection.shutdown(socket.SHUT_WR)
        said = reply_of(connection)
    assert b"400" in said.split(b"\r\n")[0]
    assert b'"code":"upload_incomplete"' in said
    assert (web.jobs(), web.stored_bytes()) == (0, 0)


CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(LINES), LINES)
UNCLEAR = {
    "both": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(LINES),
    "both, the other way": b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n" % len(CHUNKED),
    "two lengths": b"Content-Length: 5\r\nContent-Length: %d\r\n" % len(CHUNKED),
    "no number": b"Content-Length: +%d\r\n" % len(CHUNKED),
    "below zero": b"Content-Length: -1\r\n",
    "a space": b"Transfer-Encoding : chunked\r\n",
    "another coding": b"Transfer-Encoding: xchunked\r\n",
    "line end in a header": b"X-Request-Id: a\nSet-Cookie: b=c\r\nTransfer-Encoding: chunked\r\n",
    "return in a header": b"Idempotency-Key: a\rSet-Cookie: b=c\r\nTransfer-Encoding: chunked\r\n",
    "NUL in a header": b"Idempotency-Key: a\0b\r\nTransfer-Encoding: chunked\r\n",
}


def test_a_request_that_can_be_read_in_two_ways_is_not_read_at_all(web: Web) -> None:
    """A proxy in front may see its end elsewhere; what it takes for a body would be a request here, with another's rights."""
    for name, headers in UNCLEAR.items():
        with web.connect(HEAD + headers + b"\r\n" + CHUNKED + WHOLE + LINES) as connection:
            connection.shutdown(socket.SHUT_WR)
            said = b"".join(iter(lambda: connection.recv(65536), b""))
        assert (said.count(b"HTTP/1.1 "), said.split(b" ")[1][:1]) in ((1, b"4"), (1, b"5")), (name, said)
        assert b"Set-Cookie" not in said.partition(b"\r\n\r\n")[0], name
        assert (web.jobs(), web.stored_bytes()) == (0, 0), name


def test_many_slow_uploads_hold_up_nobody(web: Web) -> None:
    """One byte now and then must cost its sender's patience only."""
    connections = [web.connect(WHOLE + LINES[:5]) for _ in range(20)]
    assert all(web.answers() for _ in range(5))
    for connection in connections:
        connection.sendall(LINES[5:])
    assert all(b"202" in connection.recv(65536).split(b"\r\n")[0] for connection in connections)
    for connection in connections:
        connection.close()
    assert web.jobs() == 20


@pytest.mark.parametrize("finish", [True, False], ids=["finishes", "hangs up"])
def test_a_shutdown_ends_an_upload_whole_or_not_at_all(web: Web, finish: bool) -> None:
    """SIGTERM lets those who are sending finish, takes nobody new, and leaves no half payload."""
    with web.connect(WHOLE + LINES[:5]) as connection:
        wait_for(web.answers, what="another request")
        ended: list[int] = []
        stop = threading.Thread(target=lambda: ended.append(web.process.stop(40)))
        stop.start()
        wait_for(lambda: not web.answers(), what="web to take no more")
        if finish:
            connection.sendall(LINES[5:])
            assert b"202" in connection.recv(65536).split(b"\r\n")[0]
        else:
            connection.shutdown(socket.SHUT_WR)
            assert b"400" in connection.recv(65536).split(b"\r\n")[0]
        stop.join()
    assert ended == [0]
    assert (web.jobs(), web.stored_bytes() > 0) == (int(finish), finish)


def test_an_early_refusal_reaches_a_client_that_still_sends(web: Web) -> None:
    """Otherwise a 404 looks like a broken connection, and clients try again and again."""
    url = f"http://127.0.0.1:{web.port}/api/indexes/none/documents"
    body = LINES * 50_000
    headers = {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {web.api.secret}"}
    reply = urllib3.request("POST", url, body=body, headers=headers, retries=False)
    assert (reply.status, reply.json()["code"]) == (404, "index_not_found")


def test_web_listens_on_this_machine_only_while_there_is_no_admin(engine: Engine, processes: Processes) -> None:
    """An installation that nobody rules yet must not be found by others first."""
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
