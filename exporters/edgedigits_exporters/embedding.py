"""Put a contract into an artifact that is already written, in place of the one it has."""

from pathlib import Path

from edgedigits_runtime.contract import Contract
from edgedigits_runtime.embedded_contract import append_zipped
from edgedigits_runtime.whole_files import write_whole


def embed_contract(artifact: Path, contract: Contract) -> None:
    """Rewrite a `.tflite` or `.onnx` file with `contract`; the model itself stays as it is.

    Raises:
        OutputNotWritable: the file could not be written; it stays as it was.
    """
    if artifact.suffix == ".onnx":
        from edgedigits_exporters.onnx import with_contract

        write_whole(artifact, with_contract(artifact.read_bytes(), contract))
    else:
        write_whole(artifact, append_zipped(artifact.read_bytes(), contract))
