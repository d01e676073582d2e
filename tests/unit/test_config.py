"""Settings: everything wrong is said at once, in words, before anything starts."""

from dataclasses import Field, FrozenInstanceError, fields
from typing import Any

import pytest

from ingest_queue.config import Config, ConfigError, masked, variable

SETTINGS = fields(Config)
NUMBERS = [item for item in SETTINGS if not isinstance(item.default, str)]
LOWER = [item for item in NUMBERS if item.metadata["low"] is not None]
UPPER = [item for item in NUMBERS if item.metadata["high"] is not None]


def name_of(item: Any) -> str:
    """Return how a parametrized setting is called in the test's id."""
    return str(item.name) if isinstance(item, Field) else str(item)


def problems(**environ: str) -> list[str]:
    """Return what is wrong with an environment, one problem a line."""
    with pytest.raises(ConfigError) as raised:
        Config.from_environ(environ)
    return str(raised.value).splitlines()


def test_defaults_are_valid() -> None:
    """Whoever sets nothing must get a system that runs."""
    assert Config.from_environ({}) == Config()


@pytest.mark.parametrize("item", NUMBERS, ids=name_of)
def test_each_default_can_be_set_by_hand(item: Field[Any]) -> None:
    """A default that its own range refuses could never be put back."""
    assert Config.from_environ({variable(item.name): str(item.default)}) == Config()


@pytest.mark.parametrize("item", SETTINGS, ids=name_of)
def test_each_setting_says_its_unit_and_its_meaning(item: Field[Any]) -> None:
    """A number without a unit is set wrong sooner or later; limits are inclusive and the default lies within."""
    assert item.metadata["unit"]
    assert 10 < len(item.metadata["meaning"]) <= 120
    assert not item.metadata["meaning"].endswith(".")


def test_values_are_read_with_their_types() -> None:
    """A lease of "15" would compare wrongly in silence."""
    config = Config.from_environ({"INGEST_LEASE_S": "20", "INGEST_PORT": "9000", "REDIS_URL": "redis://r:6379/1"})
    assert (config.lease_s, config.port, config.redis_url) == (20.0, 9000, "redis://r:6379/1")
    assert isinstance(config.lease_s, float)


def test_an_empty_value_is_the_same_as_none() -> None:
    """Compose files pass on variables that are not set as empty ones."""
    assert Config.from_environ({"INGEST_PORT": "", "REDIS_URL": "", "INGEST_ACK": ""}) == Config()


def test_all_problems_are_said_at_once() -> None:
    """Mending one setting a restart is how deployments take an afternoon."""
    said = problems(INGEST_PORT="70000", INGEST_LEASE_S="soon", INGEST_BULK_DOCUMENTS="0", INGEST_LEESE_S="15")

    assert len(said) == 4
    for name in ("INGEST_PORT", "INGEST_LEASE_S", "INGEST_BULK_DOCUMENTS", "INGEST_LEESE_S"):
        assert sum(line.startswith(name) for line in said) == 1


def test_all_words_that_do_not_go_together_are_said_at_once() -> None:
    """The second pass over the settings must be as complete as the first."""
    said = problems(
        INGEST_ACK="disk", INGEST_LOG_LEVEL="LOUD", INGEST_LEASE_S="1.5", REDIS_URL="http://r",
        OPENSEARCH_URL="localhost:9200", INGEST_URL="ftp://web",
    )  # fmt: skip
    assert len(said) == 6


@pytest.mark.parametrize("item", LOWER, ids=name_of)
def test_a_value_below_its_range_is_refused_with_the_range(item: Field[Any]) -> None:
    """A setting that is silently taken at a nonsense value fails far from where it was made."""
    (said,) = problems(**{variable(item.name): str(item.metadata["low"] - 1)})
    assert said.startswith(f"{variable(item.name)}=")
    assert "must be" in said


@pytest.mark.parametrize("item", UPPER, ids=name_of)
def test_a_value_above_its_range_is_refused_with_the_range(item: Field[Any]) -> None:
    """As below; upper limits guard memory and the width of versions."""
    (said,) = problems(**{variable(item.name): str(item.metadata["high"] + 1)})
    assert said.startswith(f"{variable(item.name)}=")
    assert "must be" in said


@pytest.mark.parametrize(("text", "kind"), [("many", "whole number"), ("2.5", "whole number"), ("1e3", "whole number")])
def test_what_is_no_whole_number_is_refused_in_words(text: str, kind: str) -> None:
    """People must read what to write, not a Python exception."""
    (said,) = problems(INGEST_BULKS_IN_FLIGHT=text)
    assert said == f"INGEST_BULKS_IN_FLIGHT={text!r}: is not a {kind} of bulks"


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_a_lease_that_is_no_finite_number_is_refused(text: str) -> None:
    """A lease of nan or infinity would never end, and no lost run would be rescued."""
    assert problems(INGEST_LEASE_S=text)


def test_unknown_names_of_ours_are_refused_and_others_are_not_our_matter() -> None:
    """A misspelt setting that is ignored is the worst kind of default."""
    (said,) = problems(INGEST_TICKS="2", HOME="/root", REDIS_URI="redis://r")
    assert said.startswith("INGEST_TICKS: no such setting")


def test_a_lease_needs_two_ticks() -> None:
    """With less, a live run misses its renewal and is taken for lost."""
    (said,) = problems(INGEST_LEASE_S="9", INGEST_TICK_S="5")
    assert "INGEST_TICK_S" in said
    assert Config.from_environ({"INGEST_LEASE_S": "10", "INGEST_TICK_S": "5"}).lease_s == 10


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("redis://:secret@r:6379/0", "redis://:***@r:6379/0"),
        ("rediss://user:secret@r:6379/0", "rediss://user:***@r:6379/0"),
        ("https://user:se@cret@os:9200", "https://user:***@os:9200"),
        ("https://os:9200", "https://os:9200"),
        ("ingest", "ingest"),
        ("", ""),
    ],
)
def test_passwords_in_urls_are_masked(value: str, shown: str) -> None:
    """Tables and messages end in tickets and logs."""
    assert masked(value) == shown


def test_the_table_has_every_setting_and_no_secret() -> None:
    """`ingest-queue config` prints it, and people paste it."""
    config = Config(redis_url="redis://:hunter2@r", opensearch_url="https://me:hunter2@os:9200", url="http://me:hunter2@web")
    rows = config.table()

    assert [row[0] for row in rows] == [variable(item.name) for item in SETTINGS]
    assert "hunter2" not in str(rows)


def test_settings_do_not_change_while_a_process_lives() -> None:
    """Parts of one process that read a setting at different times must agree."""
    with pytest.raises(FrozenInstanceError):
        Config().port = 1  # type: ignore[misc]


def test_the_environment_of_the_process_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry point calls it without arguments."""
    monkeypatch.setenv("INGEST_SLICE_S", "7")
    assert Config.from_environ().slice_s == 7
