"""Check a `.keras` file before Keras sees it: its members, their sizes, its classes, and where its weights come from.

Keras's own safe mode refuses Lambda layers; here only what is listed is let through, whatever Keras would take.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgedigits_runtime.embedded_contract import DAMAGED_ZIP, MEMBER, open_zip
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported, first_line
from edgedigits_runtime.untrusted import limits, read_limited

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MEMBERS = {CONFIG, WEIGHTS, "metadata.json", MEMBER, "edgedigits-history.json"}
"""What a file of ours or of Keras holds; assets belong to layers that read text."""

CONFIG_BYTES = 16 << 20

_LAYERS = """
Activation ActivityRegularization Add AlphaDropout Average AveragePooling1D AveragePooling2D BatchNormalization
Bidirectional Concatenate Conv1D Conv2D Cropping2D Dense DepthwiseConv2D Dropout ELU Flatten GaussianDropout
GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D GroupNormalization
GRU Identity InputLayer LayerNormalization LeakyReLU LSTM Masking Maximum MaxPooling1D MaxPooling2D Minimum Multiply
Normalization Permute PReLU RandomBrightness RandomContrast RandomFlip RandomRotation RandomTranslation RandomZoom
ReLU Rescaling Reshape SeparableConv2D SimpleRNN Softmax SpatialDropout2D Subtract TimeDistributed UnitNormalization
ZeroPadding2D
"""

_INITIALIZERS = """
Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones Orthogonal
RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
"""

_OPERATIONS = """
Absolute Add Concatenate Divide Exp ExpandDims Max Maximum Mean Min Minimum Multiply Negative Reshape Sqrt Square
Squeeze Subtract Transpose TrueDivide
"""

_SIZES = """
batch_input_shape batch_shape cropping depth_multiplier dilation_rate filters groups input_dim input_length
kernel_size n padding pool_size strides target_shape units
"""

LAYERS = frozenset(_LAYERS.split())
MODELS = frozenset({"Functional", "Model", "Sequential"})

CLASSES = {
    "keras": MODELS | {"DTypePolicy", "FloatDTypePolicy"},
    "keras.models": MODELS,
    "keras.src.models.functional": MODELS,
    "keras.src.models.sequential": MODELS,
    "keras.layers": LAYERS,
    "keras.dtype_policies": frozenset({"DTypePolicy", "FloatDTypePolicy"}),
    "keras.initializers": frozenset(_INITIALIZERS.split()),
    "keras.regularizers": frozenset({"L1", "L1L2", "L2", "OrthogonalRegularizer"}),
    "keras.constraints": frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"}),
    "keras.random": frozenset({"SeedGenerator"}),
    "keras.src.random.seed_generator": frozenset({"SeedGenerator"}),
    "keras.src.ops.numpy": frozenset(_OPERATIONS.split()),
}
"""Classes by module, as Keras writes them; functions, custom objects and other libraries are none of them."""

DATA = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__tuple__", "__slice__", "__ellipsis__"})
"""What Keras writes as a class and is none."""

NOT_LOADED = "compile_config"
"""Of the whole model; Keras leaves it alone, since nothing is trained."""

SIZES = frozenset(_SIZES.split())
"""Attributes that memory is made of."""


def check(path: Path) -> None:
    """Check a `.keras` file.

    Raises:
        ArtifactNotFound: no such file.
        ArtifactCorrupt: no zip, a damaged one, or one whose members leave the folder.
        ArtifactUnsupported: too large once it is unpacked, or it holds a member, a class or a link to data that is
            not let through.
    """
    content = read_limited(path)
    try:
        with open_zip(io.BytesIO(content)) as archive:
            _check_members(archive, str(path))
            config = json.loads(archive.read(CONFIG))
            weights = archive.read(WEIGHTS)
    except (*DAMAGED_ZIP, RecursionError) as error:
        said = first_line(error)
        raise ArtifactCorrupt(f"{path} is not a whole .keras file: {said}") from error
    _check_config(config, str(path))
    _check_weights(weights, str(path))


def _check_members(archive: zipfile.ZipFile, source: str) -> None:
    members = archive.infolist()
    names = [member.filename for member in members]
    strange = next((name for name in names if name not in MEMBERS), None)
    if strange is not None:
        raise ArtifactUnsupported(f"{source} holds a member that no classifier needs, {strange[:80]!r}")
    if len(set(names)) != len(names):
        raise ValueError("a member of its zip is there twice")
    total = sum(member.file_size for member in members)
    if total > limits.MODEL_BYTES:
        raise ArtifactUnsupported(
            f"{source} has {total:,} bytes unpacked; models are read up to {limits.MODEL_BYTES:,}"
        )
    if CONFIG in names and archive.getinfo(CONFIG).file_size > CONFIG_BYTES:
        raise ArtifactUnsupported(f"{source} describes itself in more than {CONFIG_BYTES:,} bytes")


def _check_config(config: Any, source: str) -> None:
    if not isinstance(config, dict):
        raise ArtifactCorrupt(f"{source} is not a whole .keras file: its config is no object")
    layers = 0
    for part in _objects({key: value for key, value in config.items() if key != NOT_LOADED}):
        if "class_name" in part:
            layers += 1
            _check_class(part, source)
        for name in SIZES.intersection(part):
            sizes = [part[name]]
            for size in sizes:
                if isinstance(size, list):
                    sizes += size
                elif isinstance(size, int | float) and not -1 <= size <= limits.WINDOW:
                    raise ArtifactUnsupported(f"{source} has {name} {size}; sizes are read up to {limits.WINDOW:,}")
    if layers > limits.PARTS:
        raise ArtifactUnsupported(f"{source} holds {layers:,} objects, at most {limits.PARTS:,} are read")


def _check_class(part: dict[str, Any], source: str) -> None:
    name, module, registered = part["class_name"], part.get("module"), part.get("registered_name")
    if isinstance(name, str) and name in DATA:
        return
    # Files of the first versions do not name the module.
    known = frozenset().union(*CLASSES.values()) if module is None else CLASSES.get(str(module), frozenset())
    if not isinstance(name, str) or name not in known or registered not in (None, name):
        full = f"{module}.{name}" if module else str(name)
        raise ArtifactUnsupported(
            f"{source} holds a class that is not let through, {full[:80]!r}: it may carry code; build the network of"
            " Keras's own layers"
        )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object within a value, and itself if it is one."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _check_weights(content: bytes, source: str) -> None:
    """Check that every weight is in the file itself, and no larger unpacked than a model may be."""
    import h5py

    total = 0
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            for dataset in _datasets(file, h5py):
                if dataset.external or dataset.is_virtual:
                    raise ArtifactUnsupported(
                        f"{source} keeps {dataset.name[:80]!r} in another file; such are not read"
                    )
                total += dataset.size * dataset.dtype.itemsize
    # HDF5 raises what it likes on damaged files.
    except (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        said = first_line(error)
        raise ArtifactCorrupt(f"{source} is not a whole .keras file: its weights are damaged ({said})") from error
    if total > limits.MODEL_BYTES:
        raise ArtifactUnsupported(
            f"{source} has weights of {total:,} bytes; they are read up to {limits.MODEL_BYTES:,}"
        )


def _datasets(file: Any, h5py: Any) -> Iterator[Any]:
    waiting, seen = [file], 0
    while waiting:
        group = waiting.pop()
        for name in group:
            seen += 1
            if seen > limits.PARTS:
                raise ValueError(f"more than {limits.PARTS:,} parts")
            # A hard link back to a group above would lead around for ever; a count ends it.
            if group.get(name, getclass=True, getlink=True) is not h5py.HardLink:
                raise ValueError("a link leads elsewhere")
            part = group[name]
            if isinstance(part, h5py.Group):
                waiting.append(part)
            else:
                yield part
