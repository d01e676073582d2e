"""One document on its way into the index: its place in the payload, its id, and the line's original bytes."""

from collections.abc import Sequence
from typing import Final

import msgspec

from ingest_queue.job import Fate, Outcome

POSITION_BITS: Final = 20  # a version is the round above the position; payloads end at 2**20 - 1 documents
RAW_CHARACTERS: Final = 200
ACTION: Final = b'{"index":{"_id":%b,"version":%d,"version_type":"external_gte"}}'
_json_text = msgspec.json.Encoder().encode


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A document that is to be sent. position: 0-based number in the payload; line: 1-based physical line."""

    position: int
    line: int
    id: str
    raw: bytes


def body(entries: Sequence[Entry], round: int) -> bytes:
    """Return the request body: an action line before each document's own bytes, never parsed and written anew.

    The version makes the newest round win, and within it the later line, in whatever order requests arrive.
    """
    base = round << POSITION_BITS
    parts = []
    for entry in entries:
        parts.append(ACTION % (_json_text(entry.id), base | entry.position))
        parts.append(entry.raw)
    parts.append(b"")
    return b"\n".join(parts)


def round_of(version: int) -> int:
    """Return the round that wrote a document, from its _version."""
    return version >> POSITION_BITS


def excerpt(raw: bytes) -> str:
    """Return the first 200 characters of a line as valid text."""
    return raw[: 4 * RAW_CHARACTERS].decode("utf-8", "replace")[:RAW_CHARACTERS].rstrip("\r")


def outcome(entry: Entry, fate: Fate, code: str, reason: str) -> Outcome:
    """Return what became of a document that was or would have been sent."""
    return Outcome(entry.position, fate, entry.line, entry.id, code, None, reason, excerpt(entry.raw))
