"""What a request says, checked: its query, its JSON body, the names in its path.

Nothing that fails here reaches the engine, so no odd value of a URL ever becomes part of a key.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from flask import request
from marshmallow import Schema, ValidationError, fields, validate

from ingest_queue.access.people import ACCOUNT, EMAIL, KEY_ID
from ingest_queue.config import MIB
from ingest_queue.errors import Invalid, Missing, Unsupported
from ingest_queue.queues import check_queue
from ingest_queue.schema.reading import SLUG

JOB_ID: Final = re.compile(r"[0-9a-f]{32}")
INDEX: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,127}")  # a slug, or the alias that begins with its account's
UNKNOWN: Final[Mapping[str, tuple[re.Pattern[str], str, str]]] = {  # names in paths: their form, and what to say of any other
    "job_id": (JOB_ID, "job_not_found", "there is no job {!r}; it may have been deleted or have expired"),
    "slug": (SLUG, "index_not_found", "there is no index {!r}; define it first"),
    "index": (INDEX, "index_not_found", "there is no index {!r}; define it first"),
    "account_slug": (ACCOUNT, "account_not_found", "there is no account {!r}; an operator makes one"),
    "email": (EMAIL, "user_not_found", "there is no user {!r}"),
    "key_id": (KEY_ID, "key_not_found", "there is no key {!r}"),
}


def whole(pattern: re.Pattern[str]) -> validate.Regexp:
    """Return a validator that the whole of a text must fit."""
    return validate.Regexp(f"^(?:{pattern.pattern})\\Z")


class Query(Schema):
    """Query parameters; a view without any has this schema. What is not named is refused, unless Meta says otherwise."""

    error_messages = {"unknown": "There is no such parameter."}  # noqa: RUF012  so marshmallow declares it


class ByAccount(Schema):
    """What an operator may add to every call about an account's things."""

    account = fields.String(validate=whole(ACCOUNT), load_default=None)


def shape_of(schema: type[Query], *, by_account: bool) -> type[Query]:
    """Return the schema of a view's whole query."""
    return type(schema.__name__, (schema, ByAccount), {}) if by_account else schema


def query_of(schema: type[Query], *, by_account: bool = False) -> Callable[[], dict[str, Any]]:
    """Return a function that reads the present request's query by `schema`. Raises Invalid, naming each parameter."""
    parameters = shape_of(schema, by_account=by_account)()

    def read() -> dict[str, Any]:
        repeated = sorted(name for name, values in request.args.lists() if len(values) > 1)
        if repeated:
            raise invalid("invalid_query", {name: ["Given more than once."] for name in repeated})
        try:
            loaded: dict[str, Any] = parameters.load(request.args.to_dict())
        except ValidationError as error:
            raise invalid("invalid_query", error.messages_dict) from None
        return loaded

    return read


def body(schema: Schema) -> dict[str, Any]:
    """Return the request's JSON object, loaded by `schema`. Raises Unsupported or Invalid."""
    if request.mimetype != "application/json":
        detail = f"send application/json, not {request.mimetype or 'nothing'}"
        raise Unsupported("unsupported_media_type", detail, accepted=["application/json"])
    request.max_content_length = MIB  # only here is a body held whole
    try:
        loaded: dict[str, Any] = schema.load(_strict(request.get_data(cache=False)))
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise Invalid("invalid_json", f"the body is not JSON: {error}") from None
    except ValidationError as error:
        raise invalid("invalid_input", error.messages_dict) from None
    return loaded


def _strict(text: bytes) -> Any:
    """Return what JSON says. Raises Invalid where an object says the same thing twice, so that no reader reads another one."""
    found = orjson.loads(text)
    json.loads(text, object_pairs_hook=_each_once)  # orjson does not tell
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) < len(pairs):
        twice = next(name for name in names if [one for one, _ in pairs].count(name) > 1)
        raise Invalid("invalid_json", f"the body says {twice!r} twice; say it once")


def check_names(names: Mapping[str, str]) -> None:
    """Refuse a name in the path that cannot exist, as one that does not exist."""
    if "queue" in names:
        check_queue(names["queue"])
    for name, value in names.items():
        form, code, message = UNKNOWN.get(name, (None, "", ""))
        if form is not None and not form.fullmatch(value):
            raise Missing(code, message.format(value))


def invalid(code: str, errors: dict[str, Any]) -> Invalid:
    """Return what to say about marshmallow's messages, by field."""
    said = "; ".join(f"{name}: {words(problem)}" for name, problem in sorted(errors.items()))
    return Invalid(code, said, errors=errors)


def words(problem: Any) -> str:
    """Return marshmallow's messages (text, lists, nested by field) as one line."""
    if isinstance(problem, dict):
        return ", ".join(f"{name}: {words(inner)}" for name, inner in problem.items())
    return " ".join(map(words, problem)) if isinstance(problem, list) else str(problem)
