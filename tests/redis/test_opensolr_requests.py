"""What Opensolr clients may send: every form of a request, and the credentials in it."""

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ingest_queue.access.actor import LOCAL, Scope
from ingest_queue.access.people import Role
from ingest_queue.engine import Engine
from tests.redis.http_side import UNKNOWN, Api
from tests.redis.opensolr_side import EMAIL, PAGES, Form, Opensolr, page, told

OTHER = "bob@other.example"
AUTHENTICATION_FAILED = "ERROR_AUTHENTICATION_FAILED"
ODD = (
    '[{"uri":"https://example.com/1","title":"<script>alert(1)<\\/script> \\u00e9 é 漢字 \U0001f600","n":9223372036854775807,'
    '"meta_a":"a&b=c+d%41;\\"\\\\"} ,\n {"title":"x" , "uri" : "2", "n":-9223372036854775808}]'
)
LINES = ODD[1:-1].replace(" ,\n {", "\n{").encode()


@pytest.fixture
def site(engine: Engine) -> Opensolr:
    return Opensolr(Api(engine))


@pytest.fixture
def other(site: Opensolr) -> str:
    """The secret of a key of another account, which has a user and an index `theirs` of its own."""
    engine = site.api.engine
    engine.directory.create_account("other", by=LOCAL)
    engine.directory.create_user(OTHER, by=LOCAL, account="other")
    secret = engine.keyring.issue("other site", [Scope.ADMIN], by=LOCAL, account="other")[1]
    made = site.api.client(secret).post("/api/indexes", json=PAGES | {"slug": "theirs"})
    assert made.status_code == 201
    return secret


# Forms of a request -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", ["form", "multipart", "query", "json"])
def test_documents_are_stored_as_the_bytes_that_were_sent(site: Opensolr, form: Form) -> None:
    """Escapes, order, spacing and long integers are the sender's; in JSON the text may stand as a string as well."""
    job_id = site.ask("ingest", form=form, core_name="pages", documents=ODD)["job_id"]
    assert b"".join(site.api.engine.payload(job_id)).strip() == LINES


def test_documents_are_cut_out_of_a_json_body_unchanged(site: Opensolr) -> None:
    """What stands before and behind them is not theirs, and they are not written anew."""
    head = json.dumps({"email": EMAIL, "api_key": site.secret})[:-1]
    body = f'{head}, "extra": [{{"documents": []}}], "documents" : {ODD}, "core_name":"pages" }}'
    reply = site.http.post("/api/ingest", data=body.encode(), content_type="application/json; charset=utf-8")
    assert reply.status_code == 200, reply.text
    assert b"".join(site.api.engine.payload(reply.get_json()["job_id"])).strip() == LINES


@pytest.mark.parametrize("form", ["json", "form", "multipart", "query"])
@pytest.mark.parametrize("name", ["ingest_status", "ingest_queue", "ingest_queue_action", "check_schema"])
def test_every_call_takes_every_form(site: Opensolr, name: str, form: Form) -> None:
    """Clients of this product use them all, often for the same call."""
    given: dict[str, Any] = {
        "job_id": site.ingest(),
        "queue_action": "pause",
        "core_name": "pages",
        "page": 1,
        "unknown": "ignored",
    }
    assert site.call(name, form, **given).status_code == 200
    if name in ("ingest_status", "ingest_queue"):
        assert site.call(name, "query", method="GET", **given).status_code == 200


@pytest.mark.parametrize("name", ["ingest", "ingest_queue_action", "check_schema"])
def test_a_call_that_changes_something_is_no_get(site: Opensolr, name: str) -> None:
    """A link in a page or a prefetch must not do anything."""
    reply = site.call(name, "query", method="GET", core_name="pages", documents=[page(1)])
    assert told(reply) == (405, "ERROR_METHOD_NOT_ALLOWED")
    assert "POST" in reply.headers["Allow"]


@pytest.mark.parametrize("form", ["json", "form"])
def test_a_body_wins_over_the_query(site: Opensolr, form: str) -> None:
    """A parameter that stands in both is the body's; one that stands in one is taken from there."""
    query = {"email": EMAIL, "api_key": "wrong", "core_name": "pages", "job_id": UNKNOWN}
    body = {"api_key": site.secret, "job_id": site.ingest()}
    sent: dict[str, Any] = {"json": body} if form == "json" else {"data": body}
    reply = site.http.post("/api/ingest_status", query_string=query, **sent)
    assert (reply.status_code, reply.get_json()["job"]["id"]) == (200, body["job_id"])


def test_a_compressed_body_is_read_as_what_it_holds(site: Opensolr) -> None:
    """As everywhere else here."""
    body = json.dumps({"email": EMAIL, "api_key": site.secret, "core_name": "pages", "documents": [page(1)]})
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert site.http.post("/api/ingest", data=gzip.compress(body.encode()), headers=headers).status_code == 200


