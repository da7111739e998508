"""LiteRT's interpreter, int8."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image


def load(model: str) -> Callable[[Any], int]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model)
    interpreter.allocate_tensors()
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = given["quantization"]

    def classify(picture: Any) -> int:
        stored = np.round(picture[None, ..., None] / np.float32(255) / scale + zero_point).astype(np.int8)
        interpreter.set_tensor(given["index"], stored)
        interpreter.invoke()
        return int(interpreter.get_tensor(answer["index"]).argmax())

    return classify


if __name__ == "__main__":
    print(load(sys.argv[1])(np.asarray(Image.open(sys.argv[2]).convert("L"))))
