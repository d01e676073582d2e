"""How a request is known when it comes again: by the Idempotency-Key header, or by what it says."""

from hashlib import sha256
from typing import Final

from flask import request

from ingest_queue.errors import Invalid
from ingest_queue.store.records import Once

ONCE_HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255


def repeat_of(*said: bytes) -> Once:
    """Return how the present request is known when it comes again. Raises Invalid for a key that is too long.

    `said` is what makes it the same request without a key, for clients who send none; else it counts as a new one.
    """
    given = request.headers.get(ONCE_HEADER, "")
    if len(given) > LONGEST:
        raise Invalid("invalid_header", f"{ONCE_HEADER} has at most {LONGEST} characters")
    body = sha256(b"".join(b"%d:%s" % (len(part), part) for part in said)).hexdigest() if said else None
    return Once(key=sha256(given.encode()).hexdigest() if given else None, body=body)
