"""Indexes: define, list, read, delete. A definition goes in and out in the one shape of docs/api/indexes.md."""

from typing import Final

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from ingest_queue.schema.definition import Definition
from web.api.loading import body, query
from web.api.schemas import DefinitionBody, DeleteIndexQuery
from web.current import engine

bp: Final = Blueprint("indexes", __name__)
DEFINITION: Final = DefinitionBody()


@bp.post("/indexes")
@query()
def create() -> ResponseReturnValue:
    """Make an index; the same definition again is a success that changes nothing."""
    made = engine.create_index(Definition.parse(body(DEFINITION)))
    return made.to_json(), 201, {"Location": url_for("api.indexes.show", slug=made.slug)}


@bp.get("/indexes")
@query()
def list_indexes() -> ResponseReturnValue:
    """Answer all definitions by slug."""
    return {"indexes": [definition.to_json() for definition in engine.indexes()]}


@bp.get("/indexes/<slug>")
@query()
def show(slug: str) -> ResponseReturnValue:
    """Answer one definition."""
    return engine.get_index(slug).to_json()


@bp.delete("/indexes/<slug>")
@query(DeleteIndexQuery)
def delete(slug: str, force: bool) -> ResponseReturnValue:
    """Delete an index and its documents."""
    engine.delete_index(slug, force=force)
    return "", 204
