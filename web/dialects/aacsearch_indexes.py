"""The indexes of AACsearch's API, as far as import jobs need them: docs/api/aacsearch.md."""

from typing import Any, Final

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from ingest_queue import indexes
from ingest_queue.schema.definition import Definition, Rule
from ingest_queue.times import moment
from web.access import Need, actor
from web.calls import account, call
from web.current import engine
from web.dialects.aacsearch_door import KEYS, warn
from web.dialects.aacsearch_schemas import (
    DeletedReply,
    DeleteIndexQuery,
    IndexBody,
    IndexesReply,
    IndexReply,
    Lenient,
    StatsReply,
    summary,
)
from web.loading import body, check_names

BODY: Final = IndexBody()
EXTERNAL_ID: Final = {"rule": Rule.FIELD.value, "field": "external_id"}

bp: Final = Blueprint("aacsearch_indexes", __name__, url_prefix="/api/v1")
bp.after_request(warn)


def slug_of(index: str) -> str:
    """Return the slug of the index that an id or a slug names.

    What begins like an id is one, so that a name never comes to mean another index when its own is deleted. Raises Missing.
    """
    slug = index.removeprefix(f"{actor().account_for(account())}_")
    check_names({"slug": slug})
    return slug


def account_of(slug: str) -> str:
    """Return the account with this slug; somebody else's is missing. Raises Missing."""
    return engine.directory.account(slug, by=actor()).slug


def shown(definition: Definition, owner: str) -> dict[str, Any]:
    """Return an index as this API shows it."""
    told = definition.to_json()
    rule = told.pop("id")
    slug = definition.slug
    return {"id": indexes.alias(owner, slug), "slug": slug, "name": slug, "externalIdField": rule["field"]} | told


@bp.get("/projects/<account_slug>/indexes")
@call(Need.SEARCH, query=Lenient, answers={200: IndexesReply}, errors=(404,), door=KEYS)
def list_indexes(account_slug: str) -> ResponseReturnValue:
    """Answer the account's indexes by slug."""
    owner = account_of(account_slug)
    return {"indexes": [shown(one, owner) for one in engine.indexes.all(by=actor(), account=owner)]}


@bp.post("/projects/<account_slug>/indexes")
@call(Need.ADMIN, query=Lenient, body=IndexBody, answers={201: IndexReply}, errors=(400, 404, 409, 413, 415), door=KEYS)
def create(account_slug: str) -> ResponseReturnValue:
    """Make an index; the same one again is a success that changes nothing."""
    owner = account_of(account_slug)
    made = engine.indexes.create(Definition.parse(body(BODY) | {"id": EXTERNAL_ID}), by=actor(), account=owner)
    found = shown(made, owner)
    return found, 201, {"Location": url_for(".show", index=found["id"])}


@bp.get("/indexes/<index>")
@call(Need.SEARCH, query=Lenient, answers={200: IndexReply}, errors=(404,), by_account=True, door=KEYS)
def show(index: str) -> ResponseReturnValue:
    """Answer one index."""
    owner = actor().account_for(account())
    return shown(engine.indexes.get(slug_of(index), by=actor(), account=owner), owner)


@bp.delete("/indexes/<index>")
@call(Need.ADMIN, query=DeleteIndexQuery, answers={200: DeletedReply}, errors=(400, 404, 409), by_account=True, door=KEYS)
def delete(index: str, force: bool) -> ResponseReturnValue:
    """Delete an index and its documents."""
    owner, slug = actor().account_for(account()), slug_of(index)
    engine.indexes.delete(slug, force=force, by=actor(), account=owner)
    return {"id": indexes.alias(owner, slug), "deleted": True}


@bp.get("/indexes/<index>/stats")
@call(Need.SEARCH, query=Lenient, answers={200: StatsReply}, errors=(404, 503), by_account=True, door=KEYS)
def stats(index: str) -> ResponseReturnValue:
    """Answer what the index holds and what its jobs are doing."""
    owner, slug = actor().account_for(account()), slug_of(index)
    documents = engine.indexes.documents(slug, by=actor(), account=owner)
    quota = engine.quota(owner, by=actor())
    return {
        "id": indexes.alias(owner, slug),
        "slug": slug,
        "documents": documents,
        "jobs": summary(engine.counts(index=slug, by=actor(), account=owner)),
        "quota": {"limit": quota.limit, "used": quota.used, "reset": moment(quota.resets_at)},
    }
