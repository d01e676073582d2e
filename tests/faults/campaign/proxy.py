"""A proxy before the search server. It holds the bulk that carries a chosen document, so that faults strike in the middle
of a request, and it torments bulks as networks and gateways do. It knows HTTP and our versions, not our code.
"""

import http.client
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from tests.faults.campaign.torment import Torment, refusal, split

POSITION_BITS: Final = 20
VERSION: Final = re.compile(rb'"version":(\d+)')
HELD_S: Final = 60.0


class Point(StrEnum):
    """When a bulk is held."""

    BEFORE = "before the server has it"
    AFTER = "before its reply is passed on"


@dataclass(eq=False)
class Hold:
    """Holds the first bulk that begins at or behind a position, until it is released."""

    position: int
    point: Point
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)  # the bulk is through, however it ended


class Proxy:
    """Listens on a port of its own until `close`. Only bulks to `alias` are held and tormented; `bulks` counts them."""

    def __init__(self, node_url: str) -> None:
        self.node, self.alias = urlsplit(node_url).netloc, ""
        self.holds: list[Hold] = []
        self.bulks = 0
        self._lock = threading.Lock()
        self._torments: list[Torment] = []
        self.tormented: Counter[Torment] = Counter()
        self.calm = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Request)
        self._server.proxy = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def hold(self, position: int, point: Point) -> Hold:
        """Hold the first bulk from now on that begins at or behind a document."""
        hold = Hold(position, point)
        with self._lock:
            self.holds.append(hold)
        return hold

    def disarm(self, holds: Collection[Hold]) -> None:
        """Hold nothing for these any more; what they hold goes on."""
        with self._lock:
            self.holds = [one for one in self.holds if one.reached.is_set() or one not in holds]
        for hold in holds:
            hold.released.set()

    def torment(self, torment: Torment, times: int) -> None:
        """Torment the next `times` bulks."""
        with self._lock:
            self._torments += [torment] * times

    def soothe(self) -> None:
        """Torment nobody any more and let everything go that is held or stalled."""
        with self._lock:
            self._torments.clear()
            holds = list(self.holds)
        self.calm.set()
        for hold in holds:
            hold.released.set()

    def close(self) -> None:
        """Soothe, and listen no more."""
        self.soothe()
        self._server.shutdown()
        self._server.server_close()

    def take_hold(self, position: int) -> Hold | None:
        """Return the hold that is meant for a bulk beginning at `position`; each holds once."""
        with self._lock:
            self.bulks += 1
            hold = next((one for one in self.holds if position >= one.position and not one.reached.is_set()), None)
            if hold:
                hold.reached.set()
            return hold

    def take_torment(self) -> Torment | None:
        """Return what to do to this bulk."""
        with self._lock:
            torment = self._torments.pop(0) if self._torments else None
            if torment:
                self.tormented[torment] += 1
            return torment


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    proxy: Proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed client leaves a broken connection: nothing to tell."""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._upstream = http.client.HTTPConnection(self.server.proxy.node, timeout=HELD_S)

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path.partition("?")[0] == f"/{self.server.proxy.alias}/_bulk":
            self._bulk(body)
        else:
            self._reply(*self._forward(body))

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _pass  # noqa: N815  the names that http.server looks for

    def _bulk(self, body: bytes) -> None:
        proxy = self.server.proxy
        found = VERSION.search(body)
        hold = proxy.take_hold(int(found[1]) & ((1 << POSITION_BITS) - 1) if found else 0)
        try:
            if hold and hold.point is Point.BEFORE:
                hold.released.wait(HELD_S)
            torment = proxy.take_torment()
            if torment is None:
                status, text = self._forward(body)
                if hold and hold.point is Point.AFTER:
                    hold.released.wait(HELD_S)
                    torment = proxy.take_torment()
                if torment is None:
                    return self._reply(status, text)
            return self._torment(torment, body)
        finally:
            if hold:
                hold.over.set()

    def _torment(self, torment: Torment, body: bytes) -> None:
        if torment.status:
            few = torment is Torment.TOO_LARGE and body.count(b"\n") <= 2  # one document is never too large here
            return self._reply(*(self._forward(body) if few else refusal(torment.status)))
        if torment is Torment.HALF_429:
            sent, merge = split(body)
            status, text = self._forward(sent)
            return self._reply(status, merge(text) if status == http.HTTPStatus.OK else text)
        if torment is Torment.RESET:
            return self._reset()
        status, text = self._forward(body)
        if torment is Torment.RESET_LATE:
            return self._reset()
        if torment is Torment.STALL:
            self.server.proxy.calm.wait(HELD_S)
            return self._reset()
        if torment is Torment.GARBLE:
            return self._reply(status, text[: len(text) // 2])
        self._reply(status, text, cut=True)
        return None

    def _forward(self, body: bytes) -> tuple[int, bytes]:
        kept = {"content-type": self.headers.get("content-type", "application/json")}
        self._upstream.request(self.command, self.path, body, kept)
        answer = self._upstream.getresponse()
        return answer.status, answer.read()

    def _reply(self, status: int, text: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else text[: len(text) // 2] if cut else text)
        self.wfile.flush()
        self.close_connection = cut

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
