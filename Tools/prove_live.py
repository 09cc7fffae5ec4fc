#!/usr/bin/env python3
"""Tests `jersey predict` with live videos: pipes of three formats, UDP, RTSP, HTTP and HLS from senders on
this machine, a sender that breaks off and comes back, signals, and a playlist that names a file.

    Tools/prove_live.py [--jersey .build/release/jersey] [--film demo/match.mp4]

Needs FFmpeg's command line, and the film of `make demo`.
"""

import contextlib
import functools
import http.server
import json
import pathlib
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading
import time

from harness.programs import ROOT, Parser

FFMPEG = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-re"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "12", "-pix_fmt", "yuv420p"]


class Live:
    """A run of `jersey predict` on a live video."""

    def __init__(self, jersey: pathlib.Path, address: str, *options: str, stdin=None):
        self.process = subprocess.Popen(
            [jersey, "predict", address, *options],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, seconds: float = 300) -> tuple[int, list[dict], str]:
        out, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, [json.loads(line) for line in out.splitlines()], errors


def report(name: str, code: int, events: list[dict], errors: str, wanted: int = 0) -> None:
    kinds = {kind: sum(event["event"] == kind for event in events) for kind in ("number", "change", "end")}
    numbers = sorted({event["number"] for event in events if event["number"]})
    print(f"{name}: {kinds}, numbers {', '.join(numbers)}", *errors.splitlines(), sep="\n    ", flush=True)
    assert code == wanted, f"{name}: status {code}, not {wanted}"
    assert kinds["end"] > 0, f"{name}: no track has ended"
    ended = [event["track"] for event in events if event["event"] == "end"]
    assert len(ended) == len(set(ended)), f"{name}: a track has ended twice"
    assert {event["track"] for event in events} == set(ended), f"{name}: a track has not ended"


