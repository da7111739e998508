"""Model files from strangers, checked before an engine sees them: sizes, structure, operators.

A module for each type of file, with check(content, source). What a check cannot see, such as weights that were
changed, or a kernel of an engine that has a fault of its own, is left to fingerprints and to engines.isolated.
"""

import importlib
import os
from pathlib import Path

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound, ArtifactUnsupported
from edgedigits_runtime.untrusted.limits import MODEL_BYTES

CHECKS = {".tflite": "edgedigits_runtime.untrusted.tflite", ".onnx": "edgedigits_runtime.untrusted.onnx"}


def checked_content(path: Path) -> bytes:
    """Return the bytes of a `.tflite` or `.onnx` file that was checked; an engine takes these, not the path.

    Raises:
        ArtifactNotFound: no such file.
        ArtifactCorrupt: damaged, or the system refused to read it.
        ArtifactUnsupported: too large, or it holds what is not let through.
    """
    content = read_limited(path)
    importlib.import_module(CHECKS[path.suffix]).check(content, str(path))
    return content


def read_limited(path: Path) -> bytes:
    """Return a file's bytes, if they are not too many.

    Raises:
        ArtifactNotFound: no such file.
        ArtifactCorrupt: the system refused to read it.
        ArtifactUnsupported: larger than limits.MODEL_BYTES.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > MODEL_BYTES:
                raise ArtifactUnsupported(f"{path} has {size:,} bytes; models are read up to {MODEL_BYTES:,}")
            return file.read(size)
    except FileNotFoundError as error:
        raise ArtifactNotFound(f"no model file at {path}") from error
    except OSError as error:
        raise ArtifactCorrupt(f"{path} cannot be read: {error.strerror}") from error
