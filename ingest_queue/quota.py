"""What an account may index in a month, as people are told it. The counting is the scripts': nothing here decides."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

WARNS_FROM_PERCENT: Final = 80


@dataclass(frozen=True, slots=True)
class Quota:
    """An account's units in the current month, by Redis' clock. One unit is one document that succeeded."""

    limit: int | None  # None: as many as it likes
    used: int  # what was charged, and what jobs under way have reserved
    resets_at: float  # when the next month begins, epoch seconds UTC

    @property
    def warns(self) -> bool:
        """Whether so much is used that people should be told before a job is refused."""
        return self.limit is not None and 100 * self.used >= WARNS_FROM_PERCENT * self.limit


@dataclass(frozen=True, slots=True)
class Shortage:
    """Why a claimed job may send nothing: it needs `wanted` units and its account has fewer left."""

    quota: Quota
    wanted: int


def quota_of(month: str, limit: int, used: int) -> Quota:
    """Return the quota of a month (YYYY-MM); a limit of 0 is none."""
    year, number = map(int, month.split("-"))
    following = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Quota(limit if limit > 0 else None, used, following.timestamp())
