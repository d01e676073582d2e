"""What every command of one call shares: the client, and where answers and progress go.

Answers go to standard output and progress to standard error, so that a pipe gets answers only.
"""

import shutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TextIO

import click
import orjson

from ingest_queue.cli.exits import Exit, exit_of
from ingest_queue.cli.output import progress_line
from ingest_queue.client import Client
from ingest_queue.wire import Job

PLAIN_EVERY_S = 5.0  # between two plain lines of one state


@dataclass(slots=True)
class Session:
    """One call of the command."""

    client: Client
    as_json: bool = False

    def answer(self, value: Any, lines: Iterable[str]) -> None:
        """Print the value as JSON when that was asked for, else the lines."""
        if self.as_json:
            click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2))
        else:
            for line in lines:
                click.echo(line)

    def watch(self, job_id: str) -> Job:
        """Show the job's progress until it rests; return it. Ctrl-C ends the watching, never the job."""
        ticker = Ticker(sys.stderr)
        try:
            job = self.client.wait(job_id, watch=lambda job: ticker.show(progress_line(job), job["state"]))
        except KeyboardInterrupt:
            ticker.finish()
            click.echo(f"The job goes on without you. Come back with: ingest-queue watch {job_id}", err=True)
            raise
        ticker.finish()
        return job

    def ended(self, job: Job, lines: Iterable[str]) -> None:
        """Answer a job that was watched and leave with what its end means."""
        self.answer(job, lines)
        code = exit_of(job)
        if code is Exit.SOME_FAILED and not self.as_json:
            click.echo(f"See why: ingest-queue failures {job['id']}", err=True)
        if code:
            raise click.exceptions.Exit(code)


@dataclass(slots=True)
class Ticker:
    """Progress that changes in place on a terminal; elsewhere a plain line now and then, and whenever `key` changes."""

    out: TextIO
    clock: Callable[[], float] = time.monotonic
    _width: int = 0
    _key: str | None = None
    _said: str = ""
    _last: str = ""
    _at: float = field(default=0.0)

    def show(self, line: str, key: str = "") -> None:
        """Show the newest line."""
        self._last = line
        if self.out.isatty():
            fitting = line[: shutil.get_terminal_size().columns - 1]  # a wrapped line cannot be overwritten
            self.out.write("\r" + fitting.ljust(self._width))
            self._width = len(fitting)
        elif key != self._key or self.clock() - self._at >= PLAIN_EVERY_S:
            self._key, self._at, self._said = key, self.clock(), line
            self.out.write(line + "\n")
        self.out.flush()

    def finish(self) -> None:
        """End the line on a terminal; elsewhere say the last one, if it was not said."""
        if self.out.isatty():
            self.out.write("\n" if self._last else "")
        elif self._said != self._last:
            self.out.write(self._last + "\n")
        self.out.flush()
        self._last = self._said = ""
