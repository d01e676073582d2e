"""Servers go away and come back in the middle of a run: workers survive, counts stay exact."""

import time

import pytest

from ingest_queue.states import WAITING, Event, State
from tests.conftest import MakeNode, MakeRedis
from tests.faults.conftest import MakeWorld
from tests.faults.world import LEASE_S, World, document, kill_horse
from tests.servers.processes import Processes, wait_for
from tests.servers.redis import RedisServer

MANY = [document(n) for n in range(4000)]


def test_a_restart_of_redis_costs_at_most_a_run(world: World, redis: RedisServer) -> None:
    """kill -9 of Redis with its data on disk: workers wait for it, the job goes on."""
    worker = world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    redis.kill()
    redis.start()
    world.until(job, State.COMPLETED)
    assert worker.is_running
    world.check(job, MANY)


def test_a_redis_that_hangs_beyond_the_lease_loses_nothing(world: World, redis: RedisServer) -> None:
    """The lease runs out while nobody can renew it: nothing is sent without one."""
    worker = world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    redis.pause()
    over_at = time.monotonic() + 2 * LEASE_S
    wait_for(lambda: time.monotonic() > over_at, 20, "the end of the lease")
    redis.cont()
    world.until(job, State.COMPLETED)
    assert worker.is_running
    world.check(job, MANY)


@pytest.mark.real_node
def test_a_node_that_dies_and_returns_costs_no_document(make_node: MakeNode, redis: RedisServer, processes: Processes) -> None:
    """Connections break in the middle of a bulk; what it did is found out, not guessed."""
    node = make_node()
    world = World(redis.url, node.url, processes)
    world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    node.kill()
    node.start()
    world.until(job, State.COMPLETED)
    world.check(job, MANY)


def test_a_full_redis_lets_the_running_job_finish(make_redis: MakeRedis, make_world: MakeWorld, redis: RedisServer) -> None:
    """At maxmemory nothing new comes in, but what is there can end and give its memory back."""
    world = make_world()
    worker = world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    with redis.client as client:
        client.config_set("maxmemory", "2mb")
    world.until(job, State.COMPLETED)
    with redis.client as client:
        client.config_set("maxmemory", "0")
    assert worker.is_running
    world.check(job, MANY)


def test_workers_outlive_a_full_redis_and_go_on_when_it_has_room(make_world: MakeWorld, redis: RedisServer) -> None:
    """RQ's own writes are refused then: the parents must wait and go on ticking, so that what is due can expire."""
    world = make_world(INGEST_SLICE_S="1")
    other = make_world(INGEST_SLICE_S="1")
    worker = world.worker()
    long = [document(n) for n in range(40_000)]  # many times its slice, on any machine
    job = world.submit(long)
    waiting = other.submit(MANY[:50])
    world.until_begun(job)
    with redis.client as client:
        client.config_set("maxmemory", "2mb")
    world.until(job, *WAITING)  # its slice is over
    full_until = time.monotonic() + 8
    wait_for(lambda: time.monotonic() > full_until, 20, "longer than parents count as alive without a tick")
    assert world.engine.store.lanes.alive() == 1
    with redis.client as client:
        client.config_set("maxmemory", "0")
    other.until(waiting, State.COMPLETED)
    world.until(job, State.COMPLETED, timeout_s=180)
    assert worker.is_running
    world.check(job, long)


def test_an_index_deleted_under_a_running_job_fails_it(world: World) -> None:
    """The cluster must not make the index anew with guessed types."""
    world.worker()
    job = world.submit(MANY)
    world.until_begun(job)
    world.engine.indexes.delete(world.slug, force=True)
    failed = world.until(job, State.FAILED)
    assert failed.error is not None and failed.error.code == "index_not_found"
    assert not world.client.indices.exists(index=f"default_{world.slug}*", params={"allow_no_indices": "false"})


def test_a_job_whose_horse_dies_each_time_fails_with_its_traces(make_world: MakeWorld) -> None:
    """A payload that kills its worker must not go round for ever."""
    world = make_world(INGEST_ATTEMPTS="3")
    job = world.submit(MANY)
    world.client.indices.put_settings(index=f"default_{world.slug}_v1", body={"index": {"blocks.read_only_allow_delete": True}})
    worker = world.worker()
    for attempt in range(1, 4):
        wait_for(lambda: worker.children() and world.job(job).token, 60, "a horse that holds the job")
        kill_horse(worker)
        wait_for(lambda attempt=attempt: world.job(job).attempts == attempt, 30, "the attempt's count")  # type: ignore[misc]
    failed = world.until(job, State.FAILED)
    assert failed.error is not None and failed.error.code == "run_lost"
    assert len(world.engine.store.records.traces(job.id)) == 3
    world.client.indices.put_settings(index=f"default_{world.slug}_v1", body={"index": {"blocks.read_only_allow_delete": None}})
    world.ask(job, Event.RESUME)
    world.until(job, State.COMPLETED)
    world.check(job, MANY)
