"""Makes files of all kinds, valid and hostile, for seeds.py."""

import io
import json
import struct
import zipfile
import zlib


def safetensors(tensors, metadata):
    header, body = {"__metadata__": metadata}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(content)]}
        body += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width, height, kind=2, depth=8):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    rows = zlib.compress(b"".join(b"\0" + bytes(width * channels * depth // 8) for _ in range(height)))
    palette = chunk(b"PLTE", bytes(12)) if kind == 3 else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
        + palette
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def form(parts):
    return (
        b"".join(
            b'--x\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n' % part
            for part in parts
        )
        + b"--x--\r\n"
    )


def stored_zip(records):
    """Makes an uncompressed zip of names and contents. A repeated content is stored once, under several
    names."""
    data, directory, places = b"", b"", {}
    for name, content in records:
        path, crc = b"archive/" + name.encode(), zlib.crc32(content)
        common = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0, crc, len(content), len(content), len(path), 0)
        if id(content) not in places:
            places[id(content)] = len(data)
            data += b"PK\3\4" + common + path + content
        directory += (
            b"PK\1\2"
            + struct.pack("<H", 20)
            + common
            + bytes(10)
            + struct.pack("<I", places[id(content)])
            + path
        )
    end = struct.pack("<HHHHIIH", 0, 0, len(records), len(records), len(directory), len(data), 0)
    return data + directory + b"PK\5\6" + end


def checkpoint_of(tensors, storages, pickled=None):
    """Makes a checkpoint; `tensors` are (name, storage, offset, count)."""

    def text(word):
        return b"X" + struct.pack("<I", len(word)) + word.encode()

    def number(value):
        return b"J" + struct.pack("<i", value)

    rows = b"".join(
        text(name)
        + b"ctorch._utils\n_rebuild_tensor_v2\n(("
        + text("storage")
        + b"ctorch\nFloatStorage\n"
        + text(storage)
        + text("cpu")
        + number(len(storages[storage]) // 4)
        + b"tQ"
        + number(offset)
        + number(count)
        + b"\x85"
        + number(1)
        + b"\x85\x89NtR"
        for name, storage, offset, count in tensors
    )
    pickled = pickled if pickled is not None else b"\x80\2}(" + rows + b"u."
    fixed = [("data.pkl", pickled), ("byteorder", b"little"), ("version", b"3\n")]
    return stored_zip(fixed + [("data/" + key, content) for key, content in storages.items()])


def text_chunks(kind, content, count):
    return png(4, 4)[:33] + chunk(kind, content) * count + png(4, 4)[33:]


def packed(entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()
