"""What a worker does with RQ's queue, without a process: pop, claim, answer."""

from ingest_queue.job import Counts, Job, Progress
from ingest_queue.states import Event
from ingest_queue.store import keys
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store


def queued(store: Store) -> list[str]:
    """Return the ids in RQ's queue, next first."""
    return [job_id.decode() for job_id in store.client.lrange(keys.RQ_QUEUE(store.config.rq_queue), 0, -1)]


def take(store: Store, parent: str = "parent-1", token: str | None = None) -> Run | None:
    """Pop from RQ's queue as a worker does, and claim."""
    queue = store.config.rq_queue
    job_id = store.client.lmove(keys.RQ_QUEUE(queue), keys.RQ_INTERMEDIATE(queue))
    return store.claim(job_id.decode(), token or f"token-of-{job_id.decode()}", parent) if job_id else None


def finish(run: Run) -> None:
    """Answer that everything is sent."""
    total = run.job.counts.total or 0
    run.checkpoint(Progress(total, Counts(total, total)), announce=total)
    run.answer(Event.COMPLETE)


def payload_name(job: Job) -> str:
    """Return the name under which the job's chunks are stored."""
    assert job.payload is not None
    return job.payload.name
