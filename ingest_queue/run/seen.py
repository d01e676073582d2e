"""Which ids stood on earlier lines, in little memory.

A short id of ASCII is kept as it is. Of any other its hash of 64 bits is kept, because an int of that size takes 48 bytes,
however long the id: 1,000,000 ids take less than 100 MB. Python's string hash is keyed anew in each process, so nobody can craft
ids that collide; by chance two of a million do in one payload of 37 million (n² / 2**65). Then one document too many is
reported as a duplicate; with on_duplicate=last_wins it is in the index all the same.
"""

from collections.abc import Sequence
from typing import Final

SHORT: Final = 14  # characters; of ASCII, such a string takes at most 64 bytes


class Seen:
    """The ids of a payload's valid lines so far."""

    def __init__(self) -> None:
        self._known: set[str | int] = set()

    def repeats(self, ids: Sequence[str]) -> list[int]:
        """Remember `ids`; return the indexes of those that stood before, in earlier calls or earlier in `ids`."""
        known = self._known
        keys: Sequence[str | int] = ids
        if max(map(len, ids), default=0) > SHORT or not "".join(ids).isascii():
            keys = [id if len(id) <= SHORT and id.isascii() else hash(id) for id in ids]
        if known.isdisjoint(keys):
            size = len(known)
            known.update(keys)
            if len(known) == size + len(keys):
                return []
            known = set()
        found = []
        for number, key in enumerate(keys):
            if key in known:
                found.append(number)
            known.add(key)
        return found
