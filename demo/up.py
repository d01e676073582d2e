"""Everything running until Ctrl-C: `make up`. Real servers where REDIS_URL and OPENSEARCH_URL are set, else embedded."""

import logging.config
import sys
import time
from pathlib import Path

from demo.interrupts import Interrupts
from demo.programs import ended, programs
from ingest_queue.config import Config, ConfigError, masked
from ingest_queue.embedded import DEFAULT_DIR, addresses, stop_embedded
from ingest_queue.errors import Unavailable
from ingest_queue.logs import logging_config


def main() -> int:
    """Run until Ctrl-C (0) or until a program ends by itself (1)."""
    try:
        config = Config.from_environ()
        logging.config.dictConfig(logging_config(config.log_level))
        return stay_up(config, Interrupts())
    except ConfigError as problem:
        return _say(str(problem))
    except Unavailable as problem:
        return _say(problem.message)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0


def stay_up(given: Config, interrupts: Interrupts) -> int:
    """Start what is missing and the programs; end both on leaving, Redis' data kept."""
    try:
        config = addresses(given)
        environ = {"REDIS_URL": config.redis_url, "OPENSEARCH_URL": config.opensearch_url}
        with programs(environ, interrupts) as running:
            print(_addresses(given, config), flush=True)
            while not (gone := ended(running)):
                time.sleep(0.5)
            return _say(f"{', '.join(gone)} ended by itself; see above why")
    finally:
        interrupts.ignore()
        stop_embedded(Path(given.data_dir or DEFAULT_DIR).expanduser())


def _addresses(given: Config, config: Config) -> str:
    redis = "" if given.redis_url else "  (embedded, for trying out)"
    search = "" if given.opensearch_url else "  (in memory, for trying out: its indexes are gone when this ends)"
    return f"""
API      http://{config.host}:{config.port}/api/jobs  (a key: ingest-queue keys create mine --scope admin)
Redis    {masked(config.redis_url)}{redis}
Search   {masked(config.opensearch_url)}{search}
Workers  two. Ctrl-C ends everything.
"""


def _say(problem: str) -> int:
    print(problem, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
