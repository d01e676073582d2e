"""Threads for requests and the clock they are waited for by: the one thing about the window that tests replace."""

import time
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

T = TypeVar("T")


class Pool(Protocol):
    """Carries out requests beside the main thread."""

    def clock(self) -> float:
        """Return seconds of a clock that never goes back."""

    def submit(self, request: Callable[[], T]) -> "Future[T]":
        """Begin a request as soon as there is a thread for it."""

    def wait(self, futures: "Collection[Future[T]]", within_s: float) -> None:
        """Return when one of `futures` is done, at the latest after `within_s` seconds."""

    def close(self) -> None:
        """Begin nothing more. What is on the wire ends by itself; the caller does not wait for it."""


class Threads:
    """The real pool."""

    def __init__(self, size: int) -> None:
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="bulk")

    def clock(self) -> float:
        return time.monotonic()

    def submit(self, request: Callable[[], T]) -> "Future[T]":
        return self._threads.submit(request)

    def wait(self, futures: "Collection[Future[T]]", within_s: float) -> None:
        if futures:
            wait(futures, within_s, FIRST_COMPLETED)
        else:
            time.sleep(within_s)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
