"""Ports that are free now. Another process may take one before its server does, so starters try again."""

import random
import socket
from collections.abc import Iterable


def free_port(among: Iterable[int] = (0,)) -> int:
    """Return a port of 127.0.0.1 where a server could listen, in any order of `among`; 0 stands for any."""
    for port in sorted(among, key=lambda _: random.random()):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port")
