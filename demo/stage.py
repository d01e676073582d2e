"""What the demo plays on: a temporary data directory, embedded servers, web and two workers, a client of the HTTP API."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.interrupts import Interrupts
from demo.programs import Programs, ended, programs
from demo.sessions import wait_until
from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.client import Client, ClientError
from ingest_queue.config import Config, variable
from ingest_queue.embedded import embedded_redis, embedded_search, stop_embedded
from ingest_queue.engine import open_engine

START_S: Final = 60.0


class NotReady(Exception):
    """The programs did not come up; the message holds the end of their log."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What runs, and where."""

    directory: Path
    redis_url: str
    search_url: str
    url: str
    client: Client
    running: Programs
    log: Path


@contextmanager
def stage(interrupts: Interrupts) -> Iterator[Stage]:
    """Set everything up; on leaving, take everything down: no process, no file is left."""
    _forget_settings()
    with tempfile.TemporaryDirectory(prefix="ingest-queue-demo-") as place:
        directory = Path(place)
        try:
            redis_url, search_url = embedded_redis(directory), embedded_search(directory)
            url, log = f"http://127.0.0.1:{_free_port()}", directory / "programs.log"
            environ = {
                variable("redis_url"): redis_url,
                variable("opensearch_url"): search_url,
                variable("port"): url.rpartition(":")[2],
                variable("data_dir"): place,
            }
            engine = open_engine(Config(redis_url=redis_url, opensearch_url=search_url))
            _, key = engine.keyring.issue("demo", [Scope.ADMIN], by=LOCAL)
            with log.open("wb") as output, programs(environ, interrupts, output) as running:
                made = Stage(directory, redis_url, search_url, url, Client(url, key=key), running, log)
                _wait_until_ready(made)
                yield made
        finally:
            interrupts.ignore()
            stop_embedded(directory)


def _wait_until_ready(made: Stage) -> None:
    """Wait for web's first answer. Raises NotReady."""
    wait_until(lambda: _answers(made) or ended(made.running), START_S)
    if not _answers(made):
        raise NotReady(f"web or a worker does not start:\n{made.log.read_text('utf-8', 'replace')[-4000:]}")


def _answers(made: Stage) -> bool:
    try:
        made.client.indexes()
    except ClientError:
        return False
    return True


def _forget_settings() -> None:
    """Nobody's own servers and settings take part in a demo."""
    for name in list(os.environ):
        if name.startswith("INGEST_") or name in (variable("redis_url"), variable("opensearch_url")):
            del os.environ[name]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
