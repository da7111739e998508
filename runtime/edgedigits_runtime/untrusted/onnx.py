"""Check an `.onnx` file before ONNX Runtime opens it: sizes, operators, and the files that it refers to."""

import math
from pathlib import Path, PurePosixPath, PureWindowsPath

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported
from edgedigits_runtime.untrusted import limits
from edgedigits_runtime.untrusted.onnx_model import Constant, Node, OnnxModel, Value, read_model
from edgedigits_runtime.untrusted.onnx_sizes import RESIZED, Sizes

WIDTHS = {
    **{"uint4": 0.5, "int4": 0.5, "uint8": 1, "int8": 1, "bool": 1, "uint16": 2, "int16": 2, "float16": 2},
    **{"bfloat16": 2, "int32": 4, "uint32": 4, "float32": 4, "int64": 8, "uint64": 8, "float64": 8},
}
"""Bytes of an element. Texts, complex numbers and 8-bit floats are refused."""

ATTRIBUTES = {
    "strides": range(1, limits.WINDOW + 1),
    "kernel_shape": range(1, limits.WINDOW + 1),
    "dilations": range(1, limits.WINDOW + 1),
    "pads": range(limits.WINDOW + 1),
    "group": range(1, limits.WINDOW + 1),
    "blocksize": range(1, limits.WINDOW + 1),
    "hidden_size": range(1, limits.WINDOW + 1),
    "output_padding": range(limits.WINDOW + 1),
    "output_shape": range(1, limits.WINDOW + 1),
}
"""Valid integers of these attributes: kernels divide by some, and allocate memory by others."""

STANDARD = """
Abs Add And ArgMax AveragePool BatchNormalization Cast Ceil Celu Clip Concat Constant ConstantOfShape Conv ConvInteger
ConvTranspose Cos DepthToSpace DequantizeLinear Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand
Flatten Floor GRU Gather Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual
GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LRN LSTM LayerNormalization LeakyRelu Less
LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min
Mish Mod Mul Neg Not Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RNN Reciprocal ReduceL1 ReduceL2
ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize
Round Selu Shape Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish
Tanh ThresholdedRelu Tile Transpose Unsqueeze Where
"""

QUANTIZED = """
DequantizeLinear DynamicQuantizeLSTM DynamicQuantizeMatMul FusedConv FusedGemm FusedMatMul Gelu MatMulIntegerToFloat
QGemm QLinearAdd QLinearAveragePool QLinearConcat QLinearConv QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul
QLinearReduceMean QLinearSigmoid QLinearSoftmax QuantizeLinear
"""

OPERATORS = {
    "": frozenset(STANDARD.split()),
    "ai.onnx": frozenset(STANDARD.split()),
    "com.microsoft": frozenset(QUANTIZED.split()),
}
"""Operators of image classifiers, by domain; an untrusted file may hold no others.

https://onnx.ai/onnx/operators and, for quantized files, ContribOperators.md of ONNX Runtime. None runs a subgraph,
reads a file or draws at random; those that make a tensor of a given size are checked by Sizes.
"""

OPERANDS = 2
"""Tensors of an Einsum: the output of more may be as large as the product of all their sizes."""

WEIGHTS = {"Conv": 1, "ConvInteger": 1, "ConvTranspose": 1, "FusedConv": 1, "QLinearConv": 3}
"""The input of a convolution that holds its weights. ONNX Runtime crashes where kernel_shape contradicts them."""


def check(content: bytes, source: str) -> None:
    """Check the bytes of an `.onnx` file.

    Args:
        content: the file.
        source: its path; names it in messages. External data must be in the same folder.

    Raises:
        ArtifactCorrupt: damaged or contradictory.
        ArtifactUnsupported: it has an operator that is not in OPERATORS, several inputs, external data outside of its
            folder, too large tensors, or see read_model.
    """
    model = read_model(content, source)
    try:
        _Checker(source, model).check()
    except ValueError as error:
        raise ArtifactCorrupt(f"{source} is not a whole .onnx file: {error}") from error


