"""The Python client against a real HTTP server whose answers each test writes down."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, request
from werkzeug.serving import make_server

from ingest_queue.client import Client, Refused, Unreachable
from ingest_queue.states import State

Reply = tuple[Any, int, dict[str, str]]
OK: Reply = ({"id": "1"}, 200, {})
JOB = "0" * 32


def not_now(status: int = 503, seconds: str = "7", code: str = "payload_budget") -> Reply:
    return {"code": code, "detail": "not now", "status": status}, status, {"Retry-After": seconds}


class Script:
    """Answers requests with the replies of a list, in order, the last one again and again; keeps what was asked."""

    def __init__(self) -> None:
        self.replies: list[Reply] = [OK]
        self.asked: list[tuple[str, str, bytes, dict[str, str]]] = []

    def answer(self, **_path: str) -> Response | Reply:
        self.asked.append((request.method, request.full_path.rstrip("?"), request.stream.read(), dict(request.headers)))
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now_s, self.slept = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(script: Script, clock: Clock) -> Iterator[Client]:
    """A client of the script's server."""
    app = Flask(__name__)
    app.add_url_rule(
        "/<path:path>", "all", script.answer, methods=["GET", "POST", "PUT", "DELETE"], provide_automatic_options=False
    )
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Client(f"http://127.0.0.1:{server.server_port}/", patience_s=30, sleep=clock.sleep, clock=clock)
    server.shutdown()
    thread.join()
    server.server_close()


def test_not_now_is_asked_again_when_the_server_said(client: Client, script: Script, clock: Clock) -> None:
    """A server that names its time must neither be hammered nor be kept waiting."""
    script.replies = [not_now(503, "7"), not_now(429, "3"), OK]
    assert client.get(JOB) == OK[0]
    assert clock.slept == [7, 3]


def test_patience_ends(client: Client, script: Script, clock: Clock) -> None:
    """A script must hear that the server stays full, in the server's own words."""
    script.replies = [not_now(503, "20")]
    with pytest.raises(Refused, match="not now"):
        client.get(JOB)
    assert clock.slept == [20]


def test_a_refused_upload_is_sent_again_whole(client: Client, script: Script) -> None:
    """The second try must not begin where the first one stopped reading the file."""
    script.replies = [not_now(), OK]
    file = io.BytesIO(b"skipped\n" + b'{"a":1}\n' * 1000)
    file.seek(8)
    client.submit("cities", file)
    assert [body for _, _, body, _ in script.asked] == [b'{"a":1}\n' * 1000] * 2


def test_a_submit_that_may_have_been_done_is_not_sent_again(client: Client, script: Script) -> None:
    """Redis went away around it: a second one could double every document."""
    script.replies = [not_now(code="redis_away"), OK]
    with pytest.raises(Refused):
        client.submit("cities", io.BytesIO(b'{"a":1}\n'))
    assert len(script.asked) == 1


def test_a_date_of_a_proxy_counts_as_no_number_of_seconds(client: Client, script: Script) -> None:
    """Retry-After may be a date; the client must wait, not break."""
    script.replies = [not_now(503, "Mon, 23 Nov 2026 02:00:00 GMT"), OK]
    assert client.get(JOB)["id"] == "1"


