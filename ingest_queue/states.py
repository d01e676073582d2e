"""What may happen to a job: the one table that verbs, runs, pages and scripts read.

Nothing outside this module compares states, except each dialect's table of words. Where an arrow leads also
depends on whether a run holds the job and whether it is settled (nothing sent is unanswered); both are known
only in Redis, so the scripts get this table as data and name no state themselves.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a job stands."""

    PENDING = "pending"  # waits in its lane; admit and a worker's claim move it on
    DELAYED = "delayed"  # waits for the search cluster or after a failed attempt; its not_before moves it on
    RUNNING = "running"  # a run holds it; the run's answer moves it on
    PAUSING = "pausing"  # asked to pause; the run's answer, or a settling run, moves it on
    PAUSED = "paused"  # rests at its cursor; resume moves it on
    STOPPING = "stopping"  # asked to stop; as pausing
    STOPPED = "stopped"  # rests at its cursor until its retention is over; resume or retry move it on
    CANCELING = "canceling"  # asked to cancel; as pausing
    CANCELED = "canceled"  # ended for good
    COMPLETED = "completed"  # every document has its outcome; retry starts again
    FAILED = "failed"  # the run could not go on, or every document failed; resume or retry move it on


class Event(StrEnum):
    """What happens to a job: people's verbs first, then the answers of runs."""

    PAUSE = "pause"  # hold it; it goes on from the same document
    RESUME = "resume"  # go on from the cursor
    STOP = "stop"  # hold it; resumable until its retention is over
    CANCEL = "cancel"  # end it for good; what was written stays
    RETRY = "retry"  # a new round, from the first document
    EDIT = "edit"  # a new round, from the first changed document
    CLAIM = "claim"  # a worker takes it
    HALT = "halt"  # the run lets go: asked, shut down, slice over, or lost
    BACK_OFF = "back_off"  # the search cluster is away, or an attempt failed: free the worker
    COMPLETE = "complete"  # nothing is left to send
    FAIL = "fail"  # the run can never go on


PENDING, DELAYED, RUNNING = State.PENDING, State.DELAYED, State.RUNNING
PAUSING, PAUSED = State.PAUSING, State.PAUSED
STOPPING, STOPPED = State.STOPPING, State.STOPPED
CANCELING, CANCELED = State.CANCELING, State.CANCELED
COMPLETED, FAILED = State.COMPLETED, State.FAILED

WAITING: Final = (PENDING, DELAYED)
HALTING: Final = (PAUSING, STOPPING, CANCELING)  # asked for, not yet true
BEGUN: Final = (RUNNING, *HALTING)
RESTING: Final = (PAUSED, STOPPED, COMPLETED, FAILED, CANCELED)  # no lane, no slot, no run
UNFINISHED: Final = (*WAITING, *BEGUN, PAUSED, STOPPED)  # keeps an index from being deleted

ARROWS: Final[Mapping[Event, Mapping[tuple[State, ...], State | None]]] = {  # from -> to; None: stays
    # people ask
    Event.PAUSE: {(*WAITING, RUNNING): PAUSING},
    Event.RESUME: {(PAUSED, STOPPED, FAILED): PENDING, (PAUSING,): RUNNING},
    Event.STOP: {(*WAITING, RUNNING, PAUSING): STOPPING},
    Event.CANCEL: {(*WAITING, RUNNING, PAUSING, PAUSED, STOPPING, STOPPED): CANCELING},
    Event.RETRY: {(COMPLETED, FAILED, STOPPED): PENDING},  # a new round, from the first document
    Event.EDIT: {(PAUSED, STOPPED, FAILED): None},  # a new round, from the first change
    # runs answer
    Event.CLAIM: {WAITING: RUNNING, HALTING: None},  # while halting, only to settle
    Event.HALT: {BEGUN: None},  # let go: asked, shut down, slice over, or lost
    Event.BACK_OFF: {(RUNNING,): DELAYED, HALTING: None},  # the sink is away: free the worker
    Event.COMPLETE: {BEGUN: COMPLETED},  # nothing left to send: outruns a late pause
    Event.FAIL: {(RUNNING,): FAILED, (PAUSING,): PAUSED, (STOPPING,): STOPPED, (CANCELING,): CANCELED},
}
UNHELD: Final = {RUNNING: PENDING}  # becomes, in the same call, when no run holds the job
SETTLED: Final = {PAUSING: PAUSED, STOPPING: STOPPED, CANCELING: CANCELED}  # ... and sent_to == processed

HOLDS: Final[Mapping[Event, tuple[State, ...]]] = {  # the verb's effect is already there: a success, nothing changes
    Event.PAUSE: (PAUSING, PAUSED),
    Event.RESUME: (*WAITING, RUNNING),
    Event.STOP: (STOPPING, STOPPED),
    Event.CANCEL: (CANCELING, CANCELED),
}

ASKED: Final = (Event.PAUSE, Event.RESUME, Event.STOP, Event.CANCEL, Event.RETRY, Event.EDIT)
NEED_A_PAYLOAD: Final = (Event.RESUME, Event.RETRY, Event.EDIT)
DELETE: Final = "delete"  # no arrow: it works in every state and ends the record itself

RQ_STATUS: Final[Mapping[State, str]] = {  # what RQ's tools show; an admitted or held job shows queued or started
    PENDING: "deferred",
    DELAYED: "deferred",
    RUNNING: "deferred",
    PAUSING: "deferred",
    STOPPING: "deferred",
    CANCELING: "deferred",
    PAUSED: "deferred",
    STOPPED: "deferred",
    COMPLETED: "finished",
    FAILED: "failed",
    CANCELED: "canceled",
}


def arrow(event: Event, state: State) -> State | None:
    """Return where `event` leads from `state` (itself where the table says it stays); None where it is illegal."""
    for origins, target in ARROWS[event].items():
        if state in origins:
            return state if target is None else target
    return None


def rest(state: State, *, held: bool, settled: bool) -> State:
    """Return what `state` becomes at once, given whether a run holds the job and nothing sent is unanswered."""
    if held:
        return state
    if settled and state in SETTLED:
        return SETTLED[state]
    return UNHELD.get(state, state)


def allowed(state: State, *, settled: bool = True) -> tuple[str, ...]:
    """Return the verbs that people may use now, in the table's order; delete always, edit only when settled."""
    verbs = [e.value for e in ASKED if arrow(e, state) is not None and (settled or e is not Event.EDIT)]
    return (*verbs, DELETE)
