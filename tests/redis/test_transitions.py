"""Every row of the state table, as Redis carries it out."""

from collections.abc import Callable

import pytest

from ingest_queue.engine import EFFECTS
from ingest_queue.job import Counts, Job, Progress
from ingest_queue.states import ASKED, HOLDS, RESTING, Event, State, allowed, arrow, rest
from ingest_queue.store.records import Word
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.bench import Bench

Submit = Callable[..., Job]


@pytest.fixture
def bench(store: Store, submit: Submit, tick: Tick) -> Bench:
    return Bench(store, submit, tick)


UNHELD_STATES = [s for s in State if s not in (State.RUNNING, State.PAUSING, State.STOPPING, State.CANCELING)]
HELD_STATES = [State.RUNNING, State.PAUSING, State.STOPPING, State.CANCELING]
VERBS = [event for event in ASKED if event is not Event.EDIT]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", UNHELD_STATES)
def test_a_verb_on_a_job_that_nobody_holds_does_what_the_table_says(bench: Bench, state: State, verb: Event) -> None:
    """The script and the table must never disagree, or the page offers what the engine refuses."""
    job_id = bench.unheld(state)
    answer = bench.store.records.happen(verb, job_id)
    check(answer.word, bench.state(job_id), state, verb, held=False, settled=True)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", HELD_STATES)
@pytest.mark.parametrize("settled", [True, False])
def test_a_verb_on_a_held_job_only_asks(bench: Bench, state: State, verb: Event, settled: bool) -> None:
    """While a run holds a job nothing may call it paused, stopped or canceled yet."""
    run = bench.held(state, settled=settled)
    answer = bench.store.records.happen(verb, run.job.id)
    check(answer.word, bench.state(run.job.id), state, verb, held=True, settled=settled)


def check(word: Word, after: State, before: State, event: Event, *, held: bool, settled: bool) -> None:
    target = arrow(event, before)
    if target is None:
        assert word is (Word.OK if before in HOLDS.get(event, ()) else Word.ILLEGAL)
        assert after is before
    else:
        assert word is Word.OK
        assert after is rest(target, held=held, settled=settled)


@pytest.mark.parametrize("event", [Event.HALT, Event.BACK_OFF, Event.COMPLETE, Event.FAIL])
@pytest.mark.parametrize("state", HELD_STATES)
@pytest.mark.parametrize("settled", [True, False])
def test_a_runs_answer_leads_where_the_table_says(bench: Bench, state: State, event: Event, settled: bool) -> None:
    """A pause that was asked during the last bulk must end as the table says, whatever the run answers."""
    run = bench.held(state, settled=settled)
    answer = run.answer(event)
    assert answer is not None
    target = arrow(event, state)
    assert target is not None
    assert answer.state is rest(target, held=False, settled=settled)


@pytest.mark.parametrize("state", [State.PAUSING, State.STOPPING, State.CANCELING])
def test_a_lost_run_with_bulks_in_doubt_is_settled_before_the_job_rests(bench: Bench, state: State) -> None:
    """Paused means: nothing sent is unanswered; so a worker must settle first, announcing nothing new."""
    run = bench.held(state, settled=False)
    unsettled = run.answer(Event.HALT)
    assert unsettled is not None and unsettled.state is state
    again = bench.store.claim(run.job.id, "settler", "parent-1")
    assert again is not None and again.job.state is state
    assert again.checkpoint(Progress(5, Counts(10, 5)), announce=8) == 5
    ended = again.answer(Event.HALT)
    assert ended is not None and ended.state in RESTING


def test_resuming_a_job_that_is_pausing_lets_its_run_go_on(bench: Bench) -> None:
    """Pause and resume within one bulk must not cost the run."""
    run = bench.held(State.PAUSING)
    bench.store.records.happen(Event.RESUME, run.job.id)
    assert bench.state(run.job.id) is State.RUNNING
    assert run.checkpoint(Progress(2, Counts(10, 2)), announce=7) == 7


def test_every_refusal_names_the_verbs_that_are_allowed(bench: Bench) -> None:
    """A client that was refused must learn what it may do."""
    job_id = bench.unheld(State.COMPLETED)
    answer = bench.store.records.happen(Event.PAUSE, job_id)
    assert answer.job is not None
    assert answer.job.allowed == allowed(State.COMPLETED) == ("retry", "delete")


def test_retry_begins_a_new_round_at_the_first_document(bench: Bench) -> None:
    """A retried job's writes must win over its own earlier ones, and its counters must start at zero."""
    job_id = bench.unheld(State.FAILED)
    before = bench.store.records.get(job_id)
    after = bench.store.records.happen(Event.RETRY, job_id, **EFFECTS[Event.RETRY]).job
    assert before is not None and after is not None
    assert after.round > before.round
    assert (after.progress.cursor, after.counts.processed, after.sent_to, after.error) == (0, 0, 0, None)


def test_a_repeated_retry_is_not_done_again_after_a_run_has_answered(bench: Bench) -> None:
    """The reply can be lost for as long as a small job takes: its documents must not be sent a second time."""
    job_id = bench.unheld(State.FAILED)
    bench.store.records.happen(Event.RETRY, job_id, retry=True, call="nonce")
    bench.tick()
    run = bench.store.claim(job_id, "another token", "parent-1")
    assert run is not None
    run.answer(Event.COMPLETE)
    again = bench.store.records.happen(Event.RETRY, job_id, retry=True, call="nonce")
    assert again.word is Word.OK and again.job is not None and again.job.state is State.COMPLETED


def test_a_repeated_call_is_answered_and_not_done_again(bench: Bench) -> None:
    """redis-py sends a script again when its reply was lost on the wire."""
    job_id = bench.unheld(State.FAILED)
    first = bench.store.records.happen(Event.RETRY, job_id, retry=True, call="nonce")
    again = bench.store.records.happen(Event.RETRY, job_id, retry=True, call="nonce")
    assert first.word is again.word is Word.OK
    assert first.job is not None and again.job is not None
    assert first.job.round == again.job.round
