"""Check the operators of an `.onnx` graph whose output has a size that an integer in the file sets."""

import math
import struct

from edgedigits_runtime.untrusted import limits
from edgedigits_runtime.untrusted.onnx_model import Constant, Node

LARGEST_SCALE = 64 * 64
"""Pixels that one pixel may become."""

RESIZED = ("ConstantOfShape", "ConvTranspose", "Expand", "Resize", "Tile")

KEEPS_SIZES = ("Cast", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Unsqueeze")
"""Operators whose output holds no other sizes than their first input."""


class Sizes:
    """The sizes that a graph computes with, followed in its order; they must be small constants or those of tensors."""

    def __init__(self, constants: tuple[Constant, ...]) -> None:
        self.constants = {constant.name: constant for constant in constants}
        self.integers = {constant.name: constant.integers for constant in constants}
        self._of_tensors: set[str] = set()

    def follow(self, node: Node) -> None:
        """Note what an operator computes, if that is sizes or integers."""
        if not node.outputs:
            return
        if node.operator == "Constant":
            for attribute in node.attributes:
                self.integers[node.outputs[0]] = attribute.integers
                self.constants.update((node.outputs[0], constant) for constant in attribute.constants)
        elif (
            node.operator == "Shape"
            or (node.operator in KEEPS_SIZES and node.inputs and node.inputs[0] in self._of_tensors)
            or (node.operator == "Concat" and all(map(self._is_size, node.inputs)))
        ):
            self._of_tensors.add(node.outputs[0])

    def check(self, node: Node) -> str:
        """Return what is wrong with the size of an operator's output, or an empty string."""
        inputs = dict(enumerate(node.inputs))
        if node.operator == "ConvTranspose":
            strides = next((entry.integers for entry in node.attributes if entry.name == "strides"), ())
            return "" if math.prod(strides) <= LARGEST_SCALE else f"strides {list(strides)}"
        if node.operator == "Tile":
            repeats = self.integers.get(inputs.get(1, ""), ())
            return "" if repeats and 0 < math.prod(repeats) <= LARGEST_SCALE else f"repeats {list(repeats[:8])}"
        if node.operator in ("ConstantOfShape", "Expand"):
            return (
                ""
                if self._is_size(inputs.get(0 if node.operator == "ConstantOfShape" else 1, ""))
                else "a shape that is not known, or too large"
            )
        if inputs.get(3):
            return "" if self._is_size(inputs[3]) else "sizes that are not known, or too large"
        # Before operator set 11 the scales were the second input.
        scales = self._floats(inputs.get(2) or inputs.get(1, ""))
        fits = scales and all(scale > 0 for scale in scales) and math.prod(scales) <= LARGEST_SCALE
        return "" if fits else f"scales {[round(scale, 3) for scale in scales[:8]]}"

    def _is_size(self, name: str) -> bool:
        if name in self._of_tensors:
            return True
        sizes = self.integers.get(name, ())
        return bool(sizes) and min(sizes) > 0 and math.prod(sizes) <= limits.TENSOR_BYTES

    def _floats(self, name: str) -> list[float]:
        constant = self.constants.get(name)
        if constant is None or constant.dtype != "float32" or constant.raw is None or len(constant.raw) % 4:
            return []
        return [number for (number,) in struct.iter_unpack("<f", constant.raw)]
