"""Many jobs in Redis (P9): whether the state of one job, and a page of them, cost the same among a million as among few.

The jobs are copies of real ones, which the engine made, in the record and in every list and lane that reads touch.
RQ's books, payloads and planned ends are left out: no read touches them.
"""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from statistics import median
from typing import Any, Final, Self

import orjson

from benchmarks.cities import array
from benchmarks.figures import Figure, spread
from benchmarks.front import Client, Front
from benchmarks.stage import Stage, World
from ingest_queue.job import Job
from ingest_queue.states import Event, State
from ingest_queue.store import keys
from ingest_queue.store.codec import QUEUES
from ingest_queue.tick import Tick
from tests.redis.rq_side import finish, take
from tests.servers.redis import RedisServer

FEW: Final = 1_000
LANES: Final = 10
STATES: Final = {State.COMPLETED: 90, State.FAILED: 5, State.CANCELED: 3, State.PENDING: 2}  # of a hundred jobs
HUNDRED: Final = tuple(state for state, share in STATES.items() for _ in range(share))
BATCH: Final = 20_000
PAGES: Final = 20  # that even the few jobs have
SPREAD: Final = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd, so each number has an id of its own
APART_US: Final = 1_000
COPY: Final = """
-- KEYS 1 the model's record, 2 how a record's key begins, 3 the lane or '', 4.. lists; ARGV of each its id, number, us, ms
for i = 1, #ARGV, 4 do
  local id, number, us, ms = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  redis.call('COPY', KEYS[1], KEYS[2] .. id)
  redis.call('HSET', KEYS[2] .. id, 'id', id, 'order', number, 'created_at', ms, 'queued_at', ms, 'updated_at', ms)
  if KEYS[3] ~= '' then redis.call('ZADD', KEYS[3], number, id) end
  for list = 4, #KEYS do redis.call('ZADD', KEYS[list], us, id) end
end
"""


def growth(stage: Stage) -> Iterator[Figure]:
    """P9: web before Redis servers of three sizes, a call to each in turn."""
    many, more = (2_000, 5_000) if stage.quick else (100_000, 1_000_000)
    calls, walks = (20, 1) if stage.quick else (1_500, 10)
    with ExitStack() as opened:
        sizes = {jobs: opened.enter_context(Crowd(stage, jobs)) for jobs in (FEW, many, more)}
        status = {jobs: _Calls(sizes[jobs]) for jobs in (FEW, more)}
        pages = {jobs: _Calls(sizes[jobs]) for jobs in (FEW, many)}
        for turn in range(calls):
            for of_one in list(status.values())[:: -1 if turn % 2 else 1]:
                of_one.status()
        for turn in range(walks * PAGES):
            for of_one in list(pages.values())[:: -1 if turn % 2 else 1]:
                of_one.page(first=turn % PAGES == 0)
        filled = f"; {sizes[more].gib:.1f} GiB in Redis"
    for name, found, large, words in (("P9 status", status, more, filled), ("P9 page", pages, many, "")):
        value = median(found[large].took_ms) / median(found[FEW].took_ms)
        yield Figure(name, value, _words(found[large].took_ms) + words, _words(found[FEW].took_ms))


def _words(took_ms: list[float]) -> str:
    ordered = sorted(took_ms)
    return f"{spread([median(ordered)], 'ms')}, 9 of 10 within {ordered[len(ordered) * 9 // 10]:.2f} ms"


class _Calls:
    """Calls to one server, and how long they took."""

    def __init__(self, crowd: "Crowd") -> None:
        self._crowd, self._client = crowd, crowd.client()
        self._chance = random.Random(crowd.jobs)
        self._next = ""
        self.took_ms: list[float] = []

    def status(self) -> None:
        """Ask for any job."""
        job_id = id_of(self._chance.randrange(self._crowd.jobs))
        assert self._timed(f"/api/jobs/{job_id}")["id"] == job_id

    def page(self, *, first: bool) -> None:
        """Ask for the page behind the last one, or for the newest."""
        found = self._timed("/api/jobs?limit=50" if first else f"/api/jobs?limit=50&cursor={self._next}")
        assert len(found["jobs"]) == 50
        self._next = found["next"] or ""

    def _timed(self, path: str) -> Mapping[str, Any]:
        began = time.perf_counter()
        reply = self._client.call("GET", path)
        self.took_ms.append(1000 * (time.perf_counter() - began))
        answer: Mapping[str, Any] = orjson.loads(reply.body)
        return answer


