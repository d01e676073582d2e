"""What every worker parent does each second, idle or busy: admit, rescue lost runs, expire. Any number may do it at once."""

import logging
import time
from collections.abc import Callable
from typing import Any

from ingest_queue.job import JobError
from ingest_queue.states import Event
from ingest_queue.store.codec import error_text
from ingest_queue.store.metrics import ATTEMPTS, RESCUES
from ingest_queue.store.store import Store

logger = logging.getLogger(__name__)


class Tick:
    """The tick of one parent."""

    def __init__(self, store: Store, parent: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._parent, self._clock = store, parent, clock
        self._last = float("-inf")

    def when_due(self) -> bool:
        """Tick if a second (the setting) has passed since the last tick; say whether it did."""
        now = self._clock()
        if now - self._last < self._store.config.tick_s * 0.9:
            return False
        self._last = now
        self.now()
        return True

    def now(self) -> None:
        """Tick: say that the parent lives, give slots, take back what was lost, end what is due."""
        for job_id, token in self._store.lanes.tick(self._parent):
            if token:
                rescue(self._store, job_id, token)
            elif self._store.lanes.take_back(job_id):
                logger.warning("slot taken back", extra={"job": job_id})
        while self._store.lanes.expire() >= 100:
            pass


def rescue(store: Store, job_id: str, token: str, *, certain: bool = False, reason: str = "its lease ran out") -> None:
    """Take a job back from a run that is lost, so that it goes on elsewhere at once.

    The fifth lost run in a row without progress fails the job. `certain` is for a parent that saw its horse die:
    the lease need not be over then.
    """
    job = store.records.get(job_id)
    ask: dict[str, Any] = {"token": token, "worker": "", "lost": not certain}
    if job is None:  # deleted while it ran: only its slot is left
        store.records.happen(Event.HALT, job_id, **ask)
        return
    ask["counts"] = {RESCUES.at("horse" if certain else "lease"): 1, ATTEMPTS.at("lost"): 1}
    trace = f"RunLost: run {job.run} of round {job.round} was lost: {reason}"
    if job.attempts + 1 >= store.config.attempts:
        message = f"{job.attempts + 1} runs in a row were lost without progress, the last because {reason}; retry or resume it"
        fields = {
            "attempts": str(job.attempts + 1),
            "error": error_text(JobError("run_lost", message, doubt(job.sent_to, job.counts.processed))),
        }
        answer = store.records.happen(Event.FAIL, job_id, trace=trace, set=fields, **ask)
    else:
        answer = store.records.happen(Event.HALT, job_id, trace=trace, set={"attempts": str(job.attempts + 1)}, **ask)
    logger.warning("run rescued", extra={"job": job_id, "run": job.run, "word": answer.word.value, "reason": reason})


def doubt(sent_to: int, processed: int) -> str | None:
    """Return the words for documents that may or may not be in the index; None when there are none."""
    if sent_to <= processed:
        return None
    return f"documents {processed} to {sent_to - 1} may or may not be in the index; resume or retry settles them"
