"""What may happen to one bulk between us and the search server, and the replies that this takes."""

import json
from collections.abc import Callable
from enum import Enum

import orjson


class Torment(Enum):
    """name: for people; status: what the gateway answers, 0 where it answers nothing of its own."""

    RESET = ("connection reset, bulk not done", 0)
    RESET_LATE = ("connection reset, bulk done", 0)
    STALL = ("reply never comes", 0)
    CUT = ("reply cut off", 0)
    GARBLE = ("half a reply that looks whole", 0)
    HALF_429 = ("429 for half of a bulk", 0)
    BUSY = ("429", 429)
    BAD_GATEWAY = ("502", 502)
    UNAVAILABLE = ("503", 503)
    TOO_LARGE = ("413", 413)

    def __init__(self, words: str, status: int) -> None:
        self.words, self.status = words, status


def refusal(status: int) -> tuple[int, bytes]:
    """Return a gateway's answer, which is not the cluster's JSON."""
    return status, b"<html>%d</html>" % status


def split(body: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Return the bulk's even documents, and what makes a reply to all of it: the odd ones are refused with 429."""
    lines = body.split(b"\n")[:-1]
    pairs = [b"\n".join(pair) + b"\n" for pair in zip(lines[::2], lines[1::2], strict=True)]
    busy = {"index": {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "the queue is full"}}}

    def merge(text: bytes) -> bytes:
        reply = orjson.loads(text)
        done = iter(reply["items"])
        items = [busy if number % 2 else next(done) for number in range(len(pairs))]
        return json.dumps({"errors": len(pairs) > 1 or reply["errors"], "items": items}).encode()

    return b"".join(pairs[::2]), merge
