"""Our worker leans on how RQ's methods read: when a newer RQ changes one, read it again before trusting it."""

import hashlib
import inspect
from typing import Final

import pytest
from rq import Worker

from workers.worker import IngestWorker

READ_IN_RQ_3_0_0: Final = {  # overridden
    "__init__": "86f83bb69582aebb",
    "heartbeat": "63b1089fd146d19c",
    "register_death": "cb2b0be150213a99",
    "maintain_heartbeats": "b73451c9b97f7247",
    "setup_work_horse_signals": "cfc682cb5f0a2b49",
    "prepare_job_execution": "d08dd32962e3f82a",
    "handle_execution_ended": "23748b027980a6cd",
    "handle_job_success": "9dda7c7d3ca18ee6",
    "handle_job_failure": "7432afe53b9f84ec",
    "clean_registries": "e2c9790c8156c72c",
}
LEANED_ON_IN_RQ_3_0_0: Final = {  # they call the overridden ones, in an order and with arguments that matter
    "dequeue_job_and_maintain_ttl": "2715cf34d9e3af3b",
    "execute_job": "69165f5321397cff",
    "perform_job": "1f0e40678ae519cf",
    "monitor_work_horse": "218a5b8f3eff05cf",
    "_finalize_success": "ef21a613e8080195",
    "_finalize_failure": "6d1b8bd1117e9641",
}


def digest(name: str) -> str:
    """Return a short digest of the source of one of RQ's methods."""
    return hashlib.sha256(inspect.getsource(getattr(Worker, name)).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", [*READ_IN_RQ_3_0_0, *LEANED_ON_IN_RQ_3_0_0])
def test_rqs_method_is_the_one_that_was_read(name: str) -> None:
    """An override of a method that does something new would silently leave the new thing out."""
    assert digest(name) == (READ_IN_RQ_3_0_0 | LEANED_ON_IN_RQ_3_0_0)[name]


def test_every_override_is_in_the_list() -> None:
    """An override that nobody watches is one that an upgrade breaks."""
    overridden = {name for name in vars(IngestWorker) if callable(getattr(Worker, name, None)) and name in dir(Worker)}
    assert {name for name in overridden if not name.startswith("__") or name == "__init__"} == set(READ_IN_RQ_3_0_0)


@pytest.mark.parametrize("name", READ_IN_RQ_3_0_0)
def test_an_override_decides_nothing(name: str) -> None:
    """Eight lines at most, its docstring included: whatever is longer belongs below, where it can be tested."""
    assert len(inspect.getsource(getattr(IngestWorker, name)).splitlines()) <= 8
