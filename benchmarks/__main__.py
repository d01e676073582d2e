"""`python -m benchmarks [P1 P2 …] [--quick]`: run, print; after all in full, write the docs. No figure fails it."""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from benchmarks import chart, control, crowd, intake, loads, report, scale, sizes, small, submits
from benchmarks.chart import Point
from benchmarks.figures import MARKS, Figure
from benchmarks.machine import facts
from benchmarks.stage import Stage, stage

Run: TypeAlias = Callable[[Stage], Iterator[Figure]]
LOADS: Final = ("P1", "P2", "P3", "P3b")
TURNS: Final[dict[tuple[str, ...], Run]] = {
    ("P4",): sizes.validation,
    ("P5",): intake.speed,
    ("P6",): intake.memory,
    ("P7",): sizes.memory,
    ("P8",): sizes.growth,
    ("P9",): crowd.growth,
    ("P10",): control.verbs,
    ("P11",): control.kill,
    ("P12",): small.way,
    ("P14",): control.lanes,
    ("P15",): submits.submits,
    ("P16", "P17"): small.many,
}
ALL: Final = (*LOADS, *(name for names in TURNS for name in names))


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Ratios on a real node: docs/performance.md")
    parser.add_argument("names", nargs="*", metavar="P", help=f"some of {' '.join(ALL)}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it work? Its figures mean nothing")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(ALL):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    wanted = frozenset(asked.names or ALL)
    began = time.monotonic()
    curve: list[Point] = []
    with tempfile.TemporaryDirectory(prefix="ingest-queue-bench-") as place, stage(Path(place), quick=asked.quick) as on:
        figures = list(_shown(_run(on, wanted, curve)))
        if wanted == frozenset(ALL):
            loads.sweep(on, curve)
        where = list(facts(on.names))
    figures.sort(key=lambda figure: list(MARKS).index(figure.name))
    print(f"\n{report.terminal(figures)}\n")
    for what, which in where:
        print(f"{what:<9} {which}")
    print(f"{'took':<9} {time.monotonic() - began:.0f} s")
    if wanted == frozenset(ALL) and not asked.quick:
        report.write("performance.md", report.markdown(figures, where))
        report.write("scale.md", scale.tables(scale.measured(figures)))
        (report.DOCS / "throughput.svg").write_text(chart.svg(curve, "Documents a second into one OpenSearch node"), "utf-8")
        print("docs/performance.md, docs/scale.md and docs/throughput.svg written")


def _run(on: Stage, wanted: frozenset[str], curve: list[Point]) -> Iterator[Figure]:
    runs: list[tuple[tuple[str, ...], Callable[[Stage], Iterator[Figure]]]] = [
        (LOADS, partial(loads.loads, wanted=wanted, curve=curve)),
        *TURNS.items(),
    ]
    for names, run in runs:
        if wanted.intersection(names):
            yield from run(on)


def _shown(figures: Iterable[Figure]) -> Iterator[Figure]:
    for figure in figures:
        print(report.terminal([figure]).splitlines()[-1], flush=True)
        yield figure


if __name__ == "__main__":
    main()
