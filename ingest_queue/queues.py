"""The operators' view: every job stands in one of two queues, by where its documents come from. Nothing here writes.

It is a view over the record, not over RQ's queue, of which there is one. Knows no words of the API that shows it: the
caller says which states it shows under one word.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import dropwhile
from typing import Final

from ingest_queue import refusals
from ingest_queue.access.actor import Actor
from ingest_queue.errors import Denied, Missing
from ingest_queue.job import Job
from ingest_queue.states import State
from ingest_queue.store.codec import QUEUE_NAMES, QUEUES
from ingest_queue.store.store import Store

LISTED: Final[Mapping[State, str]] = {  # only so many of the newest are counted and listed, says which setting
    State.COMPLETED: "completed_listed",
    State.FAILED: "failed_listed",
    State.CANCELED: "failed_listed",
}
OF_ATTEMPTS: Final = ("run_broken", "run_lost")  # errors that say no more than the last trace
TRACEBACK: Final = "Traceback (most recent call last):\n"
Words = Mapping[str, tuple[State, ...]]  # what the caller shows -> the states that it shows so


@dataclass(frozen=True, slots=True)
class Attempted:
    """A job and the traces of its round's failed attempts, oldest first."""

    job: Job
    traces: tuple[str, ...] = ()

    @property
    def reason(self) -> str | None:
        """Why the job, or its last failed attempt, failed: `Type: message`; None when nothing went wrong."""
        error = self.job.error
        if error is not None and not (self.traces and error.code in OF_ATTEMPTS):
            return f"{error.code}: {error.message}"
        return reason_of(self.traces[-1]) if self.traces else None


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of a queue's jobs. counts: of the whole queue by the caller's words; total: jobs on all pages."""

    counts: Mapping[str, int]
    jobs: tuple[Attempted, ...]
    total: int


class Queues:
    """What an operator sees of all accounts' jobs. Raises Denied for anybody else."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def counts(self, words: Words, *, by: Actor) -> dict[str, dict[str, int]]:
        """Return for each queue how many jobs each word shows, at one moment."""
        _operator(by)
        return {queue: self._shown(counts, words) for queue, counts in self._store.queues.counts().items()}

    def page(
        self, queue: str, word: str, words: Words, *, page: int = 1, limit: int = 10, newest_first: bool = False, by: Actor
    ) -> QueuePage:
        """Return the queue's counts and page number `page` of the jobs that `word` shows; an empty one past the end.

        In the order in which they entered their state, pending ones in the order in which they will run. A job that
        left these states between the two reads of this call is left out. Raises Missing (queue).
        """
        _operator(by)
        check_queue(queue)
        states = words[word]
        counts, ids = self._store.queues.page(
            queue, states, most=self._most(states), first=(page - 1) * limit, limit=limit, newest_first=newest_first
        )
        found = (Attempted(job, traces) for job, traces in self._store.queues.with_traces(ids))
        shown = self._shown(counts, words)
        return QueuePage(shown, tuple(one for one in found if one.job.state in states), shown[word])

    def get(self, queue: str, job_id: str, *, by: Actor) -> Attempted:
        """Return one job of the queue. Raises Missing (queue, job, or a job of the other queue)."""
        _operator(by)
        check_queue(queue)
        for job, traces in self._store.queues.with_traces([job_id]):
            if QUEUES[job.kind] == queue and job.deleted_at is None:
                return Attempted(job, traces)
        raise refusals.missing(job_id)

    def _shown(self, counts: Mapping[State, int], words: Words) -> dict[str, int]:
        found = {word: (sum(counts[state] for state in states), self._most(states)) for word, states in words.items()}
        return {word: count if most is None else min(count, most) for word, (count, most) in found.items()}

    def _most(self, states: tuple[State, ...]) -> int | None:
        limits = [int(getattr(self._store.config, LISTED[state])) for state in states if state in LISTED]
        return min(limits, default=None)


def check_queue(queue: str) -> None:
    """Raise Missing for a queue that is not one of the two."""
    if queue not in QUEUE_NAMES:
        raise Missing("queue_not_found", f"there is no queue {queue!r}; there are {' and '.join(QUEUE_NAMES)}")


def reason_of(trace: str) -> str:
    """Return `Type: message` of a trace: what stands behind its last frame, the type without its module."""
    lines = trace.rpartition(TRACEBACK)[2].splitlines()
    said = list(dropwhile(lambda line: line.startswith(" "), lines)) or lines[-1:]
    kind, mark, message = "\n".join(said).strip().partition(":")
    return kind.rpartition(".")[2] + mark + message


def _operator(by: Actor) -> None:
    if not by.rules_all:
        raise Denied("forbidden", "only an operator of the installation may see the jobs of all accounts")
