"""Reads a request's body piece by piece, so that neither its size nor its compression can fill the memory.

Knows no HTTP server: a stream is anything with `read(size)`, as WSGI, files and pipes have.
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final, Protocol

from ingest_queue.config import Config
from ingest_queue.errors import TooLarge, Unsupported
from ingest_queue.intake.encodings import DECODERS, decoded

PIECE_BYTES: Final = 1 << 20  # what is read, decoded and handed on at once
ENCODED_SLACK_BYTES: Final = 1 << 20  # what cannot be compressed grows a little instead


class Form(StrEnum):
    """How a body writes its documents."""

    NDJSON = "ndjson"  # one JSON object a line
    ARRAY = "array"  # one JSON array
    DOCUMENTS = "documents"  # {"documents": [...]}


class Stream(Protocol):
    """What a body is read from; an empty answer is its end."""

    def read(self, size: int, /) -> bytes: ...


NDJSON_TYPES: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_FORMS: Final = {**dict.fromkeys(NDJSON_TYPES, Form.NDJSON), "application/json": Form.ARRAY}
_CHARSET: Final = re.compile(r"""charset=["']?([^"';\s]+)""", re.IGNORECASE)


def form_of(content_type: str | None) -> Form:
    """Return the form that a Content-Type names. Raises Unsupported (415) for any other type or charset."""
    media_type, _, parameters = (content_type or "").partition(";")
    form = _FORMS.get(media_type.strip().lower())
    if form is None:
        raise Unsupported(
            "unsupported_media_type",
            f"Content-Type {content_type!r} is not understood; send one of {', '.join(_FORMS)}",
            content_type=content_type,
        )
    charset = _CHARSET.search(parameters)
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise Unsupported("unsupported_charset", f"charset {charset[1]!r} is not understood; send UTF-8", charset=charset[1])
    return form


def read_body(stream: Stream, content_encoding: str | None, limits: Config) -> Iterator[bytes]:
    """Return the decoded bytes of a body as non-empty pieces of at most 1 MiB.

    Encodings: none, gzip (any number of members), zstd (any number of frames). Raises Unsupported at once for
    another one; while reading, TooLarge `payload_too_large` as soon as more than `max_body_bytes` came out,
    and Invalid `invalid_encoding` where compressed bytes are corrupt or end early.
    What the stream raises when its client breaks off passes through.
    """
    encoding = (content_encoding or "identity").strip().lower()
    if encoding == "identity":
        return _within(_gathered(_reads(stream, PIECE_BYTES)), limits.max_body_bytes)
    if encoding not in DECODERS:
        raise Unsupported(
            "unsupported_encoding",
            f"Content-Encoding {content_encoding!r} is not understood; send gzip, zstd or none",
            content_encoding=content_encoding,
        )
    # Empty members and frames decode to nothing, so the encoded bytes need a limit of their own.
    encoded = _within(_reads(stream, PIECE_BYTES // 16), limits.max_body_bytes + ENCODED_SLACK_BYTES)
    return _within(_gathered(decoded(encoded, encoding, PIECE_BYTES)), limits.max_body_bytes)


def _reads(stream: Stream, size: int) -> Iterator[bytes]:
    while piece := stream.read(size):
        yield piece


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces up to 1 MiB, for every step that follows has a cost per piece."""
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        if length + len(piece) > PIECE_BYTES:
            yield b"".join(held)
            held, length = [], 0
        held.append(piece)
        length += len(piece)
        if length >= PIECE_BYTES // 2:
            yield b"".join(held)
            held, length = [], 0
    if held:
        yield b"".join(held)


def _within(pieces: Iterable[bytes], limit_bytes: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit_bytes:
            raise TooLarge(
                "payload_too_large",
                f"the body is over {limit_bytes} bytes; submit it in several parts",
                limit_bytes=limit_bytes,
            )
        yield piece
