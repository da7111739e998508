"""Every mode, depth and container decodes to the same upright pixels, and bad input raises one error."""

import io
import re
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from edgedigits_runtime.errors import (
    ArrayError,
    PictureError,
    PictureNotFound,
    PictureTooLarge,
    PictureUnreadable,
)
from edgedigits_runtime.reading.decode import MAX_PIXELS, WORKING_PIXELS, Picture, decode, decode_picture
from tests.conftest import encoded
from tests.support.picture_files import png_header

# Dark on the left, light on the right, and wider than high, so that every turn and flip is visible.
RAMP = np.tile(np.linspace(0, 255, 24).round().astype(np.uint8), (16, 1))

MODES_8_BIT = ["L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB"]


def in_mode(mode: str) -> Image.Image:
    grey = Image.fromarray(RAMP)
    if mode == "LAB":
        # L* of mid grey is not linear in sRGB; the neutral axis has a and b at 128.
        return Image.merge("LAB", (grey, *(Image.new("L", grey.size, 128) for _ in "ab")))
    by_way_of = {"La": "LA", "PA": "LA", "RGBa": "RGBA", "HSV": "RGB", "CMYK": "RGB", "YCbCr": "RGB"}.get(mode)
    return (grey.convert(by_way_of) if by_way_of else grey).convert(mode)


def distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
    return int(np.abs(a.astype(int) - b).max())


@pytest.mark.parametrize("mode", MODES_8_BIT)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_8_bit_mode_gives_the_same_pixels(mode: str, channels: int) -> None:
    pixels = decode(in_mode(mode), channels=channels)
    assert pixels.shape == (16, 24, channels)
    assert pixels.dtype == np.uint8
    # LAB's lightness is not linear: only its ends and its order agree with the ramp.
    if mode == "LAB":
        assert pixels[0, 0].max() <= 2
        assert pixels[0, -1].min() >= 253
        assert (np.diff(pixels[0, :, 0].astype(int)) >= 0).all()
    else:
        assert distance(pixels, RAMP[..., np.newaxis]) <= 2


def test_one_bit_is_black_and_white() -> None:
    bits = np.arange(24).reshape(4, 6) % 3 == 0
    assert np.array_equal(decode(Image.fromarray(bits), channels=1)[..., 0], bits * np.uint8(255))


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B", "I;16N", "I", "F"])
def test_16_bits_keep_their_range(mode: str) -> None:
    # Half of the range, because a dark picture must not be stretched.
    dark = RAMP.astype(np.uint16) * 257 // 2
    dtype = {"I;16B": ">u2", "I;16L": "<u2", "I;16N": "=u2", "I;16": "<u2", "I": "=i4", "F": "=f4"}[mode]
    image = Image.frombytes(mode, (24, 16), dark.astype(dtype).tobytes())
    assert distance(decode(image, channels=1)[..., 0], RAMP // 2) <= 1


def test_a_16_bit_png_reads_like_its_8_bit_version() -> None:
    deep = encoded(Image.fromarray(RAMP.astype(np.uint16) * 257))
    assert np.array_equal(decode(deep, channels=1), decode(encoded(Image.fromarray(RAMP)), channels=1))


@pytest.mark.parametrize("full", [1.0, 255.0, 65535.0])
def test_floats_take_the_smallest_usual_range(full: float) -> None:
    image = Image.fromarray((RAMP / np.float32(255) * np.float32(full)).astype(np.float32))
    assert distance(decode(image, channels=1)[..., 0], RAMP) <= 1


def test_values_out_of_range_are_scaled_and_nan_is_dark() -> None:
    values = np.array([[-51.0, 0.0, 204.0, np.nan, np.inf]], np.float32)
    assert decode(Image.fromarray(values), channels=1)[0, :, 0].tolist() == [0, 51, 255, 0, 0]
    wide = np.array([[-(2**31), 2**31 - 1]], np.int32)
    assert decode(Image.fromarray(wide), channels=1)[0, :, 0].tolist() == [0, 255]
    assert decode(Image.fromarray(np.full((1, 2), np.nan, np.float32)), channels=1).max() == 0


def test_transparent_dark_ink_is_composited_over_white() -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0, 3] = 255
    pixels[0, 1, 3] = 128
    for source in (pixels, encoded(Image.fromarray(pixels))):
        assert decode(source, channels=1)[..., 0].tolist() == [[0, 127], [255, 255]]


