"""AACsearch's import jobs: what a batch answers, how a job is shown, listed, canceled, deleted and kept."""

import gzip
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest
import zstandard

from ingest_queue.engine import Engine
from ingest_queue.job import Kind
from ingest_queue.states import Event, State
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.aacsearch_side import LINES, NDJSON, Shop
from tests.redis.rq_side import finish, take
from web.dialects.aacsearch_schemas import WORDS

JSON = "application/json"
KEYS = (
    "id", "source", "indexId", "indexName", "indexSlug", "status", "totalLines", "processedLines", "failureCount", "startedAt",
    "finishedAt", "durationMs", "initiator", "detail", "errorMessage", "createdAt", "deletedAt",
)  # fmt: skip


@pytest.fixture
def shop(engine: Engine) -> Shop:
    return Shop(engine)


def stored(shop: Shop) -> int:
    """Return the bytes that payloads take, and the number of jobs, as one figure that is 0 when nothing was kept."""
    return shop.engine.store.payloads.stored_bytes() + len(shop.engine.list().items)


def payload(shop: Shop, job_id: str) -> bytes:
    return b"".join(shop.engine.payload(job_id))


# Batches -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("encoding", "encode"), [(None, bytes), ("gzip", gzip.compress), ("zstd", zstandard.compress)], ids=["none", "gzip", "zstd"]
)
def test_lines_are_taken_at_once_and_become_a_job(shop: Shop, encoding: str | None, encode: Callable[[bytes], bytes]) -> None:
    """The client learns where to look; what is stored are its own bytes, however they travelled."""
    reply = shop.send(encode(LINES), headers={"Content-Encoding": encoding} if encoding else {})
    job_id = reply.get_json()["jobId"]
    assert reply.status_code == 202
    assert reply.get_json() == {"jobId": job_id, "status": "pending", "queued": 10, "accepted": 10}
    assert reply.headers["Location"] == f"/api/v1/import-jobs/{job_id}"
    assert shop.http.get(reply.headers["Location"]).get_json()["id"] == job_id
    assert payload(shop, job_id) == LINES


def test_documents_in_a_json_object_become_a_job_with_their_own_bytes(shop: Shop) -> None:
    """Long integers and float spellings survive, and the job is kept as long as every other import."""
    body = b' {"documents" : [{"external_id":"1","price":12345678901234567890.10},\n {"external_id":"2"}]}\n'
    reply = shop.send(body, content_type="application/json; charset=utf-8")
    assert reply.status_code == 200
    assert reply.headers["Location"].endswith(reply.get_json()["jobId"])
    assert (reply.get_json()["queued"], reply.get_json()["accepted"]) == (2, 2)
    job_id = reply.get_json()["jobId"]
    assert payload(shop, job_id).split() == [b'{"external_id":"1","price":12345678901234567890.10}', b'{"external_id":"2"}']
    assert shop.engine.get(job_id).kind is Kind.IMPORT


@pytest.mark.parametrize(
    ("documents", "status", "error"),
    [(0, 400, "invalid_input"), (1, 200, None), (5000, 200, None), (5001, 413, "payload_too_large")],
)
def test_a_json_object_holds_one_to_five_thousand_documents(shop: Shop, documents: int, status: int, error: str | None) -> None:
    """More belongs into a file of lines, which needs no memory of anybody."""
    body = orjson.dumps({"documents": [{"external_id": str(n)} for n in range(documents)]})
    reply = shop.send(body, content_type=JSON)
    assert (reply.status_code, reply.get_json().get("error")) == (status, error)


@pytest.mark.parametrize(
    ("body", "headers", "status", "error", "code"),
    [
        (b"", {"Content-Type": NDJSON}, 400, "invalid_input", "no_documents"),
        (b"\n \r\n", {"Content-Type": NDJSON}, 400, "invalid_input", "no_documents"),
        (b"[{}]", {"Content-Type": JSON}, 400, "invalid_json", "invalid_json"),
        (b'{"documents":{}}', {"Content-Type": JSON}, 400, "invalid_json", "invalid_json"),
        (b'{"documents":[{}],"mode":"upsert"}', {"Content-Type": JSON}, 400, "invalid_json", "invalid_json"),
        (LINES, {"Content-Type": "text/csv"}, 415, "unsupported_media_type", None),
        (LINES, {}, 415, "unsupported_media_type", None),
        (LINES, {"Content-Type": NDJSON, "Content-Encoding": "br"}, 415, "unsupported_media_type", "unsupported_encoding"),
        (LINES, {"Content-Type": NDJSON, "Content-Encoding": "gzip"}, 400, "invalid_input", "invalid_encoding"),
        (b'{"a":"' + b"x" * (1 << 20) + b'"}', {"Content-Type": NDJSON}, 413, "payload_too_large", "line_too_large"),
        (
            gzip.compress((b" " * 1023 + b"\n") * (101 << 10)),
            {"Content-Type": NDJSON, "Content-Encoding": "gzip"},
            413,
            "payload_too_large",
            "payload_too_large",
        ),
    ],
)
def test_what_cannot_be_a_batch_is_refused_whole(
    shop: Shop, body: bytes, headers: dict[str, str], status: int, error: str, code: str | None
) -> None:
    """A job of half a file would be worse than none."""
    reply = shop.http.post(shop.batch_url, data=body, headers=headers)
    assert (reply.status_code, reply.get_json()["error"]) == (status, error)
    assert reply.get_json()["message"]
    assert code is None or reply.get_json()["details"][0]["code"] == code
    assert stored(shop) == 0


