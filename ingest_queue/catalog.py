"""The indexes of accounts: defined, listed, deleted. Their making in the cluster is `indexes.py`'s."""

from collections.abc import Mapping
from typing import Any

import orjson
from opensearchpy import OpenSearch

from ingest_queue import indexes
from ingest_queue.access.actor import LOCAL, Actor
from ingest_queue.access.audit import Audit
from ingest_queue.errors import Conflict, Denied
from ingest_queue.schema.definition import Definition
from ingest_queue.states import UNFINISHED
from ingest_queue.store.definitions import no_index
from ingest_queue.store.store import Store


class Catalog:
    """Which indexes there are. `account` is for operators, who belong to none; they mean `default` when they name none."""

    def __init__(self, store: Store, client: OpenSearch, audit: Audit) -> None:
        self._store, self._cluster, self._audit = store, client, audit

    def create(self, definition: Definition, *, by: Actor = LOCAL, account: str | None = None) -> Definition:
        """Make the index in the cluster and remember its definition; the same one again changes nothing.

        Raises Conflict `index_exists` for another definition of the slug, Denied, Unavailable, Invalid.
        """
        account = by.account_for(account)
        slug, definitions = definition.slug, self._store.definitions
        if not by.sees(account, slug):
            raise Denied("forbidden", f"this key is for index {by.index} only")
        text = orjson.dumps(definition.to_json())
        with self._audit.deed(by, "index.create", f"index:{slug}", account=account, index=slug):
            known = definitions.get(account, slug)
            if known is not None and known != text:
                message = f"index {slug} exists with another definition; choose another slug or delete it"
                raise Conflict("index_exists", message, state="exists", allowed=["delete"])
            if indexes.create(self._cluster, account, definition):
                definitions.born(account, slug)
            definitions.add(account, slug, text)
        return definition

    def get(self, slug: str, *, by: Actor = LOCAL, account: str | None = None) -> Definition:
        """Return an index's definition. Raises Missing, Denied."""
        account = by.account_for(account)
        text = self._store.definitions.get(account, slug) if by.sees(account, slug) else None
        if text is None:
            raise no_index(slug)
        return Definition.parse(orjson.loads(text))

    def all(self, *, by: Actor = LOCAL, account: str | None = None) -> tuple[Definition, ...]:
        """Return the definitions that the actor sees, by slug. Raises Denied."""
        account = by.account_for(account)
        found: list[Mapping[str, Any]] = [orjson.loads(text) for text in self._store.definitions.all(account)]
        return tuple(Definition.parse(raw) for raw in found if by.sees(account, str(raw["slug"])))

    def documents(self, slug: str, *, by: Actor = LOCAL, account: str | None = None) -> int:
        """Return how many documents of an index can be found now. Raises Missing, Denied, Unavailable."""
        account = by.account_for(account)
        self.get(slug, by=by, account=account)
        return indexes.count(self._cluster, indexes.alias(account, slug))

    def delete(self, slug: str, *, force: bool = False, by: Actor = LOCAL, account: str | None = None) -> None:
        """Delete the index and its documents. Unfinished jobs refuse it, unless forced; then they fail when they next run.

        Raises Missing, Denied, Conflict `index_in_use` (jobs: how many), Unavailable.
        """
        account = by.account_for(account)
        self.get(slug, by=by, account=account)
        with self._audit.deed(by, "index.delete", f"index:{slug}", account=account, index=slug):
            counts = self._store.records.counts(f"index:{account}/{slug}")
            unfinished = sum(counts[state] for state in UNFINISHED)
            if unfinished and not force:
                message = f"{unfinished} jobs of index {slug} are not finished; wait, delete them, or force it"
                raise Conflict("index_in_use", message, state="in_use", allowed=["force"], jobs=unfinished)
            indexes.delete(self._cluster, account, slug)
            self._store.definitions.remove(account, slug)
