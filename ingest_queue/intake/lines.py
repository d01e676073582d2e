"""Cuts a body into blocks of whole lines, as they came, and says which of them are documents.

Knows nothing of JSON: what stands on a line is judged when it is read for the index. Works on blocks, never on
single bytes or lines, for this is on the way of every document.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from ingest_queue.config import Config
from ingest_queue.errors import TooLarge

BOM: Final = b"\xef\xbb\xbf"
BLANKS: Final = b" \t\r"  # a line of nothing else is blank: no document, but it has its number
_BLANK_FIRST: Final = re.compile(rb"[ \t\r]*+(?:\n|\Z)")
_BLANK_LATER: Final = re.compile(rb"\n(?=[ \t\r]*+\n|[ \t\r]++\Z)")  # only looks at its line end: that may begin the next


def ndjson_lines(pieces: Iterable[bytes], limits: Config) -> Iterator[bytes]:
    """Yield the body as non-empty blocks that end at a line end, but for the last one; a BOM is left out.

    A block is as long as a piece, give or take a line. Raises TooLarge `line_too_large` (with `line`, 1-based)
    for a line over `max_line_bytes`, its line end not counted, as soon as so much of it has come.
    """
    limit = limits.max_line_bytes
    line = 1
    held: list[bytes] = []  # the beginning of a line, no line end in it
    held_bytes = 0
    for piece in without_bom(pieces):
        end = piece.rfind(b"\n") + 1
        if end:
            block = b"".join((*held, piece[:end]))
            _check_lines(block, line, limit)
            yield block
            line += block.count(b"\n")
            held, held_bytes = [], 0
        held.append(piece[end:])
        held_bytes += len(piece) - end
        if held_bytes > limit + 1:  # one more, for it may be a carriage return
            raise _too_large(line, limit)
    block = b"".join(held)
    if block:
        _check_lines(block, line, limit)
        yield block


def count_documents(block: bytes) -> tuple[int, int]:
    """Return the line ends in a block of whole lines, and how many of its lines are not blank."""
    ends = block.count(b"\n")
    lines = ends + (not block.endswith(b"\n"))
    blank = bool(_BLANK_FIRST.match(block)) + len(_BLANK_LATER.findall(block))
    return ends, lines - blank


def without_bom(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces without the byte order mark that some editors put first."""
    rest = iter(pieces)
    head = b""
    for piece in rest:
        head += piece
        if len(head) >= len(BOM):
            break
    head = head.removeprefix(BOM)
    if head:
        yield head
    yield from rest


def _check_lines(block: bytes, first_line: int, limit: int) -> None:
    """Hop from line end to line end, each as far as allowed: a block under the limit costs nothing."""
    start = 0
    while len(block) - start > limit:
        end = block.rfind(b"\n", start, start + limit + 1)
        if end < 0 and block[start + limit : start + limit + 2] in (b"\r\n", b"\r"):
            end = start + limit + 1
        if end < 0:
            raise _too_large(first_line + block.count(b"\n", 0, start), limit)
        start = end + 1


def _too_large(line: int, limit_bytes: int) -> TooLarge:
    return TooLarge(
        "line_too_large",
        f"line {line} is over {limit_bytes} bytes; make that document smaller or leave it out, then submit again",
        line=line,
        limit_bytes=limit_bytes,
    )
