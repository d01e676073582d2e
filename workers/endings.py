"""How a run ends: the event for the table, and what goes into the record with it. Pure but for the clock."""

import logging
import time
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ingest_queue.config import Config
from ingest_queue.job import JobError
from ingest_queue.quota import Shortage
from ingest_queue.states import Event
from ingest_queue.store.codec import error_text
from ingest_queue.store.metrics import ATTEMPTS, BACK_OFFS
from ingest_queue.store.runs import Run
from ingest_queue.tick import doubt

logger = logging.getLogger(__name__)
MOST_DELAY_S: Final = 60


@dataclass(frozen=True, slots=True)
class Ending:
    """The event that ends a run, and what goes into the record with it."""

    event: Event
    ask: dict[str, Any] = field(default_factory=dict)


def failed(run: Run, code: str, message: str, **ask: Any) -> Ending:
    """The run can never go on."""
    error = JobError(code, message, doubt(run.sent_to, run.progress.counts.processed))
    return Ending(Event.FAIL, {"set": {"error": error_text(error), "waiting_for": "", "waiting_since": ""}} | ask)


def over_quota(run: Run, shortage: Shortage) -> Ending:
    """The account's units do not last for this job: nothing of it is sent."""
    quota = shortage.quota
    wanted = f"{shortage.wanted:,}" if run.job.counts.total is not None else f"at least {shortage.wanted:,}"
    message = (
        f"account {run.job.account} may index {quota.limit:,} documents a month, {quota.used:,} are used or reserved, and this "
        f"job needs {wanted}; resume it when the next month begins ({datetime.fromtimestamp(quota.resets_at, UTC):%Y-%m-%d} UTC) "
        "or when the quota was raised, or edit it to fewer documents"
    )
    return failed(run, "quota_exceeded", message)


def refused_for_now(run: Run, config: Config, reason: str) -> Ending:
    """The cluster takes nothing: come back in 1, 2, 4 ... 60 s, until patience is over."""
    job = run.job
    progressed = run.progress.cursor > job.progress.cursor
    since = None if progressed else job.waiting_since
    if since is not None and time.time() - since > config.patience_s:
        return failed(
            run, "sink_away", f"the search cluster took nothing for {config.patience_s:g} s: {reason}; resume when it is back"
        )
    refusals = 1 if progressed else job.refusals + 1
    delay_s = min(MOST_DELAY_S, 2 ** (refusals - 1))
    return Ending(
        Event.BACK_OFF,
        {
            "set": {"refusals": str(refusals)},
            "delay_ms": delay_s * 1000,
            "waiting_for": f"the search cluster: {reason}",
            "counts": {BACK_OFFS.at(): 1},
        },
    )


def broken(run: Run, config: Config, problem: Exception) -> Ending:
    """An error of the run is an attempt: again in 1, 2, 4, 8 s; the fifth without progress fails the job."""
    trace = "".join(traceback.format_exception(problem))
    logger.error("run broke", extra={"job": run.job.id, "run": run.job.run}, exc_info=problem)
    counts = {ATTEMPTS.at("broken"): 1}
    attempts = 1 if run.progress.cursor > run.job.progress.cursor else run.job.attempts + 1
    if attempts >= config.attempts:
        message = f"{attempts} runs in a row broke without progress, the last by {type(problem).__name__}: {problem}"
        ending = failed(run, "run_broken", message, trace=trace, counts=counts)
        ending.ask["set"]["attempts"] = str(attempts)
        return ending
    return Ending(
        Event.BACK_OFF,
        {
            "set": {"attempts": str(attempts)},
            "delay_ms": 1000 * 2 ** (attempts - 1),
            "waiting_for": f"another attempt after {type(problem).__name__}: {problem}"[:500],
            "trace": trace,
            "counts": counts,
        },
    )
