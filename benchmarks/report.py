"""Where the figures go: a table on the terminal, and the parts between the marks of docs/performance.md and docs/scale.md."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, number
from tests.servers.processes import ROOT

DOCS: Final = ROOT / "docs"
BEGIN: Final = "<!-- written by `make bench` -->"
END: Final = "<!-- end of what `make bench` writes -->"
HEAD: Final = ("", "what", "value", "ours", "the other", "aim", "floor", "reaches")


def row(figure: Figure) -> tuple[str, ...]:
    """Return a figure as a row of the table."""
    mark = figure.mark
    value = f"{number(figure.value)}{mark.unit}"
    return (
        *(figure.name, mark.says, value, figure.ours, figure.theirs),
        *(mark.limit(mark.aim), mark.limit(mark.floor), figure.verdict),
    )


def terminal(figures: Sequence[Figure]) -> str:
    """Return the table for people in front of a terminal: no long words, columns aligned."""
    rows = [(one[0], one[2], one[5], one[6], one[7], one[3], one[4]) for one in (HEAD, *map(row, figures))]
    widths = [max(len(line[column]) for line in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in rows)


def markdown(figures: Sequence[Figure], facts: Sequence[tuple[str, str]]) -> str:
    """Return the table and where it was measured, as Markdown."""
    lines = [HEAD, ("---",) * len(HEAD), *map(row, figures)]
    place = [("where", ""), ("---", "---"), *facts]
    return "\n\n".join("\n".join(f"| {' | '.join(line)} |" for line in part) for part in (lines, place))


def write(page: str, part: str, docs: Path = DOCS) -> None:
    """Put a part between the marks of a page. Raises ValueError when a mark is missing."""
    path = docs / page
    before, begin, rest = path.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} needs the marks {BEGIN!r} and {END!r}")
    path.write_text(f"{before}{BEGIN}\n\n{part}\n\n{END}{after}", "utf-8")
