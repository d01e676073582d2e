"""What goes in and out of AACsearch's API, as marshmallow schemas, and its words for our states. Shapes only."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields, post_dump, validate

from ingest_queue.states import State
from web.dialect import SOMETIMES
from web.loading import Query

WORDS: Final[Mapping[State, str]] = {
    State.PENDING: "pending",
    State.DELAYED: "pending",
    State.RUNNING: "running",
    State.PAUSING: "running",
    State.PAUSED: "pending",  # with "paused": true
    State.STOPPING: "running",
    State.STOPPED: "canceled",  # with "resumable": true
    State.CANCELING: "running",
    State.CANCELED: "canceled",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
}
STATUSES: Final = ("pending", "running", "completed", "failed", "canceled")
STATES: Final = {word: tuple(state for state in State if WORDS[state] == word) for word in STATUSES}
ENDED: Final = STATES["completed"] + STATES["failed"] + STATES["canceled"]
SOURCES: Final = {"UI": ("UI",), "API": ("API", "CLI"), "connector": ("connector",)}  # theirs -> ours
CODES: Final = (
    "invalid_json",
    "missing_external_id",
    "schema_mismatch",
    "validation_error",
    "duplicate_external_id",
)
PAGE: Final = 50
LONGEST_PAGE: Final = 200


def summary(counts: Mapping[State, int]) -> dict[str, int]:
    """Return how many jobs have each status, and all together."""
    found = {word: sum(counts[state] for state in STATES[word]) for word in STATUSES}
    return found | {"total": sum(found.values())}


class Lenient(Query):
    """No parameters of its own; those that nobody knows are left alone, for these clients were not written for us."""

    class Meta:
        """Nothing is refused by name."""

        unknown = EXCLUDE


class CamelCase(Schema):
    """Names go out as this API writes them: total_lines as totalLines."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Give each field its outer name."""
        first, *others = field_name.split("_")
        field_obj.data_key = first + "".join(word.capitalize() for word in others)


class BatchQuery(Lenient):
    """What becomes of the later of two lines with one id: it wins and is a warning, or it fails."""

    on_duplicate = fields.String(
        data_key="onDuplicate", validate=validate.OneOf(("last_wins", "reject")), load_default="last_wins"
    )


class BatchBody(Schema):
    """A batch as one JSON object; told here for the documents, and never loaded: its parts are cut out as they were sent."""

    documents = fields.List(fields.Dict(), required=True, validate=validate.Length(1, 5000))


class ErrorReply(Schema):
    """What went wrong; details: what is wrong with each field, or the numbers that belong to the error."""

    error = fields.String()
    message = fields.String()
    details = fields.List(fields.Dict(), metadata=SOMETIMES)


class JobsQuery(Lenient):
    """Filters and paging of the list of jobs; `index` is an id or a slug."""

    index = fields.String(validate=validate.Length(1, 200), load_default=None)
    status = fields.String(validate=validate.OneOf(STATUSES), load_default=None)
    source = fields.String(validate=validate.OneOf(SOURCES), load_default=None)
    cursor = fields.String(validate=validate.Length(1, 200), load_default=None)
    limit = fields.Integer(validate=validate.Range(1, LONGEST_PAGE), load_default=PAGE)


class DeleteIndexQuery(Lenient):
    """`force` deletes an index that has unfinished jobs; they fail when they next run."""

    force = fields.Boolean(load_default=False)


class QueuedReply(CamelCase):
    """What became of a batch: its job, and how many documents were taken."""

    job_id = fields.String()
    status = fields.String(validate=validate.OneOf(STATUSES))
    queued = fields.Integer()
    accepted = fields.Integer()


class JobReply(CamelCase):
    """One import job. Times are RFC 3339 in UTC. Lines are those that hold a document."""

    id = fields.String()
    source = fields.String(validate=validate.OneOf(SOURCES))
    index_id = fields.String()
    index_name = fields.String()
    index_slug = fields.String()
    status = fields.String(validate=validate.OneOf(STATUSES))
    total_lines = fields.Integer(allow_none=True)
    processed_lines = fields.Integer()
    failure_count = fields.Integer()
    started_at = fields.String(allow_none=True)
    finished_at = fields.String(allow_none=True)
    duration_ms = fields.Integer(allow_none=True)
    initiator = fields.String()
    detail = fields.String(allow_none=True)
    error_message = fields.String(allow_none=True)
    created_at = fields.String()
    deleted_at = fields.String(allow_none=True)
    paused = fields.Boolean(metadata=SOMETIMES | {"description": "there when true: it waits until it is resumed"})
    resumable = fields.Boolean(
        metadata=SOMETIMES | {"description": "there when true: it was stopped, and may be resumed elsewhere"}
    )

    @post_dump
    def only_when_true(self, job: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Leave out what these clients do not expect of an ordinary job."""
        return {name: value for name, value in job.items() if name not in ("paused", "resumable") or value}


class SummaryReply(Schema):
    """How many jobs have each status."""

    pending = fields.Integer()
    running = fields.Integer()
    completed = fields.Integer()
    failed = fields.Integer()
    canceled = fields.Integer()
    total = fields.Integer()


class JobsReply(Schema):
    """A page of jobs; `next` is the cursor of the page behind it. The summary counts all jobs of the account or the index."""

    jobs = fields.List(fields.Nested(JobReply))
    summary = fields.Nested(SummaryReply)
    next = fields.String(allow_none=True)


class LineReply(Schema):
    """What is wrong with one line."""

    line = fields.Integer()
    raw = fields.String()
    code = fields.String(validate=validate.OneOf(CODES))
    detail = fields.String()


class ErrorsReply(Schema):
    """The first failed lines, and the first of those that only came twice; the totals count also what is not kept."""

    errors = fields.List(fields.Nested(LineReply))
    total = fields.Integer()
    warnings = fields.List(fields.Nested(LineReply))
    warnings_total = fields.Integer(data_key="warningsTotal")


class DeletedReply(Schema):
    """What was deleted."""

    id = fields.String()
    deleted = fields.Boolean()


class IndexBody(Schema):
    """What an index accepts; documents are named by their `external_id`. What the parts may say is the engine's matter."""

    slug = fields.Raw(required=True, metadata={"type": "string"})
    field_list = fields.Raw(data_key="fields", attribute="fields", required=True, metadata={"type": "array"})
    open = fields.Raw(metadata={"type": "array"})
    coerce = fields.Raw(metadata={"type": "boolean"})
    settings = fields.Raw(metadata={"type": "object"})


class IndexReply(IndexBody):
    """An index as the server understood it. `id` and `slug` both name it."""

    id = fields.String()
    name = fields.String()
    external_id_field = fields.String(data_key="externalIdField", allow_none=True)


class IndexesReply(Schema):
    """All indexes by slug."""

    indexes = fields.List(fields.Nested(IndexReply))


class QuotaReply(Schema):
    """Units of the present month; without a limit it is null."""

    limit = fields.Integer(allow_none=True)
    used = fields.Integer()
    reset = fields.String()


class StatsReply(Schema):
    """What an index holds, which jobs it had, and what its account may still index."""

    id = fields.String()
    slug = fields.String()
    documents = fields.Integer()
    jobs = fields.Nested(SummaryReply)
    quota = fields.Nested(QuotaReply)
