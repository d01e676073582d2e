"""The indexes of AACsearch's API: made, shown, named, deleted; what their stats say."""

from typing import Any

import pytest

from ingest_queue import indexes
from ingest_queue.access.actor import LOCAL
from ingest_queue.engine import Engine
from ingest_queue.schema.definition import Definition
from ingest_queue.store import keys
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.aacsearch_side import FIELDS, Shop
from tests.redis.rq_side import finish, take

PROJECT = "/api/v1/projects/default/indexes"


@pytest.fixture
def shop(engine: Engine) -> Shop:
    return Shop(engine)


def make(shop: Shop, **body: Any) -> Any:
    return shop.http.post(PROJECT, json={"fields": FIELDS} | body)


def test_an_index_is_made_from_its_fields_and_takes_ids_from_external_id(shop: Shop) -> None:
    """The least that a client must say: a slug and what its documents hold."""
    made = make(shop, slug="books")
    book = made.get_json()
    assert made.status_code == 201
    assert made.headers["Location"] == "/api/v1/indexes/default_books"
    assert {name: book[name] for name in ("id", "slug", "name", "externalIdField")} == {
        "id": "default_books", "slug": "books", "name": "books", "externalIdField": "external_id",
    }  # fmt: skip
    assert [field["name"] for field in book["fields"]] == ["external_id", "title", "price", "in_stock"]
    assert shop.http.get(made.headers["Location"]).get_json() == book
    assert shop.http.get(PROJECT).get_json() == {"indexes": [book, shop.http.get("/api/v1/indexes/products").get_json()]}


def test_the_same_index_again_changes_nothing_and_another_one_is_a_conflict(shop: Shop) -> None:
    """Scripts that set everything up run more than once."""
    assert make(shop, slug="products").status_code == 201
    refused = make(shop, slug="products", fields=[])
    assert (refused.status_code, refused.get_json()["error"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"slug": "No Slug"}, "slug"),
        ({"slug": "books", "fields": [{"name": "price", "type": "money"}]}, "fields[0].type"),
        ({"slug": "books", "fields": None}, "fields"),
        ({"slug": "books", "id": {"rule": "position"}}, "id"),
        ({}, "slug"),
    ],
)
def test_what_is_wrong_with_an_index_is_told_field_by_field(shop: Shop, body: dict[str, Any], field: str) -> None:
    """People mend the field that is named."""
    refused = make(shop, **body)
    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_input")
    assert field in [one["field"] for one in refused.get_json()["details"]]


def test_an_index_of_any_definition_is_shown(shop: Shop) -> None:
    """Those that were made elsewhere are the account's as well; their lines follow their own rule for ids."""
    shop.engine.indexes.create(Definition.parse({"slug": "log", "id": {"rule": "position"}, "fields": []}))
    found = shop.http.get("/api/v1/indexes/log").get_json()
    assert (found["id"], found["externalIdField"]) == ("default_log", None)


def test_a_name_that_begins_like_an_id_is_an_id_also_when_its_index_is_gone(shop: Shop) -> None:
    """A delete that is repeated after a lost reply must not come to mean another index."""
    assert make(shop, slug="default_products").status_code == 201
    assert shop.http.delete("/api/v1/indexes/default_products").get_json() == {"id": "default_products", "deleted": True}
    assert shop.http.delete("/api/v1/indexes/default_products").status_code == 404
    assert shop.http.get("/api/v1/indexes/default_default_products").status_code == 200


@pytest.mark.parametrize("name", ["none", "NONE", "a:b", "*", "..", "a%00b", "a%0Ab", "pr%C3%B6ducts", "x" * 300])
def test_an_index_that_cannot_be_is_one_that_is_not_there(shop: Shop, name: str) -> None:
    """No odd value of a URL ever becomes part of a key or of a request to the cluster."""
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/stats"), ("POST", "/documents:batch")):
        reply = shop.http.open(f"/api/v1/indexes/{name}{path}", method=method, data=b"{}", content_type="application/x-ndjson")
        assert (reply.status_code, reply.get_json()["error"]) == (404, "not_found"), method


def test_an_index_with_unfinished_jobs_is_deleted_only_by_force(shop: Shop) -> None:
    """Otherwise an import would fail that somebody still waits for."""
    job_id = shop.batch()
    refused = shop.http.delete("/api/v1/indexes/products", content_type="application/json")
    assert (refused.status_code, refused.get_json()["error"]) == (409, "conflict")
    assert refused.get_json()["details"] == [{"code": "index_in_use", "jobs": 1}]
    assert shop.http.delete("/api/v1/indexes/products?force=true").status_code == 200
    assert shop.job(job_id)["status"] == "pending", "it fails when it next runs"


def test_stats_say_what_the_index_holds_its_jobs_and_what_may_still_be_indexed(shop: Shop, store: Store, tick: Tick) -> None:
    """What a dashboard shows of an index, in one call."""
    engine = shop.engine
    engine.cluster.index(index="default_products", id="1", body={"external_id": "1"})
    indexes.refresh(engine.cluster, "default_products")
    engine.directory.set_quota("default", 100, by=LOCAL)
    shop.batch()
    run = take(store)
    assert run is not None
    finish(run)
    shop.batch()
    stats = shop.http.get("/api/v1/indexes/default_products/stats").get_json()
    reset = stats["quota"].pop("reset")
    assert stats == {
        "id": "default_products", "slug": "products", "documents": 1,
        "jobs": {"pending": 1, "running": 0, "completed": 1, "failed": 0, "canceled": 0, "total": 2},
        "quota": {"limit": 100, "used": 10},
    }  # fmt: skip
    assert reset.endswith("-01T00:00:00.000Z")
    engine.directory.set_quota("default", None, by=LOCAL)
    assert shop.http.get("/api/v1/indexes/products/stats").get_json()["quota"]["limit"] is None


def test_a_definition_whose_index_is_gone_in_the_cluster_has_no_stats(shop: Shop) -> None:
    """Zero documents would be a lie; the store keeps the definition all the same."""
    shop.engine.cluster.indices.delete(index="default_products_v1")
    assert shop.http.get("/api/v1/indexes/products/stats").status_code == 404
    assert shop.engine.store.client.hexists(keys.INDEXES("default"), "products")
