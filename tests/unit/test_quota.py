"""A quota in words: when it warns, and when its month is over."""

from datetime import UTC, datetime

import pytest

from ingest_queue.quota import Quota, quota_of


@pytest.mark.parametrize(("limit", "used", "warns"), [(100, 79, False), (100, 80, True), (100, 130, True), (None, 10**9, False)])
def test_it_warns_from_four_fifths_on(limit: int | None, used: int, warns: bool) -> None:
    """Between the warning and the refusal people need time to ask for more."""
    assert Quota(limit, used, 0.0).warns is warns


@pytest.mark.parametrize(("month", "following"), [("2024-02", (2024, 3)), ("2024-12", (2025, 1))])
def test_it_resets_at_the_first_of_the_next_month(month: str, following: tuple[int, int]) -> None:
    """December is followed by another year."""
    assert quota_of(month, 5, 0).resets_at == datetime(*following, 1, tzinfo=UTC).timestamp()


def test_a_limit_of_zero_is_none() -> None:
    """An account that may do nothing is one without keys, not one of quota 0."""
    assert quota_of("2024-02", 0, 7).limit is None
