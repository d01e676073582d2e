"""Named schedules on long payloads: what is decided early in a payload holds half a million lines later.

Most lines are refused without being sent, so that the positions are real and the wait is not.
"""

from collections.abc import Iterable, Iterator

import pytest

from ingest_queue.intake.body import Form
from ingest_queue.job import Job
from ingest_queue.states import RESTING, Event, State
from tests.faults.conftest import MakeWorld
from tests.faults.gate import Gate
from tests.faults.world import World, document, kill_horse, ndjson

REPEAT = b'{"id":"d000000"}\n'  # refused with on_duplicate=reject
NO_OBJECT = b"1\n"  # refused always


def test_an_edit_of_document_3000_with_the_cursor_at_500000(make_world: MakeWorld, gate: Gate) -> None:
    """The mark before the change is far behind the cursor; everything from there on is written and counted anew."""
    env = {"INGEST_LEASE_S": "30", "INGEST_BULKS_IN_FLIGHT": "1"}  # one, so that a mark lies before document 3,000
    world = make_world(gate.url, 1500, **env)
    own = [*range(0, 10_000, 1000), 500_000, 505_000]
    lines = payload(510_000, own, REPEAT)
    held = gate.hold(document(500_000)["id"])
    world.worker()
    job = submit(world, lines, on_duplicate="reject")
    held.until_here()
    world.ask(job, Event.PAUSE)
    held.let_go()
    assert world.until(job, State.PAUSED).counts.processed >= 500_000
    lines[3000] = ndjson([document(3000, "edited")])
    edited = world.engine.edit(job.id, pieces(lines), form=Form.NDJSON)
    assert 0 < edited.counts.processed <= 3000
    assert edited.counts.succeeded == sum(position < edited.counts.processed for position in own)
    world.ask(job, Event.RESUME)
    ended = world.until(job, State.COMPLETED)
    assert (ended.counts.succeeded, ended.counts.failed) == (12, 509_988)
    world.check(job, [document(n, "edited" if n == 3000 else "first") for n in own])


@pytest.mark.parametrize(("on_duplicate", "filler"), [("last_wins", NO_OBJECT), ("reject", REPEAT)])
def test_an_id_on_line_10_and_line_600000_with_a_pause_a_slice_and_a_kill_between(
    make_world: MakeWorld, gate: Gate, on_duplicate: str, filler: bytes
) -> None:
    """Each run but the first has never seen line 10: it must know its id all the same."""
    env = {"INGEST_LEASE_S": "30", "INGEST_SLICE_S": "0.1"}
    world, other = make_world(gate.url, 5000, **env), make_world(gate.url, **env)
    own = range(0, 600_010, 20_000)
    lines = payload(600_010, own, filler)
    lines[9], lines[599_999] = ndjson([document(9, "first")]), ndjson([document(9, "second")])
    held = {number: gate.hold(document(number)["id"]) for number in (20_000, 40_000, 60_000)}
    worker = world.worker()
    job = submit(world, lines, on_duplicate=on_duplicate)

    held[20_000].until_here()
    world.ask(job, Event.PAUSE)
    held[20_000].let_go()
    world.until(job, State.PAUSED)
    world.ask(job, Event.RESUME)

    held[40_000].until_here()
    waiting = other.submit([document(700_000)])
    held[40_000].let_go()
    other.until(waiting, State.COMPLETED)
    assert world.job(job).state not in RESTING

    held[60_000].until_here()
    kill_horse(worker)
    ended = world.until(job, State.COMPLETED)
    held[60_000].let_go()
    assert ended.run == 4
    wins = "second" if on_duplicate == "last_wins" else "first"
    assert ended.counts.duplicates == (1 if on_duplicate == "last_wins" else 0)
    world.check(job, [*(document(n) for n in own), document(9, wins)])


def payload(total: int, own: Iterable[int], filler: bytes) -> list[bytes]:
    """Return the lines of a payload: documents at the positions in `own`, the filler everywhere else."""
    lines = [filler] * total
    for position in own:
        lines[position] = ndjson([document(position)])
    return lines


def pieces(lines: list[bytes]) -> Iterator[bytes]:
    """Yield lines as an upload brings them."""
    for start in range(0, len(lines), 50_000):
        yield b"".join(lines[start : start + 50_000])


def submit(world: World, lines: list[bytes], **options: str) -> Job:
    """Submit lines as they are."""
    return world.engine.submit(world.slug, pieces(lines), form=Form.NDJSON, options=options)
