"""Open Archiver's Jobs API: what its clients read, to the letter."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from ingest_queue.engine import Engine
from ingest_queue.job import Counts, Job, JobError, Progress
from ingest_queue.states import Event, State
from ingest_queue.store.codec import error_text
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.bench import Bench
from tests.redis.http_side import UNKNOWN, Api
from tests.redis.open_archiver_side import KEYS, QUEUES, get, jobs
from tests.redis.rq_side import take
from web.dialects.open_archiver import WORDS
from web.dialects.open_archiver_schemas import STATUSES

Submit = Callable[..., Job]
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in carry\n    read()\nurllib3.exceptions.ReadTimeout: {}\n'


@pytest.fixture
def api(engine: Engine) -> Api:
    return Api(engine)


@pytest.fixture
def operator(api: Api) -> FlaskClient:
    """A client with a key of scope manage:all."""
    return api.operator


@pytest.fixture
def bench(store: Store, submit: Submit, tick: Tick) -> Bench:
    return Bench(store, submit, tick)


def broken(store: Store, job: Job, *reasons: str) -> None:
    """Let a waiting job's runs break, each for its own reason; the fifth fails it."""
    for number, reason in enumerate(reasons, 1):
        run = take(store, token=f"token-{number}")
        assert run is not None and run.job.id == job.id
        told: dict[str, Any] = {"trace": TRACE.format(reason), "set": {"attempts": str(number)}}
        if number < 5:
            run.answer(Event.BACK_OFF, delay_ms=0, **told)
            continue
        error = JobError("run_broken", f"5 runs in a row broke without progress, the last by ReadTimeout: {reason}")
        run.answer(Event.FAIL, **told | {"set": {"attempts": "5", "error": error_text(error)}})


def test_both_queues_are_always_there_with_six_whole_numbers(operator: FlaskClient) -> None:
    """A dashboard draws both from its first day on, and reads each count without asking whether it is there."""
    assert get(operator) == {
        "queues": [
            {"name": name, "counts": {"active": 0, "completed": 0, "failed": 0, "delayed": 0, "waiting": 0, "paused": 0}}
            for name in ("ingestion", "indexing")
        ]
    }


def test_every_state_has_one_of_the_six_words() -> None:
    """A state without a word would be in no count."""
    assert set(WORDS) == set(State)
    assert set(WORDS.values()) == set(STATUSES)


def test_a_failed_job_tells_each_attempt_with_its_trace(operator: FlaskClient, store: Store, submit: Submit, tick: Tick) -> None:
    """What an operator needs before they look into any log: why, how often, and where in the code."""
    job = submit()
    reasons = [f"attempt {number}" for number in range(1, 6)]
    broken(store, job, *reasons)
    [found] = jobs(operator, "failed")
    assert set(found) == KEYS
    assert (found["id"], found["state"], found["name"]) == (job.id, "failed", "index-batch")
    assert found["failedReason"] == found["error"] == "ReadTimeout: attempt 5"
    assert found["attemptsMade"] == 5
    assert found["stacktrace"] == [TRACE.format(reason) for reason in reasons]
    assert found["returnValue"] is found["ingestionSourceId"] is None
    ended = store.records.get(job.id)
    assert ended is not None and ended.started_at and ended.ended_at
    moments = [found["timestamp"], found["processedOn"], found["finishedOn"]]
    assert moments == [round(at * 1000) for at in (job.created_at, ended.started_at, ended.ended_at)]
    assert all(type(at) is int for at in moments) and moments == sorted(moments)


def test_a_job_that_tries_again_says_why_without_an_error(
    operator: FlaskClient, store: Store, submit: Submit, tick: Tick
) -> None:
    """`error` is for what has failed for good; a delayed job may still succeed."""
    broken(store, submit(), "busy")
    [found] = jobs(operator, "delayed")
    assert (found["failedReason"], found["error"], found["attemptsMade"]) == ("ReadTimeout: busy", None, 1)
    assert found["finishedOn"] is None


def test_a_job_that_failed_at_once_tells_why_whatever_broke_before(
    operator: FlaskClient, store: Store, submit: Submit, tick: Tick
) -> None:
    """An attempt that broke an hour ago is not the reason why the index is missing now."""
    broken(store, submit(), "an hour ago")
    run = take(store, token="last")
    assert run is not None
    run.answer(Event.FAIL, set={"error": error_text(JobError("index_not_found", "the index cities was deleted"))})
    [found] = jobs(operator, "failed")
    assert found["failedReason"] == found["error"] == "index_not_found: the index cities was deleted"
    assert found["attemptsMade"] == len(found["stacktrace"]) == 1


def test_a_canceled_job_is_listed_as_failed_and_says_who_canceled_it(api: Api, operator: FlaskClient) -> None:
    """This API has no word for canceled, so the reason must tell it apart."""
    job = api.submit()
    api.ask(job, "cancel")
    [found] = jobs(operator, "failed")
    assert (found["id"], found["state"]) == (job["id"], "failed")
    assert found["failedReason"] == found["error"] == f"Canceled by {api.key.label}"


