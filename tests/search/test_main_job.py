"""The main job on a real cluster: every document's fate is the one that people are told."""

import json
from collections.abc import Iterator

import pytest

from ingest_queue.errors import Conflict
from ingest_queue.intake.body import Form
from ingest_queue.job import Counts, Progress
from ingest_queue.schema.definition import Definition
from ingest_queue.states import Event, State
from ingest_queue.store import keys
from ingest_queue.tick import Tick
from tests.faults.world import World, document, ndjson
from tests.redis.rq_side import payload_name, take
from tests.search.conftest import run_next

pytestmark = pytest.mark.both_versions


def test_valid_documents_are_searchable_when_the_job_is_completed(world: World) -> None:
    """Completed means: a reader finds it."""
    job = world.submit(document(n) for n in range(100))
    ended = run_next(world)
    assert ended.state is State.COMPLETED
    assert ended.counts == Counts(100, 100)
    assert world.client.count(index=f"default_{world.slug}")["count"] == 100
    world.check(job, [document(n) for n in range(100)])


def test_bad_lines_fail_with_line_code_and_reason_and_cost_their_neighbours_nothing(world: World) -> None:
    """Seed 001: failures are recorded per line, not per job."""
    lines = [
        json.dumps(document(0)), "", "{broken", json.dumps({"n": 1}), json.dumps(document(2) | {"colour": "red"}),
        json.dumps(document(3) | {"n": "three"}), json.dumps(document(4)),
    ]  # fmt: skip
    job = world.engine.submit(world.slug, iter(["\n".join(lines).encode()]), form=Form.NDJSON)
    ended = run_next(world)
    assert ended.state is State.COMPLETED and ended.counts == Counts(6, 2, 4)
    found = world.engine.failures(job.id).items
    assert [(one.line, one.code) for one in found] == [
        (3, "invalid_json"), (4, "missing_external_id"), (5, "schema_mismatch"), (6, "validation_error"),
    ]  # fmt: skip
    assert all(one.reason and one.raw for one in found)
    assert ended.progress.codes == {"invalid_json": 1, "missing_external_id": 1, "schema_mismatch": 1, "validation_error": 1}
    world.check(job, [document(0), document(4)])


def test_the_later_of_two_lines_with_one_id_wins_and_is_reported(world: World) -> None:
    """Both are sent in order; the index holds one; nothing is counted twice."""
    job = world.submit([document(1, "old"), document(2), document(1, "new")])
    ended = run_next(world)
    assert ended.counts == Counts(3, 3, duplicates=1)
    assert [one.line for one in world.engine.failures(job.id, kind="duplicate").items] == [3]
    world.check(job, [document(1, "new"), document(2)])


def test_the_later_of_two_lines_with_one_id_fails_when_that_was_asked(world: World) -> None:
    """on_duplicate=reject."""
    job = world.submit([document(1, "old"), document(2), document(1, "new")], on_duplicate="reject")
    assert run_next(world).counts == Counts(3, 2, 1)
    world.check(job, [document(1, "old"), document(2)])


def test_a_job_whose_every_document_failed_has_failed(world: World) -> None:
    """A wrong file must not look like a success."""
    world.submit([{"n": n} for n in range(3)])
    ended = run_next(world)
    assert ended.state is State.FAILED
    assert ended.error is not None and ended.error.code == "all_failed"


def test_an_edited_payload_replaces_what_failed(world: World) -> None:
    """Fix and retry in three steps (seed 000)."""
    job = world.submit([{"n": 1}, {"n": 2}])
    run_next(world)
    payload = json.dumps([document(1), document(2)]).encode()
    edited = world.engine.edit(job.id, iter([payload]), form=Form.ARRAY)
    assert edited.state is State.FAILED and edited.counts == Counts(2)
    world.ask(job, Event.RETRY)
    assert run_next(world).state is State.COMPLETED
    world.check(job, [document(1), document(2)])


def test_an_older_job_that_goes_on_later_does_not_overwrite_a_newer_one(world: World) -> None:
    """The newest submission wins, in whatever order jobs run."""
    older = world.submit([document(1, "old"), document(2, "old")])
    world.ask(older, Event.PAUSE)
    newer = world.submit([document(1, "new")])
    assert run_next(world).id == newer.id
    world.ask(older, Event.RESUME)
    ended = run_next(world)
    assert ended.counts == Counts(2, 1, 0, 1)
    assert ended.progress.codes == {"superseded": 1}
    assert {one["note"] for one in world.index().values()} == {"new", "old"}


