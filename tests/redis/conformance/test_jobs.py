"""What a job goes through is the same whichever way it came in: each surface has its own words for it, and no rule."""

import pytest

from ingest_queue.job import Counts, Fate, Outcome, Progress
from ingest_queue.states import BEGUN, HOLDS, Event, State, arrow, rest
from ingest_queue.store.runs import Run
from ingest_queue.store.store import Store
from tests.redis.bench import Bench
from tests.redis.conformance import speaking, speaking_each
from tests.redis.conformance.surface import ASKED, DOCUMENTS, Surface, Verb
from tests.redis.http_side import UNKNOWN
from tests.redis.rq_side import finish, take


def in_state(surface: Surface, bench: Bench, state: State, number: int = 0) -> tuple[str, Run | None]:
    """Return a job of the surface in a state, and the run that holds it."""
    job_id = surface.submit(number * DOCUMENTS)
    if state in BEGUN:
        return job_id, bench.hold(job_id, state)
    bench.bring(job_id, state)
    return job_id, None


def clear(surface: Surface, job_id: str, run: Run | None) -> None:
    """Leave the lane to the next job."""
    if run is not None:
        run.answer(Event.HALT)
    surface.api.engine.store.records.delete(job_id)


@speaking(Verb.SUBMIT, Verb.WATCH)
def test_a_submission_is_a_job_at_once(surface: Surface, store: Store) -> None:
    """The id in the answer is all that a client needs from then on."""
    seen = surface.watch(surface.submit())
    assert seen.word == surface.words[State.PENDING]
    assert seen.total in (DOCUMENTS, None)
    assert store.records.counts("all")[State.PENDING] == 1


@speaking(Verb.SUBMIT)
def test_a_submission_without_a_document_leaves_nothing(surface: Surface, store: Store) -> None:
    """An empty file is a mistake that must be told, and no job that anybody would wait for."""
    reply = surface.send([])
    assert reply.status_code == 400, reply.text
    surface.check_error(reply)
    assert (sum(store.records.counts("all").values()), store.payloads.stored_bytes()) == (0, 0)


@speaking(Verb.WATCH)
def test_each_state_is_shown_by_its_word(surface: Surface, bench: Bench) -> None:
    """Clients compare words: one that its product does not know would be taken for anything."""
    for number, state in enumerate(State):
        job_id, run = in_state(surface, bench, state, number)
        seen = surface.watch(job_id)
        assert (seen.id, seen.word) == (job_id, surface.words[state]), state
        clear(surface, job_id, run)


@speaking_each(*ASKED)
def test_a_verb_does_what_the_table_says_or_is_refused(surface: Surface, verb: Verb, bench: Bench) -> None:
    """In every state, held by a run or not: what is allowed happens, what holds already is a success, else nothing changes."""
    event = Event(verb)
    for number, state in enumerate(State):
        job_id, run = in_state(surface, bench, state, number)
        reply = surface.call(verb, job_id)
        if surface.may(verb, state):
            assert reply.status_code == 200, (state, reply.text)
            becomes = rest(arrow(event, state) or state, held=run is not None, settled=True)
            assert bench.state(job_id) is becomes, state
            seen = surface.asked(reply)
            assert seen is None or (seen.id, seen.word) == (job_id, surface.words[becomes]), state
        else:
            assert reply.status_code == 409, (state, reply.text)
            surface.check_error(reply)
            assert bench.state(job_id) is state
        clear(surface, job_id, run)


@speaking_each(Verb.PAUSE, Verb.RESUME, Verb.STOP, Verb.CANCEL)
def test_a_verb_that_holds_already_changes_nothing(surface: Surface, verb: Verb, bench: Bench, store: Store) -> None:
    """A client whose reply was lost asks again, and must not see an error then."""
    state = HOLDS[Event(verb)][-1]
    job_id, run = in_state(surface, bench, state)
    before = store.records.get(job_id)
    assert surface.call(verb, job_id).status_code == 200
    assert store.records.get(job_id) == before
    clear(surface, job_id, run)


@speaking(Verb.DELETE)
def test_a_deleted_job_is_like_one_that_never_was(surface: Surface, bench: Bench) -> None:
    """In every state in which the product deletes; the index keeps what was written."""
    for number, state in enumerate(State):
        job_id, run = in_state(surface, bench, state, number)
        reply = surface.call(Verb.DELETE, job_id)
        if surface.may(Verb.DELETE, state):
            assert reply.status_code in (200, 204), (state, reply.text)
            gone, unknown = surface.call(Verb.WATCH, job_id), surface.call(Verb.WATCH, UNKNOWN)
            assert (gone.status_code, gone.text.replace(job_id, UNKNOWN)) == (404, unknown.text), state
        else:
            assert reply.status_code == 409, (state, reply.text)
            surface.check_error(reply)
            assert bench.state(job_id) is state
        clear(surface, job_id, run)


