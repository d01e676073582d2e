"""Which ids stood on earlier lines, in little memory.

Kept are 60 bits of each id's hash, because an int of two 30-bit digits takes 32 bytes and a set holds it without the
id's own text: 1,000,000 ids take about 65 MB. Python's string hash is keyed anew in each process, so nobody can
craft ids that collide; by chance two of a million ids do in one payload of 2.3 million (n² / 2**61). Then one
document too many is reported as a duplicate; with on_duplicate=last_wins it is in the index all the same.
"""

from collections.abc import Sequence
from typing import Final

BITS: Final = (1 << 60) - 1


class Seen:
    """The ids of a payload's valid lines so far."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def repeats(self, ids: Sequence[str]) -> list[int]:
        """Remember `ids`; return the indexes of those that stood before, in earlier calls or earlier in `ids`."""
        hashes = self._hashes
        add = hashes.add
        size = len(hashes)
        found = []
        for number, id in enumerate(ids):
            add(hash(id) & BITS)
            if len(hashes) == size:  # one probe of the table instead of two
                found.append(number)
            else:
                size += 1
        return found
