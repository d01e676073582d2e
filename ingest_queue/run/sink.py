"""One index of a search cluster as a sink: makes each request once, through opensearch-py, and has its answer sorted.

opensearch-py's transport would send a bulk again by itself when a connection is lost, without asking whether this
run still holds its job, and hides Retry-After. So its connections are used directly: one call, one request.
"""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Final
from urllib.parse import quote

import msgspec
from opensearchpy import OpenSearch
from opensearchpy.exceptions import ConnectionError as ConnectionLost
from opensearchpy.exceptions import ConnectionTimeout, RequestError, TransportError
from urllib3.exceptions import ProtocolError

from ingest_queue.run import replies
from ingest_queue.run.answers import Answer, Refusal
from ingest_queue.run.entries import Entry, body
from ingest_queue.run.protocols import Mapper

ANY_STATUS: Final = range(300, 600)
BULK_PARAMS: Final = {
    "require_alias": "true",  # a deleted index is an error, not made anew with guessed types
    "filter_path": "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason",
}
LOOK_UP_PARAMS: Final = {
    "_source": "false",
    "filter_path": "docs.found,docs._version,docs.error.type,docs.error.reason",
}
REFRESH_PARAMS: Final = {"filter_path": "_shards.failed"}


class IndexSink:
    """Writes one round of one job through an alias. Its calls may come from several threads at once."""

    def __init__(self, client: OpenSearch, alias: str, round: int, *, timeout_s: float, map_fields: Mapper) -> None:
        self._client, self._round = client, round
        self._path = f"/{quote(alias, safe='')}"
        self._timeout_s = timeout_s
        self._map_fields = map_fields
        self._mapped: frozenset[str] = frozenset()
        self._mapping = Lock()

    def prepare(self, entries: Sequence[Entry], fields: frozenset[str]) -> Answer | None:
        """Put open fields that are new into the mapping; None when the entries may be sent.

        A field that the index refuses (one too many) is left out: the index then refuses the documents that have it.
        """
        if fields <= self._mapped:
            return None
        with self._mapping:  # the bulk that came second waits until the first one's fields are there
            try:
                self._map(fields - self._mapped)
            except TransportError as problem:
                return _refused_mapping(entries, problem)
        return None

    def pack(self, entries: Sequence[Entry]) -> bytes:
        """Return the body of a bulk request."""
        return body(entries, self._round)

    def send(self, entries: Sequence[Entry], body: bytes | None = None) -> Answer:
        """Send one bulk request; `body` is what `pack` made of the same entries, if it did."""
        reply = self._ask("/_bulk", BULK_PARAMS, body or self.pack(entries))
        if isinstance(reply, Refusal):
            return Answer(again=entries, refusal=reply)
        status, headers, text = reply
        return replies.of_bulk(entries, text) if status < 300 else replies.of_refusal(entries, status, headers, text)

    def look_up(self, entries: Sequence[Entry]) -> Answer:
        """Tell who wrote the documents that refused ours: this round itself, or somebody newer."""
        ids = msgspec.json.encode({"ids": [entry.id for entry in entries]})
        reply = self._ask("/_mget", LOOK_UP_PARAMS, ids)
        if isinstance(reply, Refusal):
            return Answer(again=entries, refusal=reply)
        status, headers, text = reply
        if status < 300:
            return replies.of_look_up(entries, text, self._round)
        return replies.of_refusal(entries, status, headers, text)

    def refresh(self) -> Answer:
        """Make everything that was sent searchable."""
        reply = self._ask("/_refresh", REFRESH_PARAMS, None)
        if isinstance(reply, Refusal):
            return Answer(refusal=reply)
        status, headers, text = reply
        return replies.of_refresh(text) if status < 300 else replies.of_refusal((), status, headers, text)

    def _ask(self, path: str, params: Mapping[str, str], data: bytes | None) -> tuple[int, Mapping[str, str], str] | Refusal:
        """Make one request: its status, headers in lower case and text, or why there was no answer."""
        transport = self._client.transport
        connection = transport.get_connection()
        try:
            status, headers, text = connection.perform_request(
                "POST", self._path + path, params, data, timeout=self._timeout_s, ignore=ANY_STATUS
            )
        except ConnectionTimeout:
            transport.mark_dead(connection)
            return Refusal(f"the cluster did not answer within {self._timeout_s:g} s")
        except ConnectionLost as problem:
            transport.mark_dead(connection)
            broken_off = isinstance(problem.info, ProtocolError)  # a server may close instead of answering 413
            return Refusal(f"the connection to the cluster was lost: {problem.error}", shrink=broken_off)
        transport.connection_pool.mark_live(connection)
        return status, {name.lower(): value for name, value in headers.items()}, text

    def _map(self, fields: frozenset[str]) -> None:
        """Map fields together, or one by one where the index refuses them together."""
        if not fields:
            return
        try:
            self._map_fields(fields)
        except RequestError:
            for field in sorted(fields) if len(fields) > 1 else ():
                self._map(frozenset({field}))
        self._mapped |= fields


def _refused_mapping(entries: Sequence[Entry], problem: TransportError) -> Answer:
    if not isinstance(problem.status_code, int):
        return Answer(again=entries, refusal=Refusal(f"the mapping could not be changed: {problem.error}"))
    text = msgspec.json.encode(problem.info).decode() if isinstance(problem.info, dict) else str(problem.error)
    return replies.of_refusal(entries, problem.status_code, {}, text)
