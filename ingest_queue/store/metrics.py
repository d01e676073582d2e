"""The legend of the metrics: every number that operators may watch, what it means, where in Redis it is counted.

Counters stand in one hash, and a script adds to it in the call in which a thing truly happens. So every web process
shows the same, whichever process did the work. Knows no format of anybody who reads them.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final, TypeAlias

from ingest_queue.states import State
from ingest_queue.store.codec import QUEUES
from ingest_queue.store.scripts import ENDED


class MetricKind(StrEnum):
    """What one may do with a metric: read it as it stands, take its rate, or take a quantile of it."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


GAUGE, COUNTER, HISTOGRAM = MetricKind.GAUGE, MetricKind.COUNTER, MetricKind.HISTOGRAM
Labels: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `series`: the values that its labels take; all are known, so each is shown before its first event."""

    name: str
    kind: MetricKind
    meaning: str
    labels: Labels = ()
    series: tuple[Labels, ...] = ((),)
    counter: str = ""  # of what is counted: how its fields in the hash begin

    def at(self, *labels: str) -> str:
        """Return the field of the hash that counts one series."""
        return ":".join((self.counter, *labels))


def one_of(*values: str) -> tuple[Labels, ...]:
    """Return the series of one label."""
    return tuple((value,) for value in values)


CEILINGS: Final = one_of("push", "pull")
BUCKETS_S: Final = ("0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "30.0", "60.0", "+Inf")
SUM_US: Final = "sum_us"

JOBS: Final = Metric(
    "ingest_jobs",
    GAUGE,
    "jobs that stand in a state, by the operators' queue",
    ("state", "queue"),
    tuple(product((state.value for state in State), dict.fromkeys(QUEUES.values()))),
)
JOBS_ENDED: Final = Metric(
    "ingest_jobs_ended_total",
    COUNTER,
    "times that a job came to its end, by the state that it ended in; a retried job ends again",
    ("state",),
    one_of(*(state.value for state in ENDED)),
    "ended",
)
LANES_READY: Final = Metric(
    "ingest_lanes_ready", GAUGE, "lanes whose head may begin and waits for a slot, by ceiling", ("ceiling",), CEILINGS
)
LANE_AGE: Final = Metric(
    "ingest_lane_age_seconds",
    GAUGE,
    "how long the longest waiting of these heads has waited for a slot; 0 when none waits",
    ("ceiling",),
    CEILINGS,
)
SLOTS: Final = Metric("ingest_slots", GAUGE, "slots that jobs have, by ceiling", ("ceiling",), CEILINGS)
WORKERS: Final = Metric("ingest_workers", GAUGE, "worker parents that ticked lately and take jobs")
SUSPENDED: Final = Metric("ingest_workers_suspended", GAUGE, "1 while `rq suspend` holds; suspended workers take no job")
DOCUMENTS: Final = Metric(
    "ingest_documents_total",
    COUNTER,
    "documents by outcome, as checkpoints saved them; a new round counts anew",
    ("outcome",),
    one_of("succeeded", "failed", "skipped"),
    "documents",
)
DUPLICATES: Final = Metric(
    "ingest_duplicates_total",
    COUNTER,
    "of the succeeded documents, those whose id stands on an earlier valid line",
    counter=DOCUMENTS.at("duplicates"),
)
BULKS: Final = Metric(
    "ingest_bulk_seconds",
    HISTOGRAM,
    "seconds from a bulk request to its answer; refused: the cluster took some or all of it not now, or did not answer",
    ("answer",),
    one_of("taken", "refused"),
    "bulk",
)
BACK_OFFS: Final = Metric(
    "ingest_back_offs_total", COUNTER, "runs that gave their worker back because the cluster took nothing", counter="back_offs"
)
RESCUES: Final = Metric(
    "ingest_rescues_total",
    COUNTER,
    "lost runs that were taken back, because the lease ran out or the parent saw its horse die",
    ("cause",),
    one_of("lease", "horse"),
    "rescues",
)
ATTEMPTS: Final = Metric(
    "ingest_attempts_total",
    COUNTER,
    "attempts: runs that were lost, or broken by an error",
    ("run",),
    one_of("lost", "broken"),
    "attempts",
)
PAYLOAD_BYTES: Final = Metric("ingest_payload_bytes", GAUGE, "stored bytes of all payloads and uploads")
PAYLOAD_BUDGET: Final = Metric(
    "ingest_payload_budget_bytes", GAUGE, "stored bytes at which intake answers 503, as the answering process has it set"
)
UPLOADS_OPEN: Final = Metric("ingest_uploads_open", GAUGE, "uploads that no job has taken over yet")
UPLOADS: Final = Metric(
    "ingest_uploads_total",
    COUNTER,
    "uploads that ended: taken over by a submit or an edit, abandoned, or expired",
    ("fate",),
    one_of("taken", "abandoned", "expired"),
    "uploads",
)

METRICS: Final = tuple(value for value in globals().values() if isinstance(value, Metric))


def of_bulk(seconds: float, *, refused: bool) -> dict[str, int]:
    """Return what one answered bulk request adds to the hash."""
    answer = "refused" if refused else "taken"
    bucket = next(bound for bound in BUCKETS_S if seconds <= float(bound))
    return {BULKS.at(answer, bucket): 1, BULKS.at(answer, SUM_US): round(seconds * 1_000_000)}
