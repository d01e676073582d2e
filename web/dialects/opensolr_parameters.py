"""The parameters of an Opensolr client's request: a query, a form or a JSON object, all of them the same call.

JSON wins over form over query. Documents are cut out of the request as the bytes that were sent and are never parsed
and written anew; in a form and in a query they are JSON text. Knows no call and no engine.
"""

import re
from binascii import unhexlify
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
from flask import g, request
from marshmallow import ValidationError
from msgspec import Raw
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from ingest_queue.errors import Invalid, TooLarge, Unsupported
from web.current import config
from web.loading import Query
from web.upload import pieces

SCALARS: Final = ("core_name", "job_id", "queue_action", "page", "limit")
CREDENTIALS: Final = ("email", "api_key")
TEXTS: Final = ("documents", "payload")  # JSON text
NAMES: Final = frozenset((*CREDENTIALS, *SCALARS, *TEXTS))
BOM: Final = b"\xef\xbb\xbf"
MOST_FIELDS: Final = 1000
UNFIT: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MISSING: Final = "Missing data for required field."
_ESCAPED: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_BODY: Final = msgspec.json.Decoder(msgspec.defstruct("Body", [(name, Raw, Raw(b"null")) for name in sorted(NAMES)]))
_TEXT: Final = msgspec.json.Decoder(str)

Parameters = Mapping[str, bytes]  # by name; none of them is empty


def loading(schema: type[Query]) -> Callable[[], dict[str, Any]]:
    """Return a function that loads the present request's parameters by `schema`; what it does not name is ignored.

    Raises Invalid `missing_parameter` and `invalid_parameter`, with the names.
    """
    shape = schema()

    def read() -> dict[str, Any]:
        given = parameters()
        told = {name: given[name] if name in TEXTS else text(name) for name in shape.fields if name in given}
        try:
            loaded: dict[str, Any] = shape.load(told)
        except ValidationError as error:
            problems = error.messages_dict
            missing = [name for name, words in problems.items() if words == [_MISSING]]
            if missing:
                raise Invalid("missing_parameter", f"these parameters are missing: {', '.join(missing)}") from None
            listed = [problem(name, "invalid_parameter", " ".join(words)) for name, words in problems.items()]
            raise Invalid("invalid_parameter", "a parameter cannot be what it is", errors=listed) from None
        return {name: value for name, value in loaded.items() if name not in CREDENTIALS}

    return read


def problem(field: str | None, code: str, message: str, *, index: int | None = None, uri: str | None = None) -> dict[str, Any]:
    """Return one entry of `errors`: what is wrong with a parameter, or with the document at `index` (from 0)."""
    return {"index": index, "uri": uri, "field": field, "code": code, "message": message}


def text(name: str) -> str | None:
    """Return a parameter of the present request as text; None when it is not there."""
    found = parameters().get(name)
    return None if found is None else found.decode("utf-8", "replace")


def parameters() -> Parameters:
    """Return the present request's parameters. Raises Invalid, TooLarge, Unsupported for a body that cannot be read."""
    if "opensolr_parameters" not in g:
        places = (_form(request.query_string), _body() if request.method == "POST" else {})
        g.opensolr_parameters = {name: value for place in places for name, value in place.items() if value}
    read: Parameters = g.opensolr_parameters
    return read


def _body() -> dict[str, bytes]:
    limit, body = config.opensolr_body_bytes, bytearray()
    for piece in pieces():
        body += piece
        if len(body) > limit:
            raise TooLarge("payload_too_large", f"the request is over {limit} bytes; send fewer documents at once")
    match request.mimetype:
        case _ if not body:
            return {}
        case "application/json":
            return _json(bytes(body))
        case "application/x-www-form-urlencoded":
            return _form(bytes(body))
        case "multipart/form-data":
            return _multipart(bytes(body))
    detail = "send application/json or a form, with its Content-Type"
    raise Unsupported("unsupported_media_type", detail)


def _json(body: bytes) -> dict[str, bytes]:
    check_utf8(body)
    try:
        found = _BODY.decode(body.removeprefix(BOM))
        return {name: _value(name, bytes(getattr(found, name))) for name in NAMES}
    except UNFIT as error:
        raise not_json(error) from None


def _value(name: str, raw: bytes) -> bytes:
    """Return a value of a JSON body as it would stand in a form: a string's text, anything else as it is written."""
    if raw == b"null":
        return b""
    return _TEXT.decode(raw).encode() if raw.startswith(b'"') else raw


def _form(encoded: bytes) -> dict[str, bytes]:
    if encoded.count(b"&") >= MOST_FIELDS:
        raise Invalid("invalid_form", f"a form has at most {MOST_FIELDS} fields")
    fields = (field.partition(b"=") for field in encoded.split(b"&"))
    named = ((_unescaped(name).decode("utf-8", "replace"), value) for name, _, value in fields if len(name) < 100)
    return {name: _unescaped(value) for name, value in named if name in NAMES}


def _unescaped(encoded: bytes) -> bytes:
    return _ESCAPED.sub(lambda run: unhexlify(run[0].replace(b"%", b"")), encoded.replace(b"+", b" "))


def _multipart(body: bytes) -> dict[str, bytes]:
    boundary = request.mimetype_params.get("boundary", "").encode("ascii", "replace")
    found: dict[str, bytes] = {}
    try:
        for name, value in _parts(MultipartDecoder(boundary, max_parts=MOST_FIELDS), body):
            found[name] = found.get(name, b"") + value
    except (ValueError, RequestEntityTooLarge):
        raise Invalid("invalid_form", "the body is not the multipart form that its Content-Type says") from None
    return {name: value for name, value in found.items() if name in NAMES}


def _parts(decoder: MultipartDecoder, body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield each field's bytes by its name, maybe in several pieces. Raises ValueError."""
    decoder.receive_data(body)
    decoder.receive_data(None)
    name = ""
    while not isinstance(event := decoder.next_event(), Epilogue):
        if isinstance(event, (Field, File)):
            name = event.name or ""
        elif isinstance(event, Data):
            yield name, event.data


def check_utf8(body: bytes) -> None:
    """Refuse what is no UTF-8 and so no JSON. Raises Invalid `invalid_json`."""
    try:
        body.isascii() or body.decode()
    except UnicodeDecodeError as error:
        raise not_json(error) from None


def not_json(error: Exception) -> Invalid:
    """Return what to say about text that is not JSON."""
    return Invalid("invalid_json", f"this is not JSON: {error}")
