"""Stock RQ commands with our settings module and nothing but what the README says."""

import socket

import pytest

from ingest_queue.states import Event, State
from tests.faults.world import World, document
from tests.search.conftest import MakeWorld
from tests.servers.processes import RQ_CLASSES, Process, wait_for

FEW = [document(n) for n in range(50)]


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world with the default lease: nothing is killed here."""
    return make_world()


def rq(world: World, *args: str) -> Process:
    """Start an RQ command as the README says."""
    return world.processes.script("rq", *args, env={**RQ_CLASSES, **world.settings, "RQ_CONFIG": "workers.settings"})


def test_a_burst_worker_drains_all_that_can_run_and_leaves(world: World) -> None:
    """CI and cron use it: when it leaves, the work is done."""
    jobs = [world.submit(FEW) for _ in range(3)]
    paused = world.submit(FEW)
    world.ask(paused, Event.PAUSE)
    assert rq(world, "worker", "--burst", "ingest").wait(60) == 0
    assert [world.job(job).state for job in jobs] == [State.COMPLETED] * 3
    assert world.job(paused).state is State.PAUSED


def test_a_worker_pool_works(world: World) -> None:
    """One command for a whole machine."""
    pool = rq(world, "worker-pool", "-n", "2", "ingest")
    jobs = [world.submit(FEW) for _ in range(3)]
    for job in jobs:
        world.until(job, State.COMPLETED)
    assert pool.stop(30) == 0
    world.check(jobs[-1], FEW)


def test_rq_info_shows_the_truth_and_changes_nothing(world: World) -> None:
    """Operators look with it; RQ's own clean-up runs in it by default."""
    job = world.submit(FEW)
    before = world.job(job)
    info = rq(world, "info", "--raw", "ingest")
    assert info.wait(30) == 0
    assert "queue ingest 1" in info.tail()
    assert world.job(job) == before


def test_suspended_workers_take_nothing_until_they_are_resumed(world: World) -> None:
    """`rq suspend` before a deploy of the cluster, `rq resume` after it."""
    assert rq(world, "suspend").wait(30) == 0
    worker = world.processes.worker(world.settings)
    assert worker.wait(30) == 1  # RQ does not start a worker while it is suspended
    assert rq(world, "resume").wait(30) == 0
    running = world.worker()
    first = world.submit(FEW)
    world.until(first, State.COMPLETED)
    assert rq(world, "suspend").wait(30) == 0
    wait_for(lambda: not world.engine.store.lanes.alive(), 30, "the worker's rest")
    second = world.submit(FEW)
    assert world.job(second).state is State.PENDING
    assert "suspended" in (world.engine.waiting_for(world.job(second)) or "")
    assert rq(world, "resume").wait(30) == 0
    world.until(second, State.COMPLETED)
    assert running.stop(30) == 0


def test_a_containers_health_check_knows_a_live_worker(world: World) -> None:
    """Redis and the cluster may be well while the only worker of a container hangs."""

    def check() -> Process:
        process = world.processes.script("ingest-queue", "check", "--worker", env=world.settings)
        process.wait(30)
        return process

    assert "no worker on" in check().tail()
    rq(world, "worker", "ingest")
    wait_for(lambda: world.engine.store.lanes.alive_on(socket.gethostname()), 20, "the worker's first tick")
    healthy = check()
    assert healthy.wait() == 0 and f"1 on {socket.gethostname()}" in healthy.tail()
    assert rq(world, "suspend").wait(30) == 0
    assert check().wait() == 0
    assert rq(world, "resume").wait(30) == 0