def test_a_completed_job_returns_its_summary(operator: FlaskClient, store: Store, submit: Submit, tick: Tick) -> None:
    """The figures, not the documents."""
    submit()
    run = take(store)
    assert run is not None
    run.checkpoint(Progress(10, Counts(10, 8, 2, duplicates=1), {"validation_error": 2}), announce=10)
    run.answer(Event.COMPLETE)
    [found] = jobs(operator, "completed")
    assert found["returnValue"] == {"total": 10, "succeeded": 8, "failed": 2, "skipped": 0, "duplicates": 1}
    assert found["failedReason"] is found["error"] is None
    assert (found["attemptsMade"], found["stacktrace"]) == (0, [])


@pytest.mark.parametrize(
    ("kind", "options", "queue", "name"),
    [
        ("pull", {"source_id": "s1", "first_pull": True}, "ingestion", "initial-import"),
        ("pull", {"source_id": "s1"}, "ingestion", "continuous-sync"),
        ("connector", {}, "ingestion", "initial-import"),
        ("payload", {}, "indexing", "index-batch"),
        ("import", {}, "indexing", "index-batch"),
        ("reindex", {}, "indexing", "reindex"),
    ],
)
def test_a_job_is_named_by_where_its_documents_come_from_and_shows_no_secret(
    operator: FlaskClient, submit: Submit, kind: str, options: dict[str, Any], queue: str, name: str
) -> None:
    """What a submission brings along may hold a password; of its options only the source's id is ever shown."""
    secrets = {"password": "hunter2", "headers": {"Authorization": "Basic aHVudGVyMg=="}}
    job = submit(kind=kind, options=options | secrets)
    [found] = jobs(operator, "waiting", queue)
    assert found["name"] == name
    assert found["ingestionSourceId"] == options.get("source_id")
    expected = {"index": "cities", "account": "default", "kind": kind, "source": "API", "initiator": "tests"}
    assert found["data"] == ({"ingestionSourceId": "s1"} if "source_id" in options else expected)
    assert "hunter2" not in json.dumps([found, get(operator, f"/{queue}/{job.id}")])
    assert found["processedOn"] is found["finishedOn"] is found["returnValue"] is None


def test_status_is_failed_when_none_is_asked_for(operator: FlaskClient, bench: Bench) -> None:
    """Whoever opens a queue looks for what went wrong."""
    failed = bench.unheld(State.FAILED)
    bench.unheld(State.COMPLETED)
    assert [job["id"] for job in get(operator, "/indexing")["jobs"]] == [failed]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_follow_each_other_and_say_where_they_stand(operator: FlaskClient, bench: Bench, order: str) -> None:
    """Oldest first unless asked otherwise; past the end there is an empty page, no error."""
    ids = [bench.unheld(State.STOPPED) for _ in range(5)]
    ids = ids if order == "asc" else ids[::-1]
    for page in (1, 2, 3, 4):
        found = get(operator, "/indexing", status="paused", page=page, limit=2, **({"order": order} if order == "desc" else {}))
        assert [job["id"] for job in found["jobs"]] == ids[2 * page - 2 : 2 * page]
        assert found["pagination"] == {"currentPage": page, "totalPages": 3, "totalJobs": 5, "limit": 2}
        assert (found["name"], found["counts"]["paused"]) == ("indexing", 5)


@pytest.mark.parametrize(
    ("query", "page", "limit"),
    [
        ({}, 1, 10),
        ({"page": "0", "limit": "0"}, 1, 10),
        ({"page": "-1", "limit": "-5"}, 1, 10),
        ({"page": "x", "limit": ""}, 1, 10),
        ({"page": "1.5", "limit": "1e3"}, 1, 10),
        ({"page": " 2", "limit": "²"}, 1, 10),
        ({"page": "002", "limit": "1001"}, 2, 1000),
        ({"page": "9" * 5000, "limit": "9" * 5000}, 2**53 - 1, 1000),
    ],
)
def test_an_odd_page_or_limit_counts_as_none(operator: FlaskClient, query: dict[str, str], page: int, limit: int) -> None:
    """Clients of this API were never told of a mistake there, and hand on what people type."""
    found = get(operator, "/indexing", status="waiting", **query)
    assert found["pagination"] == {"currentPage": page, "totalPages": 0, "totalJobs": 0, "limit": limit}
    assert found["jobs"] == []


def test_what_cannot_be_asked_is_told_apart(operator: FlaskClient) -> None:
    """An unknown status names the six; an unknown queue comes first, for there is nothing to look into."""
    for status in ("stalled", "", "FAILED"):
        reply = operator.get(f"{QUEUES}/indexing", query_string={"status": status})
        assert reply.status_code == 400
        assert all(word in reply.get_json()["message"] for word in STATUSES)
    assert operator.get(f"{QUEUES}/indexing?order=newest").status_code == 400
    assert operator.get(f"{QUEUES}/indexing?_=1754&status=failed").status_code == 200
    for path in ("/none", "/none?status=stalled", f"/none/{UNKNOWN}", f"/indexing/{UNKNOWN}", "/indexing/1", "/a%2Fb", "/%00"):
        assert operator.get(QUEUES + path).status_code == 404, path
