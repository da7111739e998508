"""The classes that ship with Keras: those that a `.keras` file may name, and those that are refused."""

_LAYERS = """
Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveAveragePooling3D
AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add AdditiveAttention AlphaDropout Attention AugMix
AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D BatchNormalization Bidirectional
CategoryEncoding CenterCrop Concatenate ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D
Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D Cropping3D CutMix Dense
DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout EinsumDense ELU Embedding Equalization Flatten
GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D
GlobalMaxPooling2D GlobalMaxPooling3D GroupedQueryAttention GroupNormalization GroupQueryAttention GRU GRUCell
HashedCrossing Hashing Identity InputLayer LayerNormalization LeakyReLU LSTM LSTMCell Masking Maximum
MaxNumBoundingBoxes MaxPooling1D MaxPooling2D MaxPooling3D MelSpectrogram Minimum MixUp MultiHeadAttention Multiply
Normalization Permute Pipeline PReLU RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter
RandomContrast RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue
RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear
RandomTranslation RandomZoom ReLU RepeatVector Rescaling Reshape Resizing ReversibleEmbedding RMSNormalization RNN
SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell Softmax Solarization SpatialDropout1D SpatialDropout2D
SpatialDropout3D SpectralNormalization StackedRNNCells STFTSpectrogram Subtract TimeDistributed UnitNormalization
UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
"""

_NUMPY = """
Abs Absolute Add All AllClose Amax Amin Angle Any Append Arange Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh
Argmax Argmin Argpartition Argsort Array ArraySplit Average Bincount BitwiseAnd BitwiseInvert BitwiseLeftShift
BitwiseNot BitwiseOr BitwiseRightShift BitwiseXor BroadcastTo Cbrt Ceil Clip Concatenate Conj Conjugate Copy Corrcoef
Correlate Cos Cosh CountNonzero Cross Cumprod Cumsum Deg2rad Diag Diagflat Diagonal Diff Digitize Divide DivideNoNan
Dot Dsplit Dstack Einsum EmptyLike Equal Exp Exp2 ExpandDims Expm1 Fabs Flip Fliplr Flipud Floor FloorDivide Fmax Fmin
Fmod Full FullLike Gcd Geomspace GetItem Greater GreaterEqual Heaviside Histogram Hsplit Hstack Hypot I0 Imag Inner
Isclose Isfinite IsIn Isinf Isnan Isneginf Isposinf Isreal Kron Lcm Ldexp LeftShift Less LessEqual Linspace Log Log10
Log1p Log2 Logaddexp Logaddexp2 LogicalAnd LogicalNot LogicalOr LogicalXor Logspace Matmul Max Maximum Mean Median
Meshgrid Min Minimum Mod Moveaxis Multiply Nanargmax Nanargmin Nancumprod Nancumsum Nanmax Nanmean Nanmedian Nanmin
Nanpercentile Nanprod Nanquantile Nanstd Nansum NanToNum Nanvar Ndim Negative Nextafter Nonzero NotEqual OnesLike
Outer Pad Percentile Power Prod Ptp Quantile Rad2deg Ravel Real Reciprocal Repeat Reshape RightShift Roll Rot90 Round
SearchSorted Select Sign Signbit Sin Sinc Sinh Size Slogdet Sort Split Sqrt Square Squeeze Stack Std Subtract Sum
Swapaxes Take TakeAlongAxis Tan Tanh Tensordot Tile Trace Transpose Trapezoid Tril Triu TrueDivide Trunc Unique
UnravelIndex Vander Var Vdot View Vsplit Vstack Where ZerosLike
"""

_NN = """
AdaptiveAveragePool AdaptiveMaxPool AveragePool BatchNorm BinaryCrossentropy CategoricalCrossentropy Celu Conv
ConvTranspose CTCDecode CTCLoss DepthToSpace DepthwiseConv DotProductAttention Elu Fold Gelu Glu HardShrink
HardSigmoid HardSilu HardTanh LayerNorm LeakyRelu LogSigmoid LogSoftmax MaxPool Moments MultiHot Normalize OneHot
Polar PSNR Relu Relu6 RMSNorm Selu SeparableConv Sigmoid Silu Softmax Softplus SoftShrink Softsign SpaceToDepth
SparseCategoricalCrossentropy Sparsemax SparsePlus SparseSigmoid Squareplus TanhShrink Threshold Unfold
"""

