"""The reader: all stages from a picture to its text."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, pairwise, repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.errors import ArrayError, EdgedigitsError, UnknownName
from edgedigits_runtime.preprocessing import Probabilities
from edgedigits_runtime.reading.criteria import EXPECT, Criteria, Expect, Verdict, doubt
from edgedigits_runtime.reading.decode import MAX_PIXELS, Picture, PictureSource, decode_picture, name_of
from edgedigits_runtime.reading.frame import SIDE, fitted, frame_digit, frame_plain, framed_boxes, plain_inks
from edgedigits_runtime.reading.ink import find_inks, is_small
from edgedigits_runtime.reading.locate import Candidate, Layout, locate
from edgedigits_runtime.reading.marks import Box
from edgedigits_runtime.reading.reject import judge
from edgedigits_runtime.reading.results import Digit, Reading, Trace, number_of
from edgedigits_runtime.timing import Stopwatch

if TYPE_CHECKING:
    from edgedigits_runtime.reading.found import Found

FRAMED = 0.6
"""Factor on the threshold for a picture framed as MNIST frames digits: hardly anything else is framed so."""

TOGETHER = 64
"""Batch size for small pictures; a larger one is no faster."""


class _Decoded(NamedTuple):
    name: str
    picture: Picture
    ms: float


class _Found(NamedTuple):
    """The candidates of a picture before classification.

    Attributes:
        ink: see Trace.
        boxes: of the candidates.
        framed: images as the model takes them.
        judge: returns the verdict, with the lines, by the candidates' confidences.
        as_it_is: the picture was framed already.
    """

    ink: NDArray[np.uint8]
    boxes: list[Box]
    framed: NDArray[np.uint8]
    judge: Callable[[Probabilities, Criteria], Verdict]
    as_it_is: bool = False


class _Judged(NamedTuple):
    """A picture with its candidates and verdict; `ms`: milliseconds by stage."""

    decoded: _Decoded
    found: _Found
    confidences: Probabilities
    verdict: Verdict
    ms: dict[str, float]


class Reader:
    """Read pictures with one model.

    Attributes:
        classifier: classifies the framed images.
        min_confidence: digits below it are rejected.
        top_k: number of labels in a digit's `top`.
        max_pixels: larger pictures are refused.
        expect: "one" digit, one "number" (a line), a "page" of lines, or "auto".
        length: number of digits in a picture; None for any number.
        find: finds digits in pictures, uint8 [H, W, 1] or RGB [H, W, 3]; None searches the ink by rules.
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
        find: "Callable[[NDArray[np.uint8]], Found] | None" = None,
    ) -> None:
        """Set the attributes above; min_confidence None is the contract's threshold.

        Raises:
            UnknownName: `expect` is not in EXPECT.
            ArrayError: `length` is below 1, or above 1 where one digit is expected.
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
        self.find = find

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the engine's threads and memory; the reader cannot be used afterwards."""
        self.classifier.close()

    def read(self, source: PictureSource, *, name: str | None = None) -> Reading:
        """Read one picture.

        Args:
            source: anything that `decode` takes.
            name: source name in the reading; the file's path if None.

        Raises:
            PictureNotFound, PictureUnreadable, PictureTooLarge, ArrayError: see decode.
        """
        return self._reading(self._judged([self._decoded(source, name)])[0])

    def read_many(
        self, sources: Iterable[PictureSource], *, names: Iterable[str] | None = None
    ) -> Iterator[Reading | EdgedigitsError]:
        """Yield the reading or the error of each picture, in order.

        Small pictures are batched, up to TOGETHER at a time, and give the same readings as alone. Their `ms` are equal
        shares of the batch's time after decoding.

        Args:
            sources: each as for `read`; an iterator is consumed lazily.
            names: source names in the readings; the files' paths if None.
        """
        named = zip(sources, repeat(None)) if names is None else zip(sources, names, strict=True)
        for batch in _batches(self._decoded_or_error(*each) for each in named):
            yield from self._read_batch(batch)

    def trace(self, source: PictureSource, *, name: str | None = None) -> Trace:
        """Read one picture and return the result of every stage; arguments and errors are those of `read`."""
        judged = self._judged([self._decoded(source, name)])[0]
        found, verdict, order = judged.found, judged.verdict, list(judged.verdict.order)
        picture, boxes = judged.decoded.picture, [found.boxes[k] for k in order]
        return Trace(
            picture=picture.pixels,
            ink=found.ink,
            candidates=boxes,
            framed=found.framed[order],
            confidences=judged.confidences[order],
            kept=np.array([not why for why in verdict.why], bool),
            why=verdict.why,
            reading=self._reading(judged),
            boxes=tuple(picture.in_source(box) for box in boxes),
            size=picture.size,
            of_finder=self.find is not None and not found.as_it_is,
        )

    def framed(self, source: PictureSource, watch: Stopwatch | None = None) -> tuple[list[Box], NDArray[np.uint8]]:
        """Return the boxes of all candidates, and their images as the model takes them, uint8 [N, H, W, C].

        Boxes are in pixels of the decoded picture, see Picture.in_source. They may overlap, because strokes that may be
        one digit or two are tried as both. `watch` adds up the time of each stage; errors are those of `read`.
        """
        watch = watch or Stopwatch()
        with watch.stage("decode"):
            picture = self._decoded(source, None).picture
        (found,) = self._found([picture], watch)
        return found.boxes, found.framed

    def _decoded(self, source: PictureSource, name: str | None) -> _Decoded:
        contract = self.classifier.contract
        shape = contract.image_shape
        start = time.perf_counter_ns()
        # Coloured ink counts, also for a model that takes grey.
        channels = None if contract.reader == "digits" else shape[2]
        picture = decode_picture(source, channels=channels, max_pixels=self.max_pixels)
        taken = (time.perf_counter_ns() - start) / 1e6
        return _Decoded(name_of(source) if name is None else name, picture, taken)

    def _decoded_or_error(self, source: PictureSource, name: str | None) -> _Decoded | EdgedigitsError:
        try:
            return self._decoded(source, name)
        except EdgedigitsError as error:
            return error

    def _read_batch(self, batch: list[_Decoded | EdgedigitsError]) -> list[Reading | EdgedigitsError]:
        decoded = [each for each in batch if isinstance(each, _Decoded)]
        try:
            judged = self._judged(decoded) if decoded else []
        except EdgedigitsError as error:
            return [error if isinstance(each, _Decoded) else each for each in batch]
        readings = map(self._reading, judged)
        return [next(readings) if isinstance(each, _Decoded) else each for each in batch]

    def _judged(self, batch: Sequence[_Decoded]) -> list[_Judged]:
        """Run all stages after decoding on a batch."""
        watch = Stopwatch()
        found = self._found([decoded.picture for decoded in batch], watch)
        with watch.stage("invoke"):
            confidences = self._confidences([each.framed for each in found])
        with watch.stage("reject"):
            verdicts = [self._judge(*each) for each in zip(found, confidences, strict=True)]
        share = {stage: taken / len(batch) for stage, taken in watch.milliseconds().items()}
        return [
            _Judged(*each, {**share, "decode": each[0].ms, "total": each[0].ms + share["total"]})
            for each in zip(batch, found, confidences, verdicts, strict=True)
        ]

    def _found(self, pictures: Sequence[Picture], watch: Stopwatch) -> list[_Found]:
        shape = self.classifier.contract.image_shape
        if self.classifier.contract.reader == "plain":
            with watch.stage("frame"):
                return [_plain(picture.pixels, shape) for picture in pictures]
        if self.find is not None:
            return _found_by(self.find, [picture.pixels for picture in pictures], shape, watch)
        with watch.stage("ink"):
            inks = find_inks([picture.pixels for picture in pictures])
        with watch.stage("locate"):
            boxes = framed_boxes(inks)
            layouts = [
                _one(ink, box) if box else locate(ink, whole=self.expect != "page")
                for ink, box in zip(inks, boxes, strict=True)
            ]
        with watch.stage("frame"):
            digits = [
                ink[np.newaxis] if box else _framed(layout)
                for ink, layout, box in zip(inks, layouts, boxes, strict=True)
            ]
            return [
                _Found(ink, layout.boxes, fitted(each, shape), _judging(layout, each), as_it_is=box is not None)
                for ink, layout, each, box in zip(inks, layouts, digits, boxes, strict=True)
            ]

    def _confidences(self, framed: Sequence[NDArray[np.uint8]]) -> list[Probabilities]:
        """Return the confidences of each picture's framed images, float32 [n, classes], by one call."""
        ends = list(accumulate(map(len, framed), initial=0))
        together = np.zeros((0, len(self.classifier.contract.labels)), np.float32)
        if ends[-1]:
            together = self.classifier.confidences(np.concatenate(framed))
        return [together[start:end] for start, end in pairwise(ends)]

    def _judge(self, found: _Found, confidences: Probabilities) -> Verdict:
        threshold = self._framed_confidence if found.as_it_is else self.min_confidence
        return found.judge(confidences, Criteria(threshold, self.expect, self.length))

    def _reading(self, judged: _Judged) -> Reading:
        picture, verdict = judged.decoded.picture, judged.verdict
        places = [place for place, why in enumerate(verdict.why) if not why]
        kept = [verdict.order[place] for place in places]
        digits = tuple(
            self._digit(picture.in_source(judged.found.boxes[k]), judged.confidences[k], verdict.sure[k : k + 1])
            for k in kept
        )
        engine = self.classifier.engine
        return Reading(
            source=judged.decoded.name,
            text=_text([digit.label for digit in digits], [verdict.lines[place] for place in places]),
            digits=digits,
            model=self.classifier.contract.name,
            engine=engine.name,
            device=engine.device,
            providers=engine.providers,
            ms=judged.ms,
            note="; ".join(filter(None, (picture.note, verdict.note))),
        )

    def _digit(
        self, box: tuple[int, int, int, int], confidences: NDArray[np.float32], together: tuple[float, ...]
    ) -> Digit:
        """Return a digit; `together`: the confidence of both networks, if there are two."""
        labels = self.classifier.contract.labels
        factor = together[0] / float(confidences.max()) if together else 1.0
        sure = [min(each * factor, 1.0) for each in confidences.tolist()]
        best = sorted(range(len(sure)), key=sure.__getitem__, reverse=True)
        label = labels[best[0]]
        return Digit(
            digit=number_of(label),
            label=label,
            confidence=sure[best[0]],
            box=box,
            top=tuple((labels[index], sure[index]) for index in best[: self.top_k]),
        )


