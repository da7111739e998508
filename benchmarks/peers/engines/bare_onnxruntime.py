"""An ONNX Runtime session, float32."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image


def load(model: str) -> Callable[[Any], int]:
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def classify(picture: Any) -> int:
        return int(session.run(None, {name: picture[None, ..., None] / np.float32(255)})[0].argmax())

    return classify


if __name__ == "__main__":
    print(load(sys.argv[1])(np.asarray(Image.open(sys.argv[2]).convert("L"))))
