"""The words of the Opensolr dialect: states and actions. Tables, and no rule.

Numbers and labels are those that its clients compare: 1 is the end they wait for, 3 and 4 are the ends they give up at.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from ingest_queue.job import Job, Outcome
from ingest_queue.states import DELETE, Event, State

LABELS: Final[Mapping[State, str]] = {
    State.PENDING: "pending",
    State.DELAYED: "pending",
    State.RUNNING: "processing",
    State.PAUSING: "processing",
    State.STOPPING: "processing",
    State.CANCELING: "processing",
    State.PAUSED: "paused",
    State.STOPPED: "stopped",
    State.CANCELED: "stopped",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
}
NUMBERS: Final = {"pending": 0, "completed": 1, "processing": 2, "failed": 3, "stopped": 4, "paused": 5}

ACTIONS: Final[Mapping[str, str]] = {  # action -> our verb
    "pause": Event.PAUSE,
    "resume": Event.RESUME,
    "stop": Event.STOP,
    "retry": Event.RETRY,
    "save_payload": Event.EDIT,
    "delete": DELETE,
}
ORIGINS: Final[Mapping[str, tuple[State, ...]]] = {  # where these clients may do less than others: no failed job resumes
    Event.RESUME: (State.PAUSED, State.STOPPED, State.PAUSING),
}
DONE: Final[Mapping[str, str]] = {
    Event.PAUSE: "PAUSED",
    Event.RESUME: "RESUMED",
    Event.STOP: "STOPPED",
    Event.RETRY: "RETRIED",
    Event.EDIT: "PAYLOAD_SAVED",
}
ASKED: Final[Mapping[State, str]] = {State.PAUSING: "PAUSING", State.STOPPING: "STOPPING"}  # until the run has halted


def allowed(state: State, verbs: Iterable[str]) -> list[str]:
    """Return the actions that may be asked of a job in this state, given the verbs that our table allows."""
    verbs = tuple(verbs)
    return [action for action, verb in ACTIONS.items() if verb in verbs and state in ORIGINS.get(verb, tuple(State))]


@dataclass(frozen=True, slots=True)
class Shown:
    """A job in this product's words; `doc_errors` are its first failed documents."""

    job: Job
    doc_errors: tuple[Outcome, ...] = ()

    @property
    def state_label(self) -> str:
        return LABELS[self.job.state]

    @property
    def state(self) -> int:
        return NUMBERS[self.state_label]

    @property
    def total(self) -> int:
        """A total that nobody knows yet is 0."""
        return self.job.counts.total or 0

    @property
    def progress(self) -> int:
        """Whole percent, 100 only at the end."""
        return int(self.job.percent or 0)
