"""What people are told when a job cannot do what they ask: one place for the words, each with what is allowed instead."""

from ingest_queue.errors import Conflict, Missing
from ingest_queue.job import Job
from ingest_queue.states import Event, arrow
from ingest_queue.store.records import Answer, Word


def job_of(answer: Answer, job_id: str, event: Event) -> Job:
    """Return the job that an event happened to. Raises Missing or Conflict for what TRANSITION refused."""
    if answer.job is None:
        raise missing(job_id)
    if answer.word is Word.OK:
        return answer.job
    if answer.word is Word.GONE:
        raise expired(answer.job)
    if answer.word is Word.CHANGED:
        message = "the payload was edited meanwhile; read it again and repeat the edit"
        raise conflict("payload_changed", message, answer.job)
    raise refusal(answer.job, event)


def missing(job_id: str) -> Missing:
    """No such job."""
    return Missing("job_not_found", f"there is no job {job_id!r}; it may have been deleted or have expired")


def expired(job: Job) -> Conflict:
    """The documents are not there any more."""
    return conflict("payload_expired", "the payload's time is over; submit the documents again", job)


def refusal(job: Job, event: Event) -> Conflict:
    """The state table has no such arrow, or documents are in doubt."""
    message = f"a job that is {job.state.value} cannot {event.value}; now allowed: {', '.join(job.allowed)}"
    if event is Event.EDIT and arrow(event, job.state) is not None:
        message = "documents of a lost run are still in doubt; resume the job, pause it, then edit"
    return conflict("invalid_state", message, job)


def unfinished(job: Job) -> Conflict:
    """Only what has ended may be deleted, who asks says."""
    return conflict("invalid_state", f"a job that is {job.state.value} has not ended; cancel it first", job)


def conflict(code: str, message: str, job: Job) -> Conflict:
    """A conflict that says where the job stands and what may be asked of it."""
    return Conflict(code, message, state=job.state.value, allowed=list(job.allowed))
