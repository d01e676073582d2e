"""A world for each fault test: its own Redis with AOF, an index of its own on the session's cluster."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import MakeRedis
from tests.consistency import check_consistency
from tests.faults.world import World
from tests.servers.cluster import Cluster
from tests.servers.processes import Processes
from tests.servers.redis import RedisServer

MakeWorld = Callable[..., World]


@pytest.fixture
def redis(make_redis: MakeRedis) -> RedisServer:
    """The test's own Redis."""
    return make_redis()


@pytest.fixture
def make_world(redis: RedisServer, cluster: Cluster, processes: Processes) -> Iterator[MakeWorld]:
    """Open a world with settings of the test's own; after it, the record must be consistent."""
    made: list[World] = []

    def make(**env: str) -> World:
        made.append(World(redis.url, cluster.url, processes, env))
        return made[-1]

    yield make
    processes.end()
    for world in made:
        check_consistency(world.engine.store)


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world with the default settings, but for a lease of two seconds."""
    return make_world()
