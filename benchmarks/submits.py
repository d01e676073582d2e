"""Small submissions over HTTP (P15): how many a second, beside a bare Flask view that enqueues the same body with RQ."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Final

from benchmarks.cities import array
from benchmarks.figures import Figure, spread
from benchmarks.front import Front
from benchmarks.stage import Stage, World

DOCUMENTS: Final = 50
CLIENTS: Final = 8  # connections at once, each with a lane of its own
BARE: Final = "benchmarks.enqueue:application()"


def submits(stage: Stage) -> Iterator[Figure]:
    """P15: the same bodies to both, in pairs of short turns; no worker takes the jobs."""
    each, rounds = (20, 1) if stage.quick else (100, 25)
    bodies = [array(DOCUMENTS, start=number * DOCUMENTS) for number in range(each)]
    with World(stage, stage.sink(0)) as world, Front(world) as web, Front(world, application=BARE) as bare:
        slugs = [world.index() for _ in range(CLIENTS)]
        rates: dict[Front, list[float]] = {web: [], bare: []}
        for turn in range(rounds + 1):
            for front in list(rates)[:: -1 if turn % 2 else 1]:
                rates[front].append(_rate(front, slugs, bodies))
    ours, theirs = (found[1:] for found in rates.values())  # the first loads modules and scripts
    ratio = median(our / their for our, their in zip(ours, theirs, strict=True))  # of turns: the machine's speed varies
    yield Figure("P15", ratio, spread(ours, "jobs/s", 0), spread(theirs, "jobs/s", 0))


def _rate(front: Front, slugs: Sequence[str], bodies: Sequence[bytes]) -> float:
    """Return the submissions a second of one client a slug; each sends all bodies."""

    def send(slug: str) -> None:
        with front.client() as client:
            for body in bodies:
                client.submit(slug, body)

    with ThreadPoolExecutor(len(slugs)) as pool:
        began = time.perf_counter()
        list(pool.map(send, slugs))
        return len(bodies) * len(slugs) / (time.perf_counter() - began)
