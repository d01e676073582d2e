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
        known = self._hashes
        hashes = [hash(id) & BITS for id in ids]
        if known.isdisjoint(hashes):
            size = len(known)
            known.update(hashes)
            if len(known) == size + len(hashes):
                return []
            known = set()
        found = []
        for number, value in enumerate(hashes):
            if value in known:
                found.append(number)
            known.add(value)
        return found
