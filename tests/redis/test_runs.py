"""A run's hold on its job: the token fences, the lease ends, the tick rescues, the slot outlives a delete."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ingest_queue.errors import RunLost
from ingest_queue.job import Counts, Fate, Job, Outcome, Progress
from ingest_queue.states import Event, State
from ingest_queue.store import keys
from ingest_queue.store.records import Word
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.rq_side import queued, take

Submit = Callable[..., Job]


@pytest.fixture
def run(store: Store, submit: Submit, tick: Tick) -> Run:
    """A job of ten documents that a worker has just claimed."""
    submit()
    run = take(store)
    assert run is not None
    return run


def end_the_lease(store: Store, run: Run) -> None:
    """Let Redis believe that the run has not renewed for long."""
    store.client.zadd(keys.SLOTS(), {run.job.id: 1})


def test_only_an_admitted_job_can_be_claimed(store: Store, submit: Submit, tick: Tick) -> None:
    """RQ can hand out an id twice, or one that was paused meanwhile."""
    first = submit()
    store.records.happen(Event.PAUSE, first.id)
    assert store.claim(first.id, "late-pop", "parent-1") is None


def test_a_second_claim_is_refused_while_a_run_holds_the_job(store: Store, run: Run) -> None:
    """The same id queued twice must run once."""
    assert store.claim(run.job.id, "second", "parent-2") is None


def test_a_claim_whose_reply_was_lost_is_answered_again(store: Store, run: Run) -> None:
    """redis-py repeats the script after a lost connection."""
    again = store.claim(run.job.id, run.job.token, "parent-1")
    assert again is not None and again.job.run == run.job.run


def test_a_checkpoint_saves_renews_and_announces(store: Store, run: Run) -> None:
    """Everything a bulk needs is one round trip."""
    failed = Outcome(1, Fate.FAILED, 2, "b", "validation_error", "price", "expected a number", '{"b"')
    progress = Progress(4, Counts(10, 3, 1), {"validation_error": 1})
    assert run.checkpoint(progress, [failed], announce=8) == 8
    job = store.records.get(run.job.id)
    assert job is not None
    assert (job.progress, job.sent_to, job.settled) == (progress, 8, False)
    assert store.records.details(keys.FAILURES, job.id, -1, 10)[0]["reason"] == "expected a number"
    run.checkpoint(progress, [failed], announce=8)
    assert store.client.hlen(keys.FAILURES(job.id)) == 1
    run.answer(Event.FAIL)


def test_details_beyond_what_is_kept_are_counted_and_not_sent(store: Store, submit: Submit, tick: Tick) -> None:
    """A file of a million wrong lines must not travel to Redis as a million reasons that nobody keeps."""
    submit()
    few = Store.open(store.client, replace(store.config, failures_kept=2))
    run = take(few)
    assert run is not None
    run.checkpoint(Progress(0, Counts(10)), announce=6)  # loads the script
    outcomes = [Outcome(n, Fate.FAILED, n + 1, None, "invalid_json", None, "broken", "{") for n in range(6)]

    def bytes_for(end: int) -> int:
        before: int = store.client.info("stats")["total_net_input_bytes"]
        run.checkpoint(Progress(end, Counts(10, 0, end), {"invalid_json": end}), outcomes[end - 3 : end])
        after: int = store.client.info("stats")["total_net_input_bytes"]
        return after - before

    assert bytes_for(3) > bytes_for(6) + 100
    assert [d["position"] for d in few.records.details(keys.FAILURES, run.job.id, -1, 10)] == [0, 1]


def test_nothing_new_is_announced_once_a_halt_is_asked(store: Store, run: Run) -> None:
    """What is announced may be sent; a paused job must not send."""
    run.checkpoint(Progress(0, Counts(10)), announce=5)
    store.records.happen(Event.PAUSE, run.job.id)
    assert run.checkpoint(Progress(0, Counts(10)), announce=10) == 5


def test_a_lost_run_can_write_nothing(store: Store, run: Run, tick: Tick) -> None:
    """A worker that was stopped for a minute wakes up and must not touch its old job."""
    run.checkpoint(Progress(2, Counts(10, 2)), announce=5)
    end_the_lease(store, run)
    tick.now()
    successor = take(store, "parent-2", "successor")
    assert successor is not None and successor.cursor == 2 and successor.sent_to == 5
    with pytest.raises(RunLost):
        run.checkpoint(Progress(5, Counts(10, 5)))
    assert run.answer(Event.COMPLETE) is None
    assert successor.checkpoint(Progress(5, Counts(10, 5)), announce=7) == 7


def test_a_live_run_is_not_rescued(store: Store, run: Run, tick: Tick) -> None:
    """A rescue that raced with a renewal must lose."""
    end_the_lease(store, run)
    run.checkpoint(Progress(0, Counts(10)))
    tick.now()
    run.checkpoint(Progress(1, Counts(10, 1)))


def test_five_lost_runs_without_progress_fail_the_job(store: Store, submit: Submit, tick: Tick) -> None:
    """A payload that kills its worker must not go round for ever."""
    job = submit()
    for attempt in range(5):
        run = take(store, token=f"token-{attempt}")
        assert run is not None
        end_the_lease(store, run)
        tick.now()
    failed = store.records.get(job.id)
    assert failed is not None and failed.state is State.FAILED
    assert failed.error is not None and failed.error.code == "run_lost"
    assert len(store.records.traces(job.id)) == 5
    assert queued(store) == []


def test_progress_forgives_earlier_lost_runs(store: Store, submit: Submit, tick: Tick) -> None:
    """A long job on machines that come and go must not fail for being long."""
    job = submit()
    for attempt in range(8):
        run = take(store, token=f"token-{attempt}")
        assert run is not None
        run.checkpoint(Progress(attempt + 1, Counts(10, attempt + 1)), announce=attempt + 1)
        end_the_lease(store, run)
        tick.now()
    alive = store.records.get(job.id)
    assert alive is not None and alive.waits and alive.counts.succeeded == 8


def test_a_deleted_running_job_keeps_its_slot_until_its_run_answers(store: Store, run: Run, submit: Submit) -> None:
    """The next job of the lane must not start while the deleted one's last requests are out."""
    following = submit()
    assert store.records.delete(run.job.id) is Word.OK
    assert store.records.get(run.job.id) is None
    assert queued(store) == []
    with pytest.raises(RunLost):
        run.checkpoint(Progress(5, Counts(10, 5)))
    assert run.answer(Event.HALT) is None
    assert queued(store) == [following.id]
    assert not store.client.exists(keys.JOB(run.job.id))


def test_a_deleted_jobs_slot_is_freed_when_its_run_is_lost(store: Store, run: Run, submit: Submit, tick: Tick) -> None:
    """Deleting the job of a dead worker must not block the lane."""
    following = submit()
    store.records.delete(run.job.id)
    end_the_lease(store, run)
    tick.now()
    assert queued(store) == [following.id]


def test_delete_works_in_every_waiting_place_and_gives_the_bytes_back(store: Store, submit: Submit, tick: Tick) -> None:
    """Queued in RQ, waiting in the lane, paused: each leaves nothing behind."""
    jobs = [submit() for _ in range(3)]
    store.records.happen(Event.PAUSE, jobs[2].id)
    for job in jobs:
        assert store.records.delete(job.id) is Word.OK
        assert store.records.delete(job.id) is Word.MISSING
    assert store.payloads.stored_bytes() == 0
    assert store.records.happen(Event.PAUSE, jobs[0].id).word is Word.MISSING
    assert not [key for key in store.client.scan_iter("*") if jobs[0].id.encode() in key]
