"""A support vector machine of scikit-learn on the same pixels."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def load(model: str) -> Callable[[Any], int]:
    import pickle

    machine = pickle.loads(Path(model).read_bytes())

    def classify(picture: Any) -> int:
        return int(machine.predict(picture.reshape(1, -1) / np.float32(255))[0])

    return classify


if __name__ == "__main__":
    print(load(sys.argv[1])(np.asarray(Image.open(sys.argv[2]).convert("L"))))
