"""What the tests of units do: allow, claim, end runs, and read what is taken."""

from collections.abc import Callable

from ingest_queue.job import Counts, Job, Progress
from ingest_queue.states import Event
from ingest_queue.store import keys
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.rq_side import take
from workers.perform import ending_of

Submit = Callable[..., Job]


def allow(store: Store, units: int, account: str = "default") -> None:
    """Give an account so many units a month."""
    store.client.hset(keys.ACCOUNT(account), "quota", units)


def used(store: Store, account: str = "default") -> int:
    """Return what is taken of the account's month: charged and reserved."""
    return store.quotas.used(account).used


def claimed(store: Store) -> Run:
    """Claim the next job, which its account can pay for."""
    run = take(store)
    assert run is not None and run.shortage is None
    return run


def refused(store: Store) -> Run:
    """Claim the next job, which its account cannot pay for."""
    run = take(store)
    assert run is not None and run.shortage is not None
    return run


def save(run: Run, succeeded: int, failed: int = 0, skipped: int = 0, announce: int | None = None) -> None:
    """Let the run announce and answer its first documents; all fates are as counted."""
    done = succeeded + failed + skipped
    total = run.job.counts.total
    run.checkpoint(run.progress, announce=done if announce is None else announce)
    run.checkpoint(Progress(done, Counts(total, succeeded, failed, skipped), {"validation_error": failed} if failed else {}))


def end(run: Run, store: Store) -> Job:
    """Let the worker's code end a run, and answer for it."""
    ending = ending_of(run, store)
    job = run.answer(ending.event, **ending.ask)
    assert job is not None
    return job


def lose(store: Store, run: Run, tick: Tick) -> None:
    """Let the run's lease be over, and the tick see it."""
    store.client.zadd(keys.SLOTS(), {run.job.id: 1})
    tick.now()


def failed_in_doubt(store: Store, submit: Submit) -> Job:
    """Return a job of ten that failed after two, with the next three sent and unanswered."""
    job = submit()
    run = claimed(store)
    save(run, 2, announce=2)
    run.checkpoint(run.progress, announce=5)
    run.answer(Event.FAIL)
    return job


def claimed_again(store: Store) -> Run:
    """Claim a job under another token than the first."""
    run = take(store, token="again")
    assert run is not None and run.shortage is None
    return run


def into_2020(store: Store, run: Run) -> None:
    """Let all that was taken until now have been taken in another month."""
    month = store.client.hget(keys.JOB(run.job.id), "quota_month").decode()
    store.client.hset(keys.JOB(run.job.id), "quota_month", "2020-01")
    store.client.rename(keys.QUOTA("default", month), keys.QUOTA("default", "2020-01"))
