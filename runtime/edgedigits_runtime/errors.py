"""Every error that edgedigits raises on purpose.

One base, one class for each cause that a user can act on. A message is one line: what was expected, what
came, what to do.

    EdgedigitsError
    ├── PictureError            a picture cannot be read
    │   ├── PictureNotFound     no such file or folder
    │   ├── PictureUnreadable   not a picture, or a truncated one
    │   ├── PictureTooLarge     over the pixel limit, refused before decoding
    │   └── PictureEndsReader   reading it ended the process that did, again and again
    ├── SourceError             pictures cannot be taken from a camera, a video, a stream, a folder or a store
    │   ├── SourceNotFound      no camera, file, folder or address of that name
    │   ├── SourceUnavailable   it is there, but cannot be opened
    │   ├── ShardBroken         a file of many pictures ends in the middle or is damaged
    │   └── StreamLost          frames stopped coming
    ├── ArrayError              an array of the wrong shape, dtype or size was handed in
    ├── UnknownName             no recipe, dataset, format, precision, engine or model of that name
    ├── MissingExtra            an optional dependency is not installed
    ├── DeviceUnavailable       the requested device cannot be used
    ├── EngineClosed            an engine was asked after it was closed
    ├── ArtifactError           a model file cannot be used
    │   ├── ArtifactNotFound    no such model file
    │   ├── ArtifactCorrupt     the file is damaged or is something else
    │   ├── ArtifactUnsupported it is whole, but holds what the engine cannot run
    │   ├── EngineCrashed       an isolated engine's process crashed, hung, or asked for too much memory
    │   ├── ContractMissing     the file carries no contract
    │   └── ContractInvalid     the contract is malformed, or does not match the tensors
    ├── DataError               a dataset cannot be used
    │   ├── DataNotFound        not on disk, and could not be downloaded
    │   ├── ChecksumMismatch    the bytes are not those of the dataset
    │   └── DatasetInvalid      the files do not form a dataset
    ├── RunError                a run folder cannot be used or resumed
    ├── ExportError             an export failed
    │   ├── ConversionFailed    the converter refused the model, or crashed
    │   ├── ToolMissing         a program or a package that it needs is not there
    │   ├── GraphUnsupported    the converted graph holds what a device should not be given
    │   └── GateMissed          the export does not decide as the original did
    ├── AddressUnavailable      a server cannot, or must not, listen there, or no Ray answers there
    ├── ResultError             the result file of a benchmark cannot be used
    │   ├── ResultNotFound      no such file
    │   ├── ResultInvalid       truncated, edited by hand, or something else
    │   ├── ResultOutdated      of another version of the schema
    │   └── WorkloadsDiffer     results of unlike work, of which no ratio means anything
    ├── MeasurementError        a benchmark cannot measure what it was asked for
    │   ├── ClockError          the clock steps backwards or stands still
    │   └── EngineDied          the engine failed while it was measured
    └── OutputNotWritable       a file could not be written; nothing was left behind
"""

from collections.abc import Iterable
from typing import Any


class EdgedigitsError(Exception):
    """Base of every error raised on purpose; the command line prints it as one line and exits with 1."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as class and message: some classes below make their message of other arguments."""
        return _from_message, (type(self), str(self))


def _from_message(cls: type[EdgedigitsError], message: str) -> EdgedigitsError:
    error = cls.__new__(cls)
    Exception.__init__(error, message)
    return error


class PictureError(EdgedigitsError):
    """A picture cannot be read.

    Attributes:
        picture: its path, where it is one of a folder that is watched.
    """

    picture = ""


class PictureNotFound(PictureError):
    """No such file or folder."""


class PictureUnreadable(PictureError):
    """Not a picture, or a truncated one."""


class PictureTooLarge(PictureError):
    """Over the pixel limit; refused from the header, before decoding."""


class PictureEndsReader(PictureError):
    """Reading it ended the process that did, again and again: mostly for lack of memory."""


class SourceError(EdgedigitsError):
    """Pictures cannot be taken from a camera, a video, a stream, a folder or a store."""


class SourceNotFound(SourceError):
    """No camera, file, folder or address of that name."""


class SourceUnavailable(SourceError):
    """It is there, but cannot be opened: taken by another program, not permitted, or no video."""


class ShardBroken(SourceError):
    """A file of many pictures ends in the middle or is damaged; what stands before that is read."""


class StreamLost(SourceError):
    """Frames stopped coming; a camera or a stream is connected to again."""


class ArrayError(EdgedigitsError):
    """An array of the wrong shape, dtype or size was handed in."""


class UnknownName(EdgedigitsError):
    """No such recipe, dataset, format, precision, engine or model; the message lists the known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown {kind} {name!r}; known: {', '.join(known)}")


class MissingExtra(EdgedigitsError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the [{extra}] extra, which is not installed; run: pip install 'edgedigits[{extra}]'"
        )


class DeviceUnavailable(EdgedigitsError):
    """The requested device cannot be used; nothing falls back to another one silently."""


class EngineClosed(EdgedigitsError):
    """An engine was asked after it was closed."""


class ArtifactError(EdgedigitsError):
    """A model file cannot be used."""


class ArtifactNotFound(ArtifactError):
    """No such model file."""


class ArtifactCorrupt(ArtifactError):
    """The file is damaged or is something else than its suffix says."""


class ArtifactUnsupported(ArtifactError):
    """The file is whole, but holds operators, types or an operator set that the engine cannot run."""


class EngineCrashed(ArtifactError):
    """The process of an isolated engine crashed, took too long, or asked for more memory than it was given."""


class ContractMissing(ArtifactError):
    """The file carries no contract, so nothing says how to feed it."""


class ContractInvalid(ArtifactError):
    """The contract is malformed, of another schema version, or does not match the file's tensors."""


class DataError(EdgedigitsError):
    """A dataset cannot be used."""


class DataNotFound(DataError):
    """The dataset is not on disk and could not be downloaded."""


class ChecksumMismatch(DataError):
    """The bytes are not those of the dataset."""


class DatasetInvalid(DataError):
    """The files do not form a dataset."""


class RunError(EdgedigitsError):
    """A run folder cannot be used or resumed."""


class ExportError(EdgedigitsError):
    """An export failed."""


class ConversionFailed(ExportError):
    """The converter refused the model, or crashed."""


class ToolMissing(ExportError):
    """A program or a package that an export needs is not there."""


class GraphUnsupported(ExportError):
    """The converted graph holds what a device should not be given."""


class GateMissed(ExportError):
    """The export does not decide as the original did."""


class AddressUnavailable(EdgedigitsError):
    """A server cannot listen there, or must not as it was told to; or no Ray answers there."""


class MeasurementError(EdgedigitsError):
    """A benchmark cannot measure what it was asked for."""


class ClockError(MeasurementError):
    """The clock steps backwards or stands still."""


class EngineDied(MeasurementError):
    """The engine failed while it was measured; what it had done until then was kept."""


class ResultError(EdgedigitsError):
    """The result file of a benchmark cannot be used."""


class ResultNotFound(ResultError):
    """No such result file."""


class ResultInvalid(ResultError):
    """The file is truncated, was edited by hand, or is something else."""


class ResultOutdated(ResultError):
    """The file follows another version of the schema than this edgedigits reads."""


class WorkloadsDiffer(ResultError):
    """Results of unlike work were to be compared; no ratio of them means anything."""


class OutputNotWritable(EdgedigitsError):
    """A file could not be written; what stood at its place before still does."""


def first_line(error: BaseException) -> str:
    """Return the first line of what a library's exception says, or its class where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
