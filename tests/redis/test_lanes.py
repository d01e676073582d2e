"""Whose turn it is: order in a lane, ceilings, fairness between lanes, slots that nobody claims."""

import random
from collections.abc import Callable

from ingest_queue.config import Config
from ingest_queue.job import Counts, Job, Progress
from ingest_queue.states import Event, State
from ingest_queue.store import keys
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.rq_side import finish, payload_name, queued, take

Submit = Callable[..., Job]


def test_jobs_of_one_lane_run_one_at_a_time_oldest_first(store: Store, submit: Submit, tick: Tick) -> None:
    """Two runs on one index would race for the same documents."""
    for parent in range(5):
        Tick(store, f"other-{parent}").now()
    jobs = [submit() for _ in range(3)]
    for job in jobs:
        assert queued(store) == [job.id]
        run = take(store)
        assert run is not None and run.job.id == job.id
        finish(run)


def test_slots_stay_within_the_parents_that_live(store: Store, submit: Submit, tick: Tick) -> None:
    """What no worker can take must stay in its lane, where pause and delete reach it."""
    jobs = [submit(index=f"index-{n}") for n in range(4)]
    assert len(queued(store)) == 1
    for parent in range(2):
        Tick(store, f"other-{parent}").now()
    assert set(queued(store)) == {job.id for job in jobs[:3]}
    store.lanes.retire("other-0")
    store.lanes.retire("other-1")
    tick.now()
    assert len(queued(store)) == 3


def test_the_ceiling_of_running_jobs_changes_at_run_time(store: Store, submit: Submit, tick: Tick) -> None:
    """An operator lowers it to spare the cluster, and raises it again, without a restart."""
    for parent in range(5):
        Tick(store, f"other-{parent}").now()
    store.lanes.set_ceiling("running_ceiling", 2)
    for n in range(4):
        submit(index=f"index-{n}")
    assert len(queued(store)) == 2
    store.lanes.set_ceiling("running_ceiling", 4)
    tick.now()
    assert len(queued(store)) == 4


def test_pulls_have_a_ceiling_of_their_own(store: Store, submit: Submit, tick: Tick) -> None:
    """A cluster that is pulled from must not be overrun, and pushes must not wait for pulls."""
    for parent in range(5):
        Tick(store, f"other-{parent}").now()
    pulls = [submit(lane=f"batch:{n}", kind="pull") for n in range(3)]
    push = submit()
    assert queued(store) == [pulls[0].id, push.id]
    store.lanes.set_ceiling("pull_ceiling", 2)
    tick.now()
    assert queued(store) == [pulls[0].id, push.id, pulls[1].id]


def test_a_paused_job_frees_its_lane_and_resumes_at_its_place(store: Store, submit: Submit, tick: Tick) -> None:
    """Pausing one job must not hold up the next; resumed, it goes before what was submitted later."""
    first, second, third = submit(), submit(), submit()
    assert store.records.happen(Event.PAUSE, first.id).job.state is State.PAUSED  # type: ignore[union-attr]
    assert queued(store) == [second.id]
    run = take(store)
    assert run is not None
    store.records.happen(Event.RESUME, first.id)
    finish(run)
    assert queued(store) == [first.id]
    assert store.client.zrange(keys.LANE(first.lane), 0, -1) == [third.id.encode()]


def test_a_delayed_job_keeps_its_lane(store: Store, submit: Submit, tick: Tick) -> None:
    """A later job must not overtake one that waits for the cluster: both need the same index."""
    first, second = submit(), submit()
    run = take(store)
    assert run is not None
    run.answer(Event.BACK_OFF, delay_ms=3_600_000, waiting_for="the search cluster, which refuses (429)")
    tick.now()
    assert queued(store) == []
    job = store.records.get(first.id)
    assert job is not None and job.state is State.DELAYED and job.waiting_since is not None
    store.records.happen(Event.PAUSE, first.id)
    assert queued(store) == [second.id]


def test_a_yielding_run_goes_behind_the_other_lanes_but_stays_first_in_its_own(store: Store, submit: Submit, tick: Tick) -> None:
    """One long import must not starve small ones, nor be overtaken on its own index."""
    long_one, later = submit(index="a"), submit(index="a")
    other = submit(index="b")
    run = take(store)
    assert run is not None and run.job.id == long_one.id
    run.answer(Event.HALT)
    assert queued(store) == [other.id]
    run = take(store)
    assert run is not None
    finish(run)
    assert queued(store) == [long_one.id]
    assert store.client.zrange(keys.LANE(later.lane), 0, -1) == [later.id.encode()]


