"""Raw HTTP requests, including malformed ones."""

import io
import json
import zipfile

from harness.service import form


def raw(line: str, *fields: str, body: bytes = b"") -> bytes:
    return "\r\n".join([line, "Host: localhost", *fields]).encode() + b"\r\n\r\n" + body


def post(path: str, body: bytes, kind: str, *more: str, length: int | None = None) -> bytes:
    size = f"Content-Length: {len(body) if length is None else length}"
    return raw(f"POST {path} HTTP/1.1", f"Content-Type: {kind}", size, "Connection: close", *more, body=body)


def predict(*frames: bytes) -> bytes:
    body, kind = form(list(frames))
    return post("/v1/predict", body, kind)


def as_json(value, path: str = "/v1/predict") -> bytes:
    return post(path, value if isinstance(value, bytes) else json.dumps(value).encode(), "application/json")


def chunked(pieces) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    fields = ["Content-Type: application/json", "Transfer-Encoding: chunked", "Connection: close"]
    return raw("POST /v1/predict HTTP/1.1", *fields, body=body)


def film(name: str, content: bytes) -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="video"; filename="{name}"\r\n\r\n'.encode()
    return post("/v1/predict", head + content + b"\r\n--x--", "multipart/form-data; boundary=x")


def archive(*entries) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries:
            if callable(content):
                name = content(zipfile.ZipInfo(name))
                packed.writestr(name, b"/etc/passwd")
            else:
                packed.writestr(name, content)
    return post("/v1/predict/archive", file.getvalue(), "application/zip")


def link(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


def infer(data: str, datatype: str = "BYTES", shape: str = "[1]") -> bytes:
    tensor = f'{{"name": "frames", "shape": {shape}, "datatype": "{datatype}", "data": {data}}}'
    return as_json(f'{{"inputs": [{tensor}]}}'.encode(), "/v2/models/bundled/infer")
