"""Shared by the tests: the program, and rendered pictures and a rendered match for it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import jersey


@pytest.fixture(scope="session")
def program() -> str:
    """The program as `find_program` finds it, or a build of this clone."""
    try:
        return jersey.find_program()
    except jersey.JerseyError as error:
        for build in ["release", "debug"]:
            built = Path(__file__).parents[2] / ".build" / build / "jersey"
            if built.exists():
                return str(built)
        pytest.skip(str(error))


def synthesize(program: str, out: Path, options: str) -> None:
    subprocess.run([program, "synthesize", "--out", out, *options.split()], check=True, capture_output=True)


@pytest.fixture(scope="session")
def crops(program: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four JPEG pictures of a player with the number 23."""
    folder = tmp_path_factory.mktemp("crops")
    easy = "--difficulty easy --framing number"
    synthesize(program, folder, f"{easy} --numbers 23 --tracks 1 --sequences 1 --frames 4 --seed 1")
    return next(path.parent for path in sorted(folder.rglob("*.jpg")))


@pytest.fixture(scope="session")
def match(program: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of two seconds with players 7, 23 and 48; the boxes lie beside it in match.txt."""
    video = tmp_path_factory.mktemp("match") / "match.mp4"
    synthesize(program, video, "--numbers 7,23,48 --frames 50 --seed 3")
    return video


@pytest.fixture
def fake(tmp_path: Path):
    """Makes a program of a shell script."""

    def make(script: str) -> str:
        path = tmp_path / "fake-jersey"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make
