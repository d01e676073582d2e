"""What a work horse does with one job: claim it, carry it into the index, answer. The worker's only entry.

RQ calls `prepare` before and `conclude` after `perform`; the run and its ending travel on RQ's job object, which
lives in this process alone.
"""

import logging
import os
import sys
from functools import partial
from typing import Any, Final

import orjson
from rq import get_current_job
from rq.executions import Execution
from rq.job import Job as RqJob
from rq.utils import now

from ingest_queue import cluster, indexes
from ingest_queue.errors import JobFailed, Missing, RunLost, Unavailable
from ingest_queue.payload import StoredPayload
from ingest_queue.run.loop import Limits, ingest
from ingest_queue.run.sink import IndexSink
from ingest_queue.schema.decode import Decoder
from ingest_queue.schema.definition import Definition
from ingest_queue.states import Event
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store
from workers.endings import Ending, broken, failed, over_quota, refused_for_now

SWITCH_S: Final = 0.0005  # a request's thread waits so long for this one, which computes, at each step of its sending

logger = logging.getLogger(__name__)
sigterm_seen = False


def on_sigterm(number: int, frame: Any) -> None:
    """Let the run halt at its next bulk."""
    global sigterm_seen  # noqa: PLW0603  a signal handler has nobody to return to
    sigterm_seen = True


def prepare(store: Store, rq_job: RqJob, token: str, worker: str) -> None:
    """Claim the job for this horse; without a claim `perform` does nothing."""
    parent = os.getppid()
    run = store.claim(rq_job.id, token, worker, halted=lambda: sigterm_seen or os.getppid() != parent)
    if run is None:
        logger.info("claim refused", extra={"job": rq_job.id})
    rq_job.ingest_run = run  # type: ignore[attr-defined]
    rq_job.ingest_store = store  # type: ignore[attr-defined]


def perform(job_id: str) -> None:
    """Carry the claimed job into its index; RQ's one function."""
    rq_job: Any = get_current_job()
    run: Run | None = rq_job.ingest_run
    sys.setswitchinterval(SWITCH_S)
    if run is not None:
        logger.info("run begins", extra={"job": job_id, "run": run.job.run, "cursor": run.cursor})
        rq_job.ingest_ending = ending_of(run, rq_job.ingest_store)


def conclude(rq_job: Any) -> None:
    """Answer for the run: one call that moves the record, RQ's books and the lane."""
    run: Run | None = rq_job.ingest_run
    if run is None:
        return
    ending: Ending = rq_job.ingest_ending
    job = run.answer(ending.event, **ending.ask)
    counts = run.progress.counts
    logger.info(
        "run ends",
        extra={
            "job": run.job.id, "run": run.job.run, "event": ending.event.value, "state": job.state.value if job else "lost",
            "succeeded": counts.succeeded, "failed": counts.failed, "skipped": counts.skipped,
        },
    )  # fmt: skip


def is_over(store: Store, job_id: str, execution: Execution) -> bool:
    """Whether a horse still works on a job that is not its own any more, or never claimed it within a lease."""
    token = store.records.token(job_id)
    if token == execution.id:
        return False
    return (now() - execution.created_at).total_seconds() > store.config.lease_s


def ending_of(run: Run, store: Store) -> Ending:
    """Return how the run ended, whatever happened in it."""
    if run.shortage is not None:
        return over_quota(run, run.shortage)
    refused: list[str] = []
    try:
        event = carry(run, store, refused)
    except RunLost:
        return Ending(Event.HALT)
    except JobFailed as failure:
        return failed(run, failure.code, failure.message)
    except Missing as gone:  # the alias, when its open fields were asked for
        return failed(run, gone.code, gone.message)
    except Unavailable as away:  # the mapping could not be read: the cluster is away, the run is not at fault
        return refused_for_now(run, store.config, away.message)
    except Exception as problem:  # noqa: BLE001  the worker's entry: a broken run is an attempt, whatever broke it
        return broken(run, store.config, problem)
    if event is Event.COMPLETE and run.progress.counts.failed == run.job.counts.total:
        return failed(run, "all_failed", f"all {run.job.counts.total} documents failed; see the failures, edit and retry")
    if event is Event.BACK_OFF:
        return refused_for_now(run, store.config, refused[-1] if refused else "it takes nothing")
    return Ending(event, {"set": {"waiting_for": "", "waiting_since": ""}} if event is Event.COMPLETE else {})


def carry(run: Run, store: Store, refused: list[str]) -> Event:
    """Open the job's payload and index and let the loop carry one into the other."""
    job, config = run.job, store.config
    text = store.definitions.get(job.account, job.index)
    if text is None or job.payload is None:
        raise JobFailed("index_not_found", f"the index {job.index} was deleted; create it anew and retry the job")
    if job.index_birth != store.definitions.birth(job.account, job.index):
        message = f"the index {job.index} was deleted and made again; retry the job, so that it has every document"
        raise JobFailed("index_not_found", message)
    definition = Definition.parse(orjson.loads(text))
    client = cluster.connect(config)
    mapped = indexes.open_fields(client, job.alias, definition) if definition.open else ()
    decoder = Decoder(definition, job.id, mapped)
    sink = IndexSink(
        client, job.alias, job.round, timeout_s=config.request_timeout_s,
        map_fields=partial(indexes.add_fields, client, job.alias, definition),
    )  # fmt: skip
    limits = Limits(
        bulk_documents=min(config.bulk_documents, definition.settings.bulk_documents or config.bulk_documents),
        bulk_bytes=config.bulk_bytes,
        bulks_in_flight=config.bulks_in_flight,
        in_place_s=config.in_place_s,
    )
    source = StoredPayload(store.payloads, job.id, job.payload.name).source()
    return ingest(run, source, sink, decoder, limits, fields=decoder.new_fields, away=refused.append, observe=run.observe)
