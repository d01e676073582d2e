"""Who may call AACsearch's API, how it refuses, and what its replies carry; beside other accounts on one installation."""

import time
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.engine import Engine
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.aacsearch_side import LINES, NDJSON, UNKNOWN, Shop
from tests.redis.rq_side import finish, take
from web.app import create_app
from web.dialects.aacsearch_door import ERRORS, WARNING, envelope
from web.errors import Problem

READS = [
    ("GET", "/api/v1/projects/default/indexes"),
    ("GET", "/api/v1/indexes/products"),
    ("GET", "/api/v1/indexes/products/stats"),
]
JOBS = [
    ("POST", "/api/v1/indexes/products/documents:batch"),
    ("GET", "/api/v1/import-jobs"),
    ("GET", f"/api/v1/import-jobs/{UNKNOWN}"),
    ("GET", f"/api/v1/import-jobs/{UNKNOWN}/errors"),
    ("POST", f"/api/v1/import-jobs/{UNKNOWN}:cancel"),
    ("DELETE", f"/api/v1/import-jobs/{UNKNOWN}"),
]
RULES = [("POST", "/api/v1/projects/default/indexes"), ("DELETE", "/api/v1/indexes/none")]
CALLS = READS + JOBS + RULES


@pytest.fixture
def shop(engine: Engine) -> Shop:
    return Shop(engine)


def call(client: FlaskClient, method: str, path: str) -> TestResponse:
    return client.open(path, method=method, data=LINES if method == "POST" else b"", content_type=NDJSON)


def said(reply: TestResponse) -> tuple[int, str]:
    return reply.status_code, reply.get_json()["error"]


def refused(reply: TestResponse) -> bool:
    return said(reply) == (403, "forbidden") if reply.status_code == 403 else False


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_call_without_a_key_is_unauthorized_and_one_with_a_bad_key_is_forbidden(shop: Shop, method: str, path: str) -> None:
    """These clients tell by the status whether to ask for a key or to throw theirs away."""
    keyring = shop.engine.keyring
    for headers in ({}, {"Authorization": "Basic abc"}, {"X-API-Key": "iq_abc"}, {"Authorization": "Bearer "}):
        reply = shop.client(None).open(path, method=method, headers=headers)
        assert said(reply) == (401, "unauthorized"), headers
        assert reply.headers["WWW-Authenticate"] == "Bearer"
    revoked, secret = keyring.issue("old", [Scope.ADMIN], by=LOCAL, account="default")
    keyring.revoke(revoked.id, by=LOCAL)
    ends_at = time.time() + 100
    short, brief = keyring.issue("short", [Scope.ADMIN], by=LOCAL, account="default", expires_at=ends_at)
    shop.engine.store.client.hset(f"iq:key:{short.id}", "expires_at", ends_at - 200)
    for one in ("nonsense", secret[:-1] + "x", secret, brief):
        reply = call(shop.client(one), method, path)
        assert said(reply) == (403, "forbidden"), one
        assert "WWW-Authenticate" not in reply.headers


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        (Scope.SEARCH, READS),
        (Scope.INGEST, READS + JOBS),
        (Scope.ADMIN, CALLS),
        (Scope.CONNECTOR_WRITE, []),
    ],
)
def test_a_key_may_what_its_scope_says_and_nothing_else(shop: Shop, scope: Scope, may: list[tuple[str, str]]) -> None:
    """A key for reading that leaks must not be able to write; the connector's calls are not these."""
    client = shop.client_with(scope)
    assert [one for one in CALLS if not refused(call(client, *one))] == may


def test_a_key_for_one_index_reaches_no_other(shop: Shop) -> None:
    """A shop's plug-in gets a key for its own products."""
    shop.http.post("/api/v1/projects/default/indexes", json={"slug": "books", "fields": []})
    other = shop.http.post("/api/v1/indexes/books/documents:batch", data=LINES, content_type=NDJSON).get_json()["jobId"]
    mine = shop.batch()
    client = shop.client_with(Scope.ADMIN, index="products")
    assert [one["slug"] for one in client.get("/api/v1/projects/default/indexes").get_json()["indexes"]] == ["products"]
    page = client.get("/api/v1/import-jobs").get_json()
    assert ([job["id"] for job in page["jobs"]], page["summary"]["total"]) == ([mine], 1)
    for method, path in (
        ("GET", "/api/v1/indexes/books"),
        ("DELETE", "/api/v1/indexes/books"),
        ("POST", "/api/v1/indexes/books/documents:batch"),
        ("GET", "/api/v1/import-jobs?index=books"),
        ("GET", f"/api/v1/import-jobs/{other}"),
        ("POST", f"/api/v1/import-jobs/{other}:cancel"),
    ):
        assert said(call(client, method, path)) == (404, "not_found"), path
    assert said(client.post("/api/v1/projects/default/indexes", json={"slug": "more", "fields": []})) == (403, "forbidden")


