#!/usr/bin/env python3
"""Attacks `jersey serve` as hostile clients do, and restarts it under load many times.

    Tools/prove_service.py [hostile] [slow] [restarts] [reload] [--restarts 100]

hostile   each of many hostile requests gets a 4xx within a second, and the service is ready afterwards
slow      clients that send a byte at a time are disconnected in time, while others are served
restarts  SIGTERM under load: exit status 0, and every response of the service reaches its client
reload    weights are reloaded under load: every request is answered

Needs only the standard library. `schemathesis run ADDRESS/openapi.json --checks not_a_server_error` is a
fifth check.
"""

import base64
import http.client
import os
import pathlib
import socket
import sys
import tempfile
import threading
import time
import uuid

from harness.data import number_crops, sequences
from harness.programs import Parser
from harness.requests import archive, as_json, chunked, film, infer, link, post, predict, raw
from harness.service import TOKEN, Service, form, png, received

# Hostile requests: a name, and the raw bytes.


def hostile(frame: bytes) -> list:
    encoded = base64.b64encode(frame).decode()
    bomb = png(100_000, 100_000)
    large = png(4001, 4000, b"\0" * (4001 * 3 + 1) * 4000)
    many = [png(3000, 3000, b"\0" * (3000 * 3 + 1) * 3000)] * 8
    jpeg = bytearray(frame)
    mark = frame.index(b"\xff\xc0")
    jpeg[mark + 5 : mark + 9] = b"\xff\xff\xff\xff"
    boundary = "multipart/form-data; boundary=x"
    limit = 64 << 20
    return [
        ("a body of 64 MiB + 1", post("/v1/predict", b" " * (limit + 1), "application/json")),
        ("the same in chunks", chunked([b" " * (1 << 20)] * 64 + [b" "])),
        (
            "a length of 64 MiB + 1 and no body",
            post("/v1/predict", b"", "application/json", length=limit + 1),
        ),
        ("a length that overflows", post("/v1/predict", b"", "application/json", length=10**30)),
        ("a negative length", post("/v1/predict", b"", "application/json", length=-1)),
        ("65,537 chunks", chunked([b" "] * 65_537)),
        ("lists 101 deep", as_json(b"[" * 101 + b"]" * 101)),
        ("objects a million deep", as_json(b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000)),
        ("JSON of 30 million values", as_json(b'{"frames": [' + b"1," * 30_000_000 + b"1]}")),
        ("values that UTF-16 hides", as_json(('["\u2200", ' + "1," * 8_000_000 + "1]").encode("utf-16-le"))),
        ("JSON that ends early", as_json(b'{"frames": ["')),
        ("JSON that is not text", as_json(b"\xff\xfe\x00" * 100)),
        ("a byte beside base64", as_json({"frames": [encoded + "!"]})),
        ("frames that are numbers", as_json({"frames": [1, 2]})),
        ("NaN for a frame", as_json(b'{"frames": [NaN]}')),
        ("NaN as a string", as_json({"frames": ["NaN"]})),
        ("NaN for an input", infer("[NaN]", "FP32")),
        ("infinity for an input", infer("[Infinity]", "FP32")),
        ("floats for an input", infer("[1.5]", "FP32")),
        ("a shape that overflows", infer("[]", shape="[4611686018427387904, 4]")),
        ("a shape of 1e400", infer("[]", shape="[1e400]")),
        ("a negative shape", infer("[]", shape="[-1]")),
        ("1,025 frames", as_json({"frames": [encoded] * 1025})),
        ("a form without a boundary", post("/v1/predict", b"--x", "multipart/form-data")),
        ("a form with another boundary", post("/v1/predict", form([frame])[0], boundary)),
        ("a form that ends early", post("/v1/predict", form([frame])[0][:-30], form([frame])[1])),
        (
            "a form of 100,000 parts",
            post(
                "/v1/predict",
                b'--x\r\nContent-Disposition: form-data; name="frames"\r\n\r\n\r\n' * 100_000 + b"--x--",
                boundary,
            ),
        ),
        ("a form of 32 MiB of boundaries", post("/v1/predict", b"--x\r\n" * (32 << 20 >> 3), boundary)),
        (
            "a form's part with a head of 1 MiB",
            post("/v1/predict", b"--x\r\n" + b"a: b\r\n" * 170_000 + b"\r\n\r\n--x--", boundary),
        ),
        ("a picture of 100,000 x 100,000", predict(bomb)),
        ("a picture of more than 16 million pixels", predict(large)),
        ("72 million pixels in eight pictures", predict(*many)),
        ("a JPEG that claims 65,535 x 65,535", predict(bytes(jpeg))),
        ("half a picture", predict(frame[: len(frame) // 2])),
        ("an empty picture", predict(b"")),
        ("random bytes for a picture", predict(bytes(range(256)) * 40)),
        ("a GIF", predict(b"GIF89a" + b"\0" * 100)),
        (
            "an SVG with an entity",
            predict(b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>'),
        ),
        ("a zip with a path outside", archive(("../../evil.jpg", frame))),
        ("a zip with an absolute path", archive(("/tmp/evil.jpg", frame))),
        ("a zip with a link", archive(("a.jpg", link))),
        (
            "a zip bomb of a gibibyte",
            archive(*[(f"{index}/1.png", b"\0" * (15 << 20)) for index in range(70)]),
        ),
        ("a zip with one entry of 100 MiB", archive(("1.png", b"\0" * (100 << 20)))),
        ("a zip of zips", archive(("1.zip", archive(("1.jpg", frame))))),
        ("a zip of 5,000 entries", archive(*[(f"{index}.jpg", b"") for index in range(5000)])),
        ("a zip of 65 sequences", archive(*[(f"{index}/1.jpg", frame) for index in range(65)])),
        ("a zip without frames", archive(("readme.txt", b"hello"))),
        ("a zip of broken frames", archive(("1.jpg", b"broken"), ("2.jpg", frame[:100]))),
        ("not a zip", post("/v1/predict/archive", b"PK\3\4 no zip at all", "application/zip")),
        ("an empty zip", post("/v1/predict/archive", b"", "application/zip")),
        ("not a video", film("a.mp4", b"no video")),
        ("a playlist for a video", film("a.m3u8", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")),
        ("a list of files for a video", film("a", b"ffconcat version 1.0\nfile /etc/passwd\n")),
        ("an unsupported type", post("/v1/predict", b"x", "text/plain")),
        ("no type", raw("POST /v1/predict HTTP/1.1", "Content-Length: 1", "Connection: close", body=b"x")),
        ("an unsupported method", raw("DELETE /v1/predict HTTP/1.1", "Connection: close")),
        ("a path outside the root", raw("GET /../../etc/passwd HTTP/1.1", "Connection: close")),
        ("a path that is not text", raw("GET /v2/models/%ff%00%2e/ready HTTP/1.1", "Connection: close")),
        ("a line of 1 MiB", raw("GET /" + "a" * (1 << 20) + " HTTP/1.1")),
        ("10,000 fields", raw("GET / HTTP/1.1", *[f"a{index}: b" for index in range(10_000)])),
        (
            "two lengths",
            raw("POST /v1/predict HTTP/1.1", "Content-Length: 1", "Content-Length: 2", body=b"xx"),
        ),
        (
            "a length and chunks",
            raw(
                "POST /v1/predict HTTP/1.1",
                "Content-Length: 4",
                "Transfer-Encoding: chunked",
                body=b"0\r\n\r\nGET",
            ),
        ),
        (
            "a chunk with an invalid length",
            raw("POST /v1/predict HTTP/1.1", "Transfer-Encoding: chunked", body=b"zz\r\n"),
        ),
        ("not HTTP", b"\x16\x03\x01 hello\r\n\r\n"),
        ("an unknown model", as_json({"frames": [encoded]}, "/v1/predict?model=nobody")),
        ("a change without a token", post("/v2/repository/models/bundled/load", b"", "application/json")),
        (
            "a change with a wrong token",
            post(
                "/v2/repository/models/bundled/load",
                b"",
                "application/json",
                "Authorization: Bearer " + "x" * len(TOKEN),
            ),
        ),
    ]


def exchange(service: Service, request: bytes, half: bool = False) -> tuple:
    """Returns status and seconds of a raw request; `half` closes our side after it."""
    with socket.create_connection((service.host, service.port), timeout=10) as wire:
        start = time.monotonic()

        def send():
            try:
                wire.sendall(request)
                if half:
                    wire.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # Refused before everything was sent.

        # Send from another thread, because the response may come first.
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        answer = wire.recv(4096)
        seconds = time.monotonic() - start
        return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0, seconds


def prove_hostile(service: Service, frames: list) -> None:
    slowest, count = 0.0, 0
    whole = predict(*frames)
    cases = [(name, request, half) for name, request in hostile(frames[0]) for half in (False, True)]
    cases += [
        ("half a request and a half-closed connection", whole[: len(whole) // 2], True),
        ("a half-closed connection", whole, True),
    ]
    for name, request, half in cases:
        status, seconds = exchange(service, request, half)
        assert 400 <= status < 500, f"{name}: status {status}"
        assert seconds < LIMIT, f"{name}: {seconds:.2f} s"
        assert service.is_ready(), f"{name}: the service was not ready afterwards"
        slowest, count = max(slowest, seconds), count + 1
    status, _ = exchange(service, whole)
    assert status == 200, f"an honest request got {status} afterwards"
    print(
        f"hostile: {count} requests, all answered 4xx, slowest after {slowest * 1000:.0f} ms; "
        f"ready after each; {service.memory():.0f} MiB"
    )


def prove_slow(service: Service, frames: list) -> None:
    """Connects 200 clients that send a byte per second, half of them heads and half bodies."""
    wires = []
    for index in range(200):
        wire = socket.create_connection((service.host, service.port))
        wire.sendall(
            b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n"
            + (b"Content-Length: 1000\r\n\r\n" if index % 2 else b"")
        )
        wire.setblocking(False)
        wires.append(wire)
    start, slowest, answers = time.monotonic(), 0.0, []
    body = predict(*frames)
    while wires and time.monotonic() - start < 60:
        status, seconds = exchange(service, body)
        assert status == 200, f"an honest request got {status} beside slow ones"
        slowest = max(slowest, seconds)
        for wire in list(wires):
            try:
                wire.send(b"a")
                answer = wire.recv(100)
                if answer or answer == b"":
                    answers.append(answer[9:12])
                    wires.remove(wire)
            except BlockingIOError:
                pass
            except OSError:
                answers.append(b"")
                wires.remove(wire)
        time.sleep(1)
    assert not wires, f"{len(wires)} slow clients are still connected after a minute"
    assert answers.count(b"408") == 100, answers
    print(
        f"slow: all 200 disconnected after {time.monotonic() - start:.0f} s, 100 of them with 408; "
        f"honest requests took at most {slowest * 1000:.0f} ms"
    )


class Load:
    """Clients that send requests continuously, and record each response by request id."""

    def __init__(self, host: str, port: int, bodies: list, clients: int):
        self.host, self.port, self.bodies = host, port, bodies
        self.answers, self.lock, self.over = {}, threading.Lock(), False
        self.threads = [threading.Thread(target=self.ask, args=(index,)) for index in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self, index: int) -> None:
        wire = None
        while not self.over:
            request, status = str(uuid.uuid4()), None
            body, kind = self.bodies[index % len(self.bodies)]
            try:
                if wire is None:
                    wire = http.client.HTTPConnection(self.host, self.port, timeout=30)
                    wire.connect()
                status = "lost"
                wire.request("POST", "/v1/predict", body, {"Content-Type": kind, "X-Request-Id": request})
                status, wire = received(wire)
            except OSError:
                wire = None
                time.sleep(0.01)
            except http.client.HTTPException:
                wire = None
            with self.lock:
                if status is not None:
                    self.answers[request] = status
            if status in (429, 503):
                time.sleep(0.05)

    def end(self) -> dict:
        self.over = True
        for thread in self.threads:
            thread.join()
        return self.answers


def free_port() -> int:
    """Returns a free port below the ephemeral range: a client that connects to an ephemeral port without a
    listener may get that port itself and connect to itself."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("there is no free port")


def prove_restarts(jersey: str, bodies: list, count: int) -> None:
    port = free_port()
    load = Load("127.0.0.1", port, bodies, clients=8)
    records, slowest = {}, 0.0
    try:
        for index in range(count):
            service = Service(jersey, "--drain-seconds", "0.2", port=port)
            time.sleep(0.3)
            start = time.monotonic()
            status = service.end()
            slowest = max(slowest, time.monotonic() - start)
            assert status == 0, f"restart {index + 1}: exit status {status}"
            log = service.records()
            ends = [record["in_progress"] for record in log if record["message"] == "ended"]
            assert ends == [0], f"restart {index + 1}: requests in flight at the end: {ends}"
            records.update(
                {
                    record["request_id"]: record["status"]
                    for record in log
                    if record["message"] == "request" and record["path"] == "/v1/predict"
                }
            )
    finally:
        answers = load.end()
    answered = [request for request, status in records.items() if status == 200]
    wrong = [request for request, status in records.items() if answers.get(request) != status]
    lost = sum(status == "lost" for status in answers.values())
    assert not wrong, f"{len(wrong)} responses of the service did not reach their clients, such as {wrong[0]}"
    print(
        f"restarts: {count}, each with exit status 0, slowest after {slowest:.1f} s; "
        f"{len(answered)} requests answered, and all responses received; "
        f"{sum(status == 503 for status in records.values())} got 503; "
        f"{lost} never reached the service"
    )


def prove_reload(service: Service, bodies: list, count: int = 20) -> None:
    load = Load(service.host, service.port, bodies, clients=4)
    for _ in range(count):
        wire = http.client.HTTPConnection(service.host, service.port)
        wire.request("POST", "/v2/repository/models/bundled/load", "", {"Authorization": f"Bearer {TOKEN}"})
        assert wire.getresponse().status == 200
    answers = load.end()
    others = set(answers.values()) - {200}
    assert not others, f"requests got {others} during a reload"
    print(f"reload: {count} times under load; {len(answers)} requests, all answered")


LIMIT = 1.0  # seconds


def main() -> None:
    parser = Parser(__doc__)
    parser.add_argument("proofs", nargs="*", default=["hostile", "slow", "restarts", "reload"])
    parser.add_jersey()
    parser.add_argument("--restarts", type=int, default=100)
    options = parser.parse_args()
    jersey = options.jersey
    with tempfile.TemporaryDirectory() as folder:
        data = sequences(number_crops(jersey, pathlib.Path(folder) / "data", "7,10,23,48", frames=8))
        bodies = [form(frames) for frames in data]
        if "restarts" in options.proofs:
            prove_restarts(jersey, bodies, options.restarts)
        with Service(jersey) as service:
            if "hostile" in options.proofs:
                prove_hostile(service, data[0])
            if "reload" in options.proofs:
                prove_reload(service, bodies)
            if "slow" in options.proofs:
                prove_slow(service, data[0])


if __name__ == "__main__":
    sys.exit(main())
