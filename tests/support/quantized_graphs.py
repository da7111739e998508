"""Write a graph of the C exporter as a `.tflite` file, to compare C with LiteRT."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller.activation_limits import Kernels
from edgedigits_exporters.microcontroller.graph import Constant, Graph, Operator, Tensor
from edgedigits_exporters.microcontroller.operands import BinaryOperator
from edgedigits_exporters.microcontroller.operators.activation import Activation
from edgedigits_exporters.microcontroller.operators.concatenation import Concatenation
from edgedigits_exporters.microcontroller.operators.convolution import Convolution
from edgedigits_exporters.microcontroller.operators.depth_to_space import DepthToSpace
from edgedigits_exporters.microcontroller.operators.depthwise import Depthwise
from edgedigits_exporters.microcontroller.operators.leaky_relu import LeakyRelu
from edgedigits_exporters.microcontroller.operators.pad import Pad
from edgedigits_exporters.microcontroller.operators.pooling import Pool
from edgedigits_exporters.microcontroller.operators.reduction import Mean, ReduceMax
from edgedigits_exporters.microcontroller.operators.softmax import Softmax

MAKE_VECTORS = ("FULLY_CONNECTED", "MEAN", "REDUCE_MAX", "SOFTMAX")
PICTURES_ONLY = (
    *("CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN", "PAD", "REDUCE_MAX"),
)
SPREADING = ("DEPTH_TO_SPACE",)
RANK_OF_A_VECTOR = 2
FIRST_VERSION = ("RESHAPE", "PRELU", "HARD_SWISH", "DEPTH_TO_SPACE")


def tflite_of(graph: Graph) -> bytes:
    """Return a graph as a `.tflite` file; the padding of windows has to be SAME or VALID."""
    return _Packing(graph).packed()


def litert(content: bytes, inputs: NDArray[np.int8], kernels: Kernels) -> NDArray[np.int8]:
    """Return LiteRT's answers, int8 [n, values]."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = OpResolverType.AUTO if kernels == "xnnpack" else OpResolverType.BUILTIN_REF
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=resolver, num_threads=1)
    interpreter.allocate_tensors()
    taken, made = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    answers = []
    for values in inputs:
        interpreter.set_tensor(taken["index"], values.reshape(taken["shape"]))
        interpreter.invoke()
        answers.append(interpreter.get_tensor(made["index"]).ravel())
    return np.array(answers)


