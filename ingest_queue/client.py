"""A Python client of the native API: everything the API can do, with waiting, paging and retries done right.

    ClientError
    ├── Unreachable      nobody answers, or the server said "not now" for longer than the client's patience
    └── Refused          the server's answer is no: status, code, message, data (problem details)

Knows nothing of Redis or of the engine, and can be used on a machine that has neither.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Final, cast
from urllib.parse import quote, urlencode

import orjson
import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.response import BaseHTTPResponse

from ingest_queue.job import Fate
from ingest_queue.states import RESTING, Event, State
from ingest_queue.wire import Definition, Failure, Failures, Job, Jobs

NOT_NOW: Final = (429, 503)
NOT_BEGUN: Final = frozenset({"payload_budget", "redis_full", "rate_limited"})  # codes that say that nothing was done
FORMS: Final = {"ndjson": "application/x-ndjson", "array": "application/json"}
PIECE_BYTES: Final = 1 << 18


class ClientError(Exception):
    """What a call can end with instead of an answer."""


class Unreachable(ClientError):
    """No answer could be had; whether the server got the request is unknown when it was a submit, retry or edit."""


class Refused(ClientError):
    """The server's answer is no."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.message = str(problem.get("detail", f"the server answered {status}"))
        self.data = {k: v for k, v in problem.items() if k not in ("type", "title", "status", "detail", "code")}
        super().__init__(self.message)


class _Counted:
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


