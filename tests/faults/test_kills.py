"""Processes die at the worst moment: nothing lost, nothing doubled, counts exact, the job goes on."""

import os
import signal

import psutil

from ingest_queue.intake.body import Form
from ingest_queue.states import Event, State
from ingest_queue.store.metrics import DOCUMENTS, RESCUES
from tests.faults.world import BULK, World, document, kill_both, kill_horse, ndjson
from tests.servers.processes import wait_for

MANY = [document(n) for n in range(4000)]


def test_the_job_goes_on_elsewhere_when_worker_and_horse_are_killed(world: World) -> None:
    """A machine loses power in the middle of a bulk."""
    workers = [world.worker(), world.worker()]
    job = world.submit(MANY)
    world.until_begun(job)
    kill_both(world.holder(job, workers))
    ended = world.until(job, State.COMPLETED)
    assert ended.run >= 2
    world.check(job, MANY)


def test_a_killed_horse_costs_one_run(world: World) -> None:
    """The parent sees its horse die and gives the job back at once."""
    worker = world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    kill_horse(worker)
    ended = world.until(job, State.COMPLETED)
    assert ended.run == 2
    world.check(job, MANY)
    figures = world.engine.metrics()
    assert figures[RESCUES] == {("lease",): 0, ("horse",): 1}
    assert figures[DOCUMENTS][("succeeded",)] == ended.counts.succeeded


def test_an_orphaned_horse_lets_go(world: World) -> None:
    """kill -9 of the parent alone: the horse must not race with the worker that takes over."""
    workers = [world.worker(), world.worker()]
    job = world.submit(MANY)
    world.until_begun(job)
    holder = world.holder(job, workers)
    horse = holder.children()[0]
    os.kill(holder.pid, signal.SIGKILL)
    world.until(job, State.COMPLETED)
    wait_for(lambda: not _lives(horse), 30, "the orphan's end")
    world.check(job, MANY)


def test_sigterm_hands_the_job_on_and_is_no_attempt(world: World) -> None:
    """A deploy must not cost an attempt, nor wait for the whole job."""
    first = world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    assert first.stop(30) == 0
    halted = world.job(job)
    assert halted.state is State.PENDING and halted.attempts == 0 and halted.settled
    second = world.worker()
    world.until(job, State.COMPLETED)
    assert second.stop(30) == 0
    world.check(job, MANY)


def test_a_horse_that_hangs_does_not_eat_its_worker(world: World) -> None:
    """SIGSTOP beyond the lease: the job goes on elsewhere, and the hung horse is killed by its own parent."""
    workers = [world.worker(), world.worker()]
    job = world.submit(MANY)
    world.until_begun(job)
    holder = world.holder(job, workers)
    horse = holder.children()[0]
    os.kill(horse, signal.SIGSTOP)
    world.until(job, State.COMPLETED)
    wait_for(lambda: not _lives(horse), 30, "the hung horse's end")
    world.check(job, MANY)


def test_a_paused_and_edited_job_resumes_with_the_new_documents(world: World) -> None:
    """Pause at the exact document, repair what follows, go on: the first promise of the product."""
    world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    world.ask(job, Event.PAUSE)
    paused = world.until(job, State.PAUSED)
    at = paused.counts.processed
    assert paused.settled and set(world.index()) == {one["id"] for one in MANY[:at]}
    changed = MANY[: at - BULK] + [document(n, "edited") for n in range(at - BULK, 3900)]
    edited = world.engine.edit(job.id, iter([ndjson(changed)]), form=Form.NDJSON)
    assert edited.counts.processed <= at - BULK and edited.counts.total == 3900
    world.ask(job, Event.RESUME)
    world.until(job, State.COMPLETED)
    world.check(job, changed)


def test_a_job_canceled_while_its_run_is_lost_settles_first(world: World) -> None:
    """Canceled means: exactly the documents before the cursor are in the index."""
    worker = world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    kill_both(worker)
    world.ask(job, Event.CANCEL)
    world.worker()
    ended = world.until(job, State.CANCELED)
    assert ended.settled
    world.check(job, MANY[: ended.counts.processed])


def _lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
