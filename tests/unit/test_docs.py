"""The docs say what the code says: what can be compared is compared here."""

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

import ingest_queue
from ingest_queue.config import Config, variable
from ingest_queue.states import Event, State
from ingest_queue.store.metrics import BULKS, METRICS, Metric

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
DECISIONS = sorted((DOCS / "adr").glob("*.md"))
MODULE = re.compile(r"`([a-z_]+(?:\.[a-z_]+)*)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
METRICS_PAGE = (DOCS / "metrics.md").read_text("utf-8")
SPAN = re.compile(r"`[^`\n]+`")


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    """The program that writes the generated parts; docs/ is no package."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def walk(text: str, head: str) -> dict[str, str]:
    """Return the numbered parts of a text: number -> what stands under it."""
    parts = re.split(head, text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], (part.split("\n\n")[0] for part in parts[2::2]), strict=True))


def anchors(page: Path) -> set[str]:
    """Return what a link may name behind #: GitHub's form of each heading."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def code_of(page: Path) -> Iterator[str]:
    """Yield what a page shows as code: its fences and spans."""
    text = page.read_text("utf-8")
    yield from FENCE.findall(text)
    yield from SPAN.findall(FENCE.sub("", text))


def test_generated_parts_are_in_step_with_the_code(generate: ModuleType) -> None:
    """A table that is a version behind misleads more than none."""
    assert list(generate.stale(DOCS)) == [], "run `make docs`"


def test_check_names_a_stale_page_and_writing_mends_it(
    generate: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CI relies on the exit code, people on the name of the page."""
    for name in generate.PAGES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((DOCS / name).read_text("utf-8"), "utf-8")
    page = tmp_path / "states.md"
    page.write_text(page.read_text("utf-8").replace(f"`{State.PAUSED.value}`", "`asleep`"), "utf-8")

    assert generate.main(["--check"], tmp_path) == 1
    assert "states.md" in capsys.readouterr().err
    assert generate.main([], tmp_path) == 0
    assert generate.main(["--check"], tmp_path) == 0


def test_a_page_without_marks_is_an_error(generate: ModuleType) -> None:
    """A page whose marks were lost would silently never be renewed again."""
    with pytest.raises(ValueError, match="marks"):
        generate.renewed("# A page\n", "a part")


@pytest.mark.parametrize("kind", [State, Event])
def test_each_state_and_event_says_what_it_means(generate: ModuleType, kind: type[State] | type[Event]) -> None:
    """The docs' tables take these half lines; one that is missing would leave an empty cell or an error."""
    assert set(generate.meanings(kind)) == {member.value for member in kind}


def test_the_walk_names_modules_that_exist_in_nine_steps() -> None:
    """The walk is where a new reader begins; a wrong name there sends them astray."""
    steps = walk(ingest_queue.__doc__ or "", r"^(\d)\. ")
    assert list(steps) == list("123456789")

    for name in MODULE.findall(ingest_queue.__doc__ or ""):
        spec = importlib.util.find_spec(f"ingest_queue.{name}")
        assert spec is not None and spec.origin is not None, f"ingest_queue.{name}"


def test_how_it_works_follows_the_walk() -> None:
    """Two walks that part would explain two systems."""
    said = walk(ingest_queue.__doc__ or "", r"^(\d)\. ")
    told = dict(re.findall(r"^## (\d)\. .*\n((?:(?!^## ).*\n)+)", (DOCS / "how-it-works.md").read_text("utf-8"), re.MULTILINE))

    assert list(told) == list(said)
    for number, text in said.items():
        assert set(MODULE.findall(text)) <= set(MODULE.findall(told[number])), number


@pytest.mark.parametrize("name", [variable(item.name) for item in fields(Config)])
def test_each_setting_is_documented(name: str) -> None:
    """A setting that nobody can find is not one."""
    assert f"| {name} |" in (DOCS / "configuration.md").read_text("utf-8")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_each_metric_is_documented(metric: Metric) -> None:
    """Who writes an alert at night must find what a number means."""
    assert metric.meaning and re.search(rf"^\| `{metric.name}` \|.*\| .+ \|$", METRICS_PAGE, re.MULTILINE)


def test_alerts_of_the_docs_name_metrics_that_exist() -> None:
    """An expression over a name that nobody writes is silent for ever."""
    named = set(re.findall(r"\bingest_[a-z_]+", METRICS_PAGE)) - {"ingest_queue"}
    shown = {metric.name for metric in METRICS} | {f"{BULKS.name}_{part}" for part in ("bucket", "count", "sum")}
    assert named <= shown


def test_docs_name_no_setting_that_does_not_exist() -> None:
    """The environment of whoever follows the docs would be refused at start."""
    known = {variable(item.name) for item in fields(Config)}
    for page in PAGES:
        named = set(re.findall(r"\bINGEST_[A-Z_]*[A-Z]\b(?!_?…)", page.read_text("utf-8")))
        assert {name for name in named if not name.startswith("INGEST_TEST_")} <= known, page.name


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_short_and_whole(page: Path) -> None:
    """Decisions are read only when they fit a screen, and help only when they say what was considered."""
    text = page.read_text("utf-8")
    number = int(page.stem.partition("-")[0])

    assert len(text.splitlines()) <= 40
    assert text.startswith(f"# {number}. ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Considered"]


def test_decisions_are_numbered_without_gaps() -> None:
    """A missing number looks like a decision that was hidden."""
    assert [int(page.stem.partition("-")[0]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert len(DECISIONS) >= 9


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_relative_link_leads_somewhere(page: Path) -> None:
    """A reader who meets one dead link stops following the others."""
    for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_each_make_target_of_the_readme_exists() -> None:
    """`make` is the first thing that a new reader types."""
    named = {name for code in code_of(ROOT / "README.md") for name in re.findall(r"^`?make ([a-z-]+)", code, re.MULTILINE)}
    targets = set(re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert {"demo", "test"} <= named
    assert named <= targets