def test_what_is_another_accounts_answers_exactly_like_what_does_not_exist(engine: Engine) -> None:
    """Else names and ids of others could be found by trying."""
    for account in ("acme", "globex"):
        engine.directory.create_account(account, by=LOCAL)
    acme, globex = Shop(engine, account="acme"), Shop(engine, slug="other", account="globex")
    job_id = acme.batch()
    for method, mine, nobodys in (
        ("GET", f"/api/v1/import-jobs/{job_id}", f"/api/v1/import-jobs/{UNKNOWN}"),
        ("GET", f"/api/v1/import-jobs/{job_id}/errors", f"/api/v1/import-jobs/{UNKNOWN}/errors"),
        ("POST", f"/api/v1/import-jobs/{job_id}:cancel", f"/api/v1/import-jobs/{UNKNOWN}:cancel"),
        ("DELETE", f"/api/v1/import-jobs/{job_id}", f"/api/v1/import-jobs/{UNKNOWN}"),
        ("GET", "/api/v1/indexes/products", "/api/v1/indexes/unheardof"),
        ("GET", "/api/v1/indexes/acme_products", "/api/v1/indexes/acme_unheardof"),
        ("DELETE", "/api/v1/indexes/products", "/api/v1/indexes/unheardof"),
        ("POST", "/api/v1/indexes/products/documents:batch", "/api/v1/indexes/unheardof/documents:batch"),
        ("GET", "/api/v1/indexes/products/stats", "/api/v1/indexes/unheardof/stats"),
        ("GET", "/api/v1/projects/acme/indexes", "/api/v1/projects/nobody/indexes"),
        ("POST", "/api/v1/projects/acme/indexes", "/api/v1/projects/nobody/indexes"),
    ):
        theirs, unknown = call(globex.http, method, mine), call(globex.http, method, nobodys)
        same = theirs.text
        for asked, instead in ((job_id, UNKNOWN), ("products", "unheardof"), ("'acme'", "'nobody'")):
            same = same.replace(asked, instead)
        assert (theirs.status_code, same) == (unknown.status_code, unknown.text) == (404, unknown.text), mine
    assert acme.job(job_id)["status"] == "pending"
    assert globex.http.get("/api/v1/import-jobs").get_json()["summary"]["total"] == 0


def test_an_operator_says_for_which_account(engine: Engine) -> None:
    """Operators belong to none; without a word `default` is meant, and the list shows all."""
    engine.directory.create_account("acme", by=LOCAL)
    acme = Shop(engine, account="acme")
    operator = acme.client(engine.keyring.issue("operator", [Scope.MANAGE_ALL], by=LOCAL)[1])
    sent = call(operator, "POST", "/api/v1/indexes/acme_products/documents:batch?account=acme")
    assert sent.status_code == 202
    assert [job["indexId"] for job in operator.get("/api/v1/import-jobs").get_json()["jobs"]] == ["acme_products"]
    assert operator.get("/api/v1/projects/acme/indexes").get_json()["indexes"][0]["id"] == "acme_products"
    assert operator.get("/api/v1/indexes/products").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/api/v1", 404, "not_found"),
        ("GET", "/api/v1/nowhere", 404, "not_found"),
        ("POST", "/api/projects/default/sync/nowhere", 404, "not_found"),
        ("PUT", "/api/v1/import-jobs", 405, "method_not_allowed"),
        ("PATCH", "/api/v1/indexes/products", 405, "method_not_allowed"),
        ("GET", "/api/v1/indexes/products/documents:batch", 405, "method_not_allowed"),
    ],
)
def test_paths_and_methods_that_are_not_there_answer_in_this_apis_words(
    shop: Shop, method: str, path: str, status: int, error: str
) -> None:
    """A client that reads `error` must find it in every reply."""
    reply = shop.http.open(path, method=method)
    assert said(reply) == (status, error)
    assert reply.mimetype == "application/json"
    assert reply.headers["X-Request-Id"]


@pytest.mark.parametrize(("status", "error"), [row for row in ERRORS.items() if row[0] != 401])
def test_every_status_has_a_word_whatever_its_cause(shop: Shop, status: int, error: str) -> None:
    """Also those that only a proxy, a full disk or a mistake of ours brings."""
    with shop.app.test_request_context("/api/v1/import-jobs"):
        reply = envelope(Problem(status, "some_code", "what happened", {"limit": 3, "state": "running"}))
    assert (reply.status_code, reply.get_json()) == (
        status,
        {"error": error, "message": "what happened", "details": [{"code": "some_code", "limit": 3}]},
    )


def test_too_many_batches_are_told_when_to_come_again(engine: Engine) -> None:
    """Well-behaved clients sleep for that many whole seconds."""
    shop = Shop(engine)
    shop.app = create_app(engine, replace(engine.config, submits_per_minute=1))
    client = shop.client_with(Scope.INGEST)
    assert call(client, "POST", shop.batch_url).status_code == 202
    reply = call(client, "POST", shop.batch_url)
    assert said(reply) == (429, "rate_limited")
    assert 1 <= int(reply.headers["Retry-After"]) <= 60
    assert client.get("/api/v1/import-jobs").status_code == 200, "looking is not limited by it"


def test_a_full_store_is_told_as_such(shop: Shop) -> None:
    """It is nobody's mistake, and passes."""
    shop.engine.store.client.set("iq:bytes", 1 << 40)
    reply = call(shop.http, "POST", shop.batch_url)
    assert said(reply) == (503, "unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    shop.engine.store.client.set("iq:bytes", 0)


def test_replies_warn_when_most_of_the_quota_is_used(shop: Shop, store: Store, tick: Tick) -> None:
    """A shop learns of it while its imports still run, from whatever call it makes."""
    shop.engine.directory.set_quota("default", 12, by=LOCAL)
    assert WARNING not in shop.send().headers
    run = take(store)
    assert run is not None
    finish(run)
    assert shop.send().headers[WARNING].startswith("10 of 12 units")
    assert shop.http.get("/api/v1/indexes/products").headers[WARNING]
    assert shop.http.get(f"/api/v1/import-jobs/{UNKNOWN}").headers[WARNING]
    shop.engine.directory.set_quota("default", 13, by=LOCAL)
    assert WARNING not in shop.http.get("/api/v1/indexes/products").headers
    assert WARNING not in shop.client(None).get("/api/v1/indexes/products").headers
