"""How the Opensolr dialect tells errors: `status` false, `msg` a code of that product, `detail` in words."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, jsonify

from ingest_queue.states import State
from web.dialects.opensolr_words import LABELS, allowed
from web.errors import Problem

AUTHENTICATION_FAILED: Final = "ERROR_AUTHENTICATION_FAILED"
NOT_OWNER: Final = "NOT_OWNER_ERROR"  # also of an index that is not there
CODES: Final[Mapping[str, str]] = {  # our code -> theirs
    "index_not_found": NOT_OWNER,
    "invalid_json": "ERROR_INVALID_JSON",
    "invalid_parameter": "ERROR_VALIDATION_FAILED",
    "job_not_found": "ERROR_JOB_NOT_FOUND",
    "missing_parameter": "ERROR_MISSING_PARAMETER",
    "no_documents": "ERROR_NO_DOCUMENTS",
    "too_many_documents": "ERROR_TOO_MANY_DOCUMENTS",
    "unknown_action": "ERROR_UNKNOWN_ACTION",
    "validation_failed": "ERROR_VALIDATION_FAILED",
}
STATUSES: Final[Mapping[int, str]] = {  # of everything else
    400: "ERROR_BAD_REQUEST",
    404: "ERROR_NOT_FOUND",
    405: "ERROR_METHOD_NOT_ALLOWED",
    409: "ERROR_INVALID_STATE",
    413: "ERROR_PAYLOAD_TOO_LARGE",
    415: "ERROR_UNSUPPORTED_MEDIA_TYPE",
    429: "ERROR_RATE_LIMIT",
    503: "ERROR_UNAVAILABLE",
}


def envelope(problem: Problem) -> Response:
    """Return a problem as this product tells it. Whatever is wrong with e-mail and key is told alike."""
    if problem.status in (401, 403):
        return _reply(401, AUTHENTICATION_FAILED, "email and api_key do not open this; check both", headers=problem.headers)
    data, detail = dict[str, Any](), problem.detail
    if "errors" in problem.data:
        data["errors"] = problem.data["errors"]
    if "state" in problem.data:
        state = State(problem.data["state"])
        data |= {"state_label": LABELS[state], "allowed": allowed(state, problem.data["allowed"])}
    if problem.code == "invalid_state":  # its words name our own verbs
        detail = f"the job is {data['state_label']}; now allowed: {', '.join(data['allowed'])}"
    code = CODES.get(problem.code) or STATUSES.get(problem.status, "ERROR_INTERNAL")
    status = 403 if code == NOT_OWNER else problem.status
    return _reply(status, code, detail, data, problem.headers)


def _reply(
    status: int, code: str, detail: str, data: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    reply = jsonify({"status": False, "msg": code, "detail": detail, **(data or {})})
    reply.status_code = status
    reply.headers.update(headers or {})
    return reply
