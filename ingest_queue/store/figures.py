"""The figures of all metrics, read at one moment. Their legend is `metrics`; what a figure costs to read grows with no job."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

from ingest_queue.config import Config
from ingest_queue.store import keys, metrics
from ingest_queue.store.connect import Client
from ingest_queue.store.metrics import BUCKETS_S, CEILINGS, HISTOGRAM, METRICS, SUM_US, Labels, Metric
from ingest_queue.store.scripts import alive_ms


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram's series. buckets: upper bound in seconds -> how many were at or under it; sum_s: of all."""

    buckets: tuple[tuple[str, int], ...]
    sum_s: float


Value: TypeAlias = float | Distribution
Series: TypeAlias = dict[Labels, Value]  # the figure of each series


class Figures:
    """The figures of one Redis."""

    def __init__(self, client: Client, config: Config) -> None:
        self._client, self._config = client, config

    def read(self) -> dict[Metric, Series]:
        """Return every metric's figures, of one moment; how long it takes depends on no number of jobs."""
        seconds, micros = self._client.time()
        now_ms = seconds * 1000 + micros // 1000
        pipe = self._client.pipeline(transaction=True)
        for state, queue in metrics.JOBS.series:
            pipe.zcard(keys.LIST(f"queue:{queue}", state))
        for (ceiling,) in CEILINGS:
            pipe.zcount(keys.READY(ceiling), "-inf", now_ms)
            pipe.zrange(keys.READY(ceiling), 0, 0, withscores=True)
        pipe.zcard(keys.SLOTS())
        pipe.zcard(keys.PULL_SLOTS())
        pipe.zcount(keys.PARENTS(), now_ms - alive_ms(self._config), "+inf")
        pipe.exists(keys.RQ_SUSPENDED())
        pipe.get(keys.BYTES())
        pipe.hlen(keys.UPLOADS())
        pipe.hgetall(keys.METRICS())
        found = pipe.execute()
        jobs, rest = found[: len(metrics.JOBS.series)], found[len(metrics.JOBS.series) :]
        push_ready, push_head, pull_ready, pull_head, slots, pull_slots, workers, suspended, stored, uploads, counted = rest
        standing: dict[Metric, Series] = {
            metrics.JOBS: dict(zip(metrics.JOBS.series, jobs, strict=True)),
            metrics.LANES_READY: dict(zip(CEILINGS, (push_ready, pull_ready), strict=True)),
            metrics.LANE_AGE: dict(zip(CEILINGS, (_age_s(push_head, now_ms), _age_s(pull_head, now_ms)), strict=True)),
            metrics.SLOTS: dict(zip(CEILINGS, (slots - pull_slots, pull_slots), strict=True)),
            metrics.WORKERS: {(): workers},
            metrics.SUSPENDED: {(): suspended},
            metrics.PAYLOAD_BYTES: {(): int(stored or 0)},
            metrics.PAYLOAD_BUDGET: {(): self._config.payload_budget_bytes},
            metrics.UPLOADS_OPEN: {(): uploads},
        }
        happened = {field.decode(): int(number) for field, number in counted.items()}
        return {metric: standing.get(metric) or _figures(metric, happened) for metric in METRICS}


def _age_s(head: list[tuple[bytes, float]], now_ms: int) -> float:
    """Return how long a ready set's first lane has been ready; one whose time has not come is not."""
    return max(0.0, (now_ms - head[0][1]) / 1000) if head else 0.0


def _figures(metric: Metric, happened: Mapping[str, int]) -> Series:
    """Return a counter's or a histogram's figures out of the hash."""
    if metric.kind is HISTOGRAM:
        return {labels: _distribution(metric, labels, happened) for labels in metric.series}
    return {labels: happened.get(metric.at(*labels), 0) for labels in metric.series}


def _distribution(metric: Metric, labels: Labels, happened: Mapping[str, int]) -> Distribution:
    counts = accumulate(happened.get(metric.at(*labels, bound), 0) for bound in BUCKETS_S)
    return Distribution(tuple(zip(BUCKETS_S, counts, strict=True)), happened.get(metric.at(*labels, SUM_US), 0) / 1_000_000)
