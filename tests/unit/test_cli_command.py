"""What the command promises to scripts: exit codes, JSON, options that are documented, errors in words. No server."""

import socket
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ingest_queue.cli.exits import MEANINGS, Exit, exit_of
from ingest_queue.cli.main import cli, main
from ingest_queue.states import RESTING, State
from ingest_queue.wire import Counts
from tests.unit.shown import job

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command that does something, with its words."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, (*path, name))


COMMANDS = dict(leaves(cli))


@pytest.mark.parametrize("state", RESTING)
def test_the_end_of_a_watched_job_is_an_exit_code(state: State) -> None:
    """Scripts branch on it."""
    expected = Exit.SOME_FAILED if state is State.COMPLETED else Exit.ENDED_OTHERWISE
    assert exit_of(job(state)) is expected
    clean: Counts = {"total": 1, "succeeded": 1, "failed": 0, "skipped": 0, "processed": 1, "duplicates": 0}
    assert (exit_of(job(state, counts=clean)) is Exit.OK) == (state is State.COMPLETED)


def test_help_lists_every_exit_code_with_its_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    """An exit code that is not documented cannot be relied on."""
    assert main(["--help"]) == Exit.OK
    text = " ".join(capsys.readouterr().out.split())
    assert set(MEANINGS) == set(Exit)
    for code, meaning in MEANINGS.items():
        assert f"{code.value} {meaning}" in text


@pytest.mark.parametrize("words", [words for words in COMMANDS if words != ("payload",)], ids=" ".join)
def test_every_command_answers_in_json_when_asked(words: tuple[str, ...]) -> None:
    """Only payload has no such option: what it prints is NDJSON already."""
    assert "--json" in {name for parameter in COMMANDS[words].params for name in parameter.opts}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_documented_with_its_options(words: tuple[str, ...]) -> None:
    """A command that docs/cli.md does not show is one that nobody finds."""
    text = DOCS.read_text()
    assert f"`ingest-queue {' '.join(words)}" in text
    for parameter in COMMANDS[words].params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in text


def test_the_documented_exit_codes_are_those_of_the_command() -> None:
    """The table in docs/cli.md is read by people who write scripts."""
    text = DOCS.read_text()
    for code, meaning in MEANINGS.items():
        assert f"| {code.value} | {meaning} |" in text


@pytest.fixture
def nobody() -> Iterator[str]:
    """A URL at which nobody answers."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{closed.getsockname()[1]}"


def test_an_absent_server_is_told_at_once_with_what_to_do(nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The most common mistake is that web does not run; waiting for it helps nobody."""
    assert main(["--url", nobody, "jobs"]) == Exit.UNREACHABLE
    assert "is web running" in capsys.readouterr().err
    assert main(["--url", nobody, "jobs", "--json"]) == Exit.UNREACHABLE
    assert '"code":"unreachable"' in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["submit", "f"], ["submit", "/no/such/file", "--index", "a"], ["jobs", "--state", "gone"]],
)
def test_what_cannot_be_understood_is_a_usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was sent, and the message says what was wrong."""
    assert main(arguments) == Exit.USAGE
    assert "Error" in capsys.readouterr().err


def test_all_wrong_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One round of mending, not one for each."""
    monkeypatch.setenv("INGEST_PORT", "none")
    monkeypatch.setenv("INGEST_NONSENSE", "1")
    assert main(["config"]) == Exit.USAGE
    error = capsys.readouterr().err
    assert "INGEST_PORT" in error
    assert "INGEST_NONSENSE" in error
