"""A job is one thing, seen by all: what comes in one way is watched and ruled by another."""

import pytest

from ingest_queue.states import BEGUN, Event, State
from tests.redis.bench import Bench
from tests.redis.conformance import SURFACES, speaking
from tests.redis.conformance.conftest import Make
from tests.redis.conformance.surface import Surface, Verb


def others(surface: Surface, make: Make) -> list[Surface]:
    """Return the same account's other surfaces."""
    return [make(name, with_index=False) for name in SURFACES if name != surface.name]


@speaking(Verb.SUBMIT)
@pytest.mark.parametrize("state", [state for state in State if state not in BEGUN])
def test_every_surface_shows_what_came_in_by_another(surface: Surface, make: Make, bench: Bench, state: State) -> None:
    """An operator, a script and a CMS look at the same job, each in their own words."""
    job_id = surface.submit()
    bench.bring(job_id, state)
    for other in others(surface, make):
        seen = other.watch(job_id)
        assert (seen.id, seen.word) == (job_id, other.words[state]), other.name


@speaking(Verb.SUBMIT)
def test_every_surface_lists_what_came_in_by_another(surface: Surface, make: Make) -> None:
    """A list that leaves out what others sent would hide why a job waits."""
    job_id = surface.submit()
    for other in others(surface, make):
        assert job_id in [seen.id for page in other.pages(10) for seen in page], other.name


@speaking(Verb.SUBMIT, Verb.RESUME)
def test_a_verb_of_one_surface_is_seen_by_all(surface: Surface, make: Make, bench: Bench) -> None:
    """Whoever holds a job holds it for everybody."""
    job_id = surface.submit()
    for other in others(surface, make):
        for verb in (Verb.PAUSE, Verb.STOP):
            if verb in other.verbs:
                assert other.call(verb, job_id).status_code == 200
                held = {Verb.PAUSE: State.PAUSED, Verb.STOP: State.STOPPED}[verb]
                assert surface.watch(job_id).word == surface.words[held]
                assert surface.call(Verb.RESUME, job_id).status_code == 200
                assert bench.state(job_id) is State.PENDING
    bench.store.records.happen(Event.PAUSE, job_id)
    assert surface.watch(job_id).word == surface.words[State.PAUSED]
