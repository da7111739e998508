"""Answers: pictures and arrays to the JSON that is sent, with the reader that the server holds."""

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

QUICK_PIXELS = 32 * 32
"""Up to so many pixels any picture, whatever it shows, is read in a few milliseconds."""

QUICK_BYTES = 8192

ARRAYS_TOGETHER = 256


@dataclass(frozen=True)
class PictureTask:
    """A picture to read; `traced` asks for what the network was shown."""

    upload: Upload
    traced: bool = False


@dataclass(frozen=True)
class Answer:
    """JSON that is ready to be sent, and how many digits, or arrays, it tells of."""

    body: bytes
    count: int


def is_quick(upload: Upload) -> bool:
    """Say whether a picture is a PNG of a few pixels, by its header, as most are that come in great numbers."""
    content = upload.content
    if len(content) > QUICK_BYTES or not content.startswith(PNG):
        return False
    width, height = struct.unpack_from(">II", content.ljust(24), 16)
    return bool(width * height <= QUICK_PIXELS)


def read_pictures(reader: Reader, tasks: Sequence[PictureTask]) -> Iterator[Answer | Exception]:
    """Yield for each picture its answer, or the Problem that is told instead."""
    plain = [task.upload for task in tasks if not task.traced]
    readings = reader.read_many((upload.content for upload in plain), names=(upload.name for upload in plain))
    for task in tasks:
        try:
            if task.traced:
                trace = reader.trace(task.upload.content, name=task.upload.name)
                yield Answer(_json(trace.to_dict()), len(trace.reading.digits))
                continue
            reading = next(readings)
        except EdgedigitsError as error:
            reading = error
        if isinstance(reading, EdgedigitsError):
            yield problem_of(reading)
        else:
            yield Answer(_json(reading.to_dict()), len(reading.digits))


def classify(reader: Reader, tasks: Sequence[NDArray[np.uint8]]) -> Iterator[Answer | Exception]:
    """Yield for each batch of arrays, uint8 [N, H, W, C], its answer; small batches are run together."""
    for together in _grouped(tasks):
        watch = Stopwatch()
        with watch.stage("invoke"):
            confidences = reader.classifier.confidences(np.concatenate(together))
        share = watch.milliseconds()["invoke"] / len(confidences)
        start = 0
        for images in together:
            part = confidences[start : start + len(images)].tolist()
            start += len(images)
            written = {
                **described(reader),
                "predictions": [_prediction(reader, each) for each in part],
                "ms": {"invoke": round(share * len(images), 3)},
            }
            yield Answer(_json(written), len(images))


def _grouped(tasks: Sequence[NDArray[np.uint8]]) -> Iterator[list[NDArray[np.uint8]]]:
    group: list[NDArray[np.uint8]] = []
    for images in tasks:
        group.append(images)
        if sum(map(len, group)) >= ARRAYS_TOGETHER:
            yield group
            group = []
    if group:
        yield group


def described(reader: Reader) -> dict[str, Any]:
    """Return what answers, as every answer names it."""
    engine, contract = reader.classifier.engine, reader.classifier.contract
    return {
        "model": contract.name,
        "engine": engine.name,
        "device": engine.device,
        "providers": list(engine.providers),
        "labels": list(contract.labels),
    }


def _prediction(reader: Reader, confidences: list[float]) -> dict[str, Any]:
    label = reader.classifier.contract.labels[max(range(len(confidences)), key=confidences.__getitem__)]
    return {
        "digit": number_of(label),
        "label": label,
        "confidence": round(max(confidences), 4),
        "probabilities": [round(confidence, 4) for confidence in confidences],
    }


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
