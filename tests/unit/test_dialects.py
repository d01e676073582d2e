"""Dialects are shapes: each of one product, short enough to be read at once, and without knowledge of the others."""

import ast
from pathlib import Path

import pytest

from web import dialects

FILES = sorted(Path(dialects.__path__[0]).glob("[a-z]*.py"))
PRODUCTS = {file.stem for file in FILES if not any(file.stem.startswith(f"{other.stem}_") for other in FILES)}


def test_each_product_has_its_way_in() -> None:
    """A dialect that is not registered answers nobody."""
    prefixes = {product: [one.name for one in dialects.BLUEPRINTS if one.name.startswith(product)] for product in PRODUCTS}
    assert all(prefixes.values()) and sum(map(len, prefixes.values())) == len(dialects.BLUEPRINTS), prefixes


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_dialect_knows_another(file: Path) -> None:
    """What two of them share belongs to the engine; a word that one lends to another binds two products together."""
    own = next(product for product in PRODUCTS if file.stem == product or file.stem.startswith(f"{product}_"))
    tree = ast.walk(ast.parse(file.read_text("utf-8")))
    names = [f"{node.module}.{alias.name}" for node in tree if isinstance(node, ast.ImportFrom) for alias in node.names]
    dialects_of = [name for name in names if name.startswith("web.dialects.")]
    assert all(name.startswith(f"web.dialects.{own}") for name in dialects_of), dialects_of
    assert not [name for name in names if name.startswith(("ingest_queue.store", "web.api"))]


@pytest.mark.parametrize("file", [file for file in FILES if file.stem in PRODUCTS], ids=lambda file: file.stem)
def test_a_dialect_is_short_and_names_its_document(file: Path) -> None:
    """Whoever knows the product's document must find each of its calls here at one glance."""
    text = file.read_text("utf-8")
    assert len(text.splitlines()) < 200
    assert "docs/api/" in (ast.get_docstring(ast.parse(text)) or "")
