"""The native API's calls about jobs, on a real Redis: each answers as contract and state table say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from ingest_queue.engine import Engine
from ingest_queue.job import Counts, Fate, Outcome, Progress
from ingest_queue.states import ASKED, HOLDS, Event, State, allowed, arrow
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.http_side import NDJSON, UNKNOWN, Api, filled
from tests.redis.rq_side import finish, take
from web.dialects import BLUEPRINTS as DIALECTS

IN_DOCS = {"job_id": "{id}", "key_id": "{id}", "account_slug": "{account}", "index": "{id}"} | {
    name: f"{{{name}}}" for name in ("slug", "email", "dialect", "queue")
}
GENERATED = re.compile(r"<!-- generated .*?<!-- end of the generated part -->", re.DOTALL)  # the matrix names all calls
DOCS = Path(__file__).parents[2] / "docs" / "api"
VERBS = [event for event in ASKED if event is not Event.EDIT]
REACHED = {  # by verbs alone, from a job that waits
    State.PENDING: [], State.PAUSED: ["pause"], State.STOPPED: ["stop"], State.CANCELED: ["cancel"],
}  # fmt: skip


@pytest.fixture
def api(engine: Engine) -> Api:
    return Api(engine)


def failed_at(position: int) -> Outcome:
    return Outcome(position, Fate.FAILED, position + 1, str(position), "validation_error", "people", "expected a number", "{}")


def fail_documents(api: Api, store: Store, tick: Tick, failed: int) -> dict[str, Any]:
    """Return a completed job of ten documents of which the first `failed` failed; more than ten leave details alone."""
    job = api.submit()
    tick.now()
    run = take(store)
    assert run is not None
    run.checkpoint(Progress(0, Counts(10)), announce=10)
    outcomes = [failed_at(position) for position in range(failed)]
    counted = min(failed, 10)
    run.checkpoint(Progress(10, Counts(10, 10 - counted, counted), {"validation_error": counted}), outcomes)
    run.answer(Event.COMPLETE)
    return job


@pytest.mark.parametrize("state", REACHED)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_does_what_the_table_says_or_is_refused_with_what_is_allowed(api: Api, state: State, verb: Event) -> None:
    """HTTP adds no rule of its own: the table decides, and a refusal changes nothing."""
    job = api.submit()
    for step in REACHED[state]:
        api.ask(job, step)
    reply = api.http.post(f"/api/jobs/{job['id']}/{verb}")
    body = reply.get_json()
    if arrow(verb, state) or state in HOLDS.get(verb, ()):
        assert (reply.status_code, body["id"]) == (200, job["id"])
        assert body["allowed"] == list(allowed(State(body["state"])))
    else:
        assert reply.status_code == 409
        assert (body["code"], body["state"], body["allowed"]) == ("invalid_state", state, list(allowed(state)))
        assert api.get(job)["state"] == state


def test_a_repeated_verb_is_a_success_that_changes_nothing(api: Api) -> None:
    """A client whose reply was lost asks again."""
    job = api.submit()
    first = api.ask(job, "pause")
    assert api.ask(job, "pause") == first


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("DELETE", ""), ("GET", "/failures"), ("GET", "/payload"), *(("POST", f"/{verb}") for verb in VERBS)],
)
def test_an_unknown_job_is_missing_for_every_call(api: Api, method: str, path: str) -> None:
    """The same answer everywhere, in the same shape."""
    reply = api.http.open(f"/api/jobs/{UNKNOWN}{path}", method=method)
    assert (reply.status_code, reply.get_json()["code"]) == (404, "job_not_found")
    assert reply.mimetype == "application/problem+json"


def test_a_deleted_job_is_gone_at_once(api: Api) -> None:
    """Delete works in every state and leaves nothing in the lists."""
    job = api.submit()
    gone = api.http.delete(f"/api/jobs/{job['id']}")
    assert (gone.status_code, gone.data, gone.headers.get("Content-Type")) == (204, b"", None)
    assert api.http.get(f"/api/jobs/{job['id']}").status_code == 404
    assert api.http.get("/api/jobs").get_json() == {"jobs": [], "next": None}


def test_pages_hold_each_job_once(api: Api) -> None:
    """A client that follows `next` to its end has seen every job."""
    jobs = [api.submit()["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = api.http.get("/api/jobs", query_string={"limit": 2} | ({"cursor": cursor} if cursor else {})).get_json()
        assert len(page["jobs"]) <= 2
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next"]
    assert seen == jobs[::-1]


def test_filters_narrow_the_list(api: Api) -> None:
    """By state and by index, alone and together."""
    waiting, paused = api.submit(), api.submit()
    api.ask(paused, "pause")

    def ids(**query: str) -> list[str]:
        return [job["id"] for job in api.http.get("/api/jobs", query_string=query).get_json()["jobs"]]

    assert ids(state=State.PAUSED.value) == [paused["id"]]
    assert ids(state=State.PENDING.value, index="cities") == [waiting["id"]]
    assert set(ids(index="cities")) == {waiting["id"], paused["id"]}
    assert ids(index="towns") == ids(state=State.FAILED.value) == []


def test_a_cursor_that_was_not_given_is_refused(api: Api) -> None:
    """It would otherwise answer with an arbitrary page."""
    assert api.http.get("/api/jobs?cursor=abc").get_json()["code"] == "invalid_cursor"


def test_a_running_job_shows_its_progress(api: Api, store: Store, tick: Tick) -> None:
    """What a checkpoint saved is what the next poll sees, documents in doubt included."""
    job = api.submit()
    tick.now()
    run = take(store)
    assert run is not None
    run.checkpoint(Progress(4, Counts(10, 3, 1), {"validation_error": 1}), announce=8)
    shown = api.get(job)
    assert (shown["state"], shown["counts"]["processed"], shown["sent_to"], shown["settled"]) == (
        State.RUNNING,
        4,
        8,
        False,
    )
    assert (shown["percent"], shown["failures_by_code"], shown["run"]) == (40.0, {"validation_error": 1}, 1)
    assert shown["waiting_for"] is None


def test_a_waiting_job_says_what_it_waits_for(api: Api, tick: Tick) -> None:
    """The second job on an index waits for the first, and says for which."""
    first, second = api.submit(), api.submit()
    tick.now()
    assert first["id"] in api.get(second)["waiting_for"]


def test_a_completed_job_shows_when_it_ended_and_will_expire(api: Api, store: Store, tick: Tick) -> None:
    """Retention must not come as a surprise."""
    job = api.submit()
    tick.now()
    run = take(store)
    assert run is not None
    finish(run)
    shown = api.get(job)
    assert (shown["state"], shown["percent"]) == (State.COMPLETED, 100.0)
    assert shown["created_at"] <= shown["started_at"] <= shown["ended_at"] < shown["expires_at"]


def test_failures_come_in_pages_with_their_total(api: Api, store: Store, tick: Tick) -> None:
    """Position, line, code and reason: what it takes to mend the line."""
    job = fail_documents(api, store, tick, failed=5)
    url = f"/api/jobs/{job['id']}/failures"
    first = api.http.get(url, query_string={"limit": 3}).get_json()
    assert [failure["position"] for failure in first["failures"]] == [0, 1, 2]
    assert first["failures"][0] == {
        "position": 0,
        "line": 1,
        "id": "0",
        "code": "validation_error",
        "field": "people",
        "reason": "expected a number",
        "raw": "{}",
    }
    assert (first["total"], first["next"]) == (5, 2)
    second = api.http.get(url, query_string={"limit": 3, "after": first["next"]}).get_json()
    assert [failure["position"] for failure in second["failures"]] == [3, 4]
    assert second["next"] is None


def test_failures_stream_as_ndjson_when_that_is_accepted(api: Api, store: Store, tick: Tick) -> None:
    """All of them in one reply, for jq and spreadsheets."""
    job = fail_documents(api, store, tick, failed=5)
    reply = api.http.get(f"/api/jobs/{job['id']}/failures", headers={"Accept": NDJSON})
    assert reply.mimetype == NDJSON
    assert [json.loads(line)["position"] for line in reply.data.splitlines()] == [0, 1, 2, 3, 4]
    empty = api.http.get(f"/api/jobs/{job['id']}/failures?kind=skipped", headers={"Accept": NDJSON})
    assert (empty.status_code, empty.data) == (200, b"")


def test_failures_stream_beyond_one_page_after_the_request_has_ended(api: Api, store: Store, tick: Tick) -> None:
    """A server writes a stream when the view has returned: nothing may lean on the request then."""
    job = fail_documents(api, store, tick, failed=450)
    environ = EnvironBuilder(
        path=f"/api/jobs/{job['id']}/failures", headers=[("Accept", NDJSON), ("X-API-Key", api.secret)]
    ).get_environ()
    body, status, _ = run_wsgi_app(api.http.application.wsgi_app, environ)
    assert status == "200 OK"
    assert len(b"".join(body).splitlines()) == 450


def test_every_view_refuses_a_query_that_it_does_not_know(api: Api) -> None:
    """Found by walking all routes, so that a new view cannot forget it. Dialects are as lenient as what they speak for."""
    tried = 0
    for rule in api.rules():
        if rule.endpoint.partition(".")[0] in {dialect.name for dialect in DIALECTS}:
            continue  # their clients may send more than is asked for
        url = filled(rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            reply = api.operator.open(f"{url}?nonsense=1", method=method)
            assert (reply.status_code, list(reply.get_json()["errors"])) == (400, ["nonsense"]), (method, url)
            tried += 1
    assert tried > 12


def test_every_call_is_documented(api: Api) -> None:
    """docs/api shows each call as a curl line with its answer; a call that is not there is one that nobody finds."""
    text = GENERATED.sub("", "".join(page.read_text() for page in DOCS.glob("*.md")))
    for rule in api.rules():
        for verb in VERBS if "<any" in rule.rule else (None,):
            path = filled(rule.rule, **IN_DOCS, verb=str(verb))
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                assert f"`{method} {path}" in text


def test_trailing_slashes_are_accepted(api: Api) -> None:
    """Clients add them by habit, and a redirect loses the body of a POST."""
    job = api.submit()
    assert api.http.get("/api/jobs/").status_code == 200
    assert api.http.get(f"/api/jobs/{job['id']}/").get_json()["id"] == job["id"]
    assert api.http.post(f"/api/jobs/{job['id']}/pause/").status_code == 200


def test_health_and_readiness(api: Api) -> None:
    """A load balancer asks the first every second, the second before it sends anybody here."""
    assert api.http.get("/healthz").get_json() == {"status": "ok"}
    ready = api.http.get("/readyz")
    assert ready.status_code == 200
    assert set(ready.get_json()["servers"]) == {"redis", "cluster"}


@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/jobs"), ("GET", f"/api/jobs/{UNKNOWN}/pause"), ("POST", "/healthz")])
def test_another_method_is_told_which_ones_there_are(api: Api, method: str, path: str) -> None:
    """405 carries Allow, and is JSON like everything else."""
    reply = api.http.open(path, method=method)
    assert (reply.status_code, reply.get_json()["code"]) == (405, "method_not_allowed")
    assert reply.headers["Allow"]
