"""What goes in and out of the native API's calls about indexes.

A definition's shape is told here for the documents; whether one can be is the engine's to say, all problems at once.
"""

from typing import Any, Final

from marshmallow import INCLUDE, Schema, fields, validate

from ingest_queue.schema.definition import Rule
from ingest_queue.schema.fields import NAME_CHARACTERS, FieldType
from ingest_queue.schema.reading import INTERVAL, MOST_FIELDS, SLUG
from web.dialect import SOMETIMES
from web.loading import Query, whole

WORD: Final = validate.Length(1, NAME_CHARACTERS)
OPEN_TYPES: Final = [kind.value for kind in FieldType if kind is not FieldType.OBJECT]
OPEN: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "pattern": {"type": "string"},
        "type": {"type": "string", "enum": OPEN_TYPES},
        "array": {"type": "boolean"},
    },
    "required": ["pattern"],
    "additionalProperties": False,
}


class AnyDefinition(Schema):
    """Whatever is an object: Definition.parse says what is wrong with it."""

    class Meta:
        """Keys that nobody knows are for Definition.parse to name."""

        unknown = INCLUDE


class IdRuleBody(Schema):
    """Where a document's id comes from: the string in a field, the md5 of the URI in one, or job and position."""

    rule = fields.Enum(Rule, by_value=True)
    field = fields.String(allow_none=True, validate=WORD)


class IdRuleReply(IdRuleBody):
    """The same, written out; field is null under `position`."""


class FieldBody(Schema):
    """One field. array: several values are accepted as well as one; only an object has fields of its own."""

    name = fields.String(required=True, validate=WORD)
    type = fields.Enum(FieldType, by_value=True, required=True)
    array = fields.Boolean()
    required = fields.Boolean()
    field_list = fields.List(fields.Nested("FieldBody"), data_key="fields", metadata=SOMETIMES)


class FieldReply(FieldBody):
    """The same, written out."""

    field_list = fields.List(fields.Nested("FieldReply"), data_key="fields", metadata=SOMETIMES)


class IndexSettingsBody(Schema):
    """How the index is kept. bulk_documents null: as the installation says."""

    shards = fields.Integer(validate=validate.Range(1, 1024))
    replicas = fields.Integer(validate=validate.Range(0, 10))
    refresh_interval = fields.String(validate=whole(INTERVAL))
    bulk_documents = fields.Integer(allow_none=True, validate=validate.Range(1, 100_000))
    open_fields_limit = fields.Integer(validate=validate.Range(1, MOST_FIELDS))


class IndexSettingsReply(IndexSettingsBody):
    """The same, written out."""


class DefinitionBody(Schema):
    """What an index accepts; everything else is refused, document by document."""

    slug = fields.String(required=True, validate=whole(SLUG))
    id = fields.Nested(IdRuleBody, required=True)
    field_list = fields.List(fields.Nested(FieldBody), data_key="fields", required=True)
    open = fields.List(fields.Raw(metadata={"anyOf": [{"type": "string"}, OPEN]}))
    coerce = fields.Boolean()
    settings = fields.Nested(IndexSettingsBody)


class DefinitionReply(Schema):
    """A definition as the server understood it, every default written out."""

    slug = fields.String()
    id = fields.Nested(IdRuleReply)
    field_list = fields.List(fields.Nested(FieldReply), data_key="fields")
    open = fields.List(fields.Raw(metadata={"anyOf": [{"type": "string"}, OPEN]}))
    coerce = fields.Boolean()
    settings = fields.Nested(IndexSettingsReply)


class DefinitionsReply(Schema):
    """All definitions by slug."""

    indexes = fields.List(fields.Nested(DefinitionReply))


class DeleteIndexQuery(Query):
    """`force` deletes an index that has unfinished jobs; they fail when they next run."""

    force = fields.Boolean(load_default=False)
