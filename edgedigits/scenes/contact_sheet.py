"""Show scenes side by side with their boxes: python -m edgedigits.scenes.contact_sheet OUT.png [SEED [KIND ...]]."""

import sys

import numpy as np

from edgedigits.scenes.kinds import ALL_KINDS, CONTENTS, draw_scene
from edgedigits.scenes.opencv import cv2
from edgedigits.scenes.papers import PAPERS
from edgedigits.scenes.scene import IGNORED, LETTER, Part, Pixels, Scene
from edgedigits.scenes.surfaces import SURFACES


def with_boxes(scene: Scene) -> Pixels:
    """Return the picture with green boxes for digits, blue for letters, red for what is ignored."""
    picture = scene.pixels.copy()
    for (x, y, width, height), kind in zip(scene.boxes, scene.classes, strict=True):
        colour = {IGNORED: (255, 40, 40), LETTER: (60, 90, 255)}.get(int(kind), (0, 210, 0))
        corner, end = (round(x) - 1, round(y) - 1), (round(x + width), round(y + height))
        cv2.rectangle(picture, corner, end, colour, 1)
    return picture


def contact_sheet(seed: int, kinds: list[str], part: Part = "train", columns: int = 6, rows: int = 4) -> Pixels:
    """Return columns x rows scenes of the stream of `seed`."""
    chosen = [*kinds]
    for sort in (SURFACES, PAPERS, CONTENTS):
        chosen += [] if set(kinds) & set(sort) else sort
    scenes = [draw_scene(np.random.default_rng([seed, k]), part=part, kinds=chosen) for k in range(columns * rows)]
    lines = [np.hstack([with_boxes(scene) for scene in scenes[row::rows]]) for row in range(rows)]
    return np.vstack(lines)


if __name__ == "__main__":
    _, out, *rest = sys.argv
    seed, names = (int(rest[0]), rest[1:]) if rest else (0, [])
    sheet = contact_sheet(seed, names or list(ALL_KINDS))
    cv2.imwrite(out, sheet[..., ::-1])
