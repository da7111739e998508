"""A part of the picture is a region only if both it and the rest are written on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgedigits_runtime.reading.ink import find_ink
from edgedigits_runtime.reading.regions import Region, find_regions, without_regions
from edgedigits_runtime.synthetic.handwriting import draw_digit

Grey = NDArray[np.uint8]


def digit(value: int, size: int, seed: int = 0, thickness: float | None = None) -> Grey:
    return draw_digit(value, np.random.default_rng(seed), size=size, thickness=thickness)


def on_page(*, panel: bool, beside: bool) -> tuple[Grey, Grey]:
    """Return a white page of 330x180 with a 3 on a black panel and an 8 beside it, and the ink of both."""
    page, ink = np.full((180, 330), 255, np.uint8), np.zeros((180, 330), np.uint8)
    if beside:
        ink[60:120, 240:300] = digit(8, 60)
        page -= ink
    if panel:
        page[40:140, 20:110] = 0
        page[60:120, 35:95] = ink[60:120, 35:95] = digit(3, 60)
    return page, ink


def regions_of(page: Grey) -> list[Region]:
    return find_regions(page, 1, page.shape)


@pytest.mark.parametrize("invert", [False, True])
def test_a_panel_beside_writing_is_a_region_and_both_have_ink(invert: bool) -> None:
    page, ink = on_page(panel=True, beside=True)
    page = 255 - page if invert else page
    [region] = regions_of(page)
    assert region.box == (slice(40, 140), slice(20, 110))
    found = find_ink(page[..., np.newaxis])
    assert np.array_equal(found, ink)


@pytest.mark.parametrize(("panel", "beside"), [(True, False), (False, True), (False, False)])
def test_one_polarity_has_no_regions(panel: bool, beside: bool) -> None:
    page, _ = on_page(panel=panel, beside=beside)
    assert not regions_of(page)
    assert not regions_of(255 - page)


def test_an_empty_panel_is_no_region() -> None:
    page, _ = on_page(panel=False, beside=True)
    page[40:140, 20:110] = 0
    assert not regions_of(page)


@pytest.mark.parametrize("dark_first", [False, True])
def test_two_tiles_side_by_side_are_one_picture_of_both(dark_first: bool) -> None:
    ink = np.hstack([np.pad(digit(value, 120), 40) for value in (2, 8)])
    picture = ink.copy()
    half = slice(200, 400) if dark_first else slice(0, 200)
    picture[:, half] = 255 - picture[:, half]
    assert np.array_equal(find_ink(picture[..., np.newaxis]), ink)


@given(st.lists(st.integers(-6, 6), min_size=8, max_size=8))
def test_a_panel_in_perspective_is_found(away: list[int]) -> None:
    corners = [(20, 40), (110, 40), (110, 140), (20, 140)]
    moved = [(x + away[2 * k], y + away[2 * k + 1]) for k, (x, y) in enumerate(corners)]
    page, ink = on_page(panel=False, beside=True)
    image = Image.fromarray(page)
    ImageDraw.Draw(image).polygon(moved, fill=0)
    page = np.array(image)
    page[60:120, 35:95] = ink[60:120, 35:95] = digit(3, 60)
    found = find_ink(page[..., np.newaxis]) >= 128
    assert (found & (ink >= 128)).sum() >= 0.99 * found.sum()
    assert found.sum() >= 0.99 * (ink >= 128).sum()


@given(st.integers(0, 9), st.integers(0, 500), st.integers(2, 16), st.sampled_from([3.0, 8.0, 14.0]), st.booleans())
def test_drawn_boxes_around_digits_are_no_regions(
    value: int, seed: int, width: int, thickness: float, invert: bool
) -> None:
    page, _ = on_page(panel=False, beside=True)
    image = Image.fromarray(page)
    pen = ImageDraw.Draw(image)
    pen.rectangle((15, 35, 115, 145), outline=0, width=width)
    pen.rectangle((215, 35, 315, 145), outline=0, width=width)
    page = np.array(image)
    page[60:120, 35:95] -= digit(value, 60, seed, thickness)
    assert not regions_of(255 - page if invert else page)


@given(st.integers(0, 2**32 - 1), st.integers(3, 9), st.booleans())
def test_scribbled_out_and_crossed_boxes_are_no_regions(seed: int, width: int, invert: bool) -> None:
    rng = np.random.default_rng(seed)
    page, _ = on_page(panel=False, beside=True)
    image = Image.fromarray(page)
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(15, 45)):
        first, last = rng.integers(20, 80, 2).tolist()
        pen.line((15, first, 115, last), fill=0, width=width)
    pen.rectangle((40, 110, 90, 160), outline=0, width=width)
    pen.line((40, 110, 90, 160), fill=0, width=width)
    pen.line((40, 160, 90, 110), fill=0, width=width)
    page = np.array(image)
    assert not regions_of(255 - page if invert else page)


@given(st.integers(0, 9), st.integers(0, 500), st.sampled_from([6.0, 18.0, 30.0]))
def test_thick_digits_are_no_regions(value: int, seed: int, thickness: float) -> None:
    page, _ = on_page(panel=False, beside=True)
    page[15:135, 10:130] -= digit(value, 120, seed, thickness)
    assert not regions_of(page)


def test_a_region_grows_within_the_picture_and_shrinks_until_nothing_is_left() -> None:
    region = Region(2, np.full(20, 10), np.full(20, 39))
    assert region.grown(4, (100, 42)).box == (slice(0, 26), slice(6, 42))
    assert region.grown(1, (22, 100)).box == (slice(1, 22), slice(9, 41))
    shrunk = region.shrunk(3)
    assert shrunk is not None
    assert shrunk.box == (slice(5, 19), slice(13, 37))
    assert region.shrunk(10) is None


@given(st.integers(3, 60), st.integers(3, 60), st.integers(-20, 20), st.integers(1, 8))
def test_shrunk_and_grown_regions_lie_in_one_another(rows: int, columns: int, lean: int, by: int) -> None:
    slant = np.rint(np.linspace(0, lean, rows)).astype(np.int64)
    region = Region(30, 60 + slant, 60 + slant + columns)
    masks = []
    for found in (region.shrunk(by), region, region.grown(by, (200, 200))):
        mask = np.zeros((200, 200), bool)
        if found is not None:
            mask[found.box] = found.mask()
        masks.append(mask)
    inner, own, outer = masks
    assert not (inner & ~own).any()
    assert not (own & ~outer).any()
    assert outer.sum() > own.sum() > inner.sum()


def test_a_cut_repeats_the_pixels_of_slanted_sides() -> None:
    picture = np.arange(60, dtype=np.uint8).reshape(3, 20, 1)
    cut = Region(0, np.array([2, 3, 4]), np.array([6, 6, 6])).cut(picture)
    assert cut[..., 0].tolist() == [[2, 3, 4, 5, 6], [23, 23, 24, 25, 26], [44, 44, 44, 45, 46]]


def test_a_region_of_the_whole_picture_has_no_rim() -> None:
    picture = np.full((20, 30, 3), 7, np.uint8)
    assert np.array_equal(without_regions(picture, [Region(0, np.zeros(20, np.int64), np.full(20, 29))]), picture)


@given(st.integers(0, 2**32 - 1), st.integers(64, 90), st.integers(64, 90))
def test_any_blocks_give_ink_of_the_pictures_shape(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    page = np.full((height, width), 255, np.uint8)
    for _ in range(rng.integers(2, 12)):
        y, x = int(rng.integers(0, height)), int(rng.integers(0, width))
        block = page[y : y + rng.integers(2, 60), x : x + rng.integers(2, 60)]
        block[:] = 255 - block
    assert find_ink(page[..., np.newaxis]).shape == page.shape
