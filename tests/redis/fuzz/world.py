"""Two accounts with things of their own, and whoever may call about them: what the fuzzer plays with."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from flask import Flask

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.engine import Engine
from ingest_queue.intake.body import Form
from ingest_queue.schema.definition import Definition
from ingest_queue.states import Event
from web.app import create_app

ACCOUNTS: Final = ("default", "acme")
LINES: Final = b"".join(b'{"uri":"u%d","external_id":"e%d"}\n' % (n, n) for n in range(5))
KINDS: Final = {"pages": ("uri_md5", "uri"), "goods": ("field", "external_id")}  # an index of each kind of ids


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who calls: a key of one scope of one account, or of the installation (account None), or nobody."""

    name: str
    account: str | None = None
    secret: str | None = None
    email: str = ""


class World:
    """The application without limits of rate, over an engine with two accounts that know nothing of each other."""

    def __init__(self, engine: Engine) -> None:
        config = replace(engine.config, submits_per_minute=0, submits_per_hour=0, calls_per_minute=0, guesses_per_minute=0)
        self.engine = engine
        self.app: Flask = create_app(engine, config)
        engine.directory.create_account("acme", by=LOCAL)
        self.things = {account: self._things(account) for account in ACCOUNTS}
        self.nobody = Somebody("nobody")
        self.of = {account: tuple(self._keys(account)) for account in ACCOUNTS}
        self.operator = Somebody("operator", None, engine.keyring.issue("ops", [Scope.MANAGE_ALL], by=LOCAL)[1])

    @property
    def everybody(self) -> tuple[Somebody, ...]:
        """Everybody, those who may most thrice: whoever is refused at the door finds little."""
        admins = [who for keys in self.of.values() for who in keys if who.name == Scope.ADMIN]
        return (*admins, self.operator) * 3 + (*(who for keys in self.of.values() for who in keys), self.nobody)

    @property
    def strangers(self) -> tuple[Somebody, ...]:
        """Everybody to whom account `default` does not exist."""
        return (*self.of["acme"], self.nobody)

    def marks(self, account: str) -> set[str]:
        """Return what only replies about an account's things may hold."""
        return {value for values in self.things[account].values() for value in values} - {account}

    def state(self, account: str) -> list[Any]:
        """Return all that an account has, as it stands."""
        engine = self.engine
        return [
            engine.list(account=account, limit=1000).items,
            engine.indexes.all(account=account),
            engine.keyring.keys(by=LOCAL, account=account),
            engine.directory.users(by=LOCAL, account=account),
            engine.directory.account(account, by=LOCAL),
            engine.ceilings.now(),
            engine.audit.page(account)[0],
        ]

    def _things(self, account: str) -> dict[str, list[str]]:
        """Make an account's things; return their names as paths have them."""
        engine, jobs = self.engine, []
        for kind, (rule, field) in KINDS.items():
            fields = [{"name": field, "type": "keyword"}, {"name": "n", "type": "long"}]
            slug = f"{kind}-of-{account}"
            raw = {"slug": slug, "id": {"rule": rule, "field": field}, "fields": fields, "open": ["meta_*"]}
            engine.indexes.create(Definition.parse(raw), account=account)
            for event in (None, Event.PAUSE, Event.CANCEL):
                job = engine.submit(slug, iter([LINES]), form=Form.NDJSON, account=account)
                jobs.append(engine.ask(job.id, event).id if event else job.id)
        slugs = [f"{kind}-of-{account}" for kind in KINDS]
        return {
            "job_id": jobs,
            "slug": slugs,
            "index": slugs,
            "account_slug": [account],
            "email": [engine.directory.create_user(f"{who}@{account}.example", by=LOCAL, account=account).email for who in "ab"],
            "key_id": [engine.keyring.issue("a thing", [Scope.INGEST], by=LOCAL, account=account)[0].id for _ in range(2)],
        }

    def _keys(self, account: str) -> Iterator[Somebody]:
        email = f"caller@{account}.example"
        self.engine.directory.create_user(email, by=LOCAL, account=account)
        for scope in (Scope.ADMIN, Scope.INGEST, Scope.SEARCH, Scope.CONNECTOR_WRITE):
            secret = self.engine.keyring.issue(scope, [scope], by=LOCAL, account=account)[1]
            yield Somebody(scope.value, account, secret, email)
