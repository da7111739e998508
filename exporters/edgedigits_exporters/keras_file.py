"""The `.keras` file: a Keras model with its contract inside."""

import dataclasses
import io
import math
import time
import zipfile
from pathlib import Path
from typing import Any

from edgedigits_exporters.keras_backend import load_keras
from edgedigits_exporters.untrusted_keras import check
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import MEMBER, read_contract
from edgedigits_runtime.errors import (
    ArtifactCorrupt,
    ArtifactNotFound,
    ArtifactUnsupported,
    ContractInvalid,
    OutputNotWritable,
    first_line,
)
from edgedigits_runtime.whole_files import whole_file

FIRST_YEAR_OF_ZIP = 1980

OTHER_FLOATS = ("float16", "bfloat16", "float64")


def save_model(model: Any, contract: Contract, path: Path) -> Path:
    """Write a model without optimiser state, and its contract as a member of the file's zip."""
    keras = load_keras()
    check_clock(path)
    bare = type(model).from_config(model.get_config())
    bare.set_weights(model.get_weights())
    tools = {**contract.tools, "keras": keras.__version__}
    contract = dataclasses.replace(contract, format="keras", precision="float32", tools=tools)
    with whole_file(path) as temporary:
        bare.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(MEMBER, contract.to_json())
    return path


def check_clock(path: Path) -> None:
    """Raise OutputNotWritable if the clock is before 1980: Keras then fails while it writes a zip file."""
    if (year := time.localtime().tm_year) < FIRST_YEAR_OF_ZIP:
        raise OutputNotWritable(
            f"cannot write {path}: expected a clock after {FIRST_YEAR_OF_ZIP}, got the year {year}; set the clock"
        )


def load_model(path: Path, contract: Contract | None = None) -> tuple[Any, Contract]:
    """Return the Keras model of a `.keras` file and its contract; code inside it (Lambda layers) never runs.

    Args:
        path: the file.
        contract: used in place of the file's own.

    Raises:
        ArtifactNotFound, ArtifactCorrupt, ArtifactUnsupported: see untrusted_keras.check.
        ContractMissing, ContractInvalid: the contract is missing or does not match the model.
    """
    contract = contract or read_contract(path)
    model = load_bare(path)
    if tuple(model.input_shape[1:]) != contract.input.shape[1:]:
        raise ContractInvalid(
            f"{path}: the contract has the input {list(contract.input.shape[1:])}, the model"
            f" {list(model.input_shape[1:])}; correct the contract"
        )
    if math.prod(model.output_shape[1:]) != math.prod(size or 0 for size in contract.output.shape[1:]):
        raise ContractInvalid(
            f"{path}: the contract has the output {list(contract.output.shape[1:])}, the model"
            f" {list(model.output_shape[1:])}; correct the contract"
        )
    return model, contract


def load_bare(path: Path) -> Any:
    """Return the Keras model of a `.keras` file, with or without a contract, that computes in float32.

    Errors are those of load_model; what needs no Keras is checked before its import.
    """
    if not path.is_file():
        raise ArtifactNotFound(f"no model file at {path}")
    check(path)
    keras = load_keras()
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    # Keras passes on any exception of zipfile, json or h5py.
    except Exception as error:
        reason = first_line(error)
        raise ArtifactCorrupt(f"{path} cannot be loaded as a Keras model: {reason}") from error
    for layer in model._flatten_layers():
        # Mixed precision is for training on a GPU; engines have no float16 kernels for most layers.
        if layer.compute_dtype in OTHER_FLOATS:
            layer.dtype_policy = "float32"
    return _with_plain_ends(model, path)


def _with_plain_ends(model: Any, path: Path) -> Any:
    """Return a model that takes and returns one tensor, not a list or a dictionary with it.

    Raises:
        ArtifactUnsupported: it has several inputs or outputs, or its output is more than a number for each class.
    """
    import keras

    inputs, outputs = getattr(model, "inputs", None) or [], getattr(model, "outputs", None) or []
    if len(inputs) != 1 or len(outputs) != 1:
        names = [", ".join(tensor.name for tensor in ends) or "none" for ends in (inputs, outputs)]
        raise ArtifactUnsupported(
            f"{path}: expected a classifier with one input and one output, got the inputs {names[0]} and the outputs"
            f" {names[1]}; save a model of one each"
        )
    if sum(size != 1 for size in outputs[0].shape[1:]) > 1:
        raise ArtifactUnsupported(
            f"{path}: expected a number for each class, got the output {list(outputs[0].shape)}; end the network with"
            " a Flatten or GlobalAveragePooling2D layer and a Dense layer"
        )
    if isinstance(model, keras.Sequential) or all(
        isinstance(end, keras.KerasTensor) for end in (model.input, model.output)
    ):
        return model
    return keras.Model(inputs[0], outputs[0])


def with_contract(content: bytes, contract: Contract) -> bytes:
    """Return a `.keras` file's bytes with `contract` inside, in place of an earlier one."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            if member.filename != MEMBER:
                target.writestr(member, source.read(member))
        target.writestr(zipfile.ZipInfo(MEMBER, (1980, 1, 1, 0, 0, 0)), contract.to_json())
    return made.getvalue()


def float_border(image_shape: tuple[int, int, int], classes: int) -> tuple[Tensor, Tensor]:
    """Return the input and output tensors of a Keras model: float32 with a free batch."""
    return Tensor("image", (None, *image_shape), "float32"), Tensor("probabilities", (None, classes), "float32")
