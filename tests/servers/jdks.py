"""Java development kits on this machine, for the search servers that run on them."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VERSION: Final = re.compile(r'^JAVA_VERSION="(?:1\.)?(\d+)', re.MULTILINE)
NEEDED: Final = "jdk.localedata"  # analysis fails on a JDK that was cut down and lacks it


@dataclass(frozen=True, slots=True)
class Jdk:
    """One installation: its directory and major version."""

    home: Path
    version: int

    @property
    def java(self) -> str:
        return str(self.home / "bin" / "java")


def jdks() -> tuple[Jdk, ...]:
    """Return what is installed under JAVA_HOME, PATH and /usr/lib/jvm, each once, in that order."""
    found = {home.resolve(): jdk for home in _homes() if (jdk := _read(home.resolve()))}
    return tuple(found.values())


def _homes() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if java := shutil.which("java"):
        yield Path(java).resolve().parents[1]
    for base in ("/usr/lib/jvm", "/Library/Java/JavaVirtualMachines"):
        for place in sorted(Path(base).glob("*")):
            yield place / "Contents" / "Home" if (place / "Contents").exists() else place


def _read(home: Path) -> Jdk | None:
    """Return the JDK by the `release` file that each one carries; None for what is no whole JDK."""
    release, java = home / "release", home / "bin" / "java"
    if not release.exists() or not java.exists():
        return None
    text = release.read_text("utf-8", "replace")
    version = VERSION.search(text)
    if version is None or ("MODULES=" in text and NEEDED not in text):
        return None
    return Jdk(home, int(version[1]))
