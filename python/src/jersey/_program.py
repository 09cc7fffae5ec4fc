"""Where the program is, and what it needs to start."""

from __future__ import annotations

import importlib.util
import os
import shutil
from importlib import metadata
from pathlib import Path

from ._errors import JerseyError

# A wheel that carries the program has it here, with the version of torch that it was built with.
CARRIED = Path(__file__).parent / "_program"


def find_program(program: str | os.PathLike[str] | None = None) -> str:
    """Finds the program: the argument, then `$JERSEY`, then the one in this package, then `PATH`.

    Raises:
        JerseyError: there is none. The message says how to get it.
    """
    for given, origin in [(program, "the argument 'program'"), (os.environ.get("JERSEY"), "$JERSEY")]:
        if given:
            found = shutil.which(os.fspath(given))
            if found is None:
                raise JerseyError(f"{origin} is '{given}', but that is no program that can be run")
            return found
    carried = CARRIED / "jersey"
    if carried.exists():
        return str(carried)
    found = shutil.which("jersey")
    if found is None:
        raise JerseyError(
            "the program 'jersey' was not found. Install the wheel that carries it "
            "(jersey_reader-…-manylinux….whl), the Debian package or the tarball, or build it; "
            "then it must be on PATH, or $JERSEY must name it"
        )
    return found


def environment(program: str) -> dict[str, str]:
    """The environment in which a program runs: for the carried one, with the libraries of torch.

    Raises:
        JerseyError: it is the carried program, and torch is missing or another version.
    """
    variables = dict(os.environ)
    if Path(program).parent == CARRIED:
        libraries = str(_torch_libraries())
        others = variables.get("LD_LIBRARY_PATH")
        variables["LD_LIBRARY_PATH"] = f"{libraries}:{others}" if others else libraries
    return variables


def _torch_libraries() -> Path:
    """The folder with libtorch in the installed torch, which is not imported."""
    needed = (CARRIED / "torch-version").read_text().strip()
    advice = f"install it with: pip install 'torch=={needed}.*'"
    version = _torch_version()
    if version is None:
        raise JerseyError(f"jersey needs torch {needed}, which is not installed; {advice}")
    if version.split("+")[0].split(".")[:2] != needed.split("."):
        raise JerseyError(f"jersey needs torch {needed}, but torch {version} is installed; {advice}")
    package = importlib.util.find_spec("torch")  # of a top-level package: finds it, runs nothing
    for folder in (package.submodule_search_locations or []) if package else []:
        if (Path(folder) / "lib" / "libtorch_cpu.so").exists():
            return Path(folder) / "lib"
    raise JerseyError(f"the installed torch {version} has no lib/libtorch_cpu.so; {advice}")


def _torch_version() -> str | None:
    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return None
