"""The reader: from a picture to what is written in it, stage by stage."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.errors import ArrayError
from edgedigits_runtime.preprocessing import Probabilities
from edgedigits_runtime.reading.decode import MAX_PIXELS, PictureSource, decode, name_of
from edgedigits_runtime.reading.frame import FRAME_SHAPE, frame_digit, frame_plain
from edgedigits_runtime.reading.ink import find_ink
from edgedigits_runtime.reading.locate import Box, locate
from edgedigits_runtime.reading.reject import is_digit
from edgedigits_runtime.timing import Stopwatch


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


@dataclass(frozen=True)
class Reading:
    """What was read in one picture.

    Attributes:
        source: the picture's name.
        text: the labels in reading order; empty where there is no digit.
        digits: in reading order.
        model: the model's name.
        engine: "litert" or "onnxruntime".
        device: where the model ran.
        providers: execution providers or delegates in effect.
        ms: milliseconds by stage, and "total".
    """

    source: str
    text: str
    digits: tuple[Digit, ...]
    model: str
    engine: str
    device: str
    providers: tuple[str, ...]
    ms: dict[str, float]

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
        return {
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
            "digits": digits,
            "providers": list(self.providers),
            "ms": {stage: round(milliseconds, 3) for stage, milliseconds in self.ms.items()},
        }


class Reader:
    """Read pictures with one model.

    Attributes:
        classifier: what names the framed images.
        min_confidence: below it, nothing is read.
        top_k: how many labels a digit's `top` lists.
        max_pixels: the most pixels that are decoded.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        min_confidence: float | None = None,
        top_k: int = 3,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        """Take a classifier and the settings above; min_confidence None is the contract's own threshold."""
        threshold = classifier.contract.rejection_threshold
        self.classifier = classifier
        self.min_confidence = threshold if min_confidence is None else min_confidence
        self.top_k = top_k
        self.max_pixels = max_pixels

    def read(self, source: PictureSource, *, name: str | None = None) -> Reading:
        """Read one picture.

        Args:
            source: anything that `decode` takes.
            name: what the reading calls its source; the file's path if None.

        Raises:
            PictureNotFound, PictureUnreadable, PictureTooLarge, ArrayError: see decode.
        """
        watch = Stopwatch()
        boxes, images = self.framed(source, watch)
        digits: tuple[Digit, ...] = ()
        if boxes:
            with watch.stage("invoke"):
                confidences = self.classifier.confidences(images)
            with watch.stage("reject"):
                digits = self._kept(boxes, confidences)
        engine = self.classifier.engine
        return Reading(
            source=name_of(source) if name is None else name,
            text="".join(digit.label for digit in digits),
            digits=digits,
            model=self.classifier.contract.name,
            engine=engine.name,
            device=engine.device,
            providers=engine.providers,
            ms=watch.milliseconds(),
        )

    def framed(self, source: PictureSource, watch: Stopwatch | None = None) -> tuple[list[Box], NDArray[np.uint8]]:
        """Return the boxes of what may be digits, and their images as the model takes them, uint8 [N, H, W, C].

        Args:
            source: anything that `decode` takes.
            watch: adds up the time of each stage.

        Raises:
            PictureNotFound, PictureUnreadable, PictureTooLarge, ArrayError: see decode.
        """
        watch = watch or Stopwatch()
        contract = self.classifier.contract
        shape = contract.image_shape
        if contract.reader == "digits" and shape != FRAME_SHAPE:
            raise ArrayError(f"digits are framed as {list(FRAME_SHAPE)}; {contract.name} takes {list(shape)}")
        with watch.stage("decode"):
            picture = decode(source, channels=shape[2], max_pixels=self.max_pixels)
        if contract.reader == "plain":
            with watch.stage("frame"):
                image = frame_plain(picture, shape)
            return [Box(0, 0, picture.shape[1], picture.shape[0])], image[np.newaxis]
        with watch.stage("ink"):
            ink = find_ink(picture)
        with watch.stage("locate"):
            boxes = locate(ink)
        with watch.stage("frame"):
            framed = [frame_digit(ink[box.rows, box.columns]) for box in boxes]
        return boxes, np.array(framed, np.uint8).reshape(-1, *shape)

    def _kept(self, boxes: list[Box], confidences: Probabilities) -> tuple[Digit, ...]:
        digits = (self._digit(box, row) for box, row in zip(boxes, confidences, strict=True))
        return tuple(digit for digit in digits if is_digit(digit.confidence, self.min_confidence))

    def _digit(self, box: Box, confidences: NDArray[np.float32]) -> Digit:
        labels = self.classifier.contract.labels
        best = np.argsort(-confidences, kind="stable")
        label = labels[best[0]]
        return Digit(
            digit=int(label) if len(label) == 1 and label in "0123456789" else None,
            label=label,
            confidence=float(confidences[best[0]]),
            box=dataclasses.astuple(box),
            top=tuple((labels[index], float(confidences[index])) for index in best[: self.top_k]),
        )
