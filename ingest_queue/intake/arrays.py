"""Turns a JSON array into NDJSON by changing the commas between its elements into line ends, byte for byte.

Nothing is parsed or written anew, so long integers, float spellings and duplicate keys stay as they are. What
stands between two commas is not judged here: what is no JSON object fails as a document of its own. numpy looks
at 256 KiB at once, so the cost is the same whatever the nesting, and memory does not grow with the array.
"""

import re
from collections.abc import Iterable, Iterator
from operator import methodcaller
from typing import Final

import numpy as np

from ingest_queue.config import Config
from ingest_queue.errors import Invalid
from ingest_queue.intake.lines import BLANKS, ndjson_lines, without_bom

STEP_BYTES: Final = 1 << 18  # what fits into a processor's cache with all that is derived from it
WHITESPACE: Final = b" \t\r\n"
QUOTE, OPEN, CLOSE, COMMA, LINE_END = range(1, 6)

_MARKS: Final = bytes.maketrans(b'"[{]},\n\r', bytes((QUOTE, OPEN, OPEN, CLOSE, CLOSE, COMMA, LINE_END, LINE_END)))
_MARKS_ONLY: Final = bytes(_MARKS[byte] if _MARKS[byte] != byte else 0 for byte in range(256))
_DEEPER: Final = np.array([0, 0, 1, -1, 0, 0], np.int8)  # by mark
_SPACED: Final = bytes.maketrans(b"\r\n", b"  ")
_NO_ELEMENT: Final = re.compile(rb"\n(?=[ \t]*+\n)")
_trimmed = methodcaller("strip", BLANKS)


def array_lines(pieces: Iterable[bytes], limits: Config) -> Iterator[bytes]:
    """Yield the array's elements as blocks of lines, one a line; line ends inside an element become spaces.

    Raises Invalid `invalid_json` (with `offset` in bytes, a BOM not counted) when the body is not one array or
    an element is missing, and TooLarge like `ndjson_lines`, the line being the element's number.
    """
    blocks = ndjson_lines(_commas_to_line_ends(without_bom(pieces)), limits)
    offset = 0
    for block in blocks:
        missing = _NO_ELEMENT.search(b"\n" + block)
        if missing:
            if not offset and block.count(b"\n") == 1 and next(blocks, None) is None:
                return  # [] alone may have no element
            raise _invalid("an element is missing", offset + missing.end() - 1)
        offset += len(block)
        yield b"\n".join(map(_trimmed, block.split(b"\n")))


def _commas_to_line_ends(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield as many bytes as come in, up to the array's end: its brackets and outer commas are changed alone."""
    array = _Array()
    for piece in pieces:
        for at in range(0, len(piece), STEP_BYTES):
            out = array.take(piece[at : at + STEP_BYTES])
            if out:
                yield out
    if not array.ended:
        raise _invalid("it ends too early", array.offset)


class _Array:
    """How far an array was read."""

    def __init__(self) -> None:
        self.offset = 0  # bytes taken
        self.ended = False
        self._depth = 0  # brackets open
        self._in_string = 0
        self._held = b""  # a backslash whose next byte has not come

    def take(self, data: bytes) -> bytes:
        """Return the next bytes with the array's own marks changed. Raises Invalid."""
        data = self._held + data
        self._held = b"\\" if (len(data) - len(data.rstrip(b"\\"))) % 2 else b""
        data = data[: len(data) - len(self._held)]
        if self.ended:
            out = self._after(data, 0)
        elif self._depth:
            out = self._inside(data)
        else:
            out = self._before(data)
        self.offset += len(data)
        return out

    def _before(self, data: bytes) -> bytes:
        start = len(data) - len(data.lstrip(WHITESPACE))
        if start == len(data) and not self._held:
            return data.translate(_SPACED)
        if data[start : start + 1] != b"[":
            raise _invalid("it does not begin with [", self.offset + start)
        self._depth = 1
        blank = b" " * (start + 1)
        self.offset += start + 1
        out = self._inside(data[start + 1 :])
        self.offset -= start + 1
        return blank + out

    def _inside(self, data: bytes) -> bytes:
        # Escaped quotes must not count; a backslash outside a string is no JSON, so its element fails anyway.
        masked = data.replace(b"\\\\", b"__").replace(b'\\"', b"__")
        marks = np.frombuffer(masked.translate(_MARKS_ONLY), np.uint8)
        at = np.flatnonzero(marks)
        kinds = marks[at]
        quotes = np.cumsum(kinds == QUOTE, dtype=np.int32) + self._in_string
        in_string = (quotes & 1).astype(np.bool_)
        deeper = _DEEPER[kinds]
        deeper[in_string] = 0
        depth = np.cumsum(deeper, dtype=np.int32) + self._depth
        ends = np.flatnonzero(depth == 0)
        marked = int(ends[0]) if ends.size else at.size  # marks before the array's end
        broken = np.flatnonzero(in_string[:marked] & (kinds[:marked] == LINE_END))
        if broken.size:
            raise _invalid("a string goes over a line end", self.offset + int(at[broken[0]]))
        out = np.frombuffer(data.translate(_SPACED), np.uint8).copy()
        commas = (kinds[:marked] == COMMA) & (depth[:marked] == 1) & ~in_string[:marked]
        out[at[:marked][commas]] = ord("\n")
        if ends.size:
            return self._end(data, int(at[marked]), out)
        if at.size:
            self._in_string, self._depth = int(in_string[-1]), int(depth[-1])
        return out.tobytes()

    def _end(self, data: bytes, end: int, out: "np.ndarray[tuple[int], np.dtype[np.uint8]]") -> bytes:
        if data[end : end + 1] != b"]":
            raise _invalid("a bracket does not match", self.offset + end)
        self.ended = True
        self._after(data, end + 1)
        out[end] = ord("\n")
        return out[: end + 1].tobytes()

    def _after(self, data: bytes, start: int) -> bytes:
        rest = data[start:].lstrip(WHITESPACE)
        if rest or self._held:
            raise _invalid("something follows its end", self.offset + len(data) - len(rest))
        return b""


def _invalid(what: str, offset: int) -> Invalid:
    return Invalid(
        "invalid_json",
        f"the body is not one JSON array: {what} (byte {offset}); mend it, or send NDJSON as application/x-ndjson",
        offset=offset,
    )
