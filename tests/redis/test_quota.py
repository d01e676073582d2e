"""Units: reserved when a job is claimed, one a success, given back for what failed or was not reached, shared by nobody."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest

from ingest_queue.config import DAY_S
from ingest_queue.job import Counts, Fate, Outcome, Progress
from ingest_queue.states import Event, State
from ingest_queue.store import keys
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.quota_side import Submit, allow, claimed, end, lose, refused, save, used
from tests.redis.rq_side import finish, take


def test_a_claim_reserves_the_whole_job_and_its_end_charges_the_successes(store: Store, submit: Submit, tick: Tick) -> None:
    """One unit per success, none for what failed or was skipped; a duplicate succeeded, too."""
    submit()
    assert used(store) == 0
    run = claimed(store)
    assert used(store) == 10
    run.checkpoint(run.progress, announce=10)
    warning = Outcome(5, Fate.SUCCEEDED, 6, "a", "duplicate_external_id")
    run.checkpoint(Progress(10, Counts(10, 6, 3, 1, duplicates=2), {"validation_error": 3, "superseded": 1}), [warning])
    assert used(store) == 10
    run.answer(Event.COMPLETE)
    assert used(store) == 6


def test_a_resting_job_keeps_nothing_of_its_reservation(store: Store, submit: Submit, tick: Tick) -> None:
    """Records stay for a year: each field that is left in them costs memory for nothing."""
    job = submit()
    run = claimed(store)
    assert store.client.hexists(keys.JOB(job.id), "quota_month")
    finish(run)
    assert not [field for field in store.client.hkeys(keys.JOB(job.id)) if field.startswith(b"quota")]


@pytest.mark.parametrize(
    ("verb", "answer", "state"),
    [
        (Event.CANCEL, Event.HALT, State.CANCELED),
        (Event.STOP, Event.HALT, State.STOPPED),
        (None, Event.FAIL, State.FAILED),
    ],
)
def test_what_was_not_reached_is_given_back(
    store: Store, submit: Submit, tick: Tick, verb: Event | None, answer: Event, state: State
) -> None:
    """Units of documents that were never sent belong to the next job."""
    job = submit()
    run = claimed(store)
    save(run, 3, 1)
    if verb:
        store.records.happen(verb, job.id)
        assert used(store) == 10
    ended = run.answer(answer)
    assert ended is not None and ended.state is state
    assert used(store) == 3


def test_accounts_do_not_pay_for_each_other(store: Store, submit: Submit, tick: Tick) -> None:
    """One tenant's use is none of the other's."""
    allow(store, 5, "theirs")
    submit(account="ours")
    finish(claimed(store))
    submit(5, account="theirs")
    finish(claimed(store))
    assert (used(store, "ours"), used(store, "theirs")) == (10, 5)


def test_a_job_that_its_account_cannot_pay_for_fails_before_anything_is_sent(store: Store, submit: Submit, tick: Tick) -> None:
    """B6: the whole job is refused, and people learn the numbers and what to do."""
    allow(store, 15)
    submit()
    finish(claimed(store))
    job = submit()
    run = refused(store)
    assert run.checkpoint(run.progress, announce=5) == 0
    ended = end(run, store)
    assert ended.state is State.FAILED and ended.error is not None and ended.error.code == "quota_exceeded"
    month = datetime.fromtimestamp(store.quotas.used("default").resets_at, UTC)
    for fact in ("15 documents", "10 are used", "needs 10", f"{month:%Y-%m}-01"):
        assert fact in ended.error.message
    assert (ended.counts.processed, ended.sent_to, used(store)) == (0, 0, 10)
    allow(store, 20)
    store.records.happen(Event.RESUME, job.id)
    finish(claimed(store))
    assert used(store) == 20


@pytest.mark.parametrize("text", ["", "0"])
def test_an_account_without_a_limit_is_counted_and_never_refused(store: Store, submit: Submit, tick: Tick, text: str) -> None:
    """A quota that is set in the middle of a month must know what was used before."""
    store.client.hset(keys.ACCOUNT("default"), "quota", text)
    submit(1_000_000)
    claimed(store).answer(Event.HALT)
    quota = store.quotas.used("default")
    assert (quota.limit, quota.used, quota.warns) == (None, 1_000_000, False)


def test_claims_at_once_never_share_the_last_units(store: Store, submit: Submit) -> None:
    """Eight workers, units for three jobs: three run, whatever the order."""
    for number in range(8):
        Tick(store, f"parent-{number}").now()
        submit(lane=f"lane:{number}")
    allow(store, 35)
    start = Barrier(8)

    def claim(number: int) -> Run | None:
        start.wait(10)
        return take(store, f"parent-{number}")

    with ThreadPoolExecutor(8) as pool:
        runs = [run for run in pool.map(claim, range(8)) if run is not None]
    assert len(runs) == 8
    assert len([run for run in runs if run.shortage is None]) == 3
    assert used(store) == 30


def test_what_one_job_gives_back_the_next_can_have(store: Store, submit: Submit, tick: Tick) -> None:
    """A file of wrong lines must not use up the month."""
    allow(store, 10)
    submit()
    run = claimed(store)
    save(run, 0, 10)
    run.answer(Event.COMPLETE)
    submit()
    finish(claimed(store))
    assert used(store) == 10


def test_a_claim_whose_reply_was_lost_reserves_once_and_refuses_again(store: Store, submit: Submit, tick: Tick) -> None:
    """redis-py repeats the script: a refusal that turned into a success would send what nobody pays for."""
    allow(store, 15)
    submit()
    run = claimed(store)
    again = store.claim(run.job.id, run.job.token, "parent-1")
    assert again is not None and again.shortage is None and used(store) == 10
    finish(run)
    submit()
    run = refused(store)
    again = store.claim(run.job.id, run.job.token, "parent-1")
    assert again is not None and again.shortage == run.shortage
    end(again, store)


def test_a_repeated_claim_of_a_job_that_was_deleted_meanwhile_is_refused(store: Store, submit: Submit, tick: Tick) -> None:
    """Nothing is left that it could reserve for."""
    submit()
    run = claimed(store)
    store.records.delete(run.job.id)
    assert store.claim(run.job.id, run.job.token, "parent-1") is None
    assert used(store) == 0


def test_a_lost_run_is_not_paid_for_twice(store: Store, submit: Submit, tick: Tick) -> None:
    """The reservation is the job's, not the run's: the rescue leaves it and the next run uses it."""
    allow(store, 10)
    submit()
    run = claimed(store)
    save(run, 4, 1, announce=8)
    lose(store, run, tick)
    assert used(store) == 10
    successor = take(store, "parent-2", "successor")
    assert successor is not None and successor.shortage is None and used(store) == 10
    successor.checkpoint(Progress(10, Counts(10, 9, 1), {"validation_error": 1}), announce=10)
    successor.answer(Event.COMPLETE)
    assert used(store) == 9


def test_the_last_lost_run_gives_back_what_was_not_reached(store: Store, submit: Submit, tick: Tick) -> None:
    """Nobody answers for a dead worker but the tick."""
    submit()
    for attempt in range(store.config.attempts):
        run = take(store, token=f"token-{attempt}")
        assert run is not None
        assert used(store) == 10
        if attempt == 0:
            save(run, 2)
        lose(store, run, tick)
    assert used(store) == 2


def test_a_delayed_job_keeps_its_units(store: Store, submit: Submit, tick: Tick) -> None:
    """It goes on by itself when the cluster is back; nobody may have taken its units then."""
    allow(store, 10)
    job = submit()
    claimed(store).answer(Event.BACK_OFF, delay_ms=60_000)
    submit(1, lane="another")
    end(refused(store), store)
    assert used(store) == 10
    store.records.delete(job.id)


def test_a_paused_job_keeps_its_units_until_it_is_given_up(store: Store, submit: Submit, tick: Tick) -> None:
    """Resuming at the exact same document must not depend on what others used meanwhile."""
    job = submit()
    run = claimed(store)
    save(run, 4)
    store.records.happen(Event.PAUSE, job.id)
    run.answer(Event.HALT)
    assert used(store) == 10
    allow(store, 10)
    store.records.happen(Event.RESUME, job.id)
    run = claimed(store)
    assert used(store) == 10
    store.records.happen(Event.PAUSE, job.id)
    run.answer(Event.HALT)
    store.records.happen(Event.CANCEL, job.id)
    assert used(store) == 4


def test_a_paused_job_that_expires_gives_its_units_back(store: Store, submit: Submit, tick: Tick) -> None:
    """Also when Redis' own TTL took the record first: what its end needs stands beside it."""
    jobs = [submit(lane=f"lane:{number}") for number in range(2)]
    for _ in jobs:
        run = claimed(store)
        save(run, 3)
        store.records.happen(Event.PAUSE, run.job.id)
        run.answer(Event.HALT)
        tick.now()
    assert used(store) == 20
    store.client.delete(keys.JOB(jobs[1].id))
    seconds, _ = store.client.time()
    store.lanes.expire(int((seconds + (store.config.keep_paused_days + 1) * DAY_S) * 1000))
    assert store.records.get(jobs[0].id) is None
    assert used(store) == 6


def test_a_job_deleted_while_it_runs_is_charged_for_its_successes(store: Store, submit: Submit, tick: Tick) -> None:
    """What is in the index was paid for; the rest is free at once, although the run has not answered yet."""
    submit()
    run = claimed(store)
    save(run, 4, 2)
    store.records.delete(run.job.id)
    assert used(store) == 4
    assert run.answer(Event.HALT) is None
    assert used(store) == 4


def test_people_are_warned_from_four_fifths_on(store: Store, submit: Submit, tick: Tick) -> None:
    """A refusal in the middle of a month should not be the first that they hear of it."""
    allow(store, 13)
    submit()
    run = claimed(store)
    assert not store.quotas.used("default").warns
    allow(store, 12)
    assert store.quotas.used("default").warns
    finish(run)
