"""Programs by session: a worker's horse has a group and, once orphaned, a parent of its own, but never another session."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psutil

POLL_S: Final = 0.05


def members(session: int) -> list[int]:
    """Return the living processes of a session, whoever their parents are by now."""
    return [pid for pid in psutil.pids() if _session_of(pid) == session]


def kill(session: int) -> None:
    """Kill a session's processes until none is left: one may fork while it is being killed."""
    while found := members(session):
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_S)


def wait_until(condition: Callable[[], object], patience_s: float) -> bool:
    """Return whether the condition came true in time."""
    end_at = time.monotonic() + patience_s
    while not (answer := bool(condition())) and time.monotonic() < end_at:
        time.sleep(POLL_S)
    return answer


def _session_of(pid: int) -> int | None:
    try:
        return None if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE else os.getsid(pid)
    except (ProcessLookupError, PermissionError, psutil.Error):
        return None
