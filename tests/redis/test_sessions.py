"""Logging in and out, how long a session lasts, and that nobody can make an admin's browser change something."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from ingest_queue.access.actor import LOCAL
from ingest_queue.access.people import Role
from ingest_queue.access.sessions import LIFETIME_S
from ingest_queue.engine import Engine
from ingest_queue.store.connect import connect
from ingest_queue.store.store import Store
from tests.conftest import MakeRedis
from tests.redis.admin_side import EMAIL, PASSWORD, Admin, token_in
from tests.redis.http_side import CITIES, LINES, NDJSON, Api
from web.app import create_app


@pytest.fixture
def api(engine: Engine) -> Api:
    return Api(engine)


@pytest.fixture
def admin(api: Api) -> Admin:
    """An admin who is logged in."""
    admin = Admin(api)
    assert admin.log_in().status_code == 303
    return admin


def is_logged_in(http: FlaskClient) -> bool:
    return http.get("/api/jobs").status_code == 200


def test_a_log_in_rules_the_native_api_as_an_operator(admin: Admin) -> None:
    """Pages are made of it; the audit must name the person."""
    job = admin.api.submit()
    assert admin.http.get("/api/jobs").get_json()["jobs"][0]["id"] == job["id"]
    assert admin.post(f"/api/jobs/{job['id']}/pause").get_json()["state"] == "paused"
    entries, _ = admin.api.engine.audit.page("default", action="job.pause")
    assert (entries[0].actor, entries[0].address) == (EMAIL, "127.0.0.1")


def test_a_submission_by_session_needs_no_form(admin: Admin) -> None:
    """A stream of documents is never read in search of a token."""
    reply = admin.post("/api/indexes/cities/documents", data=LINES, content_type=NDJSON)
    assert reply.status_code == 202
    assert reply.get_json()["initiator"] == EMAIL


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong"), ("nobody@example.com", PASSWORD), ("", ""), ("<b>", PASSWORD)])
def test_a_wrong_log_in_says_the_same_for_every_reason(api: Api, email: str, password: str) -> None:
    """A form that tells unknown users from wrong passwords lists the users to whoever asks."""
    admin = Admin(api)
    form = {"email": email, "password": password, "csrf_token": token_in(admin.http.get("/login"))}
    reply = admin.http.post("/login", data=form)
    assert reply.status_code == 401
    assert "do not belong together" in reply.text and "<b>" not in reply.text
    assert not is_logged_in(admin.http)


def test_a_member_cannot_log_in(api: Api) -> None:
    """Members have keys; a session always rules the installation."""
    admin = Admin(api)
    api.engine.directory.create_user("mo@example.com", by=LOCAL, account="default")
    admin.email = "mo@example.com"
    assert admin.log_in("").status_code == 401


def test_guesses_are_limited_by_address(api: Api) -> None:
    """A password of ten characters is no hurdle for a million guesses."""
    api.app = create_app(api.engine, replace(api.engine.config, guesses_per_minute=3))
    admin = Admin(api)
    assert [admin.log_in("wrong").status_code for _ in range(3)] == [401] * 3
    refused = admin.log_in()
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) in range(1, 61)
    assert "try again" in refused.text


def test_a_log_in_begins_a_new_cookie_and_a_new_token(api: Api) -> None:
    """Whoever planted a cookie before the log-in must have nothing of what comes after it."""
    admin = Admin(api)
    before = token_in(admin.http.get("/login"))
    planted = admin.cookie
    admin.log_in()
    assert admin.cookie != planted and admin.token != before
    thief = api.client(None)
    thief.set_cookie("ingest_queue_session", planted)
    assert not is_logged_in(thief)


def test_the_cookie_is_for_this_server_and_no_script(api: Api) -> None:
    """HttpOnly against scripts, Strict against other sites, Secure where the log-in came over https."""
    for email, scheme in (("ada@example.com", "http"), ("bea@example.com", "https")):
        said = Admin(api, email).log_in(base_url=f"{scheme}://localhost").headers["Set-Cookie"].split("; ")
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(said)
        assert ("Secure" in said) == (scheme == "https")


def test_a_session_lasts_twelve_hours_and_no_request_makes_it_longer(admin: Admin) -> None:
    """A browser that is left open is not for ever an operator."""
    assert "Set-Cookie" not in admin.http.get("/api/jobs").headers
    with admin.http.session_transaction() as kept:
        kept["log_in"] = kept["log_in"] | {"began_at": kept["log_in"]["began_at"] - LIFETIME_S + 60}
    assert is_logged_in(admin.http)
    with admin.http.session_transaction() as kept:
        kept["log_in"] = kept["log_in"] | {"began_at": kept["log_in"]["began_at"] - 60}
    assert not is_logged_in(admin.http)


def test_a_session_ends_with_its_user(admin: Admin) -> None:
    """Who was let go must not go on until midnight; nor if somebody of the same name comes."""
    directory = admin.api.engine.directory
    directory.create_user("bea@example.com", by=LOCAL, role=Role.ADMIN, password=PASSWORD)
    directory.delete_user(EMAIL, by=LOCAL)
    assert not is_logged_in(admin.http)
    directory.create_user(EMAIL, by=LOCAL, role=Role.ADMIN, password=PASSWORD)
    assert not is_logged_in(admin.http)


def test_a_session_ends_with_its_password(admin: Admin) -> None:
    """A new password is what one sets when somebody else may be logged in."""
    admin.api.engine.directory.set_password(EMAIL, "another horse", by=LOCAL)
    assert not is_logged_in(admin.http)
    assert admin.log_in("another horse").status_code == 303
    assert is_logged_in(admin.http)


def test_logging_out_ends_every_copy_of_the_cookie(admin: Admin) -> None:
    """A signed cookie would otherwise stay good until its time is over."""
    thief = admin.api.client(None)
    thief.set_cookie("ingest_queue_session", admin.cookie)
    assert is_logged_in(thief)
    reply = admin.http.post("/logout", data={"csrf_token": admin.token})
    assert (reply.status_code, reply.headers["Location"]) == (303, "/login")
    assert not admin.cookie
    assert not is_logged_in(admin.http) and not is_logged_in(thief)
    assert admin.api.engine.audit.page(None, action="log_out")[0][0].actor == EMAIL


def test_a_session_holds_in_every_process(admin: Admin) -> None:
    """Web runs in several; the secret that signs is in Redis."""
    engine = admin.api.engine
    other = create_app(engine, engine.config).test_client()
    other.set_cookie("ingest_queue_session", admin.cookie)
    assert is_logged_in(other)


def test_a_forged_cookie_is_nobodys(admin: Admin) -> None:
    """One changed character, or one of another version, is a visitor and no error."""
    forger = admin.api.client(None)
    forger.set_cookie("ingest_queue_session", admin.cookie[:-2] + "xx")
    assert not is_logged_in(forger)
    with admin.http.session_transaction() as kept:
        kept["log_in"] = {"id": "1", "email": EMAIL}
    assert not is_logged_in(admin.http)


@pytest.mark.parametrize("sent", [{}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": ""}], ids=["none", "wrong", "empty"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/api/indexes"), ("DELETE", "/api/indexes/cities"), ("POST", "/logout")])
def test_a_session_changes_nothing_without_its_token(admin: Admin, method: str, path: str, sent: dict[str, str]) -> None:
    """The browser sends the cookie by itself, whoever made it ask."""
    reply = admin.http.open(path, method=method, json=CITIES if path == "/api/indexes" else None, headers=sent)
    assert reply.status_code == 403
    assert "wrong_token" in reply.text
    assert is_logged_in(admin.http)
    assert admin.http.get("/api/indexes/cities").status_code == 200


def test_another_sessions_token_is_refused(admin: Admin) -> None:
    """An attacker can have a session of their own."""
    other = Admin(admin.api, "bea@example.com")
    other.log_in()
    assert admin.http.delete("/api/indexes/cities", headers={"X-CSRF-Token": other.token}).status_code == 403


def test_the_log_in_form_needs_its_token(api: Api) -> None:
    """Else another site could log a person in as somebody else and watch what they do."""
    admin = Admin(api)
    form = {"email": EMAIL, "password": PASSWORD}
    assert admin.http.post("/login", data=form).status_code == 403
    admin.http.get("/login")
    assert admin.http.post("/login", data=form | {"csrf_token": "wrong"}).status_code == 403
    assert not is_logged_in(admin.http)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost"}, 200),
    ],
    ids=str,
)
def test_what_another_site_asks_is_refused(admin: Admin, headers: dict[str, str], status: int) -> None:
    """Also with the right token, should one ever leak."""
    job = admin.api.submit()
    reply = admin.http.post(f"/api/jobs/{job['id']}/pause", headers={"X-CSRF-Token": admin.token} | headers)
    assert reply.status_code == status


def test_a_key_needs_no_token_and_beats_the_cookie(admin: Admin) -> None:
    """A program that says who it is was not tricked by a page; it must not get more than its key."""
    key = {"Authorization": f"Bearer {admin.api.secret}"}
    job = admin.api.submit()
    assert admin.http.post(f"/api/jobs/{job['id']}/pause", headers=key).status_code == 200
    assert admin.http.get("/metrics", headers=key).status_code == 403
    assert admin.http.get("/api/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401


@pytest.mark.parametrize(
    ("next_", "there"),
    [
        ("/rq/0/view/workers", "/rq/0/view/workers"),
        ("//evil.example", "/rq/"),
        ("/\\evil.example", "/rq/"),
        ("https://evil.example", "/rq/"),
        ("javascript:alert(1)", "/rq/"),
        ("", "/rq/"),
    ],
)
def test_a_log_in_leads_only_to_a_page_of_this_server(api: Api, next_: str, there: str) -> None:
    """A link to our form must not end on somebody else's copy of it."""
    admin = Admin(api)
    form = {"email": EMAIL, "password": PASSWORD, "csrf_token": token_in(admin.http.get("/login"))}
    assert admin.http.post("/login", query_string={"next": next_}, data=form).headers["Location"] == there
    assert admin.http.get("/login", query_string={"next": next_}).headers["Location"] == there


def test_a_request_with_a_key_asks_redis_for_no_secret(api: Api) -> None:
    """The native API's speed must not pay for pages."""
    api.http.get("/api/jobs")
    assert api.engine.store.client.get("iq:session_secret") is None
    assert "Set-Cookie" not in api.http.get("/api/jobs").headers


def test_a_session_while_redis_is_away_is_told_so(engine: Engine, make_redis: MakeRedis) -> None:
    """503 means try again; 401 or the login page would send people off to look for their password."""
    server = make_redis()
    config = replace(engine.config, redis_url=server.url)
    admin = Admin(Api(Engine(config, Store.open(connect(server.url), config), engine.cluster)))
    admin.log_in()
    started_later = create_app(admin.api.engine, config).test_client()
    started_later.set_cookie("ingest_queue_session", admin.cookie)
    server.stop()
    for http in (admin.http, started_later):
        assert {http.get(path).status_code for path in ("/api/jobs", "/rq/", "/login")} == {503}
    server.start()
    assert is_logged_in(admin.http) and is_logged_in(started_later)
