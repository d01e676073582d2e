"""Everything of one fault test: a Redis and an index of its own, workers as processes, and what the index must hold."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import psutil
from opensearchpy import OpenSearch

from ingest_queue import cluster as search
from ingest_queue.config import Config
from ingest_queue.engine import Engine
from ingest_queue.intake.body import Form
from ingest_queue.job import Job
from ingest_queue.schema.definition import Definition
from ingest_queue.states import Event, State
from ingest_queue.store.connect import connect, patient
from ingest_queue.store.store import Store
from tests.servers.processes import Process, Processes, wait_for

BULK: Final = 20  # small bulks: a job takes long enough to be struck in the middle
LEASE_S: Final = 2.0


def document(number: int, note: str = "first") -> dict[str, Any]:
    """Return the document of a number."""
    return {"id": f"d{number:06d}", "n": number, "note": note}


def ndjson(documents: Iterable[Mapping[str, Any]]) -> bytes:
    """Return documents as NDJSON."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in documents)


@dataclass
class World:
    """One engine in this process, workers beside it."""

    redis_url: str
    search_url: str
    processes: Processes
    env: Mapping[str, str] = field(default_factory=dict)
    bulk: int = BULK
    slug: str = field(default_factory=lambda: f"f{uuid4().hex[:10]}")

    def __post_init__(self) -> None:
        environ = {"INGEST_LEASE_S": str(LEASE_S), "REDIS_URL": self.redis_url, "OPENSEARCH_URL": self.search_url, **self.env}
        self.settings = environ
        self.config = Config.from_environ(environ)
        self.client: OpenSearch = search.connect(self.config)
        self.engine = Engine(self.config, Store.open(connect(self.redis_url, patient()), self.config), self.client)
        fields = [{"name": "id", "type": "keyword"}, {"name": "n", "type": "integer"}, {"name": "note", "type": "keyword"}]
        raw = {
            "slug": self.slug,
            "id": {"rule": "field", "field": "id"},
            "fields": fields,
            "settings": {"bulk_documents": self.bulk},
        }
        self.engine.indexes.create(Definition.parse(raw))

    def worker(self) -> Process:
        """Start one stock `rq worker`."""
        return self.processes.worker(self.settings)

    def submit(self, documents: Iterable[Mapping[str, Any]], **options: Any) -> Job:
        """Submit documents as NDJSON."""
        return self.engine.submit(self.slug, iter([ndjson(documents)]), form=Form.NDJSON, options=options)

    def job(self, job: Job) -> Job:
        """Return the job as it stands."""
        return self.engine.get(job.id)

    def until_begun(self, job: Job, at_least: int = BULK) -> Job:
        """Wait until the job is under way: some documents answered, not all."""
        wait_for(lambda: self.job(job).counts.processed >= at_least, 60, "progress")
        struck = self.job(job)
        assert struck.counts.processed < (struck.counts.total or 0), "the job was too fast to be struck in the middle"
        return struck

    def until(self, job: Job, *states: State, timeout_s: float = 90) -> Job:
        """Wait for one of some states."""
        try:
            wait_for(lambda: self.job(job).state in states, timeout_s, f"{[state.value for state in states]}")
        except AssertionError as problem:
            traces = self.engine.store.records.traces(job.id)
            raise AssertionError(f"{problem}; it stands so: {self.job(job)}; its traces: {traces}") from None
        return self.job(job)

    def ask(self, job: Job, event: Event) -> Job:
        """Let a verb happen."""
        return self.engine.ask(job.id, event)

    def holder(self, job: Job, workers: Iterable[Process]) -> Process:
        """Return the worker whose horse holds the job."""
        return wait_for(
            lambda: next((w for w in workers if w.is_running and w.children() and self.job(job).token), None), 30, "a horse"
        )

    def index(self) -> dict[str, dict[str, Any]]:
        """Return what the index holds: id -> document."""
        alias = f"default_{self.slug}"
        self.client.indices.refresh(index=alias)
        return {hit["_id"]: hit["_source"] for hit in self._hits(alias)}

    def _hits(self, alias: str) -> Iterator[dict[str, Any]]:
        page = self.client.search(index=alias, body={"size": 5000, "query": {"match_all": {}}}, params={"scroll": "1m"})
        while page["hits"]["hits"]:
            yield from page["hits"]["hits"]
            page = self.client.scroll(body={"scroll_id": page["_scroll_id"], "scroll": "1m"})
        self.client.clear_scroll(body={"scroll_id": [page["_scroll_id"]]})

    def check(self, job: Job, expected: Iterable[Mapping[str, Any]]) -> None:
        """The index holds exactly the expected documents, and the counts are exact."""
        wanted = {one["id"]: dict(one) for one in expected}
        assert self.index() == wanted
        counts = self.job(job).counts
        assert counts.in_index == len(wanted)
        assert counts.processed == counts.succeeded + counts.failed + counts.skipped


def kill_horse(worker: Process) -> int:
    """kill -9 the worker's horse alone; return its process id."""
    horse: int = worker.children()[0]
    psutil.Process(horse).kill()
    return horse


def kill_both(worker: Process) -> None:
    """kill -9 the worker and its horse at once, as a machine that loses power does."""
    horses = [psutil.Process(pid) for pid in worker.children()]
    psutil.Process(worker.pid).kill()
    for horse in horses:
        horse.kill()
