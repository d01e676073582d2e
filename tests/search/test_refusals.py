"""A real cluster that refuses: nothing lost, nothing doubled, and the job says what it waits for."""

import pytest

from ingest_queue.job import Counts
from ingest_queue.states import Event, State
from tests.conftest import MakeNode
from tests.faults.world import World, document
from tests.search.conftest import MakeWorld, run_next

FEW = [document(n) for n in range(60)]


@pytest.mark.both_versions
def test_a_block_on_writes_delays_the_job_and_is_no_attempt(make_world: MakeWorld) -> None:
    """A full disk blocks the index (429 an item); the worker is freed and the job goes on when it is lifted."""
    world = make_world(INGEST_IN_PLACE_S="0.5")
    job = world.submit(FEW)
    block(world, "read_only_allow_delete", True)
    delayed = run_next(world)
    assert delayed.state is State.DELAYED and delayed.attempts == 0 and delayed.refusals == 1
    assert delayed.waiting_for is not None and "429" in delayed.waiting_for and delayed.waiting_since is not None
    block(world, "read_only_allow_delete", None)
    world.ask(job, Event.PAUSE)
    world.ask(job, Event.RESUME)
    assert run_next(world).state is State.COMPLETED
    world.check(job, FEW)


@pytest.mark.both_versions
def test_patience_ends_and_the_job_can_be_resumed(make_world: MakeWorld) -> None:
    """After an hour (here: at once) of refusals the job fails with the reason, and resumes from its cursor."""
    world = make_world(INGEST_IN_PLACE_S="0.3", INGEST_PATIENCE_S="1")
    job = world.submit(FEW)
    block(world, "read_only_allow_delete", True)
    ended = run_next(world)
    store = world.engine.store
    store.client.hset(f"iq:job:{job.id}", mapping={"waiting_since": "1", "not_before": ""})
    store.client.zadd("iq:ready:push", {ended.lane: 1})
    failed = run_next(world)
    assert failed.state is State.FAILED and failed.error is not None and failed.error.code == "sink_away"
    block(world, "read_only_allow_delete", None)
    world.ask(job, Event.RESUME)
    assert run_next(world).state is State.COMPLETED
    world.check(job, FEW)


@pytest.mark.both_versions
def test_a_write_block_delays_the_job_and_fails_no_document(make_world: MakeWorld) -> None:
    """index.blocks.write answers 403 an item; an operator sets it for a while, and no document is at fault."""
    world = make_world(INGEST_IN_PLACE_S="0.5")
    job = world.submit(FEW)
    block(world, "write", True)
    delayed = run_next(world)
    assert delayed.state is State.DELAYED and delayed.counts == Counts(60)
    assert "block" in (delayed.waiting_for or "")
    block(world, "write", None)
    world.ask(job, Event.PAUSE)
    world.ask(job, Event.RESUME)
    assert run_next(world).state is State.COMPLETED
    world.check(job, FEW)


@pytest.mark.real_node
def test_a_document_over_the_clusters_limit_fails_alone(make_node: MakeNode, make_world: MakeWorld) -> None:
    """413 halves the bulk down to the one document at fault."""
    node = make_node("http.max_content_length: 64kb\n")
    world = make_world(node.url)
    large = document(13) | {"note": "x" * 30_000}
    documents = [large | {"id": f"d{n:06d}"} if n % 7 == 0 else document(n) for n in range(40)]
    job = world.submit(documents)
    ended = run_next(world)
    assert ended.state is State.COMPLETED and ended.counts == Counts(40, 40)
    world.check(job, documents)


@pytest.mark.real_node
def test_a_busy_cluster_is_asked_again_until_it_takes_all(make_node: MakeNode, make_world: MakeWorld) -> None:
    """indexing_pressure answers 429 to whole requests; smaller or later ones pass."""
    node = make_node("indexing_pressure.memory.limit: 64kb\n")
    world = make_world(node.url, INGEST_BULKS_IN_FLIGHT="4")
    documents = [document(n) | {"note": "y" * 1500} for n in range(200)]
    job = world.submit(documents)
    ended = run_next(world)
    assert ended.state is State.COMPLETED
    world.check(job, documents)


@pytest.mark.real_node
def test_a_cluster_that_is_killed_and_comes_back_loses_nothing(make_node: MakeNode, make_world: MakeWorld) -> None:
    """Connection refused is not a failure of any document."""
    node = make_node()
    world = make_world(node.url, INGEST_IN_PLACE_S="0.5", INGEST_REQUEST_TIMEOUT_S="2")
    job = world.submit(FEW)
    node.kill()
    delayed = run_next(world)
    assert delayed.state is State.DELAYED and delayed.counts.processed == 0
    node.start()
    world.ask(job, Event.PAUSE)
    world.ask(job, Event.RESUME)
    assert run_next(world).state is State.COMPLETED
    world.check(job, FEW)


def block(world: World, name: str, value: bool | None) -> None:
    """Set or lift a block of the world's index."""
    settings = {"index": {f"blocks.{name}": value}}
    world.client.indices.put_settings(index=f"default_{world.slug}_v1", body=settings)
