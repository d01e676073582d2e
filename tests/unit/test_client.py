"""The Python client against a real HTTP server whose answers each test writes down."""

import io
from typing import cast, get_type_hints
from urllib.parse import parse_qsl

import pytest

from ingest_queue.client import Client, Refused
from ingest_queue.states import State
from ingest_queue.wire import Filters
from tests.unit.scripted_api import JOB, OK, Clock, Script


def test_an_upload_streams_and_tells_how_far_it_is(client: Client, script: Script) -> None:
    """A file of 100 MB is never in memory, and its bar moves."""
    sent: list[int] = []
    client.submit("a b", io.BytesIO(b"x" * 1_000_000), form="array", encoding="gzip", on_duplicate="reject", progress=sent.append)
    (method, path, body, headers) = script.asked[0]
    assert (method, path) == ("POST", "/api/indexes/a b/documents?on_duplicate=reject&source=API")
    assert (headers["Content-Type"], headers["Content-Encoding"], headers["Transfer-Encoding"]) == (
        "application/json",
        "gzip",
        "chunked",
    )
    assert len(body) == sent[-1] == 1_000_000
    assert len(sent) > 3


def test_a_refusal_carries_its_code_and_data(client: Client, script: Script) -> None:
    """Programs branch on the code; `allowed` says what else could be asked."""
    problem = {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "no",
        "code": "invalid_state",
        "allowed": ["retry"],
    }
    script.replies = [(problem, 409, {})]
    with pytest.raises(Refused) as refused:
        client.ask(JOB, "pause")
    error = refused.value
    assert (error.status, error.code, error.message, error.data) == (409, "invalid_state", "no", {"allowed": ["retry"]})


def test_a_page_of_a_proxy_is_a_refusal_too(client: Client, script: Script) -> None:
    """Whatever stands between answers in HTML; the status is still an answer."""
    script.replies = [("<html>", 502, {})]
    with pytest.raises(Refused, match="502"):
        client.get(JOB)


def test_pages_are_followed_to_the_end(client: Client, script: Script) -> None:
    """A listing that ends at the first page hides jobs."""
    script.replies = [
        ({"jobs": [{"id": "1"}], "next": "5-a"}, 200, {}),
        ({"jobs": [{"id": "2"}], "next": None}, 200, {}),
    ]
    assert [job["id"] for job in client.jobs(index="cities")] == ["1", "2"]
    assert [path for _, path, _, _ in script.asked] == [
        "/api/jobs?index=cities&limit=200",
        "/api/jobs?index=cities&cursor=5-a&limit=200",
    ]


def test_every_filter_goes_along_on_every_page(client: Client, script: Script) -> None:
    """One that is lost on the second page would let jobs through that nobody asked for."""
    script.replies = [({"jobs": [], "next": "5-a"}, 200, {}), ({"jobs": [], "next": None}, 200, {})]
    wanted = {name: f"{name} ä" for name in get_type_hints(Filters)}
    assert list(client.jobs(**cast(Filters, wanted))) == []
    for (_, path, _, _), paging in zip(script.asked, ({}, {"cursor": "5-a"}), strict=True):
        assert dict(parse_qsl(path.partition("?")[2])) == wanted | {"limit": "200"} | paging


def test_counts_and_parts_of_payloads_are_asked_for(client: Client, script: Script) -> None:
    """What is not given is not sent, so that the server's own defaults hold."""
    script.replies = [({"counts": {State.PENDING.value: 3}}, 200, {}), OK]
    assert client.counts(index="cities", account="acme") == {State.PENDING.value: 3}
    list(client.payload(JOB, first=5, documents=2))
    list(client.payload(JOB))
    assert [path for _, path, _, _ in script.asked] == [
        "/api/jobs/counts?index=cities&account=acme",
        f"/api/jobs/{JOB}/payload?first=5&documents=2",
        f"/api/jobs/{JOB}/payload",
    ]


def test_failures_are_followed_by_position(client: Client, script: Script) -> None:
    """Each page goes on behind the last position, so none comes twice."""
    pages = [
        {"failures": [{"position": 4}], "total": 2, "next": 4},
        {"failures": [{"position": 9}], "total": 2, "next": None},
    ]
    script.replies = [(page, 200, {}) for page in pages]
    assert [failure["position"] for failure in client.all_failures(JOB)] == [4, 9]
    assert "after=4" in script.asked[1][1]


def test_waiting_ends_when_the_job_rests(client: Client, script: Script, clock: Clock) -> None:
    """A paused job would otherwise be waited for until somebody resumes it."""
    states = (State.PENDING, State.RUNNING, State.PAUSING, State.PAUSED)
    script.replies = [({"state": state.value}, 200, {}) for state in states]
    seen: list[str] = []
    assert client.wait(JOB, every_s=2, watch=lambda job: seen.append(job["state"]))["state"] == State.PAUSED
    assert seen == list(states)
    assert clock.slept == [2, 2, 2]
