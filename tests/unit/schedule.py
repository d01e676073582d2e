"""One seeded schedule: a job that is run, lost, paused, edited and refused at moments that chance chooses.

The loop, the window, the sink and the state table are the real ones. The record, the index, the pool's threads and
the time are the test's, so that every interleaving can happen and be repeated by its seed. A run meets the world in
each checkpoint and whenever it waits.
"""

import random
from collections import Counter
from itertools import count
from typing import Any, Final

from opensearchpy import OpenSearch

from ingest_queue.errors import RunLost
from ingest_queue.run.loop import Limits, ingest
from ingest_queue.run.sink import IndexSink
from ingest_queue.states import RESTING, Event, State
from tests.servers.memory_index import MemoryIndex
from tests.unit.lines import BROKEN, IDS, Payload, decode, judge, line
from tests.unit.record import LEASE_S, HeldRun, Record
from tests.unit.truth import check
from tests.unit.wire import Hands, Wire

HOLDING: Final = (Event.PAUSE, Event.RESUME, Event.STOP, Event.CANCEL)
VERBS: Final = (*HOLDING, Event.RETRY, Event.EDIT)
EVENTFUL: Final = 12  # turns until the world calms down
MOST: Final = 60
NESTED: Final = 3  # runs of which each but the last has lost the job and does not know it


class Killed(BaseException):
    """The run's process is gone."""


