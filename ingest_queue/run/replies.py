"""Reads the cluster's replies: each status, of the whole request or of one document, has its one meaning here."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import msgspec

from ingest_queue.errors import JobFailed
from ingest_queue.job import Fate, Outcome
from ingest_queue.run.answers import Answer, Refusal, UnreadableReply
from ingest_queue.run.entries import Entry, outcome, round_of

NOT_NOW: Final = (429, 502, 503, 504)
TOO_LARGE: Final = 413
CONFLICT: Final = 409
BLOCKED: Final = ("cluster_block_exception", "index_closed_exception")  # 403, 400: the operator lifts it again
INDEX_GONE: Final = "index_not_found_exception"
NO_ERRORS: Final = '{"errors":false,'
WRITTEN: Final = '{"index":{"status":20'
ITEM: Final = '"status":'
SUPERSEDED: Final = "superseded"
REASON_CHARACTERS: Final = 1000
T = TypeVar("T")


class Cause(msgspec.Struct):
    type: str = "unknown"
    reason: str | None = None
    caused_by: "Cause | None" = None

    def __str__(self) -> str:
        inner = self.caused_by.reason if self.caused_by and self.caused_by.reason else ""
        text = self.reason or self.type
        return (f"{text}: {inner}" if inner and inner not in text else text)[:REASON_CHARACTERS]


class Item(msgspec.Struct):
    status: int
    error: Cause | None = None


class BulkReply(msgspec.Struct):
    errors: bool
    items: list[dict[str, Item]]


class Found(msgspec.Struct):
    found: bool = False
    version: int = msgspec.field(name="_version", default=-1)
    error: Cause | None = None


class FoundReply(msgspec.Struct):
    docs: list[Found] = []


class Shards(msgspec.Struct):
    failed: int = 0


class RefreshReply(msgspec.Struct):
    shards: Shards = msgspec.field(name="_shards", default_factory=Shards)


class ErrorReply(msgspec.Struct):
    error: Cause | str = "no reason given"


def read(text: str, shape: type[T]) -> T:
    """Return a reply in its shape. Raises UnreadableReply."""
    try:
        return msgspec.json.decode(text, type=shape)
    except ValueError as problem:
        raise UnreadableReply(f"the cluster's reply cannot be read: {problem}") from problem


def of_bulk(entries: Sequence[Entry], text: str) -> Answer:
    """Sort the documents of a bulk request by what became of each. Raises JobFailed, UnreadableReply."""
    if text.startswith(NO_ERRORS) and text.count(WRITTEN) == text.count(ITEM) == len(entries):
        return Answer()  # the usual reply, without 5,000 objects for it
    reply = read(text, BulkReply)
    if len(reply.items) != len(entries):
        raise UnreadableReply(f"{len(entries)} documents were sent, {len(reply.items)} answered")
    if not reply.errors:
        return Answer()
    outcomes: list[Outcome] = []
    again: list[Entry] = []
    older: list[Entry] = []
    refusal: Refusal | None = None
    for entry, action in zip(entries, reply.items, strict=True):
        item = next(iter(action.values()))
        if item.status < 300:
            continue
        cause = item.error or Cause()
        if item.status == CONFLICT:
            older.append(entry)
        elif item.status in NOT_NOW or cause.type in BLOCKED:
            again.append(entry)
            refusal = refusal or Refusal(f"the cluster answers {item.status}: {cause}")
        elif cause.type == INDEX_GONE:
            raise _index_gone(cause)
        else:
            outcomes.append(outcome(entry, Fate.FAILED, cause.type, str(cause)))
    return Answer(tuple(outcomes), tuple(again), tuple(older), refusal=refusal)


def of_look_up(entries: Sequence[Entry], text: str, round: int) -> Answer:
    """Tell which of the refused documents this round wrote itself (succeeded), and which somebody newer (skipped)."""
    reply = read(text, FoundReply)
    if len(reply.docs) != len(entries):
        raise UnreadableReply(f"{len(entries)} documents were looked up, {len(reply.docs)} answered")
    outcomes: list[Outcome] = []
    again: list[Entry] = []
    refusal: Refusal | None = None
    for entry, found in zip(entries, reply.docs, strict=True):
        if found.error and found.error.type == INDEX_GONE:
            raise _index_gone(found.error)
        if found.error:
            again.append(entry)
            refusal = Refusal(f"the cluster cannot look up a document: {found.error}")
        elif not found.found or round_of(found.version) != round:
            by = "deleted by somebody else" if not found.found else "written by a newer submission"
            outcomes.append(outcome(entry, Fate.SKIPPED, SUPERSEDED, f"the document was {by}"))
    return Answer(tuple(outcomes), tuple(again), refusal=refusal)


def of_refresh(text: str) -> Answer:
    """Tell whether every shard was refreshed."""
    failed = read(text, RefreshReply).shards.failed
    return Answer(refusal=Refusal(f"{failed} shards could not be refreshed") if failed else None)


def of_refusal(entries: Sequence[Entry], status: int, headers: Mapping[str, str], text: str) -> Answer:
    """Tell what a status other than 2xx means for a whole request. Raises JobFailed, UnreadableReply."""
    cause = _cause(text)
    if status in NOT_NOW or cause.type in BLOCKED:
        why = f"the cluster answers {status}: {cause}"
        refusal = Refusal(why, _seconds(headers.get("retry-after")), shrink=status == 429)
        return Answer(again=entries, refusal=refusal)
    if status in (400, TOO_LARGE) and len(entries) > 1:
        return Answer(halve=entries)
    if status in (400, TOO_LARGE) and entries:
        code = cause.type if status == 400 else "too_large"
        why = f"the cluster refuses this document ({status}): {cause}"
        return Answer((outcome(entries[0], Fate.FAILED, code, why),))
    if status == 401:
        raise JobFailed("sink_unauthorized", f"the cluster refuses our credentials: {cause}; check OPENSEARCH_URL")
    if status == 403:
        raise JobFailed("sink_forbidden", f"the cluster forbids us to write: {cause}; resume when it is allowed")
    if cause.type == INDEX_GONE:
        raise _index_gone(cause)
    if 300 <= status < 500:
        raise JobFailed("sink_refused", f"the cluster refused the whole request with {status}: {cause}")
    raise UnreadableReply(f"the cluster answers {status}: {cause}")


def _index_gone(cause: Cause) -> JobFailed:
    return JobFailed("index_not_found", f"the index is gone: {cause}; create it anew and retry the job")


def _cause(text: str) -> Cause:
    """Return the error of a whole request; what is no JSON (a proxy's page) is quoted."""
    try:
        error = msgspec.json.decode(text, type=ErrorReply).error
    except ValueError:
        error = text.strip()[:200] or "no reason given"
    return error if isinstance(error, Cause) else Cause(reason=error)


def _seconds(retry_after: str | None) -> float:
    """Return the seconds of a Retry-After header, which may be a number or a date; 0 where there is none."""
    if not retry_after:
        return 0.0
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