class Crowd:
    """So many jobs in a Redis of their own, without a disk, and web before it."""

    def __init__(self, stage: Stage, jobs: int) -> None:
        self.jobs = jobs
        self.gib = 0.0
        self._redis = RedisServer(stage.directory / f"redis-{jobs}").start()
        self._world = World(Stage(stage.directory, self._redis, stage.processes, stage.quick), stage.sink(0))
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        self._opened.callback(self._redis.kill)
        models = list(_models(self._world))
        self._fill(models)
        for model in models:
            self._world.engine.delete(model.id)
        self._check()
        self.gib = self._world.engine.store.client.info("memory")["used_memory"] / 2**30
        self._front = self._opened.enter_context(Front(self._world, processes=1))
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def client(self) -> Client:
        """Return a new connection to web."""
        return self._opened.enter_context(self._front.client())

    def _fill(self, models: list[Job]) -> None:
        client = self._world.engine.store.client
        copy = client.register_script(COPY)
        seconds, _ = client.time()
        first_us = seconds * 1_000_000 - self.jobs * APART_US
        by_state = {state: [model for model in models if model.state is state] for state in STATES}
        for start in range(0, self.jobs, BATCH):
            copies: dict[str, list[str | int]] = {model.id: [] for model in models}
            for number in range(start, min(start + BATCH, self.jobs)):
                at_us = first_us + number * APART_US
                copies[by_state[state_of(number)][number % LANES].id] += [id_of(number), number, at_us, at_us // 1000]
            pipe = client.pipeline(transaction=False)
            for model in models:
                lane = keys.LANE(model.lane) if model.state is State.PENDING else ""
                copy(keys=[keys.JOB(model.id), keys.JOB(""), lane, *_lists(model)], args=copies[model.id], client=pipe)
            pipe.execute()

    def _check(self) -> None:
        """Ask the engine for some of the jobs, and for all by their number."""
        engine = self._world.engine
        counts = engine.counts()
        assert counts == {state: self.jobs * STATES.get(state, 0) // 100 for state in State}, counts
        for number in random.Random(self.jobs).sample(range(self.jobs), 100):
            job = engine.get(id_of(number))
            assert (job.id, job.state) == (id_of(number), state_of(number)), job
        newest = [job.id for job in engine.list(limit=200).items]
        assert newest == [id_of(number) for number in range(self.jobs - 1, self.jobs - 201, -1)]


def id_of(number: int) -> str:
    """Return the id of a job by its number; they look as random as real ones."""
    return f"{(number + 1) * SPREAD % 2**128:032x}"


def state_of(number: int) -> State:
    """Return the state of a job by its number; states are mixed."""
    return HUNDRED[number * 37 % 100]


def _lists(job: Job) -> tuple[str, ...]:
    scopes = keys.scopes(job.account, job.index, QUEUES[job.kind])
    return tuple(keys.LIST(scope, job.state.value) for scope in scopes)


def _models(world: World) -> Iterator[Job]:
    """Make a job in each state on each lane, with what the scripts write."""
    engine = world.engine
    tick = Tick(engine.store, "parent")
    slugs = [world.index() for _ in range(LANES)]
    for state in STATES:
        for slug in slugs:
            job = world.submit(slug, array(50))
            if state in (State.COMPLETED, State.FAILED):
                tick.now()
                run = take(engine.store)
                assert run and run.job.id == job.id
                if state is State.COMPLETED:
                    finish(run)
                else:
                    run.answer(Event.FAIL)
                engine.store.lanes.retire("parent")
            elif state is State.CANCELED:
                engine.ask(job.id, Event.CANCEL)
            yield engine.get(job.id)
