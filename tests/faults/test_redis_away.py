"""Redis is gone for most of a minute: nobody gives up, callers are told, the job goes on at its document."""

import time
from typing import Final

import urllib3

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.states import State
from tests.faults.world import World, document
from tests.servers.ports import free_port
from tests.servers.processes import wait_for
from tests.servers.redis import RedisServer

MANY = [document(n) for n in range(4000)]
AWAY_S: Final = 42


def test_two_workers_and_web_outlive_an_absent_redis(world: World, redis: RedisServer) -> None:
    """A fail-over takes that long; whoever ends on the first refused connection takes the service with it."""
    workers = [world.worker(), world.worker()]
    port = free_port()
    web = world.processes.web({**world.settings, "INGEST_PORT": str(port), "WEB_CONCURRENCY": "1"})
    wait_for(lambda: status(port, "/readyz") == 200, 30, "web")
    _, key = world.engine.keyring.issue("a client", [Scope.INGEST], by=LOCAL)
    job = world.submit(MANY)
    world.until_begun(job)
    redis.kill()
    back_at = time.monotonic() + AWAY_S
    seen = set()

    def is_over() -> bool:
        seen.add(status(port, f"/api/jobs/{job.id}", key))
        return time.monotonic() > back_at

    wait_for(is_over, AWAY_S + 20, "the outage's end")
    assert seen == {503} and status(port, "/healthz") == 200
    redis.start()
    world.until(job, State.COMPLETED, timeout_s=60)
    assert [worker.is_running for worker in workers] == [True, True] and web.is_running
    assert status(port, f"/api/jobs/{job.id}", key) == 200
    world.check(job, MANY)


def status(port: int, path: str, key: str = "") -> int:
    """Return the status of a GET; 0 when nobody answers."""
    try:
        url = f"http://127.0.0.1:{port}{path}"
        return urllib3.request("GET", url, headers={"X-API-Key": key}, retries=False, timeout=10).status
    except urllib3.exceptions.HTTPError:
        return 0
