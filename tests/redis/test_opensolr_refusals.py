"""What the Opensolr dialect refuses, and how: each code of its contract, hostile bodies. No refusal keeps anything."""

import gzip
import io
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.engine import Engine
from tests.redis.http_side import UNKNOWN, Api
from tests.redis.opensolr_side import EMAIL, Form, Opensolr, page, told
from web.app import create_app


@pytest.fixture
def site(engine: Engine) -> Opensolr:
    return Opensolr(Api(engine))


@pytest.fixture
def small(engine: Engine) -> Opensolr:
    """A site whose requests may hold 100 kB and whose account may submit twice a minute."""
    api = Api(engine)
    config = replace(engine.config, opensolr_body_bytes=100_000, submits_per_minute=2, submits_per_hour=0)
    api.app = create_app(engine, config)
    return Opensolr(api)


def kept(site: Opensolr) -> int:
    """Return the bytes and jobs that are there, as one figure that is 0 when nothing was kept."""
    return site.api.engine.store.payloads.stored_bytes() + len(site.api.engine.list().items)


# Refusals -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "given", "status", "msg"),
    [
        ("ingest", {"core_name": "pages"}, 400, "ERROR_MISSING_PARAMETER"),
        ("ingest", {"core_name": "pages", "documents": ""}, 400, "ERROR_MISSING_PARAMETER"),
        ("ingest", {"documents": [page(1)]}, 400, "ERROR_MISSING_PARAMETER"),
        ("ingest", {"core_name": "pages", "documents": "[{]"}, 400, "ERROR_INVALID_JSON"),
        ("ingest", {"core_name": "pages", "documents": "words"}, 400, "ERROR_INVALID_JSON"),
        ("ingest", {"core_name": "pages", "documents": []}, 400, "ERROR_NO_DOCUMENTS"),
        ("ingest", {"core_name": "pages", "documents": [page(n) for n in range(51)]}, 400, "ERROR_TOO_MANY_DOCUMENTS"),
        ("ingest", {"core_name": "pages", "documents": page(1)}, 400, "ERROR_VALIDATION_FAILED"),
        ("ingest", {"core_name": "pages", "documents": [{"title": "x" * (1 << 20)}]}, 413, "ERROR_PAYLOAD_TOO_LARGE"),
        ("ingest", {"core_name": "cities", "documents": [page(1)]}, 400, "ERROR_VALIDATION_FAILED"),
        ("ingest", {"core_name": "Pages:*", "documents": [page(1)]}, 403, "NOT_OWNER_ERROR"),
        ("ingest_status", {}, 400, "ERROR_MISSING_PARAMETER"),
        ("ingest_status", {"job_id": "x"}, 404, "ERROR_JOB_NOT_FOUND"),
        ("ingest_status", {"job_id": f"{UNKNOWN}\n"}, 404, "ERROR_JOB_NOT_FOUND"),
        ("ingest_status", {"job_id": {"a": 1}}, 404, "ERROR_JOB_NOT_FOUND"),
        ("ingest_queue", {"core_name": "../x"}, 403, "NOT_OWNER_ERROR"),
        ("ingest_queue_action", {"job_id": UNKNOWN}, 400, "ERROR_MISSING_PARAMETER"),
        ("ingest_queue_action", {"job_id": UNKNOWN, "queue_action": "cancel"}, 400, "ERROR_UNKNOWN_ACTION"),
        ("ingest_queue_action", {"job_id": UNKNOWN, "queue_action": "pause"}, 404, "ERROR_JOB_NOT_FOUND"),
        ("ingest_queue_action", {"job_id": UNKNOWN, "queue_action": "save_payload", "payload": "[]"}, 404, "ERROR_JOB_NOT_FOUND"),
        ("check_schema", {}, 400, "ERROR_MISSING_PARAMETER"),
        ("check_schema", {"core_name": "nobodys"}, 403, "NOT_OWNER_ERROR"),
        ("ingest_else", {}, 404, "ERROR_NOT_FOUND"),
    ],
)
@pytest.mark.parametrize("form", ["json", "form"])
def test_a_refusal_has_its_status_and_code(
    site: Opensolr, form: Form, name: str, given: dict[str, Any], status: int, msg: str
) -> None:
    """Each code of the contract, alike in every form, and nothing is kept."""
    assert told(site.call(name, form, **given)) == (status, msg)
    assert kept(site) == 0


def test_every_document_that_is_none_is_named_at_once(site: Opensolr) -> None:
    """One round of mending is enough."""
    documents = [page(0), 1, {}, {"uri": None}, {"uri": " / "}, {"uri": 7}, [], "x"]
    body = site.call("ingest", core_name="pages", documents=documents).get_json()
    assert [(one["index"], one["field"], one["code"], one["uri"]) for one in body["errors"]] == [
        (1, None, "not_an_object", None),
        (2, "uri", "missing_uri", None),
        (3, "uri", "missing_uri", None),
        (4, "uri", "empty_uri", " / "),
        (5, "uri", "invalid_uri", None),
        (6, None, "not_an_object", None),
        (7, None, "not_an_object", None),
    ]
    assert all(one["message"] for one in body["errors"])


