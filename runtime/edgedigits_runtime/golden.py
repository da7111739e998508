"""Golden vectors: a model's inputs and outputs on the machine that made it, replayed on any other.

The file is `<name>.golden.npz` beside `<name>.tflite`, or `<name>.onnx.golden.npz` beside `<name>.onnx`, because the
two have different input tensors. It holds, row by row:

    pictures  encoded files as bytes, drawn by the synthetic generator (a PNG does not end in a zero byte, so NumPy's
        fixed-length bytes keep it whole)
    framed    uint8 [n, H, W, C], or [n, 28, 28] for one channel: the pictures after decode, ink, locate and frame
    input     the input tensor, in the model's own dtype
    output    the output tensor as stored
    text      the text that was read
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
from edgedigits_runtime.foreign.output_kind import check_values
from edgedigits_runtime.preprocessing import dequantize
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.samples import golden_pictures
from edgedigits_runtime.whole_files import write_whole

KEYS = ("pictures", "framed", "input", "output", "text")
FLOAT_TOLERANCE = 1e-4
"""Float kernels of another processor may round differently; integers must be equal."""

Vectors = dict[str, NDArray[Any]]


def golden_path(artifact: Path) -> Path:
    """Return the path of an artifact's golden vectors: beside a file, or inside a folder."""
    if artifact.is_dir():
        return artifact / "digits.golden.npz"
    name = artifact.stem if artifact.suffix == ".tflite" else artifact.name
    return artifact.with_name(f"{name}.golden.npz")


def record(reader: Reader) -> Vectors:
    """Run the synthetic golden pictures through every stage of `reader`.

    Raises:
        ContractInvalid: the outputs are not of the kind in the contract.
    """
    pictures = [encoded for encoded, _ in golden_pictures()]
    framed = np.concatenate([reader.framed(picture)[1] for picture in pictures])
    engine, contract = reader.classifier.engine, reader.classifier.contract
    tensor = engine.feed(framed)
    output = engine.invoke(tensor)
    check_values(dequantize(output, contract.output), contract, contract.name)
    return {
        "pictures": np.array(pictures),
        "framed": _stored(framed),
        "input": tensor,
        "output": output,
        "text": np.array([reader.read(picture).text for picture in pictures]),
    }


def write_golden(reader: Reader, artifact: Path) -> Path:
    """Write the golden vectors of an artifact and return their path."""
    return write_whole(golden_path(artifact), packed(record(reader)))


def packed(vectors: Vectors) -> bytes:
    """Return golden vectors as the bytes of an `.npz` file, without the date."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for key, values in vectors.items():
            # np.savez stores the time, and fails if a board's clock is before 1980.
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
        # NumPy would leave open a file that it cannot read.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {key: file[key] for key in KEYS}
    except FileNotFoundError as error:
        raise ArtifactNotFound(f"no golden vectors at {path}") from error
    # NumPy passes on any exception of zipfile, zlib and its own header parser.
    except Exception as error:
        reason = first_line(error)
        raise ArtifactCorrupt(f"{path} holds no golden vectors: {reason}") from error


@dataclass(frozen=True)
class Replay:
    """The comparison of one stage.

    Attributes:
        stage: framed, input, output or text.
        alike: whether this machine's result agrees with the vectors.
        detail: a description of the difference; empty if alike.
    """

    stage: str
    alike: bool
    detail: str = ""


def replay(expected: Vectors, reader: Reader) -> Iterator[Replay]:
    """Replay golden vectors stage by stage: framed, input, output and text.

    Each stage gets the expected result of the one before, so that a fault is reported once. The results after a
    difference mean nothing, and may not fit the model.
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
        return Replay(stage, False, f"expected {there}, got {here}")
    floating = np.issubdtype(found.dtype, np.floating)
    off = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    # NaN differs from everything.
    differ = ~(off <= (FLOAT_TOLERANCE if floating else 0))
    if not differ.any():
        return Replay(stage, True)
    picture = int(np.flatnonzero(differ.reshape(len(differ), -1).any(axis=1))[0])
    count = np.count_nonzero(differ)
    detail = f"{count:,} of {differ.size:,} values differ, by {off.max():.3g} at most, first in image {picture}"
    return Replay(stage, False, detail)


def _stored(framed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Drop a single channel: [n, 28, 28]."""
    return framed[..., 0] if framed.shape[-1] == 1 else framed
