"""Reads the constants of a frozen TensorFlow graph, without TensorFlow."""

import numpy as np

FLOAT, INT32 = 1, 3


def constants(data: bytes) -> dict[str, np.ndarray]:
    """The float and integer constants of a serialised GraphDef, by name."""
    found = {}
    for field, node in fields(data):
        if field != 1:
            continue
        name, kind, value = "", "", None
        for part, content in fields(node):
            if part == 1:
                name = content.decode()
            elif part == 2:
                kind = content.decode()
            elif part == 5 and first(content, 1) == b"value":
                value = first(first(content, 2), 8)
        if kind == "Const" and value is not None:
            array = tensor(value)
            if array is not None:
                found[name] = array
    return found


def tensor(data: bytes) -> np.ndarray | None:
    """A TensorProto whose values are stored as bytes; None for other ones."""
    content = first(data, 4)
    kind = {FLOAT: np.float32, INT32: np.int32}.get(first(data, 1))
    if content is None or kind is None:
        return None
    shape = [first(size, 1) or 0 for field, size in fields(first(data, 2) or b"") if field == 2]
    return np.frombuffer(content, kind).reshape(shape)


def first(data: bytes, wanted: int):
    return next((value for field, value in fields(data) if field == wanted), None)


def fields(data: bytes):
    """Field numbers and values of a protobuf message: integers, or bytes."""
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
            continue
        size = {1: 8, 5: 4}.get(kind)
        if size is None:
            size = varint()
        yield key >> 3, data[place : place + size]
        place += size
