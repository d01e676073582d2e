"""rq-dashboard's buttons: they act through our engine, or are refused with a word that says what to use."""

import re
from collections.abc import Callable

import pytest

from ingest_queue.errors import Missing
from ingest_queue.job import Job
from ingest_queue.states import Event, State
from ingest_queue.store import keys
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.consistency import check_consistency
from tests.redis.admin_side import EMAIL, Admin
from tests.redis.dashboard.side import BUTTONS, REFUSED, Submit, running
from tests.redis.rq_side import finish, payload_name


def test_requeue_retries_the_job_in_the_operators_name(admin: Admin, failed: Job) -> None:
    """It takes a new round from the first document, and stands in its lane like every other job."""
    reply = admin.post(f"/rq/job/{failed.id}/requeue")
    assert (reply.status_code, reply.get_json()) == (200, {"status": "OK"})
    job = admin.api.engine.get(failed.id)
    assert job.state is State.PENDING and job.round > failed.round and job.error is None
    assert admin.api.engine.audit.page("default", action="job.retry")[0][0].actor == EMAIL


@pytest.mark.parametrize("stands", ["pending", "paused", "running", "failed", "completed"])
def test_delete_takes_the_job_out_of_the_record(admin: Admin, store: Store, submit: Submit, tick: Tick, stands: str) -> None:
    """By itself rq-dashboard deletes RQ's hash, and the job waits on in our lanes for ever."""
    job_id, end = stand(stands, admin, store, submit, tick)
    assert admin.post(f"/rq/job/{job_id}/delete").get_json() == {"status": "OK"}
    with pytest.raises(Missing):
        admin.api.engine.get(job_id)
    assert not [key for key in store.client.scan_iter("rq:job:*") if job_id.encode() in key]
    assert admin.api.engine.audit.page("default", action="job.delete")[0][0].actor == EMAIL
    check_consistency(store)
    end()
    assert admin.post(f"/rq/job/{job_id}/delete").status_code == 404


@pytest.mark.parametrize("stands", ["pending", "paused", "running"])
def test_requeue_is_refused_where_the_table_has_no_retry(
    admin: Admin, store: Store, submit: Submit, tick: Tick, stands: str
) -> None:
    """By itself rq-dashboard puts any job into the queue again, beside the run that holds it."""
    job_id, end = stand(stands, admin, store, submit, tick)
    before = admin.api.engine.get(job_id)
    reply = admin.post(f"/rq/job/{job_id}/requeue")
    assert (reply.status_code, reply.get_json()["state"]) == (409, stands)
    assert "cancel" in reply.get_json()["allowed"]
    assert admin.api.engine.get(job_id) == before
    check_consistency(store)
    end()


def test_requeue_without_a_payload_says_so(admin: Admin, store: Store, failed: Job) -> None:
    """A week after its end a job can be looked at and not run again."""
    store.client.delete(keys.PAYLOAD(failed.id, payload_name(failed)))
    assert admin.post(f"/rq/job/{failed.id}/requeue").get_json()["code"] == "payload_expired"


@pytest.mark.parametrize("path", REFUSED)
def test_a_button_for_many_jobs_says_what_to_use_instead(admin: Admin, failed: Job, path: str) -> None:
    """Behind the record's back they would lose jobs, or run them twice."""
    reply = admin.post(path)
    assert (reply.status_code, reply.get_json()["code"]) == (409, "not_from_here")
    assert re.search(r"ingest-queue|nothing to compact", reply.get_json()["detail"])
    assert admin.api.engine.get(failed.id) == failed


@pytest.mark.parametrize("path", [*BUTTONS, *REFUSED])
@pytest.mark.parametrize("headers", [{}, {"X-CSRF-Token": "wrong"}, {"Sec-Fetch-Site": "same-site"}], ids=str)
def test_a_button_without_its_pages_token_does_nothing(admin: Admin, failed: Job, path: str, headers: dict[str, str]) -> None:
    """Another site's page can send forms to us, and the browser sends the cookie along."""
    sent = headers if "Sec-Fetch-Site" not in headers else headers | {"X-CSRF-Token": admin.token}
    assert admin.http.post(path.format(id=failed.id), headers=sent).status_code == 403
    assert admin.api.engine.get(failed.id) == failed


@pytest.mark.parametrize("path", [*BUTTONS, *REFUSED])
def test_a_get_changes_nothing(admin: Admin, failed: Job, path: str) -> None:
    """A link, an image or a browser that loads ahead sends GETs; rq-dashboard by itself requeues all failed jobs on one."""
    assert admin.http.get(path.format(id=failed.id)).status_code == 405
    assert admin.api.engine.get(failed.id) == failed


def stand(stands: str, admin: Admin, store: Store, submit: Submit, tick: Tick) -> tuple[str, Callable[[], object]]:
    """Bring a job into a state; return its id and what ends its run."""
    if stands in ("pending", "paused"):
        job = submit()
        if stands == "paused":
            admin.api.engine.ask(job.id, Event.PAUSE)
        return job.id, lambda: None
    run = running(store, submit, tick, "cities")
    if stands == "completed":
        finish(run)
    elif stands == "failed":
        run.answer(Event.FAIL)
    return run.job.id, lambda: run.answer(Event.HALT)
