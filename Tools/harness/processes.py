"""Runs commands and measures them with the system's counters; waits for conditions."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass


class Failure(Exception):
    """A command that could not be run, or ended with an unexpected status."""


def exit_with(main: Callable) -> None:
    """Runs a script's `main` and exits with its result; a failure prints its message without a trace."""
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)


@dataclass
class Measured:
    """The measurements of a finished process."""

    output: str
    # Wall time and CPU time with children, in seconds.
    seconds: float
    cpu: float
    # CPU seconds of the process without children; 0 without /proc.
    own: float
    # Peak resident memory, in bytes.
    peak: int


def measured(command: list, environment: dict | None = None, statuses: tuple = (0,)) -> Measured:
    """Runs a command and measures it with the system's counters, the same way for every program."""
    command = [str(word) for word in command]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        try:
            process = subprocess.Popen(
                command, stdout=output, stderr=errors, env=os.environ | (environment or {})
            )
        except OSError as error:
            raise Failure(f"cannot run {command[0]}: {error.strerror}") from None
        # Its own counters stay readable until it has been waited for.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        seconds = time.perf_counter() - start
        own = own_seconds(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode not in statuses:
            tail = errors.read().decode(errors="replace").strip()[-2000:]
            raise Failure(f"{' '.join(command)}\nended with status {process.returncode}:\n{tail}")
        unit = 1 if sys.platform == "darwin" else 1024
        return Measured(
            output.read().decode(errors="replace"),
            seconds,
            usage.ru_utime + usage.ru_stime,
            own,
            usage.ru_maxrss * unit,
        )


def own_seconds(process: int) -> float:
    """Returns the CPU seconds of a process, without its children."""
    try:
        words = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def open_files(process: int) -> dict[int, str]:
    """Returns the target of each descriptor of a process."""
    found = {}
    try:
        for entry in os.scandir(f"/proc/{process}/fd"):
            try:
                found[int(entry.name)] = os.readlink(entry.path)
            except OSError:
                pass
    except OSError:
        pass
    return found


def wait_until(condition: Callable, seconds: float, pause: float = 0.02) -> bool:
    """Returns whether the condition became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(pause)
    return bool(condition())
