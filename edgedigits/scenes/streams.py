"""Streams of scenes from worker processes, resumable: scene k depends only on the seed and k."""

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edgedigits.scenes.kinds import ALL_KINDS, draw_scene
from edgedigits.scenes.scene import Part, Scene


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

    def batches(self, size: int, *, start: int = 0, workers: int = 2, ahead: int = 2) -> Iterator[list[Scene]]:
        """Yield batches from step `start` on, without end, drawn by worker processes.

        Args:
            workers: processes; 0 draws in this one.
            ahead: batches that each worker may be ahead.
        """
        if workers == 0:
            step = start
            while True:
                yield self.batch(step, size)
                step += 1
        context = multiprocessing.get_context("spawn")
        with context.Pool(workers, _begin) as pool:
            waiting = [
                pool.apply_async(self.batch, (step, size)) for step in range(start, start + workers * (1 + ahead))
            ]
            step = start + len(waiting)
            while True:
                yield waiting.pop(0).get()
                waiting.append(pool.apply_async(self.batch, (step, size)))
                step += 1


def _begin() -> None:
    """Keep a worker to one core."""
    from edgedigits.scenes.opencv import cv2

    cv2.setNumThreads(0)
