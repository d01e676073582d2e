"""The Procfile's programs, started as honcho reads them, each in a session of its own, and ended together.

Not by `honcho start`, which ends all when one ends: here one is killed on purpose.
"""

import os
import signal
import subprocess
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

from honcho.environ import expand_processes, parse_procfile

from demo.sessions import end, members

ROOT: Final = Path(__file__).parents[1]
FORMATION: Final = {"web": 1, "worker": 2}
PATIENCE_S: Final = 20.0


class Programs:
    """What runs, by name (`web.1`, `worker.2`). A context manager: on leaving, nothing is left.

    environ: what the programs need beside ours; output: a file for what they print, None for this terminal.
    """

    def __init__(self, environ: Mapping[str, str], output: IO[bytes] | None = None) -> None:
        beside_python = str(Path(sys.executable).parent)  # where pip put gunicorn and rq
        self._environ = {**os.environ, **environ, "PATH": f"{beside_python}{os.pathsep}{os.environ['PATH']}"}
        self._output = output
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Programs":
        """Start all."""
        commands = parse_procfile((ROOT / "Procfile").read_text()).processes
        for item in expand_processes(commands, concurrency=FORMATION):
            self.running[item.name] = subprocess.Popen(
                item.cmd,
                shell=True,  # noqa: S602  a Procfile holds shell commands
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_: object) -> None:
        """End all: first asked at once, then each waited for."""
        for program in self.running.values():
            for pid in members(program.pid)[:1]:
                os.kill(pid, signal.SIGTERM)
        for program in self.running.values():
            end(program.pid, PATIENCE_S)
            program.wait()

    def ended(self) -> list[str]:
        """Return the names of those that are no more."""
        return [name for name, program in self.running.items() if program.poll() is not None]


def raise_interrupt(number: int, _frame: types.FrameType | None) -> None:
    """Treat SIGTERM and SIGHUP like Ctrl-C, once: while we clean up, none of them disturbs."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(signal.Signals(number).name)


def clean_up_on_signals() -> None:
    """Let the three signals that end a terminal's program unwind it, so that what was started is ended."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, raise_interrupt)
