"""rq-dashboard at /rq: each of its routes is decided, what it shows is true, and its buttons keep the record whole."""

import hashlib
import re
from inspect import getsource

import pytest
import rq_dashboard
from flask import Flask
from rq import Queue, Worker
from rq.executions import Execution

from ingest_queue.job import Job
from ingest_queue.states import Event, State
from ingest_queue.store import keys
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.admin_side import Admin
from tests.redis.dashboard.side import BOOKS, BUTTONS, DATA, MARKUP, NOT_SERVED, PAGES, READ, REFUSED, Submit, everything, running
from tests.redis.http_side import UNKNOWN, Api
from tests.redis.rq_side import finish, take
from web.rq_books import REGISTRIES
from workers.queue import IngestQueue
from workers.worker import IngestWorker


def routes(app: Flask) -> dict[str, tuple[str, set[str]]]:
    """Return path -> endpoint and methods of its routes, whatever their converters."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("rq_dashboard."):
            path = re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"<\1>", rule.rule).replace("<instance_number>", "0")
            found[path] = (rule.endpoint, (rule.methods or set()) - {"HEAD", "OPTIONS"})
    return found


def test_each_route_of_the_installed_version_is_decided(api: Api) -> None:
    """A route that comes with a new version would be open, or a button of it dead."""
    bare = Flask("bare")
    bare.register_blueprint(rq_dashboard.blueprint, url_prefix="/rq")
    theirs = {path: route for path, route in routes(bare).items() if path not in NOT_SERVED}
    theirs["/rq/requeue/<queue_name>"] = ("rq_dashboard.requeue_all", {"POST"})  # theirs requeues on a GET as well
    assert routes(api.app) == theirs


def test_its_views_are_the_ones_that_were_read() -> None:
    """We put classes of ours into its module: when a version changes what it does with them, read it again."""
    assert hashlib.sha256(getsource(rq_dashboard.web).encode()).hexdigest()[:16] == READ


@pytest.mark.parametrize("path", PAGES)
def test_a_page_sends_strangers_to_the_log_in_and_back(api: Api, failed: Job, path: str) -> None:
    """An operator who follows a link gets where it leads, after they have said who they are."""
    path = path.format(id=failed.id)
    for http in (api.client(None), api.operator):  # a key opens no page
        reply = http.get(path)
        assert (reply.status_code, reply.headers["Location"]) == (303, f"/login?next={path}")
    admin = Admin(api)
    admin.log_in()
    assert admin.http.get(path).status_code == 200


@pytest.mark.parametrize(("method", "path"), [*(("GET", p) for p in DATA), *(("POST", p) for p in (*BUTTONS, *REFUSED))])
def test_scripts_of_strangers_get_401_as_json(api: Api, failed: Job, method: str, path: str) -> None:
    """A redirect would look to a script like an answer."""
    reply = api.client(None).open(path.format(id=failed.id), method=method)
    assert (reply.status_code, reply.get_json()["code"]) == (401, "not_logged_in")
    assert api.engine.get(failed.id) == failed


@pytest.mark.parametrize("path", [*PAGES, *DATA])
def test_nothing_of_it_is_kept_in_a_cache(admin: Admin, failed: Job, path: str) -> None:
    """Back after logging out must not show it again."""
    reply = admin.http.get(path.format(id=failed.id))
    assert (reply.status_code, reply.headers["Cache-Control"]) == (200, "no-store")
    assert reply.mimetype == ("application/json" if "/data/" in path else "text/html")


@pytest.mark.parametrize(
    "path",
    [
        f"/rq/0/view/job/{UNKNOWN}",
        "/rq/0/view/job/*",
        f"/rq/0/data/job/{UNKNOWN}.json",
        "/rq/1/view/workers",
        "/rq/0/view/jobs/other/queued/8/asc/1",
        "/rq/0/view/jobs/');ran=1;('/queued/8/asc/1",
        f"/rq/0/view/jobs/{MARKUP.replace('/', '%2F')}/queued/8/asc/1",
        "/rq/0/view/jobs/ingest/nowhere/8/asc/1",
        "/rq/0/data/jobs/ingest/queued/0/asc/1.json",
        "/rq/0/data/jobs/ingest/queued/201/asc/1.json",
        "/rq/0/data/jobs/ingest/queued/8/up/1.json",
        "/rq/0/data/jobs/ingest/queued/8/asc/0.json",
        "/rq/0/data/jobs/ingest/queued/8/asc/x.json",
        "/rq/static/js/jquery-3.5.1.min.js",
    ],
)
def test_what_is_not_there_is_404_and_never_500(admin: Admin, path: str) -> None:
    """Its own views stumble over such values, and one of them writes the queue's name into a script."""
    reply = admin.http.get(path)
    assert reply.status_code == 404
    assert MARKUP not in reply.text and "');ran" not in reply.text


def test_the_figures_are_the_engines(admin: Admin, store: Store, submit: Submit, tick: Tick, failed: Job) -> None:
    """An operator who sees another number here than elsewhere trusts neither."""
    finish(running(store, submit, tick, "one"))
    held = running(store, submit, tick, "two")
    submit(index="three")
    admin.api.engine.ask(submit(index="four").id, Event.CANCEL)
    (queue,) = admin.http.get("/rq/0/data/queues.json").get_json()["queues"]
    counts = admin.api.engine.counts()
    assert queue["name"] == store.config.rq_queue
    for registry, state in (("failed", State.FAILED), ("finished", State.COMPLETED), ("canceled", State.CANCELED)):
        assert queue[f"{registry}_job_registry_count"] == counts[state] == 1
    assert queue["deferred_job_registry_count"] + queue["count"] == counts[State.PENDING] == 1
    held.answer(Event.HALT)


