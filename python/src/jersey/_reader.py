"""A process of the program that stays."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import threading
import uuid
import weakref
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import IO, Any

from ._errors import JerseyError
from ._pictures import Picture, encoded, frames_of
from ._predict import StrPath, flags
from ._program import environment, find_program
from ._results import Prediction

# Starts the program, waits for the end of standard input, and ends the program. So it ends with this
# process, however that ends, and whichever thread started it.
_KEEPER = '"$@" < /dev/null & child=$!; exec 1>&- 2>&-; read -r line; kill "$child"; wait "$child"'

# The caller is trusted, so that limits only guard against mistakes. They are in the units of --limit.
_LIMITS = {
    "body": 1024,
    "body-time": 600,
    "client-connections": 1000,
    "client-memory": 4096,
    "client-queue": 1000,
    "frame-pixels": 64,
    "frames": 100_000,
    "memory": 4096,
    "request-cpu": 600,
    "request-time": 600,
    "sequence-pixels": 1000,
}
_OPTIONS = {"connections": 1000, "drain_seconds": 0, "queue": 1000}


class Reader:
    """A process of the program that stays, so that the model is loaded once.

    It starts with the first `read` and ends with `close`, at the end of a `with` block, or with Python. Any
    number of threads may read at once: the program reads their frames in one batch.

    Args:
        program: the program, if it is not the one that `find_program` finds.
        weights: a file with weights instead of the bundled model.
        options: others of `jersey serve`, with underscores: `target=0.99`, `threads=4`, `device="cuda"`,
            `precision="float32"`, `anytime=True`.
    """

    def __init__(
        self, program: StrPath | None = None, *, weights: StrPath | None = None, **options: Any
    ) -> None:
        self._program = program
        self._options = dict(options)
        if weights is not None:
            self._options["model"] = f"model={os.fspath(weights)}"
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def read(self, frames: Picture | Iterable[Picture], *, bgr: bool = False) -> Prediction:
        """Reads the number of one player.

        Args:
            frames: pictures of the player in time order: arrays of uint8 of shape (height, width, 3) in RGB,
                images of Pillow, or the bytes of JPEG or PNG files.
            bgr: whether the colours of arrays are in OpenCV's order.
        Raises:
            JerseyError: with the program's own message; also if the program ended. The next call starts it
                anew.
        """
        pictures = [encoded(frame, bgr=bgr) for frame in frames_of(frames)]
        if not pictures:
            raise ValueError("there are no frames to read")
        kind, body = _form(pictures)
        return Prediction.from_json(self._running().ask("/v1/predict", kind, body))

    def close(self) -> None:
        """Ends the process. The next `read` starts another."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _running(self) -> _Process:
        with self._lock:
            if self._process is not None and not self._process.is_alive:
                self._process.close()
                self._process = None
            if self._process is None:
                self._process = _Process(self._program, self._options)
            return self._process


class _Process:
    """`jersey serve` on a free port of the loopback."""

    def __init__(self, program: StrPath | None, options: dict[str, Any]) -> None:
        executable = find_program(program)
        limits = {"limit": [f"{name}={value}" for name, value in _LIMITS.items()]}
        words = [executable, "serve", "--port", "0", *flags(limits), *flags({**_OPTIONS, **options})]
        self.keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "jersey", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(executable),
            start_new_session=True,  # Ctrl-C in a terminal is meant for Python
        )
        assert self.keeper.stdout is not None and self.keeper.stderr is not None
        # The log is read as long as the process lives, so that it never waits for us.
        self.log: deque[str] = deque(maxlen=40)
        self.drain = threading.Thread(target=_drain, args=(self.keeper.stderr, self.log), daemon=True)
        self.drain.start()
        self._finalizer = weakref.finalize(self, _end, self.keeper, os.getpid())
        line = self.keeper.stdout.readline().decode(errors="replace")
        address = re.search(r" at http://([\d.]+):(\d+)", line)
        if address is None:
            raise self.failure()
        self.host, self.port = address[1], int(address[2])

    @property
    def is_alive(self) -> bool:
        # The program and nobody else holds the other end.
        return self.drain.is_alive()

    def ask(self, route: str, kind: str, body: bytes) -> Any:
        connection = http.client.HTTPConnection(self.host, self.port)
        try:
            connection.request("POST", route, body, {"Content-Type": kind})
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.drain.join(1)
            if not self.is_alive:
                raise self.failure() from error
            raise JerseyError(f"the program did not answer: {error or type(error).__name__}") from error
        finally:
            connection.close()
        try:
            value = json.loads(text)
        except ValueError as error:
            raise JerseyError(f"the program answered {status} without JSON", status) from error
        if status != 200:
            raise JerseyError(str(value.get("error", f"the program answered {status}")), status)
        return value

    def failure(self) -> JerseyError:
        """Why the program ended, once it has."""
        self._finalizer()
        self.drain.join(5)
        status = self.keeper.returncode
        lines = list(self.log)
        for place, line in enumerate(lines):
            if line.startswith("Error: "):
                rest = [more for more in lines[place + 1 :] if not more.startswith(("Usage: ", "  See "))]
                return JerseyError("\n".join([line[len("Error: ") :], *rest]), status)
        last = "".join(f"\n{line}" for line in lines[-5:])
        return JerseyError(f"the program ended with status {status}{last}", status)

    def close(self) -> None:
        self._finalizer()


def _drain(stream: IO[bytes], log: deque[str]) -> None:
    for line in stream:
        text = line.decode(errors="replace").rstrip()
        if text:
            log.append(text)


def _end(keeper: subprocess.Popen[bytes], owner: int) -> None:
    """Ends a process; a copy of Python that was forked leaves it alone."""
    if os.getpid() != owner or keeper.stdin is None:
        return
    keeper.stdin.close()
    try:
        keeper.wait(40)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()
    if keeper.stdout is not None:
        keeper.stdout.close()


def _form(pictures: list[bytes]) -> tuple[str, bytes]:
    """A form with one field `frames` a picture: its type and its body."""
    boundary = uuid.uuid4().hex
    parts: list[bytes] = []
    for place, picture in enumerate(pictures):
        head = f'Content-Disposition: form-data; name="frames"; filename="{place + 1}"'
        parts += [
            f"--{boundary}\r\n{head}\r\nContent-Type: application/octet-stream\r\n\r\n".encode(),
            picture,
            b"\r\n",
        ]
    return f"multipart/form-data; boundary={boundary}", b"".join([*parts, f"--{boundary}--\r\n".encode()])
