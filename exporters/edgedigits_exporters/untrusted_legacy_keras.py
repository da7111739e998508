"""Read what a `.h5`, `.keras` or SavedModel states of its network before Keras opens it, and check what Keras 2 wrote.

Keras 2 has no safe mode for HDF5 and SavedModel: it runs the code of a Lambda layer, and calls any TensorFlow function.
"""

import io
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgedigits_exporters import untrusted_keras, untrusted_saved_model
from edgedigits_exporters.keras_classes import LAYERS, MODELS
from edgedigits_exporters.untrusted_keras import CONFIG, CONFIG_BYTES, METADATA, WEIGHTS
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactUnsupported, first_line
from edgedigits_runtime.untrusted import read_limited

HDF5, ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"

CALLERS = frozenset({"SlicingOpLambda", "TFOpLambda"})
"""Layers that call a TensorFlow function, which their config names."""

LEGACY_ELLIPSIS = {"class_name": "__ellipsis__"}
"""`...` in a slice."""

LEGACY_LAYERS = LAYERS | MODELS | CALLERS | {"RandomHeight", "RandomWidth", "ThresholdedReLU"}

WEIGHT_GROUPS = frozenset({"layers", "_layer_checkpoint_dependencies", "vars"})
"""Groups in the HDF5 files of Keras 3's save_weights."""

SAVE = "save the whole model with model.save('model.keras')"


@dataclass(frozen=True)
class KerasFile:
    """What a file states of its network.

    Args:
        kind: "h5", "keras" or "saved_model".
        config: class and arguments, as Keras wrote them.
        version: of the Keras that wrote it; empty if unknown.
        content: the bytes of the file; none of a folder.
        weights: HDF5 with the weights alone, of a `.keras` file.
    """

    kind: str
    config: dict[str, Any]
    version: str
    content: bytes = b""
    weights: bytes = b""

    @property
    def legacy(self) -> bool:
        """Whether Keras 2 wrote it, or Keras 1; a `.keras` file without a version is of Keras 3."""
        return int(self.version.partition(".")[0]) < 3 if self.version else self.kind != "keras"


def read_keras_file(path: Path) -> KerasFile:
    """Return what a file states of its network, whatever its suffix. Sizes and links are checked, classes are not.

    Raises:
        ArtifactNotFound: no such file, or a folder that is no SavedModel.
        ArtifactCorrupt: damaged, or neither HDF5 nor zip.
        ArtifactUnsupported: too large, with links to other files, without a network; see untrusted_saved_model.check.
    """
    if path.is_dir():
        untrusted_saved_model.check(path)
        text = untrusted_saved_model.keras_metadata(path)
        if not text:
            raise ArtifactUnsupported(f"{path} was not saved by Keras 2, so it names no layers; convert it to .onnx")
        config = _parsed(text, str(path))
        return _keras_file("saved_model", config, config.get("keras_version"), str(path))
    content = read_limited(path)
    if content.startswith(ZIP):
        members = untrusted_keras.read_members(content, str(path))
        version = members[METADATA].get("keras_version") if isinstance(members[METADATA], dict) else None
        return _keras_file("keras", members[CONFIG], version, str(path), content, members[WEIGHTS])
    if content.startswith(HDF5):
        config, version = _read_hdf5(content, str(path))
        return _keras_file("h5", config, version, str(path), content)
    raise ArtifactCorrupt(f"{path} is neither HDF5 (.h5) nor a .keras file; its first bytes are {content[:8]!r}")


def check_legacy_config(config: Any, functions: Collection[str], source: str) -> None:
    """Check a config of Keras 2 that has only layers.

    Args:
        config: from edgedigits.importing.legacy_config.
        functions: the TensorFlow functions that may be called.
        source: names the file in messages.

    Raises:
        ArtifactUnsupported: a class or a function that is not allowed, or a size over its limit.
    """
    for part, _ in untrusted_keras.checked_objects(config, source):
        name = part["class_name"]
        if part == LEGACY_ELLIPSIS:
            continue
        if name not in LEGACY_LAYERS:
            raise ArtifactUnsupported(
                f"{source} has a class that is not allowed, {str(name)[:80]!r}{_of(part)}, since it may contain code;"
                " build the network from Keras's own layers"
            )
        if name in CALLERS and (function := part["config"].get("function")) not in functions:
            raise ArtifactUnsupported(
                f"{source} calls the TensorFlow function {str(function)[:80]!r}{_of(part)}, which is not supported;"
                " use a layer of Keras in its place"
            )


def _of(part: dict[str, Any]) -> str:
    config = part.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    return f" (layer {name[:60]!r})" if isinstance(name, str) else ""


def _read_hdf5(content: bytes, source: str) -> tuple[dict[str, Any], Any]:
    """Return the config in an HDF5 file and the version of Keras."""
    import h5py

    untrusted_keras.check_hdf5(content, source)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            weights = file.get("model_weights", {})
            version = file.attrs.get("keras_version") or getattr(weights, "attrs", {}).get("keras_version")
            text = file.attrs.get("model_config")
            weights_only = "layer_names" in file.attrs or not WEIGHT_GROUPS.isdisjoint(file)
    # h5py raises many kinds of exceptions on damaged files.
    except (ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
        raise ArtifactCorrupt(f"{source} is not complete: {first_line(error)}") from error
    if text is None:
        raise ArtifactUnsupported(f"{source} holds {'weights only' if weights_only else 'no Keras model'}; {SAVE}")
    return _parsed(text, source), version


def _parsed(text: str | bytes, source: str) -> dict[str, Any]:
    try:
        if len(text) > CONFIG_BYTES:
            raise ArtifactUnsupported(f"{source} has a config of more than {CONFIG_BYTES:,} bytes")
        config = json.loads(text)
    # A TypeError if it is no text.
    except (TypeError, ValueError, RecursionError) as error:
        raise ArtifactCorrupt(f"{source} is not complete: its config: {first_line(error)}") from error
    if not isinstance(config, dict):
        raise ArtifactCorrupt(f"{source} is not complete: its config is not an object")
    return config


def _keras_file(
    kind: str, config: Any, version: Any, source: str, content: bytes = b"", weights: bytes = b""
) -> KerasFile:
    version = version.decode(errors="replace") if isinstance(version, bytes) else str(version or "")
    if version and not version.partition(".")[0].isdecimal():
        raise ArtifactCorrupt(f"{source} is not complete: its version of Keras is {version[:20]!r}")
    if not isinstance(config, dict) or config.get("class_name") not in MODELS:
        found = str(config.get("class_name"))[:80] if isinstance(config, dict) else "unknown"
        raise ArtifactUnsupported(
            f"{source} holds a model of the class {found!r}, whose code is not in the file; build the network with"
            " keras.Sequential or keras.Model(inputs, outputs) and save it again"
        )
    return KerasFile(kind, config, version, content, weights)
