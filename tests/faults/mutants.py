"""Do the named schedules find what they look for? Copies of the tree, each with one safeguard taken out, must fail them.

`make faults-mutants`, or `python -m tests.faults.mutants [name ...]`. Each mutant is a replacement of text that must apply
exactly once, made in a copy: the product has no switch for it. First a copy as it is must pass, or a failure would prove
nothing. Exits with 1 when a mutant survives.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LEFT_OUT: Final = shutil.ignore_patterns(".*", "__pycache__", "build", "*.egg-info", "docs", "benchmarks")
FAILED: Final = re.compile(r"^(?:FAILED|ERROR) tests/faults/(\S+)", re.MULTILINE)
SAID: Final = re.compile(r"^ {4}(\S.*)\n(?:[ ^~]+\n)?E +", re.MULTILINE)  # the line of source that did not hold
TESTS_FAILED: Final = 1  # pytest's exit code; any other says that the tests did not run


@dataclass(frozen=True, slots=True)
class Mutant:
    """One safeguard taken out: `old` becomes `new` in `file`. tries: the schedules that are run first."""

    name: str
    file: str
    old: str
    new: str
    tries: str

    def apply(self, tree: Path) -> None:
        """Change the copy. Raises ValueError unless the text stands there exactly once."""
        path = tree / self.file
        text = path.read_text("utf-8")
        if (found := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}: the text to replace stands {found} times in {self.file}: {self.old!r}")
        path.write_text(text.replace(self.old, self.new), "utf-8")


MUTANTS: Final = (
    Mutant(
        "version fence",
        "ingest_queue/run/entries.py",
        'return b"".join(parts)',
        """return b"".join(b'{"index":{"_id":%b}}\\n%b\\n' % (_json_text(entry.id), entry.raw) for entry in columns)""",
        "late",
    ),
    Mutant(
        "sent_to (a lost run's bulks are in doubt)",
        "ingest_queue/store/lua/move.lua",
        "return tonumber(job.sent_to) <= processed(job)",
        "return true",
        "doubt",
    ),
    Mutant(
        "run token at a checkpoint",
        "ingest_queue/store/lua/checkpoint.lua",
        "if not job or job.token ~= ARGV[2] or job.deleted == '1' then",
        "if not job or job.deleted == '1' then",
        "workers",
    ),
    Mutant(
        "run token at a run's answer",
        "ingest_queue/store/lua/transition.lua",
        "if ask.token and (job.token ~= ask.token or (ask.lost and not lease_over())) then",
        "if ask.token and ask.lost and not lease_over() then",
        "orders",
    ),
    Mutant(
        "lease check before a send",
        "ingest_queue/run/window.py",
        "if self._left or not self._run.may_send():",
        "if self._left:",
        "workers",
    ),
    Mutant(
        "removal of RQ's execution",
        "ingest_queue/store/lua/move.lua",
        "  redis.call('ZREM', K.rq_started(C.queue), id .. ':' .. token)\n",
        "",
        "workers",
    ),
    Mutant(
        "mark at an edit",
        "ingest_queue/store/lua/transition.lua",
        "if tonumber(job.cursor) <= edit.first_changed then",
        "if true then",
        "long",
    ),
    Mutant(
        "reading of ids before the cursor",
        "ingest_queue/run/loop.py",
        "cutter.recall(source.after(0, run.cursor))",
        "cutter.recall(())",
        "long",
    ),
    Mutant(
        "lane's holder at a claim",
        "ingest_queue/store/lua/claim.lua",
        " or redis.call('HGET', K.holders, job.lane) ~= id then",
        " then",
        "orders",
    ),
)


def named(tree: Path, first: str = "") -> Iterator[str]:
    """Yield the files of the named schedules in a tree, that of `first` before the others."""
    files = sorted(
        (tree / "tests" / "faults").glob("test_named_*.py"), key=lambda file: (file.stem != f"test_named_{first}", file)
    )
    yield from (str(file.relative_to(tree)) for file in files)


def run(tree: Path, first: str = "") -> tuple[str, str] | None:
    """Run the schedules until one fails; return it with what it said, None when all pass.

    Raises RuntimeError when they could not be run.
    """
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "--no-header",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        *named(tree, first),
    ]
    env = {**os.environ, "PYTHONPATH": str(tree)}  # before an installed copy of the tree as it is
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    test, said = FAILED.search(done.stdout), SAID.search(done.stdout.partition("= FAILURES =")[2] or done.stdout)
    if done.returncode != TESTS_FAILED or test is None:
        raise RuntimeError(done.stdout[-4000:] + done.stderr[-4000:])
    return test[1], said[1] if said else ""


def try_out(mutant: Mutant | None) -> tuple[str, str] | None:
    """Copy the tree, change the copy, run the schedules in it."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as place:
        tree = Path(place, "tree")
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
        if mutant:
            mutant.apply(tree)
        return run(tree, mutant.tries if mutant else "")


def main(names: list[str]) -> int:
    """Try every mutant, or those whose names begin with one of `names`; return 1 when one survives."""
    chosen = [one for one in MUTANTS if not names or any(one.name.startswith(name) for name in names)]
    if caught := try_out(None):
        sys.stdout.write(f"the tree as it is fails {caught[0]}: {caught[1]}\n")
        return 1
    sys.stdout.write("the tree as it is passes all named schedules\n")
    survivors = 0
    for mutant in chosen:
        began = time.monotonic()
        caught = try_out(mutant)
        survivors += caught is None
        fate = f"caught by {caught[0]}\n    {caught[1]}" if caught else "SURVIVED"
        sys.stdout.write(f"without {mutant.name} [{time.monotonic() - began:.0f} s]: {fate}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - survivors} of {len(chosen)} mutants caught\n")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
