"""The `.keras` file: a Keras model with its contract inside."""

import dataclasses
import time
import zipfile
from pathlib import Path
from typing import Any

from edgedigits_exporters.keras_backend import load_keras
from edgedigits_exporters.keras_checking import check
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.embedded_contract import MEMBER, read_contract
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound, ContractInvalid, OutputNotWritable, first_line
from edgedigits_runtime.whole_files import whole_file

FIRST_YEAR_OF_ZIP = 1980


def save_model(model: Any, contract: Contract, path: Path) -> Path:
    """Write `model` without optimiser state, and `contract` as one more member of the file's zip.

    Raises:
        OutputNotWritable: the file could not be written.
    """
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
    """Refuse to write a `.keras` file on a machine whose clock was never set: Keras would fail in the middle.

    Raises:
        OutputNotWritable: the clock says a year that no zip file can hold.
    """
    if (year := time.localtime().tm_year) < FIRST_YEAR_OF_ZIP:
        raise OutputNotWritable(
            f"cannot write {path}: the clock of this machine says {year}, and no .keras file can hold a day before"
            f" {FIRST_YEAR_OF_ZIP}; set the clock"
        )


def load_model(path: Path, contract: Contract | None = None) -> tuple[Any, Contract]:
    """Return the Keras model of a `.keras` file and its contract.

    Args:
        path: the file. Code inside it (Lambda layers) is never run.
        contract: used in place of the file's own.

    Raises:
        ArtifactNotFound: no such file.
        ArtifactCorrupt: damaged, or no Keras model.
        ArtifactUnsupported: it holds what is not let through; see keras_checking.
        ContractMissing, ContractInvalid: about the contract inside.
    """
    if not path.is_file():
        raise ArtifactNotFound(f"no model file at {path}")
    keras = load_keras()
    check(path)
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    # Keras lets through whatever zipfile, json or h5py raise on damaged members.
    except Exception as error:
        reason = first_line(error)
        raise ArtifactCorrupt(f"{path} cannot be loaded as a Keras model: {reason}") from error
    contract = contract or read_contract(path)
    if tuple(model.input_shape[1:]) != contract.image_shape:
        raise ContractInvalid(
            f"{path}: the contract says images of {list(contract.image_shape)}, the model takes"
            f" {list(model.input_shape[1:])}"
        )
    if tuple(model.output_shape[1:]) != (len(contract.labels),):
        raise ContractInvalid(
            f"{path}: the contract has {len(contract.labels)} labels, the model gives {list(model.output_shape[1:])}"
        )
    return model, contract


def float_border(image_shape: tuple[int, int, int], classes: int) -> tuple[Tensor, Tensor]:
    """Return the input and output tensors of a Keras model, which are float32 with a free batch."""
    return Tensor("image", (None, *image_shape), "float32"), Tensor("probabilities", (None, classes), "float32")
