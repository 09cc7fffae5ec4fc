"""A running `jersey serve`, and requests to send."""

import http.client
import json
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import time
import urllib.request
import zlib

TOKEN = "a-token-for-proofs,-and-no-secret"
# docs/guides/serve.md recommends unpacking archives in memory, where available.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()


def form(frames: list, boundary: bytes = b"frontier") -> tuple:
    """Returns a form with frames, and its content type."""
    head = b"--" + boundary + b'\r\nContent-Disposition: form-data; name="frames"; filename="%d.jpg"\r\n\r\n'
    parts = b"".join(head % index + frame + b"\r\n" for index, frame in enumerate(frames))
    return parts + b"--" + boundary + b"--\r\n", f"multipart/form-data; boundary={boundary.decode()}"


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """Makes a PNG of 8-bit RGB that claims this size and contains these rows."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def received(wire: http.client.HTTPConnection) -> tuple:
    """Reads a response; returns its status, and the connection, or None if the service closes it."""
    answer = wire.getresponse()
    answer.read()
    if answer.getheader("Connection") == "close":
        wire.close()
        return answer.status, None
    return answer.status, wire


class Service:
    """A `jersey serve` on a free port, with its log."""

    def __init__(self, jersey: str, *arguments: str, port: int = 0):
        self.log = tempfile.NamedTemporaryFile(prefix="jersey-serve-", suffix=".log")
        # Logs go to a file, so that no pipe can fill up.
        environment = {**os.environ, "JERSEY_ADMIN_TOKEN": TOKEN, "TMPDIR": MEMORY}
        self.process = subprocess.Popen(
            [jersey, "serve", "--port", str(port), *arguments],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=environment,
        )
        line = self.process.stdout.readline()
        if " at " not in line:
            raise RuntimeError(f"the service failed to start: {pathlib.Path(self.log.name).read_text()}")
        self.address = line.split(" at ")[1].strip()
        self.host, port = self.address.removeprefix("http://").split(":")
        self.port = int(port)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        for _ in range(1200):
            if self.is_ready():
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"the service exited: {pathlib.Path(self.log.name).read_text()}")
            time.sleep(0.05)
        raise RuntimeError("the service was not ready within a minute")

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.address + "/v2/health/ready", timeout=5) as answer:
                return json.load(answer)["ready"]
        except OSError:
            return False

    def memory(self) -> float:
        """Returns the resident memory in MiB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the service has exited")

    def end(self) -> int:
        """Sends SIGTERM; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)

    def records(self) -> list:
        """Returns its log records."""
        lines = pathlib.Path(self.log.name).read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
