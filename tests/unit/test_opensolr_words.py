"""The tables of the Opensolr dialect and its envelope, without a request to any engine."""

from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis.exceptions import ConnectionError as RedisAway

from ingest_queue.errors import (
    Conflict,
    Denied,
    Invalid,
    Missing,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
)
from ingest_queue.schema.definition import Definition
from ingest_queue.states import State, allowed
from web.dialects.opensolr_documents import is_searchable, lacking
from web.dialects.opensolr_words import ACTIONS, LABELS, NUMBERS
from web.dialects.opensolr_words import allowed as actions
from web.errors import answer_errors
from web.replies import OrjsonProvider, number_requests

SECRET = "the inside of an exception"
PATHS = ("/api/ingest", "/api/check_schema", "/solr_manager/api")
FIELDS = [{"name": name, "type": "text"} for name in ("title", "description", "text")]
READY = {"slug": "pages", "id": {"rule": "uri_md5"}, "fields": FIELDS, "open": ["meta_*"]}


@dataclass(frozen=True)
class Told:
    """What is raised, and how these clients are told."""

    error: Exception
    status: int
    msg: str


TOLD = {
    "no key": Told(Unauthenticated("no_key", "one"), 401, "ERROR_AUTHENTICATION_FAILED"),
    "scope": Told(Denied("forbidden", "two"), 401, "ERROR_AUTHENTICATION_FAILED"),
    "index": Told(Missing("index_not_found", "no such index"), 403, "NOT_OWNER_ERROR"),
    "job": Told(Missing("job_not_found", "no such job"), 404, "ERROR_JOB_NOT_FOUND"),
    "upload": Told(Invalid("upload_incomplete", "it broke off"), 400, "ERROR_BAD_REQUEST"),
    "size": Told(TooLarge("payload_too_large", "over the limit"), 413, "ERROR_PAYLOAD_TOO_LARGE"),
    "type": Told(Unsupported("unsupported_encoding", "not brotli"), 415, "ERROR_UNSUPPORTED_MEDIA_TYPE"),
    "rate": Told(RateLimited("rate_limited", "slower", 7), 429, "ERROR_RATE_LIMIT"),
    "full": Told(Unavailable("redis_full", "Redis is full", 30), 503, "ERROR_UNAVAILABLE"),
    "away": Told(RedisAway(SECRET), 503, "ERROR_UNAVAILABLE"),
    "bug": Told(KeyError(SECRET), 500, "ERROR_INTERNAL"),
}


@pytest.fixture
def client() -> FlaskClient:
    """An application whose only views raise."""
    app = Flask(__name__)
    app.json = OrjsonProvider(app)
    number_requests(app)
    answer_errors(app)
    for number, path in enumerate(PATHS):

        def fail(name: str) -> str:
            raise TOLD[name].error

        app.add_url_rule(f"{path}/<name>", f"fail-{number}", fail)
    return app.test_client()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", TOLD)
def test_every_error_has_its_status_and_code(client: FlaskClient, path: str, name: str) -> None:
    """Clients compare `status` and `msg`, on every path that is theirs."""
    reply, told = client.get(f"{path}/{name}"), TOLD[name]
    body = reply.get_json()
    assert (reply.status_code, body["status"], body["msg"]) == (told.status, False, told.msg)
    assert reply.mimetype == "application/json"
    assert body["detail"]
    assert SECRET not in reply.text


def test_whatever_is_wrong_with_credentials_is_told_alike(client: FlaskClient) -> None:
    """A difference would tell a stranger which half of a guess was right."""
    assert client.get("/api/ingest/no key").data == client.get("/api/ingest/scope").data


@pytest.mark.parametrize("name", ["rate", "full"])
def test_what_may_succeed_later_says_when(client: FlaskClient, name: str) -> None:
    """Clients parse it as a whole number and wait a minute where there is none."""
    assert int(client.get(f"/api/ingest/{name}").headers["Retry-After"]) > 0


@pytest.mark.parametrize("state", State)
def test_each_state_has_a_label_and_a_number(state: State) -> None:
    """A state without one would be a 500 for whoever asks."""
    assert 0 <= NUMBERS[LABELS[state]] <= 5


def test_numbers_are_those_that_clients_compare() -> None:
    """1 ends their wait; 3 and 4 are errors to them."""
    assert NUMBERS == {"pending": 0, "completed": 1, "processing": 2, "failed": 3, "stopped": 4, "paused": 5}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.PENDING, ["pause", "stop", "delete"]),
        (State.RUNNING, ["pause", "stop", "delete"]),
        (State.PAUSED, ["resume", "save_payload", "delete"]),
        (State.STOPPED, ["resume", "retry", "save_payload", "delete"]),
        (State.COMPLETED, ["retry", "delete"]),
        (State.FAILED, ["retry", "save_payload", "delete"]),
        (State.CANCELED, ["delete"]),
    ],
)
def test_allowed_actions_are_those_of_the_document(state: State, expected: list[str]) -> None:
    """Its table of available actions, row by row; a failed job is retried there and not resumed."""
    assert actions(state, allowed(state)) == expected
    assert set(expected) <= set(ACTIONS)


def test_a_conflict_says_label_and_actions_in_their_words() -> None:
    """Our own words of verbs and states mean nothing to these clients."""
    app = Flask(__name__)
    app.json = OrjsonProvider(app)
    answer_errors(app)

    @app.get("/api/ingest")
    def fail() -> str:
        raise Conflict("invalid_state", "not now", state=State.FAILED.value, allowed=list(allowed(State.FAILED)))

    body = app.test_client().get("/api/ingest").get_json()
    assert (body["msg"], body["state_label"]) == ("ERROR_INVALID_STATE", "failed")
    assert body["allowed"] == ["retry", "save_payload", "delete"]
    assert set(body) == {"status", "msg", "detail", "state_label", "allowed"}


def test_an_index_with_all_that_these_clients_send_is_ready() -> None:
    """The definition of the docs."""
    assert lacking(Definition.parse(READY)) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"id": {"rule": "field", "field": "uri"}}, "uri_md5"),
        ({"id": {"rule": "uri_md5", "field": "url"}}, "uri_md5"),
        ({"fields": FIELDS[1:]}, "title"),
        ({"fields": [*FIELDS[:2], {"name": "text", "type": "long"}]}, "text"),
        ({"open": []}, "meta_*"),
        ({"open": ["*_meta"]}, "meta_*"),
        ({"open": ["meta_a*"]}, "meta_*"),
        ({"open": [{"pattern": "meta_*", "type": "long"}]}, "meta_*"),
    ],
)
def test_what_an_index_lacks_is_named(change: dict[str, object], word: str) -> None:
    """Whoever mends the definition needs the one thing to change."""
    (missing,) = lacking(Definition.parse(READY | change))
    assert word in missing


@pytest.mark.parametrize("pattern", ["*", "m*", "meta*", "meta_*"])
def test_wider_open_patterns_will_do(pattern: str) -> None:
    """They let in every field that these clients name."""
    assert lacking(Definition.parse(READY | {"open": [pattern]})) == []


def test_an_index_can_be_searched_when_one_text_field_is_there() -> None:
    """It is what `keyword_search` promises."""
    assert is_searchable(Definition.parse(READY | {"fields": FIELDS[:1]}))
    assert not is_searchable(Definition.parse(READY | {"fields": []}))
