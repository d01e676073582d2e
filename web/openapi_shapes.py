"""The schemas of an OpenAPI document as clients need them: what apispec leaves out of marshmallow's is put in here."""

import inspect
import re
from collections.abc import Mapping
from typing import Any, Final

from apispec.ext.marshmallow.common import resolve_schema_cls
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

_REFERENCE: Final = "#/components/schemas/"


def name_of(schema: type[Schema] | Schema) -> str:
    """Return what a schema is called in a document: its class."""
    found = resolve_schema_cls(schema)
    assert isinstance(found, type)
    return found.__name__


def type_of_words(_converter: Any, found: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """Say that words are texts; apispec lists them and leaves it at that."""
    if not isinstance(found, fields.Enum):
        return {}
    return {"type": ["string", "null"] if found.allow_none else "string"}


def plain(node: Any) -> Any:
    """Return a document with patterns in the grammar of JavaScript, as JSON Schema has them."""
    if isinstance(node, list):
        return [plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: plain(value) for key, value in node.items()}
    if isinstance(pattern := found.get("pattern"), str):
        found["pattern"] = re.sub(r"\\Z$", "$", pattern)
    if found.get("readOnly") is False:
        del found["readOnly"]
    return found


def say_what_schemas_mean(whole: dict[str, Any], converter: OpenAPIConverter) -> None:
    """Describe each schema by its class's docstring."""
    meanings = {name: inspect.getdoc(key[0]) for key, name in converter.refs.items()}
    for name, schema in whole.get("components", {}).get("schemas", {}).items():
        schema["description"] = " ".join((meanings.get(name) or "").split())


def require_what_is_always_there(whole: dict[str, Any]) -> None:
    """Let each schema of a reply name its keys as required: all but those that are there sometimes."""
    components = whole.get("components", {}).get("schemas", {})
    operations = [operation for path in whole["paths"].values() for operation in path.values()]
    bodies = _closure([operation.get("requestBody", {}) for operation in operations], components)
    answers = [operation["responses"] for operation in operations]
    replies = _closure([answers, whole["components"].get("responses", {})], components)
    for name, schema in components.items():
        known = schema.get("properties", {})
        always = [key for key, part in known.items() if not part.pop("x-sometimes", False)]
        if always and name in replies - bodies:
            schema["required"] = always


def _closure(nodes: list[Any], components: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix(_REFERENCE)
            if name in components and name not in found:
                found.add(name)
                nodes.append(components[name])
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)
    return found