class Client:
    """One server's API. Safe to use from several threads.

    key: what `ingest-queue keys create` printed. patience_s: how long a call asks again while the server is away or answers
    429 or 503 (its Retry-After is kept). A server that never answered this client is not waited for.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        key: str = "",
        timeout_s: float = 60,
        patience_s: float = 30,
        source: str = "API",
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url.rstrip("/")
        self._patience_s, self._source, self._sleep, self._clock = patience_s, source, sleep, clock
        timeout = urllib3.Timeout(connect=5, read=timeout_s)
        self._met = False
        self._key = {"Authorization": f"Bearer {key}"} if key else {}
        self._pool = urllib3.PoolManager(timeout=timeout, retries=False, blocksize=PIECE_BYTES)

    def create_index(self, definition: Definition) -> Definition:
        """Define an index; return the definition as the server understood it."""
        body, headers = orjson.dumps(definition), {"Content-Type": "application/json"}
        return cast(Definition, self._json("POST", "/api/indexes", body=body, headers=headers, repeatable=False))

    def indexes(self) -> list[Definition]:
        """Return all definitions by slug."""
        return cast(list[Definition], self._json("GET", "/api/indexes")["indexes"])

    def index(self, slug: str) -> Definition:
        """Return one definition."""
        return cast(Definition, self._json("GET", f"/api/indexes/{quote(slug, '')}"))

    def delete_index(self, slug: str, *, force: bool = False) -> None:
        """Delete an index with its documents; `force` also while it has unfinished jobs."""
        self._json("DELETE", f"/api/indexes/{quote(slug, '')}", {"force": "true"} if force else {})

    def submit(
        self,
        index: str,
        documents: IO[bytes],
        *,
        form: str = "ndjson",
        encoding: str | None = None,
        on_duplicate: str = "last_wins",
        progress: Callable[[int], None] | None = None,
    ) -> Job:
        """Send a binary file's documents and return the job that will index them; the file is never held whole.

        form: ndjson or array; encoding: gzip or zstd when the file is compressed so; progress gets the bytes sent.
        """
        query = {"on_duplicate": on_duplicate, "source": self._source}
        path = f"/api/indexes/{quote(index, '')}/documents?{urlencode(query)}"
        return self._send("POST", path, _Counted(documents, progress), form, encoding)

    def edit(
        self,
        job_id: str,
        documents: IO[bytes],
        *,
        form: str = "ndjson",
        encoding: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Job:
        """Replace the payload of a job at rest; arguments as for submit."""
        return self._send("PUT", _job(job_id, "/payload"), _Counted(documents, progress), form, encoding)

    def get(self, job_id: str) -> Job:
        """Return the job as it stands."""
        return cast(Job, self._json("GET", _job(job_id)))

    def page(self, *, state: str | None = None, index: str | None = None, cursor: str | None = None, limit: int = 50) -> Jobs:
        """Return one page of jobs, newest first, at most 200."""
        wanted = {"state": state, "index": index, "cursor": cursor, "limit": str(limit)}
        return cast(Jobs, self._json("GET", "/api/jobs", {k: v for k, v in wanted.items() if v is not None}))

    def jobs(self, *, state: str | None = None, index: str | None = None) -> Iterator[Job]:
        """Yield all jobs, newest first, a page at a time."""
        page = self.page(state=state, index=index, limit=200)
        yield from page["jobs"]
        while page["next"]:
            page = self.page(state=state, index=index, cursor=page["next"], limit=200)
            yield from page["jobs"]

    def ask(self, job_id: str, verb: str) -> Job:
        """Ask pause, resume, stop, cancel or retry; return the job as it then stands."""
        return cast(Job, self._json("POST", _job(job_id, f"/{quote(verb, '')}"), repeatable=verb != Event.RETRY))

    def delete(self, job_id: str) -> None:
        """Delete a job in any state; what it wrote stays in the index."""
        self._json("DELETE", _job(job_id))

    def failures(self, job_id: str, *, kind: str = Fate.FAILED, after: int = -1, limit: int = 100) -> Failures:
        """Return a page of what failed behind position `after`, in payload order."""
        query = {"kind": kind, "after": str(after), "limit": str(limit)}
        return cast(Failures, self._json("GET", _job(job_id, "/failures"), query))

    def all_failures(self, job_id: str, *, kind: str = Fate.FAILED) -> Iterator[Failure]:
        """Yield everything that failed and was kept with detail, in payload order."""
        after: int | None = -1
        while after is not None:
            page = self.failures(job_id, kind=kind, after=after, limit=200)
            yield from page["failures"]
            after = page["next"]

    def payload(self, job_id: str) -> Iterator[bytes]:
        """Yield the stored payload as pieces of NDJSON. Raises Unreachable when it breaks off."""
        reply = self._ask_for("GET", _job(job_id, "/payload"), stream=True)
        try:
            yield from reply.stream(PIECE_BYTES)
        except HTTPError as error:
            raise Unreachable(f"the payload broke off: {error}") from error
        finally:
            reply.close()

    def wait(self, job_id: str, *, every_s: float = 0.5, watch: Callable[[Job], None] | None = None) -> Job:
        """Return the job when it rests, ended or held; `watch` sees each look at it."""
        while True:
            job = self.get(job_id)
            if watch:
                watch(job)
            if State(job["state"]) in RESTING:
                return job
            self._sleep(every_s)

    def _send(self, method: str, path: str, documents: _Counted, form: str, encoding: str | None) -> Job:
        headers = {"Content-Type": FORMS[form]} | ({"Content-Encoding": encoding} if encoding else {})
        return cast(Job, self._json(method, path, body=documents, headers=headers, repeatable=False))

    def _json(self, *args: Any, **more: Any) -> Any:
        reply = self._ask_for(*args, **more)
        return orjson.loads(reply.data) if reply.status != 204 else None

    def _ask_for(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | _Counted | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        repeatable: bool = True,
        stream: bool = False,
    ) -> BaseHTTPResponse:
        """Return a reply below 400, asking again as long as that is right. Raises Refused or Unreachable."""
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
                again = self._met and (repeatable or isinstance(error, NewConnectionError))
            else:
                self._met = True
                if reply.status < 400:
                    return reply
                problem = _problem(reply)
                trouble = Refused(reply.status, problem)
                again = reply.status in NOT_NOW and (repeatable or problem.get("code") in NOT_BEGUN)
                wait_s = _seconds(reply.headers.get("Retry-After"), delay)
            rewound = not isinstance(body, _Counted) or body.rewind()
            if not again or not rewound or self._clock() + wait_s > give_up:
                raise trouble
            self._sleep(wait_s)
            delay = min(2 * delay, 8)


def _job(job_id: str, part: str = "") -> str:
    return f"/api/jobs/{quote(job_id, '')}{part}"


def _seconds(retry_after: str | None, otherwise: float) -> float:
    """Return the seconds of a Retry-After; a proxy's HTTP date counts as none."""
    try:
        return float(retry_after or otherwise)
    except ValueError:
        return otherwise


def _problem(reply: BaseHTTPResponse) -> Mapping[str, Any]:
    """Return the reply's problem details; of a reply that has none (a proxy's page), an empty one."""
    try:
        found = orjson.loads(reply.data)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
