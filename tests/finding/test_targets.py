"""Targets of scenes, and the decoder that undoes them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.finding.measures import Tally
from edgedigits.finding.targets import LIMITS, Target, encode, strides_of
from edgedigits.scenes import IGNORED, LETTER, Scene
from edgedigits_runtime.reading.found import Floats, decode

SIDE = 320
CELL = 80


def scene_of(boxes: list[tuple[float, float, float, float]], classes: list[int]) -> Scene:
    shaped = np.array(boxes, np.float32).reshape(-1, 4)
    return Scene(np.zeros((SIDE, SIDE, 3), np.uint8), shaped, np.array(classes, np.int64), ())


def answered(targets: list[Target]) -> list[Floats]:
    """Return the outputs of a network that learned its targets by heart."""
    chances = [np.clip(target.heat, 1e-4, 0.999) for target in targets]
    heats = [np.log(chance / (1 - chance)) for chance in chances]
    return [array for heat, target in zip(heats, targets, strict=True) for array in (heat, target.box)]


@st.composite
def apart(draw: st.DrawFn) -> Scene:
    """Scenes whose boxes stand apart: at most one in each square of CELL pixels, or a single one of any size."""
    if draw(st.booleans()):
        width, height = draw(st.floats(7, SIDE)), draw(st.floats(7, SIDE))
        left, top = draw(st.floats(0, 1)) * (SIDE - width), draw(st.floats(0, 1)) * (SIDE - height)
        return scene_of([(left, top, width, height)], [draw(st.integers(0, LETTER))])
    boxes, classes = [], []
    for square in draw(st.sets(st.integers(0, 15))):
        width, height = draw(st.floats(3, 70)), draw(st.floats(7, 70))
        left, top = (CELL * place + 5 + draw(st.floats(0, 1)) * (70 - side) for place, side in
                     ((square % 4, width), (square // 4, height)))  # fmt: skip
        boxes.append((left, top, width, height))
        classes.append(draw(st.integers(0, LETTER)))
    return scene_of(boxes, classes)


@given(apart())
def test_what_is_encoded_is_decoded(scene: Scene) -> None:
    found = decode(answered(encode(scene)), 0.5)
    assert len(found.boxes) == len(scene.boxes)
    order, wanted = (np.lexsort(np.round(boxes[:, :2], 2).T) for boxes in (found.boxes, scene.boxes))
    assert np.allclose(found.boxes[order], scene.boxes[wanted], rtol=1e-3, atol=0.02)
    assert ((found.scores > found.letter_scores)[order] == (scene.classes[wanted] < LETTER)).all()


@given(apart())
def test_what_is_found_exactly_counts_fully(scene: Scene) -> None:
    tally = Tally()
    tally.add(scene, decode(answered(encode(scene)), 0.5))
    assert tally.hits.sum() == tally.digits.sum() == tally.right
    assert (tally.wrong, tally.letters_taken, tally.exact) == (0, 0, 1)


@given(st.floats(1, 2000), st.floats(1, 2000))
def test_every_box_is_answered_for_by_one_stride_or_two_neighbours(width: float, height: float) -> None:
    strides = strides_of(width, height)
    assert strides in [[0], [0, 1], [1], [1, 2], [2], [2, 3], [3]]
    low, high = LIMITS[strides[0]], LIMITS[strides[-1] + 1]
    assert low / 1.2 <= max(width, height) <= high * 1.2


def test_ignored_marks_count_at_no_stride_and_a_digit_on_them_does() -> None:
    targets = encode(scene_of([(100, 100, 60, 60), (120, 120, 10, 10)], [IGNORED, 3]))
    assert all((target.heat_weight == 0).any() for target in targets)
    assert targets[0].heat_weight[31, 31] == 1 and targets[0].heat[31, 31, 0] == 1
    assert targets[0].heat_weight[26, 26] == 0 and targets[0].heat_weight[10, 10] == 1


def test_neighbours_that_touch_stay_two_peaks() -> None:
    scene = scene_of([(100, 100, 8, 14), (108, 100, 8, 14), (116, 100, 8, 14)], [1, 2, 3])
    assert len(decode(answered(encode(scene)), 0.5).boxes) == 3


@pytest.mark.parametrize("classes", [[], [IGNORED]])
def test_a_scene_without_digits_has_no_heat(classes: list[int]) -> None:
    targets = encode(scene_of([(10, 10, 20, 20)] * len(classes), classes))
    assert all(target.heat.max() == 0 and target.box_weight.max() == 0 for target in targets)


def test_wrong_boxes_are_counted_by_what_they_lie_on() -> None:
    scene = scene_of([(10, 10, 20, 20), (100, 100, 20, 20), (200, 200, 20, 20)], [5, LETTER, IGNORED])
    claimed = scene_of([(100, 100, 20, 20), (200, 200, 20, 20), (280, 280, 20, 20)], [5, 5, 5])
    tally = Tally()
    tally.add(scene, decode(answered(encode(claimed)), 0.5))
    assert (tally.hits.sum(), tally.right, tally.wrong, tally.letters_taken, tally.exact) == (0, 0, 2, 1, 0)
    assert tally.shares()["letters_taken"] == 1
