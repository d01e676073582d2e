"""The Lua scripts: loaded from `lua/`, each with the prelude that it needs, and called as typed functions elsewhere.

Every script is `K` (keys), `S` (the state table), `C` (settings), move.lua, what it includes, and its own file. The
scripts build key names themselves, which a Redis Cluster would refuse: one Redis (or Sentinel) is what we run on.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from redis.commands.core import Script

from ingest_queue.config import DAY_S, Config
from ingest_queue.errors import Unavailable
from ingest_queue.job import Kind
from ingest_queue.states import RESTING, RQ_STATUS, SETTLED, UNHELD, State
from ingest_queue.store.connect import Client
from ingest_queue.store.keys import lua_table

PERFORM: Final = "workers.perform.perform"  # the one function that RQ calls, with the job's id
INCLUDES: Final[Mapping[str, tuple[str, ...]]] = {
    "submit": ("admit", "room"),
    "transition": ("admit",),
    "claim": (),
    "checkpoint": (),
    "delete": ("admit", "forget"),
    "expire": ("forget",),
    "tick": ("admit",),
    "take_back": ("admit",),
    "reserve": ("room",),
    "abandon": (),
    "queue": (),
}
FSYNC_MS: Final = 10_000
ENDED: Final = (State.COMPLETED, State.FAILED, State.CANCELED)


class Scripts:
    """All scripts of one Redis client, called by name."""

    def __init__(self, client: Client, config: Config) -> None:
        self._client, self._fsync = client, config.ack == "fsync"
        prelude = lua_table() + states_table() + settings_table(config)
        self._scripts: dict[str, Script] = {
            name: client.register_script(prelude + "".join(_source(part) for part in ("move", *parts, name)))
            for name, parts in INCLUDES.items()
        }

    def durably(self, name: str, *args: str | float | bytes) -> Any:
        """Run one script; with INGEST_ACK=fsync return only when Redis has it on disk. Raises Unavailable after 10 s.

        WAITAOF waits for what its own connection wrote, so it travels in the same pipeline.
        """
        if not self._fsync:
            return self(name, *args)
        pipe = self._client.pipeline(transaction=False)
        self._scripts[name](args=args, client=pipe)
        pipe.execute_command("WAITAOF", 1, 0, FSYNC_MS)
        answer, (on_disk, _) = pipe.execute()
        if not on_disk:
            raise Unavailable("not_on_disk", "Redis did not write this to disk in time; it may be lost: ask for the job's state")
        return answer

    def __call__(self, name: str, *args: str | float | bytes) -> Any:
        """Run one script atomically in Redis; its file's head says what it takes and returns."""
        return self._scripts[name](args=args)


@cache
def _source(name: str) -> str:
    return files("ingest_queue.store").joinpath(f"lua/{name}.lua").read_text() + "\n"


def alive_ms(config: Config) -> int:
    """Return how long after its last tick a parent counts as alive."""
    return 5000 * config.tick_s


def states_table() -> str:
    """Return the Lua table S: what the scripts must know of each state, so that none of them names one."""
    rows = []
    for state in State:
        facts = {"rq": RQ_STATUS[state], "keep": "paused" if state is State.PAUSED else "ended"}
        facts |= {"unheld": UNHELD[state].value} if state in UNHELD else {}
        facts |= {"settled": SETTLED[state].value} if state in SETTLED else {}
        flags = {"rests": state in RESTING, "ended": state in ENDED, "announces": state is State.RUNNING}
        flags |= {"charges": state in RESTING and state is not State.PAUSED}
        flags["by_order"] = state is State.PENDING  # in the lists of queues, so that the next to run comes first
        words = [f'{name} = "{value}"' for name, value in facts.items()]
        words += [f"{name} = {str(value).lower()}" for name, value in flags.items()]
        rows.append(f"{state.value} = {{{', '.join(words)}}}")
    return "local S = {\n  " + ",\n  ".join(rows) + "\n}\n"


def retention(config: Config) -> dict[str, dict[str, int]]:
    """Return how long each part of a resting job stays, in ms, per kind of job (and for paused ones)."""
    short = int(config.keep_payload_days * DAY_S * 1000)
    import_ms = int(config.keep_import_days * DAY_S * 1000)
    row = int(config.keep_row_days * DAY_S * 1000)
    paused = int(config.keep_paused_days * DAY_S * 1000)
    keep = {kind.value: {"payload": short, "details": short, "job": short} for kind in Kind}
    keep[Kind.IMPORT] = {"payload": short, "details": max(short, import_ms), "job": max(short, import_ms, row)}
    keep["paused"] = {"payload": paused, "details": paused, "job": paused}
    return keep


def settings_table(config: Config) -> str:
    """Return the Lua table C: the settings that scripts need."""
    keep = ", ".join(
        f"{kind} = {{{', '.join(f'{part} = {ms}' for part, ms in parts.items())}}}" for kind, parts in retention(config).items()
    )
    return (
        f"local C = {{queue = {json.dumps(config.rq_queue)}, perform = {json.dumps(PERFORM)}, "
        f"lease_ms = {int(config.lease_s * 1000)}, alive_ms = {alive_ms(config)}, at_once = 10, traces_kept = 20, "
        f"once_s = {DAY_S}, details_kept = {config.failures_kept}, marks_kept = {config.marks_kept}, "
        f"running_ceiling = {config.running_ceiling}, pull_ceiling = {config.pull_ceiling}, keep = {{{keep}}}}}\n"
    )
