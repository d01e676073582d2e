"""AACsearch's import jobs: what a batch answers, how a job is shown, listed, canceled, deleted and kept."""

import gzip
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest
import zstandard

from ingest_queue.config import DAY_S
from ingest_queue.engine import Engine
from ingest_queue.intake.body import Form
from ingest_queue.job import Counts, Kind, Progress
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


def later(store: Store, days: float) -> int:
    seconds, _ = store.client.time()
    return int((seconds + days * DAY_S) * 1000)


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


def test_a_canceled_job_says_at_which_line_it_stopped_also_when_its_lines_are_gone(shop: Shop, store: Store, tick: Tick) -> None:
    """What is left is uploaded again from the next line on; blank lines count, for editors number them."""
    job_id = shop.batch(b"\n\n" + LINES)
    run = take(store)
    assert run is not None
    run.checkpoint(Progress(0, Counts(10)), announce=4)
    run.checkpoint(Progress(4, Counts(10, 4), line=6))
    shop.cancel(job_id)
    run.answer(Event.HALT)
    assert shop.job(job_id)["detail"] == "Stopped at line 6"
    store.lanes.expire(later(store, 8))
    assert shop.job(job_id)["detail"] == "Stopped at line 6"


def test_a_job_that_never_began_stopped_at_line_0(shop: Shop) -> None:
    """All of its lines are still to be sent."""
    job_id = shop.batch()
    canceled = shop.cancel(job_id)
    assert (canceled.status_code, canceled.get_json()["status"]) == (200, "canceled")
    assert canceled.get_json()["detail"] == "Stopped at line 0"
    assert shop.cancel(job_id).status_code == 200, "a repeated cancel is a success that changes nothing"


def test_what_has_ended_cannot_be_canceled(shop: Shop, store: Store, tick: Tick) -> None:
    """The reply must not say canceled of a job whose documents are all there."""
    job_id = shop.batch()
    run = take(store)
    assert run is not None
    finish(run)
    refused = shop.cancel(job_id)
    assert (refused.status_code, refused.get_json()["error"]) == (409, "conflict")
    assert shop.job(job_id)["status"] == "completed"


def test_only_what_has_ended_can_be_deleted(shop: Shop, store: Store, tick: Tick) -> None:
    """A running import that vanishes from the list would still write."""
    url = f"/api/v1/import-jobs/{shop.batch()}"
    run = take(store)
    assert run is not None
    refused = shop.http.delete(url, content_type=JSON)
    assert (refused.status_code, refused.get_json()["error"]) == (409, "conflict")
    finish(run)
    assert shop.http.delete(url, content_type=JSON).get_json() == {"id": run.job.id, "deleted": True}
    assert shop.http.delete(url, content_type=JSON).status_code == 404
    assert shop.http.get(url).status_code == 404


def test_a_job_that_is_held_is_not_deleted_and_a_stopped_one_is(shop: Shop) -> None:
    """Pending and canceled are what clients see of them, and that is what decides."""
    url = f"/api/v1/import-jobs/{(job_id := shop.batch())}"
    shop.engine.ask(job_id, Event.PAUSE)
    assert shop.http.delete(url).status_code == 409
    shop.engine.ask(job_id, Event.RESUME)
    shop.engine.ask(job_id, Event.STOP)
    assert shop.http.delete(url).status_code == 200


# The list ----------------------------------------------------------------------------------------------------------
def test_the_list_has_every_job_newest_first_in_pages(shop: Shop) -> None:
    """Each job once, whatever the size of a page."""
    sent = [shop.batch() for _ in range(5)]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = shop.http.get(
            "/api/v1/import-jobs", query_string={"limit": 2, "cursor": cursor} if cursor else {"limit": 2}
        ).get_json()
        assert len(page["jobs"]) <= 2
        found += [job["id"] for job in page["jobs"]]
        cursor = page["next"]
    assert found == sent[::-1]


