"""Input that wants to break in, to fill the memory or to be taken for something else, at each way in. Nothing of it is kept."""

import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import pytest
import zstandard
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ingest_queue.access.actor import LOCAL
from ingest_queue.config import MIB
from ingest_queue.engine import Engine
from ingest_queue.store import keys
from tests.redis.http_side import NDJSON, UNKNOWN, Api
from tests.redis.opensolr_side import EMAIL
from web.app import create_app

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
NATIVE, AACSEARCH = "/api/indexes/cities/documents", "/api/v1/indexes/cities/documents:batch"
SUBMITS: Final = pytest.mark.parametrize("url", [NATIVE, AACSEARCH], ids=["native", "aacsearch"])
OPENED: Final = b"[" * 10_000_000
BLANK_MIB: Final = (b" " * 1023 + b"\n") * 1024
OURS: Final = ("Traceback", ".py", "site-packages", "ingest_queue", "orjson", "decode")  # words of what is inside
SHAPES: Final = {  # dialect -> the members that each of its errors has
    "native": {"type", "title", "status", "detail", "code"},
    "opensolr": {"status", "msg", "detail"},
    "aacsearch": {"error", "message"},
    "open archiver": {"message"},
}


@pytest.fixture
def api(engine: Engine) -> Api:
    api = Api(engine)
    engine.directory.create_user(EMAIL, by=LOCAL, account="default")
    return api


def kept(api: Api) -> int:
    """Return the bytes and jobs that are there, as one figure that is 0 when nothing was kept."""
    return api.engine.store.payloads.stored_bytes() + len(api.engine.list().items)


def code_of(reply: TestResponse) -> str:
    """Return our own code of a refusal, native or AACsearch's."""
    said = reply.get_json()
    return str(said.get("code") or said.get("details", [{}])[0].get("code") or said["error"])


# Bodies -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "content_type", "body", "status", "code"),
    [
        (NATIVE, NDJSON, OPENED, 413, "line_too_large"),
        (NATIVE, JSON, OPENED, 413, "line_too_large"),
        (NATIVE, JSON, b"[" + b"[]," * 3_000_000 + b"[", 413, "too_many_documents"),
        (AACSEARCH, NDJSON, OPENED, 413, "line_too_large"),
        (AACSEARCH, JSON, OPENED, 400, "invalid_json"),
        (AACSEARCH, JSON, b'{"documents":' + OPENED, 413, "line_too_large"),
        (AACSEARCH, JSON, b'{"documents":[{}],"documents":[{}]}', 400, "invalid_json"),
        ("/api/indexes", JSON, OPENED[:MIB], 400, "invalid_json"),
        ("/api/indexes", JSON, OPENED, 413, "payload_too_large"),
        ("/api/indexes", JSON, b'{"slug":"a","slug":"b","id":{"rule":"field","field":"id"},"fields":[]}', 400, "invalid_json"),
        ("/api/indexes", JSON, b'{"slug":"a","settings":{"a":1,"a":2}}', 400, "invalid_json"),
        ("/api/v1/projects/default/indexes", JSON, OPENED[:MIB], 400, "invalid_json"),
        ("/api/v1/projects/default/indexes", JSON, b'{"slug":"a","slug":"b","fields":[]}', 400, "invalid_json"),
    ],
    ids=range(13),
)
def test_json_that_goes_deep_or_says_a_thing_twice_is_refused(
    api: Api, url: str, content_type: str, body: bytes, status: int, code: str
) -> None:
    """A parser that recurses ends the process, and of two values of one key somebody else read the other one."""
    reply = api.http.post(url, data=body, content_type=content_type)
    assert (reply.status_code, code_of(reply)) == (status, code)
    assert kept(api) == 0


@SUBMITS
@pytest.mark.parametrize(("encoding", "encode"), [("gzip", gzip.compress), ("zstd", zstandard.compress)], ids=["gzip", "zstd"])
def test_a_bomb_is_left_at_the_limit(api: Api, url: str, encoding: str, encode: Callable[[bytes], bytes]) -> None:
    """Its 4 GiB are neither stored nor even unpacked: it is read no further than the limit."""
    bomb = io.BytesIO(encode(BLANK_MIB) * 4096)
    environ = {"wsgi.input": bomb, "wsgi.input_terminated": True}
    reply = api.http.post(url, headers={"Content-Encoding": encoding}, content_type=NDJSON, environ_overrides=environ)
    assert (reply.status_code, code_of(reply)) == (413, "payload_too_large")
    assert bomb.tell() < len(bomb.getvalue()) / 4
    assert kept(api) == 0


