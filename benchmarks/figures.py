"""What is measured, what we aim at, and what we promise: one mark a row; a figure is one run's value for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final


@dataclass(frozen=True, slots=True)
class Mark:
    """`aim` is worked for, `floor` is promised; `most`: the value must be at most that, else at least."""

    says: str
    aim: float
    floor: float
    most: bool = False
    unit: str = ""

    def verdict(self, value: float) -> str:
        """Say where a value stands."""
        if self.reaches(value, self.aim):
            return "aim"
        return "floor" if self.reaches(value, self.floor) else "BELOW"

    def reaches(self, value: float, limit: float) -> bool:
        return value <= limit if self.most else value >= limit

    def limit(self, value: float) -> str:
        """Return a limit in words."""
        return f"{'≤' if self.most else '≥'} {number(value)}{self.unit}"


MARKS: Final = {
    "P1": Mark("bare client, same bulks, as many connections: its wall / ours", 0.95, 0.90),
    "P2 wall": Mark("json.loads + helpers.streaming_bulk: its wall / ours", 2.0, 1.5),
    "P2 CPU": Mark("… our CPU a document / its", 0.2, 0.333, most=True),
    "P3 wall": Mark("elasticdump, file to index: its wall / ours", 2.5, 2.0),
    "P3 CPU": Mark("… our CPU a document / its", 0.2, 0.25, most=True),
    "P3b wall": Mark("opensearch-js helpers.bulk, 5 connections, 5 MB: its wall / ours", 1.1, 1.0),
    "P3b CPU": Mark("… our CPU a document / its", 0.333, 0.5, most=True),
    "P4 1 %": Mark("validation with 1 % bad lines / with none", 1.2, 1.4, most=True),
    "P4 10 %": Mark("… with 10 % / with none", 2.3, 2.6, most=True),
    "P5": Mark("100 MB through Flask under gunicorn, MB/s / copied from a socket into the same Redis", 0.5, 0.4),
    "P6": Mark("peak RSS of web above idle for an upload of 10 MB, of 100 MB: the larger", 16, 25, most=True, unit=" MB"),
    "P7": Mark("peak RSS of the run at 1,000,000 lines", 150, 180, most=True, unit=" MB"),
    "P8": Mark("wall of 100 MB / wall of 10 MB", 11, 12, most=True),
    "P9 status": Mark("status of a job among 1,000,000 / among 1,000", 1.5, 2, most=True),
    "P9 page": Mark("… a page of 50 among 100,000 / among 1,000", 1.3, 2, most=True),
    "P10 bulks": Mark("bulks begun after pause, stop, cancel: the most", 1, 2, most=True),
    "P10 wait": Mark("… until the job rests: the longest", 1.0, 2.0, most=True, unit=" s"),
    "P11": Mark("kill -9 of worker and horse, until the job runs elsewhere", 20, 30, most=True, unit=" s"),
    "P12": Mark("50 documents, submit to completed, above bare bulk + refresh", 60, 120, most=True, unit=" ms"),
    "P14": Mark("4 workers on 4 lanes, cluster that takes 50 ms a bulk: one worker's wall / theirs", 3.6, 3.2),
    "P15": Mark("submits of 50 documents a second / of a bare Flask view that enqueues the body with RQ", 0.6, 0.5),
    "P16": Mark("finished 50-document jobs a second / empty jobs a second of RQ's own worker", 0.6, 0.5),
    "P17": Mark("Redis memory of a finished job of 50 documents, all keys", 5.0, 6.0, most=True, unit=" KB"),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, with both absolute figures in words. `absolute`: fields of scale.Measured."""

    name: str
    value: float
    ours: str
    theirs: str = ""
    absolute: Mapping[str, float] = field(default_factory=dict)

    @property
    def mark(self) -> Mark:
        return MARKS[self.name]

    @property
    def verdict(self) -> str:
        return self.mark.verdict(self.value)


def number(value: float) -> str:
    """Return a value with three significant digits at least, and no more decimals than they need."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: Sequence[float], unit: str = "s", digits: int = 2) -> str:
    """Return the median of some measurements, with their range when there are several."""
    middle = f"{median(values):.{digits}f} {unit}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})"
