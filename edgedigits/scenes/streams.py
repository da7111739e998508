"""Streams of scenes from worker processes, resumable: scene k depends only on the seed and k."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from edgedigits.scenes.kinds import ALL_KINDS, draw_scene
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.scene import Part, Scene

Result = TypeVar("Result")


@dataclass(frozen=True)
class Stream:
    """An endless sequence of scenes.

    Args:
        seed: of the whole stream.
        side: of a scene, in pixels.
        part: see draw_scene.
        kinds: see draw_scene.
    """

    seed: int
    side: int = 320
    part: Part = "train"
    kinds: Sequence[str] = ALL_KINDS

    def scene(self, k: int) -> Scene:
        """Return scene k."""
        return draw_scene(np.random.default_rng([self.seed, k]), self.side, self.part, self.kinds)

    def batch(self, step: int, size: int) -> list[Scene]:
        """Return scenes step * size to (step + 1) * size - 1."""
        return [self.scene(step * size + k) for k in range(size)]


def in_workers(draw: Callable[[int], Result], start: int = 0, workers: int = 2, ahead: int = 2) -> Iterator[Result]:
    """Yield draw(start), draw(start + 1), ... without end, computed by other processes.

    Args:
        draw: what depends on the step only; it is pickled, with its result.
        start: the first step.
        workers: processes, each on one core; 0 computes in this one.
        ahead: steps that each worker may be ahead.
    """
    step = start
    while workers == 0:
        yield draw(step)
        step += 1
    # A fork of a process with TensorFlow's threads may hang.
    with multiprocessing.get_context("spawn").Pool(workers, _keep_to_one_core) as pool:
        step += workers * (1 + ahead)
        waiting = [pool.apply_async(draw, (k,)) for k in range(start, step)]
        while True:
            yield waiting.pop(0).get()
            waiting.append(pool.apply_async(draw, (step,)))
            step += 1


def _keep_to_one_core() -> None:
    cv2.setNumThreads(0)
