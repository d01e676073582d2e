"""Named schedules: a killed run's request reaches the server when the world has moved on. It must win over nothing."""

import pytest

from ingest_queue.intake.body import Form
from ingest_queue.job import Job
from ingest_queue.states import Event, State
from tests.faults.conftest import MakeWorld
from tests.faults.gate import Gate, Held
from tests.faults.world import World, document, kill_horse, ndjson
from tests.servers.processes import Process

FEW = [document(n) for n in range(200)]
NEWER = [document(n, "newer") for n in range(200)]


@pytest.fixture
def world(make_world: MakeWorld, gate: Gate) -> World:
    """A world behind a gate."""
    return make_world(gate.url)


def test_a_late_request_does_not_undo_an_edit(world: World, gate: Gate) -> None:
    """Who repaired a document and saw it in the index must find it there tomorrow."""
    worker, job, held = begun(world, gate)
    world.ask(job, Event.PAUSE)
    kill_horse(worker)
    world.until(job, State.PAUSED)
    world.engine.edit(job.id, iter([ndjson(NEWER)]), form=Form.NDJSON)
    world.ask(job, Event.RESUME)
    world.until(job, State.COMPLETED)
    held.let_go()
    world.check(job, NEWER)


def test_a_late_request_does_not_undo_a_later_job(world: World, gate: Gate) -> None:
    """The newest submission of a document wins, whatever is still under way."""
    worker, job, held = begun(world, gate)
    kill_horse(worker)
    later = world.submit(NEWER)
    world.until(later, State.COMPLETED)
    assert world.job(job).state is State.COMPLETED
    held.let_go()
    world.check(later, NEWER)


def test_a_late_request_of_a_deleted_job_does_not_undo_what_came_after_it(world: World, gate: Gate) -> None:
    """The deleted job's record is gone, so only the lane can know that its round was an older one."""
    worker, job, held = begun(world, gate)
    world.engine.delete(job.id)
    kill_horse(worker)
    later = world.submit(NEWER)
    world.until(later, State.COMPLETED)
    held.let_go()
    world.check(later, NEWER)


def begun(world: World, gate: Gate) -> tuple[Process, Job, Held]:
    """Start a worker and a job whose third bulk waits at the gate."""
    held = gate.hold(FEW[40]["id"])
    worker = world.worker()
    job = world.submit(FEW)
    held.until_here()
    return worker, job, held
