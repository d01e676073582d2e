"""Units with real workers that die: each success is paid for once, and a job that cannot be paid for sends nothing."""

from ingest_queue.states import State
from ingest_queue.store import keys
from tests.faults.world import World, document, kill_both

GOOD = [document(n) for n in range(3600)]
WRONG = [{"n": n} for n in range(40)]


def test_a_kill_costs_no_unit_and_the_next_job_has_only_what_is_left(world: World) -> None:
    """The machine of a run loses power: its account must neither pay twice nor get units for nothing."""
    store = world.engine.store
    store.client.hset(keys.ACCOUNT("default"), "quota", len(GOOD + WRONG))
    workers = [world.worker(), world.worker()]
    job = world.submit(WRONG + GOOD)
    world.until_begun(job, len(WRONG) + 100)
    assert world.engine.quota().used == len(GOOD + WRONG)
    kill_both(world.holder(job, workers))
    ended = world.until(job, State.COMPLETED)
    assert ended.run >= 2 and ended.counts.succeeded == len(GOOD) == world.engine.quota().used
    too_much = world.until(world.submit([document(n, "later") for n in range(41)]), State.FAILED)
    assert too_much.error is not None and too_much.error.code == "quota_exceeded"
    world.check(job, GOOD)
    world.until(world.submit([document(n) for n in range(40)]), State.COMPLETED)
    quota = world.engine.quota()
    assert quota.used == quota.limit and quota.warns
