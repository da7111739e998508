"""What is measured: pictures that are the same on every board, and what is done with them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from edgedigits.benchmarking.measuring.sampling import Call
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import MeasurementError
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.sources.files import Source, expand

PICTURES = Path(__file__).parent / "pictures"
KINDS = {
    "photo": "photos of one digit, 640x480 JPEG",
    "small": "digits framed already, 28x28 PNG",
}

What = Literal["read", "invoke"]


@dataclass(frozen=True, eq=False)
class Workload:
    """Pictures, and whether they are read or only given to the engine.

    Attributes:
        what: "read" takes a picture's bytes to its digits, through every stage; "invoke" is the engine alone, the
            tensor in, the tensor out.
        kind: what the pictures are.
        encoded: the bytes of each picture's file.
        files: where they lie.
    """

    what: What
    kind: str
    encoded: tuple[bytes, ...]
    files: tuple[Path, ...]

    @property
    def sha256(self) -> str:
        """The SHA-256 of all pictures in their order."""
        whole = hashlib.sha256()
        for encoded in self.encoded:
            # Lengths too: otherwise bytes could move from one file to the next.
            whole.update(len(encoded).to_bytes(8, "big") + encoded)
        return whole.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        return {"count": len(self.encoded), "kind": self.kind, "sha256": self.sha256}


def load_workload(what: What, pictures: str = "photo") -> Workload:
    """Return the workload.

    Args:
        what: see Workload.
        pictures: a name of KINDS, or a file or folder of one's own pictures.

    Raises:
        PictureNotFound, MeasurementError: no such pictures.
    """
    files = [_file(source) for source in expand([PICTURES / pictures if pictures in KINDS else pictures])]
    encoded = tuple(path.read_bytes() for path in files)
    return Workload(what, KINDS.get(pictures, "own pictures"), encoded, tuple(files))


def read_call(workload: Workload, reader: Reader) -> Call:
    """Return what reads picture after picture and returns the milliseconds that the reader says of each stage."""
    encoded, count = workload.encoded, len(workload.encoded)
    return lambda number: reader.read(encoded[number % count], name="").ms


def framed_images(workload: Workload, reader: Reader) -> Images:
    """Return everything in the pictures that the model classifies, framed, uint8 [N, H, W, C].

    Raises:
        MeasurementError: there is nothing in them.
        PictureError: one cannot be read.
    """
    found = np.concatenate([reader.framed(encoded)[1] for encoded in workload.encoded])
    if not len(found):
        raise MeasurementError("there is no digit in these pictures, so the engine has nothing to answer; give others")
    return found


def invoke_call(images: Images, engine: Engine) -> Call:
    """Return what gives the engine one tensor after the other, made before the clock starts."""
    tensors = [engine.feed(images[k : k + 1]) for k in range(len(images))]
    count, invoke = len(tensors), engine.invoke
    return lambda number: invoke(tensors[number % count])


def _file(source: Source) -> Path:
    if source.error is not None:
        raise source.error
    if not isinstance(source.content, Path):
        raise MeasurementError("pictures to measure with are files, read again and again; give a file or a folder")
    return source.content