def test_a_run_halts_when_its_slice_is_over_and_others_wait(store: Store, submit: Submit, tick: Tick) -> None:
    """Alone it may go on for ever."""
    submit(index="a")
    now = 0.0
    job_id = queued(store)[0]
    run = store.claim(job_id, "token", "parent-1", clock=lambda: now)
    assert run is not None
    now = 1000.0
    run.checkpoint(Progress(0, Counts(10)), announce=5)
    assert not run.should_halt()
    submit(index="b")
    run.checkpoint(Progress(0, Counts(10)))
    assert not run.should_halt(), "a run that has done nothing yet would give way for ever"
    run.checkpoint(Progress(5, Counts(10, 5)))
    assert run.should_halt()


def test_a_slot_that_nobody_claims_is_taken_back_and_given_again(store: Store, submit: Submit, tick: Tick) -> None:
    """RQ can lose a popped id for good; the job must not be lost with it."""
    job = submit()
    store.client.lpop(keys.RQ_QUEUE(store.config.rq_queue))  # a worker popped it and died
    store.client.zadd(keys.SLOTS(), {job.id: 1})  # its time to claim is over
    tick.now()
    assert queued(store) == [job.id]


def test_a_record_that_somebody_removed_does_not_block_its_lane(store: Store, submit: Submit, tick: Tick) -> None:
    """An operator's DEL in redis-cli must cost that job only."""
    store.lanes.retire("parent-1")
    gone, next_one = submit(), submit()
    store.client.delete(keys.JOB(gone.id))
    tick.now()
    assert queued(store) == [next_one.id]
    store.lanes.expire()
    for scope in ("all", "account:default", "index:default/cities", "queue:indexing"):
        store.client.zrem(keys.LIST(scope, State.PENDING.value), gone.id)
    store.client.delete(keys.RQ_JOB(gone.id), keys.PAYLOAD(gone.id, payload_name(gone)))
    store.client.zrem(keys.RQ_DEFERRED(store.config.rq_queue), gone.id)
    store.client.decrby(keys.BYTES(), 6)


def test_ten_thousand_jobs_on_a_thousand_lanes_run_in_order_and_none_starves(store: Store, submit: Submit) -> None:
    """Twenty workers at random speeds: each lane in its order, never two of one lane at once, all done, all fairly."""
    lanes, per_lane, workers = 1_000, 10, 20
    order: dict[str, list[str]] = {}
    for n in range(lanes * per_lane):
        job = submit(1, index=f"lane-{n % lanes}", payload=False)
        order.setdefault(job.lane, []).append(job.id)
    ticks = [Tick(store, f"parent-{n}") for n in range(workers)]
    running: list[Run] = []
    begun: dict[str, list[str]] = {lane: [] for lane in order}
    chance = random.Random(7)
    for turn in range(3 * lanes * per_lane):
        if turn % 500 == 0:
            for one in ticks:
                one.now()
            fewest, most = min(map(len, begun.values())), max(map(len, begun.values()))
            assert most - fewest <= 2, "a lane got ahead while another waited"
        run = take(store)
        if run is not None:
            assert run.job.lane not in {other.job.lane for other in running}
            begun[run.job.lane].append(run.job.id)
            running.append(run)
            assert len(running) <= workers
        elif running:
            run = running.pop(chance.randrange(len(running)))
            run.answer(Event.COMPLETE)
        else:
            break
    assert begun == order


def test_suspended_workers_are_given_nothing(store: Store, submit: Submit, tick: Tick) -> None:
    """`rq suspend` holds the installation; what was handed out then would only wait for a lease to end."""
    store.client.set(keys.RQ_SUSPENDED(), 1)
    tick.now()
    job = submit()
    tick.now()
    assert queued(store) == []
    store.client.delete(keys.RQ_SUSPENDED())
    tick.now()
    assert queued(store) == [job.id]


def test_settings_say_how_many_run_when_nobody_changed_them() -> None:
    """0 means: as many as there are workers."""
    assert Config().running_ceiling == 0
