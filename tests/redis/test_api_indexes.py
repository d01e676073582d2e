"""The native API's calls about indexes, on a real Redis and a search server."""

import pytest

from ingest_queue.engine import Engine
from tests.redis.http_side import CITIES, Api


@pytest.fixture
def api(engine: Engine) -> Api:
    return Api(engine)


def test_a_definition_is_answered_as_it_was_understood(api: Api) -> None:
    """Defaults that were filled in are seen at once, and the Location leads to the same answer."""
    made = api.http.post("/api/indexes", json=CITIES | {"slug": "towns"})
    assert made.status_code == 201
    assert CITIES["fields"][0]["name"] == made.get_json()["fields"][0]["name"]
    assert {"slug", "id", "fields", "open", "coerce", "settings"} <= set(made.get_json())
    again = api.http.get(made.headers["Location"])
    assert (again.status_code, again.get_json()) == (200, made.get_json())


def test_the_same_definition_again_changes_nothing_and_another_is_a_conflict(api: Api) -> None:
    """A deployment may repeat its set-up; it may not silently get another schema than it asked for."""
    assert api.http.post("/api/indexes", json=CITIES).status_code == 201
    other = api.http.post("/api/indexes", json=CITIES | {"fields": [{"name": "name", "type": "text"}]})
    assert (other.status_code, other.get_json()["code"]) == (409, "index_exists")
    assert (other.get_json()["state"], other.get_json()["allowed"]) == ("exists", ["delete"])


def test_indexes_are_listed_by_slug(api: Api) -> None:
    """The order must not depend on when each was made."""
    api.http.post("/api/indexes", json=CITIES | {"slug": "alps"})
    assert [index["slug"] for index in api.http.get("/api/indexes/").get_json()["indexes"]] == ["alps", "cities"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"[]", 400, "invalid_input"),
        (b'{"slug":"a","fields":[]}', 400, "invalid_definition"),
        (b'{"slug":"a","id":{},"fields":[],"shards":1}', 400, "invalid_definition"),
        (b'{"slug":"a*","id":{},"fields":[]}', 400, "invalid_definition"),
        (b"x" * (2 << 20), 413, "payload_too_large"),
    ],
)
def test_what_is_no_definition_is_refused(api: Api, body: bytes, status: int, code: str) -> None:
    """A typo in a definition must not become an index that accepts less or more than was meant."""
    reply = api.http.post("/api/indexes", data=body, content_type="application/json")
    assert (reply.status_code, reply.get_json()["code"]) == (status, code)


def test_a_definition_that_cannot_be_is_refused_by_the_engine(api: Api) -> None:
    """All its problems come at once, each with its path, so that one round of mending is enough."""
    reply = api.http.post("/api/indexes", json=CITIES | {"slug": "odd", "fields": [{"name": "_a", "type": "nonsense"}]})
    assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_definition")
    assert {problem["path"] for problem in reply.get_json()["problems"]} == {"fields[0].name", "fields[0].type"}
    assert api.http.get("/api/indexes/odd").status_code == 404


def test_another_content_type_is_refused(api: Api) -> None:
    """A form or a file that was sent by mistake is told what is spoken here."""
    reply = api.http.post("/api/indexes", data="slug=a", content_type="text/plain")
    assert (reply.status_code, reply.get_json()["accepted"]) == (415, ["application/json"])


def test_an_index_with_unfinished_jobs_is_deleted_only_by_force(api: Api) -> None:
    """Deleting it would fail jobs that somebody waits for."""
    api.submit()
    refused = api.http.delete("/api/indexes/cities")
    assert (refused.status_code, refused.get_json()["code"], refused.get_json()["jobs"]) == (409, "index_in_use", 1)
    assert (refused.get_json()["state"], refused.get_json()["allowed"]) == ("in_use", ["force"])
    forced = api.http.delete("/api/indexes/cities?force=true")
    assert (forced.status_code, forced.data) == (204, b"")
    assert api.http.get("/api/indexes/cities").get_json()["code"] == "index_not_found"


@pytest.mark.parametrize("slug", ["none", "*", "_all", "a%00b"])
def test_an_unknown_index_is_missing_for_every_call(api: Api, slug: str) -> None:
    """A wildcard in particular must never reach the cluster, where it means all indexes."""
    replies = [
        api.http.get(f"/api/indexes/{slug}"),
        api.http.delete(f"/api/indexes/{slug}?force=true"),
        api.http.post(f"/api/indexes/{slug}/documents", data=b"{}\n", content_type="application/x-ndjson"),
    ]
    assert {(reply.status_code, reply.get_json()["code"]) for reply in replies} == {(404, "index_not_found")}
    assert api.http.get("/api/indexes/cities").status_code == 200
