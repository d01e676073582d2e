"""Small jobs: what the queue itself costs. P12: one job's way; P16: jobs a second; P17: what a finished one leaves in Redis."""

import time
from collections.abc import Iterator
from http.client import HTTPConnection
from statistics import median
from typing import Final
from urllib.parse import urlsplit

from redis import Redis
from rq import Queue
from rq.job import Job as RqJob

from benchmarks.cities import array, ndjson
from benchmarks.clients.bodies import bodies
from benchmarks.empty import nothing
from benchmarks.figures import Figure, spread
from benchmarks.stage import Stage, World, wall_s
from ingest_queue.states import RESTING

DOCUMENTS: Final = 50
LANES: Final = 10


def way(stage: Stage) -> Iterator[Figure]:
    """P12: submit to completed, beside the same bulk and a refresh by hand, turn by turn."""
    turns, warm = (10, 3) if stage.quick else (60, 10)
    ours: list[float] = []
    bare: list[float] = []
    with World(stage, stage.node) as world:
        world.start_workers()
        slug = world.index()
        address = urlsplit(stage.node)
        connection = HTTPConnection(str(address.hostname), address.port)
        for turn in range(turns + warm):
            first = turn * DOCUMENTS
            began = time.perf_counter()
            job = world.submit(slug, array(DOCUMENTS, start=first))
            world.until(lambda job=job: world.engine.get(job.id).state in RESTING, poll_s=0.001)  # type: ignore[misc]
            ours.append(1000 * (time.perf_counter() - began))
            world.until_idle()
            prebuilt = bodies(ndjson(DOCUMENTS, short=True, start=first), world.engine.get_index(slug), job.round + 1)[0]
            began = time.perf_counter()
            for path, data in ((f"/default_{slug}/_bulk", prebuilt), (f"/default_{slug}/_refresh", b"")):
                connection.request("POST", path, data, {"Content-Type": "application/json"})
                connection.getresponse().read()
            bare.append(1000 * (time.perf_counter() - began))
    ours, bare = ours[warm:], bare[warm:]
    yield Figure("P12", median(ours) - median(bare), spread(ours, "ms", 0), spread(bare, "ms", 0))


def many(stage: Stage) -> Iterator[Figure]:
    """P16 and P17: many small jobs on ten lanes, one worker, a sink that answers at once; RQ's empty jobs beside them."""
    jobs, rounds = (60, 1) if stage.quick else (400, 3)
    ours: list[float] = []
    theirs: list[float] = []
    sizes: list[float] = []
    for turn in range(rounds):
        for one in (_ours, _rqs) if turn % 2 else (_rqs, _ours):
            one(stage, jobs, ours if one is _ours else theirs, sizes)
    yield Figure("P16", median(ours) / median(theirs), spread(ours, "jobs/s", 1), spread(theirs, "jobs/s", 1))
    yield Figure("P17", median(sizes), f"{spread(sizes, 'KB')}; documents of 85 B")


def _ours(stage: Stage, jobs: int, rates: list[float], sizes: list[float]) -> None:
    with World(stage, stage.sink(0)) as world:
        slugs = [world.index() for _ in range(LANES)]
        worker = world.start_workers()
        world.until_over(world.submit(slugs[0], array(DOCUMENTS)))
        worker.pop().kill()
        world.until(lambda: not world.engine.store.lanes.alive())
        before = _used(world.engine.store.client)
        given = [world.submit(slugs[n % LANES], array(DOCUMENTS, start=n * DOCUMENTS)) for n in range(jobs)]
        world.start_workers()
        ended = world.until_over(*given)
        rates.append(jobs / wall_s(*ended))
        sizes.append((_used(world.engine.store.client) - before) / jobs / 1024)


def _rqs(stage: Stage, jobs: int, rates: list[float], sizes: list[float]) -> None:
    """RQ as it comes: its worker, its queue, empty jobs."""
    stage.redis.flush()
    with stage.redis.client as client:
        queue = Queue("empty", connection=client)
        ids = [queue.enqueue(nothing).id for _ in range(jobs)]
        stage.processes.script("rq", "worker", "--burst", "--url", stage.redis.url, "empty").wait(600)
        done = [RqJob.fetch(job_id, connection=client) for job_id in ids]
        started = min(job.started_at for job in done if job.started_at)
        ended = max(job.ended_at for job in done if job.ended_at)
        rates.append(jobs / (ended - started).total_seconds())


def _used(client: "Redis") -> int:
    return int(client.info("memory")["used_memory"])
