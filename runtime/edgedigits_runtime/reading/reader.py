"""The reader: all stages from a picture to its text."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise, repeat
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.errors import ArgumentError, ArrayError, EdgedigitsError, UnknownName
from edgedigits_runtime.preprocessing import Probabilities
from edgedigits_runtime.reading.box import Box
from edgedigits_runtime.reading.candidates import EXPECT, Criteria, Expect, Searched, Verdict, judge_one
from edgedigits_runtime.reading.decode import MAX_PIXELS, Picture, PictureSource, decode_picture, name_of
from edgedigits_runtime.reading.framed import frame_plain
from edgedigits_runtime.reading.results import Digit, Reading, Trace, number_of
from edgedigits_runtime.timing import STAGES, WITH_FINDER, Stopwatch

if TYPE_CHECKING:
    # A reader without a finder starts without it.
    from edgedigits_runtime.reading.find import Finder
    from edgedigits_runtime.reading.found import Found

FRAMED = 0.6
"""Factor on the threshold for a picture framed as MNIST frames digits: hardly anything else is framed so."""

TOGETHER = 64
"""Batch size for small pictures; a larger one is no faster."""

SMALL_PIXELS = 4_096
"""Most pixels of a small picture."""


class _Decoded(NamedTuple):
    name: str
    picture: Picture
    ms: float


class _Judged(NamedTuple):
    """A picture with its candidates and verdict; `ms`: milliseconds by stage."""

    decoded: _Decoded
    searched: Searched
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
        finder: "Finder | Callable[[], Finder] | None" = None,
    ) -> None:
        """Set the attributes above; min_confidence None is the contract's threshold.

        A `finder` may be a function that opens it, which is called when a picture needs it.

        Raises:
            UnknownName: `expect` is not in EXPECT.
            ArrayError: `length` is below 1, or above 1 where one digit is expected.
            ArgumentError: another number is out of range, or none.
        """
        if expect not in EXPECT:
            raise UnknownName("expectation", expect, EXPECT)
        if length is not None and (_number(length, "length") < 1 or (expect == "one" and length > 1)):
            most = "1, the one digit that is expected" if expect == "one" else "at least 1"
            raise ArrayError(f"length must be {most}; got {length}; leave it out for any number of digits")
        if min_confidence is not None and not 0 <= _number(min_confidence, "min_confidence") <= 1:
            raise ArgumentError(f"expected min_confidence from 0 to 1; got {min_confidence}")
        for name, least in (("top_k", top_k), ("max_pixels", max_pixels)):
            if _number(least, name) < 1:
                raise ArgumentError(f"expected {name} of at least 1; got {least}")
        threshold = classifier.contract.rejection_threshold
        self.classifier = classifier
        self.min_confidence = threshold if min_confidence is None else min_confidence
        self._framed_confidence = FRAMED * threshold if min_confidence is None else min_confidence
        self.top_k = top_k
        self.max_pixels = max_pixels
        self.expect: Expect = expect
        self.length = length
        self._finder = None if classifier.contract.reader == "plain" else finder

    @property
    def finder(self) -> "Finder | None":
        """Finds digits in pictures; without one, the ink is searched by rules. A model of plain pictures has none."""
        if callable(self._finder):
            self._finder = self._finder()
        return self._finder

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the engines' threads and memory; the reader cannot be used afterwards."""
        self.classifier.close()
        if self._finder is not None and not callable(self._finder):
            self._finder.close()

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
        if not hasattr(sources, "__iter__") or isinstance(sources, str | bytes):
            raise ArgumentError(f"expected several pictures; got one {type(sources).__name__}, which read() takes")
        named = zip(sources, repeat(None)) if names is None else zip(sources, names, strict=True)
        for batch in _batches(self._decoded_or_error(*each) for each in named):
            yield from self._read_batch(batch)

    def trace(self, source: PictureSource, *, name: str | None = None) -> Trace:
        """Read one picture and return the result of every stage; arguments and errors are those of `read`."""
        judged = self._judged([self._decoded(source, name)], letters=True)[0]
        searched, verdict, order = judged.searched, judged.verdict, list(judged.verdict.order)
        picture, boxes = judged.decoded.picture, [searched.boxes[k] for k in order]
        by_finder = self.finder if searched.scores is not None else None
        return Trace(
            picture=picture.pixels,
            ink=searched.ink if by_finder is None else by_finder.heat(picture.pixels),
            candidates=boxes,
            framed=searched.framed[order],
            confidences=judged.confidences[order],
            kept=np.array([not why for why in verdict.why], bool),
            why=verdict.why,
            reading=self._reading(judged),
            boxes=tuple(picture.in_source(box) for box in boxes),
            size=picture.size,
            scores=None if searched.scores is None else searched.scores[order],
        )

    def framed(self, source: PictureSource, watch: Stopwatch | None = None) -> tuple[list[Box], NDArray[np.uint8]]:
        """Return the boxes of all candidates, and their images as the model takes them, uint8 [N, H, W, C].

        Boxes are in pixels of the decoded picture, see Picture.in_source. They may overlap, because strokes that may be
        one digit or two are tried as both. `watch` adds up the time of each stage; errors are those of `read`.
        """
        watch = watch or self._stopwatch()
        with watch.stage("decode"):
            picture = self._decoded(source, None).picture
        (searched,) = self._searched([picture], watch)
        return searched.boxes, searched.framed

    def _stopwatch(self) -> Stopwatch:
        return Stopwatch(STAGES if self._finder is None else WITH_FINDER)

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

    def _judged(self, batch: Sequence[_Decoded], *, letters: bool = False) -> list[_Judged]:
        """Run all stages after decoding on a batch; for `letters` see search_with_finder."""
        watch = self._stopwatch()
        searched = self._searched([decoded.picture for decoded in batch], watch, letters=letters)
        with watch.stage(watch.names[-2]):
            confidences = self._confidences([each.framed for each in searched])
        with watch.stage(watch.names[-1]):
            verdicts = [self._judge(*each) for each in zip(searched, confidences, strict=True)]
        share = {stage: taken / len(batch) for stage, taken in watch.milliseconds().items()}
        return [
            _Judged(*each, {**share, "decode": each[0].ms, "total": each[0].ms + share["total"]})
            for each in zip(batch, searched, confidences, verdicts, strict=True)
        ]

    def _searched(self, pictures: Sequence[Picture], watch: Stopwatch, *, letters: bool = False) -> list[Searched]:
        shape, pixels = self.classifier.contract.image_shape, [picture.pixels for picture in pictures]
        if self.classifier.contract.reader == "plain":
            with watch.stage("frame"):
                return [_plain(each, shape) for each in pixels]
        if self._finder is not None:
            from edgedigits_runtime.reading.by_finder import search_with_finder

            return search_with_finder(self._find, pixels, shape, watch, letters=letters)
        from edgedigits_runtime.reading.by_rules import search_by_rules

        return search_by_rules(pixels, shape, watch, whole=self.expect != "page")

    def _find(self, pixels: NDArray[np.uint8]) -> "Found":
        return cast("Finder", self.finder).find(pixels)

    def _confidences(self, framed: Sequence[NDArray[np.uint8]]) -> list[Probabilities]:
        """Return the confidences of each picture's framed images, float32 [n, classes], by one call."""
        ends = list(accumulate(map(len, framed), initial=0))
        together = np.zeros((0, len(self.classifier.contract.labels)), np.float32)
        if ends[-1]:
            together = self.classifier.confidences(np.concatenate(framed))
        return [together[start:end] for start, end in pairwise(ends)]

    def _judge(self, searched: Searched, confidences: Probabilities) -> Verdict:
        threshold = self._framed_confidence if searched.as_it_is else self.min_confidence
        return searched.judge(confidences, Criteria(threshold, self.expect, self.length))

    def _reading(self, judged: _Judged) -> Reading:
        picture, verdict = judged.decoded.picture, judged.verdict
        places = [place for place, why in enumerate(verdict.why) if not why]
        kept = [verdict.order[place] for place in places]
        digits = tuple(
            self._digit(picture.in_source(judged.searched.boxes[k]), judged.confidences[k], verdict.sure[k : k + 1])
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
            finder=self.finder.engine if judged.searched.scores is not None and self.finder is not None else None,
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


def _number(value: Any, name: str) -> float:
    """Return a caller's number; raise ArgumentError if it is none."""
    try:
        return float(value + 0)
    except TypeError:
        raise ArgumentError(f"expected a number as {name}; got {value!r}") from None


def _batches(decoded: Iterable[_Decoded | EdgedigitsError]) -> Iterator[list[_Decoded | EdgedigitsError]]:
    """Batch small pictures; every other picture is a batch of its own."""
    batch: list[_Decoded | EdgedigitsError] = []
    for each in decoded:
        small = isinstance(each, EdgedigitsError) or _is_small(each.picture.pixels)
        if batch and not small:
            yield batch
            batch = []
        batch.append(each)
        if not small or len(batch) == TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _is_small(pixels: NDArray[np.uint8]) -> bool:
    return len(pixels) * len(pixels[0]) <= SMALL_PIXELS


def _plain(pixels: NDArray[np.uint8], shape: tuple[int, int, int]) -> Searched:
    height, width = pixels.shape[:2]
    framed = frame_plain(pixels, shape)[np.newaxis]
    return Searched(np.zeros((height, width), np.uint8), [Box(0, 0, width, height)], framed, judge_one)


def _text(labels: list[str], lines: list[int]) -> str:
    breaks = ["\n" if k and lines[k] != lines[k - 1] else "" for k in range(len(labels))]
    return "".join(mark + label for mark, label in zip(breaks, labels, strict=True))
