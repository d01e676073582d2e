"""How a request is known when it comes again: by the Idempotency-Key header, or by what it says."""

from hashlib import sha256
from typing import Final

from flask import request

from ingest_queue.errors import Invalid
from ingest_queue.store.records import Once

ONCE_HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255


def repeat_of(*about: str, said: bytes | None = None) -> Once:
    """Return how the present request is known when it comes again. Raises Invalid for a key that is too long.

    `about`: what it is about, where its path does not tell. `said`: what makes it the same request also without a key,
    for clients who send none; without it such a request is always a new one.
    """
    given = request.headers.get(ONCE_HEADER, "")
    if len(given) > LONGEST:
        raise Invalid("invalid_header", f"{ONCE_HEADER} has at most {LONGEST} characters")
    what = " ".join((request.method, request.path.rstrip("/"), *about, given))  # the same key elsewhere is another request
    body = sha256(b"\0".join((" ".join(about).encode(), said))).hexdigest() if said is not None else None
    return Once(key=sha256(what.encode()).hexdigest() if given else None, body=body)
