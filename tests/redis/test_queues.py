"""The operators' view of all jobs: exact at any moment, capped, paged from either end, and the same as RQ's own."""

import threading
from collections.abc import Callable
from itertools import chain
from random import Random

import pytest
from rq.job import Job as RqJob
from rq.registry import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    StartedJobRegistry,
)
from rq.serializers import JSONSerializer

from ingest_queue.access.actor import LOCAL, Actor, Scope
from ingest_queue.config import Config
from ingest_queue.errors import Denied, Missing
from ingest_queue.job import Job, Kind
from ingest_queue.queues import QueuePage, Queues
from ingest_queue.states import BEGUN, Event, State
from ingest_queue.store import keys
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.bench import VERBS, Bench
from tests.redis.rq_side import finish, take
from web.dialects.open_archiver import STATES, WORDS
from workers.queue import IngestQueue
from workers.worker import IngestWorker

Submit = Callable[..., Job]
COMPLETED_LISTED, FAILED_LISTED = 5, 3


@pytest.fixture
def config(redis_url: str) -> Config:
    """Caps that a few jobs pass."""
    return Config(redis_url=redis_url, lease_s=30, completed_listed=COMPLETED_LISTED, failed_listed=FAILED_LISTED)


@pytest.fixture
def queues(store: Store) -> Queues:
    return Queues(store)


@pytest.fixture
def bench(store: Store, submit: Submit, tick: Tick) -> Bench:
    """Workers enough for a job in each state."""
    return Bench(store, submit, tick, parents=len(State))


def page(queues: Queues, word: str, number: int = 1, limit: int = 10, *, newest_first: bool = False) -> QueuePage:
    return queues.page("indexing", word, STATES, page=number, limit=limit, newest_first=newest_first, by=LOCAL)


def ids(found: QueuePage) -> list[str]:
    return [one.job.id for one in found.jobs]


def in_every_state(bench: Bench) -> dict[State, str]:
    """Return a job in each state, each on an index of its own."""
    found = {state: bench.held(state, index=f"held-{state}").job.id for state in BEGUN}
    rest = [state for state in State if state not in BEGUN]
    return found | {state: bench.unheld(state, index=f"unheld-{state}") for state in rest}


def test_each_state_is_counted_and_listed_under_one_word(bench: Bench, queues: Queues) -> None:
    """Operators add the six up: what stands in two of them, or in none, makes every sum wrong."""
    jobs = in_every_state(bench)
    counts = queues.counts(STATES, by=LOCAL)
    assert sum(counts["indexing"].values()) == len(State)
    assert set(counts["ingestion"].values()) == {0}
    for word, states in STATES.items():
        found = page(queues, word)
        assert sorted(ids(found)) == sorted(jobs[state] for state in states)
        assert found.counts == counts["indexing"] and found.total == counts["indexing"][word] == len(states)


def test_a_job_stands_in_the_queue_of_its_kind(submit: Submit, queues: Queues) -> None:
    """Fetching from elsewhere and writing what was given fail for different reasons and are watched apart."""
    jobs = {kind: submit(kind=kind, index=kind).id for kind in Kind}
    found = {queue: queues.page(queue, "waiting", STATES, by=LOCAL) for queue in queues.counts(STATES, by=LOCAL)}
    assert ids(found["ingestion"]) == [jobs[Kind.PULL], jobs[Kind.CONNECTOR]]
    assert ids(found["indexing"]) == [jobs[Kind.PAYLOAD], jobs[Kind.IMPORT], jobs[Kind.REINDEX]]
    assert queues.get("ingestion", jobs[Kind.PULL], by=LOCAL).job.kind is Kind.PULL
    with pytest.raises(Missing):
        queues.get("indexing", jobs[Kind.PULL], by=LOCAL)


def test_only_an_operator_sees_them(submit: Submit, queues: Queues) -> None:
    """They show the jobs of all accounts."""
    member, job = Actor("m", "default", frozenset({Scope.ADMIN})), submit()
    calls: list[Callable[[], object]] = [
        lambda: queues.counts(STATES, by=member),
        lambda: queues.page("indexing", "waiting", STATES, by=member),
        lambda: queues.get("indexing", job.id, by=member),
    ]
    for call in calls:
        with pytest.raises(Denied):
            call()


