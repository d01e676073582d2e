"""What the native API's schemas say of a job, and what its loaders let through to the engine."""

from dataclasses import replace
from typing import Any, get_type_hints

import pytest
from flask import Flask, Response, jsonify
from flask.testing import FlaskClient
from marshmallow import Schema

from ingest_queue import wire
from ingest_queue.job import Counts, Fate, Job, JobError, Kind, Outcome, Payload, Progress
from ingest_queue.states import State
from web.access import Need
from web.api.schemas import (
    CountsReply,
    ErrorReply,
    FailuresQuery,
    FailuresReply,
    IndexRef,
    JobReply,
    JobsQuery,
    OutcomeReply,
    PayloadReply,
    SubmitQuery,
)
from web.calls import call
from web.errors import answer_errors
from web.loading import Query, shape_of
from web.replies import number_requests

JOB = Job(
    id="0" * 32, kind=Kind.IMPORT, account="default", initiator="local", source="API", index="cities",
    alias="default_cities", lane="index:default/cities", state=State.RUNNING, round=1_700_000_000_000, order=1, run=2,
    token="t", attempts=1, refusals=0, progress=Progress(30, Counts(100, 20, 6, 4, 1), {"validation_error": 6}),
    sent_to=40, payload=Payload(version=1, name="u", bytes=5000, stored_bytes=900, documents=100), error=None,
    waiting_for=None, waiting_since=None, options={},
    created_at=1_700_000_000.25, queued_at=1_700_000_000.25, started_at=1_700_000_001.0, progress_at=None,
    updated_at=1_700_000_002.0, ended_at=None, not_before=None, expires_at=None, rate_per_s=35.0,
)  # fmt: skip


def dump(job: Job) -> Any:
    return JobReply().dump(job)


@pytest.mark.parametrize(
    ("schema", "shape"),
    [
        (JobReply, wire.Job), (CountsReply, wire.Counts), (IndexRef, wire.IndexRef), (ErrorReply, wire.JobError),
        (PayloadReply, wire.Payload), (OutcomeReply, wire.Failure), (FailuresReply, wire.Failures),
    ],
)  # fmt: skip
def test_the_client_types_have_the_keys_that_the_api_sends(schema: type[Schema], shape: type) -> None:
    """The typed client would otherwise promise keys that no reply has."""
    assert set(schema().dump_fields) == set(get_type_hints(shape))


def test_the_client_filters_are_those_of_the_list() -> None:
    """A filter that the client lacks can be had by hand-made requests only, and a wrong one is refused by the server."""
    paging = {"cursor", "limit"}
    assert set(get_type_hints(wire.Filters)) | paging == set(shape_of(JobsQuery, by_account=True)().load_fields)


def test_a_job_is_dumped_with_every_key_and_null_where_there_is_nothing() -> None:
    """Clients read keys without asking whether they are there."""
    found = dump(JOB)
    assert set(found) == set(JobReply().dump_fields)
    assert found["error"] is found["ended_at"] is found["expires_at"] is found["waiting_for"] is None
    assert dump(replace(JOB, payload=None))["payload"] is None


def test_a_jobs_figures_agree_with_each_other() -> None:
    """processed is the sum of the outcomes, and percent and ETA follow from it."""
    found = dump(JOB)
    assert found["counts"] == {
        "total": 100,
        "succeeded": 20,
        "failed": 6,
        "skipped": 4,
        "processed": 30,
        "duplicates": 1,
    }
    assert (found["percent"], found["eta_s"], found["sent_to"], found["settled"]) == (30.0, 2.0, 40, False)
    assert found["failures_by_code"] == {"validation_error": 6}
    assert found["index"] == {"slug": "cities", "id": "default_cities"}
    assert found["allowed"] == list(JOB.allowed)


def test_a_hundred_percent_means_all() -> None:
    """Rounded up, a job of a million with one document left would look done."""
    nearly = Progress(999_999, Counts(1_000_000, 999_999))
    assert dump(replace(JOB, progress=nearly))["percent"] == 99.9
    assert dump(replace(JOB, progress=Progress(3, Counts(3, 3))))["percent"] == 100.0


def test_an_unknown_total_is_null_and_so_is_what_follows_from_it() -> None:
    """A pull may not know its total; zero would be a lie."""
    found = dump(replace(JOB, progress=Progress(3, Counts(None, 3)), sent_to=3))
    assert found["counts"]["total"] is found["percent"] is found["eta_s"] is None


def test_times_are_rfc_3339_in_utc() -> None:
    """Two clients in two time zones must read the same moment."""
    assert dump(JOB)["created_at"] == "2023-11-14T22:13:20.250Z"


