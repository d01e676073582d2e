"""What the command's exit code says, and the errors that lead to each. `ingest-queue --help` prints this table."""

from enum import IntEnum

from ingest_queue.states import State
from ingest_queue.wire import Job


class Exit(IntEnum):
    """Exit codes; they do not change between versions."""

    OK = 0
    ENDED_OTHERWISE = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    SOME_FAILED = 5
    INTERRUPTED = 130


MEANINGS = {
    Exit.OK: "done; a job that was watched completed and no document failed",
    Exit.ENDED_OTHERWISE: "a job that was watched failed, or rests paused, stopped or canceled",
    Exit.USAGE: "the command line, a file or a setting cannot be understood",
    Exit.UNREACHABLE: "the server, or one behind it, does not answer",
    Exit.REFUSED: "the server's answer is no: unknown job or index, not allowed now, too large, invalid",
    Exit.SOME_FAILED: "a job that was watched completed, but some of its documents failed",
    Exit.INTERRUPTED: "interrupted by Ctrl-C; a job that was watched goes on",
}


def exit_of(job: Job) -> Exit:
    """Return what the end of a watched job means to a script."""
    if State(job["state"]) is not State.COMPLETED:
        return Exit.ENDED_OTHERWISE
    return Exit.SOME_FAILED if job["counts"]["failed"] else Exit.OK
