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

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.synthetic.samples import golden_pictures
from edgedigits_runtime.whole_files import whole_file

KEYS = ("pictures", "framed", "input", "output", "text")
FLOAT_TOLERANCE = 1e-4
"""Float kernels of another processor may differ by rounding; integers may not differ at all."""

Vectors = dict[str, NDArray[Any]]


def golden_path(artifact: Path) -> Path:
    """Return where the golden vectors of an artifact stand."""
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
    path = golden_path(artifact)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **record(reader))
    return path


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
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ArtifactCorrupt(f"{path} holds no golden vectors: {reason}") from error


def first_difference(expected: Vectors, reader: Reader) -> str | None:
    """Replay golden vectors and return the first stage that differs: framed, input, output or text; else None.

    Each stage is fed with the expected result of the one before, so that one fault is reported once.
    """
    engine = reader.classifier.engine
    pictures = [bytes(picture) for picture in expected["pictures"]]
    framed = np.concatenate([reader.framed(picture)[1] for picture in pictures])
    if not np.array_equal(_stored(framed), expected["framed"]):
        return "framed"
    if not _alike(engine.feed(framed), expected["input"]):
        return "input"
    if not _alike(engine.invoke(expected["input"]), expected["output"]):
        return "output"
    if [reader.read(picture).text for picture in pictures] != expected["text"].tolist():
        return "text"
    return None


def _stored(framed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Leave out a single channel, so that the vectors hold [n, 28, 28]."""
    return framed[..., 0] if framed.shape[-1] == 1 else framed


def _alike(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return False
    if np.issubdtype(found.dtype, np.floating):
        return bool(np.allclose(found, expected, rtol=0, atol=FLOAT_TOLERANCE))
    return np.array_equal(found, expected)
