"""Log lines: an event and its fields. No payload, key or password ever is one of them."""

import logging
from typing import Any, Final

KNOWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Fields(logging.Formatter):
    """`time level event key=value ...`, the fields in the order in which they were given."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")
        self.default_msec_format = "%s.%03d"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's name
        """Return the line without a trace."""
        fields = "".join(f" {name}={_word(value)}" for name, value in vars(record).items() if name not in KNOWN)
        return super().formatMessage(record) + fields


def _word(value: Any) -> str:
    text = str(value)
    return repr(text) if not text or any(c.isspace() or not c.isprintable() for c in text) else text


def logging_config(level: str) -> dict[str, Any]:
    """Return the configuration for `logging.config.dictConfig`; every process uses it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"fields": {"()": Fields}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "fields"}},
        "loggers": {
            name: {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
            for name in ("ingest_queue", "workers", "web")
        },
    }
