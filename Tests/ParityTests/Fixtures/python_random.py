"""Writes python_random.json: shuffles of CPython's random.Random, and the study's splits with it.

python3 python_random.py > python_random.json
"""
import json
import random
import sys


def shuffled(seed, count):
    items = list(range(count))
    random.Random(seed).shuffle(items)
    return items


def split(seed, ratios, tracks):
    """Splits the tracks of each number as the study does."""
    rng = random.Random(seed)
    parts = {"train": set(), "val": set(), "test": set()}
    for _, ids in sorted(tracks.items()):
        ids = sorted(ids)
        n = len(ids)
        rng.shuffle(ids)
        train = max(1, int(n * ratios[0])) if n >= 3 else (1 if n >= 2 else 0)
        val = max(1, int(n * ratios[1])) if n >= 3 else (1 if n >= 2 and train > 0 else 0)
        parts["train"].update(ids[:train])
        parts["val"].update(ids[train : train + val])
        parts["test"].update(ids[train + val :])
    return {name: sorted(ids) for name, ids in parts.items()}


# Numbers whose text order differs from their numeric order, and track names whose text order is not
# natural.
counts = {"4": 12, "6": 3, "8": 41, "9": 2, "48": 7, "49": 1, "64": 10, "66": 5, "88": 29, "89": 20, "07": 6, "7": 11}
tracks = {number: [f"{number}/track_{i * 7 % 103}" for i in range(1, n + 1)] for number, n in counts.items()}
splits = [(42, [0.8, 0.1, 0.1]), (7, [0.8, 0.1, 0.1]), (2024, [0.6, 0.2, 0.2]), (5, [0.7, 0.0, 0.3]), (3, [1.0, 0.0, 0.0])]
json.dump(
    {
        "shuffles": [
            {"seed": str(seed), "items": shuffled(seed, count)}
            for seed, count in [(0, 9), (1, 2), (42, 0), (42, 1), (42, 40), (123, 700), (2**31, 17), (2**32, 33), (2**64 - 1, 65)]
        ],
        "splits": [{"seed": seed, "ratios": ratios, "tracks": tracks, **split(seed, ratios, tracks)} for seed, ratios in splits],
    },
    sys.stdout,
)