@SUBMITS
def test_a_million_empty_lines_are_no_documents(api: Api, url: str) -> None:
    """They cost their bytes and nothing else, and the one document among them is found."""
    empty = b"\n" * 1_000_000
    assert code_of(api.http.post(url, data=empty, content_type=NDJSON)) == "no_documents"
    assert kept(api) == 0
    assert api.http.post(url, data=empty + b'{"id":"1"}' + empty, content_type=NDJSON).status_code == 202
    (job,) = api.engine.list().items
    assert job.counts.total == 1


@SUBMITS
def test_a_document_that_says_a_thing_twice_is_its_own_trouble(api: Api, url: str) -> None:
    """It fails when the job runs; the documents beside it are not refused with it."""
    body = b'{"id":"1","id":"2"}\n{"id":"3"}\n'
    assert api.http.post(url, data=body, content_type=NDJSON).status_code == 202
    (job,) = api.engine.list().items
    assert job.counts.total == 2
    assert b"".join(api.engine.payload(job.id)) == body


MULTIPART: Final = b'--b\r\nContent-Disposition: form-data; name="documents"\r\n\r\n'


@pytest.mark.parametrize(
    ("content_type", "begin"),
    [
        (FORM, b"documents="),
        (FORM, b""),
        ("multipart/form-data; boundary=b", MULTIPART),
        ("multipart/form-data; boundary=b", MULTIPART.replace(b'"documents"', b'"documents"; filename="a.json"')),
        (JSON, b'{"documents":"'),
    ],
    ids=["field", "name", "part", "file", "json"],
)
def test_a_form_field_of_50_mb_is_read_no_further_than_a_request_may_be(api: Api, content_type: str, begin: bytes) -> None:
    """A form is held whole, so whoever may send any form may fill the memory."""
    body = io.BytesIO(begin + b"x" * 50_000_000)
    environ = {"wsgi.input": body, "CONTENT_LENGTH": str(len(body.getvalue()))}
    reply = api.http.post("/api/ingest", content_type=content_type, environ_overrides=environ)
    assert (reply.status_code, reply.get_json()["msg"]) == (413, "ERROR_PAYLOAD_TOO_LARGE")
    assert set(reply.get_json()) == SHAPES["opensolr"]
    assert body.tell() <= api.engine.config.opensolr_body_bytes + 2 * MIB


