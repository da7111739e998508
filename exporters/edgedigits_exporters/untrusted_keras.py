"""Check an untrusted `.keras` file before Keras loads it: its members, sizes, classes and weights.

Keras's safe mode refuses Lambda layers; this check allows only listed classes.
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

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MEMBERS = {CONFIG, METADATA, WEIGHTS, MEMBER, "edgedigits-history.json"}
"""Members of a classifier's file; assets belong to layers that read text."""

CONFIG_BYTES = 16 << 20

_LAYERS = """
Activation ActivityRegularization Add AlphaDropout Average AveragePooling1D AveragePooling2D BatchNormalization
Bidirectional Concatenate Conv1D Conv2D Cropping2D Dense DepthwiseConv2D Dropout ELU Flatten GaussianDropout
GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D GroupNormalization
GRU Identity InputLayer LayerNormalization LeakyReLU LSTM Masking Maximum MaxPooling1D MaxPooling2D Minimum Multiply
Normalization Permute PReLU RandomBrightness RandomContrast RandomFlip RandomRotation RandomTranslation RandomZoom
ReLU Rescaling Reshape Resizing SeparableConv2D SimpleRNN Softmax SpatialDropout2D Subtract TimeDistributed
UnitNormalization ZeroPadding2D
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
"""Allowed classes by module, as Keras writes them; no functions, custom objects or other libraries."""

DATA = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__tuple__", "__slice__", "__ellipsis__"})
"""Values that Keras writes with a class name."""

NOT_LOADED = "compile_config"
"""A key of the whole model; Keras ignores it when it loads without compiling."""

SIZES = frozenset(_SIZES.split())
"""Attributes that determine the size of memory."""


def check(path: Path) -> None:
    """Check a `.keras` file.

    Raises:
        ArtifactNotFound: no such file.
        ArtifactCorrupt: not a zip, or a damaged one.
        ArtifactUnsupported: too large when unpacked, or it has a member, a class or a link that is not allowed.
    """
    members = read_members(read_limited(path), str(path))
    check_config(members[CONFIG], str(path))


def read_members(content: bytes, source: str) -> dict[str, Any]:
    """Return a `.keras` file's members, parsed if they are JSON; classes are not checked. Errors are those of check."""
    try:
        with open_zip(io.BytesIO(content)) as archive:
            _check_members(archive, source)
            config, weights = json.loads(archive.read(CONFIG)), archive.read(WEIGHTS)
            metadata = json.loads(archive.read(METADATA)) if METADATA in archive.namelist() else {}
    except (*DAMAGED_ZIP, RecursionError) as error:
        raise ArtifactCorrupt(f"{source} is not a complete .keras file: {first_line(error)}") from error
    check_hdf5(weights, f"{source}: {WEIGHTS}")
    return {CONFIG: config, METADATA: metadata, WEIGHTS: weights}


def _check_members(archive: zipfile.ZipFile, source: str) -> None:
    members = archive.infolist()
    names = [member.filename for member in members]
    strange = next((name for name in names if name not in MEMBERS), None)
    if strange is not None:
        raise ArtifactUnsupported(f"{source} has a member that a classifier does not need, {strange[:80]!r}")
    if len(set(names)) != len(names):
        raise ValueError("its zip has a member twice")
    total = sum(member.file_size for member in members)
    if total > limits.MODEL_BYTES:
        raise ArtifactUnsupported(f"{source} has {total:,} bytes unpacked; the limit is {limits.MODEL_BYTES:,}")
    if CONFIG in names and archive.getinfo(CONFIG).file_size > CONFIG_BYTES:
        raise ArtifactUnsupported(f"{source} has a {CONFIG} of more than {CONFIG_BYTES:,} bytes")


def check_config(config: Any, source: str) -> None:
    """Check the classes and sizes in the config of a Keras 3 model; see `check`."""
    if not isinstance(config, dict):
        raise ArtifactCorrupt(f"{source} is not a complete .keras file: its {CONFIG} is not an object")
    for part in checked_objects({key: value for key, value in config.items() if key != NOT_LOADED}, source):
        _check_class(part, source)


def checked_objects(config: Any, source: str) -> Iterator[dict[str, Any]]:
    """Check the sizes in a config and the count of its objects; yield those that have a class."""
    found = 0
    for part in _objects(config):
        for name in SIZES.intersection(part):
            sizes = [part[name]]
            for size in sizes:
                if isinstance(size, list):
                    sizes += size
                elif isinstance(size, int | float) and not -1 <= size <= limits.WINDOW:
                    raise ArtifactUnsupported(f"{source} has {name} {size}; the limit is {limits.WINDOW:,}")
        if "class_name" in part:
            found += 1
            yield part
    if found > limits.PARTS:
        raise ArtifactUnsupported(f"{source} has {found:,} objects; the limit is {limits.PARTS:,}")


def _check_class(part: dict[str, Any], source: str) -> None:
    name, module, registered = part["class_name"], part.get("module"), part.get("registered_name")
    if isinstance(name, str) and name in DATA:
        return
    # Files of the first Keras 3 versions have no module.
    known = frozenset().union(*CLASSES.values()) if module is None else CLASSES.get(str(module), frozenset())
    if not isinstance(name, str) or name not in known or registered not in (None, name):
        full = f"{module}.{name}" if module else str(name)
        raise ArtifactUnsupported(
            f"{source} has a class that is not allowed, {full[:80]!r}, since it may contain code; build the network"
            " from Keras's own layers"
        )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in a value, including the value itself."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def check_hdf5(content: bytes, source: str) -> None:
    """Check that every weight is in the file itself, and the size of all weights; see `check` for errors."""
    import h5py

    total = 0
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            for dataset in _datasets(file, h5py):
                if dataset.external or dataset.is_virtual:
                    raise ArtifactUnsupported(
                        f"{source} has {dataset.name[:80]!r} in another file, which is not allowed"
                    )
                total += dataset.size * dataset.dtype.itemsize
    # h5py raises many kinds of exceptions on damaged files.
    except (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise ArtifactCorrupt(f"{source} is not complete: {first_line(error)}") from error
    if total > limits.MODEL_BYTES:
        raise ArtifactUnsupported(f"{source} has weights of {total:,} bytes; the limit is {limits.MODEL_BYTES:,}")


def _datasets(file: Any, h5py: Any) -> Iterator[Any]:
    waiting, seen = [file], 0
    while waiting:
        group = waiting.pop()
        for name in group:
            seen += 1
            if seen > limits.PARTS:
                raise ValueError(f"more than {limits.PARTS:,} parts")
            # A hard link to a parent group is an endless loop, which the count above ends.
            if group.get(name, getclass=True, getlink=True) is not h5py.HardLink:
                raise ValueError("a link to another place")
            part = group[name]
            if isinstance(part, h5py.Group):
                waiting.append(part)
            else:
                yield part
