"""Opensolr's data ingestion API over our jobs, at /api and /solr_manager/api: docs/api/opensolr.md.

Its document is "Data Ingestion Queue". A call's parameters may stand in a query, a form or a JSON object; `email` and
`api_key` are among them, and the e-mail is who a job and the audit name.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from flask import Blueprint
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from ingest_queue.access.actor import Actor
from ingest_queue.errors import Invalid, Unauthenticated
from ingest_queue.intake.body import Form
from ingest_queue.job import Job
from ingest_queue.states import DELETE, Event, State
from web import limits
from web.access import Door, Need, actor
from web.calls import View, call
from web.current import config, engine
from web.dialects.opensolr_documents import check_takes_uris, ids_in, ids_of, is_searchable, lacking, takes_uris
from web.dialects.opensolr_errors import envelope
from web.dialects.opensolr_parameters import loading, problem, text
from web.dialects.opensolr_schemas import (
    DEEPEST,
    ActionCall,
    ActionReply,
    Credentials,
    IngestCall,
    IngestReply,
    JobReply,
    QueueCall,
    QueueReply,
    SchemaCall,
    SchemaReply,
    StatusCall,
    StatusReply,
)
from web.dialects.opensolr_words import ACTIONS, ASKED, DONE, LABELS, NUMBERS, ORIGINS, Shown
from web.errors import ENVELOPES
from web.loading import check_names
from web.once import ONCE_HEADER, repeat_of

SHOWN_ERRORS: Final = 50
JOB: Final = JobReply()
bp: Final = Blueprint("calls", __name__)


def user_of(found: Actor) -> Actor:
    """Return the key's holder by the e-mail of the request, a user of the same account. Raises Unauthenticated."""
    user = engine.directory.member(text("email") or "", found.account)
    if user is None:
        raise Unauthenticated("unknown_user", "this e-mail is no user of the key's account")
    return replace(found, name=user.email)


CLIENT: Final = Door(secret=lambda: text("api_key"), known_as=user_of, operators=False)


def called(schema: type[Credentials], reply: type[Schema], *errors: int, once: bool = False) -> Callable[[View], View]:
    """Decorate a view of this dialect: its parameters become keyword arguments, e-mail and key left out."""
    headers = (ONCE_HEADER,) if once else ()
    return call(
        Need.INGEST,
        query=schema,
        body=schema,
        answers={200: reply},
        errors=(400, *errors),
        headers=headers,
        door=CLIENT,
        reads=loading,
    )


@bp.post("/ingest")
@called(IngestCall, IngestReply, 403, 413, 415, once=True)
def ingest(core_name: str, documents: bytes) -> ResponseReturnValue:
    """Make a job of the documents; answer its id and theirs, or those of the first job when the request came again."""
    by = actor()
    limits.submit(f"account:{by.account}")
    check_index(core_name, by)
    doc_ids: list[Any] = ids_of("documents", documents, config)
    once = repeat_of(core_name, said=documents)
    job = engine.submit(core_name, iter([documents]), form=Form.ARRAY, by=by, once=once)
    if once.key:  # a key may come again with other documents: the job's own are those of its first time
        doc_ids = ids_in(b"".join(engine.payload(job.id, by=by)).splitlines())
    return {"status": True, "msg": "QUEUED", "job_id": job.id, "total_docs": job.counts.total, "doc_ids": doc_ids}


@bp.route("/ingest_status", methods=["GET", "POST"])
@called(StatusCall, StatusReply, 404)
def ingest_status(job_id: str) -> ResponseReturnValue:
    """Answer one job."""
    check_names({"job_id": job_id})
    return {"status": True, "job": shown(engine.get(job_id, by=actor()))}


