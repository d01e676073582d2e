"""What goes in and out of the Opensolr dialect, as marshmallow schemas: the one description of its JSON."""

from datetime import UTC, datetime
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields, validate

from web.dialect import SOMETIMES
from web.dialects.opensolr_words import NUMBERS
from web.loading import Query

PAGE: Final = 50
LONGEST_PAGE: Final = 200
DEEPEST: Final = 10_000  # jobs that pages reach; what lies deeper is found by its index


DOCUMENTS: Final[dict[str, Any]] = {
    "type": "array",
    "minItems": 1,
    "maxItems": 50,
    "items": {"type": "object", "properties": {"uri": {"type": "string", "minLength": 1}}, "required": ["uri"]},
}


class Credentials(Query):
    """Who asks, on every call: a user, and a key of the user's account."""

    class Meta:
        """These clients may send more than is asked for."""

        unknown = EXCLUDE

    email = fields.String(required=True)
    api_key = fields.String(required=True)


class IngestCall(Credentials):
    """`documents`: a JSON array of objects with a `uri` each."""

    core_name = fields.String(required=True)
    documents = fields.Raw(required=True, metadata=DOCUMENTS)


class StatusCall(Credentials):
    """Which job."""

    job_id = fields.String(required=True)


class QueueCall(Credentials):
    """Which index (all when it is left out), and which page of its jobs."""

    core_name = fields.String(load_default=None)
    page = fields.Integer(validate=validate.Range(1, DEEPEST), load_default=1)
    limit = fields.Integer(validate=validate.Range(1, LONGEST_PAGE), load_default=PAGE)


class ActionCall(StatusCall):
    """What to do with a job; `payload` is the JSON array that save_payload puts in the documents' place."""

    queue_action = fields.String(required=True)
    payload = fields.Raw(load_default=None, metadata=DOCUMENTS)


class SchemaCall(Credentials):
    """Which index."""

    core_name = fields.String(required=True)


class Stamp(fields.String):
    """Epoch seconds as `YYYY-MM-DD HH:MM:SS` in UTC, as this product's database writes times."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S")


class DocError(Schema):
    """A document that failed: its number from 0, its id as it was told at submission, and why."""

    index = fields.Integer(attribute="position")
    doc_id = fields.String(attribute="id", allow_none=True)
    field = fields.String(allow_none=True)
    code = fields.String(allow_none=True)
    message = fields.String(attribute="reason", allow_none=True)


class JobReply(Schema):
    """One job. processed_docs = success_docs + failed_docs + those that a newer submission had overtaken."""

    id = fields.String(attribute="job.id")
    core_name = fields.String(attribute="job.index")
    state = fields.Integer()
    state_label = fields.String()
    progress = fields.Integer()
    total_docs = fields.Integer(attribute="total")
    processed_docs = fields.Integer(attribute="job.counts.processed")
    success_docs = fields.Integer(attribute="job.counts.succeeded")
    failed_docs = fields.Integer(attribute="job.counts.failed")
    error = fields.String(attribute="job.error.message", dump_default=None, allow_none=True)
    doc_errors = fields.List(fields.Nested(DocError))
    attempt = fields.Integer(attribute="job.attempts")
    created_at = Stamp(attribute="job.created_at")
    started_at = Stamp(attribute="job.started_at", allow_none=True)
    updated_at = Stamp(attribute="job.updated_at")
    completed_at = Stamp(attribute="job.ended_at", allow_none=True)


class Reply(Schema):
    """What a call answers."""

    status = fields.Boolean()


class IngestReply(Reply):
    """The job that was made, and the ids of its documents in their order."""

    msg = fields.String()
    job_id = fields.String()
    total_docs = fields.Integer()
    doc_ids = fields.List(fields.String(allow_none=True))


class StatusReply(Reply):
    """One job."""

    job = fields.Nested(JobReply)


class ActionReply(StatusReply):
    """What became of the action; ids and number of documents after save_payload."""

    msg = fields.String()
    doc_ids = fields.List(fields.String(), metadata=SOMETIMES)
    total_docs = fields.Integer(metadata=SOMETIMES)


class QueueReply(Reply):
    """How many jobs are in each state, and a page of them, newest first."""

    core_name = fields.String(allow_none=True)
    counts = fields.Dict(keys=fields.String(validate=validate.OneOf(tuple(NUMBERS))), values=fields.Integer())
    total = fields.Integer()
    jobs = fields.List(fields.Nested(JobReply))


class Capabilities(Schema):
    """What this index can do for these clients."""

    ingestion = fields.Boolean()
    vector_search = fields.Boolean()
    pdf_pages = fields.Boolean()
    keyword_search = fields.Boolean()


class ProblemReply(Schema):
    """One thing that is wrong: with a parameter, or with the document at `index` (from 0)."""

    index = fields.Integer(allow_none=True)
    uri = fields.String(allow_none=True)
    field = fields.String(allow_none=True)
    code = fields.String()
    message = fields.String()


class ErrorReply(Reply):
    """What went wrong; `state_label` and `allowed` where the state of the job does not allow it."""

    msg = fields.String()
    detail = fields.String()
    errors = fields.List(fields.Nested(ProblemReply), metadata=SOMETIMES)
    state_label = fields.String(metadata=SOMETIMES)
    allowed = fields.List(fields.String(), metadata=SOMETIMES)


class SchemaReply(Reply):
    """Whether documents can be sent to an index; `missing` says what it lacks."""

    ready = fields.Boolean()
    capabilities = fields.Nested(Capabilities)
    missing = fields.List(fields.String(), metadata=SOMETIMES)
