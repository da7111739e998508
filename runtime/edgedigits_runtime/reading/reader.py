"""The reader: from a picture to what is written in it, stage by stage."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.errors import ArrayError, UnknownName
from edgedigits_runtime.preprocessing import Probabilities
from edgedigits_runtime.reading.decode import MAX_PIXELS, Picture, PictureSource, decode_picture, name_of
from edgedigits_runtime.reading.frame import FRAME_SHAPE, frame_digit, frame_plain, is_framed
from edgedigits_runtime.reading.ink import find_ink
from edgedigits_runtime.reading.locate import Candidate, Layout, locate
from edgedigits_runtime.reading.marks import Box
from edgedigits_runtime.reading.reject import EXPECT, Expect, Rules, Verdict, below, judge
from edgedigits_runtime.timing import Stopwatch

FRAMED = 0.6
"""Of the threshold, for a picture that is framed as MNIST frames digits: hardly anybody frames anything else so."""


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
            **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)},
            "digits": digits,
            "providers": list(self.providers),
            "ms": {stage: round(milliseconds, 3) for stage, milliseconds in self.ms.items()},
        }
        if not self.note:
            del written["note"]
        return written


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
    """

    picture: NDArray[np.uint8]
    ink: NDArray[np.uint8]
    candidates: list[Box]
    framed: NDArray[np.uint8]
    confidences: NDArray[np.float32]
    kept: NDArray[np.bool_]
    why: tuple[str, ...]
    reading: Reading


@dataclass(frozen=True, eq=False)
class _Found:
    """What may be digits in a picture, before any is classified; `as_it_is`: the picture was framed already."""

    picture: Picture
    ink: NDArray[np.uint8]
    layout: Layout
    framed: NDArray[np.uint8]
    as_it_is: bool = False