@speaking(Verb.PROGRESS)
def test_progress_is_shown_while_a_run_goes_on(surface: Surface, bench: Bench) -> None:
    """What the last checkpoint saved is what the next poll sees."""
    run = bench.claim(surface.submit())
    run.checkpoint(Progress(4, Counts(DOCUMENTS, 3, 1), {"validation_error": 1}), announce=8)
    seen = surface.watch(run.job.id)
    assert (seen.word, seen.total, seen.processed, seen.failed) == (surface.words[State.RUNNING], DOCUMENTS, 4, 1)
    run.checkpoint(Progress(8, Counts(DOCUMENTS, 7, 1), {"validation_error": 1}))
    assert surface.watch(run.job.id).processed == 8


@speaking(Verb.ERRORS)
def test_failed_documents_are_told_by_line_and_code(surface: Surface, bench: Bench) -> None:
    """Who sent them must find them in their own file, and know what to mend."""
    job_id = surface.submit()
    assert surface.failures(surface.call(Verb.ERRORS, job_id)) == []
    run = bench.claim(job_id)
    outcomes = [
        Outcome(position, Fate.FAILED, position + 1, "x", code, "price", "expected a number, found a string", '{"price":"4"}')
        for position, code in ((1, "validation_error"), (4, "schema_mismatch"))
    ]
    run.checkpoint(Progress(0, Counts(DOCUMENTS)), announce=DOCUMENTS)
    codes = {"validation_error": 1, "schema_mismatch": 1}
    run.checkpoint(Progress(DOCUMENTS, Counts(DOCUMENTS, DOCUMENTS - 2, 2), codes), outcomes)
    run.answer(Event.COMPLETE)
    assert surface.watch(job_id).word == surface.words[State.COMPLETED]
    assert surface.failures(surface.call(Verb.ERRORS, job_id)) == [(2, "validation_error"), (5, "schema_mismatch")]


@speaking(Verb.EDIT, Verb.PAUSE, Verb.RESUME)
def test_a_paused_job_can_be_mended_and_goes_on(surface: Surface) -> None:
    """Pause, edit, resume: same job, other documents, counted anew."""
    job_id = surface.submit()
    surface.call(Verb.PAUSE, job_id)
    edited = surface.call(Verb.EDIT, job_id)
    assert edited.status_code == 200, edited.text
    seen = surface.watch(job_id)
    assert (seen.word, seen.total, seen.processed) == (surface.words[State.PAUSED], 1, 0)
    surface.call(Verb.RESUME, job_id)
    assert surface.watch(job_id).word == surface.words[State.PENDING]


@speaking(Verb.LIST)
@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_pages_hold_each_job_once_newest_first(surface: Surface, limit: int) -> None:
    """Whoever follows the pages to their end has seen every job, and none twice."""
    jobs = [surface.submit(number * DOCUMENTS, 1) for number in range(5)]
    pages = [[seen.id for seen in page] for page in surface.pages(limit)]
    assert all(len(page) == limit for page in pages[: 5 // limit])
    assert [job_id for page in pages for job_id in page] == jobs[::-1]


@speaking(Verb.SUBMIT, Verb.REPEAT)
def test_a_submission_that_comes_again_is_the_first_job(surface: Surface, store: Store) -> None:
    """A client whose connection broke sends everything again; its documents must not be sent to the index twice."""
    once = {"Idempotency-Key": "one"}
    first = surface.submit(headers=once)
    assert surface.submit(headers=once) == first
    assert sum(store.records.counts("all").values()) == 1
    assert surface.submit(DOCUMENTS, headers={"Idempotency-Key": "two"}) != first


@speaking(Verb.RETRY, Verb.REPEAT)
def test_a_retry_that_comes_again_is_not_done_again(surface: Surface, bench: Bench) -> None:
    """Also when the job has ended meanwhile: a second round would take as long again."""
    job_id, _ = in_state(surface, bench, State.FAILED)
    once = {"Idempotency-Key": "one"}
    assert surface.call(Verb.RETRY, job_id, headers=once).status_code == 200
    bench.tick()
    run = take(bench.store)
    assert run is not None
    finish(run)
    assert surface.call(Verb.RETRY, job_id, headers=once).status_code == 200
    assert bench.state(job_id) is State.COMPLETED