class _Packing:
    def __init__(self, graph: Graph) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self.schema: Any = schema
        self.graph = graph
        self.buffers = [self._buffer(None)]
        self.tensors: list[Any] = []
        self.codes: list[int] = []
        self.index: dict[int, int] = {}

    def packed(self) -> bytes:
        import flatbuffers

        self._activation(self.graph.input, flat=self.graph.input.shape[:2] == (1, 1) and self._is_flat_input())
        operators = [self._operator(operator) for operator in self.graph.operators]
        subgraph = self.schema.SubGraphT()
        subgraph.name = b"main"
        subgraph.tensors, subgraph.operators = self.tensors, operators
        subgraph.inputs, subgraph.outputs = [0], [self.index[id(output)] for output in self.graph.outputs]
        model = self.schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [subgraph], self.buffers
        model.operatorCodes = [self._code(code) for code in self.codes]
        builder = flatbuffers.Builder(1 << 12)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _is_flat_input(self) -> bool:
        """Whether all operators that read the input accept a vector."""
        operators = self.graph.operators
        # Copies that are joined for DEPTH_TO_SPACE may be of the input.
        readers = (*self.graph.consumers(self.graph.input), *(each for each in operators if each.name in SPREADING))
        return not any(operator.name in PICTURES_ONLY for operator in readers)

    def _operator(self, operator: Operator) -> Any:
        made = self.schema.OperatorT()
        builtin = getattr(self.schema.BuiltinOperator, operator.name)
        if builtin not in self.codes:
            self.codes.append(builtin)
        made.opcodeIndex = self.codes.index(builtin)
        inputs = [self.index[id(tensor)] for tensor in operator.inputs]
        kind, options, constants = self._details(operator)
        is_first = isinstance(operator, BinaryOperator) and operator.constant_first
        made.inputs = constants + inputs if is_first else inputs + constants
        made.outputs = [self._activation(operator.output, flat=self._is_flat(operator))]
        made.builtinOptionsType = getattr(self.schema.BuiltinOptions, kind) if kind else 0
        made.builtinOptions = options
        return made

    def _is_flat(self, operator: Operator) -> bool:
        """Whether an operator makes a vector, [1, n]."""
        if operator.name == "RESHAPE":
            return operator.output.shape[:2] == (1, 1)
        if operator.name in MAKE_VECTORS:
            return True
        taken = [self.tensors[self.index[id(tensor)]] for tensor in operator.inputs]
        return all(len(tensor.shape) == RANK_OF_A_VECTOR for tensor in taken)

    def _details(self, operator: Operator) -> tuple[str, Any, list[int]]:
        schema = self.schema
        if isinstance(operator, Depthwise):
            options = self._windowed(schema.DepthwiseConv2DOptionsT(), operator)
            options.depthMultiplier = operator.multiplier
            return "DepthwiseConv2DOptions", options, self._weights(operator, operator.weights, axis=3)
        if operator.name == "FULLY_CONNECTED" and isinstance(operator, Convolution):
            options = schema.FullyConnectedOptionsT()
            options.fusedActivationFunction = self._activation_code(operator)
            rows = operator.weights.reshape(len(operator.weights), -1)
            return "FullyConnectedOptions", options, self._weights(operator, rows, axis=0)
        if isinstance(operator, Convolution):
            options = self._windowed(schema.Conv2DOptionsT(), operator)
            return "Conv2DOptions", options, self._weights(operator, operator.weights, axis=0)
        if isinstance(operator, Pool):
            options = self._windowed(schema.Pool2DOptionsT(), operator)
            options.filterHeight, options.filterWidth = operator.window.size
            return "Pool2DOptions", options, []
        if isinstance(operator, Mean | ReduceMax):
            return "ReducerOptions", schema.ReducerOptionsT(), [self._integers([1, 2])]
        if isinstance(operator, BinaryOperator):
            constants = [] if operator.constant is None else [self._operand(operator.constant)]
            if operator.name == "PRELU":
                return "", None, constants
            kind = f"{operator.name.title()}Options"
            options = getattr(schema, f"{kind}T")()
            options.fusedActivationFunction = self._activation_code(operator)
            return kind, options, constants
        if isinstance(operator, Concatenation):
            options = schema.ConcatenationOptionsT()
            options.axis = -1 if operator.axis == 2 else operator.axis + 1
            return "ConcatenationOptions", options, []
        if isinstance(operator, DepthToSpace):
            options = schema.DepthToSpaceOptionsT()
            options.blockSize = operator.block
            return "DepthToSpaceOptions", options, []
        if isinstance(operator, LeakyRelu):
            options = schema.LeakyReluOptionsT()
            options.alpha = operator.alpha
            return "LeakyReluOptions", options, []
        if isinstance(operator, Activation) and operator.name == "GELU":
            options = schema.GeluOptionsT()
            options.approximate = operator.is_approximate
            return "GeluOptions", options, []
        if isinstance(operator, Pad):
            pads = [[0, 0], list(operator.rows), list(operator.columns), [0, 0]]
            return "PadOptions", schema.PadOptionsT(), [self._integers(pads)]
        if isinstance(operator, Softmax):
            options = schema.SoftmaxOptionsT()
            options.beta = operator.beta
            return "SoftmaxOptions", options, []
        if operator.name == "RESHAPE":
            shape = operator.output.shape[2:] if self._is_flat(operator) else operator.output.shape
            return "", None, [self._integers([1, *shape])]
        if operator.name == "QUANTIZE":
            return "QuantizeOptions", schema.QuantizeOptionsT(), []
        return "", None, []

    def _windowed(self, options: Any, operator: Any) -> Any:
        options.strideH, options.strideW = operator.window.stride
        same = operator.output.shape[0] == -(-operator.inputs[0].shape[0] // operator.window.stride[0])
        same = same and operator.output.shape[1] == -(-operator.inputs[0].shape[1] // operator.window.stride[1])
        padding = self.schema.Padding
        options.padding = padding.SAME if same else padding.VALID
        options.fusedActivationFunction = self._activation_code(operator)
        return options

    def _activation_code(self, operator: Any) -> int:
        return int(getattr(self.schema.ActivationFunctionType, operator.activation))

    def _weights(self, operator: Convolution, weights: NDArray[np.int8], axis: int) -> list[int]:
        # A bias's scale is the product of the other two.
        biases = operator.weight_scales * np.float32(operator.inputs[0].scale)
        zero = operator.weights_zero_point
        return [
            self._constant(weights, self.schema.TensorType.INT8, operator.weight_scales, zero, axis),
            self._constant(operator.bias, self.schema.TensorType.INT32, biases, 0, 0),
        ]

    def _operand(self, operand: Constant) -> int:
        """Write a constant without its first sides of 1, so that LiteRT adds them; a scalar has no sides."""
        values = operand.values
        while values.shape[:1] == (1,):
            values = values[0]
        return self._constant(values, self.schema.TensorType.INT8, np.array([operand.scale]), operand.zero_point, 0)

    def _integers(self, values: Any) -> int:
        return self._constant(np.array(values, np.int32), self.schema.TensorType.INT32, None, 0, 0)

    def _constant(self, values: NDArray[Any], kind: int, scales: Any, zero: int, axis: int) -> int:
        made = self._tensor(f"constant{len(self.tensors)}", list(values.shape), kind)
        if scales is not None:
            per_channel = len(set(scales.tolist())) > 1
            made.quantization = self._quantization(scales if per_channel else scales[:1], zero, axis)
        self.buffers.append(self._buffer(values))
        made.buffer = len(self.buffers) - 1
        return len(self.tensors) - 1

    def _activation(self, tensor: Tensor, *, flat: bool = False) -> int:
        shape = [1, tensor.shape[2]] if flat else [1, *tensor.shape]
        made = self._tensor(tensor.name, shape, self.schema.TensorType.INT8)
        made.quantization = self._quantization(np.array([tensor.scale]), tensor.zero_point, 0)
        made.buffer = 0
        self.index[id(tensor)] = len(self.tensors) - 1
        return len(self.tensors) - 1

    def _tensor(self, name: str, shape: list[int], kind: int) -> Any:
        made = self.schema.TensorT()
        made.name, made.shape, made.type = name.encode(), shape, kind
        self.tensors.append(made)
        return made

    def _quantization(self, scales: NDArray[Any], zero: int, axis: int) -> Any:
        made = self.schema.QuantizationParametersT()
        made.scale, made.zeroPoint = [float(scale) for scale in scales], [zero] * len(scales)
        made.quantizedDimension = axis
        return made

    def _buffer(self, content: NDArray[Any] | None) -> Any:
        made = self.schema.BufferT()
        made.data = None if content is None else np.frombuffer(content.tobytes(), np.uint8)
        return made

    def _code(self, builtin: int) -> Any:
        made = self.schema.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode = builtin, min(builtin, 127)
        names = self.schema.BuiltinOperator
        versions = {names.FULLY_CONNECTED: 4, names.CONV_2D: 3, names.DEPTHWISE_CONV_2D: 3, names.QUANTIZE: 2}
        first = {getattr(names, name) for name in FIRST_VERSION}
        made.version = versions.get(builtin, 1 if builtin in first else 2)
        return made
