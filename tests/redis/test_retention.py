"""What ends when: nothing is left but the permanent keys, and the budget's bytes are back to zero."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ingest_queue.config import DAY_S, MIB
from ingest_queue.errors import Invalid, Unavailable
from ingest_queue.job import Job
from ingest_queue.states import Event
from ingest_queue.store import keys
from ingest_queue.store.keys import LEGEND
from ingest_queue.store.records import Word
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.rq_side import finish, payload_name, take

Submit = Callable[..., Job]


def later(store: Store, days: float) -> int:
    """Return Redis' time in some days, in ms."""
    seconds, micros = store.client.time()
    return int((seconds + days * DAY_S) * 1000 + micros // 1000)


def complete(store: Store, job: Job) -> None:
    """Run a waiting job to its end."""
    run = take(store)
    assert run is not None and run.job.id == job.id
    finish(run)


def test_an_ended_payload_job_is_gone_after_seven_days(store: Store, submit: Submit, tick: Tick) -> None:
    """A12: finished jobs leave the queue by themselves, with everything they own."""
    job = submit()
    complete(store, job)
    store.lanes.expire(later(store, 6.9))
    assert store.records.get(job.id) is not None
    store.lanes.expire(later(store, 7.1))
    assert store.records.get(job.id) is None
    assert store.payloads.stored_bytes() == 0


def test_an_import_loses_payload_then_errors_then_its_row(store: Store, submit: Submit, tick: Tick) -> None:
    """B10: 7 days, 90 days (soft-deleted), 365 days."""
    job = submit(kind="import")
    complete(store, job)
    store.lanes.expire(later(store, 8))
    assert store.records.happen(Event.RETRY, job.id, needs_payload=True).word is Word.GONE
    without = store.records.get(job.id)
    assert without is not None and without.allowed == ("delete",)
    assert store.payloads.stored_bytes() == 0
    store.lanes.expire(later(store, 91))
    row = store.records.get(job.id)
    assert row is not None and row.deleted_at is not None
    refused = store.records.happen(Event.RETRY, job.id)
    assert refused.word is Word.ILLEGAL and refused.job is not None and refused.job.allowed == ("delete",)
    assert sum(store.records.counts("all").values()) == 0
    store.lanes.expire(later(store, 366))
    assert store.records.get(job.id) is None


def test_retry_takes_the_end_away_again(store: Store, submit: Submit, tick: Tick) -> None:
    """A job that runs again must not vanish while it runs."""
    job = submit()
    complete(store, job)
    store.records.happen(Event.RETRY, job.id, retry=True, needs_payload=True)
    store.lanes.expire(later(store, 8))
    assert store.client.ttl(keys.JOB(job.id)) == -1
    assert store.client.ttl(keys.PAYLOAD(job.id, payload_name(job))) == -1
    complete(store, job)


def test_redis_own_ttl_is_a_day_behind_the_logical_end(store: Store, submit: Submit, tick: Tick) -> None:
    """When no worker lives, the memory must come back all the same."""
    job = submit()
    complete(store, job)
    ttl = store.client.ttl(keys.JOB(job.id))
    assert 7.9 * DAY_S < ttl <= 8 * DAY_S
    assert store.client.ttl(keys.RQ_JOB(job.id)) > 0


def test_an_upload_that_broke_off_gives_its_bytes_back(store: Store) -> None:
    """Otherwise each dropped connection would eat of the budget for ever."""
    upload = store.payloads.upload("0" * 32)
    upload.write(0, b"x" * 1000)
    assert store.payloads.stored_bytes() == 1000
    store.lanes.expire(later(store, 1))
    assert store.payloads.stored_bytes() == 0
    assert not store.client.exists(keys.PAYLOAD("0" * 32, upload.name))


def test_over_the_budget_nothing_more_is_taken_in(store: Store) -> None:
    """503 with Retry-After beats a Redis that is full."""
    small = Store.open(store.client, replace(store.config, payload_budget_bytes=MIB))
    upload = small.payloads.upload("0" * 32)
    upload.write(0, b"x" * MIB)
    with pytest.raises(Unavailable) as refusal:
        upload.write(1, b"x")
    assert refusal.value.retry_after_s > 0
    small.payloads.abandon(upload)


def test_an_upload_whose_time_was_over_is_not_taken_for_whole(store: Store) -> None:
    """A slow client would else get a job whose first chunks are gone."""
    upload = store.payloads.upload("0" * 32)
    upload.write(0, b"first")
    store.lanes.expire(later(store, 1))
    with pytest.raises(Invalid):
        upload.write(1, b"second")


def test_nothing_is_left_of_a_mixed_workload_when_all_has_expired(store: Store, submit: Submit, tick: Tick) -> None:
    """The whole keyspace, walked: only documented permanent keys may stay."""
    jobs = [
        submit(kind=kind, lane=f"lane:{n}")
        for n, kind in enumerate(["payload", "import", "pull", "payload", "payload", "import"])
    ]
    for verb, job in zip([Event.PAUSE, Event.STOP, Event.CANCEL], jobs[2:5], strict=True):
        store.records.happen(verb, job.id)
    while (run := take(store)) is not None:
        finish(run)
        tick.now()
    for days in (8, 100, 400):
        while store.lanes.expire(later(store, days)):
            pass
    left = {key.decode() for key in store.client.scan_iter("*")}
    permanent = {key.pattern for key in LEGEND if key.permanent}
    assert {key for key in left if key not in permanent and not key.startswith(("iq:round:", "iq:quota:"))} == set()
    assert store.payloads.stored_bytes() == 0
