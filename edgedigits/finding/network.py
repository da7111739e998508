"""The finder's network: a small pyramid that says, at four strides, where digits and letters are."""

from dataclasses import dataclass
from typing import Any

from edgedigits_runtime.reading.found import STRIDES


@dataclass(frozen=True)
class Widths:
    """Channels and depths of the network.

    Args:
        stem: channels of the two plain convolutions, at strides 2 and 4.
        levels: channels at strides 4, 8, 16 and 32.
        blocks: separable blocks at each of these strides.
        neck: channels of the top-down path and of the heads.
        heads: separable blocks of each head.
    """

    stem: tuple[int, int] = (12, 24)
    levels: tuple[int, int, int, int] = (24, 48, 88, 128)
    blocks: tuple[int, int, int, int] = (1, 2, 3, 3)
    neck: int = 32
    heads: tuple[int, int, int, int] = (1, 2, 2, 2)


BASE = Widths()


def build_network(
    widths: Widths = BASE,
    shape: tuple[int | None, int | None, int | None] = (None, None, None),
    *,
    export: bool = False,
    layers: Any = None,
) -> Any:
    """Return the untrained Keras network for inputs of a batch size, height and width, None for any.

    With `export` it is the same function in operators that LiteRT can resize to any height and width. `layers` stands
    for keras.layers, which is the default.

    It takes float32 [N, H, W, 3] in 0..1, H and W multiples of 32. For each stride of STRIDES it gives two outputs of
    H / stride rows and W / stride columns: heat [2], the logits of a digit's and of a letter's centre, and box [4]:
    from the centre of the cell to that of the box, right and down, and the logarithms of width and height, all in
    strides. Top-down pyramid after Lin and others 2017 (arXiv 1612.03144), centres after Zhou and others 2019 (arXiv
    1904.07850).
    """
    import keras

    layers = layers or keras.layers

    def normalised(x: Any, name: str, relu: bool = True) -> Any:
        x = layers.BatchNormalization(momentum=0.99, name=f"{name}_norm")(x)
        return layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x

    def convolution(x: Any, filters: int, size: int, name: str, strides: int = 1, relu: bool = True) -> Any:
        x = layers.Conv2D(filters, size, strides, "same", use_bias=False, name=name)(x)
        return normalised(x, name, relu)

    def separable(x: Any, filters: int, name: str, strides: int = 1, size: int = 3) -> Any:
        y = layers.DepthwiseConv2D(size, strides, "same", use_bias=False, name=f"{name}_depthwise")(x)
        y = normalised(y, f"{name}_depthwise")
        y = convolution(y, filters, 1, f"{name}_pointwise")
        return layers.Add(name=f"{name}_add")([x, y]) if strides == 1 and x.shape[-1] == filters else y

    def doubled(x: Any, name: str) -> Any:
        return _depth_to_space(x, name) if export else layers.UpSampling2D(name=name)(x)

    image = keras.Input(batch_shape=(*shape, 3), name="image")
    x = convolution(image, widths.stem[0], 3, "stem_2", strides=2)
    x = convolution(x, widths.stem[1], 3, "stem_4", strides=2)
    features = []
    for stride, filters, blocks in zip(STRIDES, widths.levels, widths.blocks, strict=True):
        for block in range(blocks):
            strides = 2 if block == 0 and stride > STRIDES[0] else 1
            x = separable(x, filters, f"level_{stride}_{block}", strides, size=5 if stride == STRIDES[-1] else 3)
        features.append(x)
    outputs: list[Any] = []
    above = None
    for stride, feature, blocks in reversed(list(zip(STRIDES, features, widths.heads, strict=True))):
        x = convolution(feature, widths.neck, 1, f"neck_{stride}", relu=False)
        if above is not None:
            x = layers.Add(name=f"neck_{stride}_add")([x, doubled(above, f"neck_{stride}_up")])
        above = x
        for block in range(blocks):
            x = separable(x, widths.neck, f"head_{stride}_{block}")
        # A bias of -4 says "nowhere": otherwise the many empty cells swamp the first steps.
        rare = keras.initializers.Constant(-4.0)
        heat = layers.Conv2D(2, 1, bias_initializer=rare, name=f"heat_{stride}", dtype="float32")
        box = layers.Conv2D(4, 1, name=f"box_{stride}", dtype="float32")
        outputs = [heat(x), box(x), *outputs]
    return keras.Model(image, outputs, name="finder")


def _depth_to_space(x: Any, name: str) -> Any:
    """Return nearest upsampling: a resize has its target size in the file, DEPTH_TO_SPACE has none."""
    import keras
    import tensorflow as tf

    # LiteRT resizes no RESIZE_NEAREST_NEIGHBOR.
    class DepthToSpace(keras.layers.Layer):  # type: ignore[misc]  # Keras publishes no types
        def call(self, x: Any) -> Any:
            return tf.nn.depth_to_space(tf.concat([x] * 4, axis=-1), 2)

    return DepthToSpace(name=name)(x)
