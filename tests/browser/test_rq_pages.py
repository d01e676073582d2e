"""An operator at /rq with a real browser: logging in and out, looking, pressing buttons, and what others try to slip in."""

import re
from typing import Final
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from ingest_queue.access.actor import LOCAL, Actor, Scope
from ingest_queue.errors import Missing
from ingest_queue.intake.body import Form
from ingest_queue.job import Job, JobError
from ingest_queue.schema.definition import Definition
from ingest_queue.states import Event, State
from ingest_queue.store.codec import error_text, new_record
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.browser.conftest import MakeSite, Site, log_in
from tests.redis.admin_side import EMAIL
from tests.redis.http_side import CITIES
from tests.redis.rq_side import take
from workers.perform import ending_of
from workers.queue import IngestQueue
from workers.worker import IngestWorker

pytestmark = pytest.mark.browser
MARKUP: Final = '<script>window.ran = 1</script><img src=x onerror="window.ran = 1">'
FAILED: Final = "/rq/0/view/jobs/ingest/failed/8/asc/1"
CLUSTER: Final = {**CITIES, "slug": "browsed"}


def failed_job(store: Store, text: str = "plain") -> Job:
    """Return a job whose index, initiator and error hold a text."""
    stored = store.payloads.upload(job_id := uuid4().hex)
    stored.write(0, b"packed")
    stored.finish(b"[]")
    record = new_record(
        id=job_id, kind="payload", account="default", initiator=text, source="API", index=text, alias="alias",
        lane=f"index:default/{text}", total=1, payload_version=1, payload_name=stored.name, payload_bytes=1,
    )  # fmt: skip
    assert store.records.submit(record, stored.id)
    Tick(store, "parent-1").now()
    run = take(store)
    assert run is not None
    job = run.answer(Event.FAIL, set={"error": error_text(JobError("all_failed", f"message {text}", f"detail {text}"))})
    assert job is not None
    return job


def nothing_ran(page: Page) -> bool:
    """Whether no text became markup, and nothing of it ran."""
    return page.evaluate("window.ran === undefined") and page.locator("img, script:not([src]), main script").count() == 0