def test_waiting_says_what_for_and_since_when() -> None:
    """A job that does not move without a reason makes people restart things."""
    found = dump(replace(JOB, waiting_for="the search cluster: 429", waiting_since=1_700_000_000.0))
    assert found["waiting_for"] == "the search cluster: 429, since 2023-11-14T22:13:20.000Z"


def test_a_failed_job_says_why() -> None:
    """The error is the first thing that people look for."""
    error = JobError("index_not_found", "the index is gone")
    assert dump(replace(JOB, error=error))["error"] == {"code": error.code, "message": error.message, "detail": None}


def test_an_outcome_is_dumped_as_the_contract_lists_it() -> None:
    """The fate is told by the list that it stands in; the rest is for people who mend the line."""
    outcome = Outcome(4, Fate.FAILED, 6, "a", "validation_error", "price", "expected a number", "{}")
    assert OutcomeReply().dump(outcome) == {
        "position": 4,
        "line": 6,
        "id": "a",
        "code": "validation_error",
        "field": "price",
        "reason": "expected a number",
        "raw": "{}",
    }


@pytest.fixture
def client() -> FlaskClient:
    """Views that answer what reached them."""
    app = Flask(__name__)
    number_requests(app)
    answer_errors(app)

    def view(**loaded: Any) -> Response:
        return jsonify({key: str(value) for key, value in loaded.items()})

    for name, schema in {"none": Query, "jobs": JobsQuery, "submit": SubmitQuery, "failures": FailuresQuery}.items():
        app.add_url_rule(f"/{name}", name, call(Need.ANYONE, query=schema, answers={})(view))
    app.add_url_rule("/job/<job_id>", "job", call(Need.ANYONE, answers={})(view))
    app.add_url_rule("/index/<slug>", "index", call(Need.ANYONE, answers={})(view))
    return app.test_client()


@pytest.mark.parametrize(
    "url",
    [
        "/none?x=1", "/jobs?stat=failed", "/jobs?state=gone", "/jobs?limit=0", "/jobs?limit=201", "/jobs?limit=ten",
        "/jobs?limit=5&limit=6", "/jobs?index=Cities", "/jobs?index=*", "/jobs?index=a%0A", "/jobs?cursor=%00",
        "/jobs?cursor=a%20b", "/jobs?created_after=yesterday", "/jobs?source=fax",
        "/submit?on_duplicate=ignore", "/failures?after=-2", "/failures?kind=succeeded",
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_meant_is_refused_by_name(client: FlaskClient, url: str) -> None:
    """A misspelt filter that is ignored answers with everything, and nobody notices."""
    reply = client.get(url)
    assert (reply.status_code, reply.get_json()["code"]) == (400, "invalid_query")
    name = url.partition("?")[2].partition("=")[0]
    assert list(reply.get_json()["errors"]) == [name]
    assert name in reply.get_json()["detail"]


def test_defaults_are_filled_in(client: FlaskClient) -> None:
    """A view gets every parameter, so that defaults stand in one place."""
    filters = ("state", "index", "kind", "lane", "source", "initiator", "created_after", "created_before", "q", "cursor")
    assert client.get("/jobs").get_json() == dict.fromkeys(filters, "None") | {"limit": "50"}
    assert client.get("/submit").get_json() == {"on_duplicate": "last_wins", "source": "API"}
    assert client.get("/failures?after=-1").get_json() == {"kind": "failed", "after": "-1", "limit": "50"}


@pytest.mark.parametrize("job_id", ["x", "0" * 31, "0" * 33, "A" * 32, "0" * 31 + "*", "0" * 31 + "%0A", "0" * 30 + ":1"])
def test_a_job_id_that_cannot_be_one_is_unknown_and_goes_no_further(client: FlaskClient, job_id: str) -> None:
    """Only 32 hex digits ever become part of a key in Redis."""
    reply = client.get(f"/job/{job_id}")
    assert (reply.status_code, reply.get_json()["code"]) == (404, "job_not_found")


@pytest.mark.parametrize("slug", ["*", "..", "a:b", "A", "_all", "é", "a%00", "a%0A", "-a", "a" * 65])
def test_a_slug_that_cannot_be_one_is_unknown_and_goes_no_further(client: FlaskClient, slug: str) -> None:
    """A slug becomes part of keys and of index names in the cluster, where `*` means all."""
    reply = client.get(f"/index/{slug}")
    assert (reply.status_code, reply.get_json()["code"]) == (404, "index_not_found")
