"""What a model file from elsewhere states about itself, for an import; read without an engine."""

from dataclasses import dataclass

from edgedigits_runtime.contract import Tensor


@dataclass(frozen=True)
class Stated:
    """The statements of a file; None or "" where it makes none.

    Attributes:
        input, output: in the file's own layout; None for a size that is free.
        name, description: of the model.
        labels: of the output's values, as many as the file lists.
        mean, std: the input is (pixel - mean) / std for pixels 0..255; one number each, or one for each channel.
        precision: of a `.tflite` file, see tflite_model.precision_of.
        opset: of ONNX's own operators.
    """

    input: Tensor
    output: Tensor
    name: str = ""
    description: str = ""
    labels: tuple[str, ...] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    precision: str = ""
    opset: int | None = None
