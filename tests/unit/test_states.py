"""The state table, as pure functions: each row is written out here once more, by hand."""

from itertools import product

import pytest

from ingest_queue.states import (
    ARROWS,
    ASKED,
    BEGUN,
    CANCELED,
    CANCELING,
    COMPLETED,
    DELAYED,
    DELETE,
    FAILED,
    HALTING,
    HOLDS,
    PAUSED,
    PAUSING,
    PENDING,
    RESTING,
    RQ_STATUS,
    RUNNING,
    SETTLED,
    STOPPED,
    STOPPING,
    UNFINISHED,
    UNHELD,
    WAITING,
    Event,
    State,
    allowed,
    arrow,
    rest,
)  # fmt: skip

ROWS: dict[Event, dict[State, State]] = {  # what is not here is refused
    Event.PAUSE: {PENDING: PAUSING, DELAYED: PAUSING, RUNNING: PAUSING},
    Event.RESUME: {PAUSED: PENDING, STOPPED: PENDING, FAILED: PENDING, PAUSING: RUNNING},
    Event.STOP: {PENDING: STOPPING, DELAYED: STOPPING, RUNNING: STOPPING, PAUSING: STOPPING},
    Event.CANCEL: {
        PENDING: CANCELING, DELAYED: CANCELING, RUNNING: CANCELING, PAUSING: CANCELING, PAUSED: CANCELING,
        STOPPING: CANCELING, STOPPED: CANCELING,
    },
    Event.RETRY: {COMPLETED: PENDING, FAILED: PENDING, STOPPED: PENDING},
    Event.EDIT: {PAUSED: PAUSED, STOPPED: STOPPED, FAILED: FAILED},
    Event.CLAIM: {PENDING: RUNNING, DELAYED: RUNNING, PAUSING: PAUSING, STOPPING: STOPPING, CANCELING: CANCELING},
    Event.HALT: {RUNNING: RUNNING, PAUSING: PAUSING, STOPPING: STOPPING, CANCELING: CANCELING},
    Event.BACK_OFF: {RUNNING: DELAYED, PAUSING: PAUSING, STOPPING: STOPPING, CANCELING: CANCELING},
    Event.COMPLETE: {RUNNING: COMPLETED, PAUSING: COMPLETED, STOPPING: COMPLETED, CANCELING: COMPLETED},
    Event.FAIL: {RUNNING: FAILED, PAUSING: PAUSED, STOPPING: STOPPED, CANCELING: CANCELED},
}  # fmt: skip

VERBS: dict[State, tuple[Event, ...]] = {
    PENDING: (Event.PAUSE, Event.STOP, Event.CANCEL),
    DELAYED: (Event.PAUSE, Event.STOP, Event.CANCEL),
    RUNNING: (Event.PAUSE, Event.STOP, Event.CANCEL),
    PAUSING: (Event.RESUME, Event.STOP, Event.CANCEL),
    PAUSED: (Event.RESUME, Event.CANCEL, Event.EDIT),
    STOPPING: (Event.CANCEL,),
    STOPPED: (Event.RESUME, Event.CANCEL, Event.RETRY, Event.EDIT),
    CANCELING: (),
    CANCELED: (),
    COMPLETED: (Event.RETRY,),
    FAILED: (Event.RESUME, Event.RETRY, Event.EDIT),
}


def leads_to(state: State) -> set[State]:
    """Return where a state may lead without anybody asking: runs answer, or it comes to rest by itself."""
    answers = {arrow(event, state) for event in Event if event not in ASKED}
    by_itself = {rest(state, held=held, settled=settled) for held, settled in product((True, False), repeat=2)}
    return ({to for to in answers if to} | by_itself) - {state}


@pytest.mark.parametrize(("event", "state"), list(product(Event, State)), ids=lambda word: word.value)
def test_each_row_leads_where_it_says_and_all_else_is_refused(event: Event, state: State) -> None:
    """Everything reads this table, so a slip in it is a slip everywhere."""
    assert arrow(event, state) is ROWS[event].get(state)


