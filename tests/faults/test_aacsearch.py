"""A canceled import says "Stopped at line N": all valid lines up to N are in the index and none after, whatever was killed."""

import json
import re
from typing import Final

import pytest

from ingest_queue.states import State
from tests.faults.conftest import MakeWorld
from tests.faults.gate import Gate
from tests.faults.world import World, kill_both
from tests.redis.aacsearch_side import Shop

BULK: Final = 7
WRONG: Final = b'{"external_id":"torn'


def id_of(line: int) -> str:
    return f"sku-{line:04d}"


def line_of(number: int) -> bytes:
    """Return a file's line of a number: every third is blank, every fifth is wrong, the others say their own number."""
    if number % 3 == 0:
        return b" \r"
    return WRONG if number % 5 == 0 else json.dumps({"external_id": id_of(number), "price": number}).encode()


VALID: Final = [n for n in range(1, 400) if line_of(n).startswith(b"{") and line_of(n) != WRONG]
FILE: Final = b"\n".join(line_of(n) for n in range(1, 400))
DOCUMENTS: Final = [n for n in range(1, 400) if n % 3]


@pytest.fixture
def behind_gate(make_world: MakeWorld, gate: Gate) -> tuple[World, Shop]:
    """A world behind the gate, with an index of small bulks for the client."""
    world = make_world(gate.url, INGEST_PATIENCE_S="1", INGEST_IN_PLACE_S="0.3")
    world.slug = f"{world.slug}-shop"
    return world, Shop(world.engine, slug=world.slug, bulk_documents=BULK)


def stopped_at(shop: Shop, job_id: str) -> int:
    """Return the line that a canceled job names, and nothing else in its detail."""
    job = shop.job(job_id)
    found = re.fullmatch(r"Stopped at line ([0-9]+)", str(job["detail"]))
    assert job["status"] == "canceled" and found, job
    return int(found[1])


def check(world: World, shop: Shop, job_id: str) -> int:
    """The index holds exactly the valid lines up to N, and N is the line of a document; return N."""
    line = stopped_at(shop, job_id)
    assert set(world.index()) == {id_of(n) for n in VALID if n <= line}
    assert line in DOCUMENTS
    assert shop.job(job_id)["processedLines"] == DOCUMENTS.index(line) + 1
    assert shop.job(job_id)["failureCount"] == sum(1 for n in DOCUMENTS if n <= line and n not in VALID)
    return line


def test_a_running_import_stops_at_a_line(behind_gate: tuple[World, Shop], gate: Gate) -> None:
    """Cooperative: what is on the wire is answered, nothing new is sent."""
    world, shop = behind_gate
    held = gate.hold(id_of(151))
    world.worker()
    job_id = shop.batch(FILE)
    held.until_here()
    assert shop.cancel(job_id).get_json()["status"] == "running"
    held.let_go()
    world.until(world.engine.get(job_id), State.CANCELED)
    assert check(world, shop, job_id) >= 151


@pytest.mark.parametrize("applied", [False, True], ids=["before it came", "before its answer"])
@pytest.mark.parametrize("cancels_first", [False, True], ids=["killed, then canceled", "canceled, then killed"])
def test_the_line_is_exact_when_the_worker_is_killed(
    behind_gate: tuple[World, Shop], gate: Gate, applied: bool, cancels_first: bool
) -> None:
    """Nobody knows what the lost run's last bulk did, so it is sent again before the job is canceled."""
    world, shop = behind_gate
    held = gate.hold(id_of(151), applied=applied)
    worker = world.worker()
    job_id = shop.batch(FILE)
    held.until_here()
    if cancels_first:
        shop.cancel(job_id)
    kill_both(worker)
    shop.cancel(job_id)
    held.open()
    world.worker()
    world.until(world.engine.get(job_id), State.CANCELED)
    assert check(world, shop, job_id) >= 151


def test_lines_that_nobody_can_vouch_for_are_named(behind_gate: tuple[World, Shop], gate: Gate) -> None:
    """The cluster stays away: the job ends all the same, and says how much behind its line is uncertain."""
    world, shop = behind_gate
    held = gate.hold(id_of(151), applied=True)
    worker = world.worker()
    job_id = shop.batch(FILE)
    held.until_here()
    kill_both(worker)
    shop.cancel(job_id)
    gate.refuse(id_of(n) for n in VALID)
    world.worker()
    ended = world.until(world.engine.get(job_id), State.CANCELED)
    held.open()
    job = shop.job(job_id)
    found = re.fullmatch(
        r"Stopped at line ([0-9]+); the next ([0-9]+) documents after it may or may not be in the index", job["detail"]
    )
    assert found, job
    line, in_doubt = int(found[1]), int(found[2])
    decided = DOCUMENTS.index(line) + 1
    assert (decided, decided + in_doubt) == (ended.counts.processed, ended.sent_to)
    uncertain = set(DOCUMENTS[decided : decided + in_doubt])
    there = {int(one.removeprefix("sku-")) for one in world.index()}
    assert {n for n in VALID if n <= line} <= there <= {n for n in VALID if n <= line} | uncertain
    assert job["errorMessage"].startswith("sink_away: ")
