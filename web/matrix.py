"""Who may call what, as one table: every call by every kind of caller. It follows from what each view declares.

docs/api/access.md shows it; tests try every cell of it on the application itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flask import Flask

from ingest_queue.access.actor import Scope
from ingest_queue.errors import Denied, IngestError, Missing, Unauthenticated
from web.access import Need
from web.calls import Call, call_of
from web.errors import problem_of, told
from web.loading import UNKNOWN

BY_ITSELF: Final = ("HEAD", "OPTIONS")  # what Flask answers beside a view's own methods
UNDECLARED: Final[Mapping[str, str]] = {  # endpoints without a declared need -> who may call them, and why
    "pages.static": "anybody: the style and scripts of pages",
    "pages.log_in": "anybody with the form's token: it is where people say who they are",
}


class Caller(StrEnum):
    """Who calls. Keys are of account `default` where nothing else is said; members have no session, they use keys."""

    NO_KEY = "no key"
    WRONG = "wrong key"
    EXPIRED = "expired key"
    REVOKED = "revoked key"
    SEARCH = "search"
    INGEST = "ingest"
    ADMIN = "admin"
    CONNECTOR = "connector_write"
    OPERATOR = "manage:all"
    OTHER = "admin of another account"
    SESSION = "admin's session"


SCOPES: Final[Mapping[Caller, Scope]] = {
    Caller.SEARCH: Scope.SEARCH,
    Caller.INGEST: Scope.INGEST,
    Caller.ADMIN: Scope.ADMIN,
    Caller.CONNECTOR: Scope.CONNECTOR_WRITE,
    Caller.OPERATOR: Scope.MANAGE_ALL,
    Caller.OTHER: Scope.ADMIN,
    Caller.SESSION: Scope.MANAGE_ALL,
}
CODES: Final = {Caller.WRONG: "unknown_key", Caller.EXPIRED: "expired_key", Caller.REVOKED: "revoked_key"}


@dataclass(frozen=True, slots=True)
class Row:
    """One call: its method, its route, the view's endpoint, what the view declares."""

    method: str
    rule: str
    endpoint: str
    names: frozenset[str]
    call: Call

    def refusal(self, caller: Caller) -> IngestError | None:
        """Return why a caller is refused; None for one who is let in."""
        need, door = self.call.need, self.call.door
        if need is Need.ANYONE:
            return None
        by_session = caller is Caller.SESSION
        if caller is Caller.NO_KEY or (door.session if by_session else door.secret) is None:
            return Unauthenticated("no_key", "")
        if caller in CODES or (caller is Caller.OPERATOR and not door.operators):
            return Unauthenticated(CODES.get(caller, "unknown_key"), "")
        if SCOPES[caller] not in need.value:
            return Denied("forbidden", "")
        if caller is Caller.OTHER and self.names & UNKNOWN.keys():
            return Missing("not_found", "")
        return None


def rows(app: Flask) -> Iterator[Row]:
    """Yield every call of our views, by path. What is no view of ours stands in UNDECLARED."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        call = call_of(app.view_functions[rule.endpoint])
        if call is not None:
            for method in sorted((rule.methods or set()) - set(BY_ITSELF)):
                yield Row(method, rule.rule, rule.endpoint, frozenset(rule.arguments), call)


def status(app: Flask, row: Row, caller: Caller) -> int | None:
    """Return the status with which a caller is refused, as the path's dialect tells it; None for one who is let in."""
    refusal = row.refusal(caller)
    if refusal is None:
        return None
    with app.test_request_context(row.rule, method=row.method):
        return told(problem_of(refusal), row.rule).status_code
