"""The OpenAPI documents of all dialects, and a page made from them for people. Nothing of it is loaded from elsewhere."""

from pathlib import Path
from typing import Any, Final

import orjson
from flask import Blueprint, Flask, Response, current_app, render_template
from flask.typing import ResponseReturnValue

from ingest_queue.errors import Missing
from web.access import Need
from web.api.shapes import words
from web.calls import call
from web.dialect import DIALECTS, JSON, Dialect
from web.openapi import document

bp: Final = Blueprint("openapi", __name__)
MADE: Final = "ingest_queue.openapi"  # where an application keeps the documents that it has made
NATIVE: Final = "native"
STYLE: Final = (Path(__file__).parent / "docs.css").read_text("utf-8")
POLICY: Final = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def documents(app: Flask) -> dict[str, dict[str, Any]]:
    """Return the document of each dialect by its name; they are made once."""
    made: dict[str, dict[str, Any]] = app.extensions.setdefault(MADE, {})
    dialects: tuple[Dialect, ...] = app.extensions[DIALECTS]
    for dialect in dialects:
        if dialect.name not in made:
            made[dialect.name] = document(app, dialect)
    return made


@bp.get("/openapi.json", defaults={"dialect": NATIVE}, endpoint="show_native")
@bp.get("/openapi/<dialect>.json")
@call(Need.ANYONE, answers={200: JSON}, errors=(404,))
def show(dialect: str) -> ResponseReturnValue:
    """Answer the OpenAPI document of a dialect."""
    return Response(orjson.dumps(_found(dialect), option=orjson.OPT_INDENT_2), content_type=JSON)


@bp.get("/docs", defaults={"dialect": NATIVE}, endpoint="read_native")
@bp.get("/docs/<dialect>")
@call(Need.ANYONE, answers={200: "text/html"}, errors=(404,))
def read(dialect: str) -> ResponseReturnValue:
    """Show the document of a dialect as a page."""
    page = render_template("api_docs.html", found=_found(dialect), name=dialect, names=list(documents(current_app)), words=words)
    return Response(page, headers={"Content-Security-Policy": POLICY})


@bp.get("/docs/style.css")
@call(Need.ANYONE, answers={200: "text/css"})
def style() -> ResponseReturnValue:
    """Answer how the page looks."""
    return Response(STYLE, content_type="text/css; charset=utf-8")


def _found(dialect: str) -> dict[str, Any]:
    if dialect not in documents(current_app):
        known = ", ".join(documents(current_app))
        raise Missing("document_not_found", f"there is no document {dialect!r}; there are {known}")
    return documents(current_app)[dialect]
