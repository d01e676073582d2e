"""Submissions into Redis: small payloads travel in one call, large ones chunk by chunk, and nobody can tell which."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from ingest_queue.config import MIB
from ingest_queue.engine import Engine
from ingest_queue.errors import Missing, Unavailable
from ingest_queue.intake.body import Form
from ingest_queue.states import Event
from ingest_queue.store import keys
from ingest_queue.store.codec import new_record
from ingest_queue.store.records import Once
from ingest_queue.store.store import Store
from tests.redis.http_side import Api
from tests.redis.watch import watched

LINE = b'{"id":"1"}\n'
HARD = b'{"id":"%s"}\n' % os.urandom(200_000).hex().encode()  # takes 200 KB however it is compressed
BODIES = {"one small chunk": LINE, "a small last chunk": HARD * 4 + LINE, "a large last chunk": HARD}


@pytest.fixture
def cities(engine: Engine) -> Engine:
    """An engine with an index `cities`."""
    Api(engine)
    return engine


def with_settings(engine: Engine, **settings: Any) -> Engine:
    """Return an engine over the same servers, with other settings."""
    config = replace(engine.config, **settings)
    return Engine(config, Store.open(engine.store.client, config), engine.cluster)


@pytest.fixture
def full(cities: Engine) -> Iterator[Engine]:
    """An engine whose Redis uses more than it should, and far less than it may."""
    client = cities.store.client
    client.config_set("maxmemory", 5 * client.info("memory")["used_memory"])
    yield with_settings(cities, memory_ceiling=0.1)
    client.config_set("maxmemory", 0)


def kept(engine: Engine) -> int:
    """Return a figure that is 0 when neither a job nor a byte of a payload is there."""
    return len(engine.list().items) + engine.store.payloads.stored_bytes()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_payload_is_the_same_however_it_travelled(cities: Engine, body: bytes) -> None:
    """Where its last chunk goes is a matter of speed alone."""
    job = cities.submit("cities", iter([body]), form=Form.NDJSON)
    assert b"".join(cities.payload(job.id)) == body
    assert job.payload is not None and job.payload.stored_bytes == cities.store.payloads.stored_bytes()


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_submit_answers_what_a_read_answers(cities: Engine, body: bytes) -> None:
    """The script tells only what it changed; the rest must be what was sent."""
    job = cities.submit("cities", iter([body]), form=Form.NDJSON)
    assert job == replace(cities.get(job.id), waiting_for=job.waiting_for)
    assert job.waiting_for == cities.waiting_for(cities.get(job.id))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_redis_near_its_limit_takes_nothing_in(full: Engine, body: bytes) -> None:
    """503 beats a Redis that refuses the writes of running jobs."""
    with pytest.raises(Unavailable, match="near its memory limit"):
        full.submit("cities", iter([body]), form=Form.NDJSON)
    assert not kept(full)


def test_an_edit_is_refused_like_a_submit_when_redis_is_near_its_limit(cities: Engine, full: Engine) -> None:
    """It brings a payload, too."""
    job = cities.submit("cities", iter([LINE]), form=Form.NDJSON)
    cities.ask(job.id, Event.PAUSE)
    with pytest.raises(Unavailable, match="near its memory limit"):
        full.edit(job.id, iter([LINE * 2]), form=Form.NDJSON)
    assert b"".join(cities.payload(job.id)) == LINE


def test_a_small_payload_needs_room_in_the_budget(cities: Engine) -> None:
    """What never was an upload in Redis counts all the same."""
    budget = with_settings(cities, payload_budget_bytes=MIB)
    other = budget.store.payloads.upload(uuid4().hex)
    other.write(0, b"x" * (MIB - 10))
    with pytest.raises(Unavailable, match="budget"):
        budget.submit("cities", iter([LINE]), form=Form.NDJSON)
    budget.store.payloads.abandon(other)
    assert not kept(cities)
    budget.submit("cities", iter([LINE]), form=Form.NDJSON)


@pytest.mark.parametrize("body", [*BODIES.values(), b"", b"\n", b'{"id":"cut off'], ids=[*BODIES, "empty", "blank", "broken"])
def test_that_there_is_no_such_index_is_said_first(cities: Engine, body: bytes) -> None:
    """Nobody should mend documents for an index that does not exist."""
    with pytest.raises(Missing):
        cities.submit("none", iter([body]), form=Form.NDJSON)
    with pytest.raises(Missing):
        cities.submit("none", iter([body]), form=Form.ARRAY)
    assert not kept(cities)


def test_a_small_submission_and_its_entry_in_the_trail_are_one_call(cities: Engine) -> None:
    """Each round trip is time that a client waits, and between two a crash would leave a job of which the trail knows nothing."""
    cities.submit("cities", iter([LINE]), form=Form.NDJSON)  # loads the script
    with watched(cities.store.client) as commands:
        job = cities.submit("cities", iter([LINE]), form=Form.NDJSON)
    assert [name for name, sender in commands if sender != "lua"] == ["EVALSHA"]
    (entry,) = cities.audit.page("default", target=f"job:{job.id}")[0]
    assert (entry.actor, entry.action, entry.result, entry.index) == ("local", "job.submit", "ok", "cities")


def test_a_submit_that_comes_again_is_in_the_trail_once(cities: Engine) -> None:
    """The trail says what was done, not how often somebody asked."""
    for _ in range(2):
        cities.submit("cities", iter([LINE]), form=Form.NDJSON, once=Once(key="k"))
    assert len(cities.audit.page("default", action="job.submit")[0]) == 1


def test_a_submit_that_is_sent_again_makes_one_job(cities: Engine) -> None:
    """The client library repeats a call whose reply was lost on the wire."""
    store, job_id = cities.store, uuid4().hex
    before = store.client.xlen(keys.AUDIT("default"))
    upload = store.payloads.upload(job_id)
    upload.end(0, b"packed", b"[]")
    fields = new_record(
        id=job_id, kind="payload", account="default", initiator="tests", source="API", index="cities", alias="default_cities",
        lane="index:default/cities", total=1, payload_version=1, payload_name=upload.name, payload_bytes=11,
    )  # fmt: skip
    sent = (fields, upload.id, None, upload.carried(), {"action": "job.submit"})
    first, again = (store.records.submit(*sent) for _ in range(2))
    assert first.job == again.job
    assert store.client.xlen(keys.AUDIT("default")) - before == 1
    assert store.payloads.stored_bytes() == len(b"packed")
