"""Labelled pages: layout, view, scene and painting."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.reading.components import find_components
from edgedigits_runtime.synthetic.labelled_pages import Box, Page, draw_page
from edgedigits_runtime.synthetic.layout import PageOptions, lay_out
from edgedigits_runtime.synthetic.scenes import SCENES, Scene, draw_scene, scene_named
from edgedigits_runtime.synthetic.views import draw_view, page_coordinates, scale_at, seen_points

seeds = st.integers(0, 2**32 - 1)
some = settings(max_examples=25)
SMALL = PageOptions(width=240, height=180, digit_height=(16.0, 60.0))
TILTED = Scene(tilt=0.12, turn=5.0)


@st.composite
def options(draw: st.DrawFn) -> PageOptions:
    low, more = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    return PageOptions(
        width=draw(st.integers(64, 320)),
        height=draw(st.integers(64, 320)),
        lines=(low, low + more),
        digits=(1, draw(st.integers(1, 5))),
        grid=draw(st.booleans()),
        digit_height=(12.0, draw(st.floats(12, 400))),
        thickness=(0.01, draw(st.floats(0.01, 0.2))),
        touching=draw(st.sampled_from([0.0, 0.5])),
        mixed_pens=draw(st.booleans()),
        writers=draw(st.integers(1, 2)),
        signs=draw(st.sampled_from([0.0, 0.5])),
        words=draw(st.integers(0, 1)),
        scrawls=draw(st.integers(0, 2)),
    )


def draw(seed: int, what: PageOptions, scene: Scene | None = None) -> Page:
    return draw_page(np.random.default_rng(seed), what, scene)


def check_boxes(ink: np.ndarray, boxes: list[Box]) -> None:
    """Check that all ink is in boxes, and that boxes are tight and within the picture."""
    covered = np.zeros(ink.shape, bool)
    for x, y, width, height in boxes:
        assert x >= 0 and y >= 0 and x + width <= ink.shape[1] and y + height <= ink.shape[0]
        assert width > 0 and height > 0
        inside = ink[y : y + height, x : x + width]
        for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]):
            assert side.any()
        covered[y : y + height, x : x + width] = True
    assert not ink[~covered].any()


@some
@given(options(), seeds)
def test_ground_truth_is_consistent(what: PageOptions, seed: int) -> None:
    page = draw(seed, what, TILTED)
    shape = (what.height, what.width)
    assert page.picture.shape == (*shape, 3) and page.picture.dtype == np.uint8
    for ink in (page.ink, page.other_ink):
        assert ink.shape == shape and ink.dtype == np.uint8
    check_boxes(page.ink, page.boxes)
    check_boxes(page.other_ink, page.other_boxes)
    lines = page.text.split("\n") if page.text else []
    assert len("".join(lines)) == len(page.boxes)
    assert what.lines[0] <= len(lines) <= what.lines[1]
    assert all(what.digits[0] <= len(line) <= what.digits[1] and line.isdigit() for line in lines)


@some
@given(options(), seeds)
def test_seed_determines_page(what: PageOptions, seed: int) -> None:
    what = replace(what, lines=(1, 2))
    first, again, other = (draw(s, what, SCENES["phone"]) for s in (seed, seed, seed + 1))
    assert np.array_equal(first.picture, again.picture) and np.array_equal(first.ink, again.ink)
    assert (first.boxes, first.text) == (again.boxes, again.text)
    assert not np.array_equal(first.picture, other.picture)


@some
@given(seeds)
def test_boxes_are_in_reading_order(seed: int) -> None:
    page = draw(seed, replace(SMALL, lines=(2, 3), digits=(2, 4)))
    boxes = iter(page.boxes)
    above = -1.0
    for line in page.text.split("\n"):
        row = [next(boxes) for _ in line]
        assert [x for x, *_ in row] == sorted(x for x, *_ in row)
        middle = float(np.mean([y + height / 2 for _, y, _, height in row]))
        assert middle > above
        above = middle


@some
@given(seeds)
def test_neighbours_touch_only_on_request(seed: int) -> None:
    what = PageOptions(width=400, height=120, digits=(3, 4), digit_height=(40, 50), gap=(0.04, 0.1), styles="school")
    page = draw(seed, what)
    for (x, _, width, _), (following, *_) in zip(page.boxes, page.boxes[1:], strict=False):
        assert x + width <= following
    touching = draw(seed, replace(what, touching=1.0))
    # Fewer connected components than digits; separate school digits have at least one each.
    assert len(find_components(touching.ink > 0)) < len(touching.boxes)


@some
@given(seeds)
def test_grid_has_rows_and_columns(seed: int) -> None:
    page = draw(seed, PageOptions(width=300, height=240, lines=(3, 3), digits=(4, 4), grid=True))
    assert [len(line) for line in page.text.split("\n")] == [4, 4, 4]
    centres = np.array([(x + width / 2, y + height / 2) for x, y, width, height in page.boxes]).reshape(3, 4, 2)
    assert np.ptp(centres[..., 0], axis=0).max() < 30
    assert np.ptp(centres[..., 1], axis=1).max() < 30


@some
@given(seeds)
def test_page_without_digits_has_no_labels(seed: int) -> None:
    blank = draw(seed, replace(SMALL, lines=(0, 0)), SCENES["dirty scan"])
    assert (blank.text, blank.boxes, blank.other_boxes) == ("", [], [])
    assert not blank.ink.any()
    lettered = draw(seed, replace(SMALL, lines=(0, 0), words=1, scrawls=1))
    assert (lettered.text, lettered.boxes) == ("", [])
    assert lettered.other_boxes and lettered.other_ink.any()


@some
@given(seeds)
def test_signs_are_not_in_the_text(seed: int) -> None:
    page = draw(seed, PageOptions(digits=(4, 4), signs=1.0, digit_height=(60, 80)))
    assert len(page.text) == 4 and len(page.other_boxes) == 4
    assert not ((page.ink > 0) & (page.other_ink > 0)).any()


@pytest.mark.parametrize("name", SCENES)
def test_ink_contrasts_in_every_scene(name: str) -> None:
    scene = scene_named(name)
    for seed in range(3):
        page = draw(seed, PageOptions(width=360, height=270, digit_height=(80, 120), thickness=(0.12, 0.14)), scene)
        [(x, y, width, height)] = page.boxes
        window = slice(y, y + height), slice(x, x + width)
        # Blue ink is dark in the red channel, red ink in the green channel.
        colours, ink = page.picture[window].astype(float), page.ink[window]
        difference = colours[ink > 220].mean(axis=0) - colours[ink == 0].mean(axis=0)
        assert abs(difference).max() > 25
        expected = np.sign(sum(scene.pens[0]) - sum(scene.ground))
        assert np.sign(difference[abs(difference).argmax()]) == expected


@pytest.mark.parametrize("name", [name for name, scene in SCENES.items() if scene.panel])
def test_panels_invert_every_second_line(name: str) -> None:
    page = draw(2, PageOptions(width=400, height=300, lines=(3, 3), digits=(2, 2), digit_height=(50, 60)), SCENES[name])
    darker = []
    for x, y, width, height in page.boxes:
        window = slice(y, y + height), slice(x, x + width)
        grey, ink = page.picture[window].mean(axis=2), page.ink[window]
        darker.append(bool(grey[ink > 220].mean() < grey[ink == 0].mean()))
    on_page = sum(SCENES[name].pens[0]) < sum(SCENES[name].ground)
    assert darker == [on_page] * 2 + [not on_page] * 2 + [on_page] * 2


def test_default_page_is_black_on_white() -> None:
    page = draw(0, SMALL)
    assert (page.picture[page.ink == 0] == Scene().ground).all()
    assert (page.picture[page.ink == 255] == Scene().pens[0]).all()
    assert len(page.boxes) == 1


def test_table_is_visible_beyond_the_page() -> None:
    scene = Scene(table=(40, 30, 20), tilt=0.2)
    page = draw(1, replace(SMALL, lines=(0, 0)), scene)
    bright = page.picture.mean(axis=2) > 128
    assert 0.4 < bright.mean() < 0.97
    assert bright[90, 120] and not bright[0, 0]


def test_shadow_darkens_a_part_of_the_page() -> None:
    blank = replace(SMALL, lines=(0, 0))
    shares = []
    for seed in range(8):
        grey = draw(seed, blank, Scene(ground=(200, 200, 200), shadow=0.5)).picture[..., 0]
        assert grey.max() <= 200 and grey.min() >= 100
        shares.append((grey < 110).mean())
    assert max(shares) > 0.1 and min(shares) < 0.9


def test_ruled_and_squared_paper() -> None:
    blank = replace(SMALL, lines=(0, 0))
    ruled = draw(0, blank, Scene(line_spacing=0.1)).picture.astype(int)
    squared = draw(0, blank, Scene(line_spacing=0.1, squared=True)).picture.astype(int)
    assert (np.ptp(ruled, axis=1) == 0).all() and np.ptp(ruled, axis=0).max() > 30
    assert np.ptp(squared, axis=1).max() > 30 and np.ptp(squared, axis=0).max() > 30


@some
@given(seeds, st.floats(0, 0.3), st.floats(0, 20))
def test_view_keeps_page_in_picture_and_is_invertible(seed: int, tilt: float, turn: float) -> None:
    size = (90, 60)
    view = draw_view(np.random.default_rng(seed), size, tilt=tilt, turn=turn)
    corners = seen_points(view, np.array([[0.0, 0.0], [90, 0], [90, 60], [0, 60]]))
    assert (corners > -1e-6).all() and (corners[:, 0] < 90 + 1e-6).all() and (corners[:, 1] < 60 + 1e-6).all()
    x, y = page_coordinates(view, size)
    assert x.shape == (60, 90) and x.dtype == np.float32
    [seen] = seen_points(view, np.array([[x[20, 30], y[20, 30]]], float))
    assert seen == pytest.approx((30, 20), abs=0.01)
    assert 0.02 < scale_at(view, np.array([45.0, 30.0])) < 1.5


def test_view_without_tilt_and_turn_is_the_identity() -> None:
    view = draw_view(np.random.default_rng(0), (90, 60), tilt=0, turn=0)
    assert view == pytest.approx(np.eye(3), abs=1e-9)
    assert scale_at(view, np.array([10.0, 10.0])) == pytest.approx(1.0)


@given(seeds)
def test_drawn_scene_is_a_variation_of_a_known_one(seed: int) -> None:
    scene, again = (draw_scene(np.random.default_rng(seed)) for _ in "12")
    assert scene == again
    for colour in (scene.ground, *scene.pens):
        assert all(0 <= part <= 255 for part in colour)
    assert 0 <= scene.tilt <= 0.3 and 0 <= scene.shadow < 1 and 0 <= scene.light < 1


def test_writer_has_one_glyph_per_digit() -> None:
    marks = lay_out(np.random.default_rng(3), replace(SMALL, lines=(3, 3), digits=(8, 8)))
    counts: dict[int, set[int]] = {}
    for mark in marks:
        assert mark.digit is not None
        counts.setdefault(mark.digit, set()).add(sum(len(stroke) for stroke in mark.strokes))
    assert all(len(lengths) == 1 for lengths in counts.values())
    assert len({mark.pen for mark in marks}) == 1


@pytest.mark.parametrize(
    ("wrong", "facts"),
    [
        ({"lines": (2, 1)}, "lines.* 2 to 1"),
        ({"digits": (0, 1)}, "digits.* 0 to 1"),
        ({"digit_height": (4.0, 9.0)}, "digit_height.* 8"),
        ({"gap": (-0.1, 0.1)}, "gap.* 0"),
        ({"width": 31}, "32.* 31x750"),
        ({"writers": 0}, "writers.* 0"),
    ],
)
def test_invalid_options_are_an_error(wrong: dict[str, object], facts: str) -> None:
    with pytest.raises(ArrayError, match=facts):
        PageOptions(**wrong)  # type: ignore[arg-type]


def test_unknown_styles_and_scenes_are_an_error() -> None:
    with pytest.raises(UnknownName, match="school, wide"):
        PageOptions(styles="left")
    with pytest.raises(UnknownName, match="drawing program"):
        scene_named("moon")
