"""(9) Everything that surfaces may do: submit, ask, edit, delete, read. They call this and nothing below it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar
from uuid import uuid4

import orjson
from opensearchpy import OpenSearch

from ingest_queue import cluster, indexes, refusals
from ingest_queue.config import Config
from ingest_queue.embedded import addresses
from ingest_queue.errors import Conflict, Invalid, JobFailed, Missing, TooLarge, Unavailable
from ingest_queue.intake.body import Form
from ingest_queue.job import Job, Kind, Outcome
from ingest_queue.payload import StoredPayload, take_in
from ingest_queue.schema.definition import Definition
from ingest_queue.states import UNFINISHED, Event, State
from ingest_queue.store import connect as redis_server
from ingest_queue.store import keys
from ingest_queue.store.codec import new_record
from ingest_queue.store.definitions import no_index
from ingest_queue.store.store import Store

T = TypeVar("T")
DEFAULT_ACCOUNT: Final = "default"
DETAILS: Final[Mapping[str, keys.Key]] = {"failed": keys.FAILURES, "skipped": keys.SKIPPED, "duplicate": keys.DUPLICATES}
AFRESH: Final = {"attempts": "0", "refusals": "0", "error": "", "waiting_for": "", "waiting_since": ""}
EFFECTS: Final[Mapping[Event, Mapping[str, Any]]] = {  # what a verb does beside its arrow; transition.lua reads it
    Event.RESUME: {"set": AFRESH, "queued": True, "needs_payload": True},
    Event.RETRY: {
        "set": AFRESH | {"started_at": "", "progress_at": "", "rate_per_s": ""},
        "queued": True,
        "retry": True,
        "needs_payload": True,
    },
}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing; `next` continues it, None at the end. `total` counts all, also what is not kept."""

    items: tuple[T, ...]
    next: str | None
    total: int | None = None


def open_engine(config: Config) -> "Engine":
    """Return the engine over the configured servers, or over embedded ones (which it starts) where no URL is set."""
    config = addresses(config)
    return Engine(config, Store.open(redis_server.connect(config.redis_url), config), cluster.connect(config))


