"""edgedigits: its classifier picture by picture; `edgedigits predict`, which also finds ink, as a whole process."""

import sys
from collections.abc import Callable
from typing import Any


def load(model: str) -> Callable[[Any], int]:
    import edgedigits

    classifier = edgedigits.load(model).classifier
    return lambda picture: int(classifier.predict(picture[None]).argmax())


if __name__ == "__main__":
    from edgedigits.cli import app

    app(["predict", "--model", *sys.argv[1:]])