class _Checker:
    def __init__(self, source: str, model: OnnxModel) -> None:
        self.source = source
        self.model = model
        self.shapes = {constant.name: constant.shape for constant in model.constants}
        self.sizes = Sizes(model.constants)

    def unsupported(self, reason: str) -> ArtifactUnsupported:
        return ArtifactUnsupported(f"{self.source} {reason}")

    def check(self) -> None:
        model = self.model
        for constant in model.constants:
            self._check_constant(constant)
        for value in (*model.inputs, *model.outputs, *model.values):
            self._check_value(value)
        if len(model.inputs) != 1 or not model.outputs:
            raise self.unsupported(
                f"has {len(model.inputs)} inputs and {len(model.outputs)} outputs, expected 1; split the model"
            )
        for position, node in enumerate(model.nodes):
            self._check_node(node, f"operator {position} ({node.operator})")

    def _check_value(self, value: Value) -> None:
        """Check a declared shape: ONNX Runtime crashes where sizes overflow."""
        name = value.name[:60]
        sizes = [size for size in value.shape if size is not None]
        if min(sizes, default=0) < 0:
            raise ValueError(f"{name!r} is declared with a size of {min(sizes)}")
        elements = math.prod(max(size, 1) for size in sizes)
        if elements > limits.TENSOR_BYTES:
            raise self.unsupported(f"declares {name!r} with {elements:,} numbers; the limit is {limits.TENSOR_BYTES:,}")

    def _check_node(self, node: Node, where: str) -> None:
        if node.operator not in OPERATORS.get(node.domain, ()):
            name = f"{node.domain}.{node.operator}" if node.domain else node.operator
            advice = "export it with those of image classifiers"
            if node.operator == "ZipMap":
                advice = "convert it from scikit-learn with options={'zipmap': False}"
            elif node.domain == "ai.onnx.ml":
                advice = "of scikit-learn, edgedigits import takes an MLPClassifier, without a scaler before it"
            raise self.unsupported(f"holds the unsupported operator {name[:80]!r}; {advice}")
        found = {attribute.name: attribute.integers for attribute in node.attributes}
        for attribute in node.attributes:
            for constant in attribute.constants:
                self._check_constant(constant)
            valid = ATTRIBUTES.get(attribute.name)
            if valid and any(number not in valid for number in attribute.integers):
                raise ValueError(f"{where} has {attribute.name} {list(attribute.integers[:8])}")
        slot = WEIGHTS.get(node.operator)
        weights = self.shapes.get(node.inputs[slot]) if slot is not None and slot < len(node.inputs) else None
        if weights and found.get("kernel_shape", weights[2:]) != weights[2:]:
            raise ValueError(f"{where} has kernel_shape {list(found['kernel_shape'])} for weights of {list(weights)}")
        self.sizes.follow(node)
        if node.operator in RESIZED and (wrong := self.sizes.check(node)):
            raise self.unsupported(f"makes a tensor of {wrong} in {where}; export it with small constants")
        if node.operator == "Pad" and len(node.inputs) > 1:
            self._check_padding(node.inputs[1], where)
        if node.operator == "Einsum" and len(node.inputs) > OPERANDS:
            raise self.unsupported(f"multiplies {len(node.inputs)} tensors in {where}; export it with two at a time")
        if node.operator in ("Div", "Mod") and len(node.inputs) > 1:
            self._check_divisor(node.inputs[1], where, computed=node.operator == "Div" or found.get("fmod") == (1,))

    def _check_divisor(self, name: str, where: str, *, computed: bool) -> None:
        """Check what integers are divided by: ONNX Runtime crashes on the least integer divided by -1.

        A divisor that is no constant may be an integer, or a real number, which is safe: fmod=1 tells them apart.
        """
        divisors = self.sizes.integers.get(name, ())
        if not divisors and not computed:
            raise self.unsupported(f"computes its divisor in {where}; export it with a constant, or with fmod=1")
        if not {0, -1}.isdisjoint(divisors):
            raise ValueError(f"{where} divides by {list(divisors[:8])}")

    def _check_padding(self, name: str, where: str) -> None:
        """Check the padding of an operator: ONNX Runtime crashes on some numbers."""
        counts = self.sizes.integers.get(name)
        if counts is None:
            raise self.unsupported(f"computes its padding in {where}; export it with constants")
        if any(count not in ATTRIBUTES["pads"] for count in counts):
            raise ValueError(f"{where} pads by {list(counts[:8])}")

    def _check_constant(self, constant: Constant) -> None:
        """Check that a constant holds as many bytes as its shape needs."""
        name, shape = constant.name[:60], constant.shape
        if constant.dtype not in WIDTHS:
            raise self.unsupported(f"holds numbers of {constant.dtype} in {name!r}, which no classifier needs")
        if len(shape) > limits.DIMENSIONS + 2 or any(size < 0 for size in shape):
            raise ValueError(f"{name!r} has the shape {list(shape[:8])}")
        needed = math.ceil(math.prod(shape) * WIDTHS[constant.dtype])
        if needed > limits.TENSOR_BYTES:
            raise self.unsupported(f"needs {needed:,} bytes for {name!r}; the limit is {limits.TENSOR_BYTES:,}")
        if constant.external is not None:
            self._check_external(constant.external, needed, name)
        elif constant.raw is not None and len(constant.raw) != needed:
            raise ValueError(f"{name!r} needs {needed} bytes, it has {len(constant.raw)}")

    def _check_external(self, external: dict[str, str], needed: int, name: str) -> None:
        """Check that external data is a part of a file in the model's own folder."""
        location = external.get("location", "")
        folder = Path(self.source).parent
        # A link may lead anywhere.
        if not stays_inside(location) or not (folder / location).resolve().is_relative_to(folder.resolve()):
            raise self.unsupported(f"keeps {name!r} outside of its folder, at {location[:80]!r}; move it inside")
        if not (folder / location).is_file():
            raise ValueError(f"it keeps {name!r} in {location[:80]!r}, and there is no such file beside it")
        start, length = int(external.get("offset", "0")), int(external.get("length", f"{needed}"))
        if start < 0 or length != needed or start + length > (folder / location).stat().st_size:
            raise ValueError(f"{name!r} needs {needed} bytes, {location[:80]!r} does not have them at {start}")


def stays_inside(location: str) -> bool:
    """Return whether a path, read as POSIX or as Windows path, stays in the folder that it is relative to."""
    paths = (PurePosixPath(location), PureWindowsPath(location))
    leaves = any(path.anchor or ".." in path.parts for path in paths)
    return bool(location) and not leaves and "\0" not in location
