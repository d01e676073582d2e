"""The Procfile's programs, read as honcho reads them, each in a session of its own, and ended together.

Not by `honcho start`, which ends all when one ends: here one is killed on purpose.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from honcho.environ import expand_processes, parse_procfile

from demo.interrupts import Interrupts
from demo.sessions import kill, members, wait_until

ROOT: Final = Path(__file__).parents[1]
FORMATION: Final = {"web": 1, "worker": 2}
PATIENCE_S: Final = 10.0
Programs = dict[str, "subprocess.Popen[bytes]"]  # by name: web.1, worker.1, worker.2


@contextmanager
def programs(environ: Mapping[str, str], interrupts: Interrupts, output: IO[bytes] | None = None) -> Iterator[Programs]:
    """Run all; on leaving, end them and whatever they started.

    environ: beside ours; output: a file for what they print, None for this terminal.
    """
    beside_python = str(Path(sys.executable).parent)  # where pip put gunicorn and rq
    env = {**os.environ, **environ, "PATH": f"{beside_python}{os.pathsep}{os.environ['PATH']}"}
    running: Programs = {}
    try:
        commands = parse_procfile((ROOT / "Procfile").read_text()).processes
        for item in expand_processes(commands, concurrency=FORMATION):
            with interrupts.held():
                running[item.name] = _start(item.cmd, env, output)
        yield running
    finally:
        interrupts.ignore()
        _end(running)


def ended(running: Programs) -> list[str]:
    """Return the names of those that are no more."""
    return [name for name, program in running.items() if program.poll() is not None]


def _start(command: str, env: Mapping[str, str], output: IO[bytes] | None) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"],  # a Procfile holds shell commands
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def _end(running: Programs) -> None:
    """Ask all at once, wait for each, kill what is left."""
    for program in running.values():
        program.terminate()
    for program in running.values():
        wait_until(lambda session=program.pid: not members(session), PATIENCE_S)  # type: ignore[misc]
        kill(program.pid)
        program.wait()
