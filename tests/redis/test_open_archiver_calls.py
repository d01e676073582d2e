"""Who may call Open Archiver's Jobs API, in which order that is looked at, and that its GETs leave Redis as it was."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from ingest_queue.access.actor import Scope
from ingest_queue.engine import Engine
from ingest_queue.errors import Conflict
from ingest_queue.job import Job
from ingest_queue.states import BEGUN, Event, State, allowed
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.bench import Bench
from tests.redis.http_side import UNKNOWN, Api
from tests.redis.open_archiver_side import KEYS, QUEUES, get, jobs
from tests.redis.rq_side import finish, take
from tests.redis.watch import watched
from web.dialects.open_archiver_schemas import STATUSES

Submit = Callable[..., Job]


@pytest.fixture
def api(engine: Engine) -> Api:
    return Api(engine)


@pytest.fixture
def operator(api: Api) -> FlaskClient:
    """A client with a key of scope manage:all."""
    return api.operator


@pytest.fixture
def bench(store: Store, submit: Submit, tick: Tick) -> Bench:
    return Bench(store, submit, tick)


CALLS = [
    ("GET", ""), ("GET", "/indexing"), ("GET", "/none"), ("GET", "/indexing?status=stalled"), ("GET", f"/indexing/{UNKNOWN}"),
    ("POST", f"/indexing/{UNKNOWN}/retry"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
def test_who_asks_is_looked_at_before_what_they_ask(api: Api, prefix: str, method: str, path: str) -> None:
    """A stranger must not learn which queues and jobs there are: 401, then 403, then everything else."""
    url = f"{prefix}/jobs/queues{path}"
    weaker = [(api.secret_of(scope), 403) for scope in Scope if scope is not Scope.MANAGE_ALL]
    for secret, status in [(None, 401), ("iq_wrong", 401), *weaker]:
        reply = api.client(secret).open(url, method=method)
        assert reply.status_code == status
        assert list(reply.get_json()) == ["message"]


def test_both_prefixes_and_both_headers_lead_to_the_same(api: Api) -> None:
    """The product's documents say /v1, its own client /api/v1; keys come as X-API-KEY or as bearer."""
    expected = get(api.operator)
    for url in ("/v1/jobs/queues", "/api/v1/jobs/queues", "/v1/jobs/queues/"):
        reply = api.client(None).get(url, headers={"X-API-KEY": api.operators_secret})
        assert (reply.status_code, reply.get_json()) == (200, expected)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1", 404),
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/jobs/queues", 405),
        ("DELETE", "/api/v1/jobs/queues/indexing", 405),
    ],
)
def test_every_error_is_a_message(operator: FlaskClient, method: str, path: str, status: int) -> None:
    """One shape for whatever goes wrong on these paths, also before any view is reached."""
    reply = operator.open(path, method=method)
    assert reply.status_code == status
    assert list(reply.get_json()) == ["message"] and reply.get_json()["message"]


def test_other_paths_of_the_prefix_are_not_this_apis(operator: FlaskClient) -> None:
    """/api/v1 is shared with another product, whose errors have another shape."""
    assert "message" not in operator.get("/api/v2/jobs").get_json()
    assert list(operator.get("/api/v1/jobs/nothing").get_json()) == ["message"]


def test_reading_leaves_redis_as_it_was(api: Api, operator: FlaskClient, bench: Bench, store: Store, submit: Submit) -> None:
    """A dashboard polls all day: no clean-up, no rate limit, no last use may be written by it. Scripts count as what they do."""
    for state in (State.COMPLETED, State.FAILED, State.CANCELED, State.PAUSED, State.STOPPED):
        bench.unheld(state)
    job = submit()
    calls = ["", *(f"/indexing?status={status}&limit=3" for status in STATUSES), "/ingestion?order=desc", f"/indexing/{job.id}"]
    for call in calls[:2]:  # opens the connection, and hands Redis the script
        get(operator, call)
    writes = {name.upper() for name, facts in store.client.command().items() if "write" in facts["flags"]}
    with watched(store.client) as seen:
        for call in calls:
            get(operator, call)
        assert operator.get(f"{QUEUES}/none").status_code == 404
    assert len(seen) > 5 * len(calls)
    assert "HSET" in writes and not [one for one in seen if one[0] in writes]
    commands = [command for command, _ in seen]
    first = commands.index("MULTI")
    assert set(commands[first + 1 : commands.index("EXEC")]) == {"ZCARD"}
    assert "EVALSHA" in commands and ("ZRANGE", "lua") in seen


@pytest.mark.parametrize("state", [state for state in State if state not in BEGUN])
def test_retry_does_what_the_table_allows_or_is_refused(operator: FlaskClient, bench: Bench, state: State) -> None:
    """This API adds a way in, no rule."""
    job_id = bench.unheld(state)
    reply = operator.post(f"{QUEUES}/indexing/{job_id}/retry")
    if Event.RETRY in allowed(state):
        assert (reply.status_code, reply.get_json()["state"], set(reply.get_json())) == (200, "waiting", KEYS)
        assert reply.get_json()["attemptsMade"] == 0 and reply.get_json()["finishedOn"] is None
    else:
        assert (reply.status_code, list(reply.get_json())) == (409, ["message"])
        assert bench.state(job_id) is state


def test_a_retry_that_comes_again_is_not_done_again(operator: FlaskClient, bench: Bench, store: Store) -> None:
    """A client whose reply was lost repeats the call with the same Idempotency-Key."""
    job_id = bench.unheld(State.FAILED)
    url, once = f"{QUEUES}/indexing/{job_id}/retry", {"Idempotency-Key": "again"}
    assert operator.post(url, headers=once).status_code == 200
    bench.tick()
    run = take(store)
    assert run is not None
    finish(run)
    again = operator.post(url, headers=once)
    assert (again.status_code, again.get_json()["state"]) == (200, "completed")


def test_a_job_of_the_other_queue_is_missing_here(api: Api, operator: FlaskClient, bench: Bench) -> None:
    """An address names one thing: a retry through the wrong queue must not happen."""
    job_id = bench.unheld(State.FAILED)
    assert get(operator, f"/indexing/{job_id}") == jobs(operator, "failed")[0]
    assert operator.get(f"{QUEUES}/ingestion/{job_id}").status_code == 404
    assert operator.post(f"{QUEUES}/ingestion/{job_id}/retry").status_code == 404
    with pytest.raises(Conflict):
        api.engine.ask(job_id, Event.PAUSE)
    assert bench.state(job_id) is State.FAILED
