"""Turn a model of any version of Keras into a plain Keras 3 `.keras` file, compared with the original."""

import contextlib
import dataclasses
import importlib.util
import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edgedigits.importing.comparison import HALF_TOLERANCE, TOLERANCE, KerasSource, compare
from edgedigits.importing.legacy_config import clean
from edgedigits.importing.legacy_graph import Network, translate
from edgedigits.importing.legacy_operations import FUNCTIONS
from edgedigits.importing.random_inputs import input_range, random_inputs
from edgedigits.importing.saved_keras import BATCH
from edgedigits_exporters import untrusted_keras, untrusted_saved_model
from edgedigits_exporters.keras_file import check_clock
from edgedigits_exporters.untrusted_legacy_keras import KerasFile, check_legacy_config, read_keras_file
from edgedigits_runtime.child_process import Child
from edgedigits_runtime.errors import (
    ArtifactCorrupt,
    ArtifactUnsupported,
    ConversionFailed,
    GateMissed,
    MissingExtra,
    first_line,
)
from edgedigits_runtime.whole_files import whole_file

SECONDS = 600.0
"""Time limit of a call of a child; the first imports TensorFlow."""

ORIGINAL = "edgedigits.importing.original_keras"
SAVED = "edgedigits.importing.saved_keras"
GRAPH = "edgedigits.importing.tensorflow_graph"


def is_keras_3(source: Path) -> bool:
    """Return whether a file is a `.keras` of Keras 3, which is used as it is; errors are those of to_keras."""
    file = read_keras_file(source)
    return file.kind == "keras" and not file.legacy


def to_keras(source: Path, out: Path, meanwhile: Callable[[], object] = bool) -> KerasSource:
    """Write a Keras model as a plain `.keras` file of Keras 3, without a contract.

    Args:
        source: a `.h5`, a `.keras` of Keras 2 or 3, or a SavedModel folder of Keras 2; recognised by its content.
        out: the file to write; it is written whole or not at all.
        meanwhile: called in a thread while the children work, once the source is checked.

    Raises:
        ArtifactNotFound, ArtifactCorrupt: no such file, or a damaged one.
        ArtifactUnsupported: too large, weights only, several inputs or outputs, or layers that may contain code.
        MissingExtra: Keras 2 wrote it, and tf-keras is needed to read it.
        ConversionFailed: Keras 3 cannot load or build it.
        GateMissed: the new file answers differently.
        OutputNotWritable: see whole_file.
    """
    with Keras() as keras:
        return keras.convert(source, out, meanwhile)


