"""Jobs: list, read, ask a verb, delete."""

from dataclasses import replace
from typing import Any, Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from ingest_queue.job import Job
from ingest_queue.states import ASKED, Event, State
from web.api.loading import query
from web.api.schemas import JobReply, JobsQuery
from web.current import engine

bp: Final = Blueprint("jobs", __name__)
VERBS: Final = ",".join(event for event in ASKED if event is not Event.EDIT)  # edit is PUT payload
JOB: Final = JobReply()


def as_json(job: Job) -> dict[str, Any]:
    """Return the job as the native API shows it, with what it waits for now."""
    waiting_for = engine.waiting_for(job)
    shown: dict[str, Any] = JOB.dump(job if waiting_for == job.waiting_for else replace(job, waiting_for=waiting_for))
    return shown


@bp.get("/jobs")
@query(JobsQuery)
def list_jobs(state: State | None, index: str | None, cursor: str | None, limit: int) -> ResponseReturnValue:
    """Answer a page of jobs, newest first."""
    page = engine.list(state=state, index=index, cursor=cursor, limit=limit)
    return {"jobs": [as_json(job) for job in page.items], "next": page.next}


@bp.get("/jobs/<job_id>")
@query()
def show(job_id: str) -> ResponseReturnValue:
    """Answer one job."""
    return as_json(engine.get(job_id))


@bp.delete("/jobs/<job_id>")
@query()
def delete(job_id: str) -> ResponseReturnValue:
    """Delete a job in any state; the index keeps what was written."""
    engine.delete(job_id)
    return "", 204


@bp.post(f"/jobs/<job_id>/<any({VERBS}):verb>")
@query()
def ask(job_id: str, verb: str) -> ResponseReturnValue:
    """Ask a verb of the state table; answer the job as it then stands."""
    return as_json(engine.ask(job_id, Event(verb)))
