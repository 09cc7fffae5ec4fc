"""Virtual environments for the scripts, outside the repository."""

import os
import pathlib
import subprocess
import sys
import venv

from harness.programs import PEERS

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "jersey"


def python(folder: pathlib.Path, test: str, *installations: list) -> str:
    """Returns the interpreter of the environment in `folder`.

    If the statement `test` fails there, creates the environment, with one call of pip per list.
    """
    interpreter = folder / "bin/python"
    if (
        not interpreter.exists()
        or subprocess.run([interpreter, "-c", test], capture_output=True).returncode != 0
    ):
        packages = [word for words in installations for word in words if not word.startswith("-")]
        print(f"installing {', '.join(packages)} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        for arguments in installations:
            command = [
                interpreter,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                *arguments,
            ]
            subprocess.run(command, check=True)
    return str(interpreter)


def peers_python() -> str:
    """Returns the interpreter with PyTorch and other peers: JERSEY_PYTHON, or the one from peers/setup.sh."""
    if given := os.environ.get("JERSEY_PYTHON"):
        return given
    setup = subprocess.run([PEERS / "setup.sh"], stdout=subprocess.PIPE, text=True)
    if setup.returncode != 0:
        sys.exit("peers/setup.sh failed; see above")
    return setup.stdout.strip()
