"""Payloads: submit documents to an index, read and replace what a job was given."""

from typing import Final

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from ingest_queue.intake.body import form_of
from web.api.jobs import as_json
from web.api.loading import query
from web.api.schemas import SubmitQuery
from web.api.upload import pieces
from web.current import engine
from web.replies import ndjson

bp: Final = Blueprint("documents", __name__)


@bp.post("/indexes/<slug>/documents")
@query(SubmitQuery)
def submit(slug: str, on_duplicate: str, source: str) -> ResponseReturnValue:
    """Store the body's documents as a new job and answer it."""
    form = form_of(request.content_type)
    job = engine.submit(slug, pieces(), form=form, source=source, options={"on_duplicate": on_duplicate})
    return as_json(job), 202, {"Location": url_for("api.jobs.show", job_id=job.id)}


@bp.get("/jobs/<job_id>/payload")
@query()
def read_payload(job_id: str) -> ResponseReturnValue:
    """Stream the payload as NDJSON."""
    return ndjson(engine.payload(job_id))


@bp.put("/jobs/<job_id>/payload")
@query()
def edit(job_id: str) -> ResponseReturnValue:
    """Replace the payload of a job that is at rest; answer the job."""
    return as_json(engine.edit(job_id, pieces(), form=form_of(request.content_type)))
