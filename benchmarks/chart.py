"""Draws throughput over bulk size, a line a window, the others as level lines, as plain SVG: no library, no script."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, log
from typing import Final

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 440, 70, 170, 50, 60
OURS_COLOURS: Final = ("#9ecae1", "#3182bd", "#08306b", "#54278f")
OTHERS_COLOURS: Final = ("#555555", "#d94801", "#238b45", "#6a51a3", "#b10026")


@dataclass(frozen=True, slots=True)
class Point:
    """Documents a second of a client at a window and bulk size; both are 0 for a client that is shown as a level line."""

    client: str
    window: int
    bulk: int
    rate: float


def svg(points: Sequence[Point], title: str) -> str:
    """Return the chart."""
    swept = [point for point in points if point.bulk]
    level = [point for point in points if not point.bulk]
    bulks = sorted({point.bulk for point in swept})
    step = 20_000 if max(point.rate for point in points) > 60_000 else 10_000
    most = step * ceil(max(point.rate for point in points) / step)

    def x(bulk: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * log(bulk / bulks[0]) / log(bulks[-1] / bulks[0])

    def y(rate: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * rate / most

    def parts() -> Iterator[str]:
        yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
        yield f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="#ffffff"/>'
        yield f'<text x="{LEFT}" y="24" font-size="14" font-weight="bold">{escape(title)}</text>'
        for rate in range(0, most + 1, step):
            yield f'<path d="M{LEFT} {y(rate):.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>'
            yield f'<text x="{LEFT - 8}" y="{y(rate) + 4:.1f}" text-anchor="end">{rate // 1000} k/s</text>'
        for bulk in bulks:
            yield f'<text x="{x(bulk):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{bulk}</text>'
        yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 16}" text-anchor="middle">documents a bulk</text>'
        labels: list[tuple[float, str, str]] = []
        for point, colour in zip(level, OTHERS_COLOURS, strict=False):
            yield f'<path d="M{LEFT} {y(point.rate):.1f}H{WIDTH - RIGHT}" stroke="{colour}" stroke-dasharray="6 4"/>'
            labels.append((y(point.rate), point.client, colour))
        for window, colour in zip(sorted({point.window for point in swept}), OURS_COLOURS, strict=False):
            line = sorted((point.bulk, point.rate) for point in swept if point.window == window)
            places = [f"{x(bulk):.1f} {y(rate):.1f}" for bulk, rate in line]
            yield f'<path d="M{"L".join(places)}" fill="none" stroke="{colour}" stroke-width="2.5"/>'
            yield from (f'<circle cx="{x(bulk):.1f}" cy="{y(rate):.1f}" r="3" fill="{colour}"/>' for bulk, rate in line)
            labels.append((y(line[-1][1]), f"{swept[0].client}, window {window}", colour))
        labels.sort()
        for place, (_, text, colour) in zip(_apart([down for down, _, _ in labels]), labels, strict=True):
            yield f'<text x="{WIDTH - RIGHT + 10}" y="{place + 4:.1f}" fill="{colour}">{escape(text)}</text>'
        yield "</svg>"

    return "\n".join(parts()) + "\n"


def _apart(places: Sequence[float], least: float = 15.0) -> list[float]:
    """Move labels down until none covers another, then all up as far as the last one went too low."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + least) if moved else place)
    too_low = max(0.0, moved[-1] - (HEIGHT - BOTTOM)) if moved else 0.0
    return [place - too_low for place in moved]
