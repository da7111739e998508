"""Results: what comes of reading a picture, and what every stage made of it."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.marks import Box


@dataclass(frozen=True)
class Digit:
    """One digit, or one thing of another class, that was read.

    Attributes:
        digit: 0..9, or None where the label is no decimal digit.
        label: the model's name of the class.
        confidence: calibrated, 0..1.
        box: x, y, width and height in source pixels.
        top: the most likely labels with their confidences, best first.
    """

    digit: int | None
    label: str
    confidence: float
    box: tuple[int, int, int, int]
    top: tuple[tuple[str, float], ...]


def number_of(label: str) -> int | None:
    """Return 0..9 where a label is one decimal digit, else None."""
    return int(label) if len(label) == 1 and label in "0123456789" else None


@dataclass(frozen=True)
class Reading:
    """What was read in one picture.

    Attributes:
        source: the picture's name.
        text: the labels in reading order, a line break between lines; empty where there is no digit.
        digits: in reading order.
        model: the model's name.
        engine: "litert" or "onnxruntime".
        device: where the model ran.
        providers: execution providers or delegates in effect.
        ms: milliseconds by stage, and "total".
        note: what the reader has to say about it, such as that `length` could not be met; mostly empty.
    """

    source: str
    text: str
    digits: tuple[Digit, ...]
    model: str
    engine: str
    device: str
    providers: tuple[str, ...]
    ms: dict[str, float]
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of `--json`: confidences to 4 decimal places, milliseconds to 3."""
        digits = [
            {
                "digit": digit.digit,
                "label": digit.label,
                "confidence": round(digit.confidence, 4),
                "box": list(digit.box),
                "top": [[label, round(confidence, 4)] for label, confidence in digit.top],
            }
            for digit in self.digits
        ]
        written = {
            "source": self.source,
            "text": self.text,
            "digits": digits,
            "model": self.model,
            "engine": self.engine,
            "device": self.device,
            "providers": list(self.providers),
            "ms": {stage: round(milliseconds, 3) for stage, milliseconds in self.ms.items()},
        }
        return {**written, "note": self.note} if self.note else written


@dataclass(frozen=True)
class Trace:
    """What every stage made of one picture.

    Attributes:
        picture: uint8 [H, W, C] as it was worked on: upright, large ones reduced.
        ink: uint8 [H, W], bright on 0; all zeros where the model takes plain pictures.
        candidates: what may be digits, in reading order, in pixels of `picture`.
        framed: uint8 [N, 28, 28, 1], the candidates as the network saw them.
        confidences: float32 [N, classes], calibrated.
        kept: bool [N], whether a candidate was read as a digit.
        why: why each one was not; empty where it was.
        reading: what was read.
        boxes: the candidates in pixels of the upright source: x, y, width and height.
        size: the upright source's width and height.
    """

    picture: NDArray[np.uint8]
    ink: NDArray[np.uint8]
    candidates: list[Box]
    framed: NDArray[np.uint8]
    confidences: NDArray[np.float32]
    kept: NDArray[np.bool_]
    why: tuple[str, ...]
    reading: Reading
    boxes: tuple[tuple[int, int, int, int], ...]
    size: tuple[int, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the reading's JSON object with what the network was shown, framed images row by row in Base64."""
        candidates = [
            {
                "box": list(box),
                "framed": b64encode(framed.tobytes()).decode(),
                "probabilities": [round(confidence, 4) for confidence in confidences],
                "kept": not why,
                "why": why,
            }
            for box, framed, confidences, why in zip(
                self.boxes, self.framed, self.confidences.tolist(), self.why, strict=True
            )
        ]
        width, height = self.size
        return {**self.reading.to_dict(), "width": width, "height": height, "candidates": candidates}
