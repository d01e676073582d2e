"""Which ids stood on earlier lines, in little memory.

Kept is each id's hash of 64 bits, because an int of that size takes 48 bytes and a set holds it without the id's own
text: 1,000,000 ids take about 80 MB. Python's string hash is keyed anew in each process, so nobody can craft ids that
collide; by chance two of a million ids do in one payload of 37 million (n² / 2**65). Then one document too many is
reported as a duplicate; with on_duplicate=last_wins it is in the index all the same.
"""

from collections.abc import Sequence


class Seen:
    """The ids of a payload's valid lines so far."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def repeats(self, ids: Sequence[str]) -> list[int]:
        """Remember `ids`; return the indexes of those that stood before, in earlier calls or earlier in `ids`."""
        known = self._hashes
        hashes = list(map(hash, ids))
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
