"""What a job is to everybody who reads one: frozen values, made from the record in Redis and never written back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from msgspec import Struct

from ingest_queue.states import DELETE, NEED_A_PAYLOAD, WAITING, State, allowed


class Kind(StrEnum):
    """Where a job's documents come from; decides its retention and its queue in the operators' view."""

    PAYLOAD = "payload"  # a JSON array
    IMPORT = "import"  # NDJSON
    PULL = "pull"  # another cluster
    CONNECTOR = "connector"  # a full sync of a connector
    REINDEX = "reindex"  # a new version of an index


@dataclass(frozen=True, slots=True)
class Counts:
    """How many documents have which outcome. processed = succeeded + failed + skipped, always."""

    total: int | None = None  # None while a cluster has not said
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    duplicates: int = 0  # of the succeeded, those whose id stands on an earlier valid line

    @property
    def processed(self) -> int:
        return self.succeeded + self.failed + self.skipped

    @property
    def in_index(self) -> int:
        """Documents of this job in the index: each id once."""
        return self.succeeded - self.duplicates


@dataclass(frozen=True, slots=True)
class Progress:
    """What a checkpoint saves: where the next bulk starts and what became of everything before.

    line: the physical line of the last document before the cursor; 0 at the payload's beginning.
    """

    cursor: int
    counts: Counts
    codes: Mapping[str, int] = field(default_factory=dict)  # failures and skips by code
    line: int = 0


class Fate(StrEnum):
    """What became of one document."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


class Outcome(Struct, frozen=True, gc=False):
    """What became of one document. `code` and what follows are there for failures, skips and duplicates.

    position: 0-based number of the document in the payload; line: 1-based physical line;
    raw: the line's first 200 characters as valid text; code `duplicate_external_id` on a succeeded one is a warning.
    """

    position: int
    fate: Fate
    line: int = 0
    id: str | None = None
    code: str | None = None
    field: str | None = None
    reason: str | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """The stored documents of a job: which version, how large (bytes unpacked, bytes in Redis), how many."""

    version: int
    name: str  # of the upload that it was
    bytes: int
    stored_bytes: int
    documents: int
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed, or why it rests as asked with something in doubt."""

    code: str
    message: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One durable request to index a set of documents into one index. Times are epoch seconds UTC."""

    id: str
    kind: Kind
    account: str
    initiator: str
    source: str  # UI, API, connector or CLI
    index: str  # slug
    alias: str  # what readers and writers of the cluster use
    lane: str
    state: State
    round: int  # orders this job's writes in its lane
    order: int  # its place in its lane
    run: int  # number of the current or last run
    token: str  # of the run that holds it; empty when none does
    attempts: int  # lost or broken runs since the last progress
    refusals: int  # times the cluster sent the run away since the last progress
    progress: Progress
    sent_to: int  # documents before this may be in the index; settled when it equals processed
    payload: Payload | None
    error: JobError | None
    waiting_for: str | None  # what it waits for, in words
    waiting_since: float | None
    options: Mapping[str, Any]  # on_duplicate and what else the submission asked for
    created_at: float
    queued_at: float | None
    started_at: float | None
    progress_at: float | None
    updated_at: float
    ended_at: float | None
    not_before: float | None
    expires_at: float | None
    rate_per_s: float | None = None  # documents a second of the current or last run
    index_birth: str = ""  # which making of the index it writes to
    deleted_at: float | None = None  # soft-deleted: the row stays for its audit, its errors are gone
    canceled_by: str | None = None  # who asked first; a job that outran them may have completed

    @property
    def counts(self) -> Counts:
        return self.progress.counts

    @property
    def settled(self) -> bool:
        """Nothing sent is unanswered."""
        return self.sent_to <= self.counts.processed

    @property
    def waits(self) -> bool:
        """It waits for its turn."""
        return self.state in WAITING

    @property
    def allowed(self) -> tuple[str, ...]:
        """The verbs people may use now."""
        if self.deleted_at is not None:
            return (DELETE,)
        verbs = allowed(self.state, settled=self.settled)
        gone = self.payload is not None and not self.payload.stored_bytes  # its time is over: nothing can run again
        return tuple(verb for verb in verbs if verb not in NEED_A_PAYLOAD) if gone else verbs

    @property
    def percent(self) -> float | None:
        """Processed of total in percent, one decimal, never 100 before the last; None while the total is unknown."""
        total = self.counts.total
        if total is None:
            return None
        return 1000 * self.counts.processed // total / 10 if total else 100.0

    @property
    def eta_s(self) -> float | None:
        """Seconds until the last document at the current rate; None when it does not run or cannot be known."""
        total = self.counts.total
        if not self.token or not self.rate_per_s or total is None:
            return None
        return round((total - self.counts.processed) / self.rate_per_s, 1)
