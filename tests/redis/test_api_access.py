"""The native API's calls about accounts, users, keys, the audit and settings: who may see and change what."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema
from werkzeug.test import TestResponse

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.access.audit import Entry
from ingest_queue.access.people import Account, Key, Role, User
from ingest_queue.engine import Engine
from tests.redis.http_side import Api
from web.api.access_schemas import AccountReply, EntryReply, IssuedReply, KeyReply, UserReply


@pytest.fixture
def api(engine: Engine) -> Api:
    """The application with two accounts: `default`, whose admin key is api.http, and `acme`."""
    api = Api(engine)
    engine.directory.create_account("acme", by=LOCAL, name="Acme")
    return api


@pytest.fixture
def acme(api: Api) -> FlaskClient:
    """Whoever rules account `acme`."""
    return api.client(api.engine.keyring.issue("acme's", [Scope.ADMIN], by=LOCAL, account="acme")[1])


def code(reply: TestResponse) -> tuple[int, str]:
    return reply.status_code, reply.get_json()["code"]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (AccountReply, Account("acme")),
        (UserReply, User("ada@example.com", Role.MEMBER, "acme")),
        (KeyReply, Key("0" * 12, "", "label", None, frozenset())),
        (EntryReply, Entry("1-1", 1.0, "ada", None, "log_in", "user:ada", "ok")),
    ],
)
def test_the_schemas_name_what_is_shown(schema: type[Schema], value: Any) -> None:
    """The documents are made of the schemas, the replies of the values."""
    assert list(schema().dump_fields) == list(value.shown())


def test_an_account_is_made_by_an_operator_and_read_by_who_rules_it(api: Api, acme: FlaskClient) -> None:
    """Its name and quota are its own matter; that others exist is not."""
    made = api.operator.post("/api/accounts", json={"slug": "globex", "quota": 500})
    assert (made.status_code, made.headers["Location"]) == (201, "/api/accounts/globex")
    assert made.get_json() == api.operator.get(made.headers["Location"]).get_json()
    assert [one["slug"] for one in api.operator.get("/api/accounts").get_json()["accounts"]] == ["acme", "default", "globex"]
    assert [one["slug"] for one in acme.get("/api/accounts").get_json()["accounts"]] == ["acme"]
    assert acme.get("/api/accounts/acme").get_json()["name"] == "Acme"
    assert code(api.operator.post("/api/accounts", json={"slug": "globex"})) == (409, "account_exists")
    assert code(acme.post("/api/accounts", json={"slug": "initech"})) == (403, "forbidden")


@pytest.mark.parametrize(("quota", "then"), [(7, 7), (0, None), (None, None)])
def test_a_quota_changes_at_once(api: Api, quota: int | None, then: int | None) -> None:
    """Also of `default`, which nobody made; 0 and null are no limit."""
    for slug in ("acme", "default"):
        assert api.operator.patch(f"/api/accounts/{slug}", json={"quota": quota}).get_json()["quota"] == then
        assert api.operator.get(f"/api/accounts/{slug}").get_json()["quota"] == then
    assert code(api.http.patch("/api/accounts/default", json={"quota": quota})) == (403, "forbidden")


def test_members_are_their_accounts_matter(api: Api, acme: FlaskClient) -> None:
    """An account's admin makes, sees and deletes its own members, and nobody else."""
    made = acme.post("/api/users", json={"email": "Wile@acme.example"})
    assert (made.status_code, made.get_json()["account"], made.get_json()["role"]) == (201, "acme", "member")
    assert made.headers["Location"] == "/api/users/wile@acme.example"
    assert acme.get(made.headers["Location"]).get_json() == made.get_json()
    assert acme.get("/api/users").get_json() == {"users": [made.get_json()]}
    assert api.http.get("/api/users").get_json() == {"users": []}
    assert code(api.http.post("/api/users", json={"email": "wile@acme.example"})) == (409, "user_exists")
    assert acme.delete("/api/users/wile@acme.example").status_code == 204
    assert code(acme.get("/api/users/wile@acme.example")) == (404, "user_not_found")


def test_admins_are_made_by_operators_only_and_have_a_password(api: Api) -> None:
    """An admin rules the installation: no account's key may make one, and no admin is left without a way in."""
    admin = {"email": "ada@example.com", "role": "admin", "password": "correct horse"}
    assert code(api.http.post("/api/users", json=admin)) == (403, "forbidden")
    assert code(api.operator.post("/api/users", json=admin | {"password": None})) == (400, "invalid_input")
    made = api.operator.post("/api/users", json=admin)
    assert (made.status_code, set(made.get_json())) == (201, {"email", "role", "account", "created_at"})
    assert api.operator.patch("/api/users/ada@example.com", json={"password": "battery staple"}).status_code == 200
    assert api.engine.directory.log_in("ada@example.com", "battery staple", address="").role is Role.ADMIN
    assert code(api.http.get("/api/users/ada@example.com")) == (404, "user_not_found")
    assert code(api.operator.delete("/api/users/ada@example.com")) == (409, "last_admin")