# Names --------------------------------------------------------------------------------------------------------------
ODD: Final = [
    "a:b", "*", "..", "cit*", "cities%00", "cities%0A", "cities%0D%0A", "%D1%81ities", "%EF%BD%83ities", "%FF", "%2E%2E%2Fkeys",
    "citi%C3%ABs", "_all", "cities,other",
]  # fmt: skip
PATHS: Final = {
    "native": ["/api/indexes/{}", "/api/jobs/{}", "/api/jobs/{}/payload", "/api/jobs/{}/failures", "/api/accounts/{}/keys"],
    "aacsearch": ["/api/v1/indexes/{}", "/api/v1/import-jobs/{}", "/api/v1/import-jobs/{}/errors", "/api/v1/projects/{}/indexes"],
    "open archiver": ["/v1/jobs/queues/{}", "/v1/jobs/queues/indexing/{}", "/api/v1/jobs/queues/{}/" + UNKNOWN],
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("dialect", PATHS)
def test_a_name_that_cannot_be_is_one_that_is_not_there(api: Api, dialect: str, name: str) -> None:
    """Patterns, other keys' names, look-alikes: none reaches Redis or the cluster, and none is echoed into a header."""
    assert api.operator.get("/api/jobs").status_code == 200  # its key is noted from here on
    before = set(api.engine.store.client.scan_iter("iq:*"))
    for path in PATHS[dialect]:
        reply = api.operator.get(path.format(name))
        assert (reply.status_code, path) == (404, path)
        told(reply, dialect)
    assert set(api.engine.store.client.scan_iter("iq:*")) <= before


# Headers ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["X-Request-Id", "Idempotency-Key"])
@pytest.mark.parametrize(
    "value", ["a\r\nSet-Cookie: b=c", "a\nb", "a\0b", "%0d%0aSet-Cookie:b=c", "a:*", "\xe9", 'x"; evil: yes\t<script>']
)
@pytest.mark.parametrize("url", [NATIVE, AACSEARCH], ids=["native", "aacsearch"])
def test_no_header_of_a_request_makes_one_of_the_reply(api: Api, url: str, name: str, value: str) -> None:
    """Some servers let line ends through; nothing here may rely on theirs."""
    environ = {"HTTP_" + name.upper().replace("-", "_"): value}
    reply = api.http.post(url, data=b'{"id":"1"}\n', content_type=NDJSON, environ_overrides=environ)
    assert reply.status_code == 202
    assert "Set-Cookie" not in reply.headers
    assert reply.headers["X-Request-Id"].isalnum()
    assert not any(value in other for _, other in reply.headers)
    assert not any(value.encode() in key for key in api.engine.store.client.scan_iter())


# Errors -------------------------------------------------------------------------------------------------------------
def told(reply: TestResponse, dialect: str) -> None:
    """Check that an error has its dialect's shape and a number, and says nothing of what is inside."""
    assert reply.headers["X-Request-Id"]
    assert SHAPES[dialect] <= set(reply.get_json()), reply.text
    assert dialect == "native" or "code" not in reply.get_json()
    assert not [word for word in OURS if word in reply.text], reply.text


@contextmanager
def unreadable(api: Api, job_id: str) -> Iterator[None]:
    """While this lasts, a field of the job's record is no JSON."""
    record, client = keys.JOB(job_id), api.engine.store.client
    was = client.hget(record, "codes")
    client.hset(record, "codes", "{")
    try:
        yield
    finally:
        client.hset(record, "codes", was)


CALLS: Final[dict[str, dict[int, tuple[str, str, dict[str, Any]]]]] = {
    "native": {
        404: ("GET", "/api/nothing", {}),
        405: ("PUT", "/api/jobs", {}),
        413: ("POST", NATIVE, {"data": OPENED, "content_type": NDJSON}),
        415: ("POST", NATIVE, {"data": b"a", "content_type": "text/csv"}),
        500: ("GET", "/api/jobs/{}", {}),
    },
    "aacsearch": {
        404: ("GET", "/api/v1/nothing", {}),
        405: ("PUT", "/api/v1/import-jobs", {}),
        413: ("POST", AACSEARCH, {"data": OPENED, "content_type": NDJSON}),
        415: ("POST", AACSEARCH, {"data": b"a", "content_type": "text/csv"}),
        500: ("GET", "/api/v1/import-jobs/{}", {}),
    },
    "opensolr": {
        404: ("GET", "/solr_manager/api/nothing", {}),
        405: ("PUT", "/api/ingest", {}),
        413: ("POST", "/api/ingest", {"data": b"x" * (17 * MIB), "content_type": FORM}),
        415: ("POST", "/api/ingest", {"data": b"a", "content_type": "text/csv"}),
        500: ("GET", "/api/ingest_status?job_id={}", {}),
    },
    "open archiver": {
        404: ("GET", "/v1/nothing", {}),
        405: ("PUT", "/v1/jobs/queues", {}),
        500: ("GET", "/v1/jobs/queues/indexing/{}", {}),
    },
}  # fmt: skip


@pytest.mark.parametrize(("dialect", "status"), [(dialect, status) for dialect, calls in CALLS.items() for status in calls])
def test_every_error_has_its_dialects_shape_and_says_nothing_of_our_inside(api: Api, dialect: str, status: int) -> None:
    """Programs parse it, people read it, and strangers learn nothing from it; its number finds it in our log."""
    job_id = api.submit()["id"]
    method, path, more = CALLS[dialect][status]
    if dialect == "opensolr":
        path += ("&" if "?" in path else "?") + f"email={EMAIL}&api_key={api.secret}"
    client: FlaskClient = api.operator if dialect == "open archiver" else api.http
    with unreadable(api, job_id):
        reply = client.open(path.format(job_id), method=method, **more)
    assert reply.status_code == status, reply.text
    told(reply, dialect)


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        ("native", "/api/jobs"),
        ("aacsearch", "/api/v1/import-jobs"),
        ("opensolr", f"/api/ingest_queue?email={EMAIL}&api_key=iq_wrong"),
        ("open archiver", "/v1/jobs/queues"),
    ],
)
def test_whoever_guesses_keys_is_told_to_wait_in_each_shape(api: Api, dialect: str, path: str) -> None:
    """A client without a shape to read it by would go on at once."""
    app = create_app(api.engine, replace(api.engine.config, guesses_per_minute=1))
    wrong = {"Authorization": "Bearer iq_wrong"}
    replies = [app.test_client().get(path, headers=wrong) for _ in range(2)]
    assert replies[0].status_code in (401, 403)
    assert (replies[1].status_code, int(replies[1].headers["Retry-After"]) > 0) == (429, True)
    for reply in replies:
        told(reply, dialect)
