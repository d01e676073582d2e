"""How long the fuzzer plays: `--fuzz N` cases an operation, which ones by `--fuzz-seed`; `make test` tries few."""

import pytest

from tests.redis.fuzz.cases import Play

FEW = 4
PLAY: pytest.StashKey[Play] = pytest.StashKey()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many cases were tried, how they were answered, and how many operations did wrong."""
    play = config.stash.get(PLAY, None)
    if play is not None:
        answers = ", ".join(f"{status}: {number:,}" for status, number in sorted(play.seen.items()))
        found = f"seed {play.seed}, {play.seen.total():,} cases ({answers}), {len(play.finds)} finds"
        terminalreporter.write_line(f"Fuzz: {found}")


@pytest.fixture
def play(request: pytest.FixtureRequest) -> Play:
    """The whole run's play."""
    config = request.config
    return config.stash.setdefault(PLAY, Play(int(config.getoption("--fuzz")) or FEW, int(config.getoption("--fuzz-seed"))))
