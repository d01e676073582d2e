"""Every error that people can be answered with, and where each belongs.

    IngestError                 code, kind, message, data
    ├── Missing        404      an unknown job, index, page of a payload
    ├── Conflict       409      a verb that the state does not allow; carries `state` and `allowed`
    ├── Invalid        400      a request or definition that cannot be understood
    ├── TooLarge       413      a payload, a line or a document count over its limit
    ├── Unsupported    415      a content type or encoding that is not spoken here
    ├── Unauthenticated 401     who asks is not known: no key, a wrong, revoked or expired one, a wrong password
    ├── Denied         403      who asks is known, and may not
    ├── RateLimited    429      slow down; carries `retry_after_s`
    └── Unavailable    503      Redis or the search cluster is away or full; carries `retry_after_s`

    RunLost                     this worker no longer holds the job: stop, write nothing more
    SinkAway                    the search cluster takes nothing now: give the worker back
    JobFailed                   the run can never go on; carries the job's error code

The last three are signals between the run and its caller and never reach a client.
A message says the fact and the next step; numbers and names are in `data`, never parsed back from text.
"""

from typing import Any, ClassVar


class IngestError(Exception):
    """An answer to somebody's request: `code` for programs, `message` for people, `data` beside both."""

    status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class Missing(IngestError):
    """What was asked for does not exist, or is not the asker's to see."""

    status = 404


class Conflict(IngestError):
    """The state of the job or index does not allow this now."""

    status = 409


class Invalid(IngestError):
    """The request cannot be understood as it stands."""

    status = 400


class TooLarge(IngestError):
    """The request is over a limit; nothing of it was stored."""

    status = 413


class Unsupported(IngestError):
    """The content type or encoding is not one that is understood here."""

    status = 415


class Unauthenticated(IngestError):
    """Who asks is not known."""

    status = 401


class Denied(IngestError):
    """The asker may not do this."""

    status = 403


class RateLimited(IngestError):
    """Too many calls; the next one is taken after `retry_after_s` seconds."""

    status = 429

    def __init__(self, code: str, message: str, retry_after_s: int, **data: Any) -> None:
        super().__init__(code, message, **data)
        self.retry_after_s = retry_after_s


class Unavailable(IngestError):
    """A server behind us is away or full; asking again after `retry_after_s` seconds may succeed."""

    status = 503

    def __init__(self, code: str, message: str, retry_after_s: int = 5, **data: Any) -> None:
        super().__init__(code, message, **data)
        self.retry_after_s = retry_after_s


class RunLost(Exception):
    """The job was taken from this run (lease over, deleted, given to another): send and write nothing more."""


class SinkAway(Exception):
    """The search cluster made no progress for its allowance; the job goes on later."""


class JobFailed(Exception):
    """The run can never go on: `code` and `message` become the job's error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
