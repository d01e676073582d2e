"""Everything running until Ctrl-C: `make up`. Real servers where REDIS_URL and OPENSEARCH_URL are set, else embedded."""

import logging
import sys
import time
from pathlib import Path

from demo.programs import Programs, clean_up_on_signals
from ingest_queue.config import Config, ConfigError, masked
from ingest_queue.embedded import DEFAULT_DIR, addresses, stop_embedded
from ingest_queue.errors import Unavailable


def main() -> int:
    """Run until Ctrl-C (0) or until a program ends by itself (1)."""
    clean_up_on_signals()
    logging.basicConfig(format="%(message)s")
    try:
        config = Config.from_environ()
        return stay_up(config)
    except ConfigError as problem:
        return _say(str(problem))
    except Unavailable as problem:
        return _say(problem.message)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0


def stay_up(given: Config) -> int:
    """Start what is missing and the programs; end both on leaving, Redis' data kept."""
    data_dir = Path(given.data_dir or DEFAULT_DIR).expanduser()
    try:
        config = addresses(given)
        with Programs({"REDIS_URL": config.redis_url, "OPENSEARCH_URL": config.opensearch_url}) as programs:
            for line in _lines(given, config):
                print(line, flush=True)
            while not (ended := programs.ended()):
                time.sleep(0.5)
            return _say(f"{', '.join(ended)} ended by itself; see above why")
    finally:
        stop_embedded(data_dir)


def _lines(given: Config, config: Config) -> list[str]:
    redis = "" if given.redis_url else " (embedded, for trying out)"
    search = "" if given.opensearch_url else " (in memory, for trying out: indexes are gone when this ends)"
    return [
        f"API      http://{config.host}:{config.port}/api/jobs (no access control yet: this machine only)",
        f"Redis    {masked(config.redis_url)}{redis}",
        f"Search   {masked(config.opensearch_url)}{search}",
        "Workers  2. Ctrl-C ends everything.",
    ]


def _say(problem: str) -> int:
    print(problem, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
