"""Every cell of the access matrix, tried on the application itself; and that others' things answer like none."""

import pytest
from werkzeug.test import TestResponse

from ingest_queue.engine import Engine
from tests.redis.callers import Callers, body_for
from tests.redis.http_side import Api, filled
from web.app import routes
from web.calls import call_of
from web.loading import UNKNOWN
from web.matrix import UNDECLARED, Caller, Row, rows, status

APP = routes()
ROWS = list(rows(APP))
NAMED = [row for row in ROWS if row.names & UNKNOWN.keys() and row.call.door.secret]  # who has no key is sent to log in
REFUSALS = (401, 403, 404, 429, 500)


@pytest.fixture
def callers(engine: Engine) -> Callers:
    return Callers(Api(engine))


def test_every_route_declares_who_may_call_it() -> None:
    """A view that forgot to would be open to anybody."""
    for rule in APP.url_map.iter_rules():
        declared = call_of(APP.view_functions[rule.endpoint]) is not None
        assert declared != (rule.endpoint in UNDECLARED), rule


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method} {row.rule}")
def test_each_caller_is_let_in_or_refused_as_the_matrix_says(callers: Callers, row: Row) -> None:
    """The table that people read is the one that holds."""
    for caller in Caller:
        if caller is Caller.SESSION and row.call.door.session is None:
            continue
        refused = status(APP, row, caller)
        reply = callers.call(row, caller, callers.things(), **body_for(row))
        if refused is None:
            assert reply.status_code not in REFUSALS, (caller, reply.text)
        else:
            assert reply.status_code == refused, (caller, reply.text)


@pytest.mark.parametrize("row", NAMED, ids=lambda row: f"{row.method} {row.rule}")
def test_what_is_anothers_answers_byte_for_byte_like_what_does_not_exist(callers: Callers, row: Row) -> None:
    """One word of difference, and anybody can find out who else is here and what they do."""
    theirs = callers.things()
    unknown = {name: another(value) for name, value in theirs.items()}
    found, missing = (callers.call(row, Caller.OTHER, names, **body_for(row)) for names in (theirs, unknown))
    assert said(found, theirs, unknown) == said(missing, unknown, unknown)
    assert found.status_code == (status(APP, row, Caller.OTHER) or 404)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "index" in row.call.query().fields], ids=lambda row: f"{row.method} {row.rule}"
)
def test_a_filter_by_anothers_index_finds_what_one_by_no_index_finds(callers: Callers, row: Row) -> None:
    """The same in the query: nothing, or the same refusal."""
    callers.things()
    theirs, unknown = {"slug": "cities"}, {"slug": another("cities")}
    found, missing = (callers.call(row, Caller.OTHER, {}, query_string={"index": names["slug"]}) for names in (theirs, unknown))
    assert said(found, theirs, unknown) == said(missing, unknown, unknown)


def another(name: str) -> str:
    """Return a name of the same form and length."""
    return name.translate(str.maketrans("0123456789abcdefci", "1234567890bcdefadj"))


def said(reply: TestResponse, asked: dict[str, str], shown: dict[str, str]) -> tuple[int, dict[str, str], str]:
    """Return all of a reply, with the names that were asked for replaced."""
    text = reply.text
    for name, value in asked.items():
        text = text.replace(f"'{value}'", f"'{shown[name]}'")
    return reply.status_code, {k: v for k, v in reply.headers.items() if k != "X-Request-Id"}, text


def test_the_paths_of_the_matrix_are_filled() -> None:
    """A name that nobody fills would be tried as text, and every cell would be of something unknown."""
    for row in ROWS:
        assert "<" not in filled(row.rule)
