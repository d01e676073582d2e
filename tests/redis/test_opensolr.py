"""The Opensolr dialect on a real Redis: submit, watch, list, send again."""

import hashlib
from typing import Any

import pytest

from ingest_queue.engine import Engine
from ingest_queue.job import Counts, Fate, Outcome, Progress
from ingest_queue.states import Event
from ingest_queue.store import keys
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.http_side import Api
from tests.redis.opensolr_side import EMAIL, REACHED, Bench, Opensolr, page
from tests.redis.rq_side import take

JOB = {
    "id", "core_name", "state", "state_label", "progress", "total_docs", "processed_docs", "success_docs", "failed_docs",
    "error", "doc_errors", "attempt", "created_at", "started_at", "updated_at", "completed_at",
}  # fmt: skip
INTEGERS = ("state", "progress", "total_docs", "processed_docs", "success_docs", "failed_docs", "attempt")


@pytest.fixture(params=["/api", "/solr_manager/api"])
def prefix(request: pytest.FixtureRequest) -> str:
    """Both places where clients look for the calls."""
    return str(request.param)


@pytest.fixture
def site(engine: Engine) -> Opensolr:
    return Opensolr(Api(engine))


@pytest.fixture
def bench(site: Opensolr, store: Store, tick: Tick) -> Bench:
    return Bench(site, store, tick)


def test_a_submit_answers_job_and_document_ids(engine: Engine, prefix: str) -> None:
    """The ids are the md5 of the canonical URIs, in order, so that a client finds its documents again."""
    site = Opensolr(Api(engine), prefix=prefix)
    uris = ["https://example.com/a/", " https://example.com/b ", "no-url"]
    answer = site.ask("ingest", core_name="pages", documents=[{"uri": uri} for uri in uris])
    canonical = ["https://example.com/a", "https://example.com/b", "no-url"]
    assert answer == {
        "status": True,
        "msg": "QUEUED",
        "job_id": answer["job_id"],
        "total_docs": 3,
        "doc_ids": [hashlib.md5(uri.encode(), usedforsecurity=False).hexdigest() for uri in canonical],
    }
    job = engine.get(answer["job_id"])
    assert (job.id, job.kind, job.source, job.initiator) == (answer["job_id"], "payload", "API", EMAIL)
    assert len(job.id) == 32


def test_a_job_has_all_its_keys_and_integers_are_integers(site: Opensolr) -> None:
    """PHP clients compare with ===, so "1" would never be the end that they wait for."""
    job = site.job(site.ingest())
    assert set(job) == JOB
    assert all(type(job[name]) is int for name in INTEGERS)
    assert (job["state"], job["state_label"], job["core_name"], job["total_docs"]) == (0, "pending", "pages", 3)
    assert (job["error"], job["doc_errors"], job["started_at"], job["completed_at"]) == (None, [], None, None)


def test_a_running_job_shows_progress_and_its_failed_documents(bench: Bench) -> None:
    """What a checkpoint saved is what the next poll sees."""
    run = bench.held(10)
    wrong = Outcome(1, Fate.FAILED, 2, "abc", "validation_error", "n", "expected a whole number, found a string", "{}")
    run.checkpoint(Progress(0, Counts(10)), announce=5)
    run.checkpoint(Progress(4, Counts(10, 3, 1), {"validation_error": 1}), [wrong])
    job = bench.site.job(run.job.id)
    assert (job["state"], job["state_label"], job["progress"], job["attempt"]) == (2, "processing", 40, 0)
    assert (job["processed_docs"], job["success_docs"], job["failed_docs"]) == (4, 3, 1)
    assert job["doc_errors"] == [
        {
            "index": 1,
            "doc_id": "abc",
            "field": "n",
            "code": "validation_error",
            "message": "expected a whole number, found a string",
        }
    ]


def test_a_completed_job_shows_when_it_ended(bench: Bench) -> None:
    """In the form in which this product's database writes times."""
    job = bench.site.job(bench.completed())
    assert (job["state"], job["progress"], job["success_docs"]) == (1, 100, 3)
    stamps = [job[name] for name in ("created_at", "started_at", "updated_at", "completed_at")]
    assert all(len(stamp) == len("2026-01-31 23:59:59") and stamp[10] == " " for stamp in stamps)
    assert job["created_at"] <= job["started_at"] <= job["completed_at"]


def test_a_failed_job_says_why(bench: Bench) -> None:
    """Clients show it to whoever sent the documents."""
    job = bench.engine.get(bench.site.ingest())
    bench.engine.indexes.delete("pages", force=True)
    bench.tick.now()
    run = take(bench.store)
    assert run is not None
    error = '{"code":"index_not_found","message":"the index is gone","detail":null}'
    run.answer(Event.FAIL, set={"error": error})
    shown = bench.site.job(job.id)
    assert (shown["state"], shown["state_label"], shown["error"]) == (3, "failed", "the index is gone")


