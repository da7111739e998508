"""Pictures and arrays to JSON, with the server's reader."""

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.serving.problems import problem_of
from edgedigits.serving.uploads import Upload
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.reading.results import number_of
from edgedigits_runtime.timing import Stopwatch

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"

SMALL_PIXELS = 32 * 32
"""Any picture of this size is read in a few milliseconds."""

SMALL_BYTES = 8192

ARRAY_BATCH = 256
"""Images from which on a batch of arrays is large enough."""


@dataclass(frozen=True)
class PictureTask:
    """A picture to read; `traced` asks for all candidates."""

    upload: Upload
    traced: bool = False

    def is_small(self) -> bool:
        """Whether the header is that of a PNG of few pixels, the most frequent kind in large numbers."""
        content = self.upload.content
        if len(content) > SMALL_BYTES or not content.startswith(PNG):
            return False
        width, height = struct.unpack_from(">II", content.ljust(24), 16)
        return bool(width * height <= SMALL_PIXELS)


@dataclass(frozen=True)
class Result:
    """JSON that is ready to be sent, and the number of digits or arrays in it."""

    body: bytes
    count: int


def read_pictures(reader: Reader, tasks: Sequence[PictureTask]) -> Iterator[Result | Exception]:
    """Yield the result of each picture, or its Problem."""
    plain = [task.upload for task in tasks if not task.traced]
    readings = reader.read_many((upload.content for upload in plain), names=(upload.name for upload in plain))
    for task in tasks:
        try:
            if task.traced:
                trace = reader.trace(task.upload.content, name=task.upload.name)
                yield Result(_json(trace.to_dict()), len(trace.reading.digits))
                continue
            reading = next(readings)
        except EdgedigitsError as error:
            reading = error
        if isinstance(reading, EdgedigitsError):
            yield problem_of(reading)
        else:
            yield Result(_json(reading.to_dict()), len(reading.digits))


def classify(reader: Reader, tasks: Sequence[NDArray[np.uint8]]) -> Iterator[Result | Exception]:
    """Yield the result of each task, uint8 [N, H, W, C]. Small tasks are classified in one batch."""
    batch: list[NDArray[np.uint8]] = []
    for index, images in enumerate(tasks, 1):
        batch.append(images)
        if sum(map(len, batch)) >= ARRAY_BATCH or index == len(tasks):
            yield from _classify_batch(reader, batch)
            batch = []


def _classify_batch(reader: Reader, batch: Sequence[NDArray[np.uint8]]) -> Iterator[Result]:
    watch = Stopwatch()
    with watch.stage("invoke"):
        confidences = reader.classifier.confidences(np.concatenate(batch)).tolist()
    share = watch.milliseconds()["invoke"] / len(confidences)
    start = 0
    for images in batch:
        part = confidences[start : start + len(images)]
        start += len(images)
        predictions = [_prediction(reader, each) for each in part]
        ms = {"invoke": round(share * len(images), 3)}
        yield Result(_json({**model_fields(reader), "predictions": predictions, "ms": ms}), len(images))


def model_fields(reader: Reader) -> dict[str, Any]:
    """Return the fields of a response that describe the model."""
    engine, contract = reader.classifier.engine, reader.classifier.contract
    fields = {"model": contract.name, "engine": engine.name, "device": engine.device}
    return {**fields, "providers": list(engine.providers), "labels": list(contract.labels)}


def _prediction(reader: Reader, confidences: list[float]) -> dict[str, Any]:
    probabilities = [round(confidence, 4) for confidence in confidences]
    label = reader.classifier.contract.labels[confidences.index(max(confidences))]
    best = {"digit": number_of(label), "label": label, "confidence": max(probabilities)}
    return {**best, "probabilities": probabilities}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
