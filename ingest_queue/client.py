"""A Python client of the native API: everything the API can do, with waiting, paging and retries done right.

What a call can end with instead of an answer, and when it is made again, is transport.py's. Knows nothing of Redis or of
the engine, and can be used on a machine that has neither.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Final, Unpack, cast
from urllib.parse import quote, urlencode

import orjson
from urllib3.exceptions import HTTPError

from ingest_queue.job import Fate
from ingest_queue.states import RESTING, Event, State
from ingest_queue.transport import PIECE_BYTES, ClientError, Counted, Refused, Transport, Unreachable
from ingest_queue.wire import Definition, Failure, Failures, Filters, Job, Jobs

__all__ = ("FORMS", "Client", "ClientError", "Refused", "Unreachable")

FORMS: Final = {"ndjson": "application/x-ndjson", "array": "application/json"}


class Client:
    """One server's API. Safe to use from several threads.

    key: what `ingest-queue keys create` printed. patience_s: how long a call asks again while the server is away or answers
    429 or 503 (its Retry-After is kept), or a reply was lost. A server that was never reached is not waited for. A submit and
    a retry carry an Idempotency-Key, so that they may come again, too; a create_index or edit whose reply was lost may not.
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
        self._source, self._sleep = source, sleep
        self._transport = Transport(url, key=key, timeout_s=timeout_s, patience_s=patience_s, sleep=sleep, clock=clock)
        self.url, self._json = self._transport.url, self._transport.json

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
        once: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Job:
        """Send a binary file's documents and return the job that will index them; the file is never held whole.

        form: ndjson or array; encoding: gzip or zstd when the file is compressed so; progress gets the bytes sent.
        once: the same text again, within a day, returns the first job and makes no other; random when left out.
        """
        query = {"on_duplicate": on_duplicate, "source": self._source}
        path = f"/api/indexes/{quote(index, '')}/documents?{urlencode(query)}"
        return self._send("POST", path, Counted(documents, progress), form, encoding, _once(once))

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
        return self._send("PUT", _job(job_id, "/payload"), Counted(documents, progress), form, encoding)

    def get(self, job_id: str) -> Job:
        """Return the job as it stands."""
        return cast(Job, self._json("GET", _job(job_id)))

    def page(self, *, cursor: str | None = None, limit: int = 50, **wanted: Unpack[Filters]) -> Jobs:
        """Return one page of the jobs that all filters let through, newest first, at most 200."""
        return cast(Jobs, self._json("GET", "/api/jobs", _given(**wanted, cursor=cursor, limit=limit)))

    def jobs(self, **wanted: Unpack[Filters]) -> Iterator[Job]:
        """Yield all jobs that all filters let through, newest first, a page at a time."""
        page = self.page(limit=200, **wanted)
        yield from page["jobs"]
        while page["next"]:
            page = self.page(limit=200, cursor=page["next"], **wanted)
            yield from page["jobs"]

    def counts(self, *, index: str | None = None, account: str | None = None) -> dict[str, int]:
        """Return how many jobs are in each state, by state; of one index when it is given."""
        return cast(dict[str, int], self._json("GET", "/api/jobs/counts", _given(index=index, account=account))["counts"])

    def ask(self, job_id: str, verb: str, *, once: str | None = None) -> Job:
        """Ask pause, resume, stop, cancel or retry; return the job as it then stands. once: of a retry, as for submit."""
        headers = _once(once) if once or verb == Event.RETRY else {}  # the others change nothing the second time
        return cast(Job, self._json("POST", _job(job_id, f"/{quote(verb, '')}"), headers=headers))

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

    def payload(self, job_id: str, *, first: int = 0, documents: int | None = None) -> Iterator[bytes]:
        """Yield the stored payload as pieces of NDJSON, or only `documents` of it from position `first` on.

        Raises Unreachable when it breaks off.
        """
        query = _given(first=first or None, documents=documents)
        reply = self._transport.ask("GET", _job(job_id, "/payload"), query, stream=True)
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

    def _send(
        self, method: str, path: str, documents: Counted, form: str, encoding: str | None, once: Mapping[str, str] | None = None
    ) -> Job:
        headers = {"Content-Type": FORMS[form], **({"Content-Encoding": encoding} if encoding else {}), **(once or {})}
        return cast(Job, self._json(method, path, body=documents, headers=headers, repeatable=bool(once)))


def _once(text: str | None) -> dict[str, str]:
    return {"Idempotency-Key": text or uuid.uuid4().hex}


def _given(**query: object) -> dict[str, str]:
    """Return a query without what was left out."""
    return {name: str(value) for name, value in query.items() if value is not None}


def _job(job_id: str, part: str = "") -> str:
    return f"/api/jobs/{quote(job_id, '')}{part}"
