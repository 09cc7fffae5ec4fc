"""Rendered data sets."""

import pathlib
import subprocess


def synthesize(jersey, out: pathlib.Path, numbers: str | None = None, **options) -> pathlib.Path:
    """Renders with `jersey synthesize`; keywords become options."""
    if numbers is not None:
        options["numbers"] = numbers
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    command = [jersey, "synthesize", "--out", out, *words]
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
    return out


def number_crops(
    jersey,
    out: pathlib.Path,
    numbers: str,
    tracks: int = 1,
    frames: int = 16,
    seed: int = 5,
    unreadable: float = 0,
) -> pathlib.Path:
    """Renders number crops in the folders format, one sequence per track."""
    return synthesize(
        jersey,
        out,
        numbers,
        framing="number",
        tracks=tracks,
        sequences=1,
        frames=frames,
        seed=seed,
        unreadable=unreadable,
    )


def sequence_folders(data: pathlib.Path) -> list[pathlib.Path]:
    """Returns the sequence folders of a data set in the folders format."""
    return sorted(folder for folder in data.glob("*/*/*") if folder.is_dir())


def sequences(data: pathlib.Path) -> list[list[bytes]]:
    """Returns the frames of each sequence, in order, as bytes."""
    folders = sorted({frame.parent for frame in data.rglob("*.jpg")})
    return [[frame.read_bytes() for frame in sorted(folder.glob("*.jpg"))] for folder in folders]
