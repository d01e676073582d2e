"""Units of a job that goes on, goes back, passes the end of a month, or only settles: its counts move, nothing is paid twice."""

from ingest_queue.job import Counts, Progress
from ingest_queue.states import Event, State
from ingest_queue.store import keys
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.quota_side import (
    Submit,
    allow,
    claimed,
    claimed_again,
    end,
    failed_in_doubt,
    into_2020,
    lose,
    refused,
    save,
    used,
)
from tests.redis.rq_side import finish
from tests.redis.test_edit import edit


def test_a_stopped_job_that_is_resumed_reserves_only_the_rest(store: Store, submit: Submit, tick: Tick) -> None:
    """It was charged when it stopped."""
    allow(store, 10)
    job = submit()
    run = claimed(store)
    save(run, 4, 1)
    store.records.happen(Event.STOP, job.id)
    run.answer(Event.HALT)
    assert used(store) == 4
    store.records.happen(Event.RESUME, job.id)
    run = claimed(store)
    assert used(store) == 9
    save(run, 9, 1)
    run.answer(Event.COMPLETE)
    assert used(store) == 9


def test_a_retried_job_pays_again(store: Store, submit: Submit, tick: Tick) -> None:
    """A new round writes each document once more."""
    job = submit()
    finish(claimed(store))
    store.records.happen(Event.RETRY, job.id, retry=True)
    assert used(store) == 10
    finish(claimed(store))
    assert used(store) == 20


def test_an_edit_charges_before_the_counts_go_back(store: Store, submit: Submit, tick: Tick) -> None:
    """What was indexed before the edit was indexed; what is written again is paid for again."""
    job = submit()
    run = claimed(store)
    save(run, 4)
    store.records.happen(Event.PAUSE, job.id)
    paused = run.answer(Event.HALT)
    assert paused is not None
    edited = edit(store, paused, first_changed=0, documents="6").job
    assert edited is not None and edited.counts == Counts(6)
    assert used(store) == 4
    store.records.happen(Event.RESUME, job.id)
    run = claimed(store)
    assert used(store) == 4 + 6
    finish(run)
    assert used(store) == 4 + 6


def test_a_reservation_is_charged_in_the_month_in_which_it_was_made(store: Store, submit: Submit, tick: Tick) -> None:
    """A job that runs over midnight of the first takes nothing of the new month."""
    submit()
    run = claimed(store)
    into_2020(store, run)
    lose(store, run, tick)
    run = claimed_again(store)
    save(run, 7, 3)
    run.answer(Event.COMPLETE)
    assert used(store) == 0
    assert store.client.get(keys.QUOTA("default", "2020-01")) == b"7"


def test_a_month_that_is_over_for_long_is_not_brought_back(store: Store, submit: Submit, tick: Tick) -> None:
    """A job that was paused for two years must not leave a key without TTL, below zero."""
    submit()
    run = claimed(store)
    store.client.hset(keys.JOB(run.job.id), "quota_month", "2020-01")
    store.client.delete(*store.client.keys("iq:quota:*"))
    run.answer(Event.FAIL)
    assert not store.client.exists(keys.QUOTA("default", "2020-01"))


def test_a_job_of_unknown_total_is_charged_for_its_successes_at_the_end(store: Store, submit: Submit, tick: Tick) -> None:
    """A pull learns only at its end how many documents there were; with nothing left it does not begin."""
    allow(store, 5)
    submit(None, kind="pull", payload=False)
    run = claimed(store)
    assert used(store) == 0
    save(run, 5, 1)
    assert used(store) == 0
    run.answer(Event.COMPLETE)
    assert used(store) == 5
    submit(None, kind="pull", payload=False)
    ended = end(refused(store), store)
    assert ended.error is not None and "at least 1" in ended.error.message


def test_documents_in_doubt_are_settled_whatever_the_quota_says(store: Store, submit: Submit, tick: Tick) -> None:
    """They may be in the index already: a job cannot be canceled exactly before that is known, and what is in is paid for."""
    job = failed_in_doubt(store, submit)
    assert used(store) == 2
    allow(store, 2)
    store.records.happen(Event.RESUME, job.id)
    store.records.happen(Event.CANCEL, job.id)
    run = claimed_again(store)
    assert run.job.state is State.CANCELING and used(store) == 5
    assert run.checkpoint(Progress(5, Counts(10, 4, 1), {"validation_error": 1}), announce=10) == 5
    ended = run.answer(Event.HALT)
    assert ended is not None and ended.state is State.CANCELED
    assert used(store) == 4


def test_a_job_resumed_while_it_settles_goes_on_only_within_the_quota(store: Store, submit: Submit, tick: Tick) -> None:
    """Its reservation holds what was in doubt, and no more: the rest is reserved before it is announced, or not sent."""
    job = failed_in_doubt(store, submit)
    store.records.happen(Event.RESUME, job.id)
    store.records.happen(Event.PAUSE, job.id)
    run = claimed_again(store)
    assert used(store) == 5
    allow(store, 9)
    store.records.happen(Event.RESUME, job.id)
    assert run.checkpoint(run.progress, announce=10) == 5
    allow(store, 10)
    assert run.checkpoint(run.progress, announce=10) == 10
    assert used(store) == 10
    run.checkpoint(Progress(10, Counts(10, 10)))
    run.answer(Event.COMPLETE)
    assert used(store) == 10


def test_a_job_resumed_while_it_settles_reserves_the_rest_in_the_month_that_it_is(
    store: Store, submit: Submit, tick: Tick
) -> None:
    """What was reserved before the first stays the old month's; the new one pays for what comes."""
    job = failed_in_doubt(store, submit)
    store.records.happen(Event.RESUME, job.id)
    store.records.happen(Event.PAUSE, job.id)
    run = claimed_again(store)
    into_2020(store, run)
    store.records.happen(Event.RESUME, job.id)
    allow(store, 5)
    progress = Progress(4, Counts(10, 4))
    assert run.checkpoint(progress, announce=10) == 5
    allow(store, 6)
    assert run.checkpoint(progress, announce=10) == 10
    assert (used(store), store.client.get(keys.QUOTA("default", "2020-01"))) == (6, b"4")
    run.checkpoint(Progress(10, Counts(10, 10)))
    run.answer(Event.COMPLETE)
    assert (used(store), store.client.get(keys.QUOTA("default", "2020-01"))) == (6, b"4")
