"""What a job waits for, in words, where its record has none of its own."""

from ingest_queue.job import Job


def awaited(job: Job, holder: str | None, *, alive: bool) -> str:
    """Return what a waiting job waits for. holder: who has its lane's slot; alive: whether any worker parent lives."""
    if job.waiting_for:
        return job.waiting_for
    if holder == job.id:
        return "a worker to take it: it was handed out"
    if holder:
        return f"job {holder} on the same index"
    return "a free worker" if alive else "a worker: none is running, or they are suspended"
