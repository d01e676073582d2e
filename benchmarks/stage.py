"""What is measured on: a real OpenSearch node with 1 GB of heap, a Redis with AOF, stock workers as processes, our engine."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

import psutil

from benchmarks.cities import definition
from ingest_queue import cluster
from ingest_queue.config import Config
from ingest_queue.engine import Engine
from ingest_queue.intake.body import Form
from ingest_queue.job import Job
from ingest_queue.states import RESTING, State
from ingest_queue.store.connect import connect
from ingest_queue.store.store import Store
from tests.servers.opensearch import Node, runnable
from tests.servers.processes import Process, Processes, wait_for
from tests.servers.redis import RedisServer

HEAP: Final = ("-Xms1g", "-Xmx1g")
LONGEST_S: Final = 120.0


@dataclass(slots=True)
class Stage:
    """Servers that run, and how to start more. `quick` asks for small sizes: shapes of results, no figures."""

    directory: Path
    redis: RedisServer
    processes: Processes
    quick: bool = False
    _node: Node | None = None
    sinks: dict[int, str] = field(default_factory=dict)

    @property
    def node(self) -> str:
        """The address of the real node, started when it is first needed."""
        if self._node is None:
            version = runnable()
            assert version, "a real OpenSearch is needed: Maven, and a JDK 21 or newer (or 11 to 23)"
            self._node = Node(version, self.directory / "node", java=HEAP).start()
        return self._node.url

    @property
    def names(self) -> tuple[str, ...]:
        """The servers that ran, by name and version."""
        node = (f"{self._node.name}, {HEAP[-1].removeprefix('-Xmx').upper()}B heap",) if self._node else ()
        return (*node, self.redis.name)

    def sink(self, delay_ms: int) -> str:
        """Return the address of a server that answers each bulk after so long."""
        if delay_ms not in self.sinks:
            sink = self.processes.python("benchmarks.sink", str(delay_ms))
            wait_for(lambda: sink.tail().endswith("\n"), what="the sink's address")
            self.sinks[delay_ms] = sink.tail().strip()
        return self.sinks[delay_ms]

    def end(self) -> None:
        """End everything."""
        self.processes.end()
        self.redis.kill()
        if self._node:
            self._node.kill()


@contextmanager
def stage(directory: Path, *, quick: bool) -> Iterator[Stage]:
    """Open the stage; nothing of it is left behind."""
    os.environ.pop("OPENSEARCH_URL", None)
    redis = RedisServer(directory / "redis", "--appendonly", "yes", "--appendfsync", "everysec").start()
    made = Stage(directory, redis, Processes(directory), quick)
    try:
        yield made
    finally:
        made.end()


class World:
    """Our engine in front of one search server, in an emptied Redis; settings are for it and its workers alike."""

    def __init__(self, stage: Stage, search_url: str, **settings: Any) -> None:
        self.stage = stage
        stage.redis.flush()
        told = {f"INGEST_{name.upper()}": str(value) for name, value in settings.items()}
        self.environ: Mapping[str, str] = {"REDIS_URL": stage.redis.url, "OPENSEARCH_URL": search_url, **told}
        self.config = Config.from_environ(self.environ)
        self.client = cluster.connect(self.config)
        self.engine = Engine(self.config, Store.open(connect(stage.redis.url), self.config), self.client)
        self.workers: list[Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.kill()

    def start_workers(self, number: int = 1) -> list[Process]:
        """Start workers and wait until they tick."""
        self.workers += [self.stage.processes.worker(self.environ) for _ in range(number)]
        self.until(lambda: self.engine.store.lanes.alive() >= len(self.workers))
        return self.workers

    def index(self, slug: str = "", bulk_documents: int | None = None) -> str:
        """Make an empty index; return its slug."""
        slug = slug or f"c{uuid4().hex[:10]}"
        self.engine.indexes.create(definition(slug, bulk_documents))
        return slug

    def submit(self, slug: str, body: bytes) -> Job:
        """Submit NDJSON, or a JSON array."""
        return self.engine.submit(slug, iter([body]), form=Form.ARRAY if body.startswith(b"[") else Form.NDJSON)

    def until_over(self, *jobs: Job) -> list[Job]:
        """Wait until jobs rest; each must be completed. Times are the record's, so it asks seldom: asking takes CPU."""
        for job in jobs:
            self.until(lambda job=job: self.engine.get(job.id).state in RESTING, poll_s=0.25)
        ended = [self.engine.get(job.id) for job in jobs]
        assert all(job.state is State.COMPLETED for job in ended), [(job.state, job.error) for job in ended]
        return ended

    def until_idle(self) -> None:
        """Wait until no worker has a horse: only then has a parent the CPU time of its last one."""
        self.until(lambda: not any(worker.children() for worker in self.workers))

    def until(self, condition: Any, poll_s: float = 0.01) -> None:
        """Wait for a condition."""
        end = time.monotonic() + LONGEST_S
        while not condition():
            assert time.monotonic() < end, f"not within {LONGEST_S:g} s"
            time.sleep(poll_s)


def cpu_s(*workers: Process) -> float:
    """Return the CPU seconds of workers and all their ended horses."""
    return sum(sum(psutil.Process(worker.pid).cpu_times()[:4]) for worker in workers)


def wall_s(*jobs: Job) -> float:
    """Return the seconds from the first claim to the last answer, by Redis' clock."""
    started = [job.started_at for job in jobs if job.started_at]
    ended = [job.ended_at for job in jobs if job.ended_at]
    assert len(started) == len(ended) == len(jobs)
    return max(ended) - min(started)
