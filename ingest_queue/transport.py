"""How the client's requests reach the server: again when that is right, and never twice when it would do a thing twice.

    ClientError
    ├── Unreachable      nobody answers, or the server said "not now" for longer than the client's patience
    └── Refused          the server's answer is no: status, code, message, data (problem details)

Knows no path and no call of the API.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import IO, Any, Final, cast
from urllib.parse import urlencode

import orjson
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError
from urllib3.response import BaseHTTPResponse

RATE_LIMITED: Final = 429  # always said before anything is done
NOT_NOW: Final = (RATE_LIMITED, 503)
NOT_BEGUN: Final = frozenset({"payload_budget", "redis_full", "rate_limited"})  # codes that say that nothing was done
NEVER_SENT: Final = (NewConnectionError, ConnectTimeoutError)
PIECE_BYTES: Final = 1 << 18
LONGEST_DELAY_S: Final = 8.0


class ClientError(Exception):
    """What a call can end with instead of an answer."""


class Unreachable(ClientError):
    """No answer could be had; whether the server got the request is unknown when it was one that changes something."""


class Refused(ClientError):
    """The server's answer is no."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.message = str(problem.get("detail", f"the server answered {status}"))
        self.data = {k: v for k, v in problem.items() if k not in ("type", "title", "status", "detail", "code")}
        super().__init__(self.message)


class Counted:
    """A file that reports each read to `progress(sent_bytes)` and can be read again from where it began."""

    def __init__(self, file: IO[bytes], progress: Callable[[int], None] | None) -> None:
        self._file, self._progress = file, progress
        self._start = file.tell() if file.seekable() else None
        self.sent = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.sent += len(piece)
        if self._progress:
            self._progress(self.sent)
        return piece

    def rewind(self) -> bool:
        """Go back to the start; False when the file cannot (a pipe of which some was read)."""
        if self._start is not None:
            self._file.seek(self._start)
            self.sent = 0
        return self.sent == 0


class Transport:
    """One server's address, the caller's key, and patience. Safe to use from several threads.

    A server that was never reached is not waited for: most likely the address is wrong, or it does not run.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        timeout_s: float = 60,
        patience_s: float = 30,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url.rstrip("/")
        self._patience_s, self._sleep, self._clock = patience_s, sleep, clock
        self._met = False
        self._key = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = urllib3.Timeout(connect=5, read=timeout_s)
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, blocksize=PIECE_BYTES)

    def json(self, *args: Any, **more: Any) -> Any:
        """Return what a reply holds, None when it has no content; arguments and errors as for `ask`."""
        reply = self.ask(*args, **more)
        return orjson.loads(reply.data) if reply.status != 204 else None

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | Counted | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        repeatable: bool = True,
        stream: bool = False,
    ) -> BaseHTTPResponse:
        """Return a reply below 400, asking again as long as that is right. Raises Refused or Unreachable.

        repeatable: whether a request that may have been done may be made again.
        """
        url = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        told = {**self._key, **(headers or {})}
        give_up, delay = self._clock() + self._patience_s, 0.5
        while True:
            wait_s = delay
            try:
                sent = cast(IO[bytes] | None, body)
                reply = self._pool.request(method, url, body=sent, headers=told, preload_content=not stream)
            except HTTPError as error:
                trouble: ClientError = Unreachable(f"no answer from {self.url}: {error}")
                reached = self._met or isinstance(error, ProtocolError)  # a connection that broke
                again = reached and (repeatable or isinstance(error, NEVER_SENT))
            else:
                self._met = True
                if reply.status < 400:
                    return reply
                problem = _problem(reply)
                trouble = Refused(reply.status, problem)
                undone = reply.status == RATE_LIMITED or problem.get("code") in NOT_BEGUN
                again = reply.status in NOT_NOW and (repeatable or undone)
                wait_s = _seconds(reply.headers.get("Retry-After"), delay)
            rewound = not isinstance(body, Counted) or body.rewind()
            if not again or not rewound or self._clock() + wait_s > give_up:
                raise trouble
            self._sleep(wait_s)
            delay = min(2 * delay, LONGEST_DELAY_S)


def _seconds(retry_after: str | None, otherwise: float) -> float:
    """Return the seconds of a Retry-After; a proxy's HTTP date counts as none, and so does no time at all."""
    try:
        seconds = float(retry_after or otherwise)
    except ValueError:
        return otherwise
    return seconds if 0 < seconds < math.inf else otherwise


def _problem(reply: BaseHTTPResponse) -> Mapping[str, Any]:
    """Return the reply's problem details; of a reply that has none (a proxy's page), an empty one."""
    try:
        found = orjson.loads(reply.data)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
