"""What whoever runs the tests asks for. Read once, and taken out of the environment: no setting of the product."""

import os
from dataclasses import dataclass

PREFIX = "INGEST_TEST_"


@dataclass(frozen=True, slots=True)
class Wishes:
    """INGEST_TEST_REQUIRE=real: a missing real server fails the run. INGEST_TEST_OPENSEARCH: a version, or `memory`.

    OPENSEARCH_URL: a cluster that is there already; tests make and delete indexes in it.
    """

    require_real: bool = False
    opensearch: str = ""
    opensearch_url: str = ""

    @classmethod
    def take(cls) -> "Wishes":
        """Read the wishes and remove them from the environment."""
        asked = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(PREFIX)}
        require = asked.pop(f"{PREFIX}REQUIRE", "")
        version = asked.pop(f"{PREFIX}OPENSEARCH", "")
        if asked:
            raise ValueError(f"{', '.join(sorted(asked))}: not INGEST_TEST_REQUIRE or INGEST_TEST_OPENSEARCH")
        if require not in ("", "real"):
            raise ValueError(f"INGEST_TEST_REQUIRE={require}: real or empty")
        return cls(require == "real", version, os.environ.pop("OPENSEARCH_URL", ""))
