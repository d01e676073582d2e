"""What every reply tells a browser, whatever it is a reply to."""

import re
from pathlib import Path
from typing import Final

import pytest

from ingest_queue.engine import Engine
from tests.redis.admin_side import Admin
from tests.redis.http_side import Api

WEB: Final = Path(__file__).parents[2] / "web"
JSON: Final = ("/api/jobs", "/api/nothing", "/healthz", "/nothing", "/rq/0/data/queues.json")
EVERYWHERE: Final = (*JSON, "/login", "/rq/", "/static/style.css")


@pytest.fixture
def admin(engine: Engine) -> Admin:
    admin = Admin(Api(engine))
    admin.log_in()
    return admin


@pytest.mark.parametrize("path", EVERYWHERE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_reply_carries_them(admin: Admin, path: str, scheme: str) -> None:
    """One reply without them is enough for whoever looks for it."""
    with admin.http.get(path, base_url=f"{scheme}://localhost") as reply:
        headers = reply.headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"  # nothing inside a page, nothing from elsewhere, no eval
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert ("Strict-Transport-Security" in headers) == (scheme == "https")


@pytest.mark.parametrize("template", sorted(WEB.rglob("*.html")), ids=lambda path: path.name)
def test_a_page_holds_no_script_and_no_style(template: Path) -> None:
    """The policy would not run them: a page that leans on one is broken where it is tried last."""
    text = template.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|\|\s*safe", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_the_script_makes_no_markup_of_what_it_shows() -> None:
    """Text that a job holds is put into a page by this script alone."""
    script = (WEB / "static" / "rq.js").read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", script)
