"""What a campaign found, in words: a line a seed, a table by kind of fault, the one line that counts."""

from collections import Counter
from collections.abc import Sequence

from tests.faults.campaign.one import Result
from tests.faults.campaign.plan import Kind


def tell(result: Result, *, whole: bool = False) -> str:
    """Return a seed's line, or its plan, story and problem."""
    word = "right" if result.right else "WRONG"
    again = f", attempt {result.attempts}" if result.attempts > 1 else ""
    missed = "" if result.counts else "  (not counted: not every fault struck)"
    line = f"seed {result.seed}: {word} in {result.seconds:.1f} s{again}: {', '.join(result.struck)}{missed}"
    return f"{line}\n{result.story}\n{result.problem}".rstrip() if whole else line


def table(results: Sequence[Result]) -> str:
    """Return the faults by kind, as Markdown: how often planned, how often struck, in how many counted seeds."""
    planned, struck, counted = Counter[Kind](), Counter[Kind](), Counter[Kind]()
    for result in results:
        planned.update(result.planned)
        struck.update(result.struck)
        counted.update(result.planned if result.counts else ())
    rows = [f"| {kind.value} | {planned[kind]} | {struck[kind]} | {counted[kind]} |" for kind in Kind]
    return "\n".join(["| fault | planned | struck | counted |", "| --- | --- | --- | --- |", *rows])


def report(results: Sequence[Result], server: str) -> str:
    """Return the table and what was found. Every number is a sum over the seeds."""
    counted = sum(result.counts for result in results)
    faults = sum(len(result.struck) for result in results)
    lines = [
        "",
        table(results),
        "",
        f"{server}: {len(results)} seeds, {counted} counted (each of their faults struck in the middle), {faults} faults",
    ]
    wrong = [result for result in results if not result.right]
    lines += [f"WRONG: seed {result.seed}; see it again with `make faults SEED={result.seed}`" for result in wrong]
    lost, doubled = sum(result.lost for result in results), sum(result.doubled for result in results)
    miscounted, others = sum(result.miscounted for result in results), sum(bool(result.problem) for result in results)
    lines.append(
        f"{lost} lost, {doubled} doubled, {miscounted} miscounted" + (f", {others} with other problems" if others else "")
    )
    return "\n".join(lines)
