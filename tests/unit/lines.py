"""Payloads for the run's tests: one kind of line that is accepted, one that is not, one that the index refuses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from ingest_queue.intake.payload import Lines
from tests.servers.memory_index import Refused

POISON: Final = b"poison"
BROKEN: Final = b"{not json"
IDS: Final = tuple(f"id{number}" for number in range(12))  # few, so that many lines share one


@dataclass(frozen=True, slots=True)
class Rejection:
    """As schema/explain.py gives it."""

    code: str
    field: str | None
    reason: str
    id: str | None = None


class Document(msgspec.Struct):
    external_id: str


_decode = msgspec.json.Decoder(Document).decode


def decode(raws: Sequence[bytes], _position: int = 0) -> list[str | Rejection]:
    """Return each line's id, or that it is no JSON."""
    return list(map(_judged, raws))


def _judged(raw: bytes) -> str | Rejection:
    try:
        return _decode(raw).external_id
    except msgspec.DecodeError as problem:
        return Rejection("invalid_json", None, str(problem))


def line(id: str, text: str = "") -> bytes:
    """Return a line that is accepted."""
    return b'{"external_id":"%b","text":"%b"}' % (id.encode(), text.encode())


def judge(_id: str, source: bytes) -> Refused | None:
    """Refuse poison, as a mapping would refuse a document of the wrong shape."""
    return (400, "mapper_parsing_exception", "failed to parse") if POISON in source else None


@dataclass(frozen=True, slots=True)
class Payload:
    """A source in memory, some lines at a time: line n stands on physical line n + 1."""

    lines: Sequence[bytes]
    at_once: int = 3

    def after(self, position: int, before: int | None = None) -> Iterator[Lines]:
        end = len(self.lines) if before is None else before
        for start in range(position, end, self.at_once):
            raws = self.lines[start : min(start + self.at_once, end)]
            yield Lines(start, range(start + 1, start + 1 + len(raws)), raws)
