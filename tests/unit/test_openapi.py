"""The OpenAPI documents: right by OpenAPI 3.1, about every call, and readable as a page that loads nothing from elsewhere."""

import re
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from web.api.openapi import documents
from web.api.shapes import words
from web.app import routes
from web.dialect import DIALECTS
from web.matrix import rows

APP: Flask = routes()
DOCUMENTS = documents(APP)
PAGES = ("pages", "rq_dashboard")  # blueprints that are for browsers, and no API
each_document = pytest.mark.parametrize("found", DOCUMENTS.values(), ids=DOCUMENTS)


def operations(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in found["paths"].values() for operation in path.values()]


@each_document
def test_a_document_keeps_to_openapi(found: dict[str, Any]) -> None:
    """Generators and gateways refuse one that does not."""
    assert found["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(found).validate()


def test_every_call_is_in_one_document() -> None:
    """A call that is in none is one that no generated client has."""
    told = [(method.upper(), path) for found in DOCUMENTS.values() for path, calls in found["paths"].items() for method in calls]
    served = [
        (row.method, re.sub(r"<(?:[^<>:]+:)?(\w+)>", r"{\1}", row.rule))
        for row in rows(APP)
        if row.endpoint.partition(".")[0] not in PAGES
    ]
    assert sorted(told) == sorted(served)


@each_document
def test_every_call_says_what_it_may_answer(found: dict[str, Any]) -> None:
    """Success, a wrong request, and (where a key is needed) what is said without one; each error in the dialect's own shape."""
    (dialect,) = (dialect for dialect in APP.extensions[DIALECTS] if dialect.title == found["info"]["title"])
    for operation in operations(found):
        answers = operation["responses"]
        assert operation["summary"] and any(status < "400" for status in answers) and "400" in answers
        assert ("401" in answers) == bool(operation["x-scopes"])
        assert bool(operation["security"]) == ("401" in answers and bool(dialect.schemes))
    for response in found["components"]["responses"].values():
        assert list(response["content"]) == [dialect.error_type]
        assert response["content"][dialect.error_type]["schema"]["$ref"].endswith(dialect.error.__name__)


@each_document
def test_parameters_have_no_null(found: dict[str, Any]) -> None:
    """A query cannot say null; a client that sends the text `null` is refused."""
    for operation in operations(found):
        for parameter in operation["parameters"]:
            schema = parameter["schema"]
            assert isinstance(schema["type"], str) and None not in schema.get("enum", ())
            assert schema.get("default", "") is not None


def test_replies_name_what_is_always_there_and_bodies_what_is_needed() -> None:
    """A typed client must not ask whether a key is there that always is."""
    schemas = DOCUMENTS["native"]["components"]["schemas"]
    assert schemas["JobReply"]["required"] == list(schemas["JobReply"]["properties"])
    assert schemas["FieldReply"]["required"] == ["name", "type", "array", "required"]
    assert schemas["KeyBody"]["required"] == ["label", "scopes"]
    assert "secret" in schemas["IssuedReply"]["properties"] and "secret" not in schemas["KeyReply"]["properties"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_and_its_page_are_served_to_anybody(name: str) -> None:
    """Whoever writes a client reads them before there is a key. The page runs no script and loads nothing from elsewhere."""
    client = APP.test_client()
    assert client.get(f"/api/openapi/{name}.json").get_json() == DOCUMENTS[name]
    page = client.get(f"/api/docs/{name}")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script|<style|\son\w+=|style=|(?:src|href)=\"(?!/|#)", page.text)
    for operation in operations(DOCUMENTS[name]):
        assert f'id="{operation["operationId"]}"' in page.text
    links = re.findall(r"href=\"#([^\"]+)\"", page.text)
    assert set(links) <= set(re.findall(r"id=\"([^\"]+)\"", page.text))


def test_the_native_document_has_the_short_names() -> None:
    """`/api/openapi.json` is where tools look."""
    client = APP.test_client()
    assert client.get("/api/openapi.json").get_json() == DOCUMENTS["native"]
    assert client.get("/api/docs").text == client.get("/api/docs/native").text
    assert client.get("/api/docs/style.css").mimetype == "text/css"
    for path in ("/api/docs/none", "/api/openapi/none.json"):
        assert client.get(path).get_json()["code"] == "document_not_found"


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({}, "anything"),
        ({"type": ["string", "null"], "format": "date-time"}, "string or null (date-time)"),
        ({"enum": ["a", "b", None], "type": ["string", "null"]}, "a, b or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Job"}}, "list of Job"),
        ({"anyOf": [{"$ref": "#/components/schemas/Job"}, {"type": "null"}]}, "Job or null"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "object of integer"),
        ({"type": "integer", "minimum": 0, "maximum": 9, "default": 5}, "integer; at least 0; at most 9; else 5"),
    ],
)
def test_a_schema_is_said_in_words(schema: dict[str, Any], said: str) -> None:
    """The page is for people who do not read JSON Schema."""
    assert words(schema) == said
