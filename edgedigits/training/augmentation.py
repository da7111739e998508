"""Augmentation: small random rotations, shifts and scalings of the training images."""

import numpy as np

from edgedigits_runtime.preprocessing import Images

MAX_ROTATION = np.deg2rad(12)
MAX_SHIFT = 2.0
"""In pixels of a 28-pixel image; scaled with the image."""
MAX_SCALING = 0.12


def deform(images: Images, rng: np.random.Generator) -> Images:
    """Return each of uint8 [N, H, W, C] rotated, shifted and scaled a little about its centre.

    Pixels that come from outside the image are 0, which is paper for bright ink on dark.
    """
    from scipy import ndimage

    count, height, width, channels = images.shape
    angles = rng.uniform(-MAX_ROTATION, MAX_ROTATION, count)
    scales = rng.uniform(1 - MAX_SCALING, 1 + MAX_SCALING, (count, 2))
    shifts = rng.uniform(-MAX_SHIFT, MAX_SHIFT, (count, 2)) * (height / 28, width / 28)
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    deformed = np.empty_like(images)
    for i in range(count):
        cos, sin = np.cos(angles[i]), np.sin(angles[i])
        matrix = np.array([[cos, -sin], [sin, cos]]) / scales[i]
        offset = centre - matrix @ (centre + shifts[i])
        for channel in range(channels):
            ndimage.affine_transform(
                images[i, :, :, channel], matrix, offset, output=deformed[i, :, :, channel], order=1
            )
    return deformed