def _batches(decoded: Iterable[_Decoded | EdgedigitsError]) -> Iterator[list[_Decoded | EdgedigitsError]]:
    """Batch small pictures; every other picture is a batch of its own."""
    batch: list[_Decoded | EdgedigitsError] = []
    for each in decoded:
        small = isinstance(each, EdgedigitsError) or is_small(each.picture.pixels)
        if batch and not small:
            yield batch
            batch = []
        batch.append(each)
        if not small or len(batch) == TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _framed(layout: Layout) -> NDArray[np.uint8]:
    framed = [frame_digit(candidate.ink) for candidate in layout.candidates]
    return np.array(framed, np.uint8).reshape(-1, SIDE, SIDE)


def _plain(pixels: NDArray[np.uint8], shape: tuple[int, int, int]) -> _Found:
    height, width = pixels.shape[:2]
    framed = frame_plain(pixels, shape)[np.newaxis]
    return _Found(np.zeros((height, width), np.uint8), [Box(0, 0, width, height)], framed, _judge_one)


def _judge_one(confidences: Probabilities, criteria: Criteria) -> Verdict:
    return Verdict((0,), (doubt(float(confidences.max()), criteria.threshold),), lines=(0,))


def _judging(layout: Layout, digits: NDArray[np.uint8]) -> Callable[[Probabilities, Criteria], Verdict]:
    def verdict(confidences: Probabilities, criteria: Criteria) -> Verdict:
        judged = judge(layout, digits, confidences, criteria)
        lines = tuple(layout.candidates[k].line for k in judged.order)
        return Verdict(judged.order, judged.why, judged.note, lines, judged.sure)

    return verdict


