"""A search server that takes every bulk after a set time and stores nothing: `python -m benchmarks.sink MILLISECONDS`.

It stands for a cluster that is never the limit, so that what is left is ours. It prints its address when it listens.
"""

import re
import socket
import sys
import threading
import time
from typing import Final

LENGTH: Final = re.compile(rb"^content-length: *(\d+)", re.IGNORECASE | re.MULTILINE)
ITEM: Final = b'{"index":{"status":201}}'
HELLO: Final = b'{"acknowledged":true,"_shards":{"failed":0},"version":{"number":"3.0.0","distribution":"opensearch"}}'


def main() -> None:
    """Serve until killed; one thread a connection."""
    delay_s = float(sys.argv[1]) / 1000
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        print(f"http://127.0.0.1:{server.getsockname()[1]}", flush=True)
        while True:
            client, _ = server.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(client, delay_s), daemon=True).start()


def _serve(client: socket.socket, delay_s: float) -> None:
    buffer = bytearray()
    with client:
        while True:
            while (end := buffer.find(b"\r\n\r\n")) < 0:
                if not (piece := client.recv(65536)):
                    return
                buffer += piece
            head = bytes(buffer[:end])
            length = LENGTH.search(head)
            size = end + 4 + (int(length[1]) if length else 0)
            while len(buffer) < size:
                if not (piece := client.recv(min(1 << 20, size - len(buffer)))):
                    return
                buffer += piece
            text = HELLO
            if b"/_bulk" in head.split(b"\r\n", 1)[0]:
                time.sleep(delay_s)
                documents = buffer.count(b"\n", end + 4, size) // 2
                text = b'{"errors":false,"items":[' + b",".join([ITEM] * documents) + b"]}"
            del buffer[:size]
            reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text)
            client.sendall(reply + text)


if __name__ == "__main__":
    main()
