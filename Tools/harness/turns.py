"""Work done in turns, so that what else the machine does falls on all alike, and what came of it."""

import statistics
import sys
from collections.abc import Callable


def take_turns(
    works: dict[str, Callable], rounds: int, rotate: bool = False, title: str = ""
) -> dict[str, list]:
    """Calls each of the works once a round; what each has returned, by name.

    With `rotate` each round begins with another one, so that who comes after whom changes, too. With a
    `title` every turn is announced on standard error.
    """
    results = {name: [] for name in works}
    names = list(works)
    for index in range(rounds):
        start = index % len(names) if rotate else 0
        for name in names[start:] + names[:start]:
            if title:
                print(f"{title}: round {index + 1} of {rounds}, {name}", file=sys.stderr, flush=True)
            results[name].append(works[name]())
    return results


def ratios(ours: list[float], theirs: list[float]) -> list[float]:
    """Round by round."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def spread(values: list[float], form: str = "{:.2f}", between: str = "-") -> str:
    """The median, and the extremes."""
    least, most = form.format(min(values)), form.format(max(values))
    return f"{form.format(statistics.median(values))} ({least}{between}{most})"


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
