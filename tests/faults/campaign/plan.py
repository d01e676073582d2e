"""What a seed means: a payload, and which faults strike at which document. The same seed is the same plan, always."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from ingest_queue.states import DELETE, Event
from tests.faults.campaign.payload import Line, lines
from tests.faults.campaign.proxy import Point
from tests.faults.campaign.torment import Torment
from tests.faults.world import BULK, LEASE_S

REST: Final = True  # a step that waits until the job has come to rest
NOW: Final = False
Step = tuple[str, bool]
UNDER_WAY: Final = 8 * BULK  # documents: the most that a run has announced and not settled
APART: Final = UNDER_WAY + BULK  # documents between two strikes, and before the first: no bulk under way meets the next strike


class Family(StrEnum):
    """What a fault befalls; a strike has at most one fault of each. In the order in which they strike."""

    STORM = "verbs"
    PROCESS = "processes"
    INDEX = "the way to the index"
    REDIS = "Redis"


class Kind(StrEnum):
    """One kind of fault, as the table names it."""

    KILL_HORSE = "kill -9 of the horse"
    KILL_WORKER = "kill -9 of the worker alone"
    KILL_BOTH = "kill -9 of worker and horse"
    SIGTERM = "SIGTERM to the worker"
    HANG_HORSE = "SIGSTOP of the horse beyond the lease"
    HANG_BOTH = "SIGSTOP of worker and horse beyond the lease"
    REDIS_RESTART = "Redis restarted"
    REDIS_KILL = "kill -9 of Redis"
    REDIS_PAUSE = "Redis paused"
    RESET = Torment.RESET.words
    RESET_LATE = Torment.RESET_LATE.words
    STALL = Torment.STALL.words
    CUT = Torment.CUT.words
    GARBLE = Torment.GARBLE.words
    HALF_429 = Torment.HALF_429.words
    BUSY = Torment.BUSY.words
    BAD_GATEWAY = Torment.BAD_GATEWAY.words
    UNAVAILABLE = Torment.UNAVAILABLE.words
    TOO_LARGE = Torment.TOO_LARGE.words
    BLOCK = "index blocked"
    PAUSE = "storm: pause, resume"
    STOP = "storm: stop, resume"
    CANCEL = "storm: cancel"
    RETRY = "storm: stop, retry"
    EDIT = "storm: edit"
    DELETE = "storm: delete, next job"

    @property
    def torment(self) -> Torment | None:
        """The torment of this name, if it is one."""
        return next((one for one in Torment if one.words == self.value), None)

    @property
    def family(self) -> Family:
        if self in STORMS:
            return Family.STORM
        if self in PROCESSES:
            return Family.PROCESS
        return Family.REDIS if self in REDISES else Family.INDEX


STORMS: Final = (Kind.PAUSE, Kind.STOP, Kind.CANCEL, Kind.RETRY, Kind.EDIT, Kind.DELETE)
PROCESSES: Final = (Kind.KILL_HORSE, Kind.KILL_WORKER, Kind.KILL_BOTH, Kind.SIGTERM, Kind.HANG_HORSE, Kind.HANG_BOTH)
REDISES: Final = (Kind.REDIS_RESTART, Kind.REDIS_KILL, Kind.REDIS_PAUSE)
LOSES_THE_RUN: Final = (Kind.KILL_HORSE, Kind.KILL_BOTH, Kind.HANG_HORSE, Kind.HANG_BOTH)
REWRITES: Final = (Kind.EDIT, Kind.DELETE)  # other contents under the same ids
LAST: Final = (Kind.CANCEL, Kind.DELETE)  # nothing of the job is left to be struck after them


@dataclass(frozen=True, slots=True)
class Fault:
    """seconds: how long it lasts; times: how many bulks it befalls; steps: the verbs of a storm."""

    kind: Kind
    seconds: float
    times: int
    steps: tuple[Step, ...] = ()

    @property
    def wakes_last(self) -> bool:
        """Whether what hangs goes on only when its job has ended elsewhere."""
        return self.kind is Kind.HANG_BOTH and self.times > 2


@dataclass(frozen=True, slots=True)
class Strike:
    """Faults that strike at once, while the bulk behind document `position` is held.

    late: the server gets that bulk at the very end. storm_s: the verbs come so many seconds behind the other faults, while
    their damage lasts; 0: with them.
    """

    position: int
    point: Point
    late: bool
    storm_s: float
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of a seed that chance decides beforehand. attempt: 0, more when its faults missed and it is longer now."""

    seed: int
    attempt: int
    lines: tuple[Line, ...]
    on_duplicate: str
    workers: int
    in_place_s: float
    rival: tuple[Line, ...]  # payload of another job, on another index: the two share the workers in slices
    strikes: tuple[Strike, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(fault for strike in self.strikes for fault in strike.faults)

    def __str__(self) -> str:
        told = [f"seed {self.seed}, attempt {self.attempt}: {len(self.lines)} documents, on_duplicate {self.on_duplicate}"]
        told.append(f"  {self.workers} workers, in_place_s {self.in_place_s:g}, a rival of {len(self.rival)} documents")
        for strike in self.strikes:
            late = ", which reaches the server at the very end" if strike.late else ""
            late += f", verbs {strike.storm_s:.1f} s later" if strike.storm_s else ""
            told.append(f"  at document {strike.position}, {strike.point.value}{late}:")
            for fault in strike.faults:
                steps = ", ".join(verb + (" at rest" if rest else "") for verb, rest in fault.steps)
                steps = "wakes at the very end" if fault.wakes_last else steps
                told.append(f"    {fault.kind.value} ({steps or f'{fault.seconds:.1f} s, {fault.times} bulks'})")
        return "\n".join(told)


def plan(seed: int, attempt: int = 0) -> Plan:
    """Return the plan of a seed; consecutive seeds begin with every kind in turn. A later attempt has a longer payload."""
    chance = Random(seed)
    kinds = list(Kind)
    groups: list[list[Kind]] = [[kinds[seed % len(kinds)]]]
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        kind = chance.choice(kinds)
        if chance.random() < 0.5 and kind.family not in {one.family for one in groups[-1]}:
            groups[-1].append(kind)
        else:
            groups.append([kind])
    if any(_loses(group) for group in groups) and len(groups) < 3 and chance.random() < 0.7:
        groups.append([chance.choice(REWRITES)])  # so that what the lost run still sends comes after something newer
    groups.sort(key=lambda group: any(kind in LAST for kind in group))  # at most one of these can be struck
    groups = [group for number, group in enumerate(groups) if number in (0, len(groups) - 1) or not set(group) & set(LAST)]
    if len(groups) > 1 and set(groups[0]) & set(LAST):
        groups = groups[:1]
    count = chance.randint((len(groups) + 2) * APART, (len(groups) + 6) * APART) * (attempt + 1)
    positions = _positions(chance, len(groups), count)
    strikes = tuple(_strike(chance, position, group) for position, group in zip(positions, groups, strict=True))
    return Plan(
        seed=seed,
        attempt=attempt,
        lines=lines(chance, count, "first"),
        on_duplicate=chance.choice(("last_wins", "reject")),
        workers=chance.choice((1, 2)),
        in_place_s=chance.choice((0.5, 60.0)),
        rival=lines(chance, chance.randint(APART, 4 * APART), "rival") if chance.random() < 0.3 else (),
        strikes=strikes,
    )


def _positions(chance: Random, strikes: int, count: int) -> Sequence[int]:
    """Return where to strike: APART from the begin, from each other, and from the end."""
    room = count - (strikes + 1) * APART
    return [at + (number + 1) * APART for number, at in enumerate(sorted(chance.randrange(room) for _ in range(strikes)))]


def _strike(chance: Random, position: int, kinds: Sequence[Kind]) -> Strike:
    order = list(Family)
    point = Point.BEFORE if _loses(kinds) and chance.random() < 0.6 else chance.choice(list(Point))
    faults = tuple(_fault(chance, kind) for kind in sorted(kinds, key=lambda kind: order.index(kind.family)))
    late = point is Point.BEFORE and _loses(kinds) and chance.random() < 0.7
    families = [fault.kind.family for fault in faults]
    apart = len(faults) > 1 and Family.STORM in families and Family.REDIS not in families  # a paused Redis hears no verb
    return Strike(position, point, late, chance.uniform(0.1, LEASE_S) if apart and chance.random() < 0.5 else 0.0, faults)


def _loses(kinds: Sequence[Kind]) -> bool:
    return any(kind in LOSES_THE_RUN for kind in kinds)


def _fault(chance: Random, kind: Kind) -> Fault:
    seconds = chance.uniform(0.2, 1.5 * LEASE_S) if kind is Kind.REDIS_PAUSE else chance.uniform(1.1, 1.7) * LEASE_S
    return Fault(kind, seconds, chance.randint(1, 2 if kind in (Kind.STALL, Kind.GARBLE) else 4), _steps(chance, kind))


def _steps(chance: Random, kind: Kind) -> tuple[Step, ...]:
    if kind not in STORMS:
        return ()
    noise: list[Step] = [(Event.PAUSE, NOW), (Event.RESUME, NOW)] * chance.randint(0, 2)
    hold = chance.choice((Event.PAUSE, Event.STOP))
    cancels: tuple[list[Step], ...] = (
        [(Event.CANCEL, NOW)],
        [(hold, NOW), (Event.CANCEL, REST)],
        [(hold, NOW), (Event.CANCEL, NOW)],
    )
    deletes: tuple[list[Step], ...] = ([(DELETE, NOW)], [(hold, NOW), (DELETE, NOW)], [(hold, NOW), (DELETE, REST)])
    then: dict[Kind, list[Step]] = {
        Kind.PAUSE: [(Event.PAUSE, NOW), (Event.RESUME, chance.choice((NOW, REST)))],
        Kind.STOP: [(Event.STOP, NOW), (Event.RESUME, REST)],
        Kind.CANCEL: chance.choice(cancels),
        Kind.RETRY: [(Event.STOP, NOW), (Event.RETRY, REST)],
        Kind.EDIT: [(hold, NOW), *[(Event.EDIT.value, REST)] * chance.randint(1, 2), (Event.RESUME, REST)],
        Kind.DELETE: chance.choice(deletes),
    }
    return (*noise, *then[kind])
