"""The native API's calls that carry documents: what goes in, what is stored, what comes out again."""

import gzip
import io
from collections.abc import Callable
from typing import Any

import pytest
import zstandard

from ingest_queue.engine import Engine
from ingest_queue.states import State
from tests.redis.http_side import LINES, NDJSON, UNKNOWN, Api

URL = "/api/indexes/cities/documents"


@pytest.fixture
def api(engine: Engine) -> Api:
    return Api(engine)


class Broken(io.BytesIO):
    """A stream whose client goes away after what it holds."""

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        if not piece:
            raise ConnectionResetError
        return piece


def stored(api: Api) -> int:
    """Return the bytes that payloads take, and the number of jobs, as one figure that is 0 when nothing was kept."""
    return api.engine.store.payloads.stored_bytes() + len(api.engine.list().items)


def test_a_submit_answers_the_job_and_where_it_is(api: Api) -> None:
    """The client can watch from here on without knowing how URLs are made."""
    reply = api.http.post(URL, data=LINES, content_type=NDJSON)
    job = reply.get_json()
    assert reply.status_code == 202
    assert reply.headers["Location"] == f"/api/jobs/{job['id']}"
    assert api.http.get(reply.headers["Location"]).get_json()["id"] == job["id"]
    assert (job["state"], job["counts"]["total"], job["kind"], job["source"]) == (State.PENDING, 10, "import", "API")
    assert job["payload"]["bytes"] == len(LINES)
    assert job["waiting_for"]


def test_an_array_becomes_a_payload_of_lines(api: Api) -> None:
    """What is stored has one form, whatever came in; numbers keep their digits."""
    job = api.submit(
        b'[{"id":"1","people":12345678901234567890.0},\n {"id":"2"}]', content_type="application/json; charset=utf-8"
    )
    assert job["kind"] == "payload"
    assert api.http.get(f"/api/jobs/{job['id']}/payload").data.splitlines() == [
        b'{"id":"1","people":12345678901234567890.0}',
        b'{"id":"2"}',
    ]


@pytest.mark.parametrize(("encoding", "encode"), [("gzip", gzip.compress), ("zstd", zstandard.compress)])
def test_a_compressed_body_is_stored_as_what_it_holds(api: Api, encoding: str, encode: Callable[[bytes], bytes]) -> None:
    """A tenth of the bytes on the wire, the same job."""
    job = api.submit(encode(LINES), headers={"Content-Encoding": encoding})
    assert api.http.get(f"/api/jobs/{job['id']}/payload").data == LINES


