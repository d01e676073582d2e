"""What may be read of jobs: one, pages of them, their documents and payloads. Nothing here changes anything."""

from collections.abc import Iterator, Mapping
from typing import Final

from ingest_queue import refusals
from ingest_queue.access.actor import LOCAL, Actor
from ingest_queue.errors import JobFailed, Missing
from ingest_queue.job import Job, Outcome
from ingest_queue.listing import Page, Wanted, page
from ingest_queue.payload import StoredPayload
from ingest_queue.states import State
from ingest_queue.store import keys
from ingest_queue.store.definitions import no_index
from ingest_queue.store.store import Store
from ingest_queue.waiting import awaited

DETAILS: Final[Mapping[str, keys.Key]] = {"failed": keys.FAILURES, "skipped": keys.SKIPPED, "duplicate": keys.DUPLICATES}


class Reader:
    """Jobs as `by` sees them: what they do not see does not exist for them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def get(self, job_id: str, *, by: Actor = LOCAL) -> Job:
        """Return the job. Raises Missing."""
        job = self.store.records.get(job_id)
        if job is None or not by.sees(job.account, job.index):
            raise refusals.missing(job_id)
        return job

    def list(
        self,
        wanted: Wanted = Wanted(),  # noqa: B008  frozen
        *,
        index: str | None = None,
        by: Actor = LOCAL,
        account: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[Job]:
        """Return jobs by when they entered their state, newest first; `offset` skips that many, whatever else is wanted.

        Raises Missing, Denied, Invalid for an odd cursor.
        """
        return page(self.store.records, self._scope(by, account, index), wanted, cursor, limit, offset)

    def counts(self, *, index: str | None = None, by: Actor = LOCAL, account: str | None = None) -> dict[State, int]:
        """Return how many jobs are in each state."""
        return self.store.records.counts(self._scope(by, account, index))

    def failures(
        self, job_id: str, *, kind: str = "failed", after: int = -1, limit: int = 100, by: Actor = LOCAL
    ) -> Page[Outcome]:
        """Return the failed (or skipped, or duplicate) documents behind a position, in payload order."""
        job = self.get(job_id, by=by)
        found = self.store.records.details(DETAILS[kind], job_id, after, limit + 1)
        outcomes = tuple(Outcome(**detail) for detail in found[:limit])
        total = {"failed": job.counts.failed, "skipped": job.counts.skipped, "duplicate": job.counts.duplicates}[kind]
        return Page(outcomes, str(outcomes[-1].position) if len(found) > limit else None, total)

    def payload(self, job_id: str, *, first: int = 0, documents: int | None = None, by: Actor = LOCAL) -> Iterator[bytes]:
        """Return the payload as NDJSON, chunk by chunk: all of it as submitted, or `documents` from position `first` on.

        Raises Missing, Conflict `payload_expired`.
        """
        job = self.get(job_id, by=by)
        stored = self.stored(job)
        return _told(stored.texts() if not first and documents is None else stored.part(first, documents), job)

    def waiting_for(self, job: Job) -> str | None:
        """Return a sentence that says what the job waits for; None when it does not wait."""
        if not job.waits:
            return None
        if job.waiting_for:
            return job.waiting_for
        holder, alive = self.store.lanes.standing(job.lane)
        return awaited(job, holder, alive=alive)

    def stored(self, job: Job) -> StoredPayload:
        """Return the payload as it is stored. Raises Missing, Conflict `payload_expired`."""
        if job.payload is None:
            raise Missing("no_payload", "this job has no payload of its own")
        stored = StoredPayload(self.store.payloads, job.id, job.payload.name)
        if not stored.exists():
            raise refusals.expired(job)
        return stored

    @staticmethod
    def _scope(by: Actor, account: str | None, index: str | None) -> str:
        if index is None and account is None and by.rules_all:
            return "all"
        account = by.account_for(account)
        if not by.sees(account, index):
            raise no_index(str(index))
        index = by.index or index
        return f"index:{account}/{index}" if index else f"account:{account}"


def _told(texts: Iterator[bytes], job: Job) -> Iterator[bytes]:
    """Yield a payload's chunks; one whose time came between two of them is told as a conflict."""
    try:
        yield from texts
    except JobFailed as gone:
        raise refusals.conflict(gone.code, gone.message, job) from gone
