"""Check untrusted model files before an engine opens them: sizes, structure, operators.

Each type of file has a module with check(content, source). A check cannot see changed weights, nor faults of an
engine's kernels; fingerprints and engines.isolated cover those.
"""

import contextlib
import hashlib
import importlib
import os
from pathlib import Path

from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound, ArtifactUnsupported

CHECKS = {".tflite": "edgedigits_runtime.untrusted.tflite", ".onnx": "edgedigits_runtime.untrusted.onnx"}


def checked_content(path: Path, trusted_sha256: str | None = None) -> bytes:
    """Return the checked bytes of a `.tflite` or `.onnx` file; an engine takes these, not the path.

    Args:
        path: of the file.
        trusted_sha256: bytes with this SHA-256 were checked before, and are not checked again.

    Raises:
        ArtifactNotFound: no such file.
        ArtifactCorrupt: damaged, or not readable.
        ArtifactUnsupported: too large, or with unsupported content.
    """
    if trusted_sha256 is not None:
        with contextlib.suppress(OSError):  # Reported below.
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() == trusted_sha256:
                return content
    content = read_limited(path)
    importlib.import_module(CHECKS[path.suffix]).check(content, str(path))
    return content


def read_limited(path: Path) -> bytes:
    """Return the bytes of a file of at most limits.MODEL_BYTES; errors are those of checked_content."""
    from edgedigits_runtime.untrusted.limits import MODEL_BYTES

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
