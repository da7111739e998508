"""What the network is to answer for a scene: heat and boxes at each stride, and what does not count."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edgedigits.scenes import LETTER, Scene
from edgedigits_runtime.reading.found import STRIDES

Floats = NDArray[np.float32]

LIMITS = (0.0, 26.0, 54.0, 112.0, np.inf)
"""Longest sides, in pixels, between which each stride answers."""
OVERLAP = 1.15
"""A box within this factor of a limit is answered for by the strides on both sides of it."""
SPREAD = 0.1
"""Standard deviation of a centre's heat, by the box's side."""
LEAST_SPREAD = 0.4
"""The same, in cells, for narrow boxes."""
BOX_HEAT = 0.1
"""Cells this warm learn the box, so that a centre found one cell off still has one."""


@dataclass(frozen=True, eq=False)
class Target:
    """Target of one stride.

    Args:
        heat: [rows, columns, 2], 1 at the centre of a digit or of a letter, and less around it.
        heat_weight: [rows, columns], 0 where the answer does not count.
        box: [rows, columns, 4], as the network's output.
        box_weight: [rows, columns], sums to about 1 for each box.
    """

    heat: Floats
    heat_weight: Floats
    box: Floats
    box_weight: Floats

    def arrays(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return the four arrays, in the order that the loss takes them."""
        return self.heat, self.heat_weight, self.box, self.box_weight


def strides_of(width: float, height: float) -> list[int]:
    """Return the strides, as indices, that answer for a box."""
    side = max(width, height)
    return [level for level, (low, high) in enumerate(pairwise(LIMITS)) if low / OVERLAP <= side < high * OVERLAP]


def encode(scene: Scene) -> list[Target]:
    """Return the target for each stride of STRIDES."""
    height, width = scene.pixels.shape[:2]
    targets = [_empty(height // stride, width // stride) for stride in STRIDES]
    counted = scene.classes >= 0
    for box in scene.boxes[~counted]:
        for target, stride in zip(targets, STRIDES, strict=True):
            _ignore(target, box / stride)
    # Large boxes first: where two claim a cell equally, the smaller gets it.
    order = np.argsort(-scene.boxes[:, 2:].max(axis=1, initial=0), kind="stable")
    for index in order[counted[order]]:
        box = scene.boxes[index]
        for level in strides_of(*box[2:]):
            _draw(targets[level], box / STRIDES[level], channel=int(scene.classes[index] == LETTER))
    return targets


def _empty(rows: int, columns: int) -> Target:
    shape = (rows, columns)
    return Target(
        np.zeros((*shape, 2), np.float32),
        np.ones(shape, np.float32),
        np.zeros((*shape, 4), np.float32),
        np.zeros(shape, np.float32),
    )


def _ignore(target: Target, box: Floats) -> None:
    rows, columns = target.heat_weight.shape
    left, top = np.floor(box[:2])
    right, bottom = np.ceil(box[:2] + box[2:])
    target.heat_weight[
        int(np.clip(top, 0, rows)) : int(np.clip(bottom, 0, rows)),
        int(np.clip(left, 0, columns)) : int(np.clip(right, 0, columns)),
    ] = 0


def _draw(target: Target, box: Floats, channel: int) -> None:
    rows, columns = target.heat_weight.shape
    x, y = box[:2] + box[2:] / 2
    column, row = int(np.clip(x, 0, columns - 1)), int(np.clip(y, 0, rows - 1))
    spread_x, spread_y = np.maximum(box[2:] * SPREAD, LEAST_SPREAD)
    reach_x, reach_y = int(np.ceil(3 * spread_x)), int(np.ceil(3 * spread_y))
    xs = np.arange(max(column - reach_x, 0), min(column + reach_x + 1, columns))
    ys = np.arange(max(row - reach_y, 0), min(row + reach_y + 1, rows))
    heat = np.outer(np.exp(-(((ys - row) / spread_y) ** 2) / 2), np.exp(-(((xs - column) / spread_x) ** 2) / 2)).astype(
        np.float32
    )
    part = (slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1))
    best = target.heat[part].max(axis=-1)
    target.heat[(*part, channel)] = np.maximum(target.heat[(*part, channel)], heat)
    target.heat_weight[row, column] = 1
    claimed = (heat >= best) & (heat >= BOX_HEAT)
    values = np.empty((*heat.shape, 4), np.float32)
    values[..., 0] = x - xs[None, :] - 0.5
    values[..., 1] = y - ys[:, None] - 0.5
    values[..., 2:] = np.log(box[2:])
    target.box[part][claimed] = values[claimed]
    target.box_weight[part][claimed] = (heat / heat[heat >= BOX_HEAT].sum())[claimed]
