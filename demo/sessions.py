"""Ending programs together with everything they started, whoever its parent is by now."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psutil

POLL_S: Final = 0.05


def members(session: int) -> list[int]:
    """Return the living processes of a session."""
    return [pid for pid in psutil.pids() if _session_of(pid) == session]


def end(session: int, patience_s: float) -> None:
    """Ask the session's leader to end (SIGTERM); after `patience_s` kill whatever is left, until nothing is."""
    with suppress(ProcessLookupError):
        os.kill(session, signal.SIGTERM)
    wait_until(lambda: not members(session), patience_s)
    kill(session)


def kill(session: int) -> None:
    """Kill a session's processes until none is left: one may fork while it is being killed."""
    while found := members(session):
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_S)


def wait_until(condition: Callable[[], bool], patience_s: float) -> bool:
    """Return whether the condition came true in time."""
    end_at = time.monotonic() + patience_s
    while not (answer := condition()) and time.monotonic() < end_at:
        time.sleep(POLL_S)
    return answer


def _session_of(pid: int) -> int | None:
    try:
        return None if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE else os.getsid(pid)
    except (ProcessLookupError, PermissionError, psutil.Error):
        return None
