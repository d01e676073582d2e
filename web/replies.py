"""How replies leave: JSON by orjson, NDJSON as a stream, a request id on every one of them.

Knows no dialect and no engine.
"""

import re
import uuid
from collections.abc import Iterator
from http.client import NO_CONTENT
from itertools import chain
from typing import Any, Final

import orjson
from flask import Flask, Response, g, request
from flask.json.provider import JSONProvider

NDJSON: Final = "application/x-ndjson"
_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what may be echoed into a header and a log line


class OrjsonProvider(JSONProvider):
    """Flask's JSON by orjson: ten times faster than the default, and enums and tuples go as they are."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return orjson.dumps(obj, option=_OPTIONS).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), option=_OPTIONS)
        return Response(body, mimetype="application/json")


def ndjson(pieces: Iterator[bytes]) -> Response:
    """Stream `pieces` as NDJSON. The first is made before the reply begins, so that what fails then is still an error.

    A failure after that breaks the connection off, which a client sees as an incomplete body.
    """
    first = next(pieces, b"")
    return Response(chain((first,), pieces), mimetype=NDJSON)


def request_id() -> str:
    """Return the present request's id: the client's own where it is harmless, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    return str(g.setdefault("request_id", given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex))


def number_requests(app: Flask) -> None:
    """Send each request's id back as X-Request-Id, and no type where there is no content."""

    @app.after_request
    def give(response: Response) -> Response:
        response.headers["X-Request-Id"] = request_id()
        if response.status_code == NO_CONTENT:
            del response.headers["Content-Type"]
        return response
