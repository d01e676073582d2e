"""Makes, maps, measures and deletes indexes in the search cluster, each behind the alias that everybody uses.

`{account}_{slug}_v1` is the index, `{account}_{slug}` its alias. Knows no Redis: which definition a slug has, and
whether it may be made or deleted now, is the engine's to say.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opensearchpy import OpenSearch
from opensearchpy.exceptions import ConnectionError as ConnectionLost
from opensearchpy.exceptions import NotFoundError, TransportError

from ingest_queue.access.people import ACCOUNT
from ingest_queue.errors import Conflict, Invalid, Missing, Unavailable
from ingest_queue.schema.definition import Definition

NOT_NOW: Final = (401, 403, 429, *range(500, 600))  # the operator's or time's to mend
EXISTS: Final = "resource_already_exists_exception"


def alias(account: str, slug: str) -> str:
    """Return the name that readers and writers use. Raises Invalid when the account's name is not safe in it."""
    if not ACCOUNT.fullmatch(account):
        raise Invalid("invalid_account", f"{account!r} cannot name an account: use a-z, 0-9 and `-`")
    return f"{account}_{slug}"


def create(client: OpenSearch, account: str, definition: Definition) -> bool:
    """Make the index and its alias in one call; say whether it was not there before. The same again changes nothing.

    Raises Conflict `index_exists` when the cluster has an index of that name with another definition (one that
    outlived our record of it), Invalid, Unavailable.
    """
    name = alias(account, definition.slug)
    told = {"definition": definition.to_json()}
    body = {
        "settings": {"index": definition.index_settings()},
        "mappings": definition.mapping() | {"_meta": told},
        "aliases": {name: {}},
    }
    with _translated(name):
        try:
            client.indices.create(index=f"{name}_v1", body=body)
        except TransportError as problem:
            if problem.status_code != 400 or problem.error != EXISTS:
                raise
            if _mappings(client, name).get("_meta") != told:
                message = f"the cluster has an index {name}_v1 of another origin; delete it there or choose another slug"
                raise Conflict("index_exists", message, state="foreign", allowed=[]) from problem
            return False
    return True


def names(client: OpenSearch, account: str, slug: str) -> tuple[str, ...]:
    """Return the indexes behind the alias, by name. Raises Missing, Unavailable."""
    name = alias(account, slug)
    with _translated(name):
        return tuple(sorted(client.indices.get_alias(name=name)))


def delete(client: OpenSearch, account: str, slug: str) -> None:
    """Delete every index behind the alias, and so the alias; when there is none it is done. Raises Unavailable."""
    name = alias(account, slug)
    with _translated(name):
        try:
            found = ",".join(sorted(client.indices.get_alias(name=name)))
            client.indices.delete(index=found)
        except NotFoundError:
            return


def open_fields(client: OpenSearch, alias: str, definition: Definition) -> frozenset[str]:
    """Return the fields that open patterns have brought into the mapping so far. Raises Missing, Unavailable."""
    with _translated(alias):
        return definition.open_names(_mappings(client, alias).get("properties", {}))


def add_fields(client: OpenSearch, alias: str, definition: Definition, fields: frozenset[str]) -> None:
    """Put open fields into the mapping before the bulk that has them; those it has already are left as they are.

    Raises the client's own TransportError: the sink that asks sorts it as it sorts a refused bulk.
    """
    found = (definition.open_field(name) for name in sorted(fields))
    properties = {field.name: field.mapping(coerce=definition.coerce) for field in found if field is not None}
    client.indices.put_mapping(index=alias, body={"properties": properties})


def refresh(client: OpenSearch, alias: str) -> None:
    """Make everything written so far searchable. Raises Missing, Unavailable."""
    with _translated(alias):
        client.indices.refresh(index=alias)


def count(client: OpenSearch, alias: str) -> int:
    """Return how many documents are searchable: what was written since the last refresh is not in it."""
    with _translated(alias):
        return int(client.count(index=alias)["count"])


def _mappings(client: OpenSearch, name: str) -> Mapping[str, Any]:
    """Return the mapping of the newest index behind the alias."""
    found = client.indices.get_mapping(index=name)
    mappings: Mapping[str, Any] = found[max(found)]["mappings"]
    return mappings


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Turn the client's exceptions into ours."""
    try:
        yield
    except ConnectionLost as problem:
        raise Unavailable(
            "cluster_away", f"the search cluster does not answer ({type(problem).__name__}); try again"
        ) from problem
    except NotFoundError as problem:
        raise Missing("index_not_found", f"the cluster has no index {name}; create it") from problem
    except TransportError as problem:
        reason = _reason(problem)
        if not isinstance(problem.status_code, int) or problem.status_code in NOT_NOW:
            raise Unavailable("cluster_refuses", f"the search cluster answers {problem.status_code}: {reason}") from problem
        raise Invalid("cluster_refused", f"the search cluster refused this with {problem.status_code}: {reason}") from problem


def _reason(problem: TransportError) -> str:
    """Return the server's own words."""
    info = problem.info
    error = info.get("error") if isinstance(info, Mapping) else None
    return str(error.get("reason", problem.error)) if isinstance(error, Mapping) else str(problem.error)
