"""One index in memory that answers `_bulk`, `_mget` and `_refresh` as OpenSearch 3.8 does, versions included.

It is what a run writes to in tests of order and refusal: unlike osmem-server it can be looked into, and it lives in
the test's own process. It knows no mapping: `judge` says which documents are refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

ID_BYTES: Final = 512
Refused = tuple[int, str, str]  # status, type, reason
GONE: Final = (404, "index_not_found_exception", "no such index")


def error(status: int, kind: str, reason: str) -> tuple[int, str]:
    """Return the reply of a request that is refused whole."""
    cause = {"type": kind, "reason": reason}
    return status, orjson.dumps({"error": {"root_cause": [cause], **cause}, "status": status}).decode()


@dataclass
class MemoryIndex:
    """versions, documents: by id. judge: why a document is refused, None when it is not."""

    alias: str
    judge: Callable[[str, bytes], Refused | None] = lambda _id, _source: None
    exists: bool = True
    versions: dict[str, int] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)
    searchable: dict[str, bytes] = field(default_factory=dict)

    def answer(self, path: str, params: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Return status and text for a POST."""
        alias, _, what = path.removeprefix("/").partition("/")
        there = self.exists and alias == self.alias
        if what == "_bulk":
            assert params["require_alias"] == "true", "a deleted index would be made anew"
            return self._bulk(body, there=there)
        if not there:
            return error(*GONE)
        if what == "_mget":
            found = [self._found(id) for id in orjson.loads(body)["ids"]]
            return 200, orjson.dumps({"docs": found}).decode()
        assert what == "_refresh", what
        self.searchable = dict(self.documents)
        return 200, '{"_shards":{"failed":0}}'

    def write(self, id: str, version: int, source: bytes) -> int:
        """Write one document as external_gte does; return the status."""
        if self.versions.get(id, -1) > version:
            return 409
        status = 200 if id in self.documents else 201
        self.versions[id], self.documents[id] = version, source
        return status

    def _bulk(self, body: bytes, *, there: bool) -> tuple[int, str]:
        assert body.endswith(b"\n"), "the last line would be dropped in silence"
        lines = body.split(b"\n")[:-1]
        actions = [orjson.loads(line)["index"] for line in lines[::2]]
        if any(len(action["_id"].encode()) > ID_BYTES for action in actions):
            return error(400, "action_request_validation_exception", "id is too long")
        items = [self._item(action, source, there=there) for action, source in zip(actions, lines[1::2], strict=True)]
        errors = any("error" in item for item in items)
        return 200, orjson.dumps({"errors": errors, "items": [{"index": item} for item in items]}).decode()

    def _item(self, action: dict[str, Any], source: bytes, *, there: bool) -> dict[str, Any]:
        assert action["version_type"] == "external_gte"
        refused = self.judge(action["_id"], source) if there else GONE
        if refused is None:
            status = self.write(action["_id"], action["version"], source)
            if status < 300:
                return {"status": status}
            refused = (status, "version_conflict_engine_exception", "a newer version is there")
        return {"status": refused[0], "error": {"type": refused[1], "reason": refused[2]}}

    def _found(self, id: str) -> dict[str, Any]:
        if id not in self.documents:
            return {"found": False}
        return {"found": True, "_version": self.versions[id]}