def test_transparent_light_ink_is_composited_over_black() -> None:
    pixels = np.full((2, 2, 4), 255, np.uint8)
    pixels[..., 3] = [[255, 128], [0, 0]]
    assert decode(pixels, channels=1)[..., 0].tolist() == [[255, 128], [0, 0]]


@pytest.mark.parametrize("tile", [0, 255])
def test_a_tile_brings_its_own_ground(tile: int) -> None:
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[8:32, 8:32] = (tile, tile, tile, 255)
    pixels[14:26, 18:22, :3] = 255 - tile
    decoded = decode(pixels, channels=1)[..., 0]
    assert (decoded[:8] == tile).all()
    assert (decoded[14:26, 18:22] == 255 - tile).all()


def test_a_fully_transparent_picture_is_white() -> None:
    assert (decode(np.zeros((4, 4, 4), np.uint8), channels=1) == 255).all()


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "1"])
@pytest.mark.parametrize("ink", [0, 255])
def test_a_transparent_colour_is_ground(mode: str, ink: int) -> None:
    image = Image.fromarray(np.array([[255 - ink, ink]], np.uint8)).convert(mode)
    transparent = (255 - ink,) * 3 if mode == "RGB" else image.getpixel((0, 0))
    assert decode(encoded(image, transparency=transparent), channels=1)[0, :, 0].tolist() == [255 - ink, ink]


@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (5, np.transpose),
        (6, lambda a: np.rot90(a, 1)),
        (7, lambda a: np.rot90(a, 2).T),
        (8, lambda a: np.rot90(a, -1)),
    ],
)
def test_exif_orientation_is_undone(orientation: int, undo) -> None:  # type: ignore[no-untyped-def]
    upright = np.array([[0, 60, 120], [180, 240, 30]], np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(undo(upright)))
    assert np.array_equal(decode(encoded(stored, exif=exif), channels=1)[..., 0], upright)


def test_every_kind_of_source_gives_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "ä b.png"
    content = encoded(Image.fromarray(RAMP))
    path.write_bytes(content)
    colour = np.repeat(RAMP[..., np.newaxis], 3, axis=2)
    image = Image.open(io.BytesIO(content))
    for source in (path, str(path), content, io.BytesIO(content), image, RAMP, RAMP[..., np.newaxis], colour):
        assert np.array_equal(decode(source, channels=1)[..., 0], RAMP)
        if isinstance(source, io.BytesIO):
            source.seek(0)
        assert np.array_equal(decode(source, channels=3), colour)


def test_an_animation_gives_its_first_frame_and_a_note() -> None:
    frames = [Image.new("L", (8, 8), level) for level in (10, 200)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    picture = decode_picture(content, channels=1)
    assert picture.pixels.max() <= 12
    assert picture.note == "the first of 2 frames"
    assert decode_picture(encoded(frames[0], "GIF"), channels=1).note == ""


LARGE = np.kron(RAMP, np.ones((125, 125), np.uint8))  # 2000 x 3000


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_large_picture_is_halved_and_stays_upright(kind: str, orientation: int, channels: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = {1: 0, 3: 2, 6: 1, 8: -1}[orientation]
    content = encoded(Image.fromarray(np.rot90(LARGE, turn)), kind, exif=exif)
    picture = decode_picture(content, channels=channels)
    assert picture.scale == 2
    assert picture.size == (3000, 2000)
    assert picture.pixels.shape == (1000, 1500, channels)
    assert np.abs(picture.pixels[..., 0].astype(int) - LARGE[::2, ::2]).mean() < 1
    assert decode(content, channels=channels).shape == (2000, 3000, channels)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 300))