def test_a_pipe_is_not_sent_twice(client: Client, script: Script) -> None:
    """What was read from a pipe is gone; a second try would submit only the rest."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    script.replies = [not_now(), OK]
    with pytest.raises(Refused):
        client.submit("cities", Pipe(b'{"a":1}\n'))
    assert len(script.asked) == 1


def test_an_upload_streams_and_tells_how_far_it_is(client: Client, script: Script) -> None:
    """A file of 100 MB is never in memory, and its bar moves."""
    sent: list[int] = []
    client.submit("a b", io.BytesIO(b"x" * 1_000_000), form="array", encoding="gzip", on_duplicate="reject", progress=sent.append)
    (method, path, body, headers) = script.asked[0]
    assert (method, path) == ("POST", "/api/indexes/a b/documents?on_duplicate=reject&source=API")
    assert (headers["Content-Type"], headers["Content-Encoding"], headers["Transfer-Encoding"]) == (
        "application/json",
        "gzip",
        "chunked",
    )
    assert len(body) == sent[-1] == 1_000_000
    assert len(sent) > 3


def test_a_refusal_carries_its_code_and_data(client: Client, script: Script) -> None:
    """Programs branch on the code; `allowed` says what else could be asked."""
    problem = {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "no",
        "code": "invalid_state",
        "allowed": ["retry"],
    }
    script.replies = [(problem, 409, {})]
    with pytest.raises(Refused) as refused:
        client.ask(JOB, "pause")
    error = refused.value
    assert (error.status, error.code, error.message, error.data) == (409, "invalid_state", "no", {"allowed": ["retry"]})


def test_a_page_of_a_proxy_is_a_refusal_too(client: Client, script: Script) -> None:
    """Whatever stands between answers in HTML; the status is still an answer."""
    script.replies = [("<html>", 502, {})]
    with pytest.raises(Refused, match="502"):
        client.get(JOB)


def test_pages_are_followed_to_the_end(client: Client, script: Script) -> None:
    """A listing that ends at the first page hides jobs."""
    script.replies = [
        ({"jobs": [{"id": "1"}], "next": "5-a"}, 200, {}),
        ({"jobs": [{"id": "2"}], "next": None}, 200, {}),
    ]
    assert [job["id"] for job in client.jobs(index="cities")] == ["1", "2"]
    assert [path for _, path, _, _ in script.asked] == [
        "/api/jobs?index=cities&limit=200",
        "/api/jobs?index=cities&cursor=5-a&limit=200",
    ]


def test_failures_are_followed_by_position(client: Client, script: Script) -> None:
    """Each page goes on behind the last position, so none comes twice."""
    pages = [
        {"failures": [{"position": 4}], "total": 2, "next": 4},
        {"failures": [{"position": 9}], "total": 2, "next": None},
    ]
    script.replies = [(page, 200, {}) for page in pages]
    assert [failure["position"] for failure in client.all_failures(JOB)] == [4, 9]
    assert "after=4" in script.asked[1][1]


def test_waiting_ends_when_the_job_rests(client: Client, script: Script, clock: Clock) -> None:
    """A paused job would otherwise be waited for until somebody resumes it."""
    states = (State.PENDING, State.RUNNING, State.PAUSING, State.PAUSED)
    script.replies = [({"state": state.value}, 200, {}) for state in states]
    seen: list[str] = []
    assert client.wait(JOB, every_s=2, watch=lambda job: seen.append(job["state"]))["state"] == State.PAUSED
    assert seen == list(states)
    assert clock.slept == [2, 2, 2]


def breaking(times: int) -> tuple[str, Callable[[], None], list[bytes]]:
    """Start a server that answers once, hangs up `times` times, then answers again; return its URL, its end, its log."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def serve() -> None:
        for number in range(times + 2):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(65536).split(b" HTTP")[0])
                if number in (0, times + 1):
                    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{"id":"1"}')

    thread = threading.Thread(target=serve)
    thread.start()

    def end() -> None:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()

    return f"http://127.0.0.1:{listener.getsockname()[1]}", end, asked


@pytest.mark.parametrize(("verb", "again"), [("pause", True), ("cancel", True), ("retry", False)])
def test_a_verb_whose_reply_was_lost_is_asked_again_only_if_that_is_harmless(clock: Clock, verb: str, again: bool) -> None:
    """A second pause is a success that changes nothing; a second retry would start from zero once more."""
    url, end, asked = breaking(1)
    client = Client(url, sleep=clock.sleep, clock=clock)
    client.get(JOB)
    if again:
        assert client.ask(JOB, verb)["id"] == "1"
    else:
        with pytest.raises(Unreachable):
            client.ask(JOB, verb)
    end()
    assert len(asked) == (3 if again else 2)


def test_a_submit_whose_reply_was_lost_is_not_sent_again(clock: Clock) -> None:
    """It may have made a job; only its caller can look."""
    url, end, asked = breaking(1)
    client = Client(url, sleep=clock.sleep, clock=clock)
    client.get(JOB)
    with pytest.raises(Unreachable):
        client.submit("cities", io.BytesIO(b"{}\n"))
    end()
    assert len(asked) == 2
