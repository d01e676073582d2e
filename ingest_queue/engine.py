"""(9) Everything that surfaces may do: submit, ask, edit, delete, read. They call this and nothing below it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from opensearchpy import OpenSearch

from ingest_queue import cluster, indexes, refusals
from ingest_queue.access.actor import LOCAL, Actor
from ingest_queue.access.audit import Audit, written
from ingest_queue.access.directory import Directory
from ingest_queue.access.keyring import Keyring
from ingest_queue.access.sessions import Sessions
from ingest_queue.catalog import Catalog
from ingest_queue.ceilings import Ceilings
from ingest_queue.config import Config
from ingest_queue.embedded import addresses
from ingest_queue.errors import Invalid, JobFailed, TooLarge, Unavailable
from ingest_queue.intake.body import Form
from ingest_queue.job import Job, Kind
from ingest_queue.payload import StoredPayload
from ingest_queue.queues import Queues
from ingest_queue.quota import Quota
from ingest_queue.reader import Reader
from ingest_queue.states import DELETE, Event, State
from ingest_queue.store import connect as redis_server
from ingest_queue.store.codec import new_record
from ingest_queue.store.definitions import no_index
from ingest_queue.store.figures import Series
from ingest_queue.store.metrics import Metric
from ingest_queue.store.records import Once, Word
from ingest_queue.store.store import Store
from ingest_queue.taking import take_in
from ingest_queue.waiting import awaited

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


def open_engine(config: Config, *, search: bool = True) -> "Engine":
    """Return the engine over the configured servers, or over embedded ones (which it starts) where no URL is set.

    search False: for what needs Redis alone, so that no search server is started for it.
    """
    config = addresses(config, search=search)
    return Engine(config, Store.open(redis_server.connect(config.redis_url), config), cluster.connect(config))


class Engine(Reader):
    """The engine over one Redis and one cluster. `by` is who asks: what they do not see does not exist for them."""

    def __init__(self, config: Config, store: Store, client: OpenSearch) -> None:
        super().__init__(store)
        self.config, self.cluster = config, client
        self.audit = Audit(store.audit)
        self.directory = Directory(store.people, self.audit)
        self.keyring = Keyring(store.people, self.directory, self.audit)
        self.sessions = Sessions(store.people, self.directory, self.audit)
        self.indexes = Catalog(store, client, self.audit)
        self.ceilings = Ceilings(store.lanes, config, self.audit)
        self.queues = Queues(store)

    # Jobs ---------------------------------------------------------------------------------------------------------
    def submit(
        self,
        index: str,
        pieces: Iterator[bytes],
        *,
        form: Form,
        by: Actor = LOCAL,
        account: str | None = None,
        source: str = "API",
        options: Mapping[str, Any] | None = None,
        once: Once | None = None,
        most_documents: int | None = None,
    ) -> Job:
        """Store the documents and let them wait for their turn; return the job, or the first one of a request that came again.

        `most_documents`: a limit below the installation's own.

        Raises Missing (index), Denied, Invalid, TooLarge, Unavailable; then nothing of the payload is kept.
        """
        account = by.account_for(account)
        if not by.sees(account, index):
            raise no_index(index)
        job_id = uuid4().hex
        with self.store.payloads.receiving(job_id, into=(account, index)) as upload:
            try:
                taken = take_in(pieces, form, upload, self.config, most_documents)
            except (Invalid, TooLarge):
                self.indexes.get(index, by=by, account=account)  # that there is none is said first
                raise
            fields = new_record(
                id=job_id,
                kind=Kind.PAYLOAD if form is Form.ARRAY else Kind.IMPORT,
                account=account,
                initiator=by.name,
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
            entry = written(by, "job.submit", f"job:{job_id}", index=index)
            made = self.store.records.submit(fields, upload.id, once, upload.carried(), entry)
        if made.again:
            self.store.payloads.abandon(upload)
        return replace(made.job, waiting_for=awaited(made.job, made.holder, alive=made.alive)) if made.job.waits else made.job

    def ask(
        self,
        job_id: str,
        event: Event,
        *,
        by: Actor = LOCAL,
        call: str | None = None,
        origins: Collection[State] = tuple(State),
    ) -> Job:
        """Let a person's verb happen to the job; return the job. One whose effect already holds changes nothing.

        `call` is a digest that names the request: for a day one that comes again is answered, and not done again.
        `origins` narrow the table for a way in that offers less.

        Raises Missing, Conflict (state, allowed; or `payload_expired`).
        """
        job = self.get(job_id, by=by)
        effects = dict(EFFECTS.get(event, {})) | ({"once": call} if call else {})
        if event is Event.CANCEL:
            effects["set"] = {"canceled_by": by.name}
        if event is Event.RETRY:  # from the first document, so also into an index that was made again
            effects["set"] = {**effects["set"], "index_birth": self.store.definitions.birth(job.account, job.index)}
        with self._deed(by, event.value, job):
            return refusals.job_of(self.store.records.happen(event, job_id, origins=origins, **effects), job_id, event)

    def edit(self, job_id: str, pieces: Iterator[bytes], *, form: Form, by: Actor = LOCAL) -> Job:
        """Replace the payload of a resting job; cursor and counts go back to the first changed document at the latest.

        Raises Missing, Conflict (state, allowed; or `payload_changed`, `payload_expired`), Invalid, TooLarge, Unavailable.
        """
        job = self.get(job_id, by=by)
        with self._deed(by, Event.EDIT.value, job):
            return self._edit(job, pieces, form)

    def delete(self, job_id: str, *, states: Iterable[State] = tuple(State), by: Actor = LOCAL) -> None:
        """Take the job out of the queue, in any of `states`; what it wrote stays in the index. Raises Missing, Conflict."""
        job = self.get(job_id, by=by)
        with self._deed(by, DELETE, job):
            word = self.store.records.delete(job_id, states)
            if word is Word.MISSING:
                raise refusals.missing(job_id)
            if word is Word.ILLEGAL:
                raise refusals.unfinished(self.get(job_id, by=by))

    def quota(self, account: str | None = None, *, by: Actor = LOCAL) -> Quota:
        """Return what the account may index in this month and what is used of it. Raises Denied."""
        return self.store.quotas.used(by.account_for(account))

    # Servers ------------------------------------------------------------------------------------------------------
    def ready(self) -> dict[str, str]:
        """Return a word about each server. Raises Unavailable with what to do when one will not do."""
        return {
            "redis": redis_server.check(self.store.client, self.config.redis_url, fsync=self.config.ack == "fsync"),
            "cluster": cluster.check(self.cluster, self.config.opensearch_url),
        }

    def metrics(self) -> dict[Metric, Series]:
        """Return every metric with its figures as they stand."""
        return self.store.figures.read()

    def workers_on(self, hostname: str) -> str:
        """Return a word about a machine's workers. Raises Unavailable `no_worker` when none lives that should."""
        if self.store.lanes.suspended():
            return "suspended by `rq suspend`"
        if not (alive := self.store.lanes.alive_on(hostname)):
            raise Unavailable("no_worker", f"no worker on {hostname} has ticked lately; start one, or look into its log")
        return f"{alive} on {hostname}"

    def _edit(self, job: Job, pieces: Iterator[bytes], form: Form) -> Job:
        if Event.EDIT.value not in job.allowed or job.payload is None:
            raise refusals.refusal(job, Event.EDIT)
        with self.store.payloads.receiving(job.id) as upload:
            taken = take_in(pieces, form, upload, self.config)
            upload.store_rest()
            try:
                first_changed = self.stored(job).first_difference(StoredPayload(self.store.payloads, job.id, upload.name))
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
            return refusals.job_of(self.store.records.happen(Event.EDIT, job.id, edit=edit, repeatable=False), job.id, Event.EDIT)

    def _deed(self, by: Actor, action: str, job: Job) -> AbstractContextManager[None]:
        return self.audit.deed(by, f"job.{action}", f"job:{job.id}", account=job.account, index=job.index)
