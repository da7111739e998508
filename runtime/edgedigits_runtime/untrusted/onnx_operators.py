"""Operators of `.onnx` image classifiers, by domain; an untrusted file may hold no others.

https://onnx.ai/onnx/operators and, for quantized files, ContribOperators.md of ONNX Runtime. None runs a subgraph,
reads a file, draws at random, or makes a tensor whose size is in a constant.
"""

STANDARD = """
Abs Add ArgMax AveragePool BatchNormalization Cast Celu Clip Concat Constant Conv ConvInteger DequantizeLinear Div
Dropout DynamicQuantizeLinear Elu Erf Exp Flatten Gather Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool
GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LRN LayerNormalization LeakyRelu Log
LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish Mul Neg
PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
ReduceMax ReduceMean ReduceMin ReduceSum ReduceSumSquare Relu Reshape Round Selu Shape Sigmoid Sign Size Slice
Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tanh ThresholdedRelu Transpose Unsqueeze
"""

QUANTIZED = """
DequantizeLinear DynamicQuantizeMatMul FusedConv FusedGemm FusedMatMul Gelu MatMulIntegerToFloat QGemm QLinearAdd
QLinearAveragePool QLinearConcat QLinearConv QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul QLinearReduceMean
QLinearSigmoid QLinearSoftmax QuantizeLinear
"""

OPERATORS = {
    "": frozenset(STANDARD.split()),
    "ai.onnx": frozenset(STANDARD.split()),
    "com.microsoft": frozenset(QUANTIZED.split()),
}
