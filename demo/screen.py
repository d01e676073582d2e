"""How the demo looks: numbered steps, facts below them, a progress line that moves where there is a terminal."""

import sys
import time
from collections.abc import Callable, Iterable

from ingest_queue.cli.output import failures_table, progress_line
from ingest_queue.cli.session import Ticker
from ingest_queue.client import Client
from ingest_queue.wire import Failure, Job


class Screen:
    """Standard output, and the seconds since the start."""

    def __init__(self) -> None:
        self._started, self._step = time.monotonic(), 0

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._started

    def step(self, title: str) -> None:
        """Begin the next step of the story."""
        self._step += 1
        print(f"\n{self._step}. {title}  [{self.elapsed_s:.0f} s]", flush=True)

    def say(self, *lines: str) -> None:
        """Print facts of this step."""
        for line in lines:
            print(f"   {line}", flush=True)

    def failures(self, failures: Iterable[Failure]) -> None:
        """Print failed lines with their codes and reasons."""
        self.say(*failures_table(failures))

    def claim(self, holds: bool, text: str) -> bool:
        """Print a claim and whether it holds; return that."""
        self.say(f"{'ok  ' if holds else 'FAIL'}  {text}")
        return holds

    def watch(self, client: Client, job_id: str, until: Callable[[Job], object], every_s: float = 0.1) -> Job:
        """Show the job's progress until `until` says so; return the job as it then was."""
        ticker = Ticker(sys.stdout)
        while not until(job := client.get(job_id)):
            ticker.show(f"   {progress_line(job)}", job["state"])
            time.sleep(every_s)
        ticker.show(f"   {progress_line(job)}", job["state"])
        ticker.finish()
        return job