@pytest.mark.parametrize("event", list(Event), ids=lambda event: event.value)
def test_no_state_stands_in_two_rows_of_one_event(event: Event) -> None:
    """Where a state stood twice, the order of a dict would decide."""
    origins = [state for group in ARROWS[event] for state in group]
    assert len(origins) == len(set(origins))


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
def test_each_state_allows_its_verbs_in_the_tables_order(state: State) -> None:
    """Pages and clients make their buttons of this list, and their order."""
    assert allowed(state) == (*(verb.value for verb in VERBS[state]), DELETE)


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
def test_only_edit_waits_until_a_job_is_settled(state: State) -> None:
    """A lost run may still write what an edit would take back, and nothing else depends on that."""
    assert allowed(state, settled=False) == tuple(verb for verb in allowed(state) if verb != Event.EDIT.value)


@pytest.mark.parametrize(("state", "settled"), list(product(State, (True, False))))
def test_a_held_job_stays_as_it_is(state: State, settled: bool) -> None:
    """Only the run's answer may move what a run holds, or two would write."""
    assert rest(state, held=True, settled=settled) is state


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
def test_an_unheld_job_rests_as_asked_only_when_it_is_settled(state: State) -> None:
    """Paused while documents are in doubt would be a position that is not true."""
    becomes = {PAUSING: PAUSED, STOPPING: STOPPED, CANCELING: CANCELED, RUNNING: PENDING}
    in_doubt = {RUNNING: PENDING}

    assert rest(state, held=False, settled=True) is becomes.get(state, state)
    assert rest(state, held=False, settled=False) is in_doubt.get(state, state)


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
def test_every_state_has_a_way_on_but_the_one_that_is_final(state: State) -> None:
    """A state that nothing leaves would hold jobs, and their lanes, for ever."""
    ways = {to for event in Event if (to := arrow(event, state)) not in (None, state)}
    assert bool(ways) is (state is not CANCELED)


@pytest.mark.parametrize("state", [state for state in State if state not in RESTING], ids=lambda state: state.value)
def test_what_does_not_rest_comes_to_rest_without_being_asked_again(state: State) -> None:
    """A job that only people could move on would block its lane while it looks busy."""
    seen, new = {state}, {state}
    while new := {to for one in new for to in leads_to(one)} - seen:
        seen |= new
    assert seen & set(RESTING)


@pytest.mark.parametrize("state", RESTING, ids=lambda state: state.value)
def test_what_rests_moves_only_when_people_ask(state: State) -> None:
    """A late answer of a run must not wake a job that people believe at rest."""
    assert leads_to(state) == set()


@pytest.mark.parametrize(("verb", "state"), [(verb, state) for verb, held in HOLDS.items() for state in held])
def test_a_verb_holds_only_where_its_own_arrow_has_led(verb: Event, state: State) -> None:
    """A repeated verb is a success: it must not hide that the job is somewhere else."""
    targets = {to for origin in State if (to := arrow(verb, origin))}
    becomes = {to for target in targets for to in leads_to(target)}

    assert arrow(verb, state) is None
    assert state in targets | becomes


@pytest.mark.parametrize("verb", list(HOLDS), ids=lambda verb: verb.value)
def test_a_verb_can_be_repeated_at_once(verb: Event) -> None:
    """A client whose reply was lost repeats itself, and must not be refused for it."""
    for origin in State:
        target = arrow(verb, origin)
        if target:
            at_once = {target, *(rest(target, held=False, settled=settled) for settled in (True, False))}
            assert at_once <= set(HOLDS[verb])


def test_retry_and_edit_are_never_taken_for_repeated() -> None:
    """Each of them takes a new round; asked twice they are two."""
    assert set(HOLDS) == set(ASKED) - {Event.RETRY, Event.EDIT}


def test_each_state_is_in_exactly_one_group() -> None:
    """Groups decide who has a lane, a slot and an end; a state in none or two would have half of each."""
    groups = (*WAITING, *BEGUN, *RESTING)
    assert sorted(groups) == sorted(State)
    assert set(HALTING) == set(SETTLED) == set(BEGUN) - set(UNHELD)
    assert set(UNFINISHED) == set(State) - {COMPLETED, FAILED, CANCELED}


def test_rq_calls_finished_only_what_has_completed() -> None:
    """A paused job that operators see as finished would be forgotten."""
    assert set(RQ_STATUS) == set(State)
    assert [state for state in State if RQ_STATUS[state] == "finished"] == [COMPLETED]
