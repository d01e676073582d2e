"""Counts arise here and nowhere else: one pure fold, in payload order, of what became of each bulk."""

from collections import Counter
from dataclasses import dataclass, replace

from ingest_queue.job import Fate, Outcome, Progress


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of the documents [start, end): `outcomes` names failures, skips, duplicates; the rest succeeded.

    line: the physical line of the last one.
    """

    start: int
    end: int
    outcomes: tuple[Outcome, ...] = ()
    line: int = 0


def tally(progress: Progress, answered: Answered) -> Progress:
    """Return the progress after one more answered bulk.

    Raises ValueError when the bulk does not begin at the cursor: a gap or an overlap would make every count a lie.
    """
    if answered.start != progress.cursor:
        raise ValueError(f"documents from {answered.start} are answered, those before {progress.cursor} are counted")
    counts = progress.counts
    fates = Counter(outcome.fate for outcome in answered.outcomes)
    failed, skipped = fates[Fate.FAILED], fates[Fate.SKIPPED]
    codes = Counter(str(o.code or "unknown") for o in answered.outcomes if o.fate is not Fate.SUCCEEDED)
    return Progress(
        cursor=answered.end,
        counts=replace(
            counts,
            succeeded=counts.succeeded + answered.end - answered.start - failed - skipped,
            failed=counts.failed + failed,
            skipped=counts.skipped + skipped,
            duplicates=counts.duplicates + fates[Fate.SUCCEEDED],
        ),
        codes=dict(Counter(progress.codes) + codes),
        line=answered.line,
    )