def _found_by(
    find: "Callable[[NDArray[np.uint8]], Found]",
    pictures: Sequence[NDArray[np.uint8]],
    shape: tuple[int, int, int],
    watch: Stopwatch,
) -> list[_Found]:
    """Return the candidates that a finder finds in pictures, uint8 [H, W, 1 or 3], framed for images of `shape`."""
    # Here, so that a reader without a finder starts without them.
    from edgedigits_runtime.reading.crop import crop_found
    from edgedigits_runtime.reading.judge import Candidates, candidates_of, judge_found, score_map

    with watch.stage("ink"):
        inks = plain_inks(pictures)
    found = []
    for pixels, ink, box in zip(pictures, inks, framed_boxes(inks), strict=True):
        if box:
            found.append(_Found(ink, [box], fitted(ink[np.newaxis], shape), _judge_one, as_it_is=True))
            continue
        with watch.stage("locate"):
            answer = find(pixels)
        with watch.stage("frame"):
            index = candidates_of(answer)
            crops = crop_found(pixels, answer.boxes, index)
            inked = np.flatnonzero(np.any(crops.framed, axis=(1, 2)))
            boxes = [Box(*box) for box in crops.boxes[inked].tolist()]
            candidates = Candidates(answer, index[inked], boxes, crops.fill[inked])
            framed = fitted(crops.framed[inked], shape)
            found.append(_Found(score_map(answer, pixels.shape), boxes, framed, partial(judge_found, candidates)))
    return found


def _one(ink: NDArray[np.uint8], box: Box) -> Layout:
    """Return the layout of a picture that is one framed digit."""
    digit = ink[box.rows, box.columns]
    return _single(box, digit, np.count_nonzero(digit) / digit.size)


def _single(box: Box, ink: NDArray[np.uint8], fill: float) -> Layout:
    return Layout([Candidate(box, ink, 0, 0, 0, 0.0, False, 1.0, 1.0, fill)], 1)


def _text(labels: list[str], lines: list[int]) -> str:
    breaks = ["\n" if k and lines[k] != lines[k - 1] else "" for k in range(len(labels))]
    return "".join(mark + label for mark, label in zip(breaks, labels, strict=True))
