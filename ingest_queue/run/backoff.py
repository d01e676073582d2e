"""How long to wait before asking a busy cluster again. Pure: chance comes in as a number."""

from typing import Final

FIRST_S: Final = 0.1
MOST_S: Final = 10.0


def delay(tries: int, retry_after_s: float, chance: float) -> float:
    """Return seconds to wait after refusal number `tries` (from 1): doubled each time up to 10 s, half of it jitter.

    The server's own Retry-After is never undercut. chance: 0.0 to 1.0.
    """
    most = min(MOST_S, FIRST_S * float(1 << min(tries - 1, 10)))
    return max(retry_after_s, most * (0.5 + chance / 2))