class Schedule:
    """The world of one job. happened: how often each thing did, so that a test can tell that it tries them all."""

    def __init__(self, seed: int) -> None:
        random.seed(seed)  # the window's own jitter: without it a seed would not play again as it did
        self.chance = random.Random(seed)
        self.now = 0.0
        self.index = MemoryIndex("default_books", judge)
        self.wire = Wire(self.index, self.chance)
        connection: Any = lambda **_: self.wire  # noqa: E731  opensearch-py makes its connections itself
        self.client = OpenSearch([{}], connection_class=connection, max_retries=0)
        self.happened: Counter[str] = Counter()
        self.written: dict[str, set[bytes]] = {}
        self.foreign: dict[str, int] = {}
        self.rounds = count(1)
        self.stamps = count()
        self.runs: list[HeldRun] = []
        self.record = self.submit()

    def play(self) -> None:
        """Go on until the job has ended. Raises AssertionError when a promise is broken."""
        for turn in range(MOST):
            if turn == EVENTFUL:
                self.wire.calm, self.wire.away = True, False
            while self.wire.parcels and (self.wire.calm or self.chance.random() < 0.5):
                self.wire.arrive_late()
            if self.record.state in RESTING:
                self.check()
                has_ended = self.record.state in (State.COMPLETED, State.CANCELED)
                if has_ended and (self.wire.calm or self.chance.random() < 0.3):
                    return
            self.people()
            if self.record.state not in RESTING:
                self.work()
        raise AssertionError(f"the job never ended: {self.record}")

    def check(self) -> None:
        """Hold the job at rest against the truth."""
        self.happened[f"rest {self.record.state}"] += 1
        self.happened["rest unsettled"] += not self.record.settled
        check(self.record, self.index, self.written, self.foreign)

    # what people do ----------------------------------------------------------------------------------------------
    def submit(self) -> Record:
        """Return a new job with lines of which many share an id."""
        self.foreign = {}
        options = {"on_duplicate": self.chance.choice(["last_wins", "last_wins", "reject"])}
        return Record([self.line() for _ in range(self.chance.randint(1, 14))], self.rounds, options)

    def line(self) -> bytes:
        dice, id = self.chance.random(), self.chance.choice(IDS)
        if dice < 0.1:
            return BROKEN
        made = line(id, f"{'poison' if dice < 0.2 else ''}{next(self.stamps)}")
        self.written.setdefault(id, set()).add(made)
        return made

    def people(self) -> None:
        """Ask for something, perhaps. In a calm world somebody lets the job go on."""
        if not self.wire.calm:
            if self.chance.random() < 0.5:
                self.ask(self.chance.choice(VERBS))
        elif self.record.state in RESTING and not self.record.happen(Event.RESUME):
            self.ask(Event.RETRY)

    def ask(self, verb: Event) -> None:
        if not self.record.happen(verb):
            return
        self.happened[verb] += 1
        if verb is Event.RETRY:
            self.foreign = {}
        if verb is Event.EDIT:
            self.edit()

    def edit(self) -> None:
        """Replace some lines from one on; go back to a mark at or before it."""
        record = self.record
        first = self.chance.randrange(len(record.lines) + 1)
        new = [self.line() for _ in range(self.chance.randint(1, 6))]
        record.lines = [*record.lines[:first], *new, *record.lines[first + self.chance.randint(0, 3) :]]
        record.begin_again(self.chance.choice([mark for mark in record.marks if mark.cursor <= first][-2:]))
        self.foreign = {}

    def replace_job(self) -> None:
        """Delete the job, whatever it does, and submit another to its lane."""
        self.happened["delete"] += 1
        self.record.deleted = True
        self.record = self.submit()

    def write_from_elsewhere(self) -> None:
        """Let a newer job of the lane have written one of the ids."""
        id = self.chance.choice(IDS)
        self.index.write(id, next(self.rounds) << 20, b"from elsewhere")
        self.written.setdefault(id, set()).add(b"from elsewhere")
        self.foreign.setdefault(id, self.record.sent_to)

    # runs --------------------------------------------------------------------------------------------------------
    def work(self) -> None:
        """One run, from its claim to its answer, or to its loss without one."""
        record, calm = self.record, self.wire.calm
        run = HeldRun(record, lambda: self.now, self.tell)
        self.runs.append(run)
        try:
            event = self.carry(run)
            if event is Event.BACK_OFF and not self.wire.calm and self.chance.random() < 0.3:
                event = Event.FAIL  # its patience is over
            self.happened[event] += run.answer(event)
        except (Killed, RunLost) as end:
            self.happened[type(end).__name__] += 1
        finally:
            self.runs.pop()
        if record.token == run.token and not record.deleted:  # nobody knows until the lease is over
            if not self.wire.calm and self.chance.random() < 0.5:
                self.ask(self.chance.choice(HOLDING))
            self.now = max(self.now, record.lease_until)
            record.lose(self.now)
        if calm:
            assert record.state in RESTING, f"nothing hindered this run: {record}"

    def carry(self, run: HeldRun) -> Event:
        limits = Limits(self.chance.randint(1, 5), 10_000, self.chance.randint(1, 3), in_place_s=3.0)
        sink = IndexSink(self.client, run.job.alias, run.job.round, timeout_s=1, map_fields=lambda _fields: None)
        return ingest(run, Payload(tuple(run.record.lines)), sink, decode, limits, pool=Hands(self.wire, self))

    def tell(self, _where: str) -> None:
        """A moment of a run at which anything may happen beside it."""
        if self.wire.calm:
            return
        dice = self.chance.random()
        if dice < 0.06:
            self.ask(self.chance.choice(HOLDING))
        elif dice < 0.09:
            raise Killed
        elif dice < 0.11:
            self.runs[-1].halting = True
        elif dice < 0.13 and len(self.runs) < NESTED:
            self.hang()
        elif dice < 0.15:
            self.wire.away = not self.wire.away
        elif dice < 0.19 and self.wire.parcels:
            self.wire.arrive_late()
        elif dice < 0.195:
            self.replace_job()
        elif dice < 0.21:
            self.write_from_elsewhere()

    def hang(self) -> None:
        """Stop the run until its lease is over and others have had the job; then it goes on where it stood."""
        self.happened["hang"] += 1
        self.now += LEASE_S + 1
        record = self.record
        if record.token == self.runs[-1].token:
            record.lose(self.now)
        for _ in range(self.chance.randint(0, 3)):
            if self.record.state in RESTING:
                self.check()
                self.people()
            if self.record.state not in RESTING and not self.record.token:
                self.work()
