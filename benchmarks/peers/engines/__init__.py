"""What people would otherwise use to read a digit, each as a short script that stands alone.

Every module is a program, `python <module>.py MODEL PICTURE`, written as its library's users write it, and offers

    load(model: str) -> Callable[[uint8 [28, 28]], int]

so that one text is measured both as a whole process and picture by picture. None imports anything of edgedigits, but
the one that is edgedigits. Threads and all else are each library's defaults.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Peer:
    """One of them.

    Attributes:
        title: what it is called in tables.
        module: import path.
        needs: names that it imports, by which is found out whether it is installed.
        install: the command that installs them.
        file: what kind of file it loads: ".tflite", ".onnx", ".keras" or ".svc".
    """

    title: str
    module: str
    needs: tuple[str, ...]
    install: str
    file: str


TRAIN = "pip install 'edgedigits[train]'"

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
"""By the names that `edgedigits bench peers --only` takes; the first is what the others are put beside."""
