#!/usr/bin/env python3
"""Attacks `jersey serve` with everything known, all at once, beside honest requests, and ends the service
in the middle.

    Tools/attack.py [--seconds 300] [--attackers 8] [--p99 1.0] [--memory 3700]

Each attacker has its own address (127.0.1.x) and repeats all kinds of attack, several at a time. Honest
clients, also with their own addresses, ask for one frame at a time. The script prints their responses and
times, the peak memory of the service with its decoders, and how SIGTERM ends it. It fails if the 99th
percentile of honest responses, the memory, or the time to exit exceeds its bound, or an honest request
gets no response.

Videos need `ffmpeg`; otherwise the script needs only the standard library.
"""

import base64
import collections
import http.client
import io
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

from harness.data import number_crops, sequences
from harness.programs import Parser
from harness.service import Service, form, png, received


def archive(entries: list) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries:
            packed.writestr(name, content)
    return file.getvalue()


def video(folder: pathlib.Path, name: str, arguments: str) -> bytes:
    path = folder / f"{name}.mp4"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", *arguments.split(), "-c:v", "libx264", path]
    subprocess.run(command, check=True)
    return path.read_bytes()


def film(content: bytes) -> tuple:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
        + content
        + b"\r\n--x--\r\n"
    )
    return "/v1/predict", body, "multipart/form-data; boundary=x"


def attacks(folder: pathlib.Path, frame: bytes) -> dict:
    """Returns path, body and type of each attack, by its name."""
    large = png(3968, 3968, bytes((3968 * 3 + 1) * 3968))
    found = {
        "64 folders of large pictures": (
            "/v1/predict/archive",
            archive([(f"{a}/{b}.png", large) for a in range(64) for b in range(4)]),
            "application/zip",
        ),
        "an output name of 60 MiB": (
            "/v2/models/bundled/infer",
            b'{"inputs":[],"outputs":[{"name":"' + b"x" * (60 << 20) + b'"}]}',
            "application/json",
        ),
        "four large pictures": ("/v1/predict", *form([large] * 4)),
        "1,024 frames": ("/v1/predict", *form([frame] * 1024)),
        "60 MiB of base64": (
            "/v1/predict",
            json.dumps({"frames": [base64.b64encode(bytes(45 << 20)).decode()]}).encode(),
            "application/json",
        ),
        "a zip bomb": (
            "/v1/predict/archive",
            archive([(f"{index}/1.png", bytes(15 << 20)) for index in range(8)]),
            "application/zip",
        ),
    }
    if shutil.which("ffmpeg"):
        long = "-i color=black:size=3968x3968:rate=10 -frames:v 256 -pix_fmt yuv420p"
        quickly = "-preset ultrafast -crf 45 -g 2000"
        found["a long video of large frames"] = film(video(folder, "long", f"{long} {quickly}"))
        costly = "-i testsrc2=size=3968x3968:rate=10 -frames:v 24 -pix_fmt yuv444p10le"
        many = "-refs 11 -x264-params ref=11:level=62:bframes=0:me=dia:subme=1:threads=2"
        arguments = f"{costly} -preset veryfast {many} -crf 45"
        found["a video that takes gigabytes"] = film(video(folder, "gigabytes", arguments))
        tiny = "-i testsrc2=size=64x64:rate=25 -frames:v 1024 -pix_fmt yuv420p"
        found["a long video of tiny frames"] = film(video(folder, "tiny", tiny))
    return found


class Run:
    def __init__(self, options, service: Service, attacks: dict, frame: bytes):
        self.options, self.service, self.attacks = options, service, attacks
        self.body, self.kind = form([frame])
        self.lock, self.over = threading.Lock(), False
        self.hostile, self.honest, self.peak = collections.Counter(), [], 0.0
        self.slowest = collections.Counter()

    def connect(self, address: str, timeout: float = 120) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(
            "127.0.0.1", self.service.port, timeout=timeout, source_address=(address, 0)
        )

    # Attackers

    def attack(self, address: str, seed: int) -> None:
        draw = random.Random(seed)
        while not self.over:
            name = draw.choice(list(self.attacks))
            path, body, kind = self.attacks[name]
            leaves = draw.random() < 0.3
            start = time.monotonic()
            try:
                wire = self.connect(address, 1 if leaves else 120)
                wire.request("POST", path, body, {"Content-Type": kind})
                status = wire.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                status = "left" if leaves else type(error).__name__
            finally:
                wire.close()
            with self.lock:
                self.hostile[(name, status)] += 1
                self.slowest[name] = max(self.slowest[name], time.monotonic() - start)
            if status in (429, "ConnectionRefusedError", "ConnectionResetError", "BrokenPipeError"):
                time.sleep(0.2)

    def hold(self, address: str) -> None:
        """Holds idle connections, half heads and stalled bodies."""
        while not self.over:
            wires = []
            try:
                for index in range(200):
                    wire = socket.create_connection(
                        ("127.0.0.1", self.service.port), timeout=5, source_address=(address, 0)
                    )
                    wires.append(wire)
                    if index % 50 == 0:
                        wire.sendall(
                            b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n"
                            b"Content-Type: application/json\r\nContent-Length: 67108864\r\n\r\n"
                        )
                        wire.sendall(b" " * (20 << 20))
                    elif index % 3 == 0:
                        wire.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    elif index % 3 == 1:
                        wire.sendall(b"GET / HTTP/1.1\r\nHo")
            except OSError:
                pass
            for _ in range(30):
                if not self.over:
                    time.sleep(0.2)
            for wire in wires:
                wire.close()

    # Honest clients

    def ask(self, address: str) -> None:
        wire = None
        while not self.over:
            start, sent = time.monotonic(), False
            try:
                if wire is None:
                    wire = self.connect(address)
                    wire.connect()
                wire.request("POST", "/v1/predict", self.body, {"Content-Type": self.kind})
                sent = True
                status, wire = received(wire)
            except ConnectionRefusedError:
                # The service has ended.
                wire = None
                time.sleep(0.1)
                continue
            except (OSError, http.client.HTTPException) as error:
                status, wire = type(error).__name__, None
            with self.lock:
                self.honest.append((status, time.monotonic() - start, start, sent))
            time.sleep(0.05)

    def watch(self) -> None:
        while not self.over:
            self.peak = max(self.peak, family_memory(self.service.process.pid))
            time.sleep(0.2)


