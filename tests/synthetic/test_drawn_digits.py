"""Drawn digits: styles, ink, paper and samples."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.synthetic import paper as papers
from edgedigits_runtime.synthetic.digit_styles import RARE_STYLES, SCHOOL_STYLES, digit_glyphs, stroke_points
from edgedigits_runtime.synthetic.handwriting import SMALLEST, draw_digit
from edgedigits_runtime.synthetic.paper import Paper, set_on_paper
from edgedigits_runtime.synthetic.samples import golden_pictures, mnist_like

digits = st.integers(0, 9)
seeds = st.integers(0, 2**32 - 1)
# No deadline, so that a busy machine does not fail the tests.
untimed = settings(deadline=None, max_examples=40)


def test_every_digit_has_three_styles_within_the_unit() -> None:
    assert len(SCHOOL_STYLES) == len(RARE_STYLES) == 10
    for school, rare in zip(SCHOOL_STYLES, RARE_STYLES, strict=True):
        assert len(school) >= 3 and len(rare) >= 3
        for glyph in (*school.values(), *rare.values()):
            points = np.concatenate([np.concatenate(stroke_points(stroke)) for stroke in glyph])
            assert points[:, 0].min() >= 0 and points[:, 0].max() <= 0.75
            # Full height, so that one writer's digits are equally tall.
            assert points[:, 1].min() <= 0.05 and points[:, 1].max() >= 0.95


@untimed
@given(digits, seeds, st.integers(SMALLEST, 160))
def test_digit_is_within_canvas(digit: int, seed: int, size: int) -> None:
    ink = draw_digit(digit, np.random.default_rng(seed), size=size)
    assert ink.shape == (size, size) and ink.dtype == np.uint8
    edge = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    assert not edge.any()
    rows, columns = np.nonzero(ink)
    assert ink.max() > 200
    # More than a speck, less than a blot.
    assert max(np.ptp(rows), np.ptp(columns)) > size / 2
    assert 0.02 < ink.mean() / 255 < 0.5


@untimed
@given(digits, seeds, st.floats(0, 1))
def test_any_thickness_stays_within_canvas(digit: int, seed: int, part: float) -> None:
    size = 48
    thickness = 1 + part * (size / 4 - 1)
    ink = draw_digit(digit, np.random.default_rng(seed), size=size, thickness=thickness)
    assert ink.any()
    assert not np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]]).any()


@untimed
@given(digits, seeds)
def test_seed_determines_digit(digit: int, seed: int) -> None:
    first, again, other = (draw_digit(digit, np.random.default_rng(s), size=40) for s in (seed, seed, seed + 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_wide_styles_include_school_styles() -> None:
    for digit in range(10):
        school, wide = (digit_glyphs(digit, table) for table in ("school", "wide"))
        assert wide[: len(school)] == school == tuple(SCHOOL_STYLES[digit].values())
        assert len(set(wide)) == len(wide) == len(school) + len(RARE_STYLES[digit])


@untimed
@given(digits, seeds)
def test_digit_of_wide_styles_is_within_canvas(digit: int, seed: int) -> None:
    ink = draw_digit(digit, np.random.default_rng(seed), size=48, styles="wide")
    assert ink.any() and not np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]]).any()


def test_unknown_styles_are_an_error() -> None:
    with pytest.raises(UnknownName, match="school, wide"):
        draw_digit(1, np.random.default_rng(0), styles="left")


@untimed
@given(digits, seeds)
def test_thicker_pen_leaves_more_ink(digit: int, seed: int) -> None:
    thin, thick = (draw_digit(digit, np.random.default_rng(seed), thickness=width).sum() for width in (5, 12))
    assert thick > 1.3 * thin


def test_strokes_are_anti_aliased() -> None:
    ink = draw_digit(3, np.random.default_rng(0), size=28, thickness=3)
    assert len(np.unique(ink)) > 30


@pytest.mark.parametrize("digit", [-1, 10, 2.5])
def test_invalid_digit_is_an_error(digit: int) -> None:
    with pytest.raises(UnknownName, match="0, 1, 2, 3, 4, 5, 6, 7, 8, 9"):
        draw_digit(digit, np.random.default_rng(0))


def test_small_canvas_is_an_error() -> None:
    with pytest.raises(ArrayError, match=r"16 .*15"):
        draw_digit(1, np.random.default_rng(0), size=15)


@pytest.mark.parametrize("thickness", [0.5, 8.1, float("nan")])
def test_thickness_out_of_range_is_an_error(thickness: float) -> None:
    with pytest.raises(ArrayError, match=r"1 to 8 .*32"):
        draw_digit(1, np.random.default_rng(0), size=32, thickness=thickness)


def test_plain_paper_has_exact_colours() -> None:
    ink = np.array([[0, 255, 51]], np.uint8)
    picture = set_on_paper(ink, Paper(ground=(250, 240, 200), ink=(0, 40, 100)), np.random.default_rng(0))
    assert picture.mode == "RGB"
    assert np.asarray(picture).tolist() == [[[250, 240, 200], [0, 40, 100], [200, 200, 180]]]


@pytest.mark.parametrize("name", ["MARKER", "BLUE_PEN", "PENCIL", "CHALK", "PHONE_PHOTO", "SCREEN"])
@untimed
@given(digit=digits, seed=seeds)
def test_ink_contrasts_with_every_paper(name: str, digit: int, seed: int) -> None:
    paper: Paper = getattr(papers, name)
    ink = draw_digit(digit, np.random.default_rng(seed), size=64, thickness=6)
    grey = np.asarray(set_on_paper(ink, paper, np.random.default_rng(seed)).convert("L"), dtype=float)
    assert grey.shape == ink.shape
    difference = grey[ink > 200].mean() - grey[ink == 0].mean()
    assert np.sign(difference) == np.sign(sum(paper.ink) - sum(paper.ground))
    assert abs(difference) > 50


@untimed
@given(st.integers(1, 9), st.integers(1, 9), seeds)
def test_light_loss_is_bounded_on_any_shape(height: int, width: int, seed: int) -> None:
    bare = np.zeros((height, width), np.uint8)
    paper = Paper(ground=(200, 200, 200), light=0.5)
    grey = np.asarray(set_on_paper(bare, paper, np.random.default_rng(seed)))[..., 0]
    assert grey.shape == (height, width)
    assert grey.max() == 200
    assert grey.min() == (200 if height == width == 1 else 100)


def test_noise_has_its_standard_deviation() -> None:
    bare = np.zeros((200, 200), np.uint8)
    paper = Paper(ground=(128, 128, 128), noise=5.0)
    picture = np.asarray(set_on_paper(bare, paper, np.random.default_rng(0)), dtype=float)
    assert picture[..., 1].std() == pytest.approx(5.0, rel=0.1)


@pytest.mark.parametrize("ink", [np.zeros((4, 4)), np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4), np.uint8)], ids=str)
def test_invalid_ink_is_an_error(ink: np.ndarray) -> None:
    with pytest.raises(ArrayError, match="uint8"):
        set_on_paper(ink, Paper(), np.random.default_rng(0))


@untimed
@given(st.integers(0, 12), seeds)
def test_samples_are_balanced_framed_and_reproducible(count: int, seed: int) -> None:
    images, labels = mnist_like(count, seed)
    assert images.shape == (count, 28, 28) and images.dtype == np.uint8
    assert labels.shape == (count,) and labels.dtype == np.int64
    per_class = np.bincount(labels, minlength=10)
    assert len(per_class) == 10 and np.ptp(per_class) <= 1
    for image in images:
        assert image.max() > 150
        # MNIST's framing: 20 pixels for the digit, its centre of mass in the middle.
        rows, columns = np.nonzero(image)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    again, labels_again = mnist_like(count, seed)
    assert np.array_equal(images, again) and np.array_equal(labels, labels_again)


def test_samples_are_shuffled() -> None:
    _, labels = mnist_like(40, 0)
    assert labels.tolist() != (np.arange(40) % 10).tolist()


def test_samples_have_the_mean_of_mnist() -> None:
    images, _ = mnist_like(200, 0)
    # The training images of MNIST have a mean of 33.3 (0.1307 * 255).
    assert 27 < images.mean() < 40


def test_negative_count_is_an_error() -> None:
    with pytest.raises(ArrayError, match="-1"):
        mnist_like(-1, 0)


def test_golden_pictures_are_small_and_of_both_polarities() -> None:
    pairs = golden_pictures()
    assert [text for _, text in pairs] == [str(digit) for digit in range(10)]
    assert sum(len(content) for content, _ in pairs) < 20_000
    for content, text in pairs:
        with Image.open(io.BytesIO(content)) as picture:
            assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (56, 64))
            grey = np.asarray(picture)
        # The corners are blank; even digits are dark on light.
        assert (grey[0, 0] > 128) == (int(text) % 2 == 0)
        assert (grey[grey.shape[0] // 2].min() < 100) and (grey.max() > 150)


def test_golden_pictures_are_reproducible() -> None:
    assert golden_pictures(7) == golden_pictures()
    assert golden_pictures(8) != golden_pictures()
