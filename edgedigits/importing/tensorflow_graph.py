"""A SavedModel's signature as TensorFlow computes it, and in ONNX. Called in a child process: it runs the graph."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.importing.random_inputs import random_inputs
from edgedigits_exporters.onnx import OPSET

BATCH = 50


def signature_of(folder: str, name: str) -> tuple[Any, Any]:
    """Return a signature of a checked SavedModel as a function of one tensor, and the tensor's specification."""
    import tensorflow as tf

    loaded = tf.saved_model.load(folder)
    signature = loaded.signatures[name]
    ((given, spec),) = signature.structured_input_signature[1].items()

    def function(tensor: Any) -> Any:
        # A signature holds the variables of what it was loaded from only weakly.
        assert loaded
        return next(iter(signature(**{given: tensor}).values()))

    return function, tf.TensorSpec(spec.shape, spec.dtype, name=given)


def outputs(folder: str, name: str, inputs: NDArray[Any], batch: int) -> NDArray[Any]:
    """Return what a signature of a checked SavedModel answers."""
    function, _ = signature_of(folder, name)
    parts = [inputs[start : start + batch] for start in range(0, len(inputs), batch)]
    return np.concatenate([function(part).numpy() for part in parts])


def to_onnx(folder: str, name: str) -> list[Any]:
    """Convert a signature; return TensorFlow's version, the ONNX file, and what both answer on random inputs."""
    import onnxruntime
    import tensorflow as tf
    import tf2onnx

    function, spec = signature_of(folder, name)
    inputs = random_inputs(spec.shape.as_list(), spec.dtype.name, (0.0, 1.0))
    batch = spec.shape[0] or BATCH
    traced = tf.function(function, input_signature=[spec])
    model, _ = tf2onnx.convert.from_function(traced, input_signature=[spec], opset=OPSET)
    _store_captured(model.graph, traced.get_concrete_function().graph.captures)
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (given,), (answer,) = session.get_inputs(), session.get_outputs()
    after = [
        session.run([answer.name], {given.name: inputs[start : start + batch]})[0]
        for start in range(0, len(inputs), batch)
    ]
    return [tf.__version__, content, outputs(folder, name, inputs, batch), np.concatenate(after)]


def _store_captured(graph: Any, captures: Any) -> None:
    """Make constants of the inputs that are tensors from outside of the function, such as those of a Rescaling."""
    from onnx import numpy_helper

    outside = {inner.name: outer for outer, inner in captures if outer.dtype.name != "resource"}
    for given in [given for given in graph.input if given.name in outside]:
        graph.input.remove(given)
        graph.initializer.append(numpy_helper.from_array(outside[given.name].numpy(), given.name))