def test_lines_over_the_limit_are_refused_and_blank_ones_do_not_count(engine: Engine) -> None:
    """Nothing is silently dropped: neither the lines beyond the cap nor a file that only looks too long."""
    engine.config = replace(engine.config, max_documents=10)
    shop = Shop(engine)
    assert shop.send(b"\n\n" + LINES.replace(b"\n", b"\r\n\r\n")).get_json()["queued"] == 10
    before = stored(shop)
    refused = shop.send(LINES + b'{"external_id":"one more"}')
    assert (refused.status_code, refused.get_json()["error"]) == (413, "payload_too_large")
    assert refused.get_json()["details"] == [{"code": "too_many_documents", "limit": 10}]
    assert stored(shop) == before


def test_a_batch_that_comes_again_with_its_key_is_one_job(shop: Shop) -> None:
    """Scripts in CI repeat a call whose reply they lost."""
    first, again = (shop.batch(headers={"Idempotency-Key": "nightly-1"}) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("name", ["products", "default_products"])
def test_id_and_slug_both_name_an_index(shop: Shop, name: str) -> None:
    """The dashboard shows slugs, replies hold ids, and clients store either."""
    assert shop.http.post(f"/api/v1/indexes/{name}/documents:batch", data=LINES, content_type=NDJSON).status_code == 202
    assert shop.http.get(f"/api/v1/indexes/{name}").get_json()["id"] == "default_products"
    assert len(shop.http.get(f"/api/v1/import-jobs?index={name}").get_json()["jobs"]) == 1


# Jobs --------------------------------------------------------------------------------------------------------------
def test_a_job_has_exactly_these_keys(shop: Shop) -> None:
    """Clients in strict languages fail at a key that is missing or new."""
    job = shop.job(shop.batch())
    assert tuple(job) == KEYS
    said = {"source": "API", "indexId": "default_products", "indexName": "products", "indexSlug": "products", "status": "pending"}
    assert job | said == job
    assert (job["totalLines"], job["processedLines"], job["failureCount"], job["initiator"]) == (10, 0, 0, "shop")
    assert job["createdAt"].endswith("Z")
    assert [job[name] for name in ("startedAt", "finishedAt", "durationMs", "detail", "errorMessage", "deletedAt")] == [None] * 6


def test_every_state_has_a_word() -> None:
    """A state without one would be an error of ours at the worst moment."""
    assert set(WORDS) == set(State)


def test_a_job_goes_through_the_words_that_clients_know(shop: Shop, store: Store, tick: Tick) -> None:
    """What our engine can do beyond them is said beside the word, not by a new one."""
    engine, job_id = shop.engine, shop.batch()

    def now() -> tuple[str, object, object]:
        job = shop.job(job_id)
        return job["status"], job.get("paused"), job.get("resumable")

    assert now() == ("pending", None, None)
    engine.ask(job_id, Event.PAUSE)
    assert now() == ("pending", True, None)
    engine.ask(job_id, Event.RESUME)
    engine.ask(job_id, Event.STOP)
    assert now() == ("canceled", None, True)
    assert shop.job(job_id)["finishedAt"]
    engine.ask(job_id, Event.RESUME)
    run = take(store)
    assert run is not None
    assert now() == ("running", None, None)
    for verb in (Event.PAUSE, Event.STOP):
        engine.ask(job_id, verb)
        assert now() == ("running", None, None)
    assert shop.cancel(job_id).get_json()["status"] == "running"
    run.answer(Event.HALT)
    assert now() == ("canceled", None, None)


def test_an_ended_job_says_when_and_how_long(shop: Shop, store: Store, tick: Tick) -> None:
    """The duration is the difference of the two times, so that nobody computes another one."""
    job_id = shop.batch()
    run = take(store)
    assert run is not None
    finish(run)
    job, record = shop.job(job_id), shop.engine.get(job_id)
    assert (job["status"], job["processedLines"]) == ("completed", 10)
    assert record.ended_at is not None and record.started_at is not None
    assert job["durationMs"] == round(1000 * (record.ended_at - record.started_at))