def test_documents_may_come_as_a_file_of_a_form(site: Opensolr) -> None:
    """`curl -F documents=@pages.json` sends one."""
    given = {"email": EMAIL, "api_key": site.secret, "core_name": "pages"}
    data = given | {"documents": (io.BytesIO(ODD.encode()), "pages.json")}
    reply = site.http.post("/api/ingest", data=data, content_type="multipart/form-data")
    assert (reply.status_code, reply.get_json()["total_docs"]) == (200, 2)


def test_trailing_slashes_are_accepted(site: Opensolr) -> None:
    """Clients add them by habit, and a redirect loses the body of a POST."""
    assert site.call("ingest/", core_name="pages", documents=[page(1)]).status_code == 200


# Who asks -----------------------------------------------------------------------------------------------------------
def test_an_e_mail_is_known_in_any_case(site: Opensolr) -> None:
    """People type it as they please."""
    assert site.call("ingest_queue", email=EMAIL.upper()).status_code == 200


def wrong_credentials(site: Opensolr, other: str) -> Iterator[dict[str, Any]]:
    engine = site.api.engine
    engine.directory.create_user("root@example.com", by=LOCAL, role=Role.ADMIN, password="correct horse")

    def issue(*scopes: Scope, account: str | None = "default") -> str:
        return engine.keyring.issue("x", scopes, by=LOCAL, account=account)[1]

    revoked, secret = engine.keyring.issue("x", [Scope.INGEST], by=LOCAL, account="default")
    engine.keyring.revoke(revoked.id, by=LOCAL)
    yield {"api_key": ""}
    yield {"email": ""}
    yield {"api_key": "wrong"}
    yield {"api_key": secret}
    yield {"api_key": other}
    yield {"email": OTHER, "api_key": site.secret}
    yield {"email": "nobody@example.com"}
    yield {"email": "root@example.com"}
    yield {"email": "a:b\r\n*"}
    yield {"email": ["ada@example.com"]}
    yield {"email": "root@example.com", "api_key": issue(Scope.MANAGE_ALL, account=None)}
    yield {"api_key": issue(Scope.SEARCH)}
    yield {"api_key": issue(Scope.CONNECTOR_WRITE)}


def test_whatever_is_wrong_with_the_credentials_is_answered_alike(site: Opensolr, other: str) -> None:
    """Nobody learns from an answer which e-mails, keys and scopes there are."""
    replies = [site.call("ingest_queue", **given) for given in wrong_credentials(site, other)]
    assert {told(reply) for reply in replies} == {(401, AUTHENTICATION_FAILED)}
    assert len({reply.data for reply in replies}) == 1


@pytest.mark.parametrize("name", ["ingest", "ingest_status", "ingest_queue", "ingest_queue_action", "check_schema"])
def test_no_call_is_answered_without_credentials(site: Opensolr, name: str) -> None:
    """A key in a header alone is not enough: the e-mail is asked for, too."""
    headers = {"Authorization": f"Bearer {site.secret}"}
    reply = site.call(name, headers=headers, email="", api_key="", core_name="pages", job_id=UNKNOWN, documents=[page(1)])
    assert told(reply) == (401, AUTHENTICATION_FAILED)


def test_another_accounts_job_and_index_answer_like_unknown_ones(site: Opensolr, other: str) -> None:
    """Byte for byte, so that their existence does not show."""
    theirs = site.ask("ingest", email=OTHER, api_key=other, core_name="theirs", documents=[page(1)])["job_id"]
    by_job: dict[str, dict[str, Any]] = {"ingest_status": {}, "ingest_queue_action": {"queue_action": "delete"}}
    by_index: dict[str, dict[str, Any]] = {"ingest": {"documents": [page(1)]}, "ingest_queue": {}, "check_schema": {}}
    for name, given in by_job.items():
        known, unknown = (site.call(name, job_id=job_id, **given) for job_id in (theirs, UNKNOWN))
        assert told(known) == (404, "ERROR_JOB_NOT_FOUND")
        assert known.data == unknown.data.replace(UNKNOWN.encode(), theirs.encode())
    for name, given in by_index.items():
        known, unknown = (site.call(name, core_name=slug, **given) for slug in ("theirs", "nobodys"))
        assert told(known) == (403, "NOT_OWNER_ERROR")
        assert known.data == unknown.data.replace(b"nobodys", b"theirs")
    assert site.ask("ingest_queue")["total"] == 0


def test_a_key_for_one_index_sees_that_index_alone(site: Opensolr) -> None:
    """Also in the list of all."""
    site.api.submit()
    mine = site.ingest()
    engine = site.api.engine
    site.secret = engine.keyring.issue("one", [Scope.INGEST], by=LOCAL, account="default", index="pages")[1]
    assert [job["id"] for job in site.ask("ingest_queue")["jobs"]] == [mine]
    assert told(site.call("ingest_queue", core_name="cities")) == (403, "NOT_OWNER_ERROR")
