"""Turns a JSON array into NDJSON by changing the commas between its elements into line ends, byte for byte.

Nothing is parsed or written anew, so long integers, float spellings and duplicate keys stay as they are. What
stands between two commas is not judged here: what is no JSON object fails as a document of its own. numpy looks
at 128 KiB at once, so the cost is the same whatever the nesting, and memory does not grow with the array. A body that is
that small as a whole is sliced by msgspec, in a tenth of the time, where it is JSON throughout: the elements are the same.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import methodcaller
from typing import Final

import msgspec
import numpy as np

from ingest_queue.config import Config
from ingest_queue.errors import Invalid
from ingest_queue.intake.lines import BLANKS, ndjson_lines, without_bom

STEP_BYTES: Final = 1 << 17  # what fits into a processor's cache with all that is derived from it
WHITESPACE: Final = b" \t\r\n"
OPENING_BYTES: Final = 1 << 10  # the most that may stand before an object's array, white space around it apart
QUOTE, OPEN, CLOSE, COMMA, LINE_END = range(1, 6)

_MARK_OF: Final = dict(zip(b'"[{]},\n\r', (QUOTE, OPEN, OPEN, CLOSE, CLOSE, COMMA, LINE_END, LINE_END), strict=True))
_MARKS: Final = bytes(_MARK_OF.get(byte, 0) for byte in range(256))
_DEEPER: Final = np.array([0, 0, 1, -1, 0, 0], np.int8)  # by mark
_SPACED: Final = bytes.maketrans(b"\r\n", b"  ")
_NO_ELEMENT: Final = re.compile(rb"\n[ \t]*+\n")
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_trimmed = methodcaller("strip", BLANKS)


def array_lines(pieces: Iterable[bytes], limits: Config, *, member: str | None = None) -> Iterator[bytes]:
    """Yield the array's elements as blocks of lines, one a line; line ends inside an element become spaces.

    With `member` the body is an object whose only member, of that name, is the array.

    Raises Invalid `invalid_json` (with `offset` in bytes, a BOM not counted) when the body is not one array or
    an element is missing, and TooLarge like `ndjson_lines`, the line being the element's number.
    """
    array = _Array() if member is None else _Member(member)
    rest = without_bom(pieces)
    first = next(rest, b"")
    if member is None and len(first) <= min(STEP_BYTES, limits.max_line_bytes):
        second = next(rest, None)
        if second is None and (lines := _valid_lines(first)):
            yield lines
            return
        rest = chain((second or b"",), rest)
    blocks = ndjson_lines(_commas_to_line_ends(chain((first,), rest), array), limits)
    offset = 0
    for block in blocks:
        missing = _NO_ELEMENT.search(b"\n" + block)
        if missing:
            if not offset and block.count(b"\n") == 1 and next(blocks, None) is None:
                return  # [] alone may have no element
            raise array.invalid("an element is missing", offset + missing.end() - 2)
        offset += len(block)
        yield b"\n".join(map(_trimmed, block.split(b"\n")))


def _valid_lines(body: bytes) -> bytes:
    """Return the elements of an array that is JSON as lines; b"" for any other body and for an empty array."""
    try:
        found = _ELEMENTS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""
    if b"\n" in body or b"\r" in body:
        return b"".join(bytes(element).translate(_SPACED) + b"\n" for element in found)
    return b"\n".join((*found, b"")) if found else b""


def _commas_to_line_ends(pieces: Iterable[bytes], array: "_Array") -> Iterator[bytes]:
    """Yield as many bytes as come in, up to the array's end: its brackets and outer commas are changed alone."""
    for piece in pieces:
        for at in range(0, len(piece), STEP_BYTES):
            out = array.take(piece[at : at + STEP_BYTES])
            if out:
                yield out
    if not array.whole:
        raise array.invalid("it ends too early", array.offset)


