"""The examples of docs/api, read from the pages, and how far an answer is like the one that a page shows.

An example is a ```sh fence with one `curl`; the line behind it promises a status and perhaps a `Location` and a content type,
and a ```json fence right behind that line shows the body. `200: the job` promises the shape of the page's first body.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

DOCS: Final = Path(__file__).parents[2] / "docs" / "api"
FENCE: Final = re.compile(
    r"^```sh\n(?P<command>curl .*?)^```\n(?P<promise>\d{3}\b[^\n]*\n)?(?:```json\n(?P<body>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
HEADING: Final = re.compile(r"^## (.*)$", re.MULTILINE)
FIRST_BODY: Final = re.compile(r"^\d{3}[^\n]*\n```json\n(.*?)^```", re.MULTILINE | re.DOTALL)

ID: Final = re.compile(r"[0-9a-f]{12}|[0-9a-f]{32}")
ID_KEYS: Final = {"id", "job_id", "jobId", "key_id"}
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?|\b1\d{12,15}\b")  # a date, or milliseconds or more
MOVING: Final = {"rate_per_s", "eta_s", "waiting_for", "durationMs", "secret", "redis", "cluster"}  # differ from run to run
EARLIEST_MS: Final = 10**12


@dataclass(frozen=True)
class Example:
    """One call as a page shows it, `number` from 0 within its page."""

    page: str
    number: int
    heading: str
    command: str
    promise: str  # the line behind the command
    body: str  # JSON, or nothing
    exact: bool = True  # False: the body is another call's, and shows the shape

    @property
    def status(self) -> int:
        return int(self.promise[:3])

    @property
    def location(self) -> str:
        found = re.search(r"`Location: (\S+)`", self.promise)
        return found[1] if found else ""

    @property
    def content_type(self) -> str:
        found = re.search(r", `([a-z]+/[a-z.+-]+)`", self.promise)
        return found[1] if found else ""

    def __str__(self) -> str:
        return f"{self.page} {self.number} {self.heading}"


def examples_of(page: Path) -> list[Example]:
    """Return a page's examples in its order."""
    text = page.read_text()
    titles = [(found.start(), found[1].replace("`", "")) for found in HEADING.finditer(text)]
    first = FIRST_BODY.search(text)
    made = []
    for number, found in enumerate(FENCE.finditer(text)):
        heading = [title for start, title in titles if start < found.start()][-1]
        body, promise = found["body"] or "", found["promise"] or ""
        exact = bool(body) or first is None or not re.match(r"\d+: the ", promise)
        shown = body if exact or first is None else first[1]
        made.append(Example(page.stem, number, heading, found["command"].strip(), promise, shown, exact=exact))
    return made


def all_examples() -> list[Example]:
    """Return the examples of all pages."""
    return [one for page in sorted(DOCS.glob("*.md")) for one in examples_of(page)]


def headings() -> set[tuple[str, str]]:
    """Return (page, heading) of all sections that have examples."""
    return {(one.page, one.heading) for one in all_examples()}


def ids(shown: Any, found: Any) -> Iterator[tuple[str, str]]:
    """Yield (id on the page, real id) for every id that stands in the same place of both."""
    if isinstance(shown, dict) and isinstance(found, dict):
        for key in shown.keys() & found.keys():
            here, there = shown[key], found[key]
            if key in ID_KEYS and isinstance(here, str) and isinstance(there, str) and ID.fullmatch(here) and ID.fullmatch(there):
                yield here, there
            yield from ids(here, there)
    elif isinstance(shown, list) and isinstance(found, list):
        for here, there in zip(shown, found, strict=False):
            yield from ids(here, there)


def differences(shown: Any, found: Any, at: str = "$", *, exact: bool = True) -> Iterator[str]:
    """Yield where an answer is not as the page shows it; without `exact` keys and types count, and values do not."""
    loose = not exact or at.rsplit(".", 1)[-1] in MOVING
    if isinstance(shown, dict) and isinstance(found, dict):
        if shown.keys() != found.keys() and (exact or shown):
            yield f"{at} has the keys {sorted(found)}, on the page {sorted(shown)}"
        for key in shown.keys() & found.keys():
            yield from differences(shown[key], found[key], f"{at}.{key}", exact=exact)
    elif isinstance(shown, list) and isinstance(found, list):
        if exact and len(shown) != len(found):
            yield f"{at} has {len(found)} items, on the page {len(shown)}: {found}"
        for number, (here, there) in enumerate(zip(shown, found, strict=False)):
            yield from differences(here, there, f"{at}[{number}]", exact=exact)
    elif (shown is None or found is None) and loose:
        return
    elif kind(shown) != kind(found) or (not loose and still(shown) != still(found)):
        yield f"{at} is {found!r}, on the page {shown!r}"


def kind(value: Any) -> str:
    """Return the JSON type."""
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def still(value: Any) -> Any:
    """Return a value without what differs from run to run: moments."""
    if isinstance(value, str):
        return MOMENT.sub("…", value)
    return "…" if kind(value) == "number" and value >= EARLIEST_MS else value
