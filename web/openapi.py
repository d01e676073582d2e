"""OpenAPI documents, made from what views declare (`web.calls.Call`) and from nothing else: what is served is what is told.

One document a dialect, with the dialect's own way of telling errors. Knows no dialect by name.
"""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import orjson
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from marshmallow import Schema

from ingest_queue.errors import Denied, IngestError, Missing, RateLimited, Unauthenticated, Unavailable
from web.access import Need
from web.calls import Answer, Body, Call
from web.dialect import JSON, Dialect
from web.errors import problem_of, told
from web.loading import UNKNOWN, shape_of
from web.matrix import Row, rows
from web.openapi_shapes import name_of, plain, require_what_is_always_there, say_what_schemas_mean, type_of_words

_PART: Final = re.compile(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>")
FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_HEADERS: Final[Mapping[str, Any]] = {
    "X-Request-Id": {"description": "Finds this request in the server's log.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds after which to ask again.", "schema": {"type": "integer", "minimum": 1}},
    "Location": {"description": "Where to find what was made.", "schema": {"type": "string", "format": "uri-reference"}},
}


def document(app: Flask, dialect: Dialect) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of one dialect, as plain JSON."""
    plugin = MarshmallowPlugin(schema_name_resolver=name_of)
    spec = APISpec(
        dialect.title,
        version("ingest-queue"),
        "3.1.0",
        plugins=[plugin],
        info={"description": dialect.description},
        servers=[{"url": "/"}],
    )
    converter = plugin.converter
    assert converter is not None
    converter.add_attribute_function(type_of_words)  # type: ignore[no-untyped-call]
    for name, scheme in dialect.schemes.items():
        spec.components.security_scheme(name, dict(scheme))
    for name, header in _HEADERS.items():
        spec.components.header(name, dict(header))
    found = [row for row in rows(app) if row.endpoint.partition(".")[0] in dialect.blueprints]
    for status in sorted({status for row in found for status in _errors(app, row)}):
        spec.components.response(_error_name(status), _error(dialect, status))
    for row in found:
        spec.path(path=_path(row), operations={row.method.lower(): _operation(app, dialect, converter, row, found)})
    whole: dict[str, Any] = plain(orjson.loads(orjson.dumps(spec.to_dict())))
    say_what_schemas_mean(whole, converter)
    require_what_is_always_there(whole)
    return whole


def _operation(app: Flask, dialect: Dialect, converter: OpenAPIConverter, row: Row, calls: Sequence[Row]) -> dict[str, Any]:
    call, view = row.call, app.view_functions[row.endpoint]
    anywhere = call.body is call.query  # a query, a form or JSON: with a body, it is told as one
    in_body = anywhere and row.method != "GET"
    summary, _, more = (inspect.getdoc(view) or "").partition("\n\n")
    told_as: dict[str, Any] = {
        "operationId": row.endpoint if _is_alone(row, calls) else f"{row.endpoint}.{row.method.lower()}",
        "summary": " ".join(summary.split()),
        "tags": [row.endpoint.split(".")[-2]],
        "parameters": [*_names(row), *_query(converter, call, in_body=in_body), *_sent_headers(call)],
        "responses": _responses(app, dialect, row, calls),
        "security": [{name: []} for name in dialect.schemes] if call.need is not Need.ANYONE else [],
        "x-scopes": [scope.value for scope in call.need.value],
    }
    if more:
        told_as["description"] = more
    if call.body is not None and (in_body or not anywhere):
        told_as["requestBody"] = {"required": True, "content": _forms(call.query) if anywhere else _body(call.body)}
    return told_as


def _is_alone(row: Row, calls: Sequence[Row]) -> bool:
    return sum(1 for other in calls if other.endpoint == row.endpoint) == 1


def _path(row: Row) -> str:
    return _PART.sub(r"{\3}", row.rule)


def _names(row: Row) -> Iterator[dict[str, Any]]:
    for converter, options, name in _PART.findall(row.rule):
        schema: dict[str, Any] = {"type": "string", "minLength": 1}
        if converter == "any":
            schema["enum"] = options.split(",")
        elif name in UNKNOWN:
            schema["pattern"] = f"^(?:{UNKNOWN[name][0].pattern})$"
        yield {"in": "path", "name": name, "required": True, "schema": schema}


def _query(converter: OpenAPIConverter, call: Call, *, in_body: bool) -> Iterator[dict[str, Any]]:
    shape = shape_of(call.query, by_account=call.by_account)
    for parameter in () if in_body else converter.schema2parameters(shape, location="query"):
        if call.body is call.query:
            parameter["allowEmptyValue"] = True  # as a form has it: not filled in
        schema = parameter["schema"]
        if isinstance(schema.get("type"), list):  # a query has no null: who means none leaves it out
            schema["type"] = next(word for word in schema["type"] if word != "null")
        if "enum" in schema:
            schema["enum"] = [word for word in schema["enum"] if word is not None]
        if schema.get("default", ...) is None:
            del schema["default"]
        yield parameter


def _sent_headers(call: Call) -> Iterator[dict[str, Any]]:
    for name in call.headers:
        yield {"in": "header", "name": name, "required": False, "schema": {"type": "string", "maxLength": 255}}


def _body(body: Body) -> dict[str, Any]:
    if isinstance(body, type):
        return {JSON: {"schema": body}}
    array = {"type": "array", "minItems": 1, "items": {"type": "object"}}
    lines = {"type": "string", "minLength": 1, "description": "one JSON object a line"}
    schemas = body if isinstance(body, Mapping) else dict.fromkeys(body)
    return {media: {"schema": schema or (array if media == JSON else lines)} for media, schema in schemas.items()}


def _forms(schema: type[Schema]) -> dict[str, Any]:
    """Return JSON and both kinds of forms; what is no plain value is JSON text there."""
    nested = [name for name, one in schema().fields.items() if one.metadata.get("type") == "array"]
    encoding = {"encoding": {name: {"contentType": JSON} for name in nested}} if nested else {}
    return {JSON: {"schema": schema}} | {form: {"schema": schema, **encoding} for form in FORMS}


def _responses(app: Flask, dialect: Dialect, row: Row, calls: Sequence[Row]) -> dict[str, Any]:
    told_as: dict[str, Any] = {}
    for status, answer in row.call.answers.items():
        headers = ("Location",) if status in (201, 202, 303) else ()
        told_as[str(status)] = _response(status, answer, headers) | _links(dialect, answer, calls)
    for status in sorted(_errors(app, row) - row.call.answers.keys()):
        told_as[str(status)] = {"$ref": f"#/components/responses/{_error_name(status)}"}
    return told_as


def _error_name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _error(dialect: Dialect, status: int) -> dict[str, Any]:
    headers = ("Retry-After",) if status in (429, 503) else ()
    return _response(status, None, headers) | {"content": {dialect.error_type: {"schema": dialect.error}}}


def _response(status: int, answer: Answer, headers: Iterable[str]) -> dict[str, Any]:
    told_as: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-Id", *headers)},
    }
    answers = answer if isinstance(answer, tuple) else (answer,)
    content = {
        one if isinstance(one, str) else JSON: {
            "schema": ({} if one == JSON else {"type": "string"}) if isinstance(one, str) else one
        }
        for one in answers
        if one is not None
    }
    return told_as | ({"content": content} if content else {})


def _errors(app: Flask, row: Row) -> set[int]:
    """Return the statuses of a call's errors: those that its view names, and those that follow from what it declares."""
    call = row.call
    usual: list[int] = [400]  # a parameter that there is not
    errors: list[IngestError] = [Missing("not_found", "")] if row.names else []
    if call.need is not Need.ANYONE:
        errors += [Unauthenticated("no_key", ""), Unauthenticated("unknown_key", ""), Denied("forbidden", "")]
        errors += [RateLimited("rate_limited", "", 1), Unavailable("redis_away", "")]
    if call.body is not None:
        usual += [413, 415]
    with app.test_request_context(row.rule):
        return {*call.errors, *usual, *(told(problem_of(error), row.rule).status_code for error in errors)}


def _links(dialect: Dialect, answer: Answer, calls: Sequence[Row]) -> dict[str, Any]:
    """Return which calls take the name of what is answered."""
    if not (isinstance(answer, type) and answer in dialect.links):
        return {}
    name, key = dialect.links[answer]
    targets = [row for row in calls if name in row.names and "<any" not in row.rule and _is_alone(row, calls)]
    links = {
        row.endpoint: {"operationId": row.endpoint, "parameters": {f"path.{name}": f"$response.body#/{key}"}} for row in targets
    }
    return {"links": links} if links else {}
