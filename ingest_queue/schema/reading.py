"""Reads the parts of a definition and collects what is wrong with them, each problem with its path.

Every method returns a value of the right type also where it noted a problem, so that reading goes on to the next one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

from ingest_queue.schema.fields import Field, FieldType, OpenPattern, is_name, walk

SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
VERSIONED: Final = re.compile(r".*_v[0-9]+")  # {account}_{slug} would be the name of another index's version
INTERVAL: Final = re.compile(r"-1|[1-9][0-9]{0,5}(?:ms|s|m)")
MOST_FIELDS: Final = 900
MOST_LEVELS: Final = 10  # of objects in objects; the cluster's limit is 20
NAME_RULE: Final = "must be a name of 1 to 128 letters, digits, `@`, `-`, `_` or inner spaces that does not begin with `_` or `-`"
SLUG_RULE: Final = "must be 1 to 64 of a-z, 0-9, `_` and `-`, begin with a letter or digit, and not end like a version (`_v1`)"


@dataclass
class Reader:
    """The problems found so far: {path, problem}."""

    problems: list[dict[str, str]] = field(default_factory=list)

    def must(self, holds: bool, path: str, problem: str) -> bool:
        """Note the problem unless it holds; say whether it holds."""
        if not holds:
            self.problems.append({"path": path, "problem": problem})
        return holds

    def is_object(self, raw: Any, path: str) -> TypeGuard[Mapping[str, Any]]:
        """Say whether it is an object."""
        return self.must(isinstance(raw, Mapping), path, "must be an object")

    def only_keys(self, raw: Mapping[str, Any], path: str, known: Iterable[str]) -> None:
        """Note every key that is not known: a misspelt one would be lost in silence."""
        known = tuple(known)
        for key in raw:
            where = f"{path}.{key}" if path else str(key)
            self.must(key in known, where, f"is unknown here; known are {', '.join(known)}")

    def slug(self, raw: Any, path: str) -> str:
        """Read a slug: safe as part of an index name, and never mistaken for a wildcard, a path or a version."""
        fits = isinstance(raw, str) and SLUG.fullmatch(raw) is not None and VERSIONED.fullmatch(raw) is None
        return str(raw) if self.must(fits, path, SLUG_RULE) else ""

    def name(self, raw: Any, path: str) -> str:
        """Read a field's name."""
        return str(raw) if self.must(isinstance(raw, str) and is_name(raw), path, NAME_RULE) else ""

    def boolean(self, raw: Any, path: str) -> bool:
        """Read true or false."""
        return self.must(isinstance(raw, bool), path, "must be true or false") and bool(raw)

    def number(self, raw: Any, path: str, low: int, high: int) -> int:
        """Read a whole number; both ends are in."""
        fits = isinstance(raw, int) and not isinstance(raw, bool) and low <= raw <= high
        return int(raw) if self.must(fits, path, f"must be a whole number from {low} to {high}") else low

    def interval(self, raw: Any, path: str) -> str:
        """Read how often the index is refreshed."""
        fits = isinstance(raw, str) and INTERVAL.fullmatch(raw) is not None
        return str(raw) if self.must(fits, path, "must be a time such as 500ms, 1s or 2m, or -1 for never") else "1s"

    def word(self, raw: Any, path: str, known: Iterable[str], default: str) -> str:
        """Read one of some words."""
        known = [str(word) for word in known]
        fits = isinstance(raw, str) and raw in known
        return str(raw) if self.must(fits, path, f"must be one of {', '.join(known)}") else default

    def fields(self, raw: Any, path: str, level: int = 1) -> tuple[Field, ...]:
        """Read a list of fields with all below them."""
        if not self.must(isinstance(raw, (list, tuple)), path, "must be a list of fields"):
            return ()
        if not self.must(level <= MOST_LEVELS, path, f"objects may lie in objects {MOST_LEVELS} levels deep"):
            return ()
        found = tuple(
            self._field(item, f"{path}[{number}]", level)
            for number, item in enumerate(raw)
            if self.is_object(item, f"{path}[{number}]")
        )
        names = [item.name for item in found]
        for number, name in enumerate(names):
            self.must(name == "" or name not in names[:number], f"{path}[{number}].name", f"{name!r} is declared twice")
        if level == 1:
            count = sum(1 for _ in walk(found))
            self.must(count <= MOST_FIELDS, path, f"{count} fields are too many; an index holds {MOST_FIELDS}")
        return found

    def _field(self, raw: Mapping[str, Any], path: str, level: int) -> Field:
        self.only_keys(raw, path, ("name", "type", "array", "required", "fields"))
        kind = FieldType(self.word(raw.get("type"), f"{path}.type", tuple(FieldType), FieldType.OBJECT))
        below: tuple[Field, ...] = ()
        if "fields" in raw and self.must(kind is FieldType.OBJECT, f"{path}.fields", "only an object has sub-fields"):
            below = self.fields(raw["fields"], f"{path}.fields", level + 1)
        return Field(
            self.name(raw.get("name"), f"{path}.name"),
            kind,
            self.boolean(raw.get("array", False), f"{path}.array"),
            self.boolean(raw.get("required", False), f"{path}.required"),
            below,
        )

    def patterns(self, raw: Any, path: str) -> tuple[OpenPattern, ...]:
        """Read the open patterns: strings, or objects {pattern, type, array}."""
        if not self.must(isinstance(raw, (list, tuple)), path, "must be a list of patterns such as meta_*"):
            return ()
        return tuple(self._pattern(item, f"{path}[{number}]") for number, item in enumerate(raw))

    def _pattern(self, raw: Any, path: str) -> OpenPattern:
        if isinstance(raw, str):
            raw, where = {"pattern": raw}, path
        elif not self.is_object(raw, path):
            return OpenPattern("*")
        else:
            self.only_keys(raw, path, ("pattern", "type", "array"))
            where = f"{path}.pattern"
        pattern = raw.get("pattern")
        fits = isinstance(pattern, str) and pattern.count("*") == 1 and is_name(pattern.replace("*", "a"))
        self.must(fits, where, "must be part of a field's name with one `*`, such as meta_*")
        kinds = [kind for kind in FieldType if kind is not FieldType.OBJECT]
        kind = FieldType(self.word(raw.get("type", FieldType.KEYWORD), f"{path}.type", kinds, FieldType.KEYWORD))
        return OpenPattern(str(pattern), kind, self.boolean(raw.get("array", False), f"{path}.array"))
