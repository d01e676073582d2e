"""The one place where an error becomes a reply.

Blueprints never see routing errors, so one handler of the application takes all of them and picks the envelope by
the request's path. Here is the native envelope, problem details (RFC 9457); a dialect adds its prefix and its own.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from ingest_queue.errors import IngestError, RateLimited, Unauthenticated, Unavailable
from ingest_queue.store.connect import as_answer
from web.replies import request_id

log = logging.getLogger(__name__)
TOO_LARGE: Final = 413  # Python names it differently from version to version
_KEPT_HEADERS: Final = ("Allow", "Retry-After")


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, before it takes the shape of anybody's envelope."""

    status: int
    code: str
    detail: str
    data: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


Envelope = Callable[[Problem], Response]


def problem_details(problem: Problem) -> Response:
    """Return the problem as RFC 9457 has it, its code and data as members beside the standard ones."""
    standard = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    body = {**standard, **problem.data, **standard}  # data comes last and overrides nothing
    content = orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS)
    return Response(content, problem.status, problem.headers, mimetype="application/problem+json")


ENVELOPES: Final[list[tuple[str, Envelope]]] = [("/", problem_details)]  # the longest prefix that fits


def problem_of(error: Exception) -> Problem:
    """Return what to say about any exception that left a view. What nobody foresaw is said without its cause."""
    match error:
        case Unauthenticated():
            return Problem(error.status, error.code, error.message, error.data, {"WWW-Authenticate": "Bearer"})
        case Unavailable() | RateLimited():
            wait = {"Retry-After": str(error.retry_after_s)}
            return Problem(error.status, error.code, error.message, error.data, wait)
        case IngestError():
            return Problem(error.status, error.code, error.message, error.data)
        case HTTPException():
            status = HTTPStatus(error.code or 500)
            headers = {name: value for name, value in error.get_headers() if name in _KEPT_HEADERS}
            code = "payload_too_large" if status == TOO_LARGE else status.name.lower()
            return Problem(status, code, error.description or status.phrase, {}, headers)
        case _ if told := as_answer(error):
            return problem_of(told)
        case _:
            detail = "Something went wrong here. The X-Request-Id of this reply finds it in the server's log."
            return Problem(500, "internal_error", detail)


def answer_errors(app: Flask) -> None:
    """Let every error of every path end as a reply in the envelope of its path."""

    @app.errorhandler(Exception)
    def answer(error: Exception) -> Response:
        problem = problem_of(error)
        if problem.code == "internal_error":
            fields = {"request_id": request_id(), "path": request.path, "method": request.method}
            log.error("request failed", extra=fields, exc_info=error)
        return told(problem, request.path)


def told(problem: Problem, path: str) -> Response:
    """Return the problem in the envelope of a path: the longest prefix that fits."""
    _, envelope = max((row for row in ENVELOPES if path.startswith(row[0])), key=lambda row: len(row[0]))
    return envelope(problem)
