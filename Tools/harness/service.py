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
# Archives are unpacked in memory where there is such a file system, as docs/guides/serve.md has it.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()


def form(frames: list, boundary: bytes = b"frontier") -> tuple:
    """A form of frames, and its content type."""
    head = b"--" + boundary + b'\r\nContent-Disposition: form-data; name="frames"; filename="%d.jpg"\r\n\r\n'
    parts = b"".join(head % index + frame + b"\r\n" for index, frame in enumerate(frames))
    return parts + b"--" + boundary + b"--\r\n", f"multipart/form-data; boundary={boundary.decode()}"


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG of 8-bit RGB that claims this size and holds these rows."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def received(wire: http.client.HTTPConnection) -> tuple:
    """The status of an answer, read to its end, and the connection, or None where the service closes it."""
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
        # Its logs go to a file, so that no pipe can fill.
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
            raise RuntimeError(f"the service did not start: {pathlib.Path(self.log.name).read_text()}")
        self.address = line.split(" at ")[1].strip()
        self.host, port = self.address.removeprefix("http://").split(":")
        self.port = int(port)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        for _ in range(1200):
            if self.is_ready():
                return
            if self.process.poll() is not None:
                raise RuntimeError(f"the service ended: {pathlib.Path(self.log.name).read_text()}")
            time.sleep(0.05)
        raise RuntimeError("the service is not ready after a minute")

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(self.address + "/v2/health/ready", timeout=5) as answer:
                return json.load(answer)["ready"]
        except OSError:
            return False

    def memory(self) -> float:
        """Resident memory, MiB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the service has ended")

    def end(self) -> int:
        """Bids it end, and gives its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)

    def records(self) -> list:
        """What it has logged, line by line."""
        lines = pathlib.Path(self.log.name).read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
