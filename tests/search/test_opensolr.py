"""The Opensolr dialect with a real worker and a real cluster: progress that moves, a pause in the middle, exact bytes."""

import json
from collections.abc import Iterator
from functools import partial

import pytest

from tests.faults.gate import Gate, Reply, Request
from tests.faults.world import World
from tests.redis.http_side import Api
from tests.redis.opensolr_side import EMAIL, Opensolr, page
from tests.search.conftest import MakeWorld, run_next
from tests.servers.cluster import Cluster
from tests.servers.processes import wait_for

BULK = 5  # documents
DOCUMENTS = [page(number) for number in range(50)]
EXACT = (
    '{"uri":"https://example.com/script","title":"<script>alert(\\"1\\")<\\/script>&amp;","n":9223372036854775807}',
    '{"text":"\\u00e9 é 漢字 \\ud83d\\ude00 \U0001f600","n":-9223372036854775808, "uri" : "urn:unicode"}',
    '{"uri":"2","meta_price":"1.10","n":   1234567890123456789}',
)


class Listening(Gate):
    """A gate that keeps each bulk's lines as they came."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.lines: list[bytes] = []

    def take(self, request: Request) -> Reply:
        if request.ids():
            self.lines += request.body.split(b"\n")
        return super().take(request)


@pytest.fixture
def gate(cluster: Cluster) -> Iterator[Listening]:
    """Between the worker and an emptied cluster."""
    cluster.wipe()
    with Listening(cluster.url) as gate:
        yield gate


@pytest.fixture
def world(make_world: MakeWorld, gate: Listening) -> World:
    return make_world(gate.url)


@pytest.fixture
def site(world: World) -> Opensolr:
    """A client with an index that takes five documents at a time."""
    return Opensolr(Api(world.engine), settings={"bulk_documents": BULK})


def is_at(site: Opensolr, job_id: str, documents: int) -> bool:
    return bool(site.job(job_id)["processed_docs"] == documents)


def test_progress_moves_bulk_by_bulk_while_a_slow_server_takes_its_time(site: Opensolr, world: World, gate: Listening) -> None:
    """Clients show a bar: one that jumps from 0 to 100 says nothing."""
    answer = site.ask("ingest", core_name="pages", documents=DOCUMENTS)
    slow = [gate.hold(answer["doc_ids"][first]) for first in range(0, 50, BULK)]
    world.worker()
    for number, bulk in enumerate(slow):
        bulk.until_here()
        wait_for(partial(is_at, site, answer["job_id"], number * BULK), 30, f"bulk {number}")
        job = site.job(answer["job_id"])
        assert (job["state_label"], job["progress"], job["success_docs"]) == ("processing", number * 10, number * BULK)
        bulk.let_go()
    wait_for(lambda: site.job(answer["job_id"])["state"] == 1, 30, "the end")
    assert site.job(answer["job_id"])["progress"] == 100


def test_a_job_paused_in_the_middle_goes_on_at_the_same_document(site: Opensolr, world: World, gate: Listening) -> None:
    """Each document is sent exactly once over both runs; two bulks on the wire may arrive in either order."""
    answer = site.ask("ingest", core_name="pages", documents=DOCUMENTS)
    job_id, middle = answer["job_id"], gate.hold(answer["doc_ids"][20])
    world.worker()
    middle.until_here()
    assert site.act(job_id, "pause")["msg"] == "PAUSING"
    middle.let_go()
    wait_for(lambda: site.job(job_id)["state"] == 5, 30, "the pause")
    paused = site.job(job_id)
    assert 20 < paused["processed_docs"] < 50
    assert sum(map(len, gate.bulks)) == paused["processed_docs"]
    assert site.act(job_id, "resume")["msg"] == "RESUMED"
    wait_for(lambda: site.job(job_id)["state"] == 1, 30, "the end")
    assert sorted(id for bulk in gate.bulks for id in bulk) == sorted(answer["doc_ids"])


@pytest.mark.parametrize("form", ["json text", "json", "form"])
def test_documents_reach_the_index_as_they_were_sent(site: Opensolr, world: World, gate: Listening, form: str) -> None:
    """Script tags, escapes, unicode and 64-bit integers, byte for byte; the index has each under the id that was told."""
    array = f"[{', '.join(EXACT)}]"
    if form == "json":
        head = json.dumps({"email": EMAIL, "api_key": site.secret, "core_name": "pages"})[:-1]
        reply = site.http.post("/api/ingest", data=f'{head}, "documents": {array}}}', content_type="application/json")
        answer = reply.get_json()
    else:
        answer = site.ask("ingest", form="form" if form == "form" else "json", core_name="pages", documents=array)
    run_next(world)
    assert site.job(answer["job_id"])["success_docs"] == 3
    assert [line for line in gate.lines[1::2] if line] == [one.encode() for one in EXACT]
    found = [world.client.get(index="default_pages", id=doc_id)["_source"] for doc_id in answer["doc_ids"]]
    assert found == [json.loads(one) for one in EXACT]


def test_documents_that_fail_are_told_and_their_neighbours_go_in(site: Opensolr, world: World) -> None:
    """A job with failures has completed; each is named by number, id, field and code."""
    documents = [page(1), page(2, colour="red"), page(3, n="many")]
    answer = site.ask("ingest", core_name="pages", documents=documents)
    run_next(world)
    job = site.job(answer["job_id"])
    assert (job["state_label"], job["success_docs"], job["failed_docs"], job["error"]) == ("completed", 1, 2, None)
    assert [(one["index"], one["doc_id"], one["field"], one["code"]) for one in job["doc_errors"]] == [
        (1, answer["doc_ids"][1], "colour", "schema_mismatch"),
        (2, answer["doc_ids"][2], "n", "validation_error"),
    ]


def test_a_failed_job_is_mended_and_retried(site: Opensolr, world: World) -> None:
    """Fix and retry in three steps, as the document has it."""
    job_id = site.ask("ingest", core_name="pages", documents=[page(1, colour="red")])["job_id"]
    run_next(world)
    failed = site.job(job_id)
    assert (failed["state"], failed["state_label"]) == (3, "failed")
    assert failed["error"]
    saved = site.act(job_id, "save_payload", payload=[page(1), page(2)])
    assert (saved["total_docs"], saved["job"]["state_label"]) == (2, "failed")
    assert site.act(job_id, "retry")["job"]["state_label"] == "pending"
    run_next(world)
    job = site.job(job_id)
    assert (job["state"], job["success_docs"], job["error"]) == (1, 2, None)
    assert world.client.get(index="default_pages", id=saved["doc_ids"][1])["_source"] == page(2)
