"""RQ's forking worker with the few methods overridden whose bookkeeping would overwrite ours.

An override decides nothing: its reason, the RQ version it was read in, one call. A test keeps a digest of RQ's source of
each; it fails when a newer RQ changes one, so that it is read again.
"""

import gc
import logging
import signal
from functools import cached_property
from typing import Any

import opensearchpy  # noqa: F401  the horse is forked from here: importing it there costs 130 ms a job
from rq import Worker, worker_registration
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.utils import now

from ingest_queue.embedded import addresses
from ingest_queue.store.connect import Patience
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick, rescue
from workers import perform, settings

logger = logging.getLogger(__name__)
IDLE_WAIT_S = 1  # RQ waits worker_ttl - 15 for a job


class IngestWorker(Worker):
    """`rq.Worker` that ticks each second, claims instead of preparing, and answers in one call. RQ 3.0.0."""

    log_result_lifespan = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take RQ's arguments; JSON, a short idle wait and a beat each second are not for the command line to change."""
        kwargs |= {"serializer": JSONSerializer, "worker_ttl": 15 + IDLE_WAIT_S}
        kwargs["job_monitoring_interval"] = settings.config.tick_s
        super().__init__(*args, **kwargs)
        gc.freeze()  # a horse that collects would copy every page it shares with this parent: 10 ms a job

    @cached_property
    def store(self) -> Store:
        """The record, over the connection that RQ made."""
        return Store.open(self.connection, addresses(settings.config))

    @cached_property
    def tick(self) -> Tick:
        """What this parent does each second, also while RQ's own writes wait for a full Redis."""
        tick = Tick(self.store, self.name)
        if isinstance(patience := self.connection.get_retry(), Patience):
            patience.on_full = lambda: self.is_horse or tick.when_due()
        return tick

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """RQ calls this in its idle wait and while a horse works: the only moments at which a parent can tick."""
        super().heartbeat(timeout, pipeline)
        if not self.is_horse and not self._stop_requested:
            self.tick.when_due()

    def register_death(self) -> None:
        """A parent that leaves must not count as one that can take a slot."""
        super().register_death()  # type: ignore[no-untyped-call]  # RQ is half typed
        self.store.lanes.retire(self.name)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """A horse that hangs, or whose job is somebody else's by now, must not keep this worker."""
        super().maintain_heartbeats(job, execution)
        if perform.is_over(self.store, job.id, execution):
            logger.warning("horse killed: its run is over", extra={"job": job.id})
            self.kill_horse()

    def setup_work_horse_signals(self) -> None:
        """RQ leaves SIGTERM deadly in a horse; a horse that gets one halts at its next bulk instead."""
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGTERM, perform.on_sigterm)

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """RQ would write `started` and take away the TTL of whatever it popped; CLAIM writes, if the job is ours to take."""
        assert self.execution is not None
        perform.prepare(self.store, job, self.execution.id, self.name)

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """RQ's heartbeat here would bring the hash of a deleted job back, without TTL."""
        job.ended_at = now()

    def handle_job_success(self, job: Job, queue: Queue, started_job_registry: Any, execution: Execution) -> None:
        """RQ would write `finished` over a job that is paused, or that another worker runs."""
        perform.conclude(job)

    def handle_job_failure(
        self, job: Job, queue: Queue, started_job_registry: Any = None, exc_string: str = "", execution: Execution | None = None
    ) -> None:
        """RQ would write `failed` over a job that goes on elsewhere; a dead horse is a lost run."""
        if execution is not None:
            rescue(self.store, job.id, execution.id, certain=True, reason=exc_string.strip().splitlines()[-1])

    def clean_registries(self) -> None:
        """RQ's clean-up fails abandoned jobs and what waits in `:intermediate`; the tick rescues them instead."""
        for queue in self.queues:
            if queue.acquire_maintenance_lock():
                worker_registration.clean_worker_registry(queue)
                queue.release_maintenance_lock()  # type: ignore[no-untyped-call]
        self.last_cleaned_at = now()  # type: ignore[assignment]
