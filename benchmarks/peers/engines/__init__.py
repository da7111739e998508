"""Other ways to read a digit, each as a short script of its own.

Every module is a program, `python <module>.py MODEL PICTURE`, written as its library's users write it, and offers

    load(model: str) -> Callable[[uint8 [28, 28]], int]

so that the same code is measured both as a whole process and picture by picture. Only edgedigits_itself imports
edgedigits. Threads and other settings are each library's defaults.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """One way to read a digit.

    Attributes:
        title: name in tables.
        module: import path.
        needs: packages that it imports.
        install: the command that installs them.
        file: suffix of the file that it loads: ".tflite", ".onnx", ".keras" or ".svc".
    """

    title: str
    module: str
    needs: tuple[str, ...]
    install: str
    file: str


TRAIN = "pip install 'edgedigits[train-cpu]'"

PEERS = {
    "edgedigits": Peer("edgedigits", f"{__name__}.edgedigits_itself", ("ai_edge_litert",), "", ".tflite"),
    "litert": Peer("bare LiteRT", f"{__name__}.bare_litert", ("ai_edge_litert",), "", ".tflite"),
    "onnxruntime": Peer(
        "bare ONNX Runtime", f"{__name__}.bare_onnxruntime", ("onnxruntime",), "pip install 'edgedigits[onnx]'", ".onnx"
    ),
    "openvino": Peer("OpenVINO", f"{__name__}.bare_openvino", ("openvino",), "pip install openvino", ".onnx"),
    "keras-predict": Peer(
        "Keras, model.predict", f"{__name__}.keras_predict", ("keras", "tensorflow"), TRAIN, ".keras"
    ),
    "keras-call": Peer("Keras, model(x)", f"{__name__}.keras_call", ("keras", "tensorflow"), TRAIN, ".keras"),
    "tf-function": Peer("tf.function", f"{__name__}.tf_function", ("keras", "tensorflow"), TRAIN, ".keras"),
    "svc": Peer("scikit-learn SVC", f"{__name__}.sklearn_svc", ("sklearn",), TRAIN, ".svc"),
}
"""Engines by the names that `python -m benchmarks.peers --only` takes; the others are compared with the first."""