def test_a_working_picture_has_no_more_pixels_than_asked_for(width: int, height: int, most: int) -> None:
    picture = decode_picture(np.zeros((height, width, 3), np.uint8), channels=3, working_pixels=most)
    rows, columns = picture.pixels.shape[:2]
    assert rows * columns <= most
    assert picture.size == (width, height)
    assert (columns, rows) == (-(-width // picture.scale), -(-height // picture.scale))
    x, y, across, down = picture.in_source((0, 0, columns, rows))
    assert (x, y, across, down) == (0, 0, width, height)


def test_boxes_are_in_source_pixels() -> None:
    picture = Picture(np.zeros((50, 75, 1), np.uint8), 4, (299, 200))
    assert picture.in_source((2, 3, 10, 20)) == (8, 12, 40, 80)
    assert picture.in_source((70, 0, 5, 50)) == (280, 0, 19, 200)


def test_a_pillow_image_is_not_changed() -> None:
    image = Image.open(io.BytesIO(encoded(Image.fromarray(LARGE), "JPEG")))
    assert decode_picture(image, channels=1).scale == 2
    assert image.size == (3000, 2000)


def test_twelve_megapixels_are_halved() -> None:
    assert 4000 * 3000 / 4 <= WORKING_PIXELS < 4000 * 3000


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (b"", "empty"),
        (b"not a picture at all\n", "not a picture"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n", "EPS"),
        (png_header(0, 0), ""),
        (png_header(28, 28), "truncated"),
    ],
)
def test_a_file_that_is_no_picture_gives_one_line(tmp_path: Path, content: bytes, fact: str) -> None:
    path = tmp_path / "digit.png"
    path.write_bytes(content)
    with pytest.raises(PictureUnreadable) as caught:
        decode(path, channels=1)
    message = str(caught.value)
    assert fact in message
    assert str(path) in message
    assert "\n" not in message


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"])
def test_a_truncated_file_is_refused(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    content = encoded(Image.fromarray(noise), kind)
    with pytest.raises(PictureUnreadable):
        decode(content[: len(content) // 2], channels=1)


@given(st.data())
def test_damage_gives_pixels_or_a_picture_error(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"]))
    exif = Image.Exif()
    exif[0x0112] = 6
    content = bytearray(encoded(Image.fromarray(RAMP).convert("RGB"), kind, exif=exif))
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)))):
        content[place] = value
    try:
        pixels = decode(bytes(content), channels=1, max_pixels=1_000_000)
    except PictureError:
        return
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 1


@given(st.binary(max_size=200))
def test_random_bytes_are_no_picture(content: bytes) -> None:
    with pytest.raises(PictureError):
        decode(content, channels=1, max_pixels=10_000)


@pytest.mark.parametrize("side", [10_000, 14_000, 100_000])
def test_a_too_large_picture_is_refused_from_the_header(side: int) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PictureTooLarge, match=f"{side}x{side} .*64,000,000"):
            decode(png_header(side, side), channels=1)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_container_without_its_true_size_is_refused() -> None:
    inner = png_header(20_000, 20_000)
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inner), 22)
    with pytest.raises(PictureTooLarge):
        decode(struct.pack("<HHH", 0, 1, 1) + entry + inner, channels=1)


@pytest.mark.parametrize("source", [RAMP, encoded(Image.fromarray(RAMP)), Image.fromarray(RAMP)])
def test_the_pixel_limit_is_an_option(source: object) -> None:
    with pytest.raises(PictureTooLarge):
        decode(source, channels=1, max_pixels=RAMP.size - 1)  # type: ignore[arg-type]
    assert decode(source, channels=1, max_pixels=RAMP.size).size == RAMP.size  # type: ignore[arg-type]
    assert MAX_PIXELS == 64_000_000


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(PictureNotFound, match=r"none\.png"):
        decode(tmp_path / "none.png", channels=1)
    with pytest.raises(PictureNotFound, match=re.escape(str(tmp_path))):
        decode(str(tmp_path), channels=1)
    with pytest.raises(PictureNotFound):
        decode("a\0b.png", channels=1)


@pytest.mark.parametrize(
    "array",
    [
        RAMP.astype(np.float32),
        RAMP.astype(bool),
        RAMP[0],
        RAMP[..., np.newaxis, np.newaxis],
        np.zeros((8, 8, 2), np.uint8),
        np.zeros((8, 8, 0), np.uint8),
        np.uint8(3) + np.zeros((), np.uint8),
    ],
)
def test_arrays_of_another_kind_are_refused(array: NDArray[np.uint8]) -> None:
    with pytest.raises(ArrayError, match="uint8"):
        decode(np.asarray(array), channels=1)


def test_pictures_without_pixels_are_refused() -> None:
    for source in (np.zeros((0, 5), np.uint8), np.zeros((5, 0, 3), np.uint8), Image.new("L", (0, 0))):
        with pytest.raises(PictureUnreadable):
            decode(source, channels=1)


def test_other_objects_and_channels_are_refused() -> None:
    with pytest.raises(PictureUnreadable, match="int"):
        decode(3, channels=1)  # type: ignore[arg-type]
    with pytest.raises(PictureUnreadable, match="binary"):
        decode(io.StringIO("text"), channels=1)  # type: ignore[arg-type]
    with pytest.raises(ArrayError, match="1 or 3"):
        decode(RAMP, channels=2)
