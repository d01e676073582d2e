"""What a million jobs or a billion documents a day would take: arithmetic and a simulated queue over measured figures."""

import heapq
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from benchmarks.figures import Figure, number

DAY_S: Final = 86_400
PEAK: Final = 3.0  # the busiest hour beside the average
JOBS: Final = 1_000_000
DOCUMENTS: Final = 1_000_000_000
BUSY: Final = 0.7  # what is planned for is not more than this busy at the peak
SIMULATED: Final = 40_000  # jobs


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run of the benchmarks found."""

    overhead_s: float  # a worker's for a small job, with a cluster that answers at once: P16
    cluster_s: float  # bulk and refresh of 50 documents: P12
    redis_s: float  # Redis' own CPU for a small job, from submission to the end: P16
    job_bytes: float  # in Redis, when it is over: P17
    documents_per_s: float  # one run into one node: P1
    cpu_s: float  # of the worker for a document: P1
    stored_bytes: float  # of a document in a stored payload: P1

    @property
    def job_s(self) -> float:
        """How long a small job holds a worker."""
        return self.overhead_s + self.cluster_s


def measured(figures: Sequence[Figure]) -> Measured:
    """Return what the figures say."""
    found = {name: value for figure in figures for name, value in figure.absolute.items()}
    return Measured(**found)


def waits(jobs_per_s: float, job_s: float, workers: int, lanes: int, seed: int = 1) -> tuple[float, float, float]:
    """Simulate a peak that lasts: return a job's wait in seconds (median, 99 of 100) and how busy the workers are.

    Jobs come at random, on a lane at random; a lane runs one at a time, oldest first; a run takes 0.5 to 1.5 of `job_s`.
    """
    chance = random.Random(seed)
    coming, at = [], 0.0
    for _ in range(SIMULATED):
        at += chance.expovariate(jobs_per_s)
        coming.append((at, chance.randrange(lanes)))
    arrivals = deque(coming)
    standing: list[deque[float]] = [deque() for _ in range(lanes)]
    ready: list[tuple[float, int]] = []  # free lanes by when their head came
    ends: list[tuple[float, int]] = []  # busy lanes by when they are free
    held: set[int] = set()
    waited: list[float] = []
    worked = now = 0.0
    while arrivals or ends:
        if arrivals and (not ends or arrivals[0][0] <= ends[0][0]):
            now, lane = arrivals.popleft()
            standing[lane].append(now)
            if lane not in held and len(standing[lane]) == 1:
                heapq.heappush(ready, (now, lane))
        else:
            now, lane = heapq.heappop(ends)
            held.discard(lane)
            if standing[lane]:
                heapq.heappush(ready, (standing[lane][0], lane))
        while ready and len(held) < workers:
            _, lane = heapq.heappop(ready)
            waited.append(now - standing[lane].popleft())
            held.add(lane)
            took = job_s * chance.uniform(0.5, 1.5)
            worked += took
            heapq.heappush(ends, (now + took, lane))
    cuts = quantiles(waited, n=100)
    return cuts[49], cuts[98], worked / (workers * now)


def tables(m: Measured) -> str:
    """Return the generated part of docs/scale.md."""
    return "\n\n".join(
        [
            _table(("measured", "value", "from"), _inputs(m)),
            "### 1,000,000 jobs of 50 documents a day",
            _table(("step", "figure"), _jobs(m)),
            _table(("workers", "lanes", "median wait", "99 of 100 within", "workers busy"), _simulated(m)),
            "### 1,000,000,000 documents of 276 bytes a day, in large jobs",
            _table(("step", "figure"), _documents(m)),
        ]
    )


def _inputs(m: Measured) -> list[tuple[str, ...]]:
    return [
        ("a small job holds a worker, beside the cluster's time", f"{1000 * m.overhead_s:.0f} ms", "P16"),
        ("bulk and refresh of 50 documents", f"{1000 * m.cluster_s:.0f} ms", "P12"),
        ("Redis' CPU for a small job, all of its life", f"{1e6 * m.redis_s:.0f} µs", "P16"),
        ("Redis' memory for a finished small job", f"{m.job_bytes / 1024:.1f} KB", "P17"),
        ("one run into one node that shares two cores with it", f"{m.documents_per_s:,.0f} documents/s", "P1"),
        ("a worker's CPU for a document", f"{1e6 * m.cpu_s:.1f} µs", "P1"),
        ("a document of 276 bytes in a stored payload", f"{m.stored_bytes:.0f} bytes", "P1"),
    ]


def _jobs(m: Measured) -> list[tuple[str, str]]:
    peak = PEAK * JOBS / DAY_S
    return [
        ("average; peak hour", f"{JOBS / DAY_S:.1f} jobs/s; {peak:.0f} jobs/s"),
        ("one worker", f"1 / ({1000 * m.overhead_s:.0f} + {1000 * m.cluster_s:.0f} ms) = {1 / m.job_s:.1f} jobs/s"),
        (f"workers for the peak, {BUSY:.0%} busy", f"{peak * m.job_s / BUSY:.1f}, so {_up(peak * m.job_s / BUSY)}"),
        ("lanes that must have work at once", f"as many as workers: one lane carries {1 / m.job_s:.1f} jobs/s"),
        ("Redis' one core at the peak", f"{peak * m.redis_s:.1%}; full at {1 / m.redis_s:,.0f} jobs/s"),
        ("Redis' memory, 7 days kept", _gib(7 * JOBS * m.job_bytes)),
        ("… a day kept (`INGEST_KEEP_PAYLOAD_DAYS=1`)", _gib(JOBS * m.job_bytes)),
        ("what saturates first", "Redis' memory, by retention; then workers, which are added; Redis' core last"),
    ]


def _simulated(m: Measured) -> list[tuple[str, ...]]:
    peak = PEAK * JOBS / DAY_S
    enough = _up(peak * m.job_s / BUSY)
    rows: list[tuple[str, ...]] = []
    for workers, lanes in ((enough, enough), (enough, 4 * enough), (enough, 1000), (2 * enough, 1000)):
        middle, late, busy = waits(peak, m.job_s, workers, lanes)
        rows.append((str(workers), str(lanes), _seconds(middle), _seconds(late), f"{busy:.0%}"))
    return rows


def _documents(m: Measured) -> list[tuple[str, str]]:
    average = DOCUMENTS / DAY_S
    peak = PEAK * average
    day = DOCUMENTS * m.stored_bytes
    return [
        ("average; peak hour", f"{average:,.0f} documents/s; {peak:,.0f} documents/s"),
        ("the cluster at the peak", f"{peak / m.documents_per_s:.1f} times the node that was measured"),
        ("workers' CPU at the peak", f"{peak * m.cpu_s:.2f} cores"),
        ("workers and lanes", f"{max(2, _up(peak / m.documents_per_s / BUSY))} at least: one run keeps one such node busy"),
        ("a worker's memory", "P7 at a million lines; less below"),
        ("Redis' memory for payloads kept 7 days", _gib(7 * day)),
        ("… kept 2 hours (`INGEST_KEEP_PAYLOAD_DAYS=0.083`)", _gib(day / 12)),
        ("Redis' network at the peak", f"{2 * peak * m.stored_bytes / 2**20:.1f} MiB/s, in and out"),
        ("what saturates first", "Redis' memory at the default retention: shorten it. Then the cluster's cores"),
    ]


def _up(value: float) -> int:
    return int(-(-value // 1))


def _gib(size: float) -> str:
    return f"{number(size / 2**30)} GiB"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 1 else f"{1000 * value:.0f} ms"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ("---",) * len(head), *rows))
