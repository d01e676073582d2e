"""What a dialect is to those who describe it: its name, whose views are its calls, how it tells errors and who asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from marshmallow import Schema

DIALECTS: Final = "ingest_queue.dialects"  # where an application keeps them
SOMETIMES: Final = {"x-sometimes": True}  # metadata of a reply's field that is not always there
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One family of clients. error: how it tells what went wrong; links: of a reply's schema, which name its key fills."""

    name: str  # in the path of its document
    title: str
    description: str
    blueprints: tuple[str, ...]  # whose views are its calls
    error: type[Schema]
    error_type: str = JSON
    schemes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # one of them is enough
    links: Mapping[type[Schema], tuple[str, str]] = field(default_factory=dict)
