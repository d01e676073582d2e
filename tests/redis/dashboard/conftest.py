"""An admin who is logged in, and a job that failed."""

import pytest

from ingest_queue.engine import Engine
from ingest_queue.job import Job, JobError
from ingest_queue.states import Event, State
from ingest_queue.store.codec import error_text
from ingest_queue.store.store import Store
from ingest_queue.tick import Tick
from tests.redis.admin_side import Admin
from tests.redis.dashboard.side import MARKUP, Submit
from tests.redis.http_side import Api
from tests.redis.rq_side import take


@pytest.fixture
def api(engine: Engine) -> Api:
    return Api(engine)


@pytest.fixture
def admin(api: Api) -> Admin:
    """An admin who is logged in."""
    admin = Admin(api)
    admin.log_in()
    return admin


@pytest.fixture
def failed(store: Store, submit: Submit, tick: Tick) -> Job:
    """A job that failed."""
    submit()
    run = take(store)
    assert run is not None
    job = run.answer(Event.FAIL, set={"error": error_text(JobError("all_failed", "all 10 failed", MARKUP))})
    assert job is not None and job.state is State.FAILED
    return job
