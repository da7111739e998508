"""Loss of the finder: focal for heat, absolute differences for boxes, each stride on its own scale."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

BOX_SHARE = 1.0
"""Weight of the boxes' loss beside the heat's."""
FEW = 0.125
"""Boxes a scene that each stride is taken to have beside its own, so that a batch with few does not weigh too much."""


def loss_of(outputs: Sequence[Any], targets: Sequence[Any]) -> tuple[Any, Any]:
    """Return the losses of heat and of boxes, summed over the strides.

    Args:
        outputs: of the network: heat and box for each stride.
        targets: heat, heat weight, box and box weight for each stride, as in Target, batched.
    """
    heat_loss = box_loss = tf.constant(0.0)
    for level in range(len(outputs) // 2):
        logits, box = (tf.cast(output, tf.float32) for output in outputs[2 * level : 2 * level + 2])
        heat, heat_weight, true_box, box_weight = (
            tf.cast(target, tf.float32) for target in targets[4 * level : 4 * level + 4]
        )
        scenes = tf.cast(tf.shape(heat)[0], tf.float32)
        count = tf.reduce_sum(tf.cast(heat == 1, tf.float32)) + FEW * scenes
        heat_loss += tf.reduce_sum(_focal(logits, heat) * heat_weight[..., None]) / count
        error = tf.reduce_sum(tf.abs(box - true_box), axis=-1)
        box_loss += tf.reduce_sum(error * box_weight) / (tf.reduce_sum(box_weight) + FEW * scenes)
    return heat_loss, BOX_SHARE * box_loss


def _focal(logits: Any, heat: Any) -> Any:
    """Return the focal loss of Zhou and others 2019 (arXiv 1904.07850, equation 1), for each cell and class."""
    there = tf.nn.softplus(-logits) * tf.sigmoid(-logits) ** 2
    elsewhere = tf.nn.softplus(logits) * tf.sigmoid(logits) ** 2 * (1 - heat) ** 4
    return tf.where(heat == 1, there, elsewhere)
