"""How documents get their ids. The same document gets the same id whenever it is sent, so sending twice never doubles.

Knows no JSON and no definition: it is given what stood in the field.
"""

import hashlib
from typing import Final

LONGEST_BYTES: Final = 512  # a longer one can fail a whole bulk request


def from_field(value: object) -> str | None:
    """Return the id in a field: a non-empty string of at most 512 bytes; None for anything else, numbers included.

    A number is no id because 1 and 1.0 would be one document and 2^53 and 2^53+1 could be.
    """
    if type(value) is not str or not value or len(value) > LONGEST_BYTES:
        return None
    return value if len(value) * 4 <= LONGEST_BYTES or len(value.encode()) <= LONGEST_BYTES else None


def from_uri(value: object) -> str | None:
    """Return the md5 (32 hex digits) of a URI without surrounding white space and trailing slashes.

    It need not be a URL. None for no string, or when nothing is left.
    """
    if type(value) is not str:
        return None
    canonical = value.strip().rstrip("/")
    return hashlib.md5(canonical.encode(), usedforsecurity=False).hexdigest() if canonical else None


def from_position(job_id: str, position: int) -> str:
    """Return the id of a document that has none of its own: its job and its 0-based position in the payload."""
    return f"{job_id}-{position}"
