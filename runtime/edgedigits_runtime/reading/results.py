"""Results of reading a picture, and of every stage."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.reading.box import Box


@dataclass(frozen=True)
class Digit:
    """One digit, or one item of another class, that was read.

    Attributes:
        digit: 0..9, or None if the label is not a decimal digit.
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
    """Return 0..9 if a label is one decimal digit, else None."""
    return int(label) if len(label) == 1 and label in "0123456789" else None


class FinderEngine(NamedTuple):
    """The finder's model, and where it ran; the fields are those of a reading."""

    model: str
    engine: str
    device: str
    providers: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """The reading of one picture.

    Attributes:
        source: the picture's name.
        text: the labels in reading order, lines separated by a line break; empty if there is no digit.
        digits: in reading order.
        model: the model's name.
        engine: "litert" or "onnxruntime".
        device: where the model ran.
        providers: execution providers or delegates in effect.
        ms: milliseconds by stage, and "total".
        note: a note for the user, such as that `length` could not be met; mostly empty.
        finder: what found the digits; None without a finder, or where it was not needed.
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
    finder: FinderEngine | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of `--json`: confidences to 4 decimal places, milliseconds to 3."""
        digits = [
            {"digit": each.digit, "label": each.label, "confidence": round(each.confidence, 4), "box": list(each.box)}
            | {"top": [[label, round(confidence, 4)] for label, confidence in each.top]}
            for each in self.digits
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
        if self.finder is not None:
            written["finder"] = self.finder._asdict()
        return {**written, "note": self.note} if self.note else written


class Trace(NamedTuple):
    """The results of every stage for one picture.

    Attributes:
        picture: uint8 [H, W, C], decoded: upright, reduced if large.
        ink: uint8 [H, W], bright on 0; all zeros if the model takes plain pictures. With a finder its map: 255 times
            the score of a digit whose centre is there.
        candidates: boxes of the candidates, in reading order, in pixels of `picture`.
        framed: uint8 [N, 28, 28, 1], the network's inputs.
        confidences: float32 [N, classes], calibrated.
        kept: bool [N], whether a candidate was read as a digit.
        why: why each one was not; empty where it was.
        reading: the reading.
        boxes: the candidates in pixels of the upright source: x, y, width and height.
        size: the upright source's width and height.
        scores: float32 [N, 2], the finder's of a digit and of a letter; None if no finder was used.
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
    scores: NDArray[np.float32] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the reading's JSON object with the network's inputs, row by row in Base64."""
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
