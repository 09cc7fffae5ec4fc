"""Pictures in memory as files."""

from __future__ import annotations

import io

import pytest

from jersey._pictures import encoded, frames_of

numpy = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")


def picture(*shape: int):
    return numpy.arange(numpy.prod(shape), dtype=numpy.uint8).reshape(shape)


def opened(data: bytes):
    return numpy.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("shape", [(5, 7, 3), (5, 7), (1, 1, 3)])
def test_an_array_becomes_a_png_without_loss(shape):
    array = picture(*shape)
    assert (opened(encoded(array)) == array).all()


def test_a_view_of_a_frame_is_taken_as_it_looks():
    array = picture(20, 30, 3)[3:9, 4:11]
    assert (opened(encoded(array)) == array).all()


def test_colours_in_the_order_of_opencv_are_turned():
    array = picture(4, 4, 3)
    assert (opened(encoded(array, bgr=True)) == array[:, :, ::-1]).all()


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK", "1"])
def test_images_of_pillow_are_taken_in_all_modes(mode):
    image = Image.fromarray(picture(6, 5, 3)).convert(mode)
    expected = numpy.asarray(image if mode == "L" else image.convert("RGB"))
    assert (opened(encoded(image)) == expected).all()


def test_bytes_stay_as_they_are():
    assert encoded(b"a file") == b"a file"


@pytest.mark.parametrize("wrong", [picture(3, 3, 3).astype(float), picture(2, 2, 2), picture(1, 2, 2, 3)])
def test_arrays_of_other_kinds_are_refused(wrong):
    with pytest.raises(ValueError, match="a picture must have"):
        encoded(wrong)


def test_other_things_are_refused():
    with pytest.raises(TypeError, match="not list"):
        encoded([1, 2])


def test_one_picture_is_a_sequence_of_one():
    array = picture(5, 7, 3)
    assert len(list(frames_of(array))) == 1
    assert len(list(frames_of(b"a file"))) == 1
    assert len(list(frames_of(Image.fromarray(array)))) == 1
    assert len(list(frames_of(numpy.stack([array, array])))) == 2
    assert len(list(frames_of([array, array, array]))) == 3
