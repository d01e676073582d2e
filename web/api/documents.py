"""Payloads: submit documents to an index, read and replace what a job was given."""

from typing import Final

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from ingest_queue.intake.body import form_of
from web import limits
from web.access import Need, actor, key
from web.api.jobs import as_json
from web.api.schemas import JobReply, PayloadQuery, SubmitQuery
from web.calls import account, call
from web.current import engine
from web.once import ONCE_HEADER, repeat_of
from web.replies import NDJSON, ndjson
from web.upload import DOCUMENTS, pieces

bp: Final = Blueprint("documents", __name__)


@bp.post("/indexes/<slug>/documents")
@call(
    Need.INGEST,
    query=SubmitQuery,
    body=DOCUMENTS,
    answers={202: JobReply},
    errors=(400, 404, 413, 415),
    headers=(ONCE_HEADER,),
    by_account=True,
)
def submit(slug: str, on_duplicate: str, source: str) -> ResponseReturnValue:
    """Store the body's documents as a new job and answer it."""
    limits.submit_with(key())
    form, options = form_of(request.content_type), {"on_duplicate": on_duplicate}
    job = engine.submit(
        slug, pieces(), form=form, source=source, options=options, by=actor(), account=account(), once=repeat_of()
    )
    return as_json(job), 202, {"Location": url_for("api.jobs.show", job_id=job.id)}


@bp.get("/jobs/<job_id>/payload")
@call(Need.INGEST, query=PayloadQuery, answers={200: NDJSON}, errors=(400, 404, 409))
def read_payload(job_id: str, first: int, documents: int | None) -> ResponseReturnValue:
    """Stream the payload as NDJSON, or `documents` of it from position `first` on."""
    return ndjson(engine.payload(job_id, first=first, documents=documents, by=actor()))


@bp.put("/jobs/<job_id>/payload")
@call(Need.INGEST, body=DOCUMENTS, answers={200: JobReply}, errors=(400, 404, 409, 413, 415))
def edit(job_id: str) -> ResponseReturnValue:
    """Replace the payload of a job that is at rest; answer the job."""
    return as_json(engine.edit(job_id, pieces(), form=form_of(request.content_type), by=actor()))