@bp.route("/ingest_queue", methods=["GET", "POST"])
@called(QueueCall, QueueReply, 403)
def ingest_queue(core_name: str | None, page: int, limit: int) -> ResponseReturnValue:
    """Answer a page of the jobs of one index or of all, newest first, and how many there are in each state."""
    by, offset = actor(), (page - 1) * limit
    if core_name is not None:
        check_names({"slug": core_name})
        engine.indexes.get(core_name, by=by)
    if offset >= DEEPEST:
        wrong = problem("page", "invalid_parameter", f"pages reach {DEEPEST} jobs; ask by `core_name`, or for fewer")
        raise Invalid("invalid_parameter", wrong["message"], errors=[wrong])
    counts = engine.counts(index=core_name, by=by)
    labels = {label: sum(counts[state] for state in State if LABELS[state] == label) for label in NUMBERS}
    jobs = engine.list(index=core_name, by=by, limit=limit, offset=offset).items
    return {
        "status": True,
        "core_name": core_name,
        "counts": labels,
        "total": sum(labels.values()),
        "jobs": [shown(job) for job in jobs],
    }


@bp.post("/ingest_queue_action")
@called(ActionCall, ActionReply, 403, 404, 409, 413, 415, once=True)
def ingest_queue_action(job_id: str, queue_action: str, payload: bytes | None) -> ResponseReturnValue:
    """Do what was asked with a job; answer it as it then stands, a deleted one as it stood."""
    verb = ACTIONS.get(queue_action)
    if verb is None:
        raise Invalid("unknown_action", f"queue_action is one of {', '.join(ACTIONS)}")
    check_names({"job_id": job_id})
    by = actor()
    if verb == DELETE:
        gone = shown(engine.get(job_id, by=by))
        engine.delete(job_id, by=by)
        return {"status": True, "msg": "DELETED", "job": gone}
    if verb == Event.EDIT:
        return save_payload(job_id, payload, by)
    job = engine.ask(
        job_id, Event(verb), by=by, call=repeat_of(job_id, queue_action).key, origins=ORIGINS.get(verb, tuple(State))
    )
    return {"status": True, "msg": ASKED.get(job.state, DONE[verb]), "job": shown(job)}


def save_payload(job_id: str, payload: bytes | None, by: Actor) -> ResponseReturnValue:
    """Put other documents in the place of a resting job's; answer their ids."""
    if payload is None:
        raise Invalid("missing_parameter", "these parameters are missing: payload")
    check_index(engine.get(job_id, by=by).index, by)
    doc_ids = ids_of("payload", payload, config)
    job = engine.edit(job_id, iter([payload]), form=Form.ARRAY, by=by)
    told = {"job": shown(job), "doc_ids": doc_ids, "total_docs": job.counts.total}
    return {"status": True, "msg": DONE[Event.EDIT], **told}


@bp.post("/check_schema")
@called(SchemaCall, SchemaReply, 403)
def check_schema(core_name: str) -> ResponseReturnValue:
    """Answer whether documents of this API can be sent to an index, and what it lacks."""
    check_names({"slug": core_name})
    definition = engine.indexes.get(core_name, by=actor())
    missing = lacking(definition)
    capabilities = {
        "ingestion": takes_uris(definition),
        "vector_search": False,
        "pdf_pages": False,
        "keyword_search": is_searchable(definition),
    }
    lacks = {"missing": missing} if missing else {}
    return {"status": True, "ready": not missing, "capabilities": capabilities, **lacks}


def check_index(core_name: str, by: Actor) -> None:
    """Raise Missing for an index that is not the actor's, Invalid for one whose ids are not those of this API."""
    check_names({"slug": core_name})
    check_takes_uris(engine.indexes.get(core_name, by=by))


def shown(job: Job) -> dict[str, Any]:
    """Return a job as this API shows it, with its first failed documents."""
    errors = engine.failures(job.id, limit=SHOWN_ERRORS, by=actor()).items if job.counts.failed else ()
    told: dict[str, Any] = JOB.dump(Shown(job, errors))
    return told


BLUEPRINTS: Final = (
    Blueprint("opensolr", __name__, url_prefix="/api"),
    Blueprint("opensolr_solr_manager", __name__, url_prefix="/solr_manager/api"),
)
for blueprint in BLUEPRINTS:
    blueprint.register_blueprint(bp)
ENVELOPES.extend((prefix, envelope) for prefix in ("/api/ingest", "/api/check_schema", "/solr_manager/api"))