class Reader:
    """Read pictures with one model.

    Attributes:
        classifier: what names the framed images.
        min_confidence: below it, nothing is read.
        top_k: how many labels a digit's `top` lists.
        max_pixels: the most pixels that are decoded.
        expect: "one" digit, one "number" (a line), a "page" of lines, or "auto".
        length: how many digits a picture holds; None for any number.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        min_confidence: float | None = None,
        top_k: int = 3,
        max_pixels: int = MAX_PIXELS,
        expect: Expect = "auto",
        length: int | None = None,
    ) -> None:
        """Take a classifier and the settings above; min_confidence None is the contract's own threshold.

        Raises:
            UnknownName: `expect` is none of EXPECT.
            ArrayError: `length` is below 1, or more than the one digit that is expected.
        """
        if expect not in EXPECT:
            raise UnknownName("expectation", expect, EXPECT)
        if length is not None and (length < 1 or (expect == "one" and length > 1)):
            most = "1, the one digit that is expected" if expect == "one" else "at least 1"
            raise ArrayError(f"length must be {most}; got {length}; leave it out for any number of digits")
        threshold = classifier.contract.rejection_threshold
        self.classifier = classifier
        self.min_confidence = threshold if min_confidence is None else min_confidence
        self._framed_confidence = FRAMED * threshold if min_confidence is None else min_confidence
        self.top_k = top_k
        self.max_pixels = max_pixels
        self.expect: Expect = expect
        self.length = length

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back the engine's threads and memory; the reader reads no more."""
        self.classifier.close()

    def read(self, source: PictureSource, *, name: str | None = None) -> Reading:
        """Read one picture.

        Args:
            source: anything that `decode` takes.
            name: what the reading calls its source; the file's path if None.

        Raises:
            PictureNotFound, PictureUnreadable, PictureTooLarge, ArrayError: see decode.
        """
        return self.trace(source, name=name).reading

    def trace(self, source: PictureSource, *, name: str | None = None) -> Trace:
        """Read one picture and return what every stage made of it; arguments and errors are those of `read`."""
        watch = Stopwatch()
        found = self._find(source, watch)
        candidates = found.layout.candidates
        confidences = np.zeros((0, len(self.classifier.contract.labels)), np.float32)
        if candidates:
            with watch.stage("invoke"):
                confidences = self.classifier.confidences(found.framed)
        with watch.stage("reject"):
            verdict = self._judge(found, confidences)
            order = list(verdict.order)
            shown = [candidates[k] for k in order]
            digits = [
                self._digit(found.picture.in_source(dataclasses.astuple(candidate.box)), confidences[k])
                for k, candidate, why in zip(order, shown, verdict.why, strict=True)
                if not why
            ]
            lines = [candidate.line for candidate, why in zip(shown, verdict.why, strict=True) if not why]
        engine = self.classifier.engine
        reading = Reading(
            source=name_of(source) if name is None else name,
            text=_text([digit.label for digit in digits], lines),
            digits=tuple(digits),
            model=self.classifier.contract.name,
            engine=engine.name,
            device=engine.device,
            providers=engine.providers,
            ms=watch.milliseconds(),
            note="; ".join(filter(None, (found.picture.note, verdict.note))),
        )
        return Trace(
            picture=found.picture.pixels,
            ink=found.ink,
            candidates=[candidate.box for candidate in shown],
            framed=found.framed[order],
            confidences=confidences[order],
            kept=np.array([not why for why in verdict.why], bool),
            why=verdict.why,
            reading=reading,
        )

    def framed(self, source: PictureSource, watch: Stopwatch | None = None) -> tuple[list[Box], NDArray[np.uint8]]:
        """Return the boxes of all that is classified, and their images as the model takes them, uint8 [N, H, W, C].

        Boxes are in pixels of the picture as it is worked on, see Picture.in_source, and may overlap: strokes that
        may be one digit or two are tried as both.

        Args:
            source: anything that `decode` takes.
            watch: adds up the time of each stage.

        Raises:
            PictureNotFound, PictureUnreadable, PictureTooLarge, ArrayError: see decode.
        """
        found = self._find(source, watch or Stopwatch())
        return [candidate.box for candidate in found.layout.candidates], found.framed

    def _find(self, source: PictureSource, watch: Stopwatch) -> _Found:
        contract = self.classifier.contract
        shape = contract.image_shape
        if contract.reader == "digits" and shape != FRAME_SHAPE:
            raise ArrayError(f"digits are framed as {list(FRAME_SHAPE)}; {contract.name} takes {list(shape)}")
        with watch.stage("decode"):
            # Colour counts as ink, also for a model that takes grey.
            channels = 3 if contract.reader == "digits" else shape[2]
            picture = decode_picture(source, channels=channels, max_pixels=self.max_pixels)
        pixels = picture.pixels
        if contract.reader == "plain":
            with watch.stage("frame"):
                image = frame_plain(pixels, shape)
            return _Found(picture, np.zeros(pixels.shape[:2], np.uint8), _whole(pixels), image[np.newaxis])
        with watch.stage("ink"):
            ink = find_ink(pixels)
        with watch.stage("locate"):
            if is_framed(ink):
                return _Found(picture, ink, _one(ink), ink.reshape(1, *shape), as_it_is=True)
            layout = locate(ink, whole=self.expect != "page")
        with watch.stage("frame"):
            framed = [frame_digit(candidate.ink) for candidate in layout.candidates]
        return _Found(picture, ink, layout, np.array(framed, np.uint8).reshape(-1, *shape))

    def _judge(self, found: _Found, confidences: Probabilities) -> Verdict:
        if self.classifier.contract.reader == "plain":
            sure = float(confidences.max()) >= self.min_confidence
            return Verdict((0,), ("" if sure else below(float(confidences.max()), self.min_confidence),))
        threshold = self._framed_confidence if found.as_it_is else self.min_confidence
        rules = Rules(threshold, self.expect, self.length)
        return judge(found.layout, found.framed, confidences, rules)

    def _digit(self, box: tuple[int, int, int, int], confidences: NDArray[np.float32]) -> Digit:
        labels = self.classifier.contract.labels
        best = np.argsort(-confidences, kind="stable")
        label = labels[best[0]]
        return Digit(
            digit=int(label) if len(label) == 1 and label in "0123456789" else None,
            label=label,
            confidence=float(confidences[best[0]]),
            box=box,
            top=tuple((labels[index], float(confidences[index])) for index in best[: self.top_k]),
        )


def _one(ink: NDArray[np.uint8]) -> Layout:
    """Return the layout of a picture that is one digit, framed already."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    box = Box(x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)
    shown = ink[box.rows, box.columns]
    fill = np.count_nonzero(shown) / shown.size
    return Layout([Candidate(box, shown, 0, 0, 0, 0.0, False, 1.0, 1.0, fill)], 1)


def _whole(picture: NDArray[np.uint8]) -> Layout:
    """Return the layout of a picture that is classified as it is."""
    height, width = picture.shape[:2]
    return Layout([Candidate(Box(0, 0, width, height), picture[..., 0], 0, 0, 0, 0.0, False, 1.0, 1.0, 1.0)], 1)


def _text(labels: list[str], lines: list[int]) -> str:
    """Return the labels with a line break wherever the line changes."""
    breaks = ["\n" if k and lines[k] != lines[k - 1] else "" for k in range(len(labels))]
    return "".join(mark + label for mark, label in zip(breaks, labels, strict=True))
