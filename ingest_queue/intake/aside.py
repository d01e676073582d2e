"""One thing at a time beside the caller: a chunk is packed and stored while the next one is read."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Aside:
    """A thread that is started with the first thing to do. On leaving, what was begun is over, and what it raised is raised."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._begun: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._thread:
            self._thread.shutdown(wait=True)
        if error is None:
            self._wait()

    def do(self, task: Callable[[], None]) -> None:
        """Begin a task as soon as the one before is over; raise what that one raised."""
        self._wait()
        self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="aside")
        self._begun = self._thread.submit(task)

    def _wait(self) -> None:
        begun, self._begun = self._begun, None
        if begun:
            begun.result()
