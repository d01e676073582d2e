"""A world on a real cluster whose jobs are run in the test's own process: the worker's code without the worker."""

from collections.abc import Callable, Iterator

import pytest

from ingest_queue.job import Job
from ingest_queue.tick import Tick
from tests.consistency import check_consistency
from tests.faults.world import World
from tests.redis.rq_side import take
from tests.servers.cluster import Cluster
from tests.servers.processes import Processes
from tests.servers.redis import RedisServer
from workers.perform import ending_of

MakeWorld = Callable[..., World]


@pytest.fixture
def make_world(redis_server: RedisServer, cluster: Cluster, processes: Processes) -> Iterator[MakeWorld]:
    """Open a world on the session's servers (or on another cluster by `search_url`), emptied first."""
    redis_server.flush()
    made: list[World] = []

    def make(search_url: str = "", **env: str) -> World:
        made.append(World(redis_server.url, search_url or cluster.url, processes, {"INGEST_LEASE_S": "30"} | env))
        Tick(made[-1].engine.store, "parent").now()
        return made[-1]

    yield make
    for world in made:
        check_consistency(world.engine.store)


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world with default settings."""
    return make_world()


def run_next(world: World) -> Job:
    """Do what a worker's horse does with the next job: claim, carry, answer. Return the job as it stands then."""
    store = world.engine.store
    Tick(store, "parent").now()
    run = take(store)
    assert run is not None, "no job was admitted"
    ending = ending_of(run, store)
    job = run.answer(ending.event, **ending.ask)
    assert job is not None
    return job
