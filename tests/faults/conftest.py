"""A world for each fault test: its own Redis with AOF, an index of its own on the session's cluster."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import MakeRedis
from tests.consistency import check_consistency
from tests.faults.gate import Gate
from tests.faults.world import BULK, World
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
    """Open worlds, each with its settings and, by `search_url`, behind a gate; after it, the record must be consistent."""
    made: list[World] = []

    def make(search_url: str = "", bulk: int = BULK, **env: str) -> World:
        made.append(World(redis.url, search_url or cluster.url, processes, env, bulk))
        return made[-1]

    yield make
    processes.end()
    for world in made:
        check_consistency(world.engine.store)


@pytest.fixture
def gate(cluster: Cluster) -> Iterator[Gate]:
    """A gate before the session's cluster."""
    with Gate(cluster.url) as gate:
        yield gate


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world with the default settings, but for a lease of two seconds."""
    return make_world()