def test_the_list_is_filtered_and_its_summary_counts_all(shop: Shop, store: Store, tick: Tick) -> None:
    """The numbers above the table do not change with the rows that are shown."""
    done = shop.batch()
    run = take(store)
    assert run is not None
    finish(run)
    waiting, canceled = shop.batch(), shop.batch()
    shop.cancel(canceled)
    by_cli = shop.engine.submit("products", iter([LINES]), form=Form.NDJSON, source="CLI").id

    def ids(**query: str) -> set[str]:
        reply = shop.http.get("/api/v1/import-jobs", query_string=query).get_json()
        assert reply["summary"] == {"pending": 2, "running": 0, "completed": 1, "failed": 0, "canceled": 1, "total": 4}
        return {job["id"] for job in reply["jobs"]}

    assert ids() == {done, waiting, canceled, by_cli}
    assert ids(status="completed") == {done}
    assert ids(status="canceled") == {canceled}
    assert ids(status="pending", index="products") == {waiting, by_cli}
    assert ids(source="UI") == set()
    assert ids(source="API") == {done, waiting, canceled, by_cli}
    assert shop.job(by_cli)["source"] == "API"


@pytest.mark.parametrize(
    "query", ["status=paused", "source=CLI", "limit=0", "limit=201", "limit=x", "cursor=nonsense", "status=failed&status=failed"]
)
def test_a_filter_that_cannot_be_is_refused(shop: Shop, query: str) -> None:
    """An empty list would look like an answer."""
    reply = shop.http.get(f"/api/v1/import-jobs?{query}")
    assert (reply.status_code, reply.get_json()["error"]) == (400, "invalid_input")


def test_parameters_that_nobody_knows_are_left_alone(shop: Shop) -> None:
    """These clients were written for another server, which knows more of them."""
    assert shop.http.get("/api/v1/import-jobs?perPage=10&_=1").status_code == 200


# What stays --------------------------------------------------------------------------------------------------------
def test_after_90_days_a_job_says_only_what_became_of_it(shop: Shop, store: Store, tick: Tick) -> None:
    """Out of the list, its errors gone, the row still there for who has its id; after a year that goes as well."""
    job_id = shop.batch()
    run = take(store)
    assert run is not None
    finish(run)
    store.lanes.expire(later(store, 89))
    assert shop.job(job_id)["deletedAt"] is None
    store.lanes.expire(later(store, 91))
    job = shop.job(job_id)
    assert (job["status"], job["processedLines"]) == ("completed", 10)
    assert job["deletedAt"] is not None
    assert shop.errors(job_id)["errors"] == []
    page = shop.http.get("/api/v1/import-jobs").get_json()
    assert (page["jobs"], page["summary"]["total"]) == ([], 0)
    assert shop.cancel(job_id).status_code == 409
    store.lanes.expire(later(store, 366))
    assert shop.http.get(f"/api/v1/import-jobs/{job_id}").status_code == 404


def test_what_is_left_of_an_old_job_can_be_deleted(shop: Shop, store: Store) -> None:
    """Nobody should have to wait a year for that."""
    job_id = shop.batch()
    shop.cancel(job_id)
    store.lanes.expire(later(store, 91))
    assert shop.http.delete(f"/api/v1/import-jobs/{job_id}").status_code == 200
    assert shop.http.get(f"/api/v1/import-jobs/{job_id}").status_code == 404


def test_the_trail_of_a_job_outlives_it(shop: Shop, store: Store) -> None:
    """Who imported, canceled and deleted what, and who was refused, is known when the job is long gone."""
    job_id = shop.batch()
    shop.http.delete(f"/api/v1/import-jobs/{job_id}")
    shop.cancel(job_id)
    shop.http.delete(f"/api/v1/import-jobs/{job_id}")
    store.lanes.expire(later(store, 400))
    entries, _ = shop.engine.audit.page("default", target=f"job:{job_id}")
    assert [(entry.action, entry.result, entry.actor) for entry in reversed(entries)] == [
        ("job.submit", "ok", "shop"),
        ("job.delete", "invalid_state", "shop"),
        ("job.cancel", "ok", "shop"),
        ("job.delete", "ok", "shop"),
    ]
    assert {entry.key_id for entry in entries} == {shop.key.id}
