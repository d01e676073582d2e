"""How a request says that it may come again: the Idempotency-Key header."""

from hashlib import sha256
from typing import Final

from flask import request

from ingest_queue.errors import Invalid
from ingest_queue.store.records import Once

ONCE_HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255


def repeat_of() -> Once:
    """Return how the present request is known when it comes again. Raises Invalid for a key that is too long."""
    given = request.headers.get(ONCE_HEADER, "")
    if len(given) > LONGEST:
        raise Invalid("invalid_header", f"{ONCE_HEADER} has at most {LONGEST} characters")
    what = f"{request.method} {request.path.rstrip('/')} {given}"  # the same key elsewhere is another request
    return Once(key=sha256(what.encode()).hexdigest() if given else None)
