"""Scenes are the same for the same seed and number, and their boxes lie in the picture."""

import numpy as np
import pytest

from edgedigits.scenes.scene import IGNORED, LETTER
from edgedigits.scenes.streams import Stream


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_scene_depends_on_seed_and_number_only(part: str) -> None:
    stream = Stream(3, side=160, part=part)
    first = [stream.scene(k) for k in range(12)]
    for k in reversed(range(12)):
        again = stream.scene(k)
        assert np.array_equal(again.pixels, first[k].pixels)
        assert np.array_equal(again.boxes, first[k].boxes) and again.lines == first[k].lines


def test_boxes_lie_in_the_picture() -> None:
    stream = Stream(5, side=224)
    for k in range(40):
        scene = stream.scene(k)
        assert scene.pixels.shape == (224, 224, 3) and scene.pixels.dtype == np.uint8
        assert scene.boxes.shape == (len(scene.classes), 4) and scene.boxes.dtype == np.float32
        assert np.isin(scene.classes, [IGNORED, *range(10), LETTER]).all()
        ends = scene.boxes[:, :2] + scene.boxes[:, 2:]
        assert (scene.boxes[:, :2] >= 0).all() and (scene.boxes[:, 2:] >= 1).all() and (ends <= 224).all()