def family_memory(process: int) -> float:
    """Returns the resident memory of a process and its children in MiB; memory that decoders share counts
    once, with the service."""
    total = 0
    for folder in pathlib.Path("/proc").iterdir():
        try:
            stat = (folder / "stat").read_text()
            if int(folder.name) == process or int(stat.rpartition(")")[2].split()[1]) == process:
                fields = (folder / "statm").read_text().split()
                # A decoder shares only the program itself with the service.
                pages = int(fields[1]) if int(folder.name) == process else int(fields[1]) - int(fields[2])
                total += pages * os.sysconf("SC_PAGESIZE")
        except (OSError, ValueError, IndexError):
            continue
    return total / 2**20


def main() -> None:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--attackers", type=int, default=8)
    parser.add_argument("--honest", type=int, default=2)
    parser.add_argument("--p99", type=float, default=1.0, help="bound for honest responses, in seconds")
    parser.add_argument("--memory", type=float, default=3700, help="bound for memory, in MiB")
    parser.add_argument("--end", type=float, default=30, help="bound for the exit after SIGTERM, in seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        frame = sequences(number_crops(options.jersey, folder / "data", "7", frames=1))[0][0]
        kinds = attacks(folder, frame)
        with Service(options.jersey) as service:
            run = Run(options, service, kinds, frame)
            threads = [
                threading.Thread(target=run.attack, args=(f"127.0.1.{index % options.attackers + 1}", index))
                for index in range(3 * options.attackers)
            ]
            threads += [
                threading.Thread(target=run.hold, args=(f"127.0.2.{index + 1}",)) for index in range(2)
            ]
            honest = [
                threading.Thread(target=run.ask, args=(f"127.0.3.{index + 1}",))
                for index in range(options.honest)
            ]
            for thread in [*threads, *honest, threading.Thread(target=run.watch)]:
                thread.start()
            try:
                time.sleep(options.seconds)
                term = time.monotonic()
                status = service.end()
                seconds = time.monotonic() - term
            finally:
                run.over = True
            for thread in honest + threads:
                thread.join()
    report(options, run, term, seconds, status)


def report(options, run: Run, term: float, seconds: float, status: int) -> None:
    before = [(status, time) for status, time, start, _ in run.honest if start < term]
    times = sorted(time for status, time in before if status == 200)
    p99 = times[int(0.99 * len(times))] if times else float("inf")
    for name in run.attacks:
        statuses = ", ".join(
            f"{count} × {status}"
            for (kind, status), count in sorted(run.hostile.items(), key=str)
            if kind == name
        )
        print(f"attack: {name}: {statuses}; slowest {run.slowest[name]:.1f} s")
    others = collections.Counter(status for status, _ in before if status != 200)
    after = collections.Counter(status for status, _, start, _ in run.honest if start >= term)
    lost = [status for status, _, start, sent in run.honest if sent and not isinstance(status, int)]
    print(
        f"honest: {len(times)} answered, median {times[len(times) // 2] * 1000 if times else 0:.0f} ms, "
        f"p99 {p99 * 1000:.0f} ms, slowest {times[-1] * 1000 if times else 0:.0f} ms; "
        f"others before SIGTERM {dict(others)}; from SIGTERM on {dict(after)}"
    )
    print(
        f"memory: {run.peak:.0f} MiB at most, including decoders; "
        f"SIGTERM: exit status {status} after {seconds:.1f} s"
    )
    assert times and p99 < options.p99, "honest requests waited too long"
    assert not others, "honest requests were refused"
    assert not lost, f"{len(lost)} honest requests got no response: {lost[:3]}"
    assert run.peak < options.memory, "too much memory"
    assert seconds < options.end + 1, "the service did not exit in time"


if __name__ == "__main__":
    sys.exit(main())