def test_a_secret_is_shown_once(api: Api) -> None:
    """Whoever reads lists, the key itself or Redis later finds its prefix and no more."""
    issued = api.http.post("/api/keys", json={"label": "ci", "scopes": ["ingest"], "expires_at": "2999-01-01T00:00:00Z"})
    key = issued.get_json()
    assert (issued.status_code, issued.headers["Cache-Control"], list(key)) == (201, "no-store", list(IssuedReply().dump_fields))
    secret = key.pop("secret")
    assert api.client(secret).get("/api/jobs").status_code == 200
    for reply in (
        api.http.get(issued.headers["Location"]),
        api.http.get("/api/keys"),
        api.operator.get("/api/keys?account=default"),
    ):
        assert reply.status_code == 200
        assert secret not in reply.text and secret.rpartition("_")[2] not in reply.text
    assert api.http.get(issued.headers["Location"]).get_json() == key | {
        "last_used_at": api.engine.keyring.key(key["id"], by=LOCAL).shown()["last_used_at"]
    }


def test_a_revoked_key_is_refused_from_the_next_request_on(api: Api) -> None:
    """The one thing to do when a secret leaked; asking twice is no error."""
    key = api.http.post("/api/keys", json={"label": "leaked", "scopes": ["ingest"]}).get_json()
    first = api.http.delete(f"/api/keys/{key['id']}")
    assert first.status_code == 200 and first.get_json()["revoked_at"]
    assert api.http.delete(f"/api/keys/{key['id']}").get_json() == first.get_json()
    assert code(api.client(key["secret"]).get("/api/jobs")) == (401, "revoked_key")


def test_nobody_gives_more_than_they_have(api: Api) -> None:
    """A key that may issue keys must not become a key of the installation, or of another account."""
    assert code(api.http.post("/api/keys", json={"label": "all", "scopes": ["manage:all"]})) == (403, "forbidden")
    assert code(api.http.post("/api/keys?account=acme", json={"label": "theirs", "scopes": ["ingest"]})) == (403, "forbidden")
    assert code(api.http.post("/api/keys?account=none", json={"label": "theirs", "scopes": ["ingest"]})) == (403, "forbidden")
    given = api.operator.post("/api/keys", json={"label": "all", "scopes": ["manage:all"]}).get_json()
    assert given["account"] is None
    assert next(key["id"] for key in api.operator.get("/api/keys").get_json()["keys"]) == given["id"]


@pytest.mark.parametrize("path", ["/api/users", "/api/keys", "/api/audit"])
def test_a_key_for_one_index_rules_no_account(api: Api, path: str) -> None:
    """Its holder was trusted with one index: other keys, and who did what elsewhere, are beyond it."""
    secret = api.engine.keyring.issue("one index", [Scope.ADMIN], by=LOCAL, account="default", index="cities")[1]
    assert code(api.client(secret).get(path)) == (403, "forbidden")
    assert code(api.client(secret).delete(f"/api/keys/{api.key.id}")) == (403, "forbidden")
    assert api.http.get(f"/api/keys/{api.key.id}").get_json()["revoked_at"] is None


def test_the_audit_is_read_by_who_rules_and_outlives_what_it_is_about(api: Api, acme: FlaskClient) -> None:
    """Whoever asks later what happened to a deleted job still finds who did it, from where and with which key."""
    job = api.submit()
    api.http.delete(f"/api/jobs/{job['id']}")
    entries = api.http.get("/api/audit", query_string={"target": f"job:{job['id']}"}).get_json()["entries"]
    assert [entry["action"] for entry in entries] == ["job.delete", "job.submit"]
    assert (entries[0]["actor"], entries[0]["key_id"], entries[0]["address"]) == ("tests", api.key.id, "127.0.0.1")
    assert acme.get("/api/audit", query_string={"action": "job.delete"}).get_json()["entries"] == []
    assert api.operator.get("/api/audit?account=default&action=job.delete").get_json()["entries"] == entries[:1]
    assert {entry["account"] for entry in api.operator.get("/api/audit").get_json()["entries"]} == {None}


def test_the_audit_comes_in_pages(api: Api) -> None:
    """Each entry once, newest first, however many there are."""
    made = [api.http.post("/api/users", json={"email": f"u{n}@example.com"}).get_json()["email"] for n in range(5)]
    seen: list[str] = []
    query: dict[str, Any] | None = {"action": "user.create", "limit": 2}
    while query:
        page = api.http.get("/api/audit", query_string=query).get_json()
        seen += [entry["target"] for entry in page["entries"]]
        query = query | {"cursor": page["next"]} if page["next"] else None
    assert seen == [f"user:{email}" for email in made[::-1]]


