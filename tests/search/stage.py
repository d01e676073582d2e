"""Where the examples of docs/api are played: web as a process, workers when something is to be carried, a key, real `curl`."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ingest_queue.access.actor import LOCAL, Actor, Scope
from ingest_queue.cluster import connect as connect_cluster
from ingest_queue.config import Config
from ingest_queue.engine import Engine
from ingest_queue.intake.body import Form
from ingest_queue.job import Job
from ingest_queue.schema.definition import Definition
from ingest_queue.states import RESTING, Event
from ingest_queue.store import keys
from ingest_queue.store.connect import connect
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.rq_side import take
from tests.search.examples import Example, ids
from tests.servers.processes import Processes, wait_for

ACCOUNT: Final = "default"


@dataclass(frozen=True)
class Reply:
    """What curl was told."""

    status: int
    headers: dict[str, str]
    text: str


@dataclass
class Stage:
    """One page's servers, emptied, and what its examples have shown so far."""

    config: Config
    port: int
    processes: Processes
    directory: Path
    label: str
    scope: Scope
    renamed: dict[str, str] = field(default_factory=dict)  # id on the page -> real id
    replies: list[tuple[Example, Reply]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = Store.open(connect(self.config.redis_url), self.config)
        self.engine = Engine(self.config, self.store, connect_cluster(self.config))
        account = None if self.scope is Scope.MANAGE_ALL else ACCOUNT
        self.operator = self.engine.keyring.issue("operator", [Scope.MANAGE_ALL], by=LOCAL)[1]
        self.key = self.engine.keyring.issue(self.label, [self.scope], by=LOCAL, account=account)[1]

    @property
    def actor(self) -> Actor:
        """Who the key's holder is."""
        return self.engine.keyring.identify(self.key, note=False)[0]

    # What an example may need before it -------------------------------------------------------------------------------
    def index(self, definition: dict[str, Any]) -> None:
        self.engine.indexes.create(Definition.parse(definition))

    def submit(self, index: str, documents: Sequence[dict[str, Any]], shown_id: str = "") -> Job:
        """Submit a job; it is the one that the page calls `shown_id`."""
        body = "".join(json.dumps(one) + "\n" for one in documents).encode()
        job = self.engine.submit(index, iter([body]), form=Form.NDJSON, by=self.actor, account=ACCOUNT)
        if shown_id:
            self.renamed[shown_id] = job.id
        return job

    def ask(self, shown_id: str, event: Event) -> None:
        self.engine.ask(self.renamed[shown_id], event)

    def carry(self) -> None:
        """Let a stock worker carry everything, and end it: what is submitted after that waits."""
        env = {"REDIS_URL": self.config.redis_url, "OPENSEARCH_URL": self.config.opensearch_url}
        worker = self.processes.worker(env)
        wait_for(lambda: all(job.state in RESTING for job in self.engine.list().items), 40, "all jobs to end")
        worker.stop()

    def lose(self, job: Job) -> None:
        """Let run after run of a job be lost, until it fails."""
        tick = Tick(self.store, "parent-1")
        for attempt in range(self.config.attempts):
            tick.now()
            assert take(self.store, token=f"token-{attempt}") is not None
            self.store.client.zadd(keys.SLOTS(), {job.id: 1})  # its lease is over
            tick.now()

    def file(self, name: str, documents: str) -> None:
        """Write a file that commands name as `@name`."""
        (self.directory / name).write_text(documents)

    # Playing ----------------------------------------------------------------------------------------------------------
    def play(self, example: Example, before: Callable[["Stage"], object] | None) -> None:
        """Prepare and run an example, and learn the ids that its answer shows."""
        if before:
            before(self)
        reply = self._curl(example.command)
        self.replies.append((example, reply))
        if example.body and example.exact and reply.text[:1] == "{":
            self.renamed.update(pair for pair in ids(json.loads(self.real(example.body)), json.loads(reply.text)))

    def real(self, text: str) -> str:
        """Return a page's text with the real ids."""
        for shown, found in self.renamed.items():
            text = text.replace(shown, found)
        return text

    def _curl(self, command: str) -> Reply:
        command = self.real(command).replace("localhost:8000", f"localhost:{self.port}")
        command = re.sub(r"^curl ", "curl --show-error --max-time 20 -D headers -w '%{stderr}%{http_code}' ", command)
        env = {"PATH": os.environ["PATH"], "KEY": self.key, "OPERATOR": self.operator}
        done = subprocess.run(["sh", "-c", command], cwd=self.directory, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        lines = (self.directory / "headers").read_text().splitlines()
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Reply(int(done.stderr), headers, done.stdout)
