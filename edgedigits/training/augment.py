"""Random augmentation of a batch on the training device: deformation, stroke width, background, blur, noise.

It uses only elementwise operations and gathers of `keras.ops`, which run in the training step of every backend.
"""

import math
from typing import Any

import keras
from keras import ops

from edgedigits.recipes.augmentation import DESIGN_SIDE, Augmentation

_ELASTIC_GRID = 5
COARSE = 0.4
_BINOMIAL = (1, 4, 6, 4, 1)


class Augment(keras.layers.Layer):  # type: ignore[misc]  # Keras publishes no types
    """Change each image of float32 [N, H, W, C] in 0..1 at random; the result is in 0..1."""

    def __init__(self, augmentation: Augmentation, seed: int) -> None:
        # Never bfloat16: a coordinate of 27 pixels would be off by 1/16 pixel.
        super().__init__(dtype="float32")
        self.augmentation = augmentation
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: Any) -> Any:
        wanted = self.augmentation
        images = self._deform(images)
        if wanted.stroke:
            images = self._change_stroke(images)
        if wanted.coarse:
            images = self._coarsen(images)
        if wanted.ground:
            images = self._change_ground(images)
        if wanted.line:
            images = self._draw_line(images)
        if wanted.blur:
            images = self._blur(images)
        if wanted.noise:
            images = self._add_noise(images)
        return ops.clip(images, 0.0, 1.0)

    def _draw(self, images: Any, low: float, high: float, *shape: int) -> Any:
        """Return float32 [N, *shape], uniform in low..high."""
        return keras.random.uniform((ops.shape(images)[0], *shape), low, high, seed=self.seed_generator)

    def _some(self, images: Any, share: float) -> Any:
        """Return float32 [N, 1, 1, 1]: 1 for a random share of the images, else 0."""
        return ops.cast(self._draw(images, 0.0, 1.0, 1, 1, 1) < share, "float32")

    def _deform(self, images: Any) -> Any:
        """Apply an affine map and a smooth random displacement; pixels from outside are 0, the paper."""
        wanted = self.augmentation
        height, width = images.shape[1:3]
        y, x = _grid(height, width)
        angle = self._draw(images, -math.radians(wanted.rotation), math.radians(wanted.rotation), 1, 1)
        shear = self._draw(images, -wanted.shear, wanted.shear, 1, 1)
        scale_y, scale_x = (self._draw(images, 1 - wanted.scaling, 1 + wanted.scaling, 1, 1) for _ in range(2))
        unit_y, unit_x = height / DESIGN_SIDE, width / DESIGN_SIDE
        cos, sin = ops.cos(angle), ops.sin(angle)
        from_y = (sin * x + cos * y) / scale_y + unit_y * self._draw(images, -wanted.shift, wanted.shift, 1, 1)
        from_x = (cos * x - sin * y) / scale_x + unit_x * self._draw(images, -wanted.shift, wanted.shift, 1, 1)
        from_x = from_x + shear * y
        if wanted.elastic:
            field = self._draw(images, -wanted.elastic, wanted.elastic, _ELASTIC_GRID, _ELASTIC_GRID, 2)
            field = ops.image.resize(field, (height, width), interpolation="bicubic", data_format="channels_last")
            from_y, from_x = from_y + unit_y * field[..., 0], from_x + unit_x * field[..., 1]
        return _sample(images, from_y + (height - 1) / 2, from_x + (width - 1) / 2)

    def _change_stroke(self, images: Any) -> Any:
        """Thicken or thin bright strokes by mixing in the maximum or minimum of the 3x3 neighbours."""
        amount = self._draw(images, -self.augmentation.stroke, self.augmentation.stroke, 1, 1, 1)
        thick = ops.max_pool(images, 3, 1, "same", "channels_last")
        thin = -ops.max_pool(-images, 3, 1, "same", "channels_last")
        return images + ops.maximum(amount, 0.0) * (thick - images) + ops.maximum(-amount, 0.0) * (thin - images)

    def _change_ground(self, images: Any) -> Any:
        """Brighten the background by a wave, from a gradient to stripes, and darken the ink."""
        y, x = _grid(*images.shape[1:3])
        angle = self._draw(images, 0.0, 2 * math.pi, 1, 1)
        # Drawn on a logarithmic scale: waves of 3 to 120 pixels.
        frequency = 2 * math.pi / ops.exp(self._draw(images, math.log(3.0), math.log(120.0), 1, 1))
        phase = self._draw(images, 0.0, 2 * math.pi, 1, 1)
        wave = 0.5 + 0.5 * ops.sin(frequency * (ops.cos(angle) * x + ops.sin(angle) * y) + phase)
        low, range_ = (self._draw(images, 0.0, 0.3, 1, 1) for _ in range(2))
        ground = ops.expand_dims(low + range_ * wave, -1)
        ink = self._draw(images, 0.55, 1.0, 1, 1, 1)
        changed = ground + images * ops.maximum(ink - ground, 0.25)
        chosen = self._some(images, self.augmentation.ground)
        return images + chosen * (changed - images)

    def _draw_line(self, images: Any) -> Any:
        """Draw a straight line, 1 to 2.5 pixels wide, 5 to 14 pixels from the centre."""
        y, x = _grid(*images.shape[1:3])
        angle = self._draw(images, 0.0, 2 * math.pi, 1, 1)
        distance = ops.abs(ops.cos(angle) * x + ops.sin(angle) * y - self._draw(images, 5.0, 14.0, 1, 1))
        half_width = self._draw(images, 0.5, 1.25, 1, 1)
        cover = ops.clip(half_width + 0.5 - distance, 0.0, 1.0) * self._draw(images, 0.4, 1.0, 1, 1)
        return ops.maximum(images, self._some(images, self.augmentation.line) * ops.expand_dims(cover, -1))

    def _blur(self, images: Any) -> Any:
        channels = images.shape[-1]
        row = ops.convert_to_tensor([weight / sum(_BINOMIAL) for weight in _BINOMIAL], "float32")
        kernel = ops.tile(ops.reshape(row[:, None] * row[None, :], (5, 5, 1, 1)), (1, 1, channels, 1))
        smooth = ops.depthwise_conv(images, kernel, 1, "same", "channels_last")
        amount = self._some(images, self.augmentation.blur) * self._draw(images, 0.3, 1.0, 1, 1, 1)
        return images + amount * (smooth - images)

    def _coarsen(self, images: Any) -> Any:
        """Downscale and upscale with bicubic interpolation."""
        size = tuple(images.shape[1:3])
        small = tuple(round(COARSE * side) for side in size)
        options = {"interpolation": "bicubic", "data_format": "channels_last"}
        coarse = ops.image.resize(ops.image.resize(images, small, antialias=True, **options), size, **options)
        return images + self._some(images, self.augmentation.coarse) * (ops.clip(coarse, 0.0, 1.0) - images)

    def _add_noise(self, images: Any) -> Any:
        noise = keras.random.normal(ops.shape(images), seed=self.seed_generator)
        return images + self._some(images, self.augmentation.noise) * self._draw(images, 0.0, 0.2, 1, 1, 1) * noise


