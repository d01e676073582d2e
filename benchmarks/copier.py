"""The least between a socket and Redis: `python -m benchmarks.copier REDIS_URL (raw|zstd)` stores what it reads.

A request is a length in 8 bytes and so many bytes. They go into one hash in pieces of 1 MiB, as intake's chunks do, as
they are or compressed as intake does; the reply is one byte, when Redis has all of them. It prints its port when it listens.
"""

import socket
import sys
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from redis import Redis

from ingest_queue.config import MIB
from ingest_queue.intake.payload import packer

KEY: Final = "copied"
DONE: Final = b"+"


def main(redis_url: str, how: str) -> None:
    """Serve one connection after the other until killed."""
    made: Callable[[Any], Any] = packer() if how == "zstd" else memoryview
    piece = memoryview(bytearray(MIB))
    with Redis.from_url(redis_url) as redis, socket.create_server(("127.0.0.1", 0)) as server:
        redis.ping()
        print(server.getsockname()[1], flush=True)
        while True:
            client, _ = server.accept()
            with client:
                left = int.from_bytes(client.recv(8, socket.MSG_WAITALL), "big")
                for number in count():
                    if not left:
                        break
                    size = client.recv_into(piece[: min(left, MIB)], flags=socket.MSG_WAITALL)
                    redis.hset(KEY, str(number), made(piece[:size]))
                    left -= size
                client.sendall(DONE)


if __name__ == "__main__":
    main(*sys.argv[1:])
