"""Virtual environments of the scripts here, outside the repository."""
import os
import pathlib
import subprocess
import venv

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "jersey"


def python(folder: pathlib.Path, test: str, *installations: list) -> str:
    """The interpreter of an environment in which the statement `test` runs; made where it does not: a call of pip for each list."""
    interpreter = folder / "bin/python"
    if not interpreter.exists() or subprocess.run([interpreter, "-c", test], capture_output=True).returncode != 0:
        venv.create(folder, with_pip=True)
        for arguments in installations:
            subprocess.run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments], check=True)
    return str(interpreter)
