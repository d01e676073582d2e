"""Every error becomes problem details: one shape, a code for programs, no trace of ours."""

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from redis.exceptions import ConnectionError as RedisAway

from ingest_queue.errors import Conflict, Denied, IngestError, Invalid, Missing, TooLarge, Unavailable, Unsupported
from ingest_queue.states import State, allowed
from web.errors import answer_errors
from web.replies import OrjsonProvider, number_requests

SECRET = "the inside of an exception"
RAISED: dict[str, Exception] = {
    "missing": Missing("job_not_found", "no such job"),
    "conflict": Conflict("invalid_state", "not now", state=State.PAUSED, allowed=allowed(State.PAUSED)),
    "invalid": Invalid("invalid_input", "what?", errors={"limit": ["too large"]}),
    "too_large": TooLarge("payload_too_large", "over the limit", limit_bytes=100),
    "unsupported": Unsupported("unsupported_encoding", "not brotli"),
    "denied": Denied("forbidden", "not yours"),
    "unavailable": Unavailable("redis_full", "Redis is full", retry_after_s=30),
    "redis": RedisAway(SECRET),
    "bug": KeyError(SECRET),
}


@pytest.fixture
def client() -> FlaskClient:
    """An application whose only views raise."""
    app = Flask(__name__)
    app.json = OrjsonProvider(app)
    number_requests(app)
    answer_errors(app)

    @app.get("/raise/<name>")
    def fail(name: str) -> str:
        raise RAISED[name]

    @app.post("/read")
    def read() -> str:
        request.max_content_length = 10
        return request.get_data(as_text=True)

    return app.test_client()


@pytest.mark.parametrize("name", [name for name, error in RAISED.items() if isinstance(error, IngestError)])
def test_an_ingest_error_keeps_its_status_code_words_and_data(client: FlaskClient, name: str) -> None:
    """Clients act on code and data, so none may be lost between engine and reply."""
    error = RAISED[name]
    assert isinstance(error, IngestError)
    reply = client.get(f"/raise/{name}")
    assert reply.status_code == error.status
    assert reply.mimetype == "application/problem+json"
    body = reply.get_json()
    assert (body["status"], body["code"], body["detail"]) == (error.status, error.code, error.message)
    assert body["type"] == "about:blank"
    assert body["title"]
    for key, value in error.data.items():
        assert body[key] == (list(value) if isinstance(value, tuple) else value)


def test_a_refused_verb_says_the_state_and_what_is_allowed(client: FlaskClient) -> None:
    """A client that is refused can choose a legal verb without another request."""
    body = client.get("/raise/conflict").get_json()
    assert body["state"] == State.PAUSED
    assert body["allowed"] == list(allowed(State.PAUSED))


def test_what_may_succeed_later_says_when(client: FlaskClient) -> None:
    """Without Retry-After clients hammer a full server."""
    assert client.get("/raise/unavailable").headers["Retry-After"] == "30"


def test_an_absent_redis_is_unavailable_and_not_a_bug(client: FlaskClient) -> None:
    """Clients retry a 503 and give up at a 500."""
    reply = client.get("/raise/redis")
    assert reply.status_code == 503
    assert reply.get_json()["code"] == "redis_away"
    assert int(reply.headers["Retry-After"]) > 0
    assert SECRET not in reply.text


def test_a_bug_is_answered_without_its_cause_and_logged_with_it(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """A trace in a reply tells strangers about our inside; without one in the log nobody can mend it."""
    reply = client.get("/raise/bug", headers={"X-Request-Id": "abc-1"})
    assert reply.status_code == 500
    assert reply.get_json()["code"] == "internal_error"
    assert SECRET not in reply.text
    assert SECRET in caplog.text
    assert caplog.records[-1].__dict__["request_id"] == "abc-1"


def test_routing_errors_are_problem_details_too(client: FlaskClient) -> None:
    """Flask answers these in HTML by itself, which JSON clients cannot read."""
    unknown, method = client.get("/nowhere"), client.delete("/raise/bug")
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "not_found")
    assert (method.status_code, method.get_json()["code"]) == (405, "method_not_allowed")
    assert "GET" in method.headers["Allow"]
    assert unknown.mimetype == method.mimetype == "application/problem+json"


def test_a_body_over_the_limit_is_413(client: FlaskClient) -> None:
    """A JSON body has a limit of its own, so that nobody fills the memory with a definition."""
    reply = client.post("/read", data=b"x" * 11)
    assert reply.status_code == 413
    assert reply.mimetype == "application/problem+json"


@pytest.mark.parametrize("path", ["/raise/bug", "/nowhere", "/raise/missing"])
def test_every_reply_has_a_request_id(client: FlaskClient, path: str) -> None:
    """The id is how a user's report finds its line in the log."""
    assert len(client.get(path).headers["X-Request-Id"]) == 32
    assert client.get(path, headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] == "mine"


@pytest.mark.parametrize("given", ["a" * 65, "a b", "a;b", "é"])
def test_an_odd_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    """What is echoed into headers and logs must not be able to forge either."""
    assert client.get("/nowhere", headers={"X-Request-Id": given}).headers["X-Request-Id"] != given
