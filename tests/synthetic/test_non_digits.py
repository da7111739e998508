"""Drawn non-digits: letters, signs, doodles, scribbles, ticks, textures and fragments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.synthetic.digit_styles import stroke_points
from edgedigits_runtime.synthetic.doodles import DOODLES
from edgedigits_runtime.synthetic.fragments import draw_letter_half
from edgedigits_runtime.synthetic.handwriting import SMALLEST
from edgedigits_runtime.synthetic.letters import CURSIVE, CYRILLIC, GREEK, LETTERS, SIGNS, TICKS
from edgedigits_runtime.synthetic.non_digits import KINDS, draw_non_digit
from edgedigits_runtime.synthetic.samples import non_digit_samples

kinds = st.sampled_from(KINDS)
seeds = st.integers(0, 2**32 - 1)
some = settings(max_examples=60)

LOOK_LIKE_DIGITS = {
    "letters": set("BCDGIJOQSZUabcdgijloqsyz"),
    "greek": {"delta", "zeta", "xi", "iota", "omicron"},
    "cyrillic": {"be", "che", "e", "soft sign", "u", "ze"},
    "signs": set("!|,$&}"),
    "ticks": set(),
    "drawings": {"moon", "ring", "spiral"},
}
TABLES = {
    "letters": LETTERS,
    "greek": GREEK,
    "cyrillic": CYRILLIC,
    "signs": SIGNS,
    "ticks": TICKS,
    "drawings": DOODLES,
}


@some
@given(kinds, seeds, st.integers(SMALLEST, 128))
def test_non_digit_is_within_canvas(kind: str, seed: int, size: int) -> None:
    ink = draw_non_digit(np.random.default_rng(seed), kind=kind, size=size)
    assert ink.shape == (size, size) and ink.dtype == np.uint8
    assert ink.max() > 60
    assert not np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]]).any()


@some
@given(kinds, seeds)
def test_seed_determines_non_digit(kind: str, seed: int) -> None:
    first, again, other = (draw_non_digit(np.random.default_rng(s), kind=kind, size=40) for s in (seed, seed, seed + 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@some
@given(kinds.filter(lambda kind: kind != "texture"), seeds, st.floats(0, 1))
def test_any_thickness_is_drawn(kind: str, seed: int, part: float) -> None:
    size = 40
    ink = draw_non_digit(np.random.default_rng(seed), kind=kind, size=size, thickness=1 + part * (size / 4 - 1))
    assert ink.any()


@some
@given(seeds)
def test_strokes_are_anti_aliased(seed: int) -> None:
    ink = draw_non_digit(np.random.default_rng(seed), kind="letter", size=64)
    assert len(np.unique(ink)) >= 8


def test_default_draws_every_kind() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_non_digit(rng, size=32).tobytes() for _ in range(60)]
    assert len(set(drawn)) == 60
    # The first random number chooses the kind.
    chosen = {KINDS[np.random.default_rng(seed).integers(len(KINDS))] for seed in range(60)}
    assert chosen == set(KINDS)
    for seed in range(6):
        rng, same = np.random.default_rng(seed), np.random.default_rng(seed)
        kind = KINDS[same.integers(len(KINDS))]
        assert np.array_equal(draw_non_digit(rng, size=32), draw_non_digit(same, kind=kind, size=32))


@pytest.mark.parametrize("name", TABLES)
def test_glyphs_are_within_the_unit_and_unlike_digits(name: str) -> None:
    assert not LOOK_LIKE_DIGITS[name] & set(TABLES[name])
    for glyphs in TABLES[name].values():
        assert glyphs
        for glyph in glyphs:
            assert isinstance(glyph, tuple)
            points = np.concatenate([np.concatenate(stroke_points(stroke)) for stroke in glyph])
            assert points.min() >= 0 and points.max() <= 1
            assert np.ptp(points, axis=0).max() > 0.55


def test_cursive_letters_start_on_the_baseline_and_end_at_the_right() -> None:
    for first, *others in CURSIVE.values():
        points = np.concatenate(stroke_points(first))
        assert points[0, 0] == 0 and 0.85 < points[0, 1] < 1
        # The next letter starts here, so this one must not extend beyond it.
        assert points[-1, 0] == points[:, 0].max()
        assert points.min() >= 0 and points.max() <= 1
        for stroke in others:
            assert np.concatenate(stroke_points(stroke))[:, 0].max() <= points[-1, 0]


def test_an_eighth_of_samples_is_greek() -> None:
    assert KINDS.count("greek") / len(KINDS) >= 0.12


@some
@given(seeds, st.integers(24, 96), st.floats(0.05, 0.13))
def test_letter_half_is_not_a_bar(seed: int, size: int, pen: float) -> None:
    ink = draw_letter_half(np.random.default_rng(seed), size, max(1.0, pen * size))
    assert ink.shape == (size, size) and ink.dtype == np.uint8
    rows, columns = np.nonzero(ink > 127)
    assert np.ptp(columns) + 1 > 0.35 * (np.ptp(rows) + 1)


def test_ticks_point_in_every_direction() -> None:
    # A tick leaves one quadrant nearly blank; each turn leaves another one.
    barest = set()
    for seed in range(60):
        ink = draw_non_digit(np.random.default_rng(seed), kind="tick", size=32)
        quadrants = [part.sum() for half in np.split(ink, 2) for part in np.split(half, 2, axis=1)]
        barest.add(int(np.argmin(quadrants)))
    assert barest == {0, 1, 2, 3}


def test_unknown_kind_is_an_error() -> None:
    with pytest.raises(UnknownName, match="letter, operator"):
        draw_non_digit(np.random.default_rng(0), kind="digit")


def test_small_canvas_is_an_error() -> None:
    with pytest.raises(ArrayError, match=r"16 .*15"):
        draw_non_digit(np.random.default_rng(0), size=15)


@pytest.mark.parametrize("thickness", [0.5, 8.1, float("nan")])
def test_thickness_out_of_range_is_an_error(thickness: float) -> None:
    with pytest.raises(ArrayError, match=r"1 to 8 .*32"):
        draw_non_digit(np.random.default_rng(0), size=32, thickness=thickness)


@settings(max_examples=15)
@given(st.integers(0, 13), seeds)
def test_samples_are_framed_and_reproducible(count: int, seed: int) -> None:
    images = non_digit_samples(count, seed)
    assert images.shape == (count, 28, 28) and images.dtype == np.uint8
    for image in images:
        assert image.max() > 100
        rows, columns = np.nonzero(image)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 <= 20
    assert np.array_equal(images, non_digit_samples(count, seed))


def test_seed_changes_samples() -> None:
    assert not np.array_equal(non_digit_samples(6, 0), non_digit_samples(6, 1))


def test_negative_count_is_an_error() -> None:
    with pytest.raises(ArrayError, match="-1"):
        non_digit_samples(-1, 0)
