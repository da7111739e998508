"""Turn a SavedModel that is not of Keras 2, such as one of Keras 3's model.export(), into an `.onnx` file."""

import importlib.util
from pathlib import Path

from edgedigits.importing.comparison import KerasSource, compare
from edgedigits_exporters import untrusted_saved_model
from edgedigits_exporters.untrusted_legacy_keras import read_keras_file
from edgedigits_runtime.child_process import Child
from edgedigits_runtime.errors import ArtifactUnsupported, ConversionFailed, MissingExtra
from edgedigits_runtime.untrusted import onnx as untrusted_onnx
from edgedigits_runtime.whole_files import write_whole

CONVERTER = "edgedigits.importing.tensorflow_graph"

SECONDS = 600.0
"""Time limit of the conversion, which imports TensorFlow."""

MESSAGE = 240
"""Characters of a converter's message, which may list a whole graph."""


def states_layers(folder: Path) -> bool:
    """Return whether a SavedModel states the layers of a Keras 2 model, of which to_keras makes a `.keras` file.

    Raises:
        ArtifactNotFound, ArtifactCorrupt: see untrusted_saved_model.check.
    """
    try:
        return bool(read_keras_file(folder).config)
    except ArtifactUnsupported:
        return False


def saved_model_to_onnx(source: Path, out: Path) -> KerasSource:
    """Write the serving signature of a SavedModel as an `.onnx` file, without a contract.

    Args:
        source: the folder.
        out: the file to write; it is written whole or not at all.

    Raises:
        ArtifactNotFound, ArtifactCorrupt, ArtifactUnsupported: see untrusted_saved_model.check.
        MissingExtra: TensorFlow, tf2onnx or ONNX Runtime is not installed.
        ConversionFailed: tf2onnx cannot convert it.
        GateMissed: ONNX Runtime answers differently.
        OutputNotWritable: see write_whole.
    """
    signature = untrusted_saved_model.check(source)
    for package, extra in (("tf2onnx", "train-cpu"), ("onnxruntime", "onnx")):
        if importlib.util.find_spec(package) is None:
            raise MissingExtra(f"converting {source} with {package}", extra)
    environment = {"CUDA_VISIBLE_DEVICES": ""}
    with Child(f"converting {source}", ConversionFailed, keep_output=True, environment=environment) as child:
        call = [str(source), signature.name]
        try:
            version, content, before, after = child.call(f"{CONVERTER}:to_onnx", *call, seconds=SECONDS)
        except ConversionFailed as error:
            # Keras exports the random numbers of augmentation layers too.
            advice = "if Keras made it, save it with model.save('model.keras') and import that"
            raise ConversionFailed(f"{str(error)[:MESSAGE]}; {advice}") from error
    untrusted_onnx.check(content, str(source))
    result = KerasSource(f"TensorFlow {version}", compare(before, after), len(before))
    write_whole(out, content)
    return result
