"""Pictures in memory as files: without numpy and Pillow, but from what they make."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Union, cast

# What `encoded` takes: a numpy array, an image of Pillow, or the bytes of a JPEG, PNG or other file.
Picture = Union[bytes, bytearray, memoryview, Any]


def encoded(picture: Picture, *, bgr: bool = False) -> bytes:
    """The bytes of a picture file.

    Args:
        picture: the bytes of a file, which stay as they are; an image of Pillow; or an array of uint8 of
            shape (height, width, 3) or (height, width), which becomes a PNG file. Nothing is lost.
        bgr: whether the colours of arrays are in OpenCV's order.
    Raises:
        TypeError, ValueError: it is none of these.
    """
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return bytes(picture)
    if hasattr(picture, "convert") and hasattr(picture, "getbands"):  # Pillow
        image = picture if picture.mode in ("L", "RGB") else picture.convert("RGB")
        return _png(image.width, image.height, len(image.getbands()), image.tobytes())
    if hasattr(picture, "dtype") and hasattr(picture, "shape") and hasattr(picture, "tobytes"):  # numpy
        shape = tuple(picture.shape)
        if str(picture.dtype) != "uint8":
            raise ValueError(f"a picture must have values of uint8 (0 to 255), not of {picture.dtype}")
        if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3)) or 0 in shape:
            raise ValueError(f"a picture must have the shape (height, width, 3), not {shape}")
        channels = shape[2] if len(shape) == 3 else 1
        if bgr and channels == 3:
            picture = picture[:, :, ::-1]
        return _png(shape[1], shape[0], channels, picture.tobytes())
    raise TypeError(
        "a picture must be an array of numpy, an image of Pillow, or the bytes of a file, "
        f"not {type(picture).__name__}"
    )


def frames_of(source: Any) -> Iterable[Picture]:
    """The pictures in what a caller gave: one picture, or several in time order."""
    if isinstance(source, (bytes, bytearray, memoryview)) or hasattr(source, "getbands"):
        return [source]
    if hasattr(source, "dtype") and hasattr(source, "shape"):
        shape = tuple(source.shape)
        return [source] if len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3)) else _rows(source)
    return cast("Iterable[Picture]", source)


def _rows(array: Any) -> Iterator[Any]:
    yield from array


def _png(width: int, height: int, channels: int, pixels: bytes) -> bytes:
    """A PNG file of 8 bits a channel, quickly rather than small."""
    stride = width * channels
    rows = b"".join(b"\0" + pixels[start : start + stride] for start in range(0, height * stride, stride))
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(rows, 1))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