@pytest.mark.parametrize(("word", "cap"), [("completed", COMPLETED_LISTED), ("failed", FAILED_LISTED)])
def test_only_the_newest_ended_jobs_are_counted_and_listed(bench: Bench, queues: Queues, word: str, cap: int) -> None:
    """Failed and canceled ones share their cap; whichever end a listing begins at, the same jobs are in it."""
    states = STATES[word]
    jobs = [bench.unheld(states[n % len(states)]) for n in range(cap + 3)]
    kept = jobs[-cap:]
    assert queues.counts(STATES, by=LOCAL)["indexing"][word] == cap
    oldest, newest = page(queues, word), page(queues, word, newest_first=True)
    assert (ids(oldest), ids(newest)) == (kept, kept[::-1])
    assert oldest.total == newest.total == cap
    assert ids(page(queues, word, 2, 2)) == kept[2:4]
    assert ids(page(queues, word, 2, 2, newest_first=True)) == kept[::-1][2:4]
    assert ids(page(queues, word, 2, cap)) == []


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_pages_of_several_lists_are_one_list_in_order(
    store: Store, submit: Submit, queues: Queues, seed: int, newest_first: bool
) -> None:
    """Lists of very different lengths, with jobs of the same microsecond in both, in pages of any size: none lost, none twice."""
    random = Random(seed)
    share = random.random()
    expected = []
    for _ in range(40):
        job = submit()
        event = Event.PAUSE if random.random() < share else Event.STOP
        store.records.happen(event, job.id)
        state = {Event.PAUSE: State.PAUSED, Event.STOP: State.STOPPED}[event]
        at = 1_000_000 + random.randrange(20)
        store.client.zadd(keys.LIST("queue:indexing", state), {job.id: at})
        expected.append((at, STATES["paused"].index(state), job.id))
    wanted = [job_id for _, _, job_id in sorted(expected)]
    wanted = wanted[::-1] if newest_first else wanted
    for limit in (1, 3, 7, 39, 40, 100):
        pages = [page(queues, "paused", number, limit, newest_first=newest_first) for number in range(1, 40 // limit + 3)]
        assert list(chain.from_iterable(map(ids, pages))) == wanted, limit
        assert {found.total for found in pages} == {40}


def test_a_page_far_past_the_end_is_empty(submit: Submit, queues: Queues) -> None:
    """Whatever number a client sends, Redis must be able to read it."""
    submit()
    assert ids(page(queues, "waiting", 2**53 - 1, 1000)) == []


def test_waiting_jobs_are_listed_in_the_order_in_which_they_run(bench: Bench, queues: Queues) -> None:
    """A resumed job goes back to its place, a retried one to the end: the list says so before it happens."""
    resumed = bench.submit()
    bench.store.records.happen(Event.PAUSE, resumed.id)
    retried = bench.unheld(State.FAILED)
    bench.store.client.delete(keys.PARENTS())  # or the next one had its slot already
    others = [bench.submit().id for _ in range(2)]
    bench.store.records.happen(Event.RETRY, retried, retry=True)
    bench.store.records.happen(Event.RESUME, resumed.id)
    listed = ids(page(queues, "waiting"))
    assert listed == [resumed.id, *others, retried]
    ran = []
    for _ in listed:
        bench.tick()
        run = take(bench.store)
        assert run is not None
        ran.append(run.job.id)
        finish(run)
    assert ran == listed


def test_a_job_that_moves_is_always_counted_once_and_listed_as_what_it_is(store: Store, submit: Submit, queues: Queues) -> None:
    """A dashboard polls while everything moves: no sum may differ from the number of jobs, no page may show a stranger."""
    jobs = [submit().id for _ in range(8)]
    moves = [(event, job) for _ in range(40) for job in jobs for event in (Event.PAUSE, Event.RESUME)]
    mover = threading.Thread(target=lambda: [store.records.happen(event, job) for event, job in moves])
    mover.start()
    while mover.is_alive():
        assert sum(queues.counts(STATES, by=LOCAL)["indexing"].values()) == len(jobs)
        found = page(queues, "waiting")
        assert sum(found.counts.values()) == len(jobs)
        assert {WORDS[one.job.state] for one in found.jobs} <= {"waiting"}
    mover.join()


def test_rqs_own_classes_read_the_same_figures(bench: Bench, store: Store, queues: Queues) -> None:
    """Exporters and `rq info` stay: whoever looks at both must not have to ask which one lies."""
    queue = IngestQueue(store.config.rq_queue, connection=store.client)
    for state in BEGUN:
        job = bench.submit(index=f"held-{state}")
        bench.tick()
        worker = IngestWorker([queue], connection=store.client, name=f"worker-{state}")
        worker.register_birth()  # type: ignore[no-untyped-call]
        rq_job = RqJob.fetch(job.id, connection=store.client, serializer=JSONSerializer)
        assert store.client.lmove(keys.RQ_QUEUE(queue.name), keys.RQ_INTERMEDIATE(queue.name)) == job.id.encode()
        assert store.claim(job.id, worker.prepare_execution(rq_job).id, worker.name)
        if state in VERBS:
            store.records.happen(VERBS[state], job.id)
    for state in State:
        if state not in BEGUN:
            bench.unheld(state, index=f"unheld-{state}")
    bench.tick()
    waiting = [bench.submit(index="unheld-waits") for _ in range(2)]
    bench.tick()

    ours = queues.counts(STATES, by=LOCAL)["indexing"]
    deferred = DeferredJobRegistry(queue=queue)
    busy = [worker for worker in IngestWorker.all(connection=store.client) if worker.get_state() == "busy"]
    assert len(busy) == StartedJobRegistry(queue=queue).count == ours["active"] == len(BEGUN)
    assert {worker.get_current_job_id() for worker in busy} == set(ids(page(queues, "active")))
    assert queue.count and queue.count + deferred.count == ours["waiting"] + ours["delayed"] + ours["paused"]
    assert set(queue.job_ids) | set(deferred.get_job_ids()) >= {job.id for job in waiting}
    assert FinishedJobRegistry(queue=queue).count == ours["completed"] == 1
    assert FailedJobRegistry(queue=queue).count + CanceledJobRegistry(queue=queue).count == ours["failed"] == 2


def test_what_exporters_call_changes_no_record(bench: Bench, store: Store) -> None:
    """RQ's registries clean up while they count; what they clean must never be ours."""
    in_every_state(bench)
    ours = {key: store.client.dump(key) for key in store.client.scan_iter("iq:*")}
    queue = IngestQueue(store.config.rq_queue, connection=store.client)
    for registry in (
        queue.started_job_registry, queue.deferred_job_registry, queue.finished_job_registry, queue.failed_job_registry,
        queue.canceled_job_registry, queue.scheduled_job_registry,
    ):  # fmt: skip
        assert registry.count == len(registry.get_job_ids())
    assert len(queue.jobs) == queue.count
    IngestWorker.all(connection=store.client)
    IngestQueue.all(connection=store.client)
    assert {key: store.client.dump(key) for key in store.client.scan_iter("iq:*")} == ours
