"""The way between a run and the index, as chance has it: requests that come late, twice or never, and lost answers.

A request is on the wire from the moment it is sent. It may arrive before its run looks for the answer, then, or long
after that run is gone.
"""

import random
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from opensearchpy.exceptions import ConnectionError as ConnectionLost
from opensearchpy.exceptions import ConnectionTimeout
from urllib3.exceptions import ProtocolError

from ingest_queue.errors import RunLost
from tests.servers.memory_index import MemoryIndex
from tests.unit.lines import IDS, judge

Reply = tuple[int, Mapping[str, str], str]


@dataclass(eq=False, slots=True)
class Parcel(BaseException):
    """One request on its way; raised to leave the code that sends it. reply: once it has arrived."""

    path: str
    params: Mapping[str, str]
    body: bytes
    reply: Reply | None = None


class Wire:
    """Is the connection that opensearch-py uses. calm: nothing goes wrong any more; away: the cluster refuses all."""

    def __init__(self, index: MemoryIndex, chance: random.Random) -> None:
        self.index, self.chance = index, chance
        self.calm = self.away = False
        self.parcels: list[Parcel] = []
        self.answering: Parcel | None = None  # the one whose sender waits for its answer; None: a new one is sent

    def perform_request(self, _method: str, path: str, params: Mapping[str, str], body: bytes | None, **_how: Any) -> Reply:
        """Put a new request on the wire, or give the answer to the one that is waited for."""
        if self.answering is None:
            parcel = Parcel(path, params, body or b"")
            self.parcels.append(parcel)
            raise parcel
        parcel = self.answering
        dice = 1.0 if self.calm else self.chance.random()
        if dice < 0.06:
            raise ConnectionLost("N/A", "reset", ProtocolError("reset"))  # the request itself is still under way
        if not parcel.reply:
            parcel.reply = self.refusal(parcel, dice)
        if not parcel.reply:
            self.arrive(parcel)
        if parcel in self.parcels:
            self.parcels.remove(parcel)
        if 0.30 < dice < 0.36:
            raise ConnectionTimeout("TIMEOUT", "no answer", TimeoutError())
        assert parcel.reply
        return parcel.reply

    def refusal(self, parcel: Parcel, dice: float) -> Reply | None:
        """Return how the cluster refuses a request or some of its documents; None when it takes them."""
        is_bulk = parcel.path.endswith("_bulk")
        if self.away or dice < 0.12:
            return (503, {"Retry-After": "1"}, "busy") if dice < 0.5 else (429, {}, "busy")
        if dice < 0.16 and is_bulk and parcel.body.count(b"\n") > 2:
            return 413, {}, "too large"
        if dice < 0.30 and is_bulk:
            busy = {id for id in IDS if self.chance.random() < 0.5}
            self.index.judge = lambda id, source: (429, "rejected", "busy") if id in busy else judge(id, source)
            self.arrive(parcel)
            self.index.judge = judge
        return parcel.reply

    def arrive(self, parcel: Parcel) -> None:
        """Let a request have its effect."""
        status, text = self.index.answer(parcel.path, parcel.params, parcel.body)
        parcel.reply = (status, {}, text)

    def arrive_late(self) -> None:
        """Let any request that is on the wire arrive, whoever sent it."""
        parcel = self.chance.choice(self.parcels)
        self.parcels.remove(parcel)
        if not parcel.reply:
            self.arrive(parcel)


class Hands:
    """The window's pool for one run. Requests are made in the main thread, in an order that chance chooses."""

    def __init__(self, wire: Wire, world: Any) -> None:
        self.wire, self.world = wire, world
        self.open: list[tuple[Callable[[], Any], Future[Any], Parcel]] = []

    def clock(self) -> float:
        return float(self.world.now)

    def submit(self, request: Callable[[], Any]) -> "Future[Any]":
        future: Future[Any] = Future()
        self.wire.answering = None
        try:
            request()
        except Parcel as parcel:
            self.open.append((request, future, parcel))
        except RunLost as lost:
            future.set_exception(lost)
        return future

    def wait(self, futures: "Collection[Future[Any]]", within_s: float) -> None:
        """Let time pass, or one answer come."""
        self.world.tell("waiting")
        if any(future.done() for future in futures):
            return
        if not self.open or self.wire.chance.random() < 0.1:
            self.world.now += within_s
            return
        request, future, self.wire.answering = self.open.pop(self.wire.chance.randrange(len(self.open)))
        try:
            future.set_result(request())
        except Exception as problem:  # noqa: BLE001  as a pool does
            future.set_exception(problem)

    def close(self) -> None:
        """What is on the wire stays there."""
