"""The Opensolr dialect's actions on a real Redis, cell by cell as its document's table says."""

from typing import Any

import pytest

from ingest_queue.engine import Engine
from ingest_queue.states import Event
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.http_side import Api
from tests.redis.opensolr_side import REACHED, Bench, Opensolr, page
from tests.redis.rq_side import take


@pytest.fixture
def site(engine: Engine) -> Opensolr:
    return Opensolr(Api(engine))


@pytest.fixture
def bench(site: Opensolr, store: Store, tick: Tick) -> Bench:
    return Bench(site, store, tick)


AVAILABLE = {  # the document's table: action -> label -> what it answers
    "pause": {"pending": "PAUSED", "processing": "PAUSING", "paused": "PAUSED"},
    "resume": {"paused": "RESUMED", "stopped": "RESUMED", "pending": "RESUMED", "processing": "RESUMED"},
    "stop": {"pending": "STOPPED", "processing": "STOPPING", "stopped": "STOPPED"},
    "retry": {"completed": "RETRIED", "failed": "RETRIED", "stopped": "RETRIED"},
    "save_payload": {"failed": "PAYLOAD_SAVED", "stopped": "PAYLOAD_SAVED", "paused": "PAYLOAD_SAVED"},
    "delete": dict.fromkeys(REACHED, "DELETED"),
}
HOLDS = {"pause": ["paused"], "resume": ["pending", "processing"], "stop": ["stopped"]}


@pytest.mark.parametrize("label", REACHED)
@pytest.mark.parametrize("action", AVAILABLE)
def test_an_action_is_available_as_the_document_says(bench: Bench, label: str, action: str) -> None:
    """Each cell of its table; what is not available is refused with what is, and nothing changes."""
    job_id = REACHED[label](bench)
    before = bench.site.job(job_id)
    reply = bench.site.call("ingest_queue_action", job_id=job_id, queue_action=action, payload=[page(7)])
    body = reply.get_json()
    msg = AVAILABLE[action].get(label)
    if msg:
        assert (reply.status_code, body["status"], body["msg"]) == (200, True, msg), body
        assert body["job"]["id"] == job_id
        return
    shown = "stopped" if label == "canceled" else label
    offered = [one for one, labels in AVAILABLE.items() if label in labels and label not in HOLDS.get(one, ())]
    assert (reply.status_code, body["status"], body["msg"], body["state_label"]) == (409, False, "ERROR_INVALID_STATE", shown)
    assert sorted(body["allowed"]) == sorted(offered)
    assert bench.site.job(job_id) == before


def test_a_pause_or_stop_says_that_it_is_asked_until_the_run_has_halted(bench: Bench) -> None:
    """Only then may somebody edit the payload or count on the position."""
    site, run = bench.site, bench.held()
    first = site.act(run.job.id, "pause")
    assert (first["msg"], first["job"]["state_label"]) == ("PAUSING", "processing")
    assert site.act(run.job.id, "pause")["msg"] == "PAUSING"
    run.answer(Event.HALT)
    assert (site.act(run.job.id, "pause")["msg"], site.job(run.job.id)["state"]) == ("PAUSED", 5)
    site.act(run.job.id, "resume")
    bench.tick.now()
    again = take(bench.store, token="second")
    assert again is not None
    assert site.act(run.job.id, "stop")["msg"] == "STOPPING"
    refused = site.call("ingest_queue_action", job_id=run.job.id, queue_action="pause")
    assert (refused.status_code, refused.get_json()["allowed"]) == (409, ["delete"])
    again.answer(Event.HALT)
    assert (site.act(run.job.id, "stop")["msg"], site.job(run.job.id)["state"]) == ("STOPPED", 4)


def test_a_pause_can_be_taken_back_before_the_run_has_halted(bench: Bench) -> None:
    """The job shows as processing all the while, and a client that resumes means just that."""
    run = bench.held()
    bench.site.act(run.job.id, "pause")
    assert bench.site.act(run.job.id, "resume")["msg"] == "RESUMED"
    assert bench.engine.get(run.job.id).state == "running"


def test_a_retried_job_begins_at_zero(bench: Bench) -> None:
    """All counters are cleared, and the whole payload is gone through again."""
    job_id = bench.completed()
    job = bench.site.act(job_id, "retry")["job"]
    assert (job["state"], job["processed_docs"], job["progress"], job["completed_at"]) == (0, 0, 0, None)


def test_a_retry_that_comes_again_is_done_once(bench: Bench) -> None:
    """A client whose reply was lost sends it again with the same Idempotency-Key."""
    job_id = bench.completed()
    bench.site.act(job_id, "retry", headers={"Idempotency-Key": "again"})
    assert bench.site.act(job_id, "retry", headers={"Idempotency-Key": "again"})["msg"] == "RETRIED"
    assert bench.site.call("ingest_queue_action", job_id=job_id, queue_action="retry").status_code == 409


def test_a_saved_payload_replaces_the_documents(bench: Bench) -> None:
    """Ids and total are made anew from what was saved."""
    site, job_id = bench.site, bench.asked(Event.PAUSE)
    answer = site.act(job_id, "save_payload", payload=[page(7), page(8)])
    again = site.ask("ingest", core_name="pages", documents=[page(7), page(8)])
    assert (answer["total_docs"], answer["doc_ids"]) == (2, again["doc_ids"])
    assert (answer["job"]["total_docs"], answer["job"]["state_label"]) == (2, "paused")


@pytest.mark.parametrize(
    ("payload", "msg"),
    [
        (None, "ERROR_MISSING_PARAMETER"),
        ("", "ERROR_MISSING_PARAMETER"),
        ("[{", "ERROR_INVALID_JSON"),
        ([], "ERROR_NO_DOCUMENTS"),
        ([page(n) for n in range(51)], "ERROR_TOO_MANY_DOCUMENTS"),
        ([{"title": "no uri"}], "ERROR_VALIDATION_FAILED"),
    ],
)
def test_a_refused_payload_leaves_the_old_one(bench: Bench, payload: Any, msg: str) -> None:
    """The same rules as at submission, and nothing half done."""
    job_id = bench.asked(Event.PAUSE)
    stored = b"".join(bench.engine.payload(job_id))
    reply = bench.site.call("ingest_queue_action", job_id=job_id, queue_action="save_payload", payload=payload)
    assert (reply.status_code, reply.get_json()["msg"]) == (400, msg)
    assert b"".join(bench.engine.payload(job_id)) == stored


def test_a_deleted_job_is_gone_and_shown_a_last_time(bench: Bench) -> None:
    """In any state; a second delete finds nothing."""
    job_id = bench.completed()
    assert bench.site.act(job_id, "delete")["job"]["state_label"] == "completed"
    reply = bench.site.call("ingest_queue_action", job_id=job_id, queue_action="delete")
    assert (reply.status_code, reply.get_json()["msg"]) == (404, "ERROR_JOB_NOT_FOUND")
