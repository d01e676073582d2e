"""Ctrl-C at any moment must leave no process behind: so it may not strike between starting one and noting it."""

import signal
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Turns the signals that end a terminal's program into KeyboardInterrupt: once, and never while held."""

    def __init__(self) -> None:
        self._held = self._pending = False
        for number in ENDING:
            signal.signal(number, self._arrived)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let a signal wait until the block is over."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._pending:
            self._interrupt()

    def ignore(self) -> None:
        """From now on we are cleaning up, and nothing disturbs."""
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)

    def _arrived(self, _number: int, _frame: types.FrameType | None) -> None:
        self._pending = True
        if not self._held:
            self._interrupt()

    def _interrupt(self) -> None:
        self.ignore()
        raise KeyboardInterrupt
