"""Other products' HTTP shapes over the engine, a module each. None knows another, and none holds a rule of its own."""

from web.dialect import Dialect
from web.dialects import aacsearch, aacsearch_schemas, open_archiver, open_archiver_schemas, opensolr, opensolr_schemas

BLUEPRINTS = (*opensolr.BLUEPRINTS, *aacsearch.BLUEPRINTS, *open_archiver.BLUEPRINTS)
BEARER = {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer <key>"}
DIALECTS = (
    Dialect(
        name="opensolr",
        title="Ingest Queue for Opensolr clients",
        description="Opensolr's data ingestion API. Every call takes `email` and `api_key`; a query, a form or JSON will do.",
        blueprints=tuple(blueprint.name for blueprint in opensolr.BLUEPRINTS),
        error=opensolr_schemas.ErrorReply,
    ),
    Dialect(
        name="aacsearch",
        title="Ingest Queue for AACsearch clients",
        description="AACsearch's import jobs and the indexes that they write to.",
        blueprints=tuple(blueprint.name for blueprint in aacsearch.BLUEPRINTS),
        error=aacsearch_schemas.ErrorReply,
        schemes={"bearer": BEARER},
        links={
            aacsearch_schemas.QueuedReply: ("job_id", "jobId"),
            aacsearch_schemas.JobReply: ("job_id", "id"),
            aacsearch_schemas.IndexReply: ("index", "id"),
        },
    ),
    Dialect(
        name="open-archiver",
        title="Ingest Queue for Open Archiver clients",
        description="Open Archiver's Jobs API: two queues, for operators of the installation.",
        blueprints=tuple(blueprint.name for blueprint in open_archiver.BLUEPRINTS),
        error=open_archiver_schemas.ErrorReply,
        schemes={
            "bearer": BEARER,
            "api_key": {"type": "apiKey", "in": "header", "name": "X-API-KEY", "description": "X-API-KEY: <key>"},
        },
    ),
)
