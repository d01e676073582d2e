"""A pool without threads or time: what is submitted is done when the window waits, in order; waiting costs no time."""

from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Any


class Hands:
    """now: the pool's clock, moved on by waiting for nothing. busy: requests stay on the wire while it is True."""

    def __init__(self) -> None:
        self.now = 0.0
        self.busy = False
        self.closed = False
        self.waits: list[float] = []
        self._open: deque[tuple[Callable[[], Any], Future[Any]]] = deque()

    def clock(self) -> float:
        return self.now

    def submit(self, request: Callable[[], Any]) -> "Future[Any]":
        assert not self.closed
        future: Future[Any] = Future()
        self._open.append((request, future))
        return future

    def wait(self, _futures: "Collection[Future[Any]]", within_s: float) -> None:
        if not self._open or self.busy:
            self.waits.append(within_s)
            self.now += within_s
            return
        self.finish(0)

    def finish(self, number: int) -> None:
        """Carry out one of the open requests."""
        request, future = self._open[number]
        del self._open[number]
        try:
            future.set_result(request())
        except Exception as problem:  # noqa: BLE001  as a pool does
            future.set_exception(problem)

    def close(self) -> None:
        self.closed = True
        for _, future in self._open:
            future.cancel()
