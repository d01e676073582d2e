"""Processes as a user starts them, with a log each, and none of them left behind, however a test ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

import psutil

from demo.sessions import kill

T = TypeVar("T")
ROOT: Final = Path(__file__).parents[2]
POLL_S: Final = 0.02
TAIL: Final = 8000  # characters of a log shown when something fails
UNSET: Final = frozenset({"PYTHONDONTWRITEBYTECODE"})  # with it each process compiles everything anew, for a second


def wait_for(condition: Callable[[], T | None], timeout_s: float = 20.0, what: str = "") -> T:
    """Return the condition's first true answer. Raises AssertionError with `what` when there is none in time."""
    end = time.monotonic() + timeout_s
    while not (answer := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_s:g} s: {what or condition}")
        time.sleep(POLL_S)
    return answer


class Process:
    """One program in a session of its own, its output in a log file. `start` may be called again after its end."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name, self.argv, self.log = name, list(argv), log
        self.env = {name: value for name, value in os.environ.items() if name not in UNSET} | dict(env or {})
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> "Process":
        """Start it; its log is continued."""
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                self.argv,
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    @property
    def pid(self) -> int:
        assert self._child is not None, f"{self.name} was not started"
        return self._child.pid

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def children(self) -> list[int]:
        """Return the process ids of its direct children, such as a worker's horse."""
        return [child.pid for child in psutil.Process(self.pid).children()]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process alone."""
        os.kill(self.pid, number)

    def wait(self, timeout_s: float = 20.0) -> int:
        """Return its exit code, negative for a signal. Raises AssertionError when it goes on."""
        assert self._child is not None
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} goes on after {timeout_s:g} s:\n{self.tail()}") from None

    def stop(self, timeout_s: float = 20.0) -> int:
        """End it by SIGTERM; return its exit code."""
        self.send(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self) -> None:
        """End it and everything in its session by SIGKILL, and wait until all are gone."""
        if self._child is not None:
            kill(self.pid)
            self._child.wait()

    def pause(self) -> None:
        """Stop it in its tracks (SIGSTOP): it keeps its connections and answers nothing."""
        self.send(signal.SIGSTOP)

    def cont(self) -> None:
        """Let it go on after `pause`."""
        self.send(signal.SIGCONT)

    def tail(self) -> str:
        """Return the end of its log."""
        return self.log.read_text("utf-8", "replace")[-TAIL:] if self.log.exists() else ""


class Processes:
    """The processes of one test; `end` leaves none."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.all: list[Process] = []

    def start(self, name: str, argv: Iterable[str], env: Mapping[str, str] | None = None) -> Process:
        """Start a program from the project's root, with this environment beside the caller's."""
        log = self.directory / f"{name}-{len(self.all)}.log"
        process = Process(name, list(argv), log, env)
        self.all.append(process)
        return process.start()

    def python(self, module: str, *args: str, env: Mapping[str, str] | None = None) -> Process:
        """Start `python -m module`."""
        return self.start(module, [sys.executable, "-m", module, *args], env)

    def script(self, name: str, *args: str, env: Mapping[str, str] | None = None) -> Process:
        """Start a command that is installed beside this Python: `rq`, `gunicorn`, `ingest-queue`."""
        return self.start(name, [str(Path(sys.executable).with_name(name)), *args], env)

    def worker(self, env: Mapping[str, str], *args: str) -> Process:
        """Start a stock `rq worker` with our classes, as the README says."""
        return self.script("rq", "worker", "-c", "workers.settings", *args, env={**RQ_CLASSES, **env})

    def web(self, env: Mapping[str, str]) -> Process:
        """Start gunicorn as the Procfile does; wait for `/healthz` yourself. INGEST_PORT says where."""
        return self.script("gunicorn", "-c", "web/gunicorn.conf.py", env=env)

    def end(self) -> None:
        """Kill whatever still runs."""
        for process in self.all:
            process.kill()


RQ_CLASSES: Final = {
    "RQ_WORKER_CLASS": "workers.worker.IngestWorker",
    "RQ_QUEUE_CLASS": "workers.queue.IngestQueue",
    "RQ_CONNECTION_CLASS": "workers.connection.IngestConnection",
}