class _Array:
    """How far an array was read."""

    shape = "one JSON array"

    def __init__(self) -> None:
        self.offset = 0  # bytes taken
        self.ended = False
        self._depth = 0  # brackets open
        self._in_string = 0
        self._held = b""  # a backslash whose next byte has not come

    @property
    def whole(self) -> bool:
        """Whether the body may end here."""
        return self.ended

    def invalid(self, what: str, offset: int) -> Invalid:
        """Return the error for a body of another shape."""
        return Invalid(
            "invalid_json",
            f"the body is not {self.shape}: {what} (byte {offset}); mend it, or send NDJSON as application/x-ndjson",
            offset=offset,
        )

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
            raise self.invalid("it does not begin with [", self.offset + start)
        out = self._inside(b" " * start + data[start:])
        return b" " * (start + 1) + out[start + 1 :]

    def _inside(self, data: bytes) -> bytes:
        masked = data
        if b"\\" in data:  # outside a string it is no JSON: that element fails anyway, wherever it is cut
            masked = data.replace(b"\\\\", b"__").replace(b'\\"', b"__")
        marks = np.frombuffer(masked.translate(_MARKS), np.uint8)
        at = np.flatnonzero(marks != 0)
        kinds = marks[at]
        in_string = (np.cumsum(kinds == QUOTE, dtype=np.int32) + self._in_string) & 1 != 0
        depth = np.cumsum(_DEEPER.take(kinds) * ~in_string, dtype=np.int32) + self._depth
        ends = np.flatnonzero(depth == 0)
        inner = slice(int(ends[0]) if ends.size else at.size)  # the marks before the array's end
        broken = np.flatnonzero(in_string[inner] & (kinds[inner] == LINE_END))
        if broken.size:
            raise self.invalid("a string goes over a line end", self.offset + int(at[broken[0]]))
        if b"\n" in data or b"\r" in data:
            data = data.translate(_SPACED)
        out = bytearray(data)
        commas = (kinds[inner] == COMMA) & (depth[inner] == 1) & ~in_string[inner]
        np.frombuffer(out, np.uint8)[at[inner][commas]] = ord("\n")
        if ends.size:
            return self._end(out, int(at[inner.stop]))
        if at.size:
            self._in_string, self._depth = int(in_string[-1]), int(depth[-1])
        return bytes(out)

    def _end(self, out: bytearray, end: int) -> bytes:
        if out[end] != ord("]"):
            raise self.invalid("a bracket does not match", self.offset + end)
        self.ended = True
        self._after(bytes(out), end + 1)
        out[end] = ord("\n")
        return bytes(out[: end + 1])

    def _after(self, data: bytes, start: int) -> bytes:
        rest = data[start:].lstrip(WHITESPACE)
        if rest or self._held:
            raise self.invalid("something follows its end", self.offset + len(data) - len(rest))
        return b""


class _Member(_Array):
    """The same for an array that is the only member of an object: what stands before and behind it becomes spaces."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.shape = f'one JSON object {{"{name}": [...]}}'
        self._wanted = b'{"%b":' % name.encode()
        self._opening = re.compile(rb'\{[ \t\r\n]*"%b"[ \t\r\n]*:' % re.escape(name.encode()))
        self._head = b""  # what has come of the opening
        self._opened = self._closed = False

    @property
    def whole(self) -> bool:
        """Whether the body may end here."""
        return self.ended and self._closed

    def _before(self, data: bytes) -> bytes:
        if self._opened:
            return super()._before(data)
        head = (self._head + data).lstrip(WHITESPACE)
        found = self._opening.match(head)
        if found:
            self._opened = True
            start = len(data) - (len(head) - found.end())
            return super()._before(b" " * start + data[start:])
        told = head.translate(None, WHITESPACE)
        if told == self._wanted or not self._wanted.startswith(told) or len(head) > OPENING_BYTES or self._held:
            raise self.invalid("it begins otherwise", self.offset + len(data) - len(data.lstrip(WHITESPACE)))
        self._head = head
        return b" " * len(data)

    def _after(self, data: bytes, start: int) -> bytes:
        rest = data[start:].lstrip(WHITESPACE)
        if not self._closed and rest.startswith(b"}"):
            self._closed = True
            start = len(data) - len(rest) + 1
        return super()._after(data, start)