class Engine:
    """The engine over one Redis and one cluster."""

    def __init__(self, config: Config, store: Store, client: OpenSearch) -> None:
        self.config, self.store, self.cluster = config, store, client

    # Jobs ---------------------------------------------------------------------------------------------------------
    def submit(
        self,
        index: str,
        pieces: Iterator[bytes],
        *,
        form: Form,
        account: str = DEFAULT_ACCOUNT,
        initiator: str = "local",
        source: str = "API",
        options: Mapping[str, Any] | None = None,
    ) -> Job:
        """Store the documents and let them wait for their turn; return the job.

        Raises Missing (index), Invalid, TooLarge, Unavailable; then nothing of the payload is kept.
        """
        job_id = uuid4().hex
        with self.store.payloads.receiving(job_id, into=(account, index)) as upload:
            try:
                taken = take_in(pieces, form, upload, self.config)
            except (Invalid, TooLarge):
                self.get_index(index, account=account)  # that there is none is said first
                raise
            fields = new_record(
                id=job_id,
                kind=Kind.IMPORT if form is Form.NDJSON else Kind.PAYLOAD,
                account=account,
                initiator=initiator,
                source=source,
                index=index,
                alias=indexes.alias(account, index),
                lane=f"index:{account}/{index}",
                total=taken.documents,
                payload_version=1,
                payload_name=upload.name,
                payload_bytes=taken.bytes,
                options=dict(options or {}),
            )
            job, holder, alive = self.store.records.submit(fields, upload.id, upload.carried())
        return replace(job, waiting_for=_awaited(job, holder, alive=alive))

    def ask(self, job_id: str, event: Event, *, who: str = "local") -> Job:
        """Let a person's verb happen to the job; return the job. One whose effect already holds changes nothing.

        Raises Missing, Conflict (state, allowed; or `payload_expired`).
        """
        effects = dict(EFFECTS.get(event, {}))
        if event is Event.CANCEL:
            effects["set"] = {"canceled_by": who}
        if event is Event.RETRY:  # from the first document, so also into an index that was made again
            job = self.get(job_id)
            effects["set"] = {**effects["set"], "index_birth": self.store.definitions.birth(job.account, job.index)}
        return refusals.job_of(self.store.records.happen(event, job_id, **effects), job_id, event)

    def edit(self, job_id: str, pieces: Iterator[bytes], *, form: Form, who: str = "local") -> Job:
        """Replace the payload of a resting job; cursor and counts go back to the first changed document at the latest.

        Raises Missing, Conflict (state, allowed; or `payload_changed`, `payload_expired`), Invalid, TooLarge, Unavailable.
        """
        job = self.get(job_id)
        if Event.EDIT.value not in job.allowed or job.payload is None:
            raise refusals.refusal(job, Event.EDIT)
        with self.store.payloads.receiving(job_id) as upload:
            taken = take_in(pieces, form, upload, self.config)
            upload.store_rest()
            try:
                first_changed = self._stored(job).first_difference(StoredPayload(self.store.payloads, job_id, upload.name))
            except JobFailed as gone:  # the old payload's time came while it was compared
                raise refusals.conflict(gone.code, gone.message, job) from gone
            edit = {
                "from_version": str(job.payload.version),
                "version": str(job.payload.version + 1),
                "name": upload.name,
                "first_changed": first_changed,
                "bytes": str(taken.bytes),
                "documents": str(taken.documents),
                "upload": upload.id,
            }
            return refusals.job_of(self.store.records.happen(Event.EDIT, job_id, edit=edit, repeatable=False), job_id, Event.EDIT)

    def delete(self, job_id: str, *, who: str = "local") -> None:
        """Take the job out of the queue in any state; what it wrote stays in the index. Raises Missing."""
        if not self.store.records.delete(job_id):
            raise refusals.missing(job_id)

    def get(self, job_id: str) -> Job:
        """Return the job. Raises Missing."""
        job = self.store.records.get(job_id)
        if job is None:
            raise refusals.missing(job_id)
        return job

    def list(
        self,
        *,
        state: State | None = None,
        index: str | None = None,
        account: str = DEFAULT_ACCOUNT,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Job]:
        """Return jobs by when they entered their state, newest first. Raises Invalid for a cursor that is not ours."""
        after = None
        if cursor:
            score, _, job_id = cursor.partition("-")
            if not score.isdecimal() or not job_id:
                raise Invalid("invalid_cursor", "this cursor was not given by a listing; begin without one")
            after = (int(score), job_id)
        states = (state,) if state else tuple(State)
        found = self.store.records.page(self._scope(account, index), states, after, limit + 1)
        jobs = self.store.records.get_many([job_id for _, job_id in found[:limit]])
        next_cursor = f"{found[limit - 1][0]}-{found[limit - 1][1]}" if len(found) > limit else None
        return Page(tuple(job for job in jobs if job), next_cursor)

    def counts(self, *, index: str | None = None, account: str = DEFAULT_ACCOUNT) -> dict[State, int]:
        """Return how many jobs are in each state."""
        return self.store.records.counts(self._scope(account, index))

    def failures(self, job_id: str, *, kind: str = "failed", after: int = -1, limit: int = 100) -> Page[Outcome]:
        """Return the failed (or skipped, or duplicate) documents behind a position, in payload order."""
        job = self.get(job_id)
        found = self.store.records.details(DETAILS[kind], job_id, after, limit + 1)
        outcomes = tuple(Outcome(**detail) for detail in found[:limit])
        total = {"failed": job.counts.failed, "skipped": job.counts.skipped, "duplicate": job.counts.duplicates}[kind]
        return Page(outcomes, str(outcomes[-1].position) if len(found) > limit else None, total)

    def payload(self, job_id: str) -> Iterator[bytes]:
        """Return the payload as NDJSON, chunk by chunk. Raises Missing, Conflict `payload_expired`."""
        job = self.get(job_id)
        return _told(self._stored(job).texts(), job)

    def waiting_for(self, job: Job) -> str | None:
        """Return a sentence that says what the job waits for; None when it does not wait."""
        if not job.waits:
            return None
        if job.waiting_for:
            return job.waiting_for
        holder, alive = self.store.lanes.standing(job.lane)
        return _awaited(job, holder, alive=alive)

    # Indexes ------------------------------------------------------------------------------------------------------
    def create_index(self, definition: Definition, *, account: str = DEFAULT_ACCOUNT) -> Definition:
        """Make the index in the cluster and remember its definition; the same one again changes nothing.

        Raises Conflict `index_exists` for another definition of the slug, Unavailable, Invalid.
        """
        text = orjson.dumps(definition.to_json())
        known = self.store.definitions.get(account, definition.slug)
        if known is not None and known != text:
            message = f"index {definition.slug} exists with another definition; choose another slug or delete it"
            raise Conflict("index_exists", message, state="exists", allowed=["delete"])
        if indexes.create(self.cluster, account, definition):
            self.store.definitions.born(account, definition.slug)
        self.store.definitions.add(account, definition.slug, text)
        return definition

    def get_index(self, slug: str, *, account: str = DEFAULT_ACCOUNT) -> Definition:
        """Return an index's definition. Raises Missing."""
        text = self.store.definitions.get(account, slug)
        if text is None:
            raise no_index(slug)
        return Definition.parse(orjson.loads(text))

    def indexes(self, *, account: str = DEFAULT_ACCOUNT) -> tuple[Definition, ...]:
        """Return all definitions by slug."""
        return tuple(Definition.parse(orjson.loads(text)) for text in self.store.definitions.all(account))

    def delete_index(self, slug: str, *, force: bool = False, account: str = DEFAULT_ACCOUNT) -> None:
        """Delete the index and its documents. Unfinished jobs refuse it, unless forced; then they fail when they next run.

        Raises Missing, Conflict `index_in_use` (jobs: how many), Unavailable.
        """
        self.get_index(slug, account=account)
        counts = self.counts(index=slug, account=account)
        unfinished = sum(counts[state] for state in UNFINISHED)
        if unfinished and not force:
            message = f"{unfinished} jobs of index {slug} are not finished; wait, delete them, or force it"
            raise Conflict("index_in_use", message, state="in_use", allowed=["force"], jobs=unfinished)
        indexes.delete(self.cluster, account, slug)
        self.store.definitions.remove(account, slug)

    # Servers ------------------------------------------------------------------------------------------------------
    def ready(self) -> dict[str, str]:
        """Return a word about each server. Raises Unavailable with what to do when one will not do."""
        return {
            "redis": redis_server.check(self.store.client, self.config.redis_url, fsync=self.config.ack == "fsync"),
            "cluster": cluster.check(self.cluster, self.config.opensearch_url),
        }

    def workers_on(self, hostname: str) -> str:
        """Return a word about a machine's workers. Raises Unavailable `no_worker` when none lives that should."""
        if self.store.lanes.suspended():
            return "suspended by `rq suspend`"
        if not (alive := self.store.lanes.alive_on(hostname)):
            raise Unavailable("no_worker", f"no worker on {hostname} has ticked lately; start one, or look into its log")
        return f"{alive} on {hostname}"

    def _stored(self, job: Job) -> StoredPayload:
        if job.payload is None:
            raise Missing("no_payload", "this job has no payload of its own")
        stored = StoredPayload(self.store.payloads, job.id, job.payload.name)
        if not stored.exists():
            raise refusals.expired(job)
        return stored

    @staticmethod
    def _scope(account: str, index: str | None) -> str:
        return f"index:{account}/{index}" if index else f"account:{account}"


def _awaited(job: Job, holder: str | None, *, alive: bool) -> str:
    """Say what a job waits for that has no words of its own in its record."""
    if holder == job.id:
        return "a worker to take it: it was handed out"
    if holder:
        return f"job {holder} on the same index"
    return "a free worker" if alive else "a worker: none is running, or they are suspended"


def _told(texts: Iterator[bytes], job: Job) -> Iterator[bytes]:
    """Yield a payload's chunks; one whose time came between two of them is told as a conflict."""
    try:
        yield from texts
    except JobFailed as gone:
        raise refusals.conflict(gone.code, gone.message, job) from gone
