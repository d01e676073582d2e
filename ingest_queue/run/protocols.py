"""What the loop needs of its neighbours, and nothing more: the hold on a job, where lines come from, where they go.

store/runs.py is the Run, source.py the Source of a payload, sink.py the Sink of an index.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

from ingest_queue.intake.payload import Lines
from ingest_queue.job import Job, Outcome, Progress
from ingest_queue.run.answers import Answer
from ingest_queue.run.entries import Entry


class Run(Protocol):
    """One worker's hold on a job. Every word it says is fenced by its token."""

    @property
    def job(self) -> Job: ...

    @property
    def cursor(self) -> int: ...

    @property
    def sent_to(self) -> int: ...

    def should_halt(self) -> bool:
        """Whether to let go at the next bulk: shutdown, slice over while others wait, parent gone; not a pause."""

    def may_send(self) -> bool:
        """Whether the lease still lasts by the local clock. Called from the window's threads as well."""

    def checkpoint(self, progress: Progress, outcomes: Sequence[Outcome], announce: int | None = None) -> int:
        """Save progress (absolute) and the details new in it, renew the lease; return sent_to as the record has it.

        `announce` raises sent_to, but only while nobody asked to halt. Raises RunLost.
        """


class Source(Protocol):
    """Where documents come from."""

    def after(self, position: int, before: int | None = None) -> Iterator[Lines]:
        """Yield the documents from `position` on, in order, up to the one at `before`; as many at once as are at hand."""


class Sink(Protocol):
    """Where documents go. Each call is made in a thread of the window's pool and classifies what came back.

    Raises JobFailed where the run can never go on, UnreadableReply where a reply cannot be believed.
    """

    def prepare(self, entries: Sequence[Entry], fields: frozenset[str]) -> Answer | None:
        """Make the index ready for entries with these open fields; None when it is."""

    def pack(self, entries: Sequence[Entry]) -> bytes:
        """Return the body of a bulk request: what can be made while earlier ones are on the wire. Called in the main thread."""

    def send(self, entries: Sequence[Entry], body: bytes | None = None) -> Answer:
        """Send one bulk request; `body` is what `pack` made of the same entries, if it did."""

    def look_up(self, entries: Sequence[Entry]) -> Answer:
        """Tell who wrote the documents that refused ours as older."""

    def refresh(self) -> Answer:
        """Make everything that was sent searchable."""


class Rejected(Protocol):
    """A line that is not accepted: one code, the field's path where there is one, the reason in words, its id if it has one."""

    @property
    def code(self) -> str: ...

    @property
    def field(self) -> str | None: ...

    @property
    def reason(self) -> str: ...

    @property
    def id(self) -> str | None: ...


Decode: TypeAlias = Callable[[Sequence[bytes], int], "Sequence[str | Rejected]"]  # lines, position of the first
Fields: TypeAlias = Callable[[], frozenset[str]]  # the open fields met since the last call
Observe: TypeAlias = Callable[[float, bool], None]  # how long a bulk request took, s; whether it was refused for now
Mapper: TypeAlias = Callable[[frozenset[str]], Any]  # puts open fields into the mapping
