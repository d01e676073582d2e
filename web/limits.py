"""How often anybody may call: moving windows in Redis, by the `limits` library. The numbers are settings; 0 is no limit."""

import math
import time
from collections.abc import Sequence
from typing import Final

from flask import Flask, current_app
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from ingest_queue.access.people import Key
from ingest_queue.errors import RateLimited
from ingest_queue.store import keys
from web.current import config

NAME: Final = "ingest_queue.limiter"


def open_limiter(app: Flask) -> None:
    """Give the application its limiter, over the engine's own connections."""
    engine = app.extensions["ingest_queue.engine"]
    pool = engine.store.client.connection_pool
    prefix = keys.LIMIT("").rstrip(":")
    storage = RedisStorage("redis://", connection_pool=pool, key_prefix=prefix)
    app.extensions[NAME] = MovingWindowRateLimiter(storage)


def submit(who: str, own_per_minute: int | None = None) -> None:
    """Count a submission of `who`, a key or an account. Raises RateLimited."""
    if own_per_minute:
        _hit("submit", who, _items(own_per_minute, 0))
    else:
        _hit("submit", who, _items(config.submits_per_minute, config.submits_per_hour))


def submit_with(key: Key | None) -> None:
    """Count a submission made with a key; an operator's session has no limit. Raises RateLimited."""
    if key is not None:
        submit(f"key:{key.id}", key.rate_per_minute)


def call(key: Key) -> None:
    """Count a call made with a key. Raises RateLimited."""
    _hit("call", key.id, _items(config.calls_per_minute, 0))


def check_guesses(address: str) -> None:
    """Raise RateLimited for an address from which too many wrong keys or passwords came. Reads only."""
    for item in _items(config.guesses_per_minute, 0):
        if not _limiter().test(item, "guess", address):
            raise _slow_down(item, "guess", address)


def note_guess(address: str) -> None:
    """Count a wrong key or password."""
    for item in _items(config.guesses_per_minute, 0):
        _limiter().hit(item, "guess", address)


def _items(per_minute: int, per_hour: int) -> Sequence[RateLimitItem]:
    minute = [RateLimitItemPerMinute(per_minute)] if per_minute else []
    return [*minute, *([RateLimitItemPerHour(per_hour)] if per_hour else [])]


def _hit(what: str, who: str, items: Sequence[RateLimitItem]) -> None:
    for item in items:
        if not _limiter().hit(item, what, who):
            raise _slow_down(item, what, who)


def _slow_down(item: RateLimitItem, what: str, who: str) -> RateLimited:
    reset_at, _ = _limiter().get_window_stats(item, what, who)
    wait_s = max(1, math.ceil(reset_at - time.time()))
    message = f"more than {item.amount} of these calls in {item.get_expiry()} s; try again in {wait_s} s"
    return RateLimited("rate_limited", message, wait_s, limit=item.amount, per_s=item.get_expiry())


def _limiter() -> MovingWindowRateLimiter:
    found: MovingWindowRateLimiter = current_app.extensions[NAME]
    return found
