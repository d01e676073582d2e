"""One worker's hold on a job: claim, checkpoint, lease, answer. Everything is fenced by the run's token."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from ingest_queue.errors import RunLost
from ingest_queue.job import Fate, Job, Outcome, Progress
from ingest_queue.quota import Shortage, quota_of
from ingest_queue.states import Event, State, arrow
from ingest_queue.store.codec import decode, job_from
from ingest_queue.store.metrics import of_bulk
from ingest_queue.store.records import Records, Word
from ingest_queue.store.scripts import Scripts

logger = logging.getLogger(__name__)
DETAIL: Final[Mapping[Fate, str]] = {Fate.FAILED: "failures", Fate.SKIPPED: "skipped", Fate.SUCCEEDED: "duplicates"}
CLAIMS: Final = {state.value: to.value for state in State if (to := arrow(Event.CLAIM, state)) is not None}


class Run:
    """A held job. `checkpoint` renews the lease; `should_halt` and `may_send` are answered without a round trip.

    With a `shortage` it may only fail: its account's quota is too small for it, and nothing that it announces is allowed.
    """

    def __init__(
        self,
        job: Job,
        scripts: Scripts,
        records: Records,
        *,
        lease_s: float,
        slice_s: float,
        details_kept: int,
        worker: str,
        claimed_at: float,
        shortage: Shortage | None = None,
        halted: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.job = job
        self.shortage = shortage
        self.cursor = job.progress.cursor
        self.sent_to = job.sent_to
        self._progress = job.progress
        self._scripts, self._records = scripts, records
        self._lease_s, self._slice_s, self._worker = lease_s, slice_s, worker
        self._clock, self._halted = clock, halted
        self._began = claimed_at
        self._began_at = job.counts.processed
        self._lease_until = claimed_at + lease_s
        self._others_wait = self._shutdown = False
        self._details_left = dict.fromkeys(Fate, details_kept)
        self._uncounted: Counter[str] = Counter()  # for the metrics, since the last checkpoint

    def should_halt(self) -> bool:
        """Whether to let go at the next bulk: the worker shuts down or died, or the slice is over and others wait."""
        progressed = self._progress.counts.processed > self._began_at  # else a slow start would end each slice for ever
        slice_over = self._others_wait and progressed and self._clock() - self._began > self._slice_s
        return self._shutdown or slice_over or self._halted()

    def may_send(self) -> bool:
        """Whether the lease still lasts by the local clock, counted from before its last renewal."""
        return self._clock() < self._lease_until

    def observe(self, seconds: float, refused: bool) -> None:
        """Note how long a bulk request took and whether it was refused for now; the next word to Redis says it."""
        self._uncounted.update(of_bulk(seconds, refused=refused))

    def checkpoint(self, progress: Progress, outcomes: Sequence[Outcome] = (), announce: int | None = None) -> int:
        """Save progress and details, renew the lease; return sent_to as Redis knows it.

        `announce` raises sent_to only while nobody asked to halt. Raises RunLost when the job is no longer this run's.
        """
        before = self._clock()
        counts = progress.counts
        details: list[str | int | bytes] = []
        for outcome in outcomes:
            if self._details_left[outcome.fate]:  # beyond that the record keeps none, so none is sent
                self._details_left[outcome.fate] -= 1
                details += [DETAIL[outcome.fate], outcome.position, msgspec.json.encode(outcome)]
        saved = (progress.cursor, counts.succeeded, counts.failed, counts.skipped, counts.duplicates)
        codes = orjson.dumps(progress.codes, option=orjson.OPT_NON_STR_KEYS)
        ahead = "" if announce is None else announce
        job, rate = self.job, self._rate(progress)
        counted = orjson.dumps(self._uncounted) if self._uncounted else ""
        answer = self._scripts("checkpoint", job.id, job.token, *saved, codes, ahead, rate, counted, progress.line, *details)
        if answer[0] != b"ok":
            raise RunLost(self.job.id)
        self._lease_until = before + self._lease_s
        self._uncounted.clear()
        self._progress = progress
        _, self.sent_to, others_wait, shutdown = answer
        self._others_wait, self._shutdown = bool(others_wait), bool(shutdown)
        return int(self.sent_to)

    @property
    def progress(self) -> Progress:
        """What was saved last."""
        return self._progress

    def answer(self, event: Event, *, counts: Mapping[str, int] | None = None, **ask: Any) -> Job | None:
        """End this run with an event; return the job as it stands then, None when it was no longer this run's."""
        ask |= {"token": self.job.token, "worker": self._worker, "counts": self._uncounted + Counter(counts)}
        answer = self._records.happen(event, self.job.id, **ask)
        if answer.word is not Word.OK:
            logger.info("run answered too late", extra={"job": self.job.id, "event": event.value, "word": answer.word.value})
            return None
        return answer.job

    def _rate(self, progress: Progress) -> str:
        elapsed = self._clock() - self._began
        done = progress.counts.processed - self._began_at
        return f"{done / elapsed:.1f}" if elapsed > 0 and done > 0 else ""


def claim(scripts: Scripts, records: Records, job_id: str, token: str, worker: str, **how: Any) -> Run | None:
    """Take an admitted job for `token`; None when it has no slot any more or another run holds it."""
    clock = how.get("clock", time.monotonic)
    before = clock()
    word, *flat = scripts("claim", job_id, token, worker, orjson.dumps(CLAIMS))
    if word == b"refused":
        return None
    if word == b"over_quota":
        limit, used, wanted, month, *flat = flat
        how["shortage"] = Shortage(quota_of(month.decode(), limit, used), wanted)
    return Run(job_from(decode(flat)), scripts, records, worker=worker, claimed_at=before, **how)