def test_what_is_wrong_inside_a_document_fails_that_document_later(site: Opensolr) -> None:
    """An unknown field or a wrong type is found when the job runs; its neighbours go in."""
    documents = [page(0, colour="red"), page(1, n="many"), {"uri": "2", "title": 5}]
    assert site.ask("ingest", core_name="pages", documents=documents)["total_docs"] == 3


@pytest.mark.parametrize("path", ["/solr_manager/api", "/solr_manager/api/else", "/api/ingest/else", "/api/check_schema_else"])
def test_unknown_paths_are_answered_in_this_products_envelope(site: Opensolr, path: str) -> None:
    """Clients parse every answer as the same object."""
    assert told(site.http.get(path)) == (404, "ERROR_NOT_FOUND")


def test_submissions_are_limited_by_account_and_polls_are_not(small: Opensolr) -> None:
    """A second key of the account shares the window; status can still be asked."""
    job_id = [small.ingest(1), small.ingest(2)][1]
    engine = small.api.engine
    small.secret = engine.keyring.issue("second", [Scope.INGEST], by=LOCAL, account="default")[1]
    reply = small.call("ingest", core_name="pages", documents=[page(3)])
    assert told(reply) == (429, "ERROR_RATE_LIMIT")
    assert 1 <= int(reply.headers["Retry-After"]) <= 60
    assert small.job(job_id)["state"] == 0


# Hostile input ------------------------------------------------------------------------------------------------------
def raw(site: Opensolr, body: bytes, content_type: str) -> TestResponse:
    """Post bytes, the credentials in the query."""
    query = {"email": EMAIL, "api_key": site.secret, "core_name": "pages"}
    return site.http.post("/api/ingest", query_string=query, data=body, content_type=content_type)


JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "msg"),
    [
        (b"[" * 10_000_000, JSON, 400, "ERROR_INVALID_JSON"),
        (b'{"documents":' + b"[" * 10_000_000, JSON, 400, "ERROR_INVALID_JSON"),
        (b'{"documents":[' + b"1," * 4_000_000 + b"1]}", JSON, 400, "ERROR_TOO_MANY_DOCUMENTS"),
        (b'{"documents":[{"uri":"a"}]', JSON, 400, "ERROR_INVALID_JSON"),
        (b'[{"uri":"a"}]', JSON, 400, "ERROR_INVALID_JSON"),
        (b'{"documents":[{"uri":"\xff"}]}', JSON, 400, "ERROR_INVALID_JSON"),
        (b'{"documents":[{"uri":"\\ud800"}]}', JSON, 400, "ERROR_INVALID_JSON"),
        (b'{"documents":[{"uri":"a"}],"documents":[]}', JSON, 400, "ERROR_NO_DOCUMENTS"),
        (b"documents=" + b"%5B" * 1_000_000, FORM, 400, "ERROR_INVALID_JSON"),
        (b"documents=%5B%7B%22uri%22%3A%22%FF%22%7D%5D", FORM, 400, "ERROR_INVALID_JSON"),
        (b"documents=%5B%zz%", FORM, 400, "ERROR_INVALID_JSON"),
        (b"&" * 1_000_000, FORM, 400, "ERROR_BAD_REQUEST"),
        (b"nonsense", MULTIPART, 400, "ERROR_BAD_REQUEST"),
        (b"--b\r\n\r\n--b--", "multipart/form-data", 400, "ERROR_BAD_REQUEST"),
        (b'--b\r\nContent-Disposition: form-data; name="documents"\r\n\r\n[', MULTIPART, 400, "ERROR_BAD_REQUEST"),
        (b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n[\r\n--b--', MULTIPART, 400, "ERROR_BAD_REQUEST"),
        (b"documents", "text/plain", 415, "ERROR_UNSUPPORTED_MEDIA_TYPE"),
        (b"x" * (17 << 20), FORM, 413, "ERROR_PAYLOAD_TOO_LARGE"),
        (b"x" * (17 << 20), JSON, 413, "ERROR_PAYLOAD_TOO_LARGE"),
    ],
    ids=range(19),
)
def test_hostile_bodies_are_refused_whole(site: Opensolr, body: bytes, content_type: str, status: int, msg: str) -> None:
    """Each is answered in the envelope, and none of them leaves a byte behind."""
    assert told(raw(site, body, content_type)) == (status, msg)
    assert kept(site) == 0


def test_a_compressed_body_is_measured_by_what_it_holds(small: Opensolr) -> None:
    """A small request must not become a large one."""
    headers = {"Content-Encoding": "gzip", "Content-Type": FORM}
    reply = small.http.post("/api/ingest", data=gzip.compress(b"documents=" + b" " * 200_000), headers=headers)
    assert told(reply) == (413, "ERROR_PAYLOAD_TOO_LARGE")


def test_an_upload_that_breaks_off_leaves_nothing(site: Opensolr) -> None:
    """Cut at the right place it would be a whole form with fewer documents."""
    body = urlencode({"email": EMAIL, "api_key": site.secret, "core_name": "pages", "documents": "[]"}).encode()
    environ = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body) + 1), "wsgi.input_terminated": True}
    reply = site.http.post("/api/ingest", content_type=FORM, environ_overrides=environ)
    assert told(reply) == (400, "ERROR_BAD_REQUEST")
    assert kept(site) == 0
