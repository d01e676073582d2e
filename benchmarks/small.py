"""Small jobs: what the queue itself costs. P12: one job's way; P16: jobs a second; P17: what a finished one leaves in Redis."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from statistics import median
from typing import Final
from urllib.parse import urlsplit

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
            world.until(lambda job=job: world.engine.get(job.id).state in RESTING, poll_s=0.001)
            ours.append(1000 * (time.perf_counter() - began))
            world.until_idle()
            prebuilt = bodies(ndjson(DOCUMENTS, short=True, start=first), world.engine.indexes.get(slug), job.round + 1)[0]
            began = time.perf_counter()
            for path, data in ((f"/default_{slug}/_bulk", prebuilt), (f"/default_{slug}/_refresh", b"")):
                connection.request("POST", path, data, {"Content-Type": "application/json"})
                connection.getresponse().read()
            bare.append(1000 * (time.perf_counter() - began))
    ours, bare = ours[warm:], bare[warm:]
    absolute = {"cluster_s": median(bare) / 1000}
    yield Figure("P12", median(ours) - median(bare), spread(ours, "ms", 0), spread(bare, "ms", 0), absolute)


@dataclass(slots=True)
class Many:
    """What many small jobs came to, a number a round."""

    rates: list[float] = field(default_factory=list)  # jobs a second
    theirs: list[float] = field(default_factory=list)
    bytes: list[float] = field(default_factory=list)  # in Redis, a finished job
    redis_us: list[float] = field(default_factory=list)  # Redis' CPU, a job


def many(stage: Stage) -> Iterator[Figure]:
    """P16 and P17: many small jobs on ten lanes, one worker, a sink that answers at once; RQ's empty jobs beside them."""
    jobs, rounds = (60, 1) if stage.quick else (400, 3)
    found = Many()
    for turn in range(rounds):
        for one in (_ours, _rqs) if turn % 2 else (_rqs, _ours):
            one(stage, jobs, found)
    ours = f"{spread(found.rates, 'jobs/s', 1)}; Redis' CPU {median(found.redis_us):.0f} µs a job"
    absolute = {"overhead_s": 1 / median(found.rates), "redis_s": median(found.redis_us) / 1e6}
    yield Figure("P16", median(found.rates) / median(found.theirs), ours, spread(found.theirs, "jobs/s", 1), absolute)
    sizes = [size / 1024 for size in found.bytes]
    yield Figure("P17", median(sizes), f"{spread(sizes, 'KB')}; a JSON array", "", {"job_bytes": median(found.bytes)})


def _ours(stage: Stage, jobs: int, found: Many) -> None:
    with World(stage, stage.sink(0)) as world:
        slugs = [world.index() for _ in range(LANES)]
        worker = world.start_workers()
        world.until_over(world.submit(slugs[0], array(DOCUMENTS)))  # loads the scripts
        worker.pop().kill()
        world.until(lambda: not world.engine.store.lanes.alive())
        memory, cpu = _used(world)
        given = [world.submit(slugs[n % LANES], array(DOCUMENTS, start=n * DOCUMENTS)) for n in range(jobs)]
        world.start_workers()
        ended = world.until_over(*given)
        found.rates.append(jobs / wall_s(*ended))
        found.bytes.append((_used(world)[0] - memory) / jobs)
        found.redis_us.append(1e6 * (_used(world)[1] - cpu) / jobs)


def _rqs(stage: Stage, jobs: int, found: Many) -> None:
    """RQ as it comes: its worker, its queue, empty jobs."""
    stage.redis.flush()
    with stage.redis.client as client:
        queue = Queue("empty", connection=client)
        ids = [queue.enqueue(nothing).id for _ in range(jobs)]
        stage.processes.script("rq", "worker", "--burst", "--url", stage.redis.url, "empty").wait(600)
        done = [RqJob.fetch(job_id, connection=client) for job_id in ids]
        started = min(job.started_at for job in done if job.started_at)
        ended = max(job.ended_at for job in done if job.ended_at)
        found.theirs.append(jobs / (ended - started).total_seconds())


def _used(world: World) -> tuple[int, float]:
    """Return Redis' memory in bytes and its CPU seconds so far."""
    info = world.engine.store.client.info()
    return info["used_memory"], info["used_cpu_user"] + info["used_cpu_sys"]
