"""An HTTP server whose answers a test writes down, one that hangs up, and time that passes only by sleeping."""

import socket
import threading
from collections.abc import Callable
from typing import Any, Final

from flask import Response, request

Reply = tuple[Any, int, dict[str, str]]
OK: Final[Reply] = ({"id": "1"}, 200, {})
JOB: Final = "0" * 32


def not_now(status: int = 503, seconds: str = "7", code: str = "payload_budget") -> Reply:
    return {"code": code, "detail": "not now", "status": status}, status, {"Retry-After": seconds}


class Script:
    """Answers requests with the replies of a list, in order, the last one again and again; keeps what was asked."""

    def __init__(self) -> None:
        self.replies: list[Reply] = [OK]
        self.asked: list[tuple[str, str, bytes, dict[str, str]]] = []

    def answer(self, **_path: str) -> Response | Reply:
        self.asked.append((request.method, request.full_path.rstrip("?"), request.stream.read(), dict(request.headers)))
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now_s, self.slept = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    def __call__(self) -> float:
        return self.now_s


def breaking(times: int, *, answers_first: bool = True) -> tuple[str, Callable[[], None], list[bytes]]:
    """Start a server that answers once, hangs up `times` times, then answers again; return its URL, its end, its log."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def serve() -> None:
        for number in range(0 if answers_first else 1, times + 2):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked.append(connection.recv(65536))
                if number in (0, times + 1):
                    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n{"id":"1"}')

    thread = threading.Thread(target=serve)
    thread.start()

    def end() -> None:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()

    return f"http://127.0.0.1:{listener.getsockname()[1]}", end, asked
