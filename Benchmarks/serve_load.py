#!/usr/bin/env python3
"""Measures `jersey serve` under load.

    Benchmarks/serve_load.py [--weights FILE] [throughput] [overload] [soak] [latency]
    Benchmarks/serve_load.py turns --before PROGRAM [--requests 800]

throughput  the service's sequences/s relative to the same model in process, at the same batch size, in
            turns
latency     with one client, and with several
turns       sequences/s of this program's service relative to another's, in turns
overload    twice the capacity, for --minutes: the wait of accepted requests, memory, and recovery
soak        half the capacity, for --soak-minutes: whether memory grows

"In process" is `jersey predict`: the time for --sequences more of them in one call. The clients run on
the same machine and take their share of it. Needs only the standard library.
"""

import pathlib
import selectors
import socket
import statistics
import tempfile
import time
import urllib.request

from harness.data import number_crops, sequences
from harness.processes import exit_with, measured
from harness.programs import Parser
from harness.service import Service, form
from harness.turns import quantile, ratios, spread


class Clients:
    """Many connections in one thread, each with one request at a time."""

    def __init__(self, service: Service, requests: list, count: int):
        self.service, self.requests, self.selector = service, requests, selectors.DefaultSelector()
        # Idle connections; and busy ones, with the request, its start, and the response so far.
        self.idle, self.sent, self.next = [self.connection() for _ in range(count)], {}, 0
        # Status and seconds of each response.
        self.answers = []

    def connection(self) -> socket.socket:
        wire = socket.create_connection((self.service.host, self.service.port))
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return wire

    def send(self, due: float, request: bytes | None = None) -> None:
        """Sends the next request; its time counts from `due`."""
        wire = self.idle.pop()
        if request is None:
            request = self.requests[self.next % len(self.requests)]
            self.next += 1
        try:
            wire.sendall(request)
        except OSError:
            pass  # `receive` notices that it is closed.
        self.sent[wire] = (request, due, b"")
        self.selector.register(wire, selectors.EVENT_READ)

    def receive(self, timeout: float) -> None:
        for key, _ in self.selector.select(max(timeout, 0)):
            wire = key.fileobj
            request, due, answer = self.sent[wire]
            try:
                piece = wire.recv(1 << 16)
            except OSError:
                piece = b""
            answer += piece
            head, _, body = answer.partition(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            if piece and (not length or len(body) < int(length)):
                self.sent[wire] = (request, due, answer)
                continue
            self.selector.unregister(wire)
            del self.sent[wire]
            if piece:
                self.answers.append((int(head[9:12]), time.perf_counter() - due))
                self.idle.append(wire)
            else:
                # It was idle longer than the service allows. Retry, as other clients do.
                wire.close()
                self.idle.append(self.connection())
                self.send(due, request)

    def closed(self, count: int) -> float:
        """Each client sends again as soon as it has a response. Returns the seconds for `count` of them."""
        start, begun = time.perf_counter(), 0
        done = len(self.answers) + count
        while len(self.answers) < done:
            while self.idle and begun < count:
                self.send(time.perf_counter())
                begun += 1
            self.receive(1)
        return time.perf_counter() - start

    def open(self, rate: float, seconds: float, tick=lambda: None) -> None:
        """Sends at a fixed rate, whether or not responses keep up."""
        start, begun = time.perf_counter(), 0
        while True:
            now = time.perf_counter()
            if now - start > seconds:
                break
            due = start + begun / rate
            while due <= now and self.idle:
                self.send(due)
                begun += 1
                due = start + begun / rate
            tick()
            self.receive(min(max(due - time.perf_counter(), 0), 0.05) if self.idle else 0.05)
        while self.sent:
            self.receive(1)

    def close(self) -> None:
        for wire in self.idle:
            wire.close()


class Subject:
    def __init__(self, options, folder: pathlib.Path):
        self.options, self.jersey = options, options.jersey
        self.data = folder / "data"
        number_crops(self.jersey, self.data, "0-99", tracks=max(1, options.sequences // 100), frames=16)
        self.one = number_crops(self.jersey, folder / "one", "7", frames=16)
        self.requests = []
        for frames in sequences(self.data):
            body, kind = form(frames)
            head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
            self.requests.append(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def service(self, *more: str, program: str | None = None) -> Service:
        model = ["--model", f"m={self.options.weights}"] if self.options.weights else []
        return Service(program or self.jersey, *self.reading(), *model, *more)

    def reading(self) -> list:
        """Returns options for reading, for the service and the command alike."""
        threads = ["--threads", str(self.options.threads)] if self.options.threads else []
        anytime = ["--anytime"] if self.options.anytime else []
        form = ["--device", self.options.device, "--precision", self.options.precision]
        return ["--batch-size", str(self.options.batch_size), *form, *threads, *anytime]

    def in_process(self) -> float:
        """Returns sequences per second of `jersey predict`, without its start."""
        weights = ["--weights", self.options.weights] if self.options.weights else []

        def seconds(data: pathlib.Path) -> float:
            return measured(
                [self.jersey, "predict", data, "--format", "json", *self.reading(), *weights]
            ).seconds

        return (len(self.requests) - 1) / (seconds(self.data) - seconds(self.one))

    def capacity(self, service: Service, count: int | None = None) -> float:
        clients = Clients(service, self.requests, 2 * self.options.batch_size)
        clients.closed(4 * self.options.batch_size)
        rate = (count or len(self.requests)) / clients.closed(count or len(self.requests))
        assert all(status == 200 for status, _ in clients.answers)
        clients.close()
        return rate


def throughput(subject: Subject) -> None:
    ours, theirs = [], []
    with subject.service() as service:
        for _ in range(subject.options.rounds):
            theirs.append(subject.in_process())
            ours.append(subject.capacity(service))
        batches = metric(service, "jersey_batch_size_sum") / metric(service, "jersey_batch_size_count")
    print(
        f"throughput: service {statistics.median(ours):.0f} sequences/s, "
        f"in process {statistics.median(theirs):.0f}, ratio "
        f"{spread(ratios(ours, theirs))}, batches of {batches:.1f}"
    )


def turns(subject: Subject) -> None:
    options = subject.options
    ours, theirs = [], []
    with subject.service() as after, subject.service(program=options.before) as before:
        for turn in range(options.rounds):
            # Alternate the order, because the first of a pair may have an advantage.
            for rates, service in [(ours, after), (theirs, before)][:: 1 if turn % 2 else -1]:
                rates.append(subject.capacity(service, options.requests))
    print(
        f"turns: {statistics.median(ours):.0f} sequences/s, before {statistics.median(theirs):.0f}, "
        f"ratio {spread(ratios(ours, theirs))}"
    )


def latency(subject: Subject) -> None:
    with subject.service() as service:
        for count in (1, 2, 4, 8, 16, 32):
            clients = Clients(service, subject.requests, count)
            clients.closed(50)
            clients.answers.clear()
            seconds = clients.closed(100 + 20 * count)
            times = [answer[1] * 1000 for answer in clients.answers]
            print(
                f"latency: {count:2} clients: {len(times) / seconds:5.0f} sequences/s, "
                f"median {quantile(times, 0.5):5.1f} ms, p99 {quantile(times, 0.99):5.1f} ms, "
                f"{service.memory():.0f} MiB"
            )
            clients.close()


def metric(service: Service, name: str) -> float:
    with urllib.request.urlopen(service.address + "/metrics") as answer:
        return sum(
            float(line.rpartition(" ")[2])
            for line in answer.read().decode().splitlines()
            if line.startswith(name)
        )


def overload(subject: Subject) -> None:
    # All clients share one address.
    with subject.service("--limit", "client-queue=64") as service:
        rate = subject.capacity(service)
        queue = 64
        # Accepted requests wait for at most a full queue. The client shares the machine and may
        # halve the service's speed.
        bound = 2 * queue / rate
        memory = []

        def tick():
            if not memory or time.perf_counter() - memory[-1][0] > 1:
                memory.append((time.perf_counter(), service.memory()))

        clients = Clients(service, subject.requests, 4 * queue)
        clients.open(2 * rate, 60 * subject.options.minutes, tick)
        taken = [seconds for status, seconds in clients.answers if status == 200]
        rejected = sum(status == 429 for status, _ in clients.answers)
        assert len(taken) + rejected == len(clients.answers), "an answer is neither 200 nor 429"
        end = time.perf_counter()
        calm = Clients(service, subject.requests, 1)
        alone = []
        while time.perf_counter() - end < 10:
            calm.closed(1)
            alone.append((time.perf_counter() - end, *calm.answers[-1]))
        recovered = next(moment for moment, status, seconds in alone if status == 200 and seconds < 0.1)
        levels = [level for _, level in memory]
        half = len(levels) // 2
        print(
            f"overload: {2 * rate:.0f} requests/s for {subject.options.minutes} min "
            f"at a capacity of {rate:.0f}: {len(taken)} answered, {rejected} rejected; "
            f"answers took {quantile(taken, 0.5) * 1000:.0f} ms, "
            f"p99 {quantile(taken, 0.99) * 1000:.0f} ms (bound {bound * 1000:.0f} ms); "
            f"memory {max(levels[:half]):.0f} MiB at most in the first half, "
            f"{max(levels[half:]):.0f} in the second; "
            f"recovered after {recovered:.1f} s"
        )
        assert (
            quantile(taken, 0.99) < bound and recovered < 5 and max(levels[half:]) < max(levels[:half]) + 20
        )


def soak(subject: Subject) -> None:
    with subject.service() as service:
        rate = subject.capacity(service) / 2
        memory = []

        def tick():
            if not memory or time.perf_counter() - memory[-1][0] > 5:
                memory.append((time.perf_counter(), service.memory()))

        clients = Clients(service, subject.requests, 64)
        clients.open(rate, 60 * subject.options.soak_minutes, tick)
        # Other load on the machine may make half the earlier capacity too much for a while.
        assert all(status in (200, 429) for status, _ in clients.answers)
        levels = [level for _, level in memory]
        second = levels[len(levels) // 2 :]
        taken = [seconds for status, seconds in clients.answers if status == 200]
        print(
            f"soak: {rate:.0f} requests/s for {subject.options.soak_minutes} min, {len(taken)} answered, "
            f"{len(clients.answers) - len(taken)} rejected, "
            f"p99 {quantile(taken, 0.99) * 1000:.0f} ms; "
            f"memory of the second half {min(second):.0f}-{max(second):.0f} MiB"
        )
        assert max(second) - min(second) < 20


def main() -> None:
    parser = Parser(__doc__)
    parser.add_argument("measures", nargs="*", default=["throughput", "latency", "overload", "soak"])
    parser.add_jersey()
    parser.add_argument("--before", help="another build of jersey, for `turns`")
    parser.add_argument("--requests", type=int, default=800, help="requests per turn")
    parser.add_argument("--weights")
    parser.add_argument("--threads", type=int, help="threads of libtorch (default: each program's own)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="automatic")
    parser.add_argument("--anytime", action="store_true")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--soak-minutes", type=float, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subject = Subject(options, pathlib.Path(folder))
        for measure in options.measures:
            {
                "throughput": throughput,
                "turns": turns,
                "latency": latency,
                "overload": overload,
                "soak": soak,
            }[measure](subject)


if __name__ == "__main__":
    exit_with(main)
