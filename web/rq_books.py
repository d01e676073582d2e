"""How rq-dashboard reads RQ's books: as JSON and never as pickle, of our queue only, with the errors that we write, and no write.

It takes RQ's classes and one function by name from its own module; ours are put there in their place. Read in
rq-dashboard 0.9.0 and RQ 3.0.0; a test keeps digests of what was read.
"""

import json
from typing import Any, Final

from flask import Flask
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import (
    BaseRegistry,
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from rq.results import Result
from rq.serializers import JSONSerializer
from rq_dashboard import web as dashboard

from ingest_queue.store.connect import connect
from web.current import config

REGISTRIES: Final[dict[str, type[BaseRegistry] | None]] = {  # where a job may stand, by rq-dashboard's words
    "queued": None,
    "started": StartedJobRegistry,
    "deferred": DeferredJobRegistry,
    "failed": FailedJobRegistry,
    "finished": FinishedJobRegistry,
    "canceled": CanceledJobRegistry,
    "scheduled": ScheduledJobRegistry,
}


class ShownJob(Job):
    """RQ's job as it is shown."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"serializer": JSONSerializer})

    def latest_result(self, timeout: int = 0) -> Result | None:
        """Return the error that ended it: no streams of results are kept, where RQ would look."""
        if not (written := getattr(self, "_exc_info", None)):
            return None
        return Result(self.id, Result.Type.FAILED, self.connection, id=self.id, exc_string=_readable(written))


class ShownQueue(Queue):
    """Our queue, the only one that is shown: what else is in this Redis is not ours to read."""

    job_class = ShownJob

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name or config.rq_queue, **kwargs | {"serializer": JSONSerializer})

    @classmethod
    def all(cls, connection: Any, *_args: Any, **_kwargs: Any) -> list[Queue]:
        """Return our queue alone, also before its first job."""
        return [cls(connection=connection)]


class ShownWorker(Worker):
    """A worker of our queue."""

    job_class = ShownJob
    queue_class = ShownQueue  # type: ignore[assignment]

    @classmethod
    def all(cls, connection: Any = None, *_args: Any, **_kwargs: Any) -> list[Any]:
        """Return the workers that listen to our queue."""
        return super().all(queue=ShownQueue(connection=connection), serializer=JSONSerializer)

    def get_current_job(self) -> Job | None:
        """Return what it works on; None also when that was deleted a moment ago."""
        try:
            return super().get_current_job()
        except NoSuchJobError:
            return None


def page_of(
    queue_name: str, registry_name: str, offset: int, per_page: int, order: str, connection: Any
) -> tuple[int, list[dict[str, Any]]]:
    """Return how many jobs stand in a registry, and a page of them; rq-dashboard's own pages overlap from the second on."""
    queue = ShownQueue(connection=connection)
    kind = REGISTRIES[registry_name]
    registry = kind(queue=queue) if kind is not None else None
    # `is None`, always: whether a registry is true is how long it is, and RQ cleans up before it counts
    total = queue.count if registry is None else registry.get_job_count(cleanup=False)
    first, last = offset, offset + per_page
    if order == "dsc":
        first, last = max(0, total - last), max(0, total - first)
    if first >= last:
        return total, []
    ids = queue.get_job_ids(first, last - first) if registry is None else registry.get_job_ids(first, last - 1, cleanup=False)
    jobs = ShownJob.fetch_many(ids if order == "asc" else ids[::-1], connection=connection)
    return total, [dashboard.serialize_job(job) for job in jobs if job]


def read_our_books(app: Flask) -> None:
    """Let rq-dashboard read as above, for this application over a Redis client of its own.

    RQ's class of workers lengthens the timeouts of whatever client it is given.
    """
    app.redis_conn = connect(app.extensions["ingest_queue.engine"].config.redis_url)  # type: ignore[attr-defined]
    dashboard.config.serializer = JSONSerializer
    ours = {"Job": ShownJob, "Queue": ShownQueue, "Worker": ShownWorker, "get_queue_registry_jobs_count": page_of}
    for name, replacement in ours.items():
        assert hasattr(dashboard, name), f"rq-dashboard has no {name} any more"
        setattr(dashboard, name, replacement)


def _readable(written: str) -> str:
    """Return the error of a record as a sentence; what RQ wrote itself as it is."""
    try:
        error = json.loads(written)
        said = f"{error['code']}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        return written
    return f"{said}\n{error['detail']}" if error.get("detail") else said
