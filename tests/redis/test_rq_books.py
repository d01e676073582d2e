"""RQ's own classes must read what our scripts write: names, job, registries."""

from collections.abc import Callable

from rq import Queue
from rq.executions import WORKER_EXECUTIONS_KEY_TEMPLATE, Execution, ExecutionRegistry
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job as RqJob
from rq.registry import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    StartedJobRegistry,
)
from rq.serializers import JSONSerializer
from rq.suspension import WORKERS_SUSPENDED
from rq.utils import as_text
from rq.worker_registration import REDIS_WORKER_KEYS, WORKERS_BY_QUEUE_KEY

from ingest_queue.job import Job
from ingest_queue.states import Event
from ingest_queue.store import keys
from ingest_queue.store.scripts import PERFORM
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.rq_side import take
from workers.queue import IngestQueue
from workers.worker import IngestWorker

Submit = Callable[..., Job]


def test_the_legend_names_rqs_keys_as_rq_does(store: Store) -> None:
    """A newer RQ that renames a key would silently part its books from ours."""
    queue = Queue("q", connection=store.client)
    execution = Execution("token", "job", store.client, "w")
    pairs = {
        keys.RQ_JOB("job"): as_text(RqJob.key_for("job")),
        keys.RQ_SUSPENDED(): WORKERS_SUSPENDED,
        keys.RQ_QUEUES(): Queue.redis_queues_keys,
        keys.RQ_QUEUE("q"): queue.key,
        keys.RQ_INTERMEDIATE("q"): IntermediateQueue.get_intermediate_queue_key(queue.key),
        keys.RQ_STARTED("q"): StartedJobRegistry(queue=queue).key,
        keys.RQ_DEFERRED("q"): DeferredJobRegistry(queue=queue).key,
        keys.RQ_FINISHED("q"): FinishedJobRegistry(queue=queue).key,
        keys.RQ_FAILED("q"): FailedJobRegistry(queue=queue).key,
        keys.RQ_CANCELED("q"): CanceledJobRegistry(queue=queue).key,
        keys.RQ_EXECUTION("job", "token"): execution.key,
        keys.RQ_EXECUTIONS("job"): ExecutionRegistry("job", store.client).key,
        keys.RQ_WORKER_EXECUTIONS("w"): WORKER_EXECUTIONS_KEY_TEMPLATE.format("w"),
        keys.RQ_WORKERS(): REDIS_WORKER_KEYS,
        keys.RQ_WORKERS_OF("q"): WORKERS_BY_QUEUE_KEY % "q",
    }
    assert {ours: theirs for ours, theirs in pairs.items() if ours != theirs} == {}


def test_rq_reads_the_job_that_we_wrote(store: Store, submit: Submit) -> None:
    """rq-dashboard, `rq info` and the worker all load it with RQ's own class."""
    job = submit()
    rq_job = RqJob.fetch(job.id, connection=store.client, serializer=JSONSerializer)
    assert (rq_job.func_name, rq_job.args, rq_job.kwargs) == (PERFORM, [job.id], {})
    assert rq_job.get_status() == "deferred" and rq_job.timeout == -1
    assert abs(rq_job.created_at.timestamp() - job.created_at) < 0.001
    assert rq_job.meta["counts"]["total"] == 10 and rq_job.meta["status"] == job.state.value


def test_a_killed_horses_execution_leaves_rqs_books_with_the_run(store: Store, submit: Submit, tick: Tick) -> None:
    """Left there, RQ's clean-up would fail the job while another worker runs it."""
    job = submit()
    rq_job = RqJob.fetch(job.id, connection=store.client, serializer=JSONSerializer)
    rq_job.origin = store.config.rq_queue
    with store.client.pipeline() as pipe:
        execution = Execution.create(rq_job, 60, pipe, worker_name="parent-1")
        pipe.execute()
    run = take(store, token=execution.id)
    assert run is not None
    run.answer(Event.BACK_OFF, delay_ms=1000)
    leftovers = [key for key in store.client.scan_iter("rq:*") if execution.id.encode() in key]
    assert leftovers == []
    assert store.client.zcard(keys.RQ_STARTED(store.config.rq_queue)) == 0
    assert store.client.scard(keys.RQ_WORKER_EXECUTIONS("parent-1")) == 0


def test_maintenance_fails_no_job_that_the_tick_would_rescue(store: Store, submit: Submit, tick: Tick) -> None:
    """RQ's own clean-up fails a started job whose execution is over age: nobody could resume it without losing its place."""
    queue = IngestQueue(store.config.rq_queue, connection=store.client)
    worker = IngestWorker([queue], connection=store.client)
    job = submit()
    run = take(store, token="silent")
    assert run is not None
    store.client.zadd(keys.RQ_STARTED(queue.name), {f"{job.id}:silent": 1})
    worker.clean_registries()
    rq_job = RqJob.fetch(job.id, connection=store.client, serializer=JSONSerializer)
    assert rq_job.get_status() == "started" and rq_job.id not in FailedJobRegistry(queue=queue)
    store.client.zrem(keys.RQ_STARTED(queue.name), f"{job.id}:silent")
    assert run.answer(Event.HALT) is not None


def test_maintenance_leaves_what_was_popped_but_never_claimed(store: Store, submit: Submit, tick: Tick) -> None:
    """RQ fails what stands in `:intermediate` for a minute; here the slot is taken back and the job goes on."""
    queue = IngestQueue(store.config.rq_queue, connection=store.client)
    worker = IngestWorker([queue], connection=store.client)
    job = submit()
    store.client.lmove(keys.RQ_QUEUE(queue.name), keys.RQ_INTERMEDIATE(queue.name))
    seen = queue.intermediate_queue.get_first_seen_key(job.id)
    store.client.set(seen, 1, ex=100)
    worker.clean_registries()
    assert store.client.lrange(keys.RQ_INTERMEDIATE(queue.name), 0, -1) == [job.id.encode()]
    run = store.claim(job.id, "token", "parent-1")
    assert run is not None and run.answer(Event.HALT) is not None
