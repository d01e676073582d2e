"""Each override of the RQ worker, seen from outside: what goes wrong without it must not happen on real processes."""

import os
import signal

import psutil

from ingest_queue.states import State
from ingest_queue.store import keys
from tests.faults.world import World, document
from tests.servers.processes import wait_for

MANY = [document(n) for n in range(4000)]


def test_a_parent_that_leaves_is_forgotten_at_once(world: World) -> None:
    """`register_death`: slots given to a worker that is gone would wait for the next one."""
    worker = world.worker()
    wait_for(lambda: world.engine.store.lanes.alive() == 1, 20, "the parent's first tick")
    assert worker.stop(30) == 0
    assert world.engine.store.lanes.alive() == 0


def test_a_job_deleted_under_a_hung_run_leaves_no_hash_behind(world: World) -> None:
    """`handle_execution_ended`: the last heartbeat of a run that nobody waits for makes RQ's hash anew, without TTL."""
    hung, other = world.worker(), world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    if (holder := world.holder(job, [hung, other])) is other:
        hung, other = other, hung
    assert holder is hung
    horse = psutil.Process(hung.children()[0])
    hung.pause()
    horse.suspend()
    world.engine.delete(job.id)
    client = world.engine.store.client
    wait_for(lambda: not client.exists(keys.JOB(job.id)), 30, "the other parent's rescue, which takes the deleted job away")
    horse.resume()
    wait_for(lambda: horse.status() == psutil.STATUS_ZOMBIE, 30, "the horse's end")
    hung.cont()
    assert hung.stop(30) == 0
    assert not client.exists(keys.RQ_JOB(job.id))


def test_a_horses_own_sigterm_is_a_halt_and_no_attempt(world: World) -> None:
    """`setup_work_horse_signals`: what ends every process of a group must not cost the run its last bulk."""
    worker = world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    os.kill(worker.children()[0], signal.SIGTERM)
    ended = world.until(job, State.COMPLETED)
    assert ended.run >= 2 and ended.attempts == 0
    assert not world.engine.store.records.traces(job.id)
    world.check(job, MANY)
