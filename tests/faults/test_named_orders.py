"""Named schedules: two hands reach for one job in the worst order."""

import pytest
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer

from ingest_queue.states import Event, State
from ingest_queue.store import keys
from ingest_queue.tick import Tick, rescue
from tests.faults.conftest import MakeWorld
from tests.faults.gate import Gate
from tests.faults.world import World, document
from tests.redis.rq_side import queued, take
from tests.servers.processes import wait_for
from workers.endings import Ending
from workers.perform import conclude, ending_of, prepare

FEW = [document(n) for n in range(200)]
NEWER = [document(n, "newer") for n in range(100, 300)]


@pytest.fixture
def world(make_world: MakeWorld) -> World:
    """A world with one live parent and no worker: the test takes each step itself, on both servers."""
    world = make_world(INGEST_LEASE_S="30", INGEST_SLICE_S="0.1")
    Tick(world.engine.store, "parent").now()
    return world


def test_a_popped_job_paused_and_resumed_is_not_run_beside_its_lanes_next(world: World) -> None:
    """RQ's worker has the id in its hands when the lane goes to the next job: its claim must come to nothing."""
    store = world.engine.store
    first, second = world.submit(FEW), world.submit(NEWER)
    queue = store.config.rq_queue
    assert store.client.lmove(keys.RQ_QUEUE(queue), keys.RQ_INTERMEDIATE(queue)) == first.id.encode()
    assert world.ask(first, Event.PAUSE).state is State.PAUSED
    assert queued(store) == [second.id]
    assert world.ask(first, Event.RESUME).state is State.PENDING
    assert store.claim(first.id, "token-of-the-one-that-popped", "parent") is None
    for job in (second, first):
        run = take(store)
        assert run is not None and run.job.id == job.id
        run.answer(ending_of(run, store).event)
        assert world.job(job).state is State.COMPLETED
    merged = {one["id"]: one for one in (*FEW, *NEWER)}
    assert world.index() == merged
    assert world.job(first).progress.codes == {"superseded": 100}


def test_a_yields_late_success_handler_does_not_end_the_next_run(world: World) -> None:
    """A horse that was held up between its last bulk and its answer speaks for a job that is another's by now."""
    store = world.engine.store
    job = world.submit(FEW)
    assert queued(store) == [job.id]
    store.client.delete(keys.RQ_QUEUE(store.config.rq_queue))  # popped, and not by the test's own `take`
    late = RqJob.fetch(job.id, connection=store.client, serializer=JSONSerializer)
    prepare(store, late, "token-1", "worker-1")
    late.ingest_ending = Ending(Event.HALT)  # type: ignore[attr-defined]  # the yield, about to be told
    rescue(store, job.id, "token-1", certain=True)
    run = take(store)
    assert run is not None
    conclude(late)
    assert world.job(job).token == run.job.token
    assert world.job(job).state is State.RUNNING
    run.answer(ending_of(run, store).event)
    assert world.job(job).state is State.COMPLETED
    world.check(job, FEW)


def test_a_resume_during_pausing_lets_the_run_go_on(make_world: MakeWorld, gate: Gate) -> None:
    """Pause and resume within one bulk cost neither the run nor a document."""
    world = make_world(gate.url, INGEST_LEASE_S="30")
    held = gate.hold(FEW[40]["id"])
    world.worker()
    job = world.submit(FEW)
    held.until_here()
    full = 40 + 2 * world.config.bulks_in_flight * world.bulk
    wait_for(lambda: world.job(job).sent_to == full, 60, "a full window: until the gate opens nothing more is announced")
    assert world.ask(job, Event.PAUSE).state is State.PAUSING
    assert world.ask(job, Event.RESUME).state is State.RUNNING
    held.let_go()
    ended = world.until(job, State.COMPLETED)
    assert ended.run == 1
    world.check(job, FEW)
