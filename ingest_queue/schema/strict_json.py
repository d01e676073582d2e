"""Reads one line of JSON as strictly as the search cluster does, so that no repeated key and no digit is lost.

Stricter than the standard library: no repeated keys, no NaN, no half surrogate pairs, limited depth and numbers.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from ingest_queue.schema.values import Number

MOST_LEVELS: Final = 100  # of arrays and objects in each other; the cluster stops at 1,000
NUMBER_CHARACTERS: Final = 1000  # the cluster's parser reads no longer one
SHOWN_CHARACTERS: Final = 80


class Malformed(ValueError):
    """The line is no JSON object. path: of the value at fault, empty where it is the line as a whole."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path
        self.reason = reason


class Pairs(tuple[tuple[str, Any], ...]):
    """An object as it was written, a repeated key included."""

    __slots__ = ()


def read(raw: bytes) -> dict[str, Any]:
    """Return the object in a line, its numbers as Number. Raises Malformed."""
    try:
        value = _DECODER.decode(raw.decode())
    except UnicodeDecodeError as problem:
        raise Malformed("", f"expected UTF-8, found byte 0x{raw[problem.start]:02x} at byte {problem.start + 1}") from None
    except json.JSONDecodeError as problem:
        raise Malformed("", f"this is not JSON: {problem.msg} at character {problem.pos + 1}") from None
    except RecursionError:
        raise Malformed("", _TOO_DEEP) from None
    if not isinstance(value, Pairs):
        raise Malformed("", f"expected a JSON object, found {shown(_plain(value, '', 1))}")
    document: dict[str, Any] = _plain(value, "", 1)
    return document


def _constant(word: str) -> NoReturn:
    raise Malformed("", f"this is not JSON: {word} is no number of it")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=Pairs, parse_int=Number, parse_float=Number, parse_constant=_constant)
_TOO_DEEP: Final = f"expected at most {MOST_LEVELS} levels of arrays and objects, found more"


def _plain(value: Any, path: str, level: int) -> Any:
    """Return the value with objects as dicts; refuse what JSON's grammar lets through and the cluster does not."""
    if isinstance(value, Number):
        if len(value) > NUMBER_CHARACTERS:
            raise Malformed(path, f"expected numbers of at most {NUMBER_CHARACTERS} characters, found {len(value)}")
        return value
    if isinstance(value, str):
        if _is_torn(value):
            reason = f"expected Unicode text, found half a surrogate pair in {json.dumps(value[:SHOWN_CHARACTERS])}"
            raise Malformed(path, reason)
        return value
    if not isinstance(value, (Pairs, list)):
        return value
    if level > MOST_LEVELS:
        raise Malformed("", _TOO_DEEP)
    if isinstance(value, list):
        return [_plain(item, f"{path}[{number}]", level + 1) for number, item in enumerate(value)]
    found: dict[str, Any] = {}
    for key, item in value:
        below = f"{path}.{key}" if path else key
        if _is_torn(key):
            raise Malformed(path, f"expected Unicode text, found half a surrogate pair in key {json.dumps(key)}")
        if key in found:
            raise Malformed(below, f"expected each key once, found {shown(key)} twice")
        found[key] = _plain(item, below, level + 1)
    return found


def _is_torn(text: str) -> bool:
    """Whether it holds half a surrogate pair, which no UTF-8 can."""
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def shown(value: Any) -> str:
    """Return a value as JSON for people, cut to 80 characters."""
    text = _json(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _json(value: Any) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_json(key)}: {_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_json(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
