"""Times as people and clients read them."""

from datetime import UTC, datetime


def moment(epoch_s: float) -> str:
    """Return epoch seconds as RFC 3339 in UTC with milliseconds."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_or_none(epoch_s: float | None) -> str | None:
    """Return the same; None where there is no time."""
    return None if epoch_s is None else moment(epoch_s)