class Keras:
    """The child processes with Keras 3 and tf-keras, for one or several conversions."""

    def __init__(self) -> None:
        self.saved = _child("Keras", "0")
        self.original = _child("tf-keras", "1")

    def __enter__(self) -> "Keras":
        return self

    def __exit__(self, *_: object) -> None:
        self.saved.end()
        self.original.end()

    def convert(self, source: Path, out: Path, meanwhile: Callable[[], object] = bool) -> KerasSource:
        """See to_keras."""
        file = read_keras_file(source)
        check_clock(out)
        convert = self._prepare(file, source)
        with (
            _naming(source), tempfile.TemporaryDirectory(prefix="edgedigits-") as folder, whole_file(out) as target,
            ThreadPoolExecutor(1) as pool,
        ):  # fmt: skip
            ready = pool.submit(meanwhile)
            made = convert(Path(folder), target)
            ready.result()
            return made

    def _prepare(self, file: KerasFile, source: Path) -> Callable[[Path, Path], KerasSource]:
        """Check a file, and return what converts it with a temporary folder to a target."""
        if not file.legacy:
            untrusted_keras.check_config(file.config, str(source))
            return partial(self._resave, file)
        with _config_errors(source):
            with _naming(source):
                config = clean(file.config)
            check_legacy_config(config, FUNCTIONS, str(source))
            with _naming(source):
                network = translate(config)
        untrusted_keras.check_config(network.config, str(source))
        if importlib.util.find_spec("tf_keras") is not None:
            return partial(self._rebuild, file, source, json.dumps(config), network)
        if file.kind == "saved_model" or _differs(config):
            raise _needs_tf_keras(source)
        try:
            untrusted_keras.check_config(file.config, str(source))
        except ArtifactUnsupported as error:
            raise _needs_tf_keras(source) from error
        return partial(self._resave_legacy, file, source)

    def _resave(self, file: KerasFile, folder: Path, target: Path) -> KerasSource:
        """Load a file with Keras 3 and write it again."""
        # The checked bytes, under a suffix that Keras knows.
        copy = folder / f"model.{file.kind}"
        copy.write_bytes(file.content)
        before, after = self.saved.call(f"{SAVED}:resave", str(copy), str(target), seconds=SECONDS)
        version = self.saved.call(f"{SAVED}:version")
        return KerasSource(f"Keras {version}", compare(before, after, _tolerance(file.config)), len(before))

    def _resave_legacy(self, file: KerasFile, source: Path, folder: Path, target: Path) -> KerasSource:
        """Do the same with a file of Keras 2, where tf-keras is not installed."""
        try:
            result = self._resave(file, folder, target)
        except ConversionFailed as error:
            raise _needs_tf_keras(source) from error
        note = "Keras 2 wrote this file and Keras 3 read it; with edgedigits[import] both are compared"
        return dataclasses.replace(result, notes=(note,))

    def _rebuild(
        self, file: KerasFile, source: Path, config: str, network: Network, folder: Path, target: Path
    ) -> KerasSource:
        """Load a file with tf-keras, and write a translation with the same weights."""
        paths = [list(path) for _, path in network.origins]
        with ThreadPoolExecutor(1) as pool:
            # Importing TensorFlow takes most of the time, in both children at once.
            ready = pool.submit(self.saved.call, f"{SAVED}:version", seconds=SECONDS)
            stored = str(_weights_of(file, source, folder))
            version = self.original.call(f"{ORIGINAL}:load", config, stored, seconds=SECONDS)
            arrays = self.original.call(f"{ORIGINAL}:layer_weights", paths, seconds=SECONDS)
            weights = {name: values for (name, _), values in zip(network.origins, arrays, strict=True)}
            inputs, batch = _inputs(network, weights)
            if file.kind == "saved_model":
                signature = untrusted_saved_model.check(source).name
                before = self.original.call(f"{GRAPH}:outputs", str(source), signature, inputs, batch, seconds=SECONDS)
            else:
                before = self.original.call(f"{ORIGINAL}:outputs", inputs, batch, seconds=SECONDS)
            ready.result()
        after = self.saved.call(
            f"{SAVED}:rebuild", json.dumps(network.config), weights, inputs, batch, str(target), seconds=SECONDS
        )
        return KerasSource(f"tf-keras {version}", compare(before, after, _tolerance(network.config)), len(inputs))


def _child(name: str, legacy: str) -> Child:
    # Both on the CPU, whose sums differ least; the variable chooses the Keras that TensorFlow's own parts import.
    environment = {"TF_USE_LEGACY_KERAS": legacy, "CUDA_VISIBLE_DEVICES": ""}
    return Child(name, ConversionFailed, keep_output=True, environment=environment)


def _weights_of(file: KerasFile, source: Path, folder: Path) -> Path:
    """Return the path that tf-keras loads the checked weights from; it recognises the kind by the suffix."""
    if file.kind == "saved_model":
        return source / "variables" / "variables"
    path = folder / ("original.h5" if file.kind == "h5" else "original.weights.h5")
    path.write_bytes(file.weights or file.content)
    return path


def _inputs(network: Network, weights: dict[str, list[NDArray[Any]]]) -> tuple[NDArray[Any], int]:
    """Return random inputs and the size of a batch."""
    layers = network.config["config"]["layers"]
    bounds = input_range((layer["class_name"], layer["config"], weights.get(layer["name"], [])) for layer in layers)
    start = layers[0]["config"]
    return random_inputs(start["batch_shape"], start["dtype"], bounds), start["batch_shape"][0] or BATCH


def _tolerance(config: dict[str, Any]) -> float:
    return HALF_TOLERANCE if "float16" in json.dumps(config) else TOLERANCE


def _differs(value: Any) -> bool:
    """Return whether a config has what Keras 3 loads without an error and computes differently."""
    if isinstance(value, dict):
        axis = value.get("axis")
        several = isinstance(axis, list) and len(axis) > 1
        return several or "hard_sigmoid" in value.values() or any(map(_differs, value.values()))
    return isinstance(value, list) and any(map(_differs, value))


def _needs_tf_keras(source: Path) -> MissingExtra:
    return MissingExtra(f"reading {source}, which Keras 2 wrote,", "import")


@contextlib.contextmanager
def _config_errors(source: Path) -> Iterator[None]:
    """Raise ArtifactCorrupt for a config whose parts are not where they belong."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {first_line(error)[:200]}"
        raise ArtifactCorrupt(f"{source} is not complete: its config: {reason}") from error


@contextlib.contextmanager
def _naming(source: Path) -> Iterator[None]:
    """Name the file in the errors about its content."""
    try:
        yield
    except (ArtifactCorrupt, ArtifactUnsupported, ConversionFailed, GateMissed) as error:
        raise type(error)(f"{source}: {error}") from error
