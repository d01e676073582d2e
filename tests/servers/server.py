"""A server that a test can torment: one process, ended, killed, held and let go."""

from tests.servers.processes import Process


class Server:
    """One process that serves, started by its kind's own `start`; its files and port outlive it."""

    stop_s = 20.0  # how long it may take to end by itself

    def __init__(self) -> None:
        self.port = 0
        self.process: Process | None = None

    def stop(self) -> None:
        """End it by SIGTERM; it writes what it has."""
        self._running().stop(self.stop_s)

    def kill(self) -> None:
        """End it by SIGKILL."""
        if self.process is not None:
            self.process.kill()

    def pause(self) -> None:
        """SIGSTOP: connections stay, nothing is answered."""
        self._running().pause()

    def cont(self) -> None:
        """Let it go on after `pause`."""
        self._running().cont()

    def _running(self) -> Process:
        assert self.process is not None, f"this {type(self).__name__} was not started"
        return self.process
