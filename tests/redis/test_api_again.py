"""Requests that come again, known by their Idempotency-Key: what was done is answered, and nothing is done twice."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.test import TestResponse

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.engine import Engine
from ingest_queue.states import State
from ingest_queue.store import keys
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.http_side import CITIES, LINES, NDJSON, Api
from tests.redis.rq_side import finish, take

HARD = b'{"id":"%s"}\n' % os.urandom(400_000).hex().encode()  # takes 400 KB however it is compressed
URL = "/api/indexes/cities/documents"
DAY_S = 86_400


@pytest.fixture
def api(engine: Engine) -> Api:
    return Api(engine)


def submit(api: Api, key: str, body: bytes = LINES, url: str = URL, **more: Any) -> TestResponse:
    return api.http.post(url, data=body, content_type=NDJSON, headers={"Idempotency-Key": key}, **more)


def jobs(api: Api) -> int:
    return len(api.engine.list().items)


@pytest.mark.parametrize("body", [LINES, LINES[: len(LINES) // 2], b'{"id":"other"}\n'], ids=["same", "cut", "other"])
def test_a_submit_that_comes_again_answers_with_its_first_job(api: Api, body: bytes) -> None:
    """The key alone says that it is the same request; what came with it the second time is not kept."""
    first = submit(api, "k")
    stored = api.engine.store.payloads.stored_bytes()
    again = submit(api, "k", body)
    assert (again.status_code, again.headers["Location"]) == (202, first.headers["Location"])
    assert again.get_json() == first.get_json()
    assert (jobs(api), api.engine.store.payloads.stored_bytes()) == (1, stored)


def test_many_at_once_make_one_job(api: Api) -> None:
    """A client that gives up waiting and sends again while the first request still runs."""
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: submit(api, "k"), range(16)))
    assert {reply.status_code for reply in replies} == {202}
    assert len({reply.get_json()["id"] for reply in replies}) == jobs(api) == 1


def test_a_refused_submit_may_come_again_with_its_key(api: Api) -> None:
    """What was never done is not remembered as done."""
    assert submit(api, "k", b"").status_code == 400
    assert submit(api, "k").status_code == 202


def test_after_its_job_was_deleted_a_submit_makes_a_new_one(api: Api) -> None:
    """An answer that names a job which nobody can read would be worse."""
    first = submit(api, "k").get_json()
    api.http.delete(f"/api/jobs/{first['id']}")
    again = submit(api, "k").get_json()
    assert again["id"] != first["id"]
    assert submit(api, "k").get_json()["id"] == again["id"]


@pytest.mark.parametrize("body", [LINES, HARD * 4], ids=["small", "large"])
def test_that_the_index_is_gone_is_said_first_also_when_a_submit_comes_again(api: Api, body: bytes) -> None:
    """An answer that names a job would say that its documents can be found; it is one answer however large the body is."""
    submit(api, "k", body)
    stored = api.engine.store.payloads.stored_bytes()
    assert api.http.delete("/api/indexes/cities?force=true").status_code == 204
    assert submit(api, "k", body).status_code == 404
    assert (jobs(api), api.engine.store.payloads.stored_bytes()) == (1, stored)


def test_a_key_holds_for_its_account_and_its_index_only(api: Api) -> None:
    """Two programs may choose the same key; neither may be given the other's job."""
    api.http.post("/api/indexes", json=CITIES | {"slug": "towns"})
    api.engine.directory.create_account("acme", by=LOCAL)
    api.operator.post("/api/indexes?account=acme", json=CITIES)
    acme = api.client(api.engine.keyring.issue("theirs", [Scope.INGEST], by=LOCAL, account="acme")[1])
    made = {
        submit(api, "k").get_json()["id"],
        submit(api, "k", url="/api/indexes/towns/documents").get_json()["id"],
        acme.post(URL, data=LINES, content_type=NDJSON, headers={"Idempotency-Key": "k"}).get_json()["id"],
        submit(api, "other").get_json()["id"],
        api.submit()["id"],
    }
    assert len(made) == 5


def test_a_key_is_forgotten_after_a_day(api: Api) -> None:
    """Redis must not grow by every request that ever came."""
    submit(api, "k")
    known = list(api.engine.store.client.scan_iter(keys.ONCE("*", "*")))
    assert len(known) == 1
    assert DAY_S - 60 < api.engine.store.client.ttl(known[0]) <= DAY_S


def test_a_key_that_is_too_long_is_refused(api: Api) -> None:
    """Cut off, two keys could become one."""
    assert submit(api, "k" * 255).status_code == 202
    refused = submit(api, "k" * 256)
    assert (refused.status_code, refused.get_json()["code"]) == (400, "invalid_header")


def test_a_retry_that_comes_again_is_done_once(api: Api, store: Store, tick: Tick) -> None:
    """Its reply was lost; started over once more, the job would lose what it did since, also when a verb came between."""
    job = api.submit()
    tick.now()
    run = take(store)
    assert run is not None
    finish(run)
    url, once = f"/api/jobs/{job['id']}/retry", {"Idempotency-Key": "k"}
    first = api.http.post(url, headers=once).get_json()
    assert first["state"] == State.PENDING
    assert api.http.post(url, headers=once).get_json()["round"] == first["round"]
    api.ask(job, "stop")
    again = api.http.post(url, headers=once).get_json()
    assert (again["state"], again["round"]) == (State.STOPPED, first["round"])
    other = api.http.post(url, headers={"Idempotency-Key": "other"}).get_json()
    assert (other["state"], other["round"] > first["round"]) == (State.PENDING, True)


def test_the_same_key_for_another_verb_is_another_request(api: Api) -> None:
    """A client that sends one key with everything it does must not find its resume answered as its pause."""
    job, once = api.submit(), {"Idempotency-Key": "k"}
    for verb, state in (("pause", State.PAUSED), ("resume", State.PENDING), ("pause", State.PENDING)):
        assert api.http.post(f"/api/jobs/{job['id']}/{verb}", headers=once).get_json()["state"] == state
