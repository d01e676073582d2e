"""Counts arise in one pure fold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_queue.job import Counts, Fate, Outcome, Progress
from ingest_queue.run.tally import Answered, tally

COUNTS = Counts(total=100, succeeded=7, failed=2, skipped=1, duplicates=3)
START = Progress(10, COUNTS, {"invalid_json": 2, "superseded": 1})


def of(position: int, fate: Fate, code: str) -> Outcome:
    return Outcome(position, fate, code=code)


def test_documents_without_an_outcome_of_their_own_succeeded() -> None:
    """Only what went another way is carried about: a bulk of 5,000 costs nothing to count."""
    assert tally(START, Answered(10, 15)).counts == Counts(100, 12, 2, 1, 3)


def test_each_fate_goes_into_its_count_and_each_failure_and_skip_into_its_code() -> None:
    """processed = succeeded + failed + skipped must hold whatever the mixture."""
    outcomes = (
        of(10, Fate.FAILED, "invalid_json"),
        of(12, Fate.SKIPPED, "superseded"),
        of(13, Fate.SUCCEEDED, "duplicate_external_id"),
        of(14, Fate.FAILED, "mapper_parsing_exception"),
    )
    progress = tally(START, Answered(10, 16, outcomes))
    assert progress.cursor == progress.counts.processed == 16
    assert progress.counts == Counts(100, 10, 4, 2, 4)
    assert progress.codes == {"invalid_json": 3, "superseded": 2, "mapper_parsing_exception": 1}


@pytest.mark.parametrize("start", [9, 11])
def test_a_bulk_that_does_not_begin_at_the_cursor_is_refused(start: int) -> None:
    """A gap or an overlap would lose or double documents in silence."""
    with pytest.raises(ValueError, match="are counted"):
        tally(START, Answered(start, 20))


@given(st.lists(st.lists(st.sampled_from([None, *Fate]), min_size=1, max_size=6), max_size=8))
def test_the_cut_into_bulks_does_not_matter(bulks: list[list[Fate | None]]) -> None:
    """Two runs with other bulk sizes must come to the same counts."""
    fates = [fate for bulk in bulks for fate in bulk]
    outcomes = tuple(of(n, fate, f"code {fate}") for n, fate in enumerate(fates) if fate)
    at_once = tally(Progress(0, Counts()), Answered(0, len(fates), outcomes))
    progress = Progress(0, Counts())
    for bulk in bulks:
        end = progress.cursor + len(bulk)
        here = tuple(one for one in outcomes if progress.cursor <= one.position < end)
        progress = tally(progress, Answered(progress.cursor, end, here))
    assert progress == at_once
    assert progress.counts.processed == len(fates)