_MATH = """
CDist Erf Erfc Erfinv ExtractSequences FFT FFT2 IFFT2 InTopK IRFFT ISTFT Logdet Logsumexp RFFT Rsqrt SegmentMax
SegmentMin SegmentProd SegmentReduction SegmentSum STFT TopK ViewAsComplex ViewAsReal
"""

_IMAGE = """
AffineTransform CropImages ElasticTransform ExtractPatches GaussianBlur HSVToRGB MapCoordinates PadImages
PerspectiveTransform Resize RGBToGrayscale RGBToHSV ScaleAndTranslate SobelEdges SSIM
"""

_LINALG = """
Cholesky CholeskyInverse Det Eig Eigh Inv Lstsq LuFactor MatrixRank Norm Pinv Qr Solve SolveTriangular SVD
"""

_CORE = "Cast ConvertToTensor SaturateCast Scatter ScatterUpdate Slice SliceUpdate StopGradient Unstack"

_INITIALIZERS = """
Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones Orthogonal
RandomNormal RandomUniform STFT TruncatedNormal VarianceScaling Zeros
"""

_POLICIES = """
AWQDTypePolicy DTypePolicy DTypePolicyMap FloatDTypePolicy GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy
QuantizedFloat8DTypePolicy
"""

_QUANTIZERS = """
AbsMaxQuantizer AWQConfig Float8QuantizationConfig GPTQConfig Int4QuantizationConfig Int8QuantizationConfig
"""

_ACTIVATIONS = """
celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
sparsemax squareplus swish tanh tanh_shrink threshold
"""

_OPERATIONS_WITH_FUNCTIONS = "AssociativeScan Cond ForiLoop JVP Map Scan Switch VectorizedMap WhileLoop"

MODELS = frozenset({"Functional", "Model", "Sequential"})
LAYERS = frozenset(_LAYERS.split())
POLICIES = frozenset(_POLICIES.split())

CLASSES = {
    "keras": MODELS | POLICIES,
    "keras.models": MODELS,
    "keras.src.models.functional": MODELS,
    "keras.src.models.sequential": MODELS,
    "keras.layers": LAYERS,
    "keras.dtype_policies": POLICIES,
    "keras.initializers": frozenset(_INITIALIZERS.split()),
    "keras.regularizers": frozenset({"L1", "L1L2", "L2", "OrthogonalRegularizer"}),
    "keras.constraints": frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"}),
    "keras.quantizers": frozenset(_QUANTIZERS.split()),
    "keras.random": frozenset({"SeedGenerator"}),
    "keras.src.random.seed_generator": frozenset({"SeedGenerator"}),
    "keras.src.ops.numpy": frozenset(_NUMPY.split()),
    "keras.src.ops.nn": frozenset(_NN.split()),
    "keras.src.ops.math": frozenset(_MATH.split()),
    "keras.src.ops.image": frozenset(_IMAGE.split()),
    "keras.src.ops.linalg": frozenset(_LINALG.split()),
    "keras.src.ops.core": frozenset(_CORE.split()),
    "keras.src.ops.einops": frozenset({"Rearrange"}),
}
"""Allowed classes by module, as Keras writes them: all that ship with it and carry no code and no file."""

FUNCTIONS = {
    "builtins": frozenset(_ACTIVATIONS.split()),
    "keras.activations": frozenset(_ACTIVATIONS.split()),
}
"""Allowed functions by module: activations."""

_BASE = "computes nothing; save the model with the layer that was built on it"
_VOCABULARY = "may read its vocabulary from any file; feed the network with numbers"
_OTHER_LIBRARY = "holds code of another library; export that model to ONNX, and import the .onnx file"

REFUSED = {
    "Lambda": "contains code; replace it by layers of Keras, such as Rescaling, Reshape or Activation",
    "TFSMLayer": "runs a SavedModel from any folder; import that SavedModel itself",
    **dict.fromkeys(("FlaxLayer", "JaxLayer", "TorchModuleWrapper"), _OTHER_LIBRARY),
    **dict.fromkeys(("IntegerLookup", "StringLookup", "TextVectorization"), _VOCABULARY),
    **dict.fromkeys(("InputSpec", "Layer", "Wrapper"), _BASE),
    **dict.fromkeys(
        _OPERATIONS_WITH_FUNCTIONS.split(), "contains code; replace it by layers and operations without functions"
    ),
}
"""What a refused class of Keras does, and the remedy."""