def test_the_original_bytes_reach_the_index(world: World) -> None:
    """A number is never parsed and written anew."""
    line = b'{"id":"d1","n":12,"note":"caf\\u00e9 \xc3\xa9"}'
    world.engine.submit(world.slug, iter([line]), form=Form.NDJSON)
    run_next(world)
    raw = world.client.transport.perform_request("GET", f"/default_{world.slug}/_doc/d1")
    assert raw["_source"] == json.loads(line)


def test_a_job_of_a_deleted_index_fails_and_makes_no_index(world: World) -> None:
    """Left to itself the cluster would make the index anew with guessed types."""
    job = world.submit([document(1)])
    with pytest.raises(Conflict) as refusal:
        world.engine.indexes.delete(world.slug)
    assert refusal.value.code == "index_in_use"
    world.engine.indexes.delete(world.slug, force=True)
    ended = run_next(world)
    assert ended.state is State.FAILED and ended.error is not None and ended.error.code == "index_not_found"
    assert not world.client.indices.exists(index=f"default_{world.slug}*", params={"allow_no_indices": "false"})
    assert world.job(job).counts.processed == 0


def test_a_job_does_not_go_on_into_an_index_that_was_made_again(world: World) -> None:
    """Its first documents were in the old one: completed would be a lie. A retry brings all of them."""
    job = world.submit([document(n) for n in range(100)])
    store = world.engine.store
    Tick(store, "parent").now()
    run = take(store)
    assert run is not None
    run.checkpoint(Progress(0, Counts(100)), announce=90)
    run.checkpoint(Progress(90, Counts(100, 90)))
    world.ask(job, Event.PAUSE)
    run.answer(Event.HALT)
    definition = world.engine.indexes.get(world.slug)
    world.engine.indexes.delete(world.slug, force=True)
    world.engine.indexes.create(definition)
    world.ask(job, Event.RESUME)
    failed = run_next(world)
    assert failed.state is State.FAILED and failed.error is not None and failed.error.code == "index_not_found"
    world.ask(job, Event.RETRY)
    assert run_next(world).state is State.COMPLETED
    world.check(job, [document(n) for n in range(100)])


def test_an_index_that_somebody_deleted_in_the_cluster_fails_the_job(world: World) -> None:
    """Not through us: the definition is there, the alias is not."""
    world.submit([document(1)])
    world.client.indices.delete(index=f"default_{world.slug}_v1")
    ended = run_next(world)
    assert ended.state is State.FAILED and ended.error is not None and ended.error.code == "index_not_found"


def test_an_open_index_that_somebody_deleted_in_the_cluster_fails_the_job(world: World) -> None:
    """Its mapping is asked for before the first document: that question, too, is the job's end and not the run's break."""
    fields = [{"name": "id", "type": "keyword"}]
    slug = f"{world.slug}-open"
    raw = {"slug": slug, "id": {"rule": "field", "field": "id"}, "fields": fields, "open": ["meta_*"]}
    world.engine.indexes.create(Definition.parse(raw))
    job = world.engine.submit(slug, iter([b'{"id":"d1","meta_a":"x"}']), form=Form.NDJSON)
    world.client.indices.delete(index=f"default_{slug}_v1")
    ended = run_next(world)
    assert ended.id == job.id and ended.state is State.FAILED
    assert ended.error is not None and ended.error.code == "index_not_found"


def test_an_edit_of_a_payload_that_expires_meanwhile_is_refused_whole(world: World) -> None:
    """Without the old documents nobody knows where the new ones begin to differ."""
    job = world.submit([document(n) for n in range(10)])
    world.ask(job, Event.PAUSE)
    before, store = world.job(job), world.engine.store

    def pieces() -> Iterator[bytes]:
        store.client.delete(keys.PAYLOAD(job.id, payload_name(job)))
        yield ndjson([document(1)])

    with pytest.raises(Conflict) as refusal:
        world.engine.edit(job.id, pieces(), form=Form.NDJSON)
    assert refusal.value.code == "payload_expired" and refusal.value.data["state"] == before.state.value
    assert world.job(job).payload == before.payload
    assert before.payload is not None and store.payloads.stored_bytes() == before.payload.stored_bytes
