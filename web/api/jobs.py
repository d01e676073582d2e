"""Jobs: list, read, ask a verb, delete."""

from dataclasses import replace
from typing import Any, Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from ingest_queue.job import Job
from ingest_queue.listing import Wanted
from ingest_queue.states import ASKED, Event, State
from web.access import Need, actor
from web.api.schemas import CountsByState, CountsQuery, JobReply, JobsQuery, JobsReply
from web.calls import account, call
from web.current import engine
from web.once import ONCE_HEADER, repeat_of

bp: Final = Blueprint("jobs", __name__)
VERBS: Final = ",".join(event for event in ASKED if event is not Event.EDIT)  # edit is PUT payload
JOB: Final = JobReply()


def as_json(job: Job) -> dict[str, Any]:
    """Return the job as the native API shows it, with what it waits for now."""
    waiting_for = engine.waiting_for(job)
    shown: dict[str, Any] = JOB.dump(job if waiting_for == job.waiting_for else replace(job, waiting_for=waiting_for))
    return shown


@bp.get("/jobs")
@call(Need.INGEST, query=JobsQuery, answers={200: JobsReply}, errors=(400, 404), by_account=True)
def list_jobs(
    state: State | None, source: str | None, index: str | None, q: str | None, cursor: str | None, limit: int, **filters: Any
) -> ResponseReturnValue:
    """Answer a page of jobs, newest first."""
    sources = (source,) if source else None
    wanted = Wanted(states=(state,) if state else tuple(State), sources=sources, text=q, **filters)
    page = engine.list(wanted, index=index, cursor=cursor, limit=limit, by=actor(), account=account())
    return {"jobs": [as_json(job) for job in page.items], "next": page.next}


@bp.get("/jobs/counts")
@call(Need.INGEST, query=CountsQuery, answers={200: CountsByState}, errors=(400, 404), by_account=True)
def counts(index: str | None) -> ResponseReturnValue:
    """Answer how many jobs are in each state."""
    return {"counts": engine.counts(index=index, by=actor(), account=account())}


@bp.get("/jobs/<job_id>")
@call(Need.INGEST, answers={200: JobReply}, errors=(404,))
def show(job_id: str) -> ResponseReturnValue:
    """Answer one job."""
    return as_json(engine.get(job_id, by=actor()))


@bp.delete("/jobs/<job_id>")
@call(Need.INGEST, answers={204: None}, errors=(404,))
def delete(job_id: str) -> ResponseReturnValue:
    """Delete a job in any state; the index keeps what was written."""
    engine.delete(job_id, by=actor())
    return "", 204


@bp.post(f"/jobs/<job_id>/<any({VERBS}):verb>")
@call(Need.INGEST, answers={200: JobReply}, errors=(404, 409), headers=(ONCE_HEADER,))
def ask(job_id: str, verb: str) -> ResponseReturnValue:
    """Ask a verb of the state table; answer the job as it then stands."""
    return as_json(engine.ask(job_id, Event(verb), by=actor(), call=repeat_of().key))
