"""What is installed is what is imported, and each of it has its reason."""

import ast
import re
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = {"ingest_queue", "web", "workers"}
NOT_IMPORTED = {"hiredis", "six"}  # redis-py finds the one by itself; rq-dashboard imports the other and does not say so


def setup_cfg() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def names(requirements: str) -> set[str]:
    found = {re.split(r"[\[<>=]", line.strip())[0] for line in requirements.splitlines() if line.strip()}
    return found - {"ingest-queue"}


def imported() -> Iterator[str]:
    for package in sorted(OURS):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    yield str(node.module).partition(".")[0]


def test_exactly_what_is_imported_is_required() -> None:
    """A package that another one happens to bring is gone with its next release; one that nobody uses is a risk for nothing."""
    outside = set(imported()) - OURS - set(sys.stdlib_module_names)
    distributions = {distribution.lower() for module in outside for distribution in packages_distributions()[module]}
    required = names(setup_cfg()["options"]["install_requires"])
    assert distributions == required - NOT_IMPORTED


def test_each_dependency_has_its_reason_in_the_docs() -> None:
    """Who audits an installation reads docs/dependencies.md, so it must be whole and true."""
    parser = setup_cfg()
    required = names(parser["options"]["install_requires"]).union(*map(names, parser["options.extras_require"].values()))
    assert set(re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)) == required


def test_every_file_that_is_no_module_is_shipped() -> None:
    """An installation without its Lua scripts starts, and fails at its first job."""
    shipped: set[Path] = set()
    for package, patterns in setup_cfg()["options.package_data"].items():
        place = ROOT / package.replace(".", "/")
        assert (place / "__init__.py").exists(), f"{package} is no package, so its data is left out"
        shipped.update(found for pattern in patterns.split() for found in place.glob(pattern))
    files = {path for package in OURS for path in (ROOT / package).rglob("*") if path.is_file()}
    modules = {path for path in files if path.suffix in (".py", ".pyc") and path.name.count(".") == 1}
    assert {path for path in files - modules if "__pycache__" not in path.parts} == shipped
