"""Golden vectors: what a model answered where it was made, replayed wherever it runs.

`<name>.golden.npz` stands beside `<name>.tflite`, `<name>.onnx.golden.npz` beside `<name>.onnx`, since the two are
fed different tensors. It holds, row by row:

    pictures  encoded files as bytes, drawn by the project's generator (a PNG ends in a byte that is not zero,
              so NumPy's fixed-length bytes keep it whole)
    framed    uint8 [n, H, W, C], or [n, 28, 28] for one channel: the pictures after decode, ink, locate and frame
    input     the tensor as fed, in the model's own dtype
    output    the tensor as given
    text      what was read
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound, first_line
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.samples import golden_pictures
from edgedigits_runtime.whole_files import write_whole

KEYS = ("pictures", "framed", "input", "output", "text")
FLOAT_TOLERANCE = 1e-4
"""Float kernels of another processor may differ by rounding; integers may not differ at all."""

Vectors = dict[str, NDArray[Any]]


def golden_path(artifact: Path) -> Path:
    """Return where the golden vectors of an artifact stand: beside it, or in the folder that it is."""
    if artifact.is_dir():
        return artifact / "digits.golden.npz"
    name = artifact.stem if artifact.suffix == ".tflite" else artifact.name
    return artifact.with_name(f"{name}.golden.npz")


def record(reader: Reader) -> Vectors:
    """Run the generator's golden pictures through every stage of `reader`."""
    pictures = [encoded for encoded, _ in golden_pictures()]
    framed = np.concatenate([reader.framed(picture)[1] for picture in pictures])
    tensor = reader.classifier.engine.feed(framed)
    return {
        "pictures": np.array(pictures),
        "framed": _stored(framed),
        "input": tensor,
        "output": reader.classifier.engine.invoke(tensor),
        "text": np.array([reader.read(picture).text for picture in pictures]),
    }


def write_golden(reader: Reader, artifact: Path) -> Path:
    """Write the golden vectors of an artifact beside it and return their path."""
    return write_whole(golden_path(artifact), packed(record(reader)))


def packed(vectors: Vectors) -> bytes:
    """Return golden vectors as the bytes of their `.npz` file, the same on every day."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for key, values in vectors.items():
            # np.savez notes the time, and fails where a clock stands before 1980, as that of a board may.
            member = zipfile.ZipInfo(f"{key}.npy", (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w") as opened:
                np.lib.format.write_array(opened, values, allow_pickle=False)
    return file.getvalue()


def read_golden(path: Path) -> Vectors:
    """Read golden vectors.

    Raises:
        ArtifactNotFound: no such file.
        ArtifactCorrupt: damaged, or without one of KEYS.
    """
    try:
        # Opened here, since NumPy leaves a file open that it cannot read.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {key: file[key] for key in KEYS}
    except FileNotFoundError as error:
        raise ArtifactNotFound(f"no golden vectors at {path}") from error
    # NumPy lets through whatever zipfile, zlib and its own header parser raise on damaged members.
    except Exception as error:
        reason = first_line(error)
        raise ArtifactCorrupt(f"{path} holds no golden vectors: {reason}") from error


@dataclass(frozen=True)
class Replay:
    """One stage, replayed.

    Attributes:
        stage: framed, input, output or text.
        alike: whether this machine gives what the vectors hold.
        detail: how far it is off, in words; empty where it is alike.
    """

    stage: str
    alike: bool
    detail: str = ""


def replay(expected: Vectors, reader: Reader) -> Iterator[Replay]:
    """Replay golden vectors stage by stage: framed, input, output and text.

    Each stage is fed with the expected result of the one before, so that one fault is reported once; what follows a
    difference says nothing more, and may not fit the model at all.
    """
    engine = reader.classifier.engine
    pictures = [bytes(picture) for picture in expected["pictures"]]
    framed = np.concatenate([reader.framed(picture)[1] for picture in pictures])
    yield _compared("framed", _stored(framed), expected["framed"])
    yield _compared("input", engine.feed(expected["framed"]), expected["input"])
    yield _compared("output", engine.invoke(expected["input"]), expected["output"])
    texts = [reader.read(picture).text for picture in pictures]
    wrong = [k for k, (text, wanted) in enumerate(zip(texts, expected["text"], strict=True)) if text != wanted]
    detail = f"picture {wrong[0]} reads {texts[wrong[0]]!r}, not {expected['text'][wrong[0]]!r}" if wrong else ""
    yield Replay("text", not wrong, detail)


def _compared(stage: str, found: NDArray[Any], expected: NDArray[Any]) -> Replay:
    if (found.dtype, found.shape) != (expected.dtype, expected.shape):
        there, here = (f"{array.dtype} {list(array.shape)}" for array in (expected, found))
        return Replay(stage, False, f"is {here} here, was {there}")
    floating = np.issubdtype(found.dtype, np.floating)
    off = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    # Not a number differs from everything.
    differ = ~(off <= (FLOAT_TOLERANCE if floating else 0))
    if not differ.any():
        return Replay(stage, True)
    picture = int(np.flatnonzero(differ.reshape(len(differ), -1).any(axis=1))[0])
    count = np.count_nonzero(differ)
    said = f"{count:,} of {differ.size:,} values differ, by {off.max():.3g} at most, first in image {picture}"
    return Replay(stage, False, said)


def _stored(framed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Leave out a single channel, so that the vectors hold [n, 28, 28]."""
    return framed[..., 0] if framed.shape[-1] == 1 else framed
