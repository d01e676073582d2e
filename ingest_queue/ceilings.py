"""How many jobs may have a slot at once: what an operator says at run time goes before what the environment says."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from ingest_queue.access.actor import LOCAL, Actor
from ingest_queue.access.audit import Audit
from ingest_queue.config import Config
from ingest_queue.errors import Invalid
from ingest_queue.store.lanes import Lanes

NAMES: Final = ("running_ceiling", "pull_ceiling")
RANGES: Final = {item.name: (item.metadata["low"], item.metadata["high"]) for item in fields(Config) if item.name in NAMES}


class Ceilings:
    """The ceilings of one installation; the lanes heed them from the next admission on."""

    def __init__(self, lanes: Lanes, config: Config, audit: Audit) -> None:
        self._lanes, self._config, self._audit = lanes, config, audit

    def now(self, *, by: Actor = LOCAL) -> dict[str, int]:
        """Return each ceiling as it holds; a running_ceiling of 0: as many as there are workers. Raises Denied."""
        by.must_rule_all()
        return {name: getattr(self._config, name) for name in NAMES} | self._lanes.ceilings()

    def change(self, wanted: Mapping[str, int | None], *, by: Actor = LOCAL) -> dict[str, int]:
        """Change the named ceilings, all or none; None: as the environment says. Raises Denied, Invalid."""
        by.must_rule_all()
        for name, value in wanted.items():
            if name not in RANGES:
                raise Invalid(
                    "invalid_input", f"there is no setting {name!r} to change at run time; there are {', '.join(NAMES)}"
                )
            low, high = RANGES[name]
            if value is not None and not low <= value <= high:
                raise Invalid("invalid_input", f"{name} is {low} to {high}")
        for name, value in wanted.items():
            said = "as the environment says" if value is None else str(value)
            with self._audit.deed(by, "setting.change", f"setting:{name}", account=None, detail=f"{name}={said}"):
                self._lanes.set_ceiling(name, value)
        return self.now(by=by)
