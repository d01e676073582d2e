"""The AACsearch dialect: how jobs end, are listed, canceled, deleted, and what is left of them after their time."""

import pytest

from ingest_queue.config import DAY_S
from ingest_queue.engine import Engine
from ingest_queue.intake.body import Form
from ingest_queue.job import Counts, Progress
from ingest_queue.states import Event
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.aacsearch_side import LINES, Shop
from tests.redis.rq_side import finish, take


@pytest.fixture
def shop(engine: Engine) -> Shop:
    return Shop(engine)


def payload(shop: Shop, job_id: str) -> bytes:
    return b"".join(shop.engine.payload(job_id))


def later(store: Store, days: float) -> int:
    seconds, _ = store.client.time()
    return int((seconds + days * DAY_S) * 1000)


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
    refused = shop.http.delete(url, content_type="application/json")
    assert (refused.status_code, refused.get_json()["error"]) == (409, "conflict")
    finish(run)
    assert shop.http.delete(url, content_type="application/json").get_json() == {"id": run.job.id, "deleted": True}
    assert shop.http.delete(url, content_type="application/json").status_code == 404
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