def test_an_admin_logs_in_looks_and_logs_out(make_site: MakeSite) -> None:
    """The whole way, with a wrong password on it, and no way back in afterwards."""
    page = make_site(storage_state=None).page
    page.goto("/rq/0/view/workers")
    log_in(page, "wrong horse")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    log_in(page)
    expect(page).to_have_url(re.compile("/rq/0/view/workers$"))
    expect(page.get_by_text("No workers.")).to_be_visible()
    page.get_by_role("link", name="Queues").click()
    expect(page.get_by_role("row", name="ingest")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Ingest Queue")).to_be_visible()
    page.goto("/rq/")
    expect(page).to_have_url(re.compile("/login"))


def test_figures_lead_to_jobs_and_jobs_to_their_page(site: Site) -> None:
    """An operator clicks from a number to what it counts."""
    job = failed_job(site.engine.store)
    site.page.goto("/rq/")
    site.page.get_by_role("row", name="ingest").get_by_role("link").nth(3).click()
    expect(site.page.get_by_role("heading", name="Jobs")).to_be_visible()
    site.page.get_by_role("link", name=job.id).click()
    expect(site.page.get_by_text("all_failed: message plain").first).to_be_visible()
    expect(site.page.get_by_text("0 of 1, 0 failed")).to_be_visible()


@pytest.mark.parametrize("bypass_csp", [False, True], ids=["with the policy", "by escaping alone"])
def test_markup_in_jobs_and_workers_is_shown_as_text(make_site: MakeSite, bypass_csp: bool) -> None:
    """Whoever may submit would otherwise act as the operator who looks at what they submitted."""
    site = make_site(bypass_csp=bypass_csp)
    store, page = site.engine.store, site.page
    worker = IngestWorker([IngestQueue(store.config.rq_queue, connection=store.client)], connection=store.client)
    worker.name = MARKUP
    worker.register_birth()  # type: ignore[no-untyped-call]
    job = failed_job(store, MARKUP)
    for path in (FAILED, f"/rq/0/view/job/{job.id}"):
        site.page.goto(path)
        for text in (f"payload into default/{MARKUP}", f"all_failed: message {MARKUP}"):
            expect(page.get_by_text(text).first).to_be_visible()
        assert nothing_ran(page)
    expect(page.locator("dd", has_text=MARKUP).last).to_have_text(MARKUP)  # the initiator
    site.page.goto("/rq/0/view/workers")
    expect(page.get_by_text(MARKUP)).to_be_visible()
    assert nothing_ran(page)
    worker.register_death()


def test_documents_full_of_markup_do_no_harm(site: Site) -> None:
    """A crawled page is a document, and is made of markup."""
    engine = site.engine
    engine.indexes.create(Definition.parse(CLUSTER))
    by = Actor(MARKUP, "default", frozenset({Scope.ADMIN}))
    line = b'{"id": "<script>window.ran = 1</script>", "people": "<img src=x onerror=window.ran=1>"}\n'
    job = engine.submit("browsed", iter([line]), form=Form.NDJSON, by=by)
    Tick(engine.store, "parent-1").now()
    run = take(engine.store)
    assert run is not None
    ending = ending_of(run, engine.store)
    run.answer(ending.event, **ending.ask)
    engine.indexes.delete("browsed", force=True)
    site.page.goto(f"/rq/0/view/job/{job.id}")
    expect(site.page.get_by_text("all_failed").first).to_be_visible()
    assert nothing_ran(site.page)


@pytest.mark.parametrize("path", ["/rq/0/view/jobs/{}/queued/8/asc/1", "/rq/0/view/job/{}", "/login?next={}", "/login?{}"])
def test_markup_in_an_address_is_shown_as_text(make_site: MakeSite, path: str) -> None:
    """A link that an operator is sent must not run as them."""
    site = make_site(bypass_csp=True)
    site.page.goto("/rq/")
    expect(site.page.get_by_role("row", name="ingest")).to_be_visible()
    site.page.goto(path.format("%27%3Bwindow.ran%3D1%3B%3C%2Fscript%3E%3Cimg src=x onerror=window.ran=1%3E"))
    assert nothing_ran(site.page)


def test_requeue_retries_the_job(site: Site) -> None:
    """The button's effect is the engine's, in the operator's name, and the page says so."""
    job = failed_job(site.engine.store)
    site.page.goto(FAILED)
    site.page.get_by_role("button", name="Requeue").click()
    expect(site.page.get_by_role("status")).to_contain_text("is queued again")
    expect(site.page.get_by_text("No jobs.")).to_be_visible()
    assert site.engine.get(job.id).state is State.PENDING
    assert site.engine.audit.page("default", action="job.retry")[0][0].actor == EMAIL


def test_delete_asks_first_and_deletes_the_job(site: Site) -> None:
    """A deletion is for good: No, and Escape, must leave everything as it is."""
    job = failed_job(site.engine.store)
    site.page.goto(f"/rq/0/view/job/{job.id}")
    for no in ("click", "escape"):
        site.page.get_by_role("button", name="Delete").click()
        expect(site.page.get_by_role("dialog")).to_contain_text("Delete this job?")
        site.page.get_by_role("button", name="No", exact=True).click() if no == "click" else site.page.keyboard.press("Escape")
        expect(site.page.get_by_role("dialog")).to_be_hidden()
    assert site.engine.get(job.id) == job
    site.page.get_by_role("button", name="Delete").click()
    site.page.get_by_role("button", name="Yes").click()
    expect(site.page).to_have_url(re.compile("/rq/0/view/jobs$"))
    with pytest.raises(Missing):
        site.engine.get(job.id)


def test_a_refusal_is_shown_with_what_is_allowed(site: Site) -> None:
    """The page may be older than the job: what it offers can be too late."""
    job = failed_job(site.engine.store)
    site.page.goto(f"/rq/0/view/job/{job.id}")
    site.page.get_by_label("Refresh").uncheck()
    expect(site.page.get_by_role("button", name="Requeue")).to_be_visible()
    site.engine.ask(job.id, Event.RESUME)
    site.page.get_by_role("button", name="Requeue").click()
    expect(site.page.get_by_role("alert")).to_contain_text("pending")
    assert site.engine.get(job.id).state is State.PENDING


def test_a_page_that_is_left_open_ends_with_its_session(site: Site) -> None:
    """A new password must end what somebody else's open window still shows."""
    site.page.goto("/rq/")
    expect(site.page.get_by_role("row", name="ingest")).to_be_visible()
    site.engine.directory.set_password(EMAIL, "another horse", by=LOCAL)
    expect(site.page).to_have_url(re.compile(r"/login\?next=/rq/$"))


@pytest.mark.parametrize("host", ["http://127.0.0.1:9", "http://evil.example"], ids=["same site, other port", "another site"])
def test_another_sites_page_can_neither_press_a_button_nor_frame_one(site: Site, host: str) -> None:
    """The operator's browser has the cookie, whatever else it shows."""
    job = failed_job(site.engine.store)
    site.page.goto(FAILED)
    expect(site.page.get_by_role("link", name=job.id)).to_be_visible()
    ours = site.page.url.removesuffix(FAILED)
    form = f'<form method="post" action="{ours}/rq/job/{job.id}/delete"><button>Win a prize</button></form>'
    frame = f'<iframe src="{ours}/rq/"></iframe>'
    site.page.context.route(f"{host}/**", lambda route: route.fulfill(body=form + frame, content_type="text/html"))
    site.page.goto(f"{host}/prize")
    assert not site.page.frames[1].url.startswith(ours)
    site.page.get_by_role("button", name="Win a prize").click()
    expect(site.page.get_by_text(re.compile("cross_origin|not_logged_in"))).to_be_visible()
    assert site.engine.get(job.id) == job
    site.refused.clear()  # the browser said why it shows no frame
