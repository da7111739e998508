"""Check an untrusted `.keras` file before Keras loads it: its members, sizes, classes and weights.

Keras's safe mode refuses Lambda layers; this check allows only listed classes.
"""

import io
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgedigits_exporters.keras_classes import CLASSES, FUNCTIONS, REFUSED
from edgedigits_runtime.embedded_contract import DAMAGED_ZIP, MEMBER, open_zip
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported, first_line
from edgedigits_runtime.untrusted import limits, read_limited

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
MEMBERS = {CONFIG, METADATA, WEIGHTS, MEMBER, "edgedigits-history.json"}
"""Members of a classifier's file; assets belong to layers that read text."""

CONFIG_BYTES = 16 << 20

DATA = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__tuple__", "__slice__", "__ellipsis__"})
"""Values that Keras writes with a class name."""

NOT_LOADED = "compile_config"
"""A key of the whole model; Keras ignores it when it loads without compiling."""

_GROWING = """
N batch_input_shape batch_shape bins block_size depth_multiplier dilation dilation_rate fft_length filter_size filters
frame_length head_dim height input_dim input_length k kernel_size key_dim length lora_rank max_number max_tokens
minlength n newshape num num_bins num_classes num_heads num_key_value_heads num_query_heads num_segments num_tokens
output_dim output_padding output_shape output_size pad_width padding repeats sequence_length shape size strides
target_height target_shape target_width tile_grid_size units value_dim width
"""

_BOUNDED = """
beam_width bottom_cropping bottom_padding chain_depth cropping frame_step groups indices_or_sections left_cropping
left_padding num_chains num_mel_bins num_ops pool_size power_iterations right_cropping right_padding sequence_stride
stride top_cropping top_padding top_paths
"""

GROWING = frozenset(_GROWING.split())
"""Attributes whose product is the size of a weight or of an activation, as a class has them."""

SIZES = GROWING | frozenset(_BOUNDED.split())
"""Attributes that determine memory or time."""

DIAGONALS = frozenset({"k"})
"""Attributes that may be negative."""


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
    for part, owner in checked_objects({key: value for key, value in config.items() if key != NOT_LOADED}, source):
        _check_class(part, owner)


def checked_objects(config: Any, source: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Check the sizes in a config and the count of its objects.

    Yield those that have a class, each with the file and the layer that it belongs to, as messages name them.
    """
    found = 0
    for part, layer in _objects(config):
        _check_sizes(part, source)
        if "class_name" in part:
            found += 1
            yield part, f"{source}: layer {layer[:60]!r}" if layer else source
    if found > limits.PARTS:
        raise ArtifactUnsupported(f"{source} has {found:,} objects; the limit is {limits.PARTS:,}")


def _check_sizes(part: dict[str, Any], source: str) -> None:
    total = 1
    for name in SIZES.intersection(part):
        lowest = -limits.WINDOW if name in DIAGONALS else -1
        for size in _numbers(part[name]):
            if not lowest <= size <= limits.WINDOW:
                raise ArtifactUnsupported(f"{source} has {name} {size}; the limit is {limits.WINDOW:,}")
        if name in GROWING:
            total *= _amount(part[name])
    if total > limits.TENSOR_BYTES:
        sizes = ", ".join(f"{name} {part[name]}" for name in sorted(GROWING.intersection(part)))
        raise ArtifactUnsupported(f"{source} has too large sizes for a classifier: {sizes[:160]}")


def _numbers(value: Any) -> list[float]:
    found = [value]
    for item in found:
        if isinstance(item, list):
            found += item
    return [item for item in found if isinstance(item, int | float)]


def _amount(value: Any) -> int:
    """Return the number of elements that sizes make: of padding on two sides of an axis, the sum."""
    axes = value if isinstance(value, list) else [value]
    return math.prod(max(1, int(sum(map(abs, _numbers(axis))))) for axis in axes)


def _check_class(part: dict[str, Any], owner: str) -> None:
    """Check the class or function that an object is of; `owner` names the file and the layer in messages."""
    name, module, registered = part["class_name"], part.get("module"), part.get("registered_name")
    if isinstance(name, str) and name in DATA:
        return
    if name in ("function", "__lambda__"):
        function = part.get("config")
        if (
            name == "__lambda__"
            or not isinstance(function, str)
            or function not in FUNCTIONS.get(str(module), ())
            or registered not in (None, "function", function)
        ):
            raise ArtifactUnsupported(f"{owner} has a function of its own, which is code; name an activation of Keras")
        return
    # Files of the first Keras 3 versions have no module.
    known = frozenset().union(*CLASSES.values()) if module is None else CLASSES.get(str(module), frozenset())
    if isinstance(name, str) and name in known and registered in (None, name):
        return
    if isinstance(name, str) and name in REFUSED and str(module).split(".")[0] in ("keras", "None"):
        raise ArtifactUnsupported(f"{owner} is a {name}, which {REFUSED[name]}")
    full = registered if registered not in (None, name) else f"{module}.{name}" if module else name
    raise ArtifactUnsupported(
        f"{owner} uses the class {str(full)[:80]!r}, which does not ship with Keras, and its code would have to run;"
        " build the network from Keras's own layers, or export it to ONNX where its code is"
    )


def _objects(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield every JSON object in a value, including the value itself, with the name of the layer that it belongs to."""
    waiting = [(value, "")]
    while waiting:
        part, layer = waiting.pop()
        if isinstance(part, dict):
            inner = part.get("config")
            if "class_name" in part and isinstance(inner, dict) and isinstance(inner.get("name"), str):
                layer = inner["name"]
            yield part, layer
            waiting += [(item, layer) for item in part.values()]
        elif isinstance(part, list):
            waiting += [(item, layer) for item in part]


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