@contextlib.contextmanager
def sender(film: pathlib.Path, *target: str, loop: bool = True):
    """FFmpeg, sending at the video's rate."""
    again = ["-stream_loop", "-1"] if loop else []
    process = subprocess.Popen([*FFMPEG, *again, "-i", film, "-an", *H264, *target])
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def pipes(jersey: pathlib.Path, film: pathlib.Path, seconds: int) -> None:
    for name, options in {
        "MPEG-TS": ["-f", "mpegts"],
        "Matroska": ["-f", "matroska"],
        "fragmented MP4": ["-f", "mp4", "-movflags", "frag_keyframe+empty_moov"],
    }.items():
        command = [*FFMPEG, "-t", str(seconds), "-i", film, "-an", *H264, *options, "-"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as source:
            report(f"pipe, {name}", *Live(jersey, "-", "--all-frames", stdin=source.stdout).end())


def udp(jersey: pathlib.Path, film: pathlib.Path, seconds: int) -> None:
    address = f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
    live = Live(jersey, address, "--reconnect", "40")
    with sender(film, "-f", "mpegts", f"{address}?pkt_size=1316"):
        time.sleep(2 * seconds)
    time.sleep(13)  # nothing comes for longer than ten seconds
    with sender(film, "-f", "mpegts", f"{address}?pkt_size=1316"):
        time.sleep(2 * seconds)
        live.process.send_signal(signal.SIGTERM)
        code, events, errors = live.end()
    report("UDP that breaks off", code, events, errors, wanted=130)
    assert "was lost" in errors and "is back" in errors, errors
    assert max(event["last_second"] for event in events) > 2 * seconds + 10, "the clock did not go on"


class RTSP(socketserver.BaseRequestHandler):
    """A camera: it hands on RTP from FFmpeg within the connection."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            self.answer_all()

    def answer_all(self) -> None:
        text = self.request.makefile("rb")
        while True:
            head = []
            while (line := text.readline().strip()) or not head:
                if not line:
                    return
                head.append(line.decode())
            method = head[0].split()[0]
            fields = dict(line.split(": ", 1) for line in head[1:])
            answer, body = [f"CSeq: {fields['CSeq']}", "Session: 1"], b""
            if method == "DESCRIBE":
                body = self.server.description
                answer += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            elif method == "SETUP":
                answer.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
            elif method == "OPTIONS":
                answer.append("Public: DESCRIBE, SETUP, PLAY, TEARDOWN")
            self.request.sendall("\r\n".join(["RTSP/1.0 200 OK", *answer, "", ""]).encode() + body)
            if method == "PLAY":
                threading.Thread(target=self.play, daemon=True).start()
            if method == "TEARDOWN":
                return

    def play(self) -> None:
        with contextlib.suppress(OSError):
            while packet := self.server.packets.recv(65536):
                self.request.sendall(b"$\0" + len(packet).to_bytes(2, "big") + packet)


def rtsp(jersey: pathlib.Path, film: pathlib.Path, work: pathlib.Path, seconds: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
        packets.bind(("127.0.0.1", 0))
        target = f"rtp://127.0.0.1:{packets.getsockname()[1]}?pkt_size=1200"
        with sender(film, "-f", "rtp", "-sdp_file", str(work / "sdp"), target):
            while not (work / "sdp").exists() or not (work / "sdp").read_text().count("a=fmtp"):
                time.sleep(0.1)
            socketserver.ThreadingTCPServer.allow_reuse_address = True
            with socketserver.ThreadingTCPServer(("127.0.0.1", 0), RTSP) as server:
                server.daemon_threads = True
                server.packets = packets
                lines = (work / "sdp").read_text().splitlines()
                lines = [line for line in lines if not line.startswith(("SDP:", "c=")) and line]
                lines = [
                    line.split()[0] + " 0 " + " ".join(line.split()[2:]) if line.startswith("m=") else line
                    for line in lines
                ]
                server.description = ("\r\n".join([*lines, "a=control:video"]) + "\r\n").encode()
                threading.Thread(target=server.serve_forever, daemon=True).start()
                address = f"rtsp://me:secret@127.0.0.1:{server.server_address[1]}/1"
                live = Live(jersey, address)
                time.sleep(2 * seconds)
                live.process.send_signal(signal.SIGINT)
                code, events, errors = live.end()
                report("RTSP", code, events, errors, wanted=130)
                assert "secret" not in errors
                server.shutdown()


def web(jersey: pathlib.Path, film: pathlib.Path, work: pathlib.Path, seconds: int) -> None:
    (work / "hls").mkdir()
    subprocess.run(
        [*FFMPEG[:-1], "-t", str(seconds), "-i", film, "-an", *H264, "-f", "hls", "-hls_time", "2"]
        + ["-hls_list_size", "0", work / "hls/list.m3u8"],
        check=True,
    )
    film_copy = ["-i", work / "hls/list.m3u8", "-c", "copy", work / "hls/film.ts"]
    subprocess.run([*FFMPEG[:-1], *film_copy], check=True)
    secret = work / "secret.ts"
    secret.write_bytes((work / "hls/film.ts").read_bytes())
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    (work / "hls/bad.m3u8").write_text(playlist)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=work / "hls")
    handler.func.log_message = lambda *_: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        for name in ["film.ts", "list.m3u8"]:
            report(f"HTTP, {name}", *Live(jersey, f"{base}/{name}", "--all-frames").end())
        code, events, errors = Live(jersey, f"{base}/bad.m3u8", "--reconnect", "1").end()
        assert code == 1 and not events, f"a playlist has read a file: {events}"
        print("playlist that names a file:", *errors.splitlines(), sep="\n    ")
        server.shutdown()


def main() -> None:
    parser = Parser(__doc__)
    parser.add_jersey()
    parser.add_argument("--film", type=pathlib.Path, default=ROOT / "demo/match.mp4", metavar="FILE")
    parser.add_argument("--seconds", type=int, default=10, help="of the film, for each sender")
    options = parser.parse_args()
    parser.check(options.film, "--film FILE")
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        pipes(options.jersey, options.film, options.seconds)
        udp(options.jersey, options.film, options.seconds)
        rtsp(options.jersey, options.film, work, options.seconds)
        web(options.jersey, options.film, work, options.seconds)
    print("all live videos were read")


if __name__ == "__main__":
    main()
