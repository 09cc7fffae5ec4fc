"""The command `jersey` of a wheel that carries the program."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from ._errors import JerseyError
from ._program import CARRIED, environment


def main() -> NoReturn:
    """Becomes the program, with the same arguments."""
    program = str(CARRIED / "jersey")
    try:
        os.execve(program, ["jersey", *sys.argv[1:]], environment(program))
    except (JerseyError, OSError) as error:
        sys.exit(f"Error: {error}")
