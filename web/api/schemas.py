"""What goes in and out of the native API, as marshmallow schemas: the one description of its JSON.

Schemas hold shapes only. What a definition or a payload may say is the engine's matter.
"""

from collections.abc import Callable
from datetime import UTC
from functools import cache
from operator import attrgetter
from typing import Any, Final

from marshmallow import INCLUDE, Schema, fields, validate

from ingest_queue.job import Fate, Job, Kind
from ingest_queue.schema.reading import SLUG
from ingest_queue.states import State
from ingest_queue.times import moment
from web.loading import Query, whole

_reader: Final = cache(attrgetter)
SOURCES: Final = ("API", "CLI", "UI", "connector")
PAGE: Final = 50
LONGEST_PAGE: Final = 200
KINDS: Final = (Fate.FAILED.value, Fate.SKIPPED.value, "duplicate")


class Stamp(fields.String):
    """A time in RFC 3339, in UTC with milliseconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"format": "date-time"}, **kwargs)


class Time(Stamp):
    """Epoch seconds as such a time."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else moment(value)


class Moment(fields.AwareDateTime):
    """A time in RFC 3339, loaded as epoch seconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", default_timezone=UTC, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, attr, data, **kwargs).timestamp()


class Part(fields.Nested):
    """An object of the reply that is made from attributes of the whole."""

    def get_value(self, obj: Any, attr: str, accessor: Callable[..., Any] | None = None, default: Any = None) -> Any:
        return obj


class Shown(Schema):
    """What is made from our frozen values: read by attribute, which is a third faster than to try a mapping first."""

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        return _reader(attr)(obj)


class IndexRef(Shown):
    """The index a job writes to: by its slug in the account, and by its alias in the cluster."""

    slug = fields.String(attribute="index")
    id = fields.String(attribute="alias")


class CountsReply(Shown):
    """How many documents have which outcome; processed = succeeded + failed + skipped."""

    total = fields.Integer(allow_none=True)
    succeeded = fields.Integer()
    failed = fields.Integer()
    skipped = fields.Integer()
    processed = fields.Integer()
    duplicates = fields.Integer()


class ErrorReply(Shown):
    """Why a job failed."""

    code = fields.String()
    message = fields.String()
    detail = fields.String(allow_none=True)


class PayloadReply(Shown):
    """The documents as they are stored; `bytes` as submitted."""

    version = fields.Integer()
    bytes = fields.Integer()
    documents = fields.Integer()
    expires_at = Time(allow_none=True)


class JobReply(Shown):
    """One job. Times are RFC 3339 in UTC; null where there is none."""

    id = fields.String()
    kind = fields.Enum(Kind, by_value=True)
    account = fields.String()
    initiator = fields.String()
    source = fields.String()
    index = Part(IndexRef)
    lane = fields.String()
    state = fields.Enum(State, by_value=True)
    allowed = fields.List(fields.String())
    round = fields.Integer()
    run = fields.Integer()
    attempt = fields.Integer(attribute="attempts")
    counts = fields.Nested(CountsReply)
    sent_to = fields.Integer()
    settled = fields.Boolean()
    percent = fields.Float(allow_none=True)
    rate_per_s = fields.Float(allow_none=True)
    eta_s = fields.Float(allow_none=True)
    failures_by_code = fields.Dict(keys=fields.String(), values=fields.Integer(), attribute="progress.codes")
    error = fields.Nested(ErrorReply, allow_none=True)
    waiting_for = fields.Method("waiting_sentence", metadata={"type": ["string", "null"], "readOnly": False})
    payload = fields.Nested(PayloadReply, allow_none=True)
    created_at = Time()
    queued_at = Time(allow_none=True)
    started_at = Time(allow_none=True)
    updated_at = Time()
    ended_at = Time(allow_none=True)
    expires_at = Time(allow_none=True)

    def waiting_sentence(self, job: Job) -> str | None:
        """Return what the job waits for and since when."""
        since = job.waiting_since or job.queued_at
        if job.waiting_for is None or since is None:
            return job.waiting_for
        return f"{job.waiting_for}, since {moment(since)}"


class JobsReply(Schema):
    """A page of jobs; `next` is the cursor of the page behind it."""

    jobs = fields.List(fields.Nested(JobReply))
    next = fields.String(allow_none=True)


class CountsByState(Schema):
    """How many jobs are in each state."""

    counts = fields.Dict(keys=fields.String(validate=validate.OneOf([state.value for state in State])), values=fields.Integer())


class AliveReply(Schema):
    """The process answers."""

    status = fields.String()


class ReadyReply(AliveReply):
    """A word about each server."""

    servers = fields.Dict(keys=fields.String(), values=fields.String())


class OutcomeReply(Shown):
    """What became of one document that did not simply succeed."""

    position = fields.Integer()
    line = fields.Integer()
    id = fields.String(allow_none=True)
    code = fields.String(allow_none=True)
    field = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    raw = fields.String(allow_none=True)


class FailuresReply(Shown):
    """A page of outcomes in payload order; `total` counts also those kept without detail."""

    failures = fields.List(fields.Nested(OutcomeReply), attribute="items")
    total = fields.Integer()
    next = fields.Integer(allow_none=True)


class CountsQuery(Query):
    """Of which index."""

    index = fields.String(validate=whole(SLUG), load_default=None)


class JobsQuery(CountsQuery):
    """Filters and paging of the list of jobs. Times are RFC 3339; q is looked for in id, index, initiator and error."""

    state = fields.Enum(State, by_value=True, load_default=None)
    kind = fields.Enum(Kind, by_value=True, load_default=None)
    lane = fields.String(validate=validate.Length(1, 200), load_default=None)
    source = fields.String(validate=validate.OneOf(SOURCES), load_default=None)
    initiator = fields.String(validate=validate.Length(1, 254), load_default=None)
    created_after = Moment(load_default=None)
    created_before = Moment(load_default=None)
    q = fields.String(validate=validate.Length(1, 100), load_default=None)
    cursor = fields.String(validate=validate.Regexp(r"^[A-Za-z0-9_.:~=-]{1,200}\Z"), load_default=None)
    limit = fields.Integer(validate=validate.Range(1, LONGEST_PAGE), load_default=PAGE)


class SubmitQuery(Query):
    """How a payload is to be taken; `source` says who sends it, for people who read the list."""

    on_duplicate = fields.String(validate=validate.OneOf(("last_wins", "reject")), load_default="last_wins")
    source = fields.String(validate=validate.OneOf(("API", "CLI", "UI")), load_default="API")


class FailuresQuery(Query):
    """Which outcomes, and which page of them: those behind position `after`."""

    kind = fields.String(validate=validate.OneOf(KINDS), load_default=Fate.FAILED.value)
    after = fields.Integer(validate=validate.Range(-1), load_default=-1)
    limit = fields.Integer(validate=validate.Range(1, LONGEST_PAGE), load_default=PAGE)


class PayloadQuery(Query):
    """Which documents: `documents` of them from position `first` on; all when neither is given."""

    first = fields.Integer(validate=validate.Range(0), load_default=0)
    documents = fields.Integer(validate=validate.Range(1), load_default=None)


class ProblemReply(Schema):
    """What went wrong (RFC 9457), with what else belongs to its code: `errors` by parameter, `state` and `allowed`, limits."""

    class Meta:
        """The members beside the standard ones differ by code."""

        unknown = INCLUDE

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    code = fields.String()
