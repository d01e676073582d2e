"""rq-dashboard at /rq, for admins who are logged in: its paths and its data, our pages, and buttons that act through the engine.

Its own templates do not escape what they show, and its own buttons change RQ's books behind our record's back, so neither
is served. What each of its routes does is decided here; a test compares them with those of the installed version.
"""

import functools
from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq_dashboard import web as dashboard

from ingest_queue.errors import Conflict, Missing
from ingest_queue.states import Event
from web import session
from web.access import BROWSER, Need, actor
from web.calls import View, call
from web.current import config, engine
from web.errors import ENVELOPES, Problem, problem_details
from web.pages.problems import page
from web.rq_books import REGISTRIES

bp: Final = Blueprint("rq_dashboard", __name__, url_prefix="/rq")
ONE_REDIS: Final = {"instance_number": 0}
PAGE: Final = f"<queue_name>/<any({','.join(REGISTRIES)}):registry_name>/<int(min=1,max=200):per_page>/<any(asc,dsc):order>"
ONE_BY_ONE: Final = "not all at once: each job has a state of its own. One by one, on its page here,"
FIRST: Final = {"queue_name": None, "registry_name": "queued", "per_page": 8, "order": "asc", "page": 1}


def read(view: Callable[..., Any], *paths: str, first: str | None = None) -> None:
    """Serve a view of its that only reads, at paths of its: about our queue, and nothing else of this Redis.

    `first` is one more path, which leads to the first page.
    """

    @functools.wraps(view)
    def shown(**names: Any) -> ResponseReturnValue:
        if names.get("queue_name") not in (None, config.rq_queue):
            raise Missing("queue_not_found", f"there is one queue here: {config.rq_queue}")
        if "job_id" in names:
            engine.get(names["job_id"], by=actor())
        try:
            answer: ResponseReturnValue = view(**names)
        except (NoSuchJobError, InvalidJobOperation):
            raise Missing("job_not_found", "RQ does not show this job any more; see `ingest-queue show JOB`") from None
        return answer

    guarded = call(Need.OPERATE, answers={200: "text/html"}, errors=(401, 404), door=BROWSER)(shown)
    for path in paths:
        bp.add_url_rule(path, view.__name__, guarded, defaults=ONE_REDIS)
    if first:
        bp.add_url_rule(first, view.__name__, guarded, defaults=ONE_REDIS | FIRST)


def ask(endpoint: str, path: str, asked: Callable[[str], object]) -> None:
    """Let a button of its ask the engine."""

    def ask_engine(job_id: str) -> ResponseReturnValue:
        asked(job_id)
        return {"status": "OK"}

    _button(endpoint, path, ask_engine, errors=(401, 403, 404, 409))


def refuse(endpoint: str, path: str, instead: str) -> None:
    """Refuse a button of its with what to use instead."""

    def refused(**names: str) -> ResponseReturnValue:
        raise Conflict("not_from_here", instead)

    _button(endpoint, path, refused, errors=(401, 403, 409))


def _button(endpoint: str, path: str, view: View, errors: tuple[int, ...]) -> None:
    guarded = call(Need.OPERATE, answers={200: "application/json"}, errors=errors, door=BROWSER)(view)
    bp.add_url_rule(path, endpoint, guarded, methods=("POST",))


read(dashboard.queues_overview, "/", "/0/", "/0/view", "/0/view/queues")
read(dashboard.workers_overview, "/0/view/workers")
read(dashboard.jobs_overview, f"/0/view/jobs/{PAGE}/<int(min=1):page>", first="/0/view/jobs")
read(dashboard.job_view, "/0/view/job/<job_id>")
read(dashboard.list_queues, "/0/data/queues.json")
read(dashboard.list_jobs, f"/0/data/jobs/{PAGE}/<int(min=1):page>.json")
read(dashboard.job_info, "/0/data/job/<job_id>.json")
read(dashboard.list_workers, "/0/data/workers.json")

ask("delete_job_view", "/job/<job_id>/delete", lambda job_id: engine.delete(job_id, by=actor()))
ask("requeue_job_view", "/job/<job_id>/requeue", lambda job_id: engine.ask(job_id, Event.RETRY, by=actor()))

refuse("requeue_all", "/requeue/<queue_name>", f"{ONE_BY_ONE} with `ingest-queue retry JOB` or POST /api/jobs/{{id}}/retry")
refuse(
    "empty_queue",
    "/queue/<queue_name>/<registry_name>/empty",
    f"{ONE_BY_ONE} with `ingest-queue delete JOB` or DELETE /api/jobs/{{id}}",
)
refuse("compact_queue", "/queue/<queue_name>/compact", "there is nothing to compact: workers take lost jobs out of it")


@bp.context_processor
def for_pages() -> dict[str, Any]:
    """Give its views' pages who looks, the token of their buttons, and what may be chosen."""
    return {"token": session.token, "actor": actor, "registries": tuple(REGISTRIES)}


def _problem(problem: Problem) -> Response:
    """Answer people with a page, and the scripts of pages with JSON."""
    looked_at = request.method in session.SAFE and "/data/" not in request.path
    return page(problem) if looked_at else problem_details(problem)


ENVELOPES.append(("/rq", _problem))
