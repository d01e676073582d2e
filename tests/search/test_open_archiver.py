"""Open Archiver's Jobs API over real runs: the traces that workers write, and RQ's books while one works."""

from flask.testing import FlaskClient
from rq.registry import StartedJobRegistry

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.states import State
from ingest_queue.store import keys
from tests.faults.world import World, document
from tests.redis.open_archiver_side import get, jobs
from tests.search.conftest import MakeWorld, run_next
from tests.servers.processes import wait_for
from web.app import create_app
from workers.queue import IngestQueue
from workers.worker import IngestWorker


def operator(world: World) -> FlaskClient:
    client = create_app(world.engine, world.config).test_client()
    client.environ_base["HTTP_X_API_KEY"] = world.engine.keyring.issue("operator", [Scope.MANAGE_ALL], by=LOCAL)[1]
    return client


def test_a_run_that_breaks_leaves_its_trace_and_its_reason(make_world: MakeWorld) -> None:
    """Whoever mends it sees the line of code that broke, and the exception by the name that they know."""
    world = make_world(INGEST_ATTEMPTS="1")
    world.submit([document(1)])
    world.engine.store.client.hset(keys.INDEXES("default"), world.slug, b"{")
    assert run_next(world).state is State.FAILED
    [found] = jobs(operator(world), "failed")
    [trace] = found["stacktrace"]
    assert trace.startswith("Traceback (most recent call last):\n") and 'workers/perform.py", line' in trace
    assert found["failedReason"] == found["error"] and found["failedReason"].startswith("JSONDecodeError: ")
    assert found["attemptsMade"] == 1 and trace.rstrip().endswith(found["failedReason"])


def test_rq_shows_as_started_what_is_active_while_a_worker_works(make_world: MakeWorld) -> None:
    """`rq info`, exporters and this API look at one job: none may say that it is somewhere else."""
    world = make_world()
    http, store = operator(world), world.engine.store
    queue = IngestQueue(world.config.rq_queue, connection=store.client)
    world.worker()
    running, waiting = world.submit(document(n) for n in range(2000)), world.submit([document(1)])
    world.until_begun(running)

    def agree() -> bool:
        started = StartedJobRegistry(queue=queue).get_job_ids(cleanup=False)
        [worker] = IngestWorker.all(connection=store.client)
        return started == [worker.get_current_job_id()] == [job["id"] for job in jobs(http, "active")] == [running.id]

    wait_for(agree, 30, "RQ and the Jobs API to agree")
    counts = get(http)["queues"][1]["counts"]
    assert counts["active"] == counts["waiting"] == 1 and waiting.id in queue.deferred_job_registry.get_job_ids()
    world.until(waiting, State.COMPLETED)
    assert queue.finished_job_registry.count == get(http)["queues"][1]["counts"]["completed"] == 2
    assert queue.count == queue.started_job_registry.count == queue.deferred_job_registry.count == 0
