"""Which documents of a job failed, were skipped or came twice, and why."""

from collections.abc import Iterator
from typing import Any, Final

import orjson
from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from ingest_queue.access.actor import Actor
from ingest_queue.engine import Engine
from web.access import Need, actor
from web.api.schemas import LONGEST_PAGE, FailuresQuery, FailuresReply, OutcomeReply
from web.calls import call
from web.current import bound_engine, engine
from web.replies import NDJSON, ndjson

bp: Final = Blueprint("failures", __name__)
PAGE: Final = FailuresReply()
OUTCOME: Final = OutcomeReply()


@bp.get("/jobs/<job_id>/failures")
@call(Need.INGEST, query=FailuresQuery, answers={200: (FailuresReply, NDJSON)}, errors=(400, 404))
def list_failures(job_id: str, kind: str, after: int, limit: int) -> ResponseReturnValue:
    """Answer a page of outcomes in payload order, or all behind `after` as NDJSON when that is what is accepted."""
    if request.accept_mimetypes.best_match(("application/json", NDJSON)) == NDJSON:
        return ndjson(lines(bound_engine(), actor(), job_id, kind, after))
    page: dict[str, Any] = PAGE.dump(engine.failures(job_id, after=after, limit=limit, kind=kind, by=actor()))
    return page


def lines(engine: Engine, by: Actor, job_id: str, kind: str, after: int) -> Iterator[bytes]:
    """Yield every kept outcome behind `after` as NDJSON, a page at a time."""
    position: int | None = after
    while position is not None:
        page = engine.failures(job_id, after=position, limit=LONGEST_PAGE, kind=kind, by=by)
        yield b"".join(orjson.dumps(OUTCOME.dump(item)) + b"\n" for item in page.items)
        position = None if page.next is None else int(page.next)
