"""A store on a real Redis, emptied before each test and checked for consistency after it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from ingest_queue.cluster import connect as connect_cluster
from ingest_queue.config import Config
from ingest_queue.engine import Engine
from ingest_queue.job import Job
from ingest_queue.store.codec import new_record
from ingest_queue.store.connect import connect
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.consistency import check_consistency
from tests.servers.cluster import Cluster


@pytest.fixture
def config(redis_url: str) -> Config:
    """Settings with the shortest lease that does not run out under a busy machine."""
    return Config(redis_url=redis_url, lease_s=30)


@pytest.fixture
def store(config: Config) -> Iterator[Store]:
    """An empty store; after the test record, lists, RQ's books and TTLs must agree."""
    client = connect(config.redis_url)
    client.flushall()
    store = Store.open(client, config)
    yield store
    check_consistency(store)
    client.close()


@pytest.fixture
def engine(store: Store, memory_cluster: Cluster) -> Engine:
    """The engine over the emptied store and an emptied in-memory search server."""
    memory_cluster.wipe()
    config = replace(store.config, opensearch_url=memory_cluster.url)
    return Engine(config, store, connect_cluster(config))


@pytest.fixture
def submit(store: Store) -> Callable[..., Job]:
    """Submit a job of `total` documents, with a stored payload unless told otherwise; None: unknown."""

    def submit(
        total: int | None = 10,
        *,
        account: str = "default",
        index: str = "cities",
        lane: str | None = None,
        kind: str = "payload",
        payload: bool = True,
        **fields: Any,
    ) -> Job:
        job_id = uuid4().hex
        name, upload = "", ""
        if payload:
            stored = store.payloads.upload(job_id)
            stored.write(0, b"packed")
            stored.finish(b"[]")
            name, upload = stored.name, stored.id
        record = new_record(
            id=job_id, kind=kind, account=account, initiator="tests", source="API", index=index, alias=f"{account}_{index}",
            lane=lane or f"index:{account}/{index}", total="" if total is None else total,
            payload_version=1 if payload else "", payload_name=name, payload_bytes=100, **fields,
        )  # fmt: skip
        assert store.records.submit(record, upload)
        job = store.records.get(job_id)
        assert job is not None
        return job

    return submit


@pytest.fixture
def tick(store: Store) -> Tick:
    """The tick of one live parent: without one no slot is given."""
    tick = Tick(store, "parent-1")
    tick.now()
    return tick
