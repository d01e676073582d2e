"""AACsearch's import jobs over our jobs, at /api/v1: docs/api/aacsearch.md.

A batch is a job of ours, and its lines are our documents. Indexes are `aacsearch_indexes`, keys and errors `aacsearch_door`.
"""

from collections.abc import Iterable
from typing import Any, Final

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from ingest_queue.intake.body import NDJSON_TYPES, Form, form_of
from ingest_queue.job import Job, Outcome
from ingest_queue.listing import Wanted
from ingest_queue.schema.explain import Code
from ingest_queue.states import Event, State
from ingest_queue.times import moment_or_none
from web import limits
from web.access import Need, actor, key
from web.calls import account, call
from web.current import engine
from web.dialects import aacsearch_indexes
from web.dialects.aacsearch_door import KEYS, warn
from web.dialects.aacsearch_indexes import slug_of
from web.dialects.aacsearch_schemas import (
    CODES,
    ENDED,
    SOURCES,
    STATES,
    WORDS,
    BatchBody,
    BatchQuery,
    DeletedReply,
    ErrorsReply,
    JobReply,
    JobsQuery,
    JobsReply,
    Lenient,
    QueuedReply,
    summary,
)
from web.once import ONCE_HEADER, repeat_of
from web.upload import pieces

MOST_IN_JSON: Final = 5000  # documents
ERRORS_SHOWN: Final = 100
BODIES: Final = {**dict.fromkeys(NDJSON_TYPES), "application/json": BatchBody}
JOB: Final = JobReply()
QUEUED: Final = QueuedReply()

bp: Final = Blueprint("aacsearch", __name__, url_prefix="/api/v1")
bp.after_request(warn)


def shown(job: Job) -> dict[str, Any]:
    """Return a job as this API shows it."""
    word, error = WORDS[job.state], job.error
    ended_at = (job.ended_at or job.updated_at) if job.state in ENDED else None
    lasted = None if ended_at is None or job.started_at is None else round(1000 * (ended_at - job.started_at))
    found: dict[str, Any] = JOB.dump(
        {
            "id": job.id,
            "source": next((theirs for theirs, ours in SOURCES.items() if job.source in ours), job.source),
            "index_id": job.alias,
            "index_name": job.index,
            "index_slug": job.index,
            "status": word,
            "total_lines": job.counts.total,
            "processed_lines": job.counts.processed,
            "failure_count": job.counts.failed,
            "started_at": moment_or_none(job.started_at),
            "finished_at": moment_or_none(ended_at),
            "duration_ms": lasted,
            "initiator": job.initiator,
            "detail": stopped_at(job) if word == "canceled" else error and error.detail,
            "error_message": error and f"{error.code}: {error.message}",
            "created_at": moment_or_none(job.created_at),
            "deleted_at": moment_or_none(job.deleted_at),
            "paused": job.state is State.PAUSED,
            "resumable": job.state is State.STOPPED,
        }
    )
    return found


def stopped_at(job: Job) -> str:
    """Return up to which line everything is decided, and how much behind it may or may not be in the index."""
    text = f"Stopped at line {job.progress.line}"
    in_doubt = job.sent_to - job.counts.processed
    return text if job.settled else f"{text}; the next {in_doubt} documents after it may or may not be in the index"


def lines(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """Return failed lines as this API shows them: what the cluster refused of its own is a validation_error as well."""
    return [
        {
            "line": one.line,
            "raw": one.raw,
            "code": one.code if one.code in CODES else Code.VALIDATION_ERROR.value,
            "detail": f"{one.field}: {one.reason}" if one.field else one.reason,
        }
        for one in outcomes
    ]


@bp.post("/indexes/<index>/documents:batch")
@call(
    Need.INGEST,
    query=BatchQuery,
    body=BODIES,
    answers={200: QueuedReply, 202: QueuedReply},
    errors=(400, 404, 413, 415),
    headers=(ONCE_HEADER,),
    by_account=True,
    door=KEYS,
)
def batch(index: str, on_duplicate: str) -> ResponseReturnValue:
    """Store the body's documents as a new job: 202 for NDJSON, 200 for a JSON object."""
    limits.submit_with(key())
    is_json = (form := form_of(request.content_type)) is Form.ARRAY
    job = engine.submit(
        slug_of(index),
        pieces(),
        form=Form.DOCUMENTS if is_json else form,
        options={"on_duplicate": on_duplicate},
        by=actor(),
        account=account(),
        once=repeat_of(),
        most_documents=MOST_IN_JSON if is_json else None,
    )
    taken = {"job_id": job.id, "status": WORDS[job.state], "queued": job.counts.total, "accepted": job.counts.total}
    return QUEUED.dump(taken), 200 if is_json else 202, {"Location": url_for(".show", job_id=job.id)}


@bp.get("/import-jobs")
@call(Need.INGEST, query=JobsQuery, answers={200: JobsReply}, errors=(400, 404), by_account=True, door=KEYS)
def list_jobs(index: str | None, status: str | None, source: str | None, cursor: str | None, limit: int) -> ResponseReturnValue:
    """Answer a page of jobs, newest first, and how many there are of each status."""
    whose: dict[str, Any] = {"index": slug_of(index) if index else None, "by": actor(), "account": account()}
    wanted = Wanted(states=STATES[status] if status else tuple(State), sources=SOURCES[source] if source else None)
    page = engine.list(wanted, cursor=cursor, limit=limit, **whose)
    return {"jobs": [shown(job) for job in page.items], "summary": summary(engine.counts(**whose)), "next": page.next}


@bp.get("/import-jobs/<job_id>")
@call(Need.INGEST, query=Lenient, answers={200: JobReply}, errors=(404,), door=KEYS)
def show(job_id: str) -> ResponseReturnValue:
    """Answer one job; one whose time is over still says what became of it."""
    return shown(engine.get(job_id, by=actor()))


@bp.get("/import-jobs/<job_id>/errors")
@call(Need.INGEST, query=Lenient, answers={200: ErrorsReply}, errors=(404,), door=KEYS)
def errors(job_id: str) -> ResponseReturnValue:
    """Answer the first failed lines, and the first that came twice."""
    failed = engine.failures(job_id, limit=ERRORS_SHOWN, by=actor())
    twice = engine.failures(job_id, kind="duplicate", limit=ERRORS_SHOWN, by=actor())
    return {
        "errors": lines(failed.items),
        "total": failed.total,
        "warnings": lines(twice.items),
        "warningsTotal": twice.total,
    }


@bp.post("/import-jobs/<job_id>:cancel")
@call(Need.INGEST, query=Lenient, answers={200: JobReply}, errors=(404, 409), headers=(ONCE_HEADER,), door=KEYS)
def cancel(job_id: str) -> ResponseReturnValue:
    """End a job for good: it is canceled once its last bulk is answered."""
    return shown(engine.ask(job_id, Event.CANCEL, by=actor(), call=repeat_of().key))


@bp.delete("/import-jobs/<job_id>")
@call(Need.INGEST, query=Lenient, answers={200: DeletedReply}, errors=(404, 409), door=KEYS)
def delete(job_id: str) -> ResponseReturnValue:
    """Forget a job that has ended; what it wrote stays in the index."""
    engine.delete(job_id, states=ENDED, by=actor())
    return {"id": job_id, "deleted": True}


BLUEPRINTS: Final = (bp, aacsearch_indexes.bp)
