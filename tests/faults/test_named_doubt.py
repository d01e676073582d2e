"""Named schedules: people ask while a lost run has left bulks in doubt. What rests is exact all the same."""

from ingest_queue.states import HALTING, RESTING, Event, State
from ingest_queue.tick import rescue
from tests.faults.conftest import MakeWorld
from tests.faults.gate import Gate
from tests.faults.world import BULK, World, document, kill_both, kill_horse
from tests.servers.processes import wait_for

FEW = [document(n) for n in range(400)]
IDS = [one["id"] for one in FEW]


def test_a_job_paused_resumed_and_canceled_while_bulks_are_in_doubt_settles_first(make_world: MakeWorld, gate: Gate) -> None:
    """The lost run's bulks are in the index and not in the counts: to rest now would make canceled a lie."""
    world = make_world(gate.url)
    held = gate.hold(IDS[40], applied=True)
    worker = world.worker()
    job = world.submit(FEW)
    held.until_here()
    kill_both(worker)
    lost = world.job(job)
    rescue(world.engine.store, job.id, lost.token, certain=True)
    assert not world.job(job).settled
    assert world.ask(job, Event.PAUSE).state is State.PAUSING
    assert world.ask(job, Event.RESUME).state is State.PENDING
    assert world.ask(job, Event.CANCEL).state is State.CANCELING
    world.worker()
    ended = world.until(job, State.CANCELED)
    assert ended.counts.processed == lost.sent_to
    world.check(job, FEW[: lost.sent_to])


def test_a_delayed_job_paused_resumed_and_canceled_with_bulks_in_doubt_settles_first(make_world: MakeWorld, gate: Gate) -> None:
    """The cluster is busy when the next run would settle: the job may wait or halt, and must not rest."""
    world = make_world(gate.url, INGEST_IN_PLACE_S="0.3", INGEST_LEASE_S="30")
    held = gate.hold(IDS[40], applied=True)
    worker = world.worker()
    job = world.submit(FEW)
    held.until_here()
    gate.refuse(IDS)
    kill_horse(worker)
    delayed = world.until(job, State.DELAYED)
    assert not delayed.settled
    assert world.ask(job, Event.PAUSE).state is State.PAUSING
    assert world.ask(job, Event.RESUME).state not in (*HALTING, *RESTING)
    world.until(job, State.DELAYED)
    assert world.ask(job, Event.CANCEL).state is State.CANCELING
    gate.open()
    world.until(job, State.CANCELED)
    world.check(job, FEW[: world.job(job).counts.processed])


def test_half_a_bulk_refused_while_the_next_is_in_then_canceled_then_killed(make_world: MakeWorld, gate: Gate) -> None:
    """Bulk 8 is in before the rest of bulk 7: the cursor stands before both, the index holds more than it."""
    world = make_world(gate.url)
    seventh = IDS[6 * BULK : 7 * BULK]
    gate.refuse(seventh[BULK // 2 :])
    worker = world.worker()
    job = world.submit(FEW)
    wait_for(lambda: is_in(world, IDS[8 * BULK - 1]) and is_in(world, seventh[0]), 60, "bulk 8 and half of bulk 7")
    assert not is_in(world, seventh[-1])
    assert world.ask(job, Event.CANCEL).state is State.CANCELING
    kill_both(worker)
    gate.open()
    world.worker()
    ended = world.until(job, State.CANCELED)
    assert ended.counts.processed >= 8 * BULK
    world.check(job, FEW[: ended.counts.processed])


def is_in(world: World, id: str) -> bool:
    """Whether the index has the document, refreshed or not."""
    return bool(world.client.exists(index=f"default_{world.slug}", id=id))
