"""Requests that mean harm, over a real gunicorn where the server's own parser matters: refused in words, and nothing kept."""

import gzip
import re
import socket
from typing import Any, Final

import orjson
import pytest
import zstandard

from ingest_queue.access.actor import LOCAL
from ingest_queue.engine import Engine
from tests.redis.http_side import CITIES, LINES, NDJSON, Api
from tests.servers.ports import free_port
from tests.servers.processes import Processes, wait_for

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
NATIVE: Final = "/api/indexes/cities/documents"
BATCH: Final = "/api/v1/indexes/cities/documents:batch"
BRACKETS: Final = b"[" * (10 << 20)
ODD: Final = ("a:b", "*", "..", "%00", "a%0Ab", "%EF%BD%83ities", "citi%C3%ABs", "%2e%2e%2f", "_all", "cities,other")
BOMB: Final = b" " * 1023 + b"\n"
BOMB_LINES: Final = 101 << 10  # 101 MB
OURS: Final = re.compile(r"Traceback|site-packages|/ingest_queue/|/web/|File \"")
ENVELOPES: Final = {
    "/api/": "code",
    "/api/v1/": "error",
    "/api/ingest": "msg",
    "/v1/jobs/": "message",
    "/solr_manager/api/": "msg",
}


@pytest.fixture
def api(engine: Engine) -> Api:
    engine.directory.create_user("ada@example.com", by=LOCAL, account="default")
    return Api(engine)


def kept(api: Api) -> int:
    """Return a figure that is 0 when neither a job nor a byte of a payload is there."""
    return len(api.engine.list().items) + api.engine.store.payloads.stored_bytes()


def check(reply: Any, *statuses: int) -> None:
    """A refusal is JSON with a request id, and says nothing of how we are made."""
    assert reply.status_code in statuses, (reply.status_code, reply.text[:300])
    assert reply.headers["X-Request-Id"]
    assert isinstance(orjson.loads(reply.data), dict)
    assert not OURS.search(reply.text)


@pytest.mark.parametrize(("path", "type"), [(NATIVE, NDJSON), (NATIVE, JSON), (BATCH, NDJSON), (BATCH, JSON)])
def test_ten_megabytes_of_brackets_are_refused(api: Api, path: str, type: str) -> None:
    """Each is a level that a parser may recurse into."""
    check(api.http.post(path, data=BRACKETS, content_type=type), 400, 413)
    assert not kept(api)


@pytest.mark.parametrize("path", [NATIVE, BATCH])
@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)], ids=["gzip", "zstd"]
)
def test_a_bomb_is_measured_by_what_it_holds(api: Api, path: str, encoding: str, encode: Any) -> None:
    """A hundred kilobytes on the wire must not become more than a body may hold."""
    body = encode(BOMB * BOMB_LINES)
    check(api.http.post(path, data=body, content_type=NDJSON, headers={"Content-Encoding": encoding}), 413)
    assert not kept(api)


@pytest.mark.parametrize("path", [NATIVE, BATCH])
def test_a_million_empty_lines_hold_no_document(api: Api, path: str) -> None:
    """Blank lines are no documents, however many."""
    check(api.http.post(path, data=b"\n" * 1_000_000, content_type=NDJSON), 400)
    assert not kept(api)


def test_a_form_field_of_fifty_megabytes_is_refused(api: Api) -> None:
    """A form is read whole, so it has a limit of its own."""
    body = f"email=ada@example.com&api_key={api.secret}&core_name=cities&documents=".encode() + b"x" * (50 << 20)
    reply = api.client(None).post("/api/ingest", data=body, content_type=FORM)
    check(reply, 413)
    assert reply.get_json()["msg"] == "ERROR_PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(
    "path", ["/api/indexes/{}", "/api/v1/indexes/{}", "/api/jobs/{}", "/api/v1/import-jobs/{}", "/v1/jobs/queues/{}"]
)
def test_an_odd_name_is_an_unknown_one(api: Api, path: str, name: str) -> None:
    """Nothing of a URL becomes part of a key, or of a name in the cluster, where `*` means all."""
    http = api.operator if path.startswith("/v1/") else api.http
    check(http.get(path.format(name)), 404)


def test_a_key_that_stands_twice_is_told_and_the_first_is_not_lost(api: Api) -> None:
    """In a document it fails that line; in a request it is what JSON parsers make of it, never a trace."""
    job = api.submit(b'{"id":"1","id":"2"}\n')
    assert job["counts"]["total"] == 1
    check(api.http.post("/api/indexes", data=b'{"slug":"one","slug":"two"}', content_type=JSON), 400)


@pytest.mark.parametrize("header", ["X-Request-Id", "Idempotency-Key"])
def test_a_header_cannot_bring_another_into_the_reply(api: Api, header: str) -> None:
    """What is echoed is harmless, or not the caller's."""
    odd = 'x"; evil: yes\t<script>'
    reply = api.http.post(NATIVE, data=LINES, content_type=NDJSON, headers={header: odd})
    assert reply.status_code in (202, 400)
    assert "evil" not in reply.headers and odd not in str(reply.headers)


@pytest.mark.parametrize("prefix", ENVELOPES)
@pytest.mark.parametrize(("method", "part"), [("GET", "no/such/path"), ("PATCH", "queues")])
def test_what_no_dialect_has_is_told_in_its_envelope(api: Api, prefix: str, method: str, part: str) -> None:
    """A client that reads only its own envelope must be able to read that it is wrong."""
    reply = api.operator.open(f"{prefix}{part}", method=method)
    check(reply, 404, 405)
    assert ENVELOPES[prefix] in reply.get_json()


@pytest.mark.parametrize(("prefix", "path"), [("/api/", "/api/jobs/{}"), ("/api/v1/", "/api/v1/import-jobs/{}")])
def test_a_record_that_cannot_be_read_is_an_error_without_its_cause(api: Api, prefix: str, path: str) -> None:
    """What nobody foresaw is in the log, under the reply's request id, and nowhere else."""
    job = api.submit()
    store = api.engine.store.client
    options = store.hget(f"iq:job:{job['id']}", "options")
    store.hset(f"iq:job:{job['id']}", "options", "no JSON")
    try:
        reply = api.http.get(path.format(job["id"]))
    finally:
        store.hset(f"iq:job:{job['id']}", "options", options)
    check(reply, 500)
    assert "internal_error" in reply.get_json()[ENVELOPES[prefix]]


def test_both_lengths_at_once_never_make_a_job(api: Api, processes: Processes) -> None:
    """A proxy that believes the other one would see a second request in the rest of the first: smuggling."""
    port = free_port()
    config = api.engine.config
    env = {
        "REDIS_URL": config.redis_url,
        "OPENSEARCH_URL": config.opensearch_url,
        "INGEST_PORT": str(port),
        "WEB_CONCURRENCY": "1",
    }
    processes.web(env)

    def connected() -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError:
            return None

    with wait_for(connected, what="web") as connection:
        head = f"POST {NATIVE} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {api.secret}\r\nContent-Type: {NDJSON}\r\n"
        both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall((head + both).encode() + b"0\r\n\r\n" + LINES)
        said = b""
        while piece := connection.recv(65536):
            said += piece
    assert said.startswith(b"HTTP/1.1 400")
    assert not kept(api)
    assert CITIES["slug"] == api.engine.indexes.all()[0].slug
