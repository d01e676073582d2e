"""One decorator a view: who may call it, what it takes, what it answers. OpenAPI documents are made from the same words."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from flask import g
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from web.access import NATIVE, Door, Need
from web.loading import Query, check_names, query_of

View: TypeAlias = Callable[..., ResponseReturnValue]
Answer: TypeAlias = type[Schema] | str | tuple[type[Schema] | str, ...] | None  # a schema of JSON, a media type, no content
Body: TypeAlias = type[Schema] | tuple[str, ...] | Mapping[str, type[Schema] | None]
ATTRIBUTE: Final = "ingest_call"


@dataclass(frozen=True, slots=True)
class Call:
    """What one view takes and answers. body: a JSON object's schema, or media types of a stream of documents (some with
    a schema). One that is the query's schema, too, may stand in either, and in a form.
    """

    need: Need
    query: type[Query] = Query
    body: Body | None = None
    answers: Mapping[int, Answer] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()  # that the caller may send
    by_account: bool = False  # an operator may say for which account
    door: Door = NATIVE


def call(
    need: Need,
    *,
    query: type[Query] = Query,
    body: Body | None = None,
    answers: Mapping[int, Answer],
    errors: tuple[int, ...] = (),
    headers: tuple[str, ...] = (),
    by_account: bool = False,
    door: Door = NATIVE,
    reads: Callable[[type[Query]], Callable[[], dict[str, Any]]] | None = None,
) -> Callable[[View], View]:
    """Decorate a view: its actor is let in, names in its path are checked, its query becomes keyword arguments.

    Only then the view runs. Unknown, repeated and ill-formed parameters are refused, each by its name. `reads` is for
    a dialect whose parameters stand elsewhere, too: it makes of `query` a function that reads them.
    """
    parameters = reads(query) if reads else query_of(query, by_account=by_account)

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked(**names: str) -> ResponseReturnValue:
            door.admit(need)
            check_names(names)
            loaded = parameters()
            g.account = loaded.pop("account", None) if by_account else None
            return view(**names, **loaded)

        setattr(checked, ATTRIBUTE, Call(need, query, body, answers, errors, headers, by_account, door))
        return checked

    return decorate


def account() -> str | None:
    """Return the account that an operator named in the query."""
    found: str | None = g.get("account")
    return found


def call_of(view: Any) -> Call | None:
    """Return what a view function was declared to be; None for one that is not ours."""
    found: Call | None = getattr(view, ATTRIBUTE, None)
    return found
