"""The measured work: pictures that are the same on every board, and the calls that process them."""

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
KINDS = {"photo": "photos of one digit, 640x480 JPEG", "small": "digits framed already, 28x28 PNG"}

What = Literal["read", "invoke"]
"""Read a picture's bytes through every stage, or run the engine alone, from tensor to tensor."""


@dataclass(frozen=True, eq=False)
class Workload:
    """Pictures and what is done with them."""

    what: What
    kind: str  # Of the pictures, for a reader.
    encoded: tuple[bytes, ...]  # The bytes of each file in `files`.
    files: tuple[Path, ...]

    @property
    def sha256(self) -> str:
        """The SHA-256 of all pictures in their order."""
        whole = hashlib.sha256()
        for encoded in self.encoded:
            # The length too: otherwise bytes could move from one file to the next.
            whole.update(len(encoded).to_bytes(8, "big") + encoded)
        return whole.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        return {"count": len(self.encoded), "kind": self.kind, "sha256": self.sha256}


def load_workload(what: What, pictures: str = "photo") -> Workload:
    """Load pictures: a name of KINDS, or the user's file or folder. Raises PictureNotFound or MeasurementError."""
    files = [_file(source) for source in expand([PICTURES / pictures if pictures in KINDS else pictures])]
    encoded = tuple(path.read_bytes() for path in files)
    return Workload(what, KINDS.get(pictures, "own pictures"), encoded, tuple(files))


def read_call(workload: Workload, reader: Reader) -> Call:
    """Return a call that reads one picture after another and returns the milliseconds of its stages."""
    encoded, count = workload.encoded, len(workload.encoded)
    return lambda number: reader.read(encoded[number % count], name="").ms


def framed_images(workload: Workload, reader: Reader) -> Images:
    """Return all framed digits of the pictures, uint8 [N, H, W, C]. Raises MeasurementError or PictureError."""
    found = np.concatenate([reader.framed(encoded)[1] for encoded in workload.encoded])
    if not len(found):
        raise MeasurementError("expected pictures of digits; found no digit in them: give other --pictures")
    return found


def invoke_call(images: Images, engine: Engine) -> Call:
    """Return a call that runs the engine on one prepared tensor after another."""
    tensors = [engine.feed(images[k : k + 1]) for k in range(len(images))]
    count, invoke = len(tensors), engine.invoke
    return lambda number: invoke(tensors[number % count])


def _file(source: Source) -> Path:
    if source.error is not None:
        raise source.error
    if not isinstance(source.content, Path):
        raise MeasurementError(
            f"expected a file or folder, which is read repeatedly; got {type(source.content).__name__}"
        )
    return source.content
