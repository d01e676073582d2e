"""Payloads from chance: good lines, lines that validation refuses, documents that only the cluster refuses, ids that return."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Any, Final

from tests.faults.world import document

Document = dict[str, Any]
TOO_LONG: Final = 33_000  # bytes; a keyword of more than 32,766 passes our validation, and the cluster refuses it


class Sort(Enum):
    """What must become of a line."""

    GOOD = auto()
    BAD = auto()  # refused before it is sent
    POISON = auto()  # sent, and refused by the cluster


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a payload; `id` is empty where it has none."""

    raw: bytes
    sort: Sort
    id: str = ""
    document: Document | None = None


def lines(chance: Random, count: int, note: str, first: int = 0) -> tuple[Line, ...]:
    """Return `count` lines whose good documents carry `note`: 3% bad, 4% repeat an earlier id, up to three are poison."""
    poison = set(chance.sample(range(count), min(count, chance.randint(0, 3))))
    made: list[Line] = []
    for number in range(first, first + count):
        if number - first in poison:
            made.append(_poison(number))
            continue
        dice = chance.random()
        if dice < 0.03:
            made.append(_bad(chance, number))
        elif dice < 0.07 and made and (earlier := chance.choice(made)).sort is Sort.GOOD:
            made.append(_good({**document(number, note), "id": earlier.id}))
        else:
            made.append(_good(document(number, note)))
    return tuple(made)


def edited(chance: Random, old: Sequence[Line], note: str) -> tuple[Line, ...]:
    """Return the payload after an edit: the same up to a line anywhere in it, from there on changed, shorter or longer."""
    first = int(len(old) * chance.random() ** 2)  # rather early, so that the edit rewrites much of what was sent
    count = max(1, len(old) - first + chance.randint(-40, 40))
    return (*old[:first], *lines(chance, count, note, first))


def ndjson(payload: Sequence[Line]) -> bytes:
    """Return the payload's bytes."""
    return b"".join(line.raw + b"\n" for line in payload)


def _good(one: Document) -> Line:
    return Line(json.dumps(one).encode(), Sort.GOOD, one["id"], one)


def _poison(number: int) -> Line:
    one = document(number, "x" * TOO_LONG) | {"id": f"p{number:06d}"}
    return Line(json.dumps(one).encode(), Sort.POISON, one["id"])


def _bad(chance: Random, number: int) -> Line:
    return Line(chance.choice((b'{"id": ', b'{"n": %d}' % number, b'{"id": "b%d", "n": "many"}' % number, b"[1]")), Sort.BAD)
