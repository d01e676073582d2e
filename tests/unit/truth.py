"""What must be true of a job whenever nobody runs it: worked out from its lines, without any of the run's code."""

from dataclasses import dataclass

import orjson

from ingest_queue.job import Fate
from tests.servers.memory_index import MemoryIndex
from tests.unit.lines import BROKEN, POISON
from tests.unit.record import Record


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the payload's author sees it."""

    position: int
    id: str
    raw: bytes
    is_repeat: bool  # its id stands on an earlier valid line

    @property
    def is_poison(self) -> bool:
        return POISON in self.raw


def valid_lines(record: Record) -> list[Line]:
    """Return the lines that are documents, in order."""
    seen: set[str] = set()
    lines = []
    for position, raw in enumerate(record.lines):
        if raw != BROKEN:
            id = orjson.loads(raw)["external_id"]
            lines.append(Line(position, id, raw, id in seen))
            seen.add(id)
    return lines


def check(record: Record, index: MemoryIndex, written: dict[str, set[bytes]], foreign: dict[str, int]) -> None:
    """Compare a job at rest with its index.

    written: every text an id ever had; foreign: ids that a newer job of the lane has written since this round began,
    and how far this round had announced then: its later documents with that id are certainly superseded.
    """
    _check_counts(record, foreign)
    done = record.progress.counts.processed
    sent = max(done, record.sent_to)  # beyond done, in doubt: a job that failed, or rests after its patience
    assert record.settled or record.gave_up
    for id, version in index.versions.items():
        ours, position = divmod(version, 1 << 20)
        assert ours != record.round or position < sent, f"{id} at {position} was sent beyond {sent}"
    for line in accepted(record)[::-1]:
        if line.position >= done or line.id in foreign:
            continue
        assert line.id in index.documents, f"{line.id} of document {line.position} was lost"
        later = index.versions[line.id] >> 20 == record.round and index.versions[line.id] % (1 << 20) > line.position
        if later:  # the last of the lines with this id, which was looked at before, or one in doubt
            continue
        if line.position >= record.mark.cursor:
            assert index.versions[line.id] == record.round << 20 | line.position, f"{line} was overwritten by older"
            assert index.documents[line.id] == line.raw
        else:
            assert index.documents[line.id] in written[line.id]


def accepted(record: Record) -> list[Line]:
    """Return the lines that belong into the index."""
    rejects = record.options.get("on_duplicate") == "reject"
    return [line for line in valid_lines(record) if not line.is_poison and not (rejects and line.is_repeat)]


def _check_counts(record: Record, foreign: dict[str, int]) -> None:
    counts, done = record.progress.counts, record.progress.cursor
    into = [line for line in accepted(record) if line.position < done]
    assert counts.processed == done
    assert counts.failed == done - len(into)
    assert counts.succeeded + counts.skipped == len(into)
    assert sum(record.progress.codes.values()) == counts.failed + counts.skipped
    repeats = sum(line.is_repeat for line in into)
    superseded = [line for line in into if line.position >= foreign.get(line.id, done)]
    assert all(record.outcomes[line.position].fate is Fate.SKIPPED for line in superseded)
    if not foreign:
        assert counts.skipped == record.mark.counts.skipped
        assert counts.duplicates == repeats or counts.skipped
    assert counts.duplicates <= repeats
    fates = [outcome.fate for outcome in record.outcomes.values() if outcome.position < done]
    assert fates.count(Fate.FAILED) == counts.failed
    assert fates.count(Fate.SKIPPED) == counts.skipped
    assert fates.count(Fate.SUCCEEDED) == counts.duplicates
