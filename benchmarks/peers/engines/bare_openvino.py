"""OpenVINO with the ONNX file, float32."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image


def load(model: str) -> Callable[[Any], int]:
    import openvino

    compiled = openvino.Core().compile_model(model, "CPU")

    def classify(picture: Any) -> int:
        return int(compiled(picture[None, ..., None] / np.float32(255))[0].argmax())

    return classify


if __name__ == "__main__":
    print(load(sys.argv[1])(np.asarray(Image.open(sys.argv[2]).convert("L"))))
