"""How AACsearch's clients come in, and what every reply to them carries: keys, errors, the warning of the quota."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

import orjson
from flask import Response, g

from ingest_queue.times import moment
from web.access import Door, bearer
from web.current import engine
from web.errors import ENVELOPES, Problem
from web.loading import words

ERRORS: Final[Mapping[int, str]] = {
    400: "invalid_input",
    401: "unauthorized",
    402: "quota_exceeded",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
    500: "internal_error",
    503: "unavailable",
}
NO_KEY: Final = "no_key"
INVALID_JSON: Final = "invalid_json"  # the one 400 that has a word of its own
OURS: Final = ("state", "allowed")  # words of the state table, which these clients do not know
WARNING: Final = "X-Quota-Warning"


KEYS: Final = Door(bearer)


def envelope(problem: Problem) -> Response:
    """Return a problem as this API says all of them: error, message, and details where there are any.

    A key that opens nothing is forbidden here; only a call without any is unauthorized.
    """
    if problem.status == HTTPStatus.UNAUTHORIZED and problem.code != NO_KEY:
        problem = replace(problem, status=HTTPStatus.FORBIDDEN, headers={})
    error = problem.code if problem.code == INVALID_JSON else ERRORS.get(problem.status, problem.code)
    body: dict[str, Any] = {"error": error, "message": problem.detail}
    if details := _details(problem, error):
        body["details"] = details
    return Response(orjson.dumps(body, default=str), problem.status, problem.headers, mimetype="application/json")


def warn(response: Response) -> Response:
    """Say in the reply that most of the account's quota is used."""
    by = g.get("actor")
    if by is not None and by.account is not None and response.status_code < 500:
        quota = engine.quota(by=by)
        if quota.warns:
            told = f"{quota.used} of {quota.limit} units of this month are used or reserved"
            response.headers[WARNING] = f"{told}; the next month begins {moment(quota.resets_at)}"
    return response


def _details(problem: Problem, error: str) -> list[dict[str, Any]]:
    """Return what is wrong with each field; else the engine's own code and its numbers, where they say more than the error."""
    data = problem.data
    if "errors" in data:
        return [{"field": name, "message": words(said)} for name, said in sorted(data["errors"].items())]
    if "problems" in data:
        return [{"field": one["path"], "message": one["problem"]} for one in data["problems"]]
    more = {name: value for name, value in data.items() if name not in OURS}
    return [{"code": problem.code, **more}] if more or problem.code != error else []


ENVELOPES.extend((("/api/v1", envelope), ("/api/projects", envelope)))
