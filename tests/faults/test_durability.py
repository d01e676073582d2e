"""INGEST_ACK=fsync: an acknowledged submission is on disk, and one that is not is not acknowledged.

WAITAOF is of Redis 7.2 and Valkey; Debian's redis-server is older, so these run on the server that the product ships.
"""

import pytest

from ingest_queue.embedded import shipped_redis
from ingest_queue.errors import Unavailable
from ingest_queue.states import State
from tests.conftest import MakeRedis
from tests.faults.world import World, document
from tests.servers.cluster import Cluster
from tests.servers.processes import Processes

FEW = [document(n) for n in range(50)]
FSYNC = {"INGEST_ACK": "fsync"}


def test_an_acknowledged_job_is_there_after_a_crash(make_redis: MakeRedis, cluster: Cluster, processes: Processes) -> None:
    """The acknowledgement waited for the disk, once a submission, and a run pays nothing for it."""
    redis = make_redis("--appendfsync", "everysec", binary=shipped_redis())
    world = World(redis.url, cluster.url, processes, FSYNC)
    job = world.submit(FEW)
    with redis.client as client:
        assert client.info("commandstats")["cmdstat_waitaof"]["calls"] == 1
    redis.kill()
    redis.start()
    world.worker()
    world.until(job, State.COMPLETED)
    world.check(job, FEW)


def test_what_does_not_reach_the_disk_is_not_acknowledged(make_redis: MakeRedis, cluster: Cluster, processes: Processes) -> None:
    """A disk that does not sync is told after ten seconds: the client knows that it does not know."""
    redis = make_redis("--appendfsync", "no", binary=shipped_redis())
    world = World(redis.url, cluster.url, processes, FSYNC)
    with pytest.raises(Unavailable) as refusal:
        world.submit(FEW)
    assert refusal.value.code == "not_on_disk"
    assert [job.counts.total for job in world.engine.list().items] == [50]


def test_a_worker_refuses_a_redis_that_cannot_do_it(make_redis: MakeRedis, processes: Processes) -> None:
    """A promise that the server cannot keep is found at start, not at the crash."""
    redis = make_redis("--appendonly", "no", binary=shipped_redis())
    worker = processes.worker({"REDIS_URL": redis.url, **FSYNC}, "--burst")
    assert worker.wait(30) != 0
    assert "INGEST_ACK=fsync needs" in worker.tail()
