"""A JSON schema in words, for the page of the documents."""

from typing import Any, Final
from urllib.parse import unquote

LIMITS: Final = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "pattern": "like {}",
    "default": "else {}",
}


def words(schema: Any) -> str:
    """Return what a schema allows, as one line; another schema is called by its name."""
    if not isinstance(schema, dict) or not schema:
        return "anything"
    if "$ref" in schema:
        return unquote(str(schema["$ref"]).rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(words(part) for part in schema["anyOf"])
    kinds = schema.get("type", "anything")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "items" in schema:
        kind = f"list of {words(schema['items'])}"
    elif isinstance(schema.get("additionalProperties"), dict):
        kind = f"object of {words(schema['additionalProperties'])}"
    if "enum" in schema:
        kind = ", ".join(str(word) for word in schema["enum"] if word is not None) + (" or null" if "null" in kinds else "")
    if "format" in schema:
        kind += f" ({schema['format']})"
    limits = [form.format(schema[name]) for name, form in LIMITS.items() if schema.get(name) is not None]
    return "; ".join([kind, *limits])
