"""What goes in and out of the native API's calls about accounts, users, keys, the audit and settings."""

from typing import Final

from marshmallow import Schema, fields, validate

from ingest_queue.access.actor import Scope
from ingest_queue.access.directory import LONGEST_PASSWORD, MOST_QUOTA, SHORTEST_PASSWORD
from ingest_queue.access.keyring import MOST_CALLS
from ingest_queue.access.people import ACCOUNT, EMAIL, LABEL, NAME, Role
from ingest_queue.ceilings import RANGES
from ingest_queue.schema.reading import SLUG
from ingest_queue.store.audit import ID
from web.api.schemas import LONGEST_PAGE, PAGE, Moment, Stamp
from web.loading import Query, whole

QUOTA: Final = validate.Range(0, MOST_QUOTA)  # 0: no limit
PASSWORD: Final = validate.Length(SHORTEST_PASSWORD, LONGEST_PASSWORD)


class AccountBody(Schema):
    """An account to make. quota: units (documents that go in) a month; null or 0: no limit."""

    slug = fields.String(required=True, validate=whole(ACCOUNT))
    name = fields.String(load_default="", validate=whole(NAME))
    quota = fields.Integer(strict=True, allow_none=True, load_default=None, validate=QUOTA)


class AccountPatch(Schema):
    """What may change of an account: its units a month, also for the present one; null or 0: no limit."""

    quota = fields.Integer(strict=True, allow_none=True, required=True, validate=QUOTA)


class AccountReply(Schema):
    """One account; created_at is null for `default`, which was always there."""

    slug = fields.String()
    name = fields.String()
    quota = fields.Integer(allow_none=True)
    created_at = Stamp(allow_none=True)


class AccountsReply(Schema):
    """The accounts that the caller sees, by slug."""

    accounts = fields.List(fields.Nested(AccountReply))


class UserBody(Schema):
    """A user to make: a member of an account, or an admin (an operator of the installation), who needs a password."""

    email = fields.String(required=True, validate=whole(EMAIL))
    role = fields.Enum(Role, by_value=True, load_default=Role.MEMBER)
    password = fields.String(load_default=None, validate=PASSWORD)


class UserPatch(Schema):
    """Another password for an admin; sessions that began with the old one end."""

    password = fields.String(required=True, validate=PASSWORD)


class UserReply(Schema):
    """One user; account is null for admins."""

    email = fields.String()
    role = fields.Enum(Role, by_value=True)
    account = fields.String(allow_none=True)
    created_at = Stamp()


class UsersReply(Schema):
    """Users by e-mail."""

    users = fields.List(fields.Nested(UserReply))


class KeyBody(Schema):
    """A key to issue. index: the only one that it is for; expires_at: RFC 3339; rate_per_minute: submissions, its own limit."""

    label = fields.String(required=True, validate=whole(LABEL))
    scopes = fields.List(fields.Enum(Scope, by_value=True), required=True, validate=validate.Length(1, len(Scope)))
    index = fields.String(allow_none=True, load_default=None, validate=whole(SLUG))
    expires_at = Moment(allow_none=True, load_default=None)
    rate_per_minute = fields.Integer(strict=True, allow_none=True, load_default=None, validate=validate.Range(1, MOST_CALLS))


class KeyReply(Schema):
    """One key; never its secret."""

    id = fields.String()
    prefix = fields.String()
    label = fields.String()
    account = fields.String(allow_none=True)
    scopes = fields.List(fields.Enum(Scope, by_value=True))
    index = fields.String(allow_none=True)
    rate_per_minute = fields.Integer(allow_none=True)
    created_at = Stamp()
    created_by = fields.String()
    expires_at = Stamp(allow_none=True)
    last_used_at = Stamp(allow_none=True)
    revoked_at = Stamp(allow_none=True)


class IssuedReply(KeyReply):
    """A key that was just issued, with its secret: here and never again."""

    secret = fields.String()


class KeysReply(Schema):
    """Keys, newest first."""

    keys = fields.List(fields.Nested(KeyReply))


class AuditQuery(Query):
    """Which entries: all filters together; `cursor` is the `next` of the page before."""

    action = fields.String(validate=validate.Length(1, 100), load_default=None)
    actor = fields.String(validate=validate.Length(1, 254), load_default=None)
    target = fields.String(validate=validate.Length(1, 300), load_default=None)
    cursor = fields.String(validate=whole(ID), load_default=None)
    limit = fields.Integer(validate=validate.Range(1, LONGEST_PAGE), load_default=PAGE)


class EntryReply(Schema):
    """One deed. target: `job:<id>`, `key:<id>`, `user:<e-mail>` …; result: `ok`, or the code of the refusal."""

    id = fields.String()
    at = Stamp()
    actor = fields.String()
    account = fields.String(allow_none=True)
    action = fields.String()
    target = fields.String()
    result = fields.String()
    address = fields.String()
    key_id = fields.String(allow_none=True)
    index = fields.String(allow_none=True)
    detail = fields.String()


class AuditReply(Schema):
    """A page of the audit, newest first; `next` is null at the end."""

    entries = fields.List(fields.Nested(EntryReply))
    next = fields.String(allow_none=True)


class SettingsBody(Schema):
    """Ceilings to change; null: back to what the environment says. Those that are not named stay."""

    running_ceiling = fields.Integer(strict=True, allow_none=True, validate=validate.Range(*RANGES["running_ceiling"]))
    pull_ceiling = fields.Integer(strict=True, allow_none=True, validate=validate.Range(*RANGES["pull_ceiling"]))


class SettingsReply(Schema):
    """The ceilings as they hold. running_ceiling: jobs with a slot at once, 0: as many as there are workers."""

    running_ceiling = fields.Integer()
    pull_ceiling = fields.Integer()
