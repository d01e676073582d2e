"""The body of an upload as pieces, never held whole; one that breaks off is an error, never a shorter payload."""

from collections.abc import Iterator
from typing import IO, Final

from flask import request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import ClientDisconnected

from ingest_queue.errors import Invalid
from ingest_queue.intake.body import NDJSON_TYPES, read_body
from web.current import config

DOCUMENTS: Final = (*NDJSON_TYPES, "application/json")  # what a body of documents may be
_BROKEN: Final = (OSError, ParseException, ClientDisconnected)  # how servers say that a body has no end


class Upload:
    """The request's stream, told apart from one that ends early.

    gunicorn ends a body of a known length without a word when its client goes away (read in 27.0), and so does
    `request.stream`; only the count of bytes tells.
    """

    def __init__(self, stream: IO[bytes], length: int | None) -> None:
        self._stream = stream
        self._length = length
        self._read = 0

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, b"" at the end. Raises Invalid when the body is not what was announced."""
        try:
            piece = self._stream.read(size)
        except _BROKEN as error:
            raise self._incomplete() from error
        self._read += len(piece)
        if not piece and size and self._length is not None and self._read < self._length:
            raise self._incomplete()
        return piece

    def _incomplete(self) -> Invalid:
        announced = "" if self._length is None else f" of {self._length}"
        detail = f"the upload broke off after {self._read}{announced} bytes; nothing of it was stored, send it again"
        return Invalid("upload_incomplete", detail, received_bytes=self._read)


def pieces() -> Iterator[bytes]:
    """Return the decoded body of the present request in pieces of at most 1 MiB.

    Raises (on the way) Invalid when it breaks off, TooLarge over the limits, Unsupported for an unknown encoding.
    """
    upload = Upload(request.stream, request.content_length)
    return read_body(upload, request.headers.get("Content-Encoding"), config)
