"""A real Redis for tests: `redis-server` on PATH, else the server that the product embeds. Never a fake."""

import shutil
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from ingest_queue.embedded import redis_binary
from tests.servers.ports import free_port
from tests.servers.processes import Process, wait_for
from tests.servers.server import Server
from tests.servers.wishes import Wishes

TRIES: Final = 3  # another process may take the port first


class RedisServer(Server):
    """One server on a TCP port of its own, its files in `directory`.

    Its data is there again after `stop` or `kill` and `start` when it was given `--appendonly yes`, and only then.
    """

    def __init__(self, directory: Path, *options: str, binary: str = "") -> None:
        self.directory, self.options, self.binary = directory, options, binary or redis_binary()
        directory.mkdir(parents=True, exist_ok=True)
        super().__init__()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> Redis:
        """A new client; close it, or use it in a `with`."""
        return Redis.from_url(self.url)

    @property
    def name(self) -> str:
        """What runs: `Redis 7.0.15`."""
        with self.client as client:
            info = client.info("server")
        valkey = info.get("server_name") == "valkey"
        return f"Valkey {info['valkey_version']}" if valkey else f"Redis {info['redis_version']}"

    def start(self) -> "RedisServer":
        """Start it, on the same port as before, and wait until it answers."""
        for _ in range(TRIES):
            port = self.port or free_port()
            argv = [self.binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
            process = Process("redis", [*argv, "--save", "", *self.options], self.directory / "redis.log").start()
            self.process, known, self.port = process, self.port, port
            wait_for(lambda process=process: self._answers() or not process.is_running, what="Redis' answer")  # type: ignore[misc]
            if process.is_running:
                return self
            self.port = known
        raise AssertionError(f"Redis does not start:\n{process.tail()}")

    def flush(self) -> None:
        """Remove everything, scripts included."""
        with self.client as client:
            client.flushall()
            client.script_flush()

    def _answers(self) -> bool:
        try:
            with self.client as client:
                return bool(client.ping())
        except RedisError:
            return False


def check_real(wishes: Wishes) -> None:
    """Fail when a real redis-server was required and there is none."""
    if wishes.require_real and not shutil.which("redis-server"):
        raise AssertionError("INGEST_TEST_REQUIRE=real, but no redis-server is on PATH: apt-get install redis-server")
