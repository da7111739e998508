"""Read and write the contract inside a model file, without an engine.

In a `.keras` file, which is a zip, it is the member `edgedigits.json`. A `.tflite` file has a zip with that member
appended, as TFLite Metadata does with its associated files. In an ONNX file it is the metadata property `edgedigits`,
in a folder of C the file `edgedigits.json`.
"""

import io
import struct
import sys
import zipfile
import zlib
from pathlib import Path
from shlex import quote
from typing import Any, BinaryIO, Protocol

from edgedigits_runtime.contract import Contract, parse_contract
from edgedigits_runtime.errors import ArtifactCorrupt, ArtifactNotFound, ContractInvalid, ContractMissing

MEMBER = "edgedigits.json"
ONNX_PROPERTY = "edgedigits"

LARGEST = 1 << 20
"""Bytes of a contract, and of a zip's directory; those of shipped models have 2,000 and 100."""

DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, KeyError, ValueError, EOFError, RuntimeError)
"""Raised by zipfile on damaged files, or on files that are no zip."""


def read_contract(path: Path) -> Contract:
    """Read the contract of a `.tflite`, `.keras` or `.onnx` file, or of a folder of C.

    Raises:
        ArtifactNotFound: no such file.
        ArtifactCorrupt: a damaged `.onnx` or `.keras` file, or a file that cannot be read.
        ContractMissing, ContractInvalid: about the contract.
    """
    return parse_contract(read_contract_text(path), str(path))


def read_contract_text(path: Path) -> str | bytes:
    """Return the contract's JSON as it stands in a file; errors are those of read_contract."""
    if path.is_dir():
        try:
            return (path / MEMBER).read_bytes()
        except FileNotFoundError as error:
            raise missing(path) from error
    if path.suffix != ".onnx":
        return _read_zipped(path)
    # Reading a picture with a .tflite file needs no reader of ONNX.
    from edgedigits_runtime.untrusted.onnx_model import read_metadata

    try:
        metadata = read_metadata(path.read_bytes())
    except FileNotFoundError as error:
        raise ArtifactNotFound(f"no model file at {path}") from error
    except ValueError as error:
        raise ArtifactCorrupt(f"{path} is not a whole .onnx file: {error}") from error
    if ONNX_PROPERTY not in metadata:
        raise missing(path)
    return metadata[ONNX_PROPERTY]


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip; raise BadZipFile if its directory, whose entries all become objects, is longer than LARGEST."""
    guarded = _Guarded(file)
    archive = zipfile.ZipFile(guarded)
    guarded.most = sys.maxsize
    return archive


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return the bytes of a member; raise BadZipFile if it has more than LARGEST, whatever the directory states."""
    with archive.open(name) as member:
        content = member.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise zipfile.BadZipFile(f"{name} has more than {LARGEST:,} bytes")
    return content


class _Guarded:
    """A file that refuses to read more than `most` bytes at once."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.most = LARGEST

    def read(self, size: int = -1) -> bytes:
        if size > self.most:
            raise zipfile.BadZipFile(f"its directory has {size:,} bytes")
        return self.file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def _read_zipped(path: Path) -> bytes:
    try:
        with path.open("rb") as file, open_zip(file) as archive:
            if archive.getinfo(MEMBER).file_size > LARGEST:
                raise ContractInvalid(f"the contract of {path} has more than {LARGEST:,} bytes")
            return read_member(archive, MEMBER)
    except FileNotFoundError as error:
        raise ArtifactNotFound(f"no model file at {path}") from error
    except DAMAGED_ZIP as error:
        if path.suffix == ".keras" and isinstance(error, zipfile.BadZipFile):
            raise ArtifactCorrupt(f"{path} is not a whole .keras file: {error}") from error
        raise missing(path) from error
    # A damaged directory may point to before the start of the file.
    except OSError as error:
        raise ArtifactCorrupt(f"{path} cannot be read: {error.strerror}") from error


def missing(path: Path) -> ContractMissing:
    """Return the error for a model file without a contract."""
    return ContractMissing(
        f"{path} has no contract, which says how it is fed and read; import it: edgedigits import {quote(str(path))}"
    )


class AnyContract(Protocol):
    """A contract of any kind of model."""

    def to_json(self) -> str:
        """Return the contract as JSON."""


def append_zipped(model: bytes, contract: AnyContract) -> bytes:
    """Return a `.tflite` file's bytes with `contract` in the zip behind the model, in place of an earlier one.

    Other files in the zip, such as those of TFLite Metadata, are kept.

    Raises:
        ArtifactCorrupt: one of them is damaged or too large.
    """
    members = {**_members(model), MEMBER: contract.to_json().encode()}
    file = io.BytesIO(strip_zip(model))
    # Appending to a file that is no zip starts one after it, with offsets that every unzip program understands.
    with zipfile.ZipFile(file, "a") as archive:
        for name, content in members.items():
            # A fixed date, so that equal models and contracts give equal bytes.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return file.getvalue()


def _members(model: bytes) -> dict[str, bytes]:
    try:
        archive = open_zip(io.BytesIO(model))
    except DAMAGED_ZIP:
        return {}
    with archive:
        try:
            return {name: read_member(archive, name) for name in archive.namelist() if name != MEMBER}
        except DAMAGED_ZIP as error:
            raise ArtifactCorrupt(f"a file in the zip behind the model is damaged: {error}; copy it again") from error


def strip_zip(model: bytes) -> bytes:
    """Return a `.tflite` file's bytes without an appended zip."""
    try:
        with open_zip(io.BytesIO(model)) as archive:
            start = min((member.header_offset for member in archive.infolist()), default=archive.start_dir)
    except DAMAGED_ZIP:
        return model
    # A damaged directory may point anywhere.
    return model[:start] if 0 <= start <= len(model) else model
