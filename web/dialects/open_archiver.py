"""Open Archiver's Jobs API over our jobs, at /v1 and /api/v1: docs/api/open-archiver.md.

For operators of the installation; it sees the jobs of all accounts. Its two GETs write nothing to Redis, so they
neither count as calls nor note a key's last use.
"""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue

from ingest_queue.job import Job, Kind
from ingest_queue.queues import Attempted
from ingest_queue.states import Event, State
from web.access import Door, Need, actor, api_key
from web.calls import call
from web.current import engine
from web.dialects.open_archiver_schemas import STATUSES, JobReply, Lenient, PageQuery, PageReply, Pagination, QueuesReply
from web.errors import ENVELOPES, Problem
from web.once import ONCE_HEADER, repeat_of

WORDS: Final[Mapping[State, str]] = {
    State.PENDING: "waiting",
    State.DELAYED: "delayed",
    State.RUNNING: "active",
    State.PAUSING: "active",
    State.PAUSED: "paused",
    State.STOPPING: "active",
    State.STOPPED: "paused",
    State.CANCELING: "active",
    State.CANCELED: "failed",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
}
STATES: Final = {word: tuple(state for state in State if WORDS[state] == word) for word in STATUSES}
READER: Final = Door(api_key, notes=False)
JOB: Final = JobReply()
PAGES: Final = Pagination()


def name_of(job: Job) -> str:
    """Return what the job is called: by where its documents come from, and whether it is a source's first time."""
    if job.kind is Kind.REINDEX:
        return "reindex"
    if job.kind is Kind.PULL:
        return "initial-import" if job.options.get("first_pull") else "continuous-sync"
    return "initial-import" if job.kind is Kind.CONNECTOR else "index-batch"


def shown(one: Attempted) -> dict[str, Any]:
    """Return a job as this API shows it. `data` is put together here from what everybody may see, never from options."""
    job, word = one.job, WORDS[one.job.state]
    source, counts = job.options.get("source_id"), job.counts
    given = {"index": job.index, "account": job.account, "kind": job.kind, "source": job.source, "initiator": job.initiator}
    reason = f"Canceled by {job.canceled_by or 'somebody'}" if job.state is State.CANCELED else one.reason
    summary = {name: getattr(counts, name) for name in ("total", "succeeded", "failed", "skipped", "duplicates")}
    found: dict[str, Any] = JOB.dump(
        {
            "id": job.id,
            "name": name_of(job),
            "data": {"ingestionSourceId": source} if source else given,
            "state": word,
            "failed_reason": reason,
            "timestamp": job.created_at,
            "processed_on": job.started_at,
            "finished_on": job.ended_at,
            "attempts_made": len(one.traces),
            "stacktrace": one.traces,
            "return_value": summary if word == "completed" else None,
            "ingestion_source_id": source,
            "error": reason if word == "failed" else None,
        }
    )
    return found


def message(problem: Problem) -> Response:
    """Return a problem as this API says all of them."""
    reply = jsonify(message=problem.detail)
    reply.status_code = problem.status
    reply.headers.update(problem.headers)
    return reply


bp: Final = Blueprint("jobs", __name__)


@bp.get("/jobs/queues")
@call(Need.OPERATE, query=Lenient, answers={200: QueuesReply}, errors=(400,), door=READER)
def list_queues() -> ResponseReturnValue:
    """Answer both queues with their six counts."""
    counts = engine.queues.counts(STATES, by=actor())
    return {"queues": [{"name": name, "counts": found} for name, found in counts.items()]}


@bp.get("/jobs/queues/<queue>")
@call(Need.OPERATE, query=PageQuery, answers={200: PageReply}, errors=(400, 404), door=READER)
def list_jobs(queue: str, status: str, page: int, limit: int, order: str) -> ResponseReturnValue:
    """Answer a queue's counts and a page of its jobs of one status."""
    found = engine.queues.page(queue, status, STATES, page=page, limit=limit, newest_first=order == "desc", by=actor())
    pages = PAGES.dump({"current_page": page, "total_pages": -(-found.total // limit), "total_jobs": found.total, "limit": limit})
    return {"name": queue, "counts": found.counts, "jobs": [shown(one) for one in found.jobs], "pagination": pages}


@bp.get("/jobs/queues/<queue>/<job_id>")
@call(Need.OPERATE, query=Lenient, answers={200: JobReply}, errors=(400, 404), door=READER)
def show(queue: str, job_id: str) -> ResponseReturnValue:
    """Answer one job of a queue."""
    return shown(engine.queues.get(queue, job_id, by=actor()))


@bp.post("/jobs/queues/<queue>/<job_id>/retry")
@call(Need.OPERATE, query=Lenient, answers={200: JobReply}, errors=(400, 404, 409), headers=(ONCE_HEADER,))
def retry(queue: str, job_id: str) -> ResponseReturnValue:
    """Begin again at the first document, where the state table allows it; answer the job."""
    engine.queues.get(queue, job_id, by=actor())
    return shown(Attempted(engine.ask(job_id, Event.RETRY, by=actor(), call=repeat_of().key)))


BLUEPRINTS: Final = (
    Blueprint("open_archiver", __name__, url_prefix="/v1"),
    Blueprint("open_archiver_api", __name__, url_prefix="/api/v1"),
)
for blueprint in BLUEPRINTS:
    blueprint.register_blueprint(bp)
ENVELOPES.extend((("/v1", message), ("/api/v1/jobs", message)))