def test_a_body_of_unknown_length_is_read_to_its_end(api: Api) -> None:
    """Pipes and generators are sent in chunks, with no length."""
    reply = api.http.post(
        URL, input_stream=io.BytesIO(LINES), content_type=NDJSON, environ_overrides={"wsgi.input_terminated": True}
    )
    assert reply.get_json()["counts"]["total"] == 10


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {"Content-Type": NDJSON}, 400, "no_documents"),
        (b"\n \n", {"Content-Type": NDJSON}, 400, "no_documents"),
        (b"[]", {"Content-Type": "application/json"}, 400, "no_documents"),
        (LINES, {"Content-Type": "text/csv"}, 415, "unsupported_media_type"),
        (LINES, {}, 415, "unsupported_media_type"),
        (LINES, {"Content-Type": NDJSON, "Content-Encoding": "br"}, 415, "unsupported_encoding"),
        (LINES, {"Content-Type": NDJSON, "Content-Encoding": "gzip"}, 400, "invalid_encoding"),
        (gzip.compress(LINES)[:-9], {"Content-Type": NDJSON, "Content-Encoding": "gzip"}, 400, "invalid_encoding"),
        (b'{"a":"' + b"x" * (1 << 20) + b'"}', {"Content-Type": NDJSON}, 413, "line_too_large"),
        (
            gzip.compress((b" " * 1023 + b"\n") * (101 << 10)),
            {"Content-Type": NDJSON, "Content-Encoding": "gzip"},
            413,
            "payload_too_large",
        ),
    ],
)
def test_what_cannot_be_a_payload_is_refused_whole(
    api: Api, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """A job of half a payload would be worse than none."""
    reply = api.http.post(URL, data=body, headers=headers)
    assert (reply.status_code, reply.get_json()["code"]) == (status, code)
    assert stored(api) == 0


@pytest.mark.parametrize(
    "environ",
    [
        {"wsgi.input": io.BytesIO(LINES), "CONTENT_LENGTH": str(len(LINES) + 1)},
        {"wsgi.input": io.BytesIO(LINES), "CONTENT_LENGTH": str(len(LINES) + 1), "wsgi.input_terminated": True},
        {"wsgi.input": Broken(LINES), "wsgi.input_terminated": True},
    ],
    ids=["length", "length behind gunicorn", "chunked"],
)
def test_an_upload_that_breaks_off_leaves_nothing(api: Api, environ: dict[str, Any]) -> None:
    """It ends between two lines here, so it looks like a whole payload to everybody but the one who counts bytes."""
    reply = api.http.post(URL, content_type=NDJSON, environ_overrides=environ)
    assert (reply.status_code, reply.get_json()["code"]) == (400, "upload_incomplete")
    assert stored(api) == 0


def test_a_submit_says_what_to_do_with_duplicates_and_where_it_came_from(api: Api) -> None:
    """Both are part of the job for good, so a retry does the same again."""
    job = api.submit(query_string={"on_duplicate": "reject", "source": "CLI"})
    assert api.engine.get(job["id"]).options["on_duplicate"] == "reject"
    assert job["source"] == "CLI"


def test_a_payload_comes_back_byte_for_byte(api: Api) -> None:
    """It is what people mend and send again: blank lines and odd spacing are theirs."""
    body = b'\n{"id":"1"}\r\n\r\n  {"id": "2"}\n{"id":"3"}'
    reply = api.http.get(f"/api/jobs/{api.submit(body)['id']}/payload")
    assert (reply.mimetype, reply.data.rstrip(b"\n")) == (NDJSON, body)


def test_a_held_jobs_payload_can_be_replaced(api: Api) -> None:
    """Pause, mend, resume: the job keeps its id and its history."""
    job = api.submit()
    api.ask(job, "pause")
    reply = api.http.put(f"/api/jobs/{job['id']}/payload", data=LINES + b'{"id":"new"}\n', content_type=NDJSON)
    assert reply.status_code == 200
    assert (reply.get_json()["payload"]["version"], reply.get_json()["counts"]["total"]) == (2, 11)
    assert api.http.get(f"/api/jobs/{job['id']}/payload").data == LINES + b'{"id":"new"}\n'


def test_a_refused_edit_keeps_the_old_payload(api: Api) -> None:
    """Neither a wrong state nor a wrong body may touch what is there."""
    job = api.submit()
    url = f"/api/jobs/{job['id']}/payload"
    waiting = api.http.put(url, data=b'{"id":"1"}\n', content_type=NDJSON)
    assert (waiting.status_code, waiting.get_json()["state"]) == (409, State.PENDING)
    assert "pause" in waiting.get_json()["allowed"]
    api.ask(job, "pause")
    assert api.http.put(url, data=b"", content_type=NDJSON).get_json()["code"] == "no_documents"
    assert api.http.get(url).data == LINES
    assert api.get(job)["payload"]["version"] == 1


def test_documents_of_an_unknown_job_are_missing(api: Api) -> None:
    """An error must come before the stream begins, while a status can still be sent."""
    assert api.http.get(f"/api/jobs/{UNKNOWN}/payload").status_code == 404
    assert api.http.put(f"/api/jobs/{UNKNOWN}/payload", data=LINES, content_type=NDJSON).status_code == 404
