"""Indexes: define, list, read, delete. A definition goes in and out in the one shape of docs/api/indexes.md."""

from typing import Final

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from ingest_queue.schema.definition import Definition
from web.access import Need, actor
from web.api.definition_schemas import AnyDefinition, DefinitionBody, DefinitionReply, DefinitionsReply, DeleteIndexQuery
from web.calls import account, call
from web.current import engine
from web.loading import body

bp: Final = Blueprint("indexes", __name__)
DEFINITION: Final = AnyDefinition()


@bp.post("/indexes")
@call(Need.ADMIN, body=DefinitionBody, answers={201: DefinitionReply}, errors=(400, 409, 415), by_account=True)
def create() -> ResponseReturnValue:
    """Make an index; the same definition again is a success that changes nothing."""
    made = engine.indexes.create(Definition.parse(body(DEFINITION)), by=actor(), account=account())
    return made.to_json(), 201, {"Location": url_for("api.indexes.show", slug=made.slug)}


@bp.get("/indexes")
@call(Need.SEARCH, answers={200: DefinitionsReply}, errors=(400,), by_account=True)
def list_indexes() -> ResponseReturnValue:
    """Answer all definitions by slug."""
    return {"indexes": [definition.to_json() for definition in engine.indexes.all(by=actor(), account=account())]}


@bp.get("/indexes/<slug>")
@call(Need.SEARCH, answers={200: DefinitionReply}, errors=(400, 404), by_account=True)
def show(slug: str) -> ResponseReturnValue:
    """Answer one definition."""
    return engine.indexes.get(slug, by=actor(), account=account()).to_json()


@bp.delete("/indexes/<slug>")
@call(Need.ADMIN, query=DeleteIndexQuery, answers={204: None}, errors=(400, 404, 409), by_account=True)
def delete(slug: str, force: bool) -> ResponseReturnValue:
    """Delete an index and its documents."""
    engine.indexes.delete(slug, force=force, by=actor(), account=account())
    return "", 204
