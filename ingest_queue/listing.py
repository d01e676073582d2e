"""Pages of jobs: which ones are wanted, and where the next page begins. What is read does not grow with the number of jobs."""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ingest_queue.errors import Invalid
from ingest_queue.job import Job, Kind
from ingest_queue.states import State
from ingest_queue.store.records import Records

T = TypeVar("T")
LOOKED_AT: Final = 2000  # jobs that one call reads at most where a filter leaves most of them out
READ_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing; `next` continues it, None at the end. `total` counts all, also what is not kept."""

    items: tuple[T, ...]
    next: str | None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs a listing shows; None: all. Times are epoch seconds; text is looked for in id, index, initiator, error."""

    states: tuple[State, ...] = tuple(State)
    kind: Kind | None = None
    lane: str | None = None
    sources: tuple[str, ...] | None = None
    initiator: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    text: str | None = None

    def fits(self, job: Job) -> bool:
        """Whether this job is one of them; its state is looked at by list, not here."""
        same = (
            (self.kind, job.kind),
            (self.lane, job.lane),
            (self.initiator, job.initiator),
        )
        return (
            all(wanted is None or wanted == found for wanted, found in same)
            and (self.sources is None or job.source in self.sources)
            and (self.created_after is None or job.created_at > self.created_after)
            and (self.created_before is None or job.created_at < self.created_before)
            and (self.text is None or self._reads(job, self.text.casefold()))
        )

    @staticmethod
    def _reads(job: Job, text: str) -> bool:
        said = (job.id, job.index, job.initiator, job.error.message if job.error else "")
        return any(text in one.casefold() for one in said)


def page(records: Records, scope: str, wanted: Wanted, cursor: str | None, limit: int, offset: int = 0) -> Page[Job]:
    """Return up to `limit` jobs by when they entered their state, newest first. Raises Invalid for an odd cursor.

    A page of a rare filter may hold fewer although there is a next one. `offset` skips jobs without reading more than
    their ids; it knows states alone.
    """
    after, looked_at = _position(cursor), 0
    if offset:
        skipped = records.page(scope, wanted.states, after, offset)
        if len(skipped) < offset:
            return Page((), None)
        after = skipped[-1]
    items: list[Job] = []
    while looked_at < LOOKED_AT:
        at_once = max(limit - len(items) + 1, READ_AT_ONCE if looked_at else 0)
        found = records.page(scope, wanted.states, after, at_once)
        for place, job in zip(found, records.get_many([job_id for _, job_id in found]), strict=True):
            if job is not None and wanted.fits(job):
                if len(items) == limit:
                    return Page(tuple(items), _cursor(after))
                items.append(job)
            after = place
        looked_at += len(found)
        if len(found) < at_once:
            return Page(tuple(items), None)
    return Page(tuple(items), _cursor(after))


def _position(cursor: str | None) -> tuple[int, str] | None:
    if not cursor:
        return None
    score, _, job_id = cursor.partition("-")
    if not (score.isascii() and score.isdecimal() and len(score) < 20 and job_id):
        raise Invalid("invalid_cursor", "this cursor was not given by a listing; begin without one")
    return int(score), job_id


def _cursor(place: tuple[int, str] | None) -> str | None:
    return f"{place[0]}-{place[1]}" if place else None