def test_the_queue_counts_by_label_and_shows_the_newest_first(bench: Bench) -> None:
    """Six labels, always all of them, which together are the total."""
    jobs = [REACHED[label](bench) for label in ("completed", "canceled", "stopped", "paused", "pending")]
    answer = bench.site.ask("ingest_queue", core_name="pages")
    assert set(answer) == {"status", "core_name", "counts", "total", "jobs"}
    assert answer["counts"] == {"pending": 1, "completed": 1, "processing": 0, "failed": 0, "stopped": 2, "paused": 1}
    assert (answer["core_name"], answer["total"]) == ("pages", 5)
    assert [job["id"] for job in answer["jobs"]] == jobs[::-1]
    assert answer["jobs"][0] == bench.site.job(jobs[-1])


def test_pages_of_the_queue_hold_each_job_once(site: Opensolr) -> None:
    """A client that counts pages up to the total has seen every job."""
    jobs = [site.ingest(number) for number in range(5)]
    pages = [site.ask("ingest_queue", page=number, limit=2) for number in (1, 2, 3, 4)]
    assert [job["id"] for one in pages for job in one["jobs"]] == jobs[::-1]
    assert [one["total"] for one in pages] == [5] * 4


def test_the_queue_of_all_indexes_needs_no_core_name(site: Opensolr) -> None:
    """Jobs of other ways in are there, too: it is one queue."""
    native, mine = site.api.submit()["id"], site.ingest()
    answer = site.ask("ingest_queue")
    assert (answer["core_name"], [job["id"] for job in answer["jobs"]]) == (None, [mine, native])
    assert [job["id"] for job in site.ask("ingest_queue", core_name="cities")["jobs"]] == [native]


@pytest.mark.parametrize("given", [{"limit": 201}, {"limit": 0}, {"page": 0}, {"page": "x"}, {"page": 51, "limit": 200}])
def test_a_page_out_of_reach_is_refused_by_name(site: Opensolr, given: dict[str, Any]) -> None:
    """A shorter page than was asked for would look like the last one."""
    reply = site.call("ingest_queue", **given)
    body = reply.get_json()
    assert (reply.status_code, body["msg"]) == (400, "ERROR_VALIDATION_FAILED")
    assert body["errors"][0]["field"] in given


def test_a_schema_that_is_ready_says_what_it_can_do(site: Opensolr) -> None:
    """Exactly the capabilities that this installation has."""
    assert site.ask("check_schema", core_name="pages") == {
        "status": True,
        "ready": True,
        "capabilities": {"ingestion": True, "vector_search": False, "pdf_pages": False, "keyword_search": True},
    }
    other = site.ask("check_schema", core_name="cities")
    assert (other["ready"], other["capabilities"]["ingestion"], other["capabilities"]["keyword_search"]) == (False, False, False)
    assert len(other["missing"]) == 5


def test_a_request_that_comes_again_is_answered_with_the_first_job(bench: Bench) -> None:
    """A client whose connection dropped sends it again; two jobs would write everything twice."""
    site = bench.site
    first = site.ask("ingest", core_name="pages", documents=[page(1)])
    assert site.ask("ingest", core_name="pages", documents=[page(1)]) == first
    assert site.ingest(2) != first["job_id"]
    assert site.ask("ingest_queue")["total"] == 2


@pytest.mark.parametrize(
    ("label", "same"), [("pending", True), ("processing", True), ("completed", False), ("paused", False), ("stopped", False)]
)
def test_half_a_minute_later_only_an_unfinished_job_that_is_not_held_answers(bench: Bench, label: str, same: bool) -> None:
    """The same documents sent again then are meant to be written again."""
    job_id = REACHED[label](bench)
    assert bench.site.ingest(*bench.sent) == job_id
    created = int(bench.engine.get(job_id).created_at * 1000) - 31_000
    bench.store.client.hset(keys.JOB(job_id), "created_at", created)
    assert (bench.site.ingest(*bench.sent) == job_id) is same


def test_an_idempotency_key_answers_with_the_first_job_whatever_is_sent(bench: Bench) -> None:
    """Also when the job has ended long ago; ids and total are the job's own."""
    site, headers = bench.site, {"Idempotency-Key": "import-7"}
    first = site.ask("ingest", core_name="pages", documents=[page(1), page(2)], headers=headers)
    site.act(first["job_id"], "pause")
    bench.store.client.hset(keys.JOB(first["job_id"]), "created_at", "1")
    assert site.ask("ingest", core_name="pages", documents=[page(3)], headers=headers) == first


def test_the_audit_names_the_e_mail(site: Opensolr) -> None:
    """A key may be shared by a team; who did it must be told."""
    site.email = EMAIL.upper()
    site.act(site.ingest(), "pause")
    entries, _ = site.api.engine.audit.page("default", limit=2)
    assert [(entry.actor, entry.action) for entry in entries] == [(EMAIL, "job.pause"), (EMAIL, "job.submit")]
