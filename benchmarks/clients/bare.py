"""The least a client can do: post bulks that were made beforehand over some connections, read the answers, refresh.

python -m benchmarks.clients.bare URL INDEX FILE CONNECTIONS; the file holds pickled bodies of our own making.
"""

import pickle
import sys
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import urlsplit

from benchmarks.clients.timing import Timing

PATH = "/{}/_bulk?require_alias=true&filter_path=errors,items.*.status"
HEADERS = {"Content-Type": "application/x-ndjson"}


def main(url: str, index: str, file: str, connections: str) -> None:
    """Load the file; fail when any document was refused."""
    address = urlsplit(url)
    left: SimpleQueue[bytes] = SimpleQueue()
    for body in pickle.loads(Path(file).read_bytes()):  # noqa: S301  we wrote it a moment ago
        left.put(body)
    refused: list[bytes] = []

    def post(connection: HTTPConnection, path: str, body: bytes) -> None:
        connection.request("POST", path, body, HEADERS)
        reply = connection.getresponse().read()
        if b'"errors":true' in reply or b'"error":' in reply:
            refused.append(reply[:500])

    def carry() -> None:
        connection = HTTPConnection(str(address.hostname), address.port)
        while True:
            try:
                body = left.get_nowait()
            except Empty:
                return
            post(connection, PATH.format(index), body)

    with Timing():
        threads = [Thread(target=carry) for _ in range(int(connections))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        post(HTTPConnection(str(address.hostname), address.port), f"/{index}/_refresh", b"")
    assert not refused, refused[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
