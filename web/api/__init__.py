"""The native API: jobs, indexes and access as this product sees them, at /api. A view loads, calls the engine once, dumps."""

from typing import Final

from flask import Blueprint

from web.api import accounts, audit, documents, failures, health, indexes, jobs, keys, metrics, openapi, settings, users
from web.api.access_schemas import AccountReply, IssuedReply, UserReply
from web.api.definition_schemas import DefinitionReply
from web.api.schemas import JobReply, ProblemReply
from web.dialect import Dialect

api = Blueprint("api", __name__, url_prefix="/api")
for part in (indexes, documents, jobs, failures, accounts, users, keys, audit, settings, openapi):
    api.register_blueprint(part.bp)

BLUEPRINTS = (api, health.bp, metrics.bp)
NATIVE: Final = Dialect(
    name=openapi.NATIVE,
    title="Ingest Queue",
    description="Durable jobs that feed documents into search indexes: submit, watch, control, repair.",
    blueprints=("api", "health", "metrics"),
    error=ProblemReply,
    error_type="application/problem+json",
    schemes={
        "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer <key>"},
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "X-API-Key: <key>"},
    },
    links={
        JobReply: ("job_id", "id"),
        DefinitionReply: ("slug", "slug"),
        AccountReply: ("account_slug", "slug"),
        UserReply: ("email", "email"),
        IssuedReply: ("key_id", "id"),
    },
)
