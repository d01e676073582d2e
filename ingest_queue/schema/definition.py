"""What an index is defined to hold: fields, id rule, open patterns, settings; and the mapping that follows from them.

A definition is a frozen value. It knows no account, no cluster and no job; names in the cluster are `indexes.py`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from ingest_queue.errors import Invalid
from ingest_queue.schema.fields import Field, FieldType, OpenPattern, is_name, walk
from ingest_queue.schema.reading import MOST_FIELDS, Reader

SPARE_FIELDS: Final = 100  # room in the cluster's own limit for what it counts beside ours


class Rule(StrEnum):
    """Where a document's id comes from."""

    FIELD = "field"  # the string in a field
    URI_MD5 = "uri_md5"  # the md5 of the canonical URI in a field
    POSITION = "position"  # the job and the document's position; nothing in the document


@dataclass(frozen=True, slots=True)
class IdRule:
    """A rule and the field it reads; the field is None only under `position`."""

    rule: Rule
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How the index is kept. bulk_documents None: as the installation says."""

    shards: int = 1
    replicas: int = 1
    refresh_interval: str = "1s"
    bulk_documents: int | None = None
    open_fields_limit: int = 100


@dataclass(frozen=True, slots=True)
class Definition:
    """Everything that decides whether a document is accepted, and under which id."""

    slug: str
    id: IdRule
    fields: tuple[Field, ...]
    open: tuple[OpenPattern, ...] = ()
    coerce: bool = False
    settings: Settings = field(default_factory=Settings)
    names: frozenset[str] = field(init=False, repr=False, compare=False)  # of the declared fields

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(item.name for item in self.fields))

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "Definition":
        """Return the definition in its JSON form. Raises Invalid `invalid_definition` with every problem at once.

        `data["problems"]` is a list of {path, problem}. A field that the id rule reads and that is not declared
        becomes a keyword field; one that is declared must be a keyword without `array`: ids are strings.
        """
        reader = Reader()
        reader.only_keys(raw, "", ("slug", "id", "fields", "open", "coerce", "settings"))
        fields = reader.fields(raw.get("fields"), "fields")
        rule = _id_rule(reader, raw.get("id"), fields)
        if rule.field is not None and all(item.name != rule.field for item in fields):
            fields = (Field(rule.field, FieldType.KEYWORD), *fields)
        found = cls(
            slug=reader.slug(raw.get("slug"), "slug"),
            id=rule,
            fields=fields,
            open=reader.patterns(raw.get("open", ()), "open"),
            coerce=reader.boolean(raw.get("coerce", False), "coerce"),
            settings=_settings(reader, raw.get("settings", {})),
        )
        if reader.problems:
            listed = "; ".join(f"{problem['path']}: {problem['problem']}" for problem in reader.problems)
            raise Invalid("invalid_definition", f"this definition cannot be: {listed}", problems=reader.problems)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form with every default written out; `parse` of it gives an equal definition."""
        return {
            "slug": self.slug,
            "id": {"rule": self.id.rule.value, "field": self.id.field},
            "fields": [item.to_json() for item in self.fields],
            "open": [pattern.to_json() for pattern in self.open],
            "coerce": self.coerce,
            "settings": asdict(self.settings),
        }

    def open_field(self, name: str) -> Field | None:
        """Return the field that the first matching open pattern makes of a name; None where none allows it."""
        if not self.open or not is_name(name):
            return None
        for pattern in self.open:
            if pattern.matches(name):
                return Field(name, pattern.type, pattern.array)
        return None

    def open_names(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of the names that an open pattern brings in, and no declaration."""
        return frozenset(name for name in names if name not in self.names and self.open_field(name))

    def mapping(self) -> dict[str, Any]:
        """Return the strict mapping: what is not declared the cluster refuses, too."""
        return {"dynamic": "strict", "properties": {item.name: item.mapping(coerce=self.coerce) for item in self.fields}}

    def index_settings(self) -> dict[str, Any]:
        """Return the settings of the index; its field limit leaves room for the open fields."""
        return {
            "number_of_shards": self.settings.shards,
            "number_of_replicas": self.settings.replicas,
            "refresh_interval": self.settings.refresh_interval,
            "mapping.total_fields.limit": sum(1 for _ in walk(self.fields)) + self.open_limit + SPARE_FIELDS,
        }

    @property
    def open_limit(self) -> int:
        """How many open fields the index may come to hold."""
        return self.settings.open_fields_limit if self.open else 0


def _id_rule(reader: Reader, raw: Any, fields: tuple[Field, ...]) -> IdRule:
    if not reader.is_object(raw, "id"):
        return IdRule(Rule.POSITION)
    reader.only_keys(raw, "id", ("rule", "field"))
    rule = Rule(reader.word(raw.get("rule"), "id.rule", tuple(Rule), Rule.POSITION))
    name = raw.get("field")
    if rule is Rule.POSITION:
        reader.must(name is None, "id.field", "the rule `position` reads no field")
        return IdRule(rule)
    if name is None and rule is Rule.URI_MD5:
        name = "uri"
    name = reader.name(name, "id.field")
    declared = [item for item in fields if item.name == name]
    fits = all(item.type is FieldType.KEYWORD and not item.array for item in declared)
    reader.must(fits, "id.field", f"{name!r} must be a keyword field without `array`: ids are strings")
    return IdRule(rule, name)


def _settings(reader: Reader, raw: Any) -> Settings:
    if not reader.is_object(raw, "settings"):
        return Settings()
    reader.only_keys(raw, "settings", tuple(Settings.__dataclass_fields__))
    told = Settings(**{name: raw[name] for name in Settings.__dataclass_fields__ if name in raw})
    return Settings(
        reader.number(told.shards, "settings.shards", 1, 1024),
        reader.number(told.replicas, "settings.replicas", 0, 10),
        reader.interval(told.refresh_interval, "settings.refresh_interval"),
        None if told.bulk_documents is None else reader.number(told.bulk_documents, "settings.bulk_documents", 1, 100_000),
        reader.number(told.open_fields_limit, "settings.open_fields_limit", 1, MOST_FIELDS),
    )
