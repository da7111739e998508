"""Read what a `.tflite` file states: its tensors, and in TFLite Metadata its name, labels and normalisation.

TFLite Metadata is a FlatBuffer in the entry TFLITE_METADATA, and a zip behind the model with the files that it names.
The tables are those of metadata_schema.fbs, version 1.1.0 (tensorflow_lite_support/metadata in
https://github.com/tensorflow/tflite-support).
"""

import io
import math

from edgedigits_runtime.contract import Tensor
from edgedigits_runtime.embedded_contract import DAMAGED_ZIP, open_zip, read_member
from edgedigits_runtime.errors import ArtifactCorrupt
from edgedigits_runtime.untrusted.flatbuffer import (
    Choice,
    DamagedFlatbuffer,
    Layout,
    Numbers,
    String,
    Table,
    Tables,
    read_flatbuffer,
)
from edgedigits_runtime.untrusted.stated import Stated
from edgedigits_runtime.untrusted.tflite_model import (
    StoredModel,
    StoredTensor,
    corrupt,
    precision_of,
    printable,
    read_model,
    single_ends,
)
from edgedigits_runtime.untrusted.tflite_schema import INT8, UINT8, table

ENTRY = "TFLITE_METADATA"
IDENTIFIER = b"M001"

AXIS_LABELS = 2
"""AssociatedFileType of a file with one label for each value of a tensor, a line each."""

USUAL_FILE = "labels.txt"

_FILE = table(name=String(), description=None, type=INT8)
_UNIT = table(options_type=UINT8, options=Choice("options_type", {1: table(mean=Numbers("f"), std=Numbers("f"))}))
_TENSOR = table(
    name=None, description=None, dimension_names=None, content=None, process_units=Tables(_UNIT), stats=None,
    associated_files=Tables(_FILE),
)  # fmt: skip
_SUBGRAPH = table(
    name=None, description=None, input_tensor_metadata=Tables(_TENSOR), output_tensor_metadata=Tables(_TENSOR)
)
METADATA: Layout = table(name=String(), description=String(), version=None, subgraph_metadata=Tables(_SUBGRAPH))


def read_stated(content: bytes, source: str) -> Stated:
    """Return what the bytes of a `.tflite` file state; its operators are not checked.

    Args:
        content: the file.
        source: names the file in messages.

    Raises:
        ArtifactCorrupt: not a TFLite file, or a damaged model, metadata or label file.
        ArtifactUnsupported: it has several inputs, outputs or graphs; see tflite_model.read_model.
    """
    model = read_model(content, source)
    source_tensor, output_tensor = single_ends(model)
    metadata = _metadata(model)
    first: Table = next(iter(metadata.get("subgraph_metadata", [])), {})
    taken: Table = next(iter(first.get("input_tensor_metadata", [])), {})
    made: Table = next(iter(first.get("output_tensor_metadata", [])), {})
    mean, std = _normalisation(taken, source)
    return Stated(
        input=_tensor(source_tensor),
        output=_tensor(output_tensor),
        name=printable(metadata.get("name", "")),
        description=printable(metadata.get("description", "")),
        labels=_labels(made, content, source),
        mean=mean,
        std=std,
        precision=precision_of(model),
    )


def _tensor(stored: StoredTensor) -> Tensor:
    quantization = stored.quantization
    quantized = stored.dtype != "FLOAT32" and quantization.scales
    return Tensor(
        name=stored.name,
        shape=tuple(None if size < 0 else size for size in stored.signature or stored.shape),
        dtype=stored.dtype.lower(),
        scale=quantization.scales[0] if quantized else None,
        zero_point=next(iter(quantization.zero_points), 0) if quantized else None,
    )


def _metadata(model: StoredModel) -> Table:
    if ENTRY not in model.metadata:
        return {}
    try:
        return read_flatbuffer(bytes(model.metadata[ENTRY]), IDENTIFIER, METADATA)
    except DamagedFlatbuffer as error:
        raise corrupt(model.source, f"in its metadata, {error}") from error


def _normalisation(taken: Table, source: str) -> tuple[tuple[float, ...], tuple[float, ...]] | tuple[None, None]:
    """Return the mean and the standard deviation of the input's first normalisation."""
    options = [unit["options"] for unit in taken.get("process_units", []) if unit.get("options")]
    if not options:
        return None, None
    mean, std = (tuple(options[0].get(name, ())) for name in ("mean", "std"))
    if not mean or not std or not all(map(math.isfinite, (*mean, *std))) or min(std) <= 0:
        raise corrupt(source, f"its metadata normalises by the mean {list(mean[:4])} and the deviation {list(std[:4])}")
    return mean, std


def _labels(made: Table, content: bytes, source: str) -> tuple[str, ...] | None:
    """Return the lines of the output's label file, or of USUAL_FILE; None where the zip has neither."""
    files = made.get("associated_files", [])
    names = [file.get("name", "") for file in files if file.get("type") == AXIS_LABELS]
    try:
        archive = open_zip(io.BytesIO(content))
    except DAMAGED_ZIP:
        return None
    with archive:
        # Of several files, in several languages, the schema makes the first the default.
        name = next((name for name in (*names, USUAL_FILE) if name in archive.namelist()), None)
        if name is None:
            return None
        try:
            lines = read_member(archive, name).decode().rstrip().split("\n")
        except DAMAGED_ZIP as error:
            raise ArtifactCorrupt(f"{source}: its label file {name!r} is damaged: {error}; copy it again") from error
    return tuple(line.strip() for line in lines)