def _grid(height: int, width: int) -> tuple[Any, Any]:
    """Return y [1, H, 1] and x [1, 1, W] of the pixels relative to the centre."""
    y = ops.arange(height, dtype="float32") - (height - 1) / 2
    x = ops.arange(width, dtype="float32") - (width - 1) / 2
    return y[None, :, None], x[None, None, :]


def _sample(images: Any, y: Any, x: Any) -> Any:
    """Sample the images bilinearly at coordinates [N, H, W]; 0 outside."""
    height, width, channels = images.shape[1:]
    padded = ops.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0)))
    # Coordinates outside are clipped into the border of zeros.
    y, x = ops.clip(y + 1, 0.0, height + 1.0), ops.clip(x + 1, 0.0, width + 1.0)
    top, left = ops.floor(y), ops.floor(x)
    down, right = ops.expand_dims(y - top, -1), ops.expand_dims(x - left, -1)
    stride = width + 3
    first = ops.arange(ops.shape(images)[0], dtype="int32")[:, None, None] * ((height + 3) * stride)
    index = first + ops.cast(top, "int32") * stride + ops.cast(left, "int32")
    pixels = ops.reshape(padded, (-1, channels))

    def along_a_row(start: Any) -> Any:
        return (1 - right) * ops.take(pixels, start, axis=0) + right * ops.take(pixels, start + 1, axis=0)

    return (1 - down) * along_a_row(index) + down * along_a_row(index + stride)
