"""What the index must hold and the counts must say, from the payloads, edits and halts alone: shares no code with the engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.faults.campaign.payload import Document, Line, Sort


@dataclass(frozen=True, slots=True)
class Tally:
    """What must have become of the first documents of a payload: positions by fate."""

    succeeded: int
    failed: tuple[int, ...]
    duplicates: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an index is not as it must be: documents that are missing or old, and documents that must not be there."""

    lost: tuple[str, ...]
    doubled: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled)


@dataclass
class Model:
    """One index and the job that writes to it. `begin`: where the current round started in `payload`."""

    payload: Sequence[Line]
    rejects: bool
    begin: int = 0
    holds: dict[str, Document] = field(default_factory=dict)  # what earlier rounds and jobs left for sure
    doubt: dict[str, list[Document | None]] = field(default_factory=dict)  # what a job deleted in its run may have left

    def tally(self, end: int) -> Tally:
        """Return what must have become of the documents before `end`."""
        met: set[str] = set()
        failed, duplicates = [], []
        for position, line in enumerate(self.payload[:end]):
            repeats = line.sort is Sort.GOOD and line.id in met
            met.add(line.id)
            if line.sort is not Sort.GOOD or (repeats and self.rejects):
                failed.append(position)
            elif repeats:
                duplicates.append(position)
        return Tally(end - len(failed), tuple(failed), tuple(duplicates))

    def expected(self, end: int) -> tuple[dict[str, Document], dict[str, list[Document | None]]]:
        """Return what the index must hold, and what it may, when this round has written the documents before `end`."""
        holds, doubt = dict(self.holds), dict(self.doubt)
        met: set[str] = set()
        for position, line in enumerate(self.payload[:end]):
            repeats = line.id in met
            met.add(line.id)
            if position >= self.begin and line.document is not None and not (repeats and self.rejects):
                holds[line.id] = line.document
                doubt.pop(line.id, None)
        return holds, doubt

    def again(self, end: int, payload: Sequence[Line], begin: int) -> None:
        """A new round or job begins at `begin` of `payload`, when the last one has written the documents before `end`."""
        self.holds, self.doubt = self.expected(end)
        self.payload, self.begin = payload, begin

    def abandoned(self, surely: int, at_most: int, payload: Sequence[Line]) -> None:
        """The job was deleted in its run: those before `surely` are in, those before `at_most` may be; another one follows."""
        sure, doubt = self.expected(surely)
        may = {id: list(documents) for id, documents in doubt.items()}
        for line in self.payload[max(surely, self.begin) : at_most]:
            if line.document is not None:
                may.setdefault(line.id, [sure.pop(line.id, None)]).append(line.document)
        self.holds, self.doubt, self.payload, self.begin = sure, may, payload, 0

    def difference(self, index: Mapping[str, Document], end: int) -> Difference:
        """Compare what the index holds with what it must hold after the documents before `end`."""
        holds, doubt = self.expected(end)
        lost = {id for id, one in holds.items() if index.get(id) != one}
        lost |= {id for id, those in doubt.items() if None not in those and index.get(id) not in those}
        doubled = {id for id in index if id not in holds and index[id] not in doubt.get(id, ())}
        return Difference(tuple(sorted(lost)), tuple(sorted(doubled)))