def test_a_job_is_shown_with_its_error_and_meta(admin: Admin, failed: Job) -> None:
    """RQ keeps errors in streams of results, which we leave out; rq-dashboard by itself would show none."""
    shown = admin.http.get(f"/rq/0/data/job/{failed.id}.json").get_json()
    assert shown["exc_info"] == f"all_failed: all 10 failed\n{MARKUP}"
    assert (shown["status"], shown["description"], shown["origin"]) == ("failed", "payload into default/cities", "ingest")
    assert '"status": "failed"' in shown["metadata"]
    listed = admin.http.get("/rq/0/data/jobs/ingest/failed/8/asc/1.json").get_json()["jobs"]
    assert [(job["id"], job["exc_info"]) for job in listed] == [(failed.id, shown["exc_info"])]


@pytest.mark.parametrize("registry", ["deferred", "queued"])
def test_pages_hold_each_job_once(admin: Admin, store: Store, submit: Submit, registry: str) -> None:
    """By itself rq-dashboard shows on the second page what was on the first, and more than fits."""
    jobs = {submit(index=f"index-{n}").id for n in range(7)}
    for n in range(7 if registry == "queued" else 0):
        Tick(store, f"parent-{n}").now()
    orders = []
    for order in ("asc", "dsc"):
        pages = [admin.http.get(f"/rq/0/data/jobs/ingest/{registry}/3/{order}/{n}.json").get_json() for n in (1, 2, 3, 4)]
        assert [len(page["jobs"]) for page in pages] == [3, 3, 1, 0]
        assert {page["pagination"]["num_pages"] for page in pages} == {3}
        orders.append([job["id"] for page in pages for job in page["jobs"]])
    assert set(orders[0]) == jobs and orders[1] == orders[0][::-1]


def test_a_worker_is_shown_with_its_job_and_without_one_that_was_deleted(
    admin: Admin, store: Store, submit: Submit, tick: Tick
) -> None:
    """RQ would read the job as pickle, and fail when it is gone between two reads."""
    queue = IngestQueue(store.config.rq_queue, connection=store.client)
    worker = IngestWorker([queue], connection=store.client)
    worker.name = MARKUP  # RQ lets nobody start under such a name; whoever writes to Redis can
    worker.register_birth()  # type: ignore[no-untyped-call]
    job = submit()
    rq_job = queue.fetch_job(job.id)
    assert rq_job is not None
    with store.client.pipeline() as pipe:
        execution = Execution.create(rq_job, 60, pipe, worker_name=worker.name)
        pipe.execute()
    run = take(store, worker.name, execution.id)
    assert run is not None
    (shown,) = admin.http.get("/rq/0/data/workers.json").get_json()["workers"]
    assert (shown["name"], shown["queues"], shown["current_job"]["job_id"]) == (MARKUP, ["ingest"], job.id)
    store.client.delete(keys.RQ_JOB(job.id))
    assert admin.http.get("/rq/0/data/workers.json").get_json()["workers"][0]["current_job"] == "idle"
    run.answer(Event.HALT)
    worker.register_death()


def test_what_others_keep_in_the_same_redis_is_not_shown(admin: Admin, store: Store) -> None:
    """It would be read as pickle, and it is not this operator's."""
    theirs = Queue("theirs", connection=store.client)
    job = theirs.enqueue(print, "secret")
    other = Worker([theirs], connection=store.client)
    other.register_birth()  # type: ignore[no-untyped-call]
    assert [q["name"] for q in admin.http.get("/rq/0/data/queues.json").get_json()["queues"]] == ["ingest"]
    assert admin.http.get("/rq/0/data/workers.json").get_json() == {"workers": []}
    assert admin.http.get(f"/rq/0/data/job/{job.id}.json").status_code == 404
    assert admin.http.get(f"/rq/0/view/job/{job.id.replace('-', '')}").status_code == 404
    other.register_death()  # type: ignore[no-untyped-call]
    theirs.delete()


@pytest.mark.parametrize("registry", list(REGISTRIES))
def test_an_empty_registry_shows_no_jobs(admin: Admin, store: Store, submit: Submit, tick: Tick, registry: str) -> None:
    """A job stands in one of them, and is shown in that one alone."""
    submit()
    tick.now()
    shown = admin.http.get(f"/rq/0/data/jobs/ingest/{registry}/8/asc/1.json").get_json()["jobs"]
    assert len(shown) == (registry == "queued")


@pytest.mark.parametrize("path", [*PAGES, *DATA, *(f"/rq/0/data/jobs/ingest/{name}/8/dsc/1.json" for name in REGISTRIES)])
def test_looking_writes_nothing(admin: Admin, store: Store, failed: Job, path: str) -> None:
    """RQ's registries clean up when they are read, by default: they move jobs, and fail those whose time seems over."""
    for key, entry in BOOKS.items():
        store.client.zadd(key(store.config.rq_queue), {entry: 1})
    before = everything(store)
    assert admin.http.get(path.format(id=failed.id)).status_code == 200
    assert everything(store) == before
    for key, entry in BOOKS.items():
        store.client.zrem(key(store.config.rq_queue), entry)
