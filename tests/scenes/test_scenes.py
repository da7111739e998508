"""Scenes: the same for the same seed and number, with boxes and classes that are true."""

import itertools
from functools import partial

import numpy as np
import pytest

from edgedigits.scenes import ALL_KINDS, IGNORED, LETTER, Scene, draw_scene
from edgedigits.scenes.kinds import CONTENTS
from edgedigits.scenes.non_digits import NON_DIGITS
from edgedigits.scenes.streams import Stream, in_workers
from edgedigits_runtime.errors import ArrayError, UnknownName

pytestmark = pytest.mark.usefixtures("written_data")


def same(one: Scene, other: Scene) -> bool:
    arrays = [(scene.pixels, scene.boxes, scene.classes) for scene in (one, other)]
    return all(map(np.array_equal, *arrays)) and one.lines == other.lines


@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_scene_depends_on_seed_and_number_only(part):
    stream = Stream(3, side=128, part=part)
    first = [stream.scene(k) for k in range(16)]
    assert all(same(stream.scene(k), first[k]) for k in reversed(range(16)))
    assert not any(same(one, other) for one, other in itertools.pairwise(first))
    assert not same(Stream(4, side=128, part=part).scene(0), first[0])


def test_batches_resume_where_they_stopped():
    stream = Stream(8, side=64)
    batches = [*itertools.islice(in_workers(partial(stream.batch, size=3), workers=0), 3)]
    resumed = next(in_workers(partial(stream.batch, size=3), start=2, workers=0))
    assert all(map(same, batches[2], resumed))
    assert all(same(scene, stream.scene(k)) for k, scene in enumerate(itertools.chain(*batches)))


@pytest.mark.slow
def test_worker_processes_draw_the_same_batches():
    stream = Stream(8, side=64, kinds=("canvas", "numbers"))
    batches = in_workers(partial(stream.batch, size=2), start=1, workers=2)
    drawn = [*itertools.islice(batches, 3)]
    batches.close()
    assert all(map(same, itertools.chain(*drawn), (stream.scene(k) for k in range(2, 8))))


@pytest.mark.parametrize("content", CONTENTS)
def test_each_kind_marks_what_it_draws(content):
    scenes = [Stream(6, side=160, kinds=("page", "desk", content)).scene(k) for k in range(12)]
    for scene in scenes:
        assert scene.pixels.shape == (160, 160, 3) and scene.pixels.dtype == np.uint8
        assert scene.boxes.shape == (len(scene.classes), 4) and scene.boxes.dtype == np.float32
        assert np.isin(scene.classes, [IGNORED, *range(10), LETTER]).all()
        start, end = scene.boxes[:, :2], scene.boxes[:, :2] + scene.boxes[:, 2:]
        assert (start >= 0).all() and (end > start).all() and (end <= 160).all()
        digits = (scene.classes >= 0) & (scene.classes < LETTER)
        assert (scene.boxes[digits, 2:].max(axis=1) >= 7).all()
        assert sum(map(len, scene.lines)) <= digits.sum()
    classes = np.concatenate([scene.classes for scene in scenes])
    digits = classes[(classes >= 0) & (classes < LETTER)]
    assert len(digits) if content not in NON_DIGITS else content in ("text", "handwriting") or not len(digits)


def test_one_digit_is_one_line():
    for k in range(30):
        scene = Stream(2, side=96, kinds=("canvas", "single")).scene(k)
        values = scene.classes[scene.classes != IGNORED]
        if len(values) == 1:
            assert scene.lines == (str(values[0]),)


def test_kinds_left_out_stay_out():
    scenes = [Stream(5, side=64, kinds=("canvas", "nothing")).scene(k) for k in range(10)]
    assert all(not len(scene.classes) and scene.lines == () for scene in scenes)


@pytest.mark.parametrize("kinds", [("page",), ("single",), ("page", "single", "moon"), ()])
def test_kinds_that_make_no_scene_are_refused(kinds):
    with pytest.raises(UnknownName):
        draw_scene(np.random.default_rng(0), 64, kinds=kinds)


@pytest.mark.parametrize("side", [0, 63, 961])
def test_sides_are_limited(side):
    with pytest.raises(ArrayError):
        draw_scene(np.random.default_rng(0), side)


@pytest.mark.parametrize("side", [64, 640])
def test_scenes_of_other_sides(side):
    assert draw_scene(np.random.default_rng(1), side, kinds=ALL_KINDS).pixels.shape == (side, side, 3)
