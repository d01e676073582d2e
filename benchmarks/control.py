"""How soon a verb is heeded (P10), how soon a killed worker is made up for (P11), how lanes add up (P14)."""

import time
from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks.cities import ndjson
from benchmarks.figures import Figure, spread
from benchmarks.stage import Stage, World, wall_s
from ingest_queue.job import Job
from ingest_queue.states import HALTING, RESTING, Event
from tests.faults.world import kill_both

BULK: Final = 5000
LANES: Final = 4
DELAY_MS: Final = 50
LANE_BULK: Final = 500  # small, so that the cluster's 50 ms are what a bulk takes, not this machine's two cores


def verbs(stage: Stage) -> Iterator[Figure]:
    """P10: pause, stop and cancel in the middle of a load; how many bulks were begun after the verb, and how long it took."""
    rounds = 1 if stage.quick else 3
    body = ndjson(100_000)
    waits: list[float] = []
    bulks: list[float] = []
    with World(stage, stage.node) as world:
        world.start_workers()
        for event in (Event.PAUSE, Event.STOP, Event.CANCEL) * rounds:
            slug = world.index(bulk_documents=BULK)
            job = world.submit(slug, body)
            world.until(lambda job=job: _now(world, job).counts.processed > 2 * BULK, poll_s=0.002)
            began = time.monotonic()
            asked = world.engine.ask(job.id, event)
            world.until(lambda job=job: _now(world, job).state in RESTING, poll_s=0.002)
            waits.append(time.monotonic() - began)
            assert asked.state in HALTING, "the load was over before the verb came"
            bulks.append((_now(world, job).counts.processed - asked.sent_to) / BULK)
            world.engine.indexes.delete(slug, force=True)
    yield Figure("P10 bulks", max(bulks), f"{max(bulks):g} of {len(bulks)} verbs", "those in flight are waited for")
    yield Figure("P10 wait", max(waits), spread(waits))


def kill(stage: Stage) -> Iterator[Figure]:
    """P11: kill -9 of the worker and its horse at once, default lease; until another worker runs the job."""
    rounds = 1 if stage.quick else 2
    waits: list[float] = []
    for _ in range(rounds):
        with World(stage, stage.sink(DELAY_MS)) as world:
            world.start_workers(2)
            job = world.submit(world.index(bulk_documents=100), ndjson(100_000))
            world.until(lambda job=job: _now(world, job).counts.processed, poll_s=0.002)
            holder = next(worker for worker in world.workers if worker.children())
            run = _now(world, job).run
            began = time.monotonic()
            kill_both(holder)
            world.until(lambda job=job, run=run: _now(world, job).run > run)
            waits.append(time.monotonic() - began)
    yield Figure("P11", max(waits), spread(waits, digits=1), "lease 15 s, tick 1 s")


def lanes(stage: Stage) -> Iterator[Figure]:
    """P14: the same four jobs, each on a lane of its own, with one worker and with four."""
    bulks, rounds = (40, 1) if stage.quick else (160, 2)
    took: dict[int, list[float]] = {1: [], LANES: []}
    body = ndjson(bulks * LANE_BULK)
    for turn in range(rounds):
        for workers in (1, LANES) if turn % 2 else (LANES, 1):
            with World(stage, stage.sink(DELAY_MS), bulk_documents=LANE_BULK) as world:
                slugs = [world.index() for _ in range(LANES)]
                jobs = [world.engine.ask(world.submit(slug, body).id, Event.PAUSE) for slug in slugs]
                world.start_workers(workers)
                for job in jobs:  # all workers are there before the first job may begin
                    world.engine.ask(job.id, Event.RESUME)
                took[workers].append(wall_s(*world.until_over(*jobs)))
    ratio = median(took[1]) / median(took[LANES])
    yield Figure("P14", ratio, spread(took[LANES]), f"{spread(took[1])}; bulks of {LANE_BULK}")


def _now(world: World, job: Job) -> Job:
    return world.engine.get(job.id)
