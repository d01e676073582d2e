"""The native API's JSON as types, for those who call it. web/api/schemas.py is what makes it; a test compares them."""

from typing import Any, TypedDict


class Counts(TypedDict):
    """How many documents have which outcome; total is None while nobody knows it."""

    total: int | None
    succeeded: int
    failed: int
    skipped: int
    processed: int
    duplicates: int


class IndexRef(TypedDict):
    """The index a job writes to."""

    slug: str
    id: str


class JobError(TypedDict):
    """Why a job failed."""

    code: str
    message: str
    detail: str | None


class Payload(TypedDict):
    """The documents as they are stored."""

    version: int
    bytes: int
    documents: int
    expires_at: str | None


class Job(TypedDict):
    """One job; times are RFC 3339 in UTC."""

    id: str
    kind: str
    account: str
    initiator: str
    source: str
    index: IndexRef
    lane: str
    state: str
    allowed: list[str]
    round: int
    run: int
    attempt: int
    counts: Counts
    sent_to: int
    settled: bool
    percent: float | None
    rate_per_s: float | None
    eta_s: float | None
    failures_by_code: dict[str, int]
    error: JobError | None
    waiting_for: str | None
    payload: Payload | None
    created_at: str
    queued_at: str | None
    started_at: str | None
    updated_at: str
    ended_at: str | None
    expires_at: str | None


class Jobs(TypedDict):
    """A page of jobs; `next` is the cursor of the page behind it."""

    jobs: list[Job]
    next: str | None


class Filters(TypedDict, total=False):
    """Which jobs are wanted; None and what is left out filter nothing. Times are RFC 3339.

    q is looked for in id, index, initiator and error; account is an operator's to choose.
    """

    state: str | None
    kind: str | None
    index: str | None
    lane: str | None
    source: str | None
    initiator: str | None
    created_after: str | None
    created_before: str | None
    q: str | None
    account: str | None


class Failure(TypedDict):
    """What became of one document that did not simply succeed."""

    position: int
    line: int
    id: str | None
    code: str | None
    field: str | None
    reason: str | None
    raw: str | None


class Failures(TypedDict):
    """A page of failures in payload order; `total` counts also those kept without detail."""

    failures: list[Failure]
    total: int
    next: int | None


Definition = dict[str, Any]  # what an index accepts, as docs/api/indexes.md has it
