"""Read what an `.onnx` file states: its input and output, and its opset."""

from edgedigits_runtime.contract import Tensor
from edgedigits_runtime.errors import ArtifactUnsupported
from edgedigits_runtime.untrusted.onnx_model import Value, read_model
from edgedigits_runtime.untrusted.stated import Stated


def read_stated(content: bytes, source: str) -> Stated:
    """Return what the bytes of an `.onnx` file state; its operators are not checked.

    Args:
        content: the file.
        source: names the file in messages.

    Raises:
        ArtifactCorrupt: damaged, or no `.onnx` file.
        ArtifactUnsupported: it has several inputs or outputs; see onnx_model.read_model.
    """
    model = read_model(content, source)
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ArtifactUnsupported(
            f"{source} has {len(model.inputs)} inputs and {len(model.outputs)} outputs, expected 1 and 1;"
            " export the part that is a classifier; if integers repeat its decision, edgedigits import leaves them out"
        )
    return Stated(input=_tensor(model.inputs[0]), output=_tensor(model.outputs[0]), opset=model.opset)


def _tensor(value: Value) -> Tensor:
    return Tensor(value.name, value.shape, value.dtype)
