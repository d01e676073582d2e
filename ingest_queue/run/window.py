"""The bulks in flight: sends them, sends again what was refused, hands them back in payload order once answered.

Everything is decided in the main thread; the pool's threads only make requests. So nothing here needs a lock, and
an exception of a request surfaces where the window is asked next. `next_asks` chooses each step.
"""

import random
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

from ingest_queue.errors import RunLost, SinkAway
from ingest_queue.job import Outcome
from ingest_queue.run.answers import Answer
from ingest_queue.run.bulks import Bulk
from ingest_queue.run.pool import Pool, Threads
from ingest_queue.run.protocols import Observe, Run, Sink
from ingest_queue.run.steps import Ask, What, decided, next_asks
from ingest_queue.run.tally import Answered

FLIGHTS_KEPT: Final = 4  # times the window: a server that writes a segment takes as long for one bulk as for five others


@dataclass(eq=False, slots=True)
class Flight:
    """A bulk on its way. unanswered: its requests that are to be made or on the wire."""

    bulk: Bulk
    unanswered: int = 0
    outcomes: dict[int, Outcome] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Errand:
    """One request to be made, or on the wire (then it has a future)."""

    ask: Ask
    flight: Flight | None
    due_at: float
    sent_at: float = 0.0
    took_s: float | None = None  # of a bulk request, once it is answered
    future: "Future[Answer] | None" = None
    body: bytes | None = None  # made ahead


class Window:
    """Up to `bulks_in_flight` bulks at once. On leaving, nothing more is sent.

    has_room and is_empty wait, carry on what is in flight, and raise what went wrong: RunLost, JobFailed, or SinkAway
    after `in_place_s` seconds of refusals without one document decided, or when told to halt while backing off.
    """

    def __init__(
        self,
        sink: Sink,
        bulks_in_flight: int,
        run: Run,
        *,
        in_place_s: float = 60.0,
        observe: Observe = lambda _seconds, _refused: None,
        pool: Pool | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._sink, self._size, self._run = sink, bulks_in_flight, run
        self._in_place_s, self._observe, self._chance = in_place_s, observe, chance
        self._pool = pool or Threads(bulks_in_flight)
        self._flights: deque[Flight] = deque()
        self._errands: list[Errand] = []
        self._decided_at = self._pool.clock()  # when a document was last decided
        self._refused_since: float | None = None
        self._reason = ""
        self._left = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._left = True
        self._pool.close()

    def has_room(self, within_s: float) -> bool:
        """Wait until one more bulk may be sent. A bulk that backs off keeps its place, so a busy cluster gets fewer."""
        return self._until(lambda: self._unanswered() < self._size and not self._is_held_up(), within_s)

    def is_empty(self, within_s: float) -> bool:
        """Wait until every request is answered."""
        return self._until(lambda: not self._errands, within_s)

    def send(self, bulk: Bulk, body: bytes | None = None) -> None:
        """Begin to send a bulk, as `body` if that is made already. One without entries is answered at once, in its turn."""
        flight = Flight(bulk, outcomes={outcome.position: outcome for outcome in bulk.outcomes})
        self._flights.append(flight)
        if bulk.entries:
            self._add(Ask(What.SEND, bulk.entries), flight, body)
            self._depart()

    def refresh(self) -> None:
        """Begin to make everything sent searchable; is_empty tells when it is."""
        self._add(Ask(What.REFRESH), None)
        self._depart()

    def answered(self) -> list[Answered]:
        """Take out the bulks that are answered and have only answered ones before them."""
        prefix = []
        while self._flights and not self._flights[0].unanswered:
            flight = self._flights.popleft()
            outcomes = sorted(flight.outcomes.values(), key=lambda outcome: outcome.position)
            prefix.append(Answered(flight.bulk.start, flight.bulk.end, tuple(outcomes), flight.bulk.line))
        return prefix

    def _is_held_up(self) -> bool:
        """Whether the first of many bulks is not answered yet; once it is, `answered` takes it and others out."""
        return len(self._flights) >= FLIGHTS_KEPT * self._size and self._flights[0].unanswered > 0

    def _unanswered(self) -> int:
        return sum(1 for flight in self._flights if flight.unanswered)

    def _until(self, holds: Callable[[], bool], within_s: float) -> bool:
        deadline = self._pool.clock() + within_s
        while True:
            self._arrive()
            self._depart()
            self._give_up()
            if holds():
                return True
            now = self._pool.clock()
            if now >= deadline:
                return False
            wake_at = min([deadline, *(errand.due_at for errand in self._errands if not errand.future)])
            self._pool.wait([errand.future for errand in self._errands if errand.future], max(0.0, wake_at - now))

    def _add(self, ask: Ask, flight: Flight | None, body: bytes | None = None) -> None:
        self._errands.append(Errand(ask, flight, self._pool.clock() + ask.delay_s, body=body))
        if flight:
            flight.unanswered += 1

    def _depart(self) -> None:
        """Make the requests that are due."""
        now = self._pool.clock()
        for errand in self._errands:
            if not errand.future and errand.due_at <= now:
                errand.sent_at = now
                errand.future = self._pool.submit(lambda errand=errand: self._request(errand))  # type: ignore[misc]

    def _request(self, errand: Errand) -> Answer:
        """Make one request, in a thread of the pool."""
        ask = errand.ask
        self._check_lease()
        if ask.what is What.REFRESH:
            return self._sink.refresh()
        if ask.what is What.LOOK_UP:
            return self._sink.look_up(ask.entries)
        if errand.flight and (hindered := self._sink.prepare(ask.entries, errand.flight.bulk.fields)):
            return hindered
        self._check_lease()  # a change of the mapping may have taken long
        began = self._pool.clock()
        answer = self._sink.send(ask.entries, errand.body)
        errand.took_s = self._pool.clock() - began
        return answer

    def _check_lease(self) -> None:
        """Nothing is sent once the window is left or the lease is over."""
        if self._left or not self._run.may_send():
            raise RunLost(self._run.job.id)

    def _arrive(self) -> None:
        """Take in the answers that are there."""
        for errand in [errand for errand in self._errands if errand.future and errand.future.done()]:
            answer = errand.future.result()  # type: ignore[union-attr]
            self._errands.remove(errand)
            if errand.took_s is not None:
                self._observe(errand.took_s, answer.refusal is not None)
            if errand.flight:
                errand.flight.unanswered -= 1
                errand.flight.outcomes.update((outcome.position, outcome) for outcome in answer.outcomes)
            for ask in next_asks(errand.ask, answer, self._chance()):
                self._add(ask, errand.flight)
            if errand.flight and not errand.flight.unanswered:
                errand.flight.bulk = replace(errand.flight.bulk, entries=())  # its documents need no memory any more
            self._note(errand, answer)

    def _note(self, errand: Errand, answer: Answer) -> None:
        if answer.refusal:
            self._reason = answer.refusal.reason
        if decided(errand.ask, answer):
            self._decided_at, self._refused_since = self._pool.clock(), None
        elif answer.refusal and self._refused_since is None:
            self._refused_since = max(errand.sent_at, self._decided_at)

    def _give_up(self) -> None:
        if not any(errand.ask.tries for errand in self._errands if not errand.future):
            return  # nothing backs off
        stalled = self._refused_since is not None and self._pool.clock() - self._refused_since >= self._in_place_s
        if stalled or self._run.should_halt():
            raise SinkAway(self._reason)
