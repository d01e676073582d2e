"""A file of documents, or standard input, as it is sent: its form is in its first byte, its encoding in its name."""

import gzip
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Final, cast

import zstandard

BOM: Final = b"\xef\xbb\xbf"
ENCODINGS: Final = {".gz": "gzip", ".zst": "zstd"}  # sent as they are, decoded by the server
_OPENERS: Final[Mapping[str | None, Callable[[Path], IO[bytes]]]] = {
    None: lambda path: path.open("rb"),
    "gzip": lambda path: cast(IO[bytes], gzip.open(path, "rb")),  # noqa: SIM115  closed by whoever asked
    "zstd": lambda path: cast(IO[bytes], zstandard.open(path, "rb")),
}


@dataclass(frozen=True, slots=True)
class Documents:
    """An open file and what to say about it; size_bytes is None where it cannot be known."""

    file: IO[bytes]
    form: str
    encoding: str | None
    size_bytes: int | None


def open_documents(name: str, form: str | None = None) -> Documents:
    """Open a file by name, `-` being standard input; close its `file` after use.

    form: ndjson or array; None: whether the first character opens an array. Raises OSError and, for a compressed file
    that is none, ValueError.
    """
    if name == "-":
        stdin = cast(BufferedReader, sys.stdin.buffer)
        return Documents(stdin, form or form_of_start(stdin.peek(1)), None, None)
    path = Path(name)
    encoding = ENCODINGS.get(path.suffix)
    if form is None:
        try:
            with _OPENERS[encoding](path) as content:
                form = form_of_start(content.read(1024))
        except (gzip.BadGzipFile, EOFError, zstandard.ZstdError) as error:
            raise ValueError(f"{name} is not {encoding}: {error}") from error
    return Documents(path.open("rb"), form, encoding, path.stat().st_size)


def form_of_start(start: bytes) -> str:
    """Return the form of a payload that starts so: a line of NDJSON is an object, so `[` opens an array."""
    return "array" if start.removeprefix(BOM).lstrip().startswith(b"[") else "ndjson"
