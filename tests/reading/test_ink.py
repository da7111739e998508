"""Ink is bright on black for any polarity, light and noise; a clean picture is unchanged."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edgedigits_runtime.reading.decode import decode
from edgedigits_runtime.reading.ink import LEAST_CONTRAST, find_ink, find_inks
from edgedigits_runtime.synthetic.handwriting import draw_digit
from edgedigits_runtime.synthetic.labelled_pages import draw_page
from edgedigits_runtime.synthetic.layout import PageOptions
from edgedigits_runtime.synthetic.paper import Paper, set_on_paper
from edgedigits_runtime.synthetic.samples import mnist_like
from edgedigits_runtime.synthetic.scenes import SCENES

DIGITS, _ = mnist_like(60, seed=3)

digits = st.sampled_from(list(DIGITS))


def ink_of(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return find_ink(grey[..., np.newaxis])


def overlap(ink: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """Return the intersection over union of the pixels with at least half ink."""
    a, b = ink >= 128, truth >= 128
    return float((a & b).sum() / (a | b).sum())


def small_picture(seed: int) -> NDArray[np.uint8]:
    """Return a small picture: clean, faint, noisy, in slanting light, tinted, blank or large."""
    rng = np.random.default_rng(seed)
    grey = np.pad(DIGITS[seed % len(DIGITS)], rng.integers(0, 2, (2, 2)) * int(rng.choice([0, 0, 9, 50]))).astype(float)
    grey *= rng.choice([1, 1, 0.4, 0.02, 0])
    grey += rng.choice([0, 0, 60]) + rng.normal(0, rng.choice([0, 0, 3, 30]), grey.shape)
    grey += np.linspace(0, rng.choice([0, 0, 70]), grey.shape[1])
    grey = 255 - grey if seed % 2 else grey
    tint = ([1.0], [1.0, 1.0, 1.0], [1.0, 0.9, 0.6])[rng.integers(3)]
    return np.asarray(np.clip(grey[..., np.newaxis] * tint, 0, 255), np.uint8)


@given(st.lists(st.integers(0, 10_000).map(small_picture), max_size=12))
def test_batched_pictures_have_the_same_ink_as_alone(pictures: list[NDArray[np.uint8]]) -> None:
    inks = find_inks(pictures)
    assert len(inks) == len(pictures)
    assert all(np.array_equal(ink, find_ink(picture)) for ink, picture in zip(inks, pictures, strict=True))


@pytest.mark.parametrize("index", range(len(DIGITS)))
def test_a_clean_picture_is_unchanged_in_either_polarity(index: int) -> None:
    digit = DIGITS[index]
    assert np.array_equal(ink_of(digit), digit)
    assert np.array_equal(ink_of(255 - digit), digit)


@given(digits, *[st.integers(0, 40)] * 4)
def test_padding_adds_no_ink(digit: NDArray[np.uint8], top: int, bottom: int, left: int, right: int) -> None:
    around = ((top, bottom), (left, right))
    padded = np.pad(digit, around)
    assert np.array_equal(ink_of(padded), padded)
    assert np.array_equal(ink_of(255 - padded), padded)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=80)))
def test_any_picture_gives_ink_of_its_own_shape(grey: NDArray[np.uint8]) -> None:
    ink = ink_of(grey)
    assert ink.shape == grey.shape
    assert ink.dtype == np.uint8


@given(digits, st.integers(20, 200), st.integers(-200, 200))
def test_faint_ink_is_stretched_to_full_contrast(digit: NDArray[np.uint8], ground: int, contrast: int) -> None:
    paper = np.clip(ground + digit.astype(int) * contrast // 255, 0, 255).astype(np.uint8)
    reached = int(np.abs(paper.astype(int) - ground).max())
    ink = ink_of(paper)
    if reached < LEAST_CONTRAST:
        assert not ink.any()
    # Most of the ink must exceed the least contrast; near the limit the peak may not.
    elif reached >= 1.5 * LEAST_CONTRAST:
        assert ink.max() >= 230
        assert np.array_equal(ink > 0, paper != ground)


@given(st.integers(0, 9), st.integers(0, 1000), st.booleans())
def test_light_noise_and_blur_leave_the_strokes(digit: int, seed: int, dark: bool) -> None:
    rng = np.random.default_rng(seed)
    truth = draw_digit(digit, rng)
    colours = ((205, 205, 205), (60, 60, 60))
    paper = Paper(*(colours if dark else colours[::-1]), light=0.3, blur=0.8, noise=3.0)
    picture = decode(set_on_paper(truth, paper, rng), channels=1)
    assert overlap(find_ink(picture), truth) > 0.7
    assert overlap(find_ink(255 - picture), truth) > 0.7


@given(st.integers(0, 9), st.integers(0, 1000), st.sampled_from([50, 75, 95]))
def test_the_ringing_of_jpeg_is_no_ink(digit: int, seed: int, quality: int) -> None:
    truth = draw_digit(digit, np.random.default_rng(seed))
    file = io.BytesIO()
    Image.fromarray(255 - truth).save(file, "JPEG", quality=quality)
    ink = find_ink(decode(file.getvalue(), channels=1))
    rows, columns = np.nonzero(truth)
    far = ink.copy()
    far[max(rows.min() - 2, 0) : rows.max() + 3, max(columns.min() - 2, 0) : columns.max() + 3] = 0
    assert not far.any()
    assert overlap(ink, truth) > 0.8


@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (200, 150)])
def test_one_level_is_blank(level: int, shape: tuple[int, int]) -> None:
    assert not ink_of(np.full(shape, level, np.uint8)).any()


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 40), st.integers(60, 200), st.floats(-0.3, 0.3))
def test_noise_and_uneven_light_are_blank(seed: int, strength: float, level: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    light = level + slope * np.add.outer(np.arange(120), np.arange(100)) / 2
    noisy = np.clip(light + rng.normal(0, strength, light.shape), 0, 255).astype(np.uint8)
    assert not ink_of(noisy).any()


def test_ink_that_touches_the_edge_keeps_its_polarity() -> None:
    bar = np.zeros((28, 28), np.uint8)
    bar[:, 10:18] = 255
    assert np.array_equal(ink_of(bar), bar)
    assert np.array_equal(ink_of(255 - bar), bar)


# Options of a page, and the largest share of other ink relative to the true ink.
PAGES = {
    "small": (PageOptions(width=420, height=320), 0.1),
    "large": (PageOptions(width=800, height=600, lines=(2, 3), digits=(2, 4), digit_height=(70.0, 110.0)), 0.02),
}
# Scenes with a part of the other polarity.
PANELS = [name for name, scene in SCENES.items() if scene.panel]


@pytest.mark.parametrize(
    ("size", "name", "seed"),
    [
        *(("small", name, seed) for name in SCENES for seed in range(2)),
        *(("large", name, seed) for name in PANELS for seed in range(4)),
    ],
)
def test_every_scene_gives_its_ink_and_nothing_else(size: str, name: str, seed: int) -> None:
    options, most_stray = PAGES[size]
    page = draw_page(np.random.default_rng(seed), options, SCENES[name])
    ink = find_ink(page.picture) >= 80
    truth = page.ink >= 128
    near = np.asarray(Image.fromarray(page.ink).filter(ImageFilter.MaxFilter(9))) > 0
    assert (ink & truth).sum() >= 0.9 * truth.sum()
    assert (ink & ~near).sum() <= most_stray * truth.sum()


@pytest.mark.parametrize("name", SCENES)
def test_a_page_without_writing_is_blank(name: str) -> None:
    options = PageOptions(width=420, height=320, lines=(0, 0))
    # A lone shadow or dirt is the darkest part of a page; rejection handles its shape.
    scene = replace(SCENES[name], dirt=0, shadow=0.0)
    page = draw_page(np.random.default_rng(5), options, scene)
    assert np.mean(find_ink(page.picture) >= 80) < 0.002


@pytest.mark.parametrize("pen", [(200, 50, 60), (60, 150, 70), (40, 60, 170), (110, 150, 220), (120, 40, 140)])
@pytest.mark.parametrize("paper", [(215, 210, 200), (240, 220, 120), (200, 215, 235)])
def test_coloured_ink_is_as_dark_as_black(pen: tuple[int, int, int], paper: tuple[int, int, int]) -> None:
    truth = draw_digit(5, np.random.default_rng(3), size=120)
    picture = np.asarray(set_on_paper(truth, Paper(paper, pen, blur=0.6, noise=2.0), np.random.default_rng(4)))
    ink = find_ink(picture)
    assert overlap(ink, truth) > 0.8
    assert np.median(ink[truth == 255]) > 180


@given(st.integers(0, 9), st.integers(0, 1000), st.sampled_from([0.5, 2.0, 4.0]))
def test_size_does_not_matter(digit: int, seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    truth = draw_digit(digit, rng, size=200)
    paper = set_on_paper(truth, Paper((210, 205, 200), (50, 50, 60), light=0.3, blur=1.0, noise=3.0), rng)
    side = round(200 * factor)
    resized = np.asarray(paper.resize((side, side), Image.Resampling.BICUBIC))
    small = np.asarray(Image.fromarray(find_ink(resized)).resize((200, 200), Image.Resampling.BOX))
    assert overlap(small, truth) > 0.65


@given(st.integers(0, 9), st.integers(0, 1000))
def test_a_good_jpeg_gives_the_ink_of_its_png(digit: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    paper = set_on_paper(draw_digit(digit, rng), Paper((210, 205, 200), (50, 50, 60), light=0.3, noise=2.0), rng)
    file = io.BytesIO()
    paper.save(file, "JPEG", quality=95)
    inks = [find_ink(decode(source, channels=3)) for source in (paper, file.getvalue())]
    assert overlap(*inks) > 0.9


@pytest.mark.parametrize("light", [False, True])
def test_transparent_ground_reads_like_a_plain_one(light: bool) -> None:
    drawn = draw_digit(3, np.random.default_rng(0))
    layers = np.full((*drawn.shape, 4), 255 if light else 0, np.uint8)
    layers[..., 3] = drawn
    assert np.array_equal(find_ink(decode(layers, channels=3)), drawn)


def test_a_digit_on_a_tile_is_read_from_the_tile() -> None:
    drawn = draw_digit(2, np.random.default_rng(1), size=120)
    for ground in (0, 255):
        page = np.full((300, 400), ground, np.uint8)
        tile = page[60:240, 100:280]
        tile[:] = 255 - ground
        written = tile[30:150, 30:150]
        written[:] = np.abs(written.astype(int) - drawn).astype(np.uint8)
        truth = np.zeros_like(page)
        truth[90:210, 130:250] = drawn
        assert overlap(ink_of(page), truth) > 0.95


def test_a_dithered_picture_is_read() -> None:
    drawn = draw_digit(7, np.random.default_rng(2), size=300)
    grey = Image.fromarray((230 - drawn.astype(int) * 190 // 255).astype(np.uint8))
    ink = find_ink(decode(grey.convert("1"), channels=1))
    assert overlap(ink, drawn) > 0.85


@pytest.mark.parametrize("shape", [(1, 20_000), (20_000, 1), (60, 20_000), (1, 1), (2, 3), (64, 64)])
def test_odd_shapes_of_noise_are_blank(shape: tuple[int, int]) -> None:
    assert not find_ink(np.random.default_rng(0).integers(100, 140, (*shape, 3), np.uint8)).any()


def test_a_digit_in_a_long_strip_is_found() -> None:
    drawn = draw_digit(4, np.random.default_rng(1), size=90)
    strip = np.zeros((100, 20_000), np.uint8)
    strip[5:95, 7000:7090] = drawn
    assert np.array_equal(ink_of(255 - strip), strip)


def test_a_million_specks_are_no_ink() -> None:
    specks = np.where(np.random.default_rng(0).random((1500, 2000)) < 0.3, 0, 255).astype(np.uint8)
    assert np.mean(ink_of(specks) > 0) < 0.001


@given(st.integers(0, 9), st.integers(0, 1000), st.integers(16, 40), st.sampled_from([0, 255]), st.data())
def test_clean_drawings_have_the_same_ink_in_grey_and_in_colour(
    digit: int, seed: int, size: int, ground: int, data: st.DataObject
) -> None:
    drawn = np.pad(draw_digit(digit, np.random.default_rng(seed), size=size), 3)
    for y, x in data.draw(st.lists(st.tuples(*[st.integers(0, size + 5)] * 2), max_size=9)):
        drawn[y, x] = max(drawn[y, x], data.draw(st.integers(0, 12)))
    faint = data.draw(st.sampled_from([1.0, 0.95, 0.5]))
    grey = ((drawn * faint).astype(np.uint8) ^ np.uint8(ground))[..., np.newaxis]
    # Grey drawings are known by their rim; those in colour are searched like any other small picture.
    assert np.array_equal(find_ink(grey), find_ink(np.repeat(grey, 3, axis=2)))
