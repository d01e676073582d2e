"""Everything in one Redis, opened once a process."""

from dataclasses import dataclass
from typing import Any

from ingest_queue.config import Config
from ingest_queue.store.audit import AuditStreams
from ingest_queue.store.connect import Client
from ingest_queue.store.definitions import Definitions
from ingest_queue.store.figures import Figures
from ingest_queue.store.lanes import Lanes
from ingest_queue.store.payloads import Payloads
from ingest_queue.store.people import People
from ingest_queue.store.queues import QueueLists
from ingest_queue.store.quota import Quotas
from ingest_queue.store.records import Records
from ingest_queue.store.runs import Run, claim
from ingest_queue.store.scripts import Scripts


@dataclass(frozen=True, slots=True)
class Store:
    """The parts of the record; `client` is for health checks and tests."""

    config: Config
    client: Client
    scripts: Scripts
    records: Records
    queues: QueueLists
    payloads: Payloads
    lanes: Lanes
    definitions: Definitions
    people: People
    audit: AuditStreams
    figures: Figures
    quotas: Quotas

    @classmethod
    def open(cls, client: Client, config: Config) -> "Store":
        """Return the store over a client; nothing is sent yet."""
        scripts = Scripts(client, config)
        return cls(
            config=config,
            client=client,
            scripts=scripts,
            records=Records(client, scripts),
            queues=QueueLists(client, scripts),
            payloads=Payloads(client, scripts, config),
            lanes=Lanes(client, scripts, config),
            definitions=Definitions(client),
            people=People(client),
            audit=AuditStreams(client),
            figures=Figures(client, config),
            quotas=Quotas(client),
        )

    def claim(self, job_id: str, token: str, worker: str, **how: Any) -> Run | None:
        """Take an admitted job; see runs.claim."""
        config = self.config
        settings = {"lease_s": config.lease_s, "slice_s": config.slice_s, "details_kept": config.failures_kept}
        return claim(self.scripts, self.records, job_id, token, worker, **settings, **how)
