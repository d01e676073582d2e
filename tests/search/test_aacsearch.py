"""AACsearch's rules for lines, on a real cluster: which code each wrong line gets, in which order, and how it is shown."""

import json
from typing import Any

import pytest

from ingest_queue.access.actor import LOCAL
from tests.faults.world import World
from tests.redis.aacsearch_side import Shop
from tests.search.conftest import run_next

pytestmark = pytest.mark.both_versions
OK = {"title": "Linen shirt", "price": 4900, "in_stock": True}


@pytest.fixture
def shop(world: World) -> Shop:
    """An index of the client's own on the world's servers."""
    return Shop(world.engine, slug=f"{world.slug}-shop")


def in_index(world: World, shop: Shop) -> set[str]:
    world.client.indices.refresh(index=shop.index_id)
    hits = world.client.search(index=shop.index_id, body={"size": 1000})["hits"]["hits"]
    return {hit["_id"] for hit in hits}


def line(**document: Any) -> bytes:
    return json.dumps(document).encode()


def test_each_wrong_line_has_one_code_by_the_first_rule_that_it_breaks(world: World, shop: Shop) -> None:
    """JSON object, external_id, unknown field, type, duplicate: people mend one thing at a time, in this order."""
    wrong = [
        (b'{"external_id":"a","price":', "invalid_json", ""),
        (b'"a string"', "invalid_json", ""),
        (b'[{"external_id":"a"}]', "invalid_json", ""),
        (b'{"external_id":"a","external_id":"b"}', "invalid_json", "external_id"),
        (b'{"external_id":"a","title":"\xff"}', "invalid_json", ""),
        (b'{"colour":"red","price":"x"', "invalid_json", ""),
        (line(colour="red", price="free"), "missing_external_id", "external_id"),
        (line(external_id="", colour="red"), "missing_external_id", "external_id"),
        (line(external_id=7, colour="red"), "missing_external_id", "external_id"),
        (line(external_id=None), "missing_external_id", "external_id"),
        (line(external_id="é" * 257), "missing_external_id", "external_id"),
        (line(external_id="first", price="free", colour="red"), "schema_mismatch", "colour"),
        (line(external_id="first", price="4900"), "validation_error", "price"),
        (line(external_id="first", in_stock="yes"), "validation_error", "in_stock"),
        (line(external_id="first", title=["a", "b"]), "validation_error", "title"),
        (line(external_id="first", **OK), "duplicate_external_id", ""),
    ]
    body = b"\n".join([line(external_id="first", **OK), *(text for text, _, _ in wrong), line(external_id="é" * 256)])
    job_id = shop.batch(body, query_string={"onDuplicate": "reject"})
    run_next(world)
    job, found = shop.job(job_id), shop.errors(job_id)
    assert (job["status"], job["failureCount"], job["totalLines"], job["processedLines"]) == ("completed", 16, 18, 18)
    assert [(one["line"], one["code"]) for one in found["errors"]] == [(n, code) for n, (_, code, _) in enumerate(wrong, 2)]
    assert found["total"] == 16
    for one, (_, _, field) in zip(found["errors"], wrong, strict=True):
        assert one["detail"].startswith(f"{field}: ") if field else one["detail"], one
    assert in_index(world, shop) == {"first", "é" * 256}


def test_lines_are_numbered_as_an_editor_numbers_them(world: World, shop: Shop) -> None:
    """A BOM, CRLF and blank lines are what exports on Windows have."""
    body = b"\xef\xbb\xbf\r\n" + line(external_id="1") + b"\r\n\r\n  \t\r\n{oops\r\n" + line(external_id="2") + b"\r\n{oops"
    job_id = shop.batch(body)
    run_next(world)
    found = shop.errors(job_id)["errors"]
    assert [(one["line"], one["raw"]) for one in found] == [(5, "{oops"), (7, "{oops")]
    assert shop.job(job_id)["totalLines"] == 4
    assert in_index(world, shop) == {"1", "2"}


def test_the_later_of_two_lines_with_one_id_wins_and_is_a_warning(world: World, shop: Shop) -> None:
    """It overwrites, as these clients know it; that it did is told all the same, and is no failure."""
    job_id = shop.batch(line(external_id="1", price=1) + b"\n" + line(external_id="2") + b"\n" + line(external_id="1", price=3))
    run_next(world)
    job, found = shop.job(job_id), shop.errors(job_id)
    assert (job["status"], job["failureCount"], found["errors"], found["total"]) == ("completed", 0, [], 0)
    assert [(one["line"], one["code"]) for one in found["warnings"]] == [(3, "duplicate_external_id")]
    assert found["warningsTotal"] == 1
    assert world.client.get(index=shop.index_id, id="1")["_source"]["price"] == 3


def test_the_first_hundred_failures_are_shown_and_all_are_counted(world: World, shop: Shop) -> None:
    """A wrong export fails a million times in the same way; what is shown of a line is bounded and always valid text."""
    long = '{"external_id":"x","title":"' + "ä€𝄞" * 200
    body = (long.encode() + b"\n") * 150 + line(external_id="1")
    job_id = shop.batch(body)
    run_next(world)
    found = shop.errors(job_id)
    assert (shop.job(job_id)["failureCount"], found["total"], len(found["errors"])) == (150, 150, 100)
    assert {one["raw"] for one in found["errors"]} == {long[:200]}
    assert found["errors"][-1]["line"] == 100


def test_documents_of_a_json_object_are_judged_by_the_same_rules(world: World, shop: Shop) -> None:
    """Their number in the array is their line."""
    body = b'{"documents":[{"external_id":"1"}, 7, {"title":"x"}, {"external_id":"2",\n"price":"x"}]}'
    job_id = shop.batch(body, content_type="application/json")
    run_next(world)
    assert [(one["line"], one["code"]) for one in shop.errors(job_id)["errors"]] == [
        (2, "invalid_json"), (3, "missing_external_id"), (4, "validation_error"),
    ]  # fmt: skip
    assert in_index(world, shop) == {"1"}


def test_a_job_over_the_quota_fails_as_a_whole(world: World, shop: Shop) -> None:
    """Partial imports do not happen: nothing of it is sent, and the code is in the message."""
    world.engine.directory.set_quota("default", 2, by=LOCAL)
    job_id = shop.batch(b"".join(line(external_id=str(n)) + b"\n" for n in range(3)))
    run_next(world)
    job = shop.job(job_id)
    assert (job["status"], job["processedLines"], job["failureCount"]) == ("failed", 0, 0)
    assert job["errorMessage"].startswith("quota_exceeded: ")
    assert in_index(world, shop) == set()
    assert shop.http.get(f"/api/v1/indexes/{shop.slug}/stats").get_json()["quota"]["used"] == 0


def test_successes_alone_are_paid_for(world: World, shop: Shop) -> None:
    """One unit a success, none a failure."""
    world.engine.directory.set_quota("default", 10, by=LOCAL)
    shop.batch(line(external_id="1") + b"\n{oops\n" + line(external_id="2"))
    run_next(world)
    assert shop.http.get(f"/api/v1/indexes/{shop.slug}/stats").get_json()["quota"]["used"] == 2


def test_a_job_whose_index_was_deleted_fails_by_that_name(world: World, shop: Shop) -> None:
    """Somebody cleaned up while it waited."""
    job_id = shop.batch()
    assert shop.http.delete(f"/api/v1/indexes/{shop.slug}?force=true").status_code == 200
    run_next(world)
    job = shop.job(job_id)
    assert (job["status"], job["detail"]) == ("failed", None)
    assert job["errorMessage"].startswith("index_not_found: ")
