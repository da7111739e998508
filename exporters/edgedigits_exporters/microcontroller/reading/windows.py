"""How a kernel moves over a picture: size, stride and padding of convolutions and pools."""

from edgedigits_exporters.microcontroller.graph import Tensor, Window
from edgedigits_exporters.microcontroller.reading.stored import StoredOperator
from edgedigits_exporters.microcontroller.reading.values import shape_text
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported

PADDINGS = {0: "SAME", 1: "VALID"}


def window_of(operator: StoredOperator, taken: Tensor, size: tuple[int, int]) -> tuple[Window, tuple[int, int]]:
    """Return the window of an operator and the height and width that it makes.

    Raises:
        ArtifactCorrupt: a stride or size below 1, or a window that does not fit into the picture.
        ArtifactUnsupported: dilation, or a padding that is neither SAME nor VALID.
    """
    options = operator.options
    stride = (options["strideH"], options["strideW"])
    if min(*stride, *size) < 1:
        raise ArtifactCorrupt(
            f"{operator.where} has a window of {shape_text(size)} and strides of {shape_text(stride)}, which must be"
            " 1 or more; export it again"
        )
    dilation = (options.get("dilationHFactor", 1), options.get("dilationWFactor", 1))
    if dilation != (1, 1):
        raise ArtifactUnsupported(
            f"{operator.where} has a dilation of {shape_text(dilation)}, and only 1x1 is compiled; use a larger kernel"
        )
    padding = PADDINGS.get(options["padding"])
    if padding is None:
        raise ArtifactUnsupported(f"{operator.where} has padding number {options['padding']}, known: SAME and VALID")
    vertical = _along(padding, taken.shape[0], size[0], stride[0])
    horizontal = _along(padding, taken.shape[1], size[1], stride[1])
    if min(vertical[0], horizontal[0]) < 1:
        raise ArtifactCorrupt(
            f"{operator.where} has a window of {shape_text(size)}, larger than its input {shape_text(taken.shape)};"
            " export it again"
        )
    return Window(size, stride, (vertical[1], horizontal[1])), (vertical[0], horizontal[0])


def _along(padding: str, taken: int, size: int, stride: int) -> tuple[int, int]:
    """Places of the window along one side, and the padding before the first.

    Source: ComputePaddingWithOffset in tensorflow/lite/kernels/padding.h.
    """
    if padding == "VALID":
        return (taken - size) // stride + 1 if taken >= size else 0, 0
    made = (taken + stride - 1) // stride
    return made, max((made - 1) * stride + size - taken, 0) // 2
