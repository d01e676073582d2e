"""A job's record in memory, with the rules of the one in Redis: the same table, token, announcement and settling.

Scripts in Redis are tested in redis/; here the record serves the loop, so that thousands of schedules take seconds.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from ingest_queue.errors import RunLost
from ingest_queue.job import Counts, Job, Kind, Outcome, Progress
from ingest_queue.states import HALTING, RUNNING, UNHELD, Event, State, arrow, rest

LEASE_S: Final = 15.0


def make_job(**given: Any) -> Job:
    """Return a job; what a test does not say is ordinary."""
    unknown = dict.fromkeys(
        [
            "payload", "error", "waiting_for", "waiting_since", "queued_at", "started_at", "progress_at", "ended_at",
            "not_before", "expires_at",
        ]
    )  # fmt: skip
    ordinary: dict[str, Any] = {
        "id": "job", "kind": Kind.IMPORT, "account": "default", "initiator": "test", "source": "API", "index": "books",
        "alias": "default_books", "lane": "index:default/books", "state": RUNNING, "round": 7, "order": 1, "run": 1,
        "token": "token", "attempts": 0, "refusals": 0, "progress": Progress(0, Counts()), "sent_to": 0, "options": {},
        "created_at": 0.0, "updated_at": 0.0,
    }  # fmt: skip
    return Job(**{**unknown, **ordinary, **given})


@dataclass
class Record:
    """The truth about one job. rounds: the lane's; mark: where this round began."""

    lines: Sequence[bytes]
    rounds: Iterator[int] = field(default_factory=lambda: count(7))
    options: Mapping[str, Any] = field(default_factory=dict)
    state: State = State.PENDING
    token: str = ""
    run: int = 0
    sent_to: int = 0
    deleted: bool = False
    gave_up: bool = False  # its last run ended by an error, so that it may rest unsettled
    lease_until: float = 0.0
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    progress: Progress = field(default_factory=lambda: Progress(0, Counts()))
    marks: list[Progress] = field(default_factory=lambda: [Progress(0, Counts())])

    def __post_init__(self) -> None:
        self.round = next(self.rounds)
        self.mark = self.progress

    @property
    def settled(self) -> bool:
        return self.sent_to <= self.progress.counts.processed

    def job(self) -> Job:
        return make_job(
            state=self.state, round=self.round, run=self.run, token=self.token, progress=self.progress,
            sent_to=self.sent_to, options=self.options,
        )  # fmt: skip

    def happen(self, event: Event, token: str | None = None) -> bool:
        """Let an event happen if the table allows it; a run's answer comes with its token and ends its hold."""
        if token is not None and (token != self.token or self.deleted):
            return False
        to = arrow(event, self.state)
        if to is None or (event is Event.EDIT and not self.settled):
            return False
        if token is not None:
            self.token = ""
            self.gave_up = event is Event.FAIL
        if event is Event.RETRY:
            self.begin_again(Progress(0, Counts()))
        self.state = to
        self.come_to_rest()
        return True

    def claim(self, now: float) -> str:
        """Give the job to a run; return its token."""
        to = arrow(Event.CLAIM, self.state)
        assert to is not None
        assert not self.token
        self.run += 1
        self.state, self.token, self.lease_until = to, f"run-{self.run}", now + LEASE_S
        return self.token

    def lose(self, now: float) -> None:
        """What the tick does when the lease is over."""
        assert now >= self.lease_until
        assert self.happen(Event.HALT, self.token) or self.deleted

    def begin_again(self, mark: Progress) -> None:
        """Go back to a mark under a new round: what retry and edit do."""
        self.round = next(self.rounds)
        self.progress, self.sent_to, self.mark = mark, mark.cursor, mark
        self.marks = [one for one in self.marks if one.cursor <= mark.cursor]
        self.outcomes = {position: one for position, one in self.outcomes.items() if position < mark.cursor}

    def checkpoint(self, token: str, progress: Progress, outcomes: Sequence[Outcome], announce: int | None) -> int:
        if token != self.token or self.deleted:
            raise RunLost("job")
        if progress.cursor > self.progress.cursor:
            self.marks.append(progress)
        self.progress = progress
        self.outcomes.update((outcome.position, outcome) for outcome in outcomes)
        if announce is not None and self.state is RUNNING:
            self.sent_to = max(self.sent_to, announce)
        return self.sent_to

    def come_to_rest(self) -> None:
        self.state = rest(self.state, held=bool(self.token), settled=self.settled)
        if not self.token:
            assert self.state not in UNHELD, "nobody holds a job that counts as held"
            assert self.state not in HALTING or not self.settled, "settled and unheld, it must be what was asked"


@dataclass
class HeldRun:
    """A run's hold on a record. tell: told before and after each word with the record, as a place to interfere."""

    record: Record
    clock: Callable[[], float]
    tell: Callable[[str], None] = lambda _where: None
    halting: bool = False

    def __post_init__(self) -> None:
        self.lease_until = self.clock() + LEASE_S
        self.token = self.record.claim(self.clock())
        self.job = self.record.job()
        self.cursor, self.sent_to = self.job.progress.cursor, self.job.sent_to
        self.checkpoints: list[tuple[Progress, int | None]] = []

    def should_halt(self) -> bool:
        return self.halting

    def may_send(self) -> bool:
        return self.clock() < self.lease_until

    def checkpoint(self, progress: Progress, outcomes: Sequence[Outcome], announce: int | None = None) -> int:
        before = self.clock()
        self.tell("before a checkpoint")
        sent_to = self.record.checkpoint(self.token, progress, outcomes, announce)
        self.record.lease_until = self.clock() + LEASE_S
        self.checkpoints.append((progress, announce))
        self.tell("after a checkpoint")
        self.lease_until = before + LEASE_S
        return sent_to

    def answer(self, event: Event) -> bool:
        """End the run."""
        return self.record.happen(event, self.token)
