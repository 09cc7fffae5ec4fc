"""Runs work in turns, so that other load on the machine affects all alike, and summarizes results."""

import statistics
import sys
from collections.abc import Callable


def take_turns(
    works: dict[str, Callable], rounds: int, rotate: bool = False, title: str = ""
) -> dict[str, list]:
    """Calls each work once per round; returns their results by name.

    With `rotate`, each round starts with another one, so that the order changes as well. With a `title`,
    announces each turn on standard error.
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
    """Returns the ratios round by round."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def spread(values: list[float], form: str = "{:.2f}", between: str = "-") -> str:
    """Formats the median and the extremes."""
    least, most = form.format(min(values)), form.format(max(values))
    return f"{form.format(statistics.median(values))} ({least}{between}{most})"


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