def test_ceilings_change_at_run_time_for_operators_only(api: Api) -> None:
    """No restart, no deployment: all processes read them from Redis at their next admission. The audit says who."""
    assert api.operator.get("/api/settings").get_json() == {"running_ceiling": 0, "pull_ceiling": 1}
    changed = api.operator.patch("/api/settings", json={"pull_ceiling": 10})
    assert (changed.status_code, changed.get_json()) == (200, {"running_ceiling": 0, "pull_ceiling": 10})
    assert api.engine.store.lanes.ceilings() == {"pull_ceiling": 10}
    (entry,) = api.operator.get("/api/audit?action=setting.change").get_json()["entries"]
    assert (entry["target"], entry["detail"], entry["actor"]) == ("setting:pull_ceiling", "pull_ceiling=10", "operator")
    assert api.operator.patch("/api/settings", json={"pull_ceiling": None}).get_json()["pull_ceiling"] == 1
    assert api.engine.store.lanes.ceilings() == {}
    assert code(api.http.get("/api/settings")) == code(api.http.patch("/api/settings", json={})) == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/accounts", {"slug": "a_b"}),
        ("POST", "/api/accounts", {"slug": "a", "name": "\x00"}),
        ("POST", "/api/accounts", {"slug": "a", "quota": "5"}),
        ("POST", "/api/accounts", {"slug": "a", "quota": -1}),
        ("POST", "/api/accounts", {"slug": "a", "quota": 1.5}),
        ("POST", "/api/accounts", {"slug": "a", "limit": 5}),
        ("PATCH", "/api/accounts/acme", {}),
        ("POST", "/api/users", {"email": "nobody"}),
        ("POST", "/api/users", {"email": "a/b@example.com"}),
        ("POST", "/api/users", {"email": "a@example.com\r\nX: y"}),
        ("POST", "/api/users", {"email": "a@example.com", "role": "admin", "password": "short"}),
        ("POST", "/api/keys", {"label": "", "scopes": ["ingest"]}),
        ("POST", "/api/keys", {"label": "a", "scopes": []}),
        ("POST", "/api/keys", {"label": "a", "scopes": ["root"]}),
        ("POST", "/api/keys", {"label": "a", "scopes": ["ingest", "manage:all"]}),
        ("POST", "/api/keys", {"label": "a", "scopes": ["ingest"], "index": "*"}),
        ("POST", "/api/keys", {"label": "a", "scopes": ["ingest"], "expires_at": "2001-01-01T00:00:00Z"}),
        ("POST", "/api/keys", {"label": "a", "scopes": ["ingest"], "expires_at": "9999-12-31T23:59:59-23:59"}),
        ("POST", "/api/keys", {"label": "a", "scopes": ["ingest"], "rate_per_minute": 0}),
        ("PATCH", "/api/settings", {"pull_ceiling": 11}),
        ("PATCH", "/api/settings", {"pull_ceiling": 0}),
        ("PATCH", "/api/settings", {"running_ceiling": True}),
        ("PATCH", "/api/settings", {"lease_s": 1}),
        ("GET", "/api/audit?cursor=1-x", None),
        ("GET", "/api/audit?cursor=0-0", None),
        ("GET", "/api/audit?cursor=٣-٣", None),
    ],
)
def test_what_cannot_be_meant_is_refused(api: Api, method: str, path: str, body: dict[str, Any] | None) -> None:
    """Nothing is made of half an order."""
    reply = api.operator.open(path, method=method, json=body)
    assert (reply.status_code, reply.mimetype) == (400, "application/problem+json"), reply.text


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("/api/accounts/{}", lambda api: "acme"),
        ("/api/users/{}", lambda api: api.engine.directory.create_user("w@acme.example", by=LOCAL, account="acme").email),
        ("/api/keys/{}", lambda api: api.engine.keyring.issue("theirs", [Scope.INGEST], by=LOCAL, account="acme")[0].id),
        ("/api/keys/{}", lambda api: api.engine.keyring.issue("all", [Scope.MANAGE_ALL], by=LOCAL)[0].id),
    ],
)
def test_what_is_anothers_answers_like_what_does_not_exist(api: Api, path: str, made: Callable[[Api], str]) -> None:
    """A different word would tell who else is here."""
    theirs = made(api)
    unknown = theirs.translate(str.maketrans("0123456789abcdefw", "1234567890bcdefax"))
    for method in ("GET", "DELETE"):
        found, missing = (api.http.open(path.format(name), method=method) for name in (theirs, unknown))
        assert found.status_code == missing.status_code and found.status_code in (404, 405)
        assert found.text.replace(theirs, unknown) == missing.text
