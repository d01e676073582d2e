"""What Opensolr clients may send as documents, and which id each of them gets.

A request is refused as a whole for its structure only: no array, none or too many, an element that is no object or
has no URI. Everything else is found out when the job runs, and fails its own document. Knows no request and no job.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import msgspec
from msgspec import Raw

from ingest_queue.config import Config
from ingest_queue.errors import Invalid
from ingest_queue.intake.arrays import array_lines
from ingest_queue.schema import ids
from ingest_queue.schema.definition import Definition, IdRule, Rule
from ingest_queue.schema.fields import STRINGS
from web.dialects.opensolr_parameters import BOM, UNFIT, check_utf8, not_json, problem

ID_RULE: Final = IdRule(Rule.URI_MD5, "uri")
SEARCHED: Final = ("title", "description", "text")
OPEN: Final = "meta_"
SHOWN_CHARACTERS: Final = 200


class Document(msgspec.Struct):
    """The one field that is looked at before a job runs."""

    uri: Raw = Raw(b"null")


_DOCUMENT: Final = msgspec.json.Decoder(Document)
_STRING: Final = msgspec.json.Decoder(str)


def ids_of(name: str, text: bytes, limits: Config) -> list[str]:
    """Return the ids of the documents in a JSON array, in order. `name`: the parameter that holds it, for messages.

    Raises Invalid `invalid_json`, `no_documents`, `too_many_documents`, `validation_failed` with every problem in
    `errors`, and TooLarge for one document over its limit.
    """
    check_utf8(text)
    text = text.removeprefix(BOM)
    try:
        array = bytes(msgspec.json.decode(text, type=Raw))
    except UNFIT as error:
        raise not_json(error) from None
    if not array.startswith(b"["):
        raise _refusal([problem(name, "not_an_array", "expected an array of documents")])
    elements = list(islice(_elements(array, limits), limits.opensolr_documents + 1))
    if not elements:
        raise Invalid("no_documents", f"`{name}` is empty; send at least one document")
    if len(elements) > (most := limits.opensolr_documents):
        raise Invalid("too_many_documents", f"`{name}` has more than {most} documents; send several requests")
    found = [_judge(element, index) for index, element in enumerate(elements)]
    problems = [one for one in found if isinstance(one, dict)]
    if problems:
        raise _refusal(problems)
    return [one for one in found if isinstance(one, str)]


def ids_in(lines: Iterable[bytes]) -> list[str | None]:
    """Return the ids of stored documents, which stand one a line; None for one without a URI."""
    found = (_judge(line, index) for index, line in enumerate(lines))
    return [one if isinstance(one, str) else None for one in found]


def lacking(definition: Definition) -> list[str]:
    """Return what keeps an index from being ready for these clients, each in words; nothing when it is ready."""
    strings = {field.name for field in definition.fields if field.type in STRINGS}
    missing = [f"the string field `{name}`" for name in SEARCHED if name not in strings]
    opened = [pattern for pattern in definition.open if pattern.pattern[-1] == "*" and OPEN.startswith(pattern.pattern[:-1])]
    if not opened or opened[0].type not in STRINGS:
        missing.append(f"the open pattern `{OPEN}*` of strings")
    return ([] if takes_uris(definition) else ["the id rule `uri_md5` on the field `uri`"]) + missing


def is_searchable(definition: Definition) -> bool:
    """Whether words can be looked for in any of the fields that these clients fill."""
    return any(field.name in SEARCHED and field.type in STRINGS for field in definition.fields)


def takes_uris(definition: Definition) -> bool:
    """Whether the index knows documents by their URI, as these clients do."""
    return definition.id == ID_RULE


def check_takes_uris(definition: Definition) -> None:
    """Refuse an index whose documents would get other ids than these clients are told. Raises Invalid."""
    if not takes_uris(definition):
        message = f"index {definition.slug} does not make its ids from `uri` (rule `uri_md5`); choose or define one that does"
        raise _refusal([problem("core_name", "wrong_id_rule", message)])


def _elements(array: bytes, limits: Config) -> Iterator[bytes]:
    for block in array_lines(iter([array]), limits):
        yield from filter(None, block.split(b"\n"))


def _judge(element: bytes, index: int) -> str | dict[str, object]:
    """Return a document's id, or what is wrong with it."""
    try:
        raw = bytes(_DOCUMENT.decode(element).uri)
    except UNFIT:
        return problem(None, "not_an_object", "expected an object", index=index)
    if raw == b"null":
        return problem("uri", "missing_uri", "expected a `uri`, found none", index=index)
    if not raw.startswith(b'"'):
        return problem("uri", "invalid_uri", "expected `uri` to be a string", index=index)
    uri = _STRING.decode(raw)
    empty = problem("uri", "empty_uri", "expected `uri` to have characters", index=index, uri=uri[:SHOWN_CHARACTERS])
    return ids.from_uri(uri) or empty


def _refusal(problems: list[dict[str, object]]) -> Invalid:
    more = f"; {len(problems) - 1} more in `errors`" if len(problems) > 1 else ""
    return Invalid("validation_failed", f"{problems[0]['message']}{more}", errors=problems)
