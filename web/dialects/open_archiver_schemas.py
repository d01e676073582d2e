"""What goes in and out of Open Archiver's Jobs API, as marshmallow schemas. Shapes only."""

from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields, validate

from web.loading import Query

STATUSES: Final = ("active", "completed", "failed", "delayed", "waiting", "paused")
LIMIT: Final = 10
LONGEST_PAGE: Final = 1000
LAST_PAGE: Final = 2**53 - 1  # the largest whole number that every client can read


class Count(fields.String):
    """A positive whole number; anything else counts as if it were not there."""

    def __init__(self, fallback: int, most: int) -> None:
        super().__init__(load_default=fallback, metadata={"description": f"1 to {most}; anything else is {fallback}"})
        self.fallback, self.most = fallback, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        digits = value.lstrip("0") if value.isascii() and value.isdecimal() else ""
        if len(digits) > len(str(self.most)):
            return self.most
        return min(int(digits), self.most) if digits else self.fallback


class Lenient(Query):
    """No parameters of its own; those that nobody knows are left alone, for these clients were not written for us."""

    class Meta:
        """Nothing is refused by name."""

        unknown = EXCLUDE


class PageQuery(Lenient):
    """Which jobs of a queue, and which page of them."""

    status = fields.String(validate=validate.OneOf(STATUSES), load_default="failed")
    page = Count(1, LAST_PAGE)
    limit = Count(LIMIT, LONGEST_PAGE)
    order = fields.String(validate=validate.OneOf(("asc", "desc")), load_default="asc")


class Millis(fields.Integer):
    """Epoch seconds as whole milliseconds."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else round(value * 1000)


class CamelCase(Schema):
    """Names go out as this API writes them: total_jobs as totalJobs."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Give each field its outer name."""
        first, *others = field_name.split("_")
        field_obj.data_key = first + "".join(word.capitalize() for word in others)


class JobReply(CamelCase):
    """One job, every key always there."""

    id = fields.String()
    name = fields.String()
    data = fields.Dict(keys=fields.String())
    state = fields.String(validate=validate.OneOf(STATUSES))
    failed_reason = fields.String(allow_none=True)
    timestamp = Millis()
    processed_on = Millis(allow_none=True)
    finished_on = Millis(allow_none=True)
    attempts_made = fields.Integer()
    stacktrace = fields.List(fields.String())
    return_value = fields.Dict(keys=fields.String(), values=fields.Integer(allow_none=True), allow_none=True)
    ingestion_source_id = fields.String(allow_none=True)
    error = fields.String(allow_none=True)


class ErrorReply(Schema):
    """What went wrong."""

    message = fields.String()


class QueueReply(Schema):
    """One queue, each of its jobs in exactly one of the six counts."""

    name = fields.String()
    counts = fields.Nested(Schema.from_dict({word: fields.Integer() for word in STATUSES}, name="QueueCounts"))


class QueuesReply(Schema):
    """Both queues."""

    queues = fields.List(fields.Nested(QueueReply))


class Pagination(CamelCase):
    """Where a page stands among all."""

    current_page = fields.Integer()
    total_pages = fields.Integer()
    total_jobs = fields.Integer()
    limit = fields.Integer()


class PageReply(QueueReply):
    """One queue and a page of its jobs."""

    jobs = fields.List(fields.Nested(JobReply))
    pagination = fields.Nested(Pagination)
