"""All errors that edgedigits raises on purpose: one base, and a class for each cause that a user can act on.

A message is one line: what was expected, what came, what to do.
"""

from collections.abc import Iterable
from typing import Any


class EdgedigitsError(Exception):
    """Base of every error raised on purpose; the command line prints it as one line and exits with 1."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as class and message, because some constructors take other arguments."""
        return _from_message, (type(self), str(self))


def _from_message(cls: type[EdgedigitsError], message: str) -> EdgedigitsError:
    error = cls.__new__(cls)
    Exception.__init__(error, message)
    return error


class PictureError(EdgedigitsError):
    """A picture cannot be read; `picture` is its path if it is in a watched folder."""

    picture = ""


class PictureNotFound(PictureError):
    """No such file or folder."""


class PictureUnreadable(PictureError):
    """Not a picture, or a truncated one."""


class PictureTooLarge(PictureError):
    """Over the pixel limit; refused from the header, before decoding."""


class PictureEndsReader(PictureError):
    """Reading it crashed the process repeatedly, mostly for lack of memory."""


class SourceError(EdgedigitsError):
    """Pictures cannot be taken from a camera, a video, a stream, a folder or a store."""


class SourceNotFound(SourceError):
    """No camera, file, folder or address of that name."""


class SourceUnavailable(SourceError):
    """The source exists but cannot be opened: in use by another program, not permitted, or no video."""


class ShardBroken(SourceError):
    """A file of many pictures is truncated or damaged; the pictures before the damage are read."""


class StreamLost(SourceError):
    """Frames stopped coming; a camera or a stream is reconnected."""


class ArgumentError(EdgedigitsError):
    """An argument has a wrong type or value."""


class ArrayError(ArgumentError):
    """An argument has a wrong shape, dtype or size."""


class UnknownName(EdgedigitsError):
    """No recipe, dataset, format, precision, engine or model of that name; the message lists the known ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown {kind} {name!r}; known: {', '.join(known)}")


class MissingExtra(EdgedigitsError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the [{extra}] extra, which is not installed; run: pip install 'edgedigits[{extra}]'"
        )


class DeviceUnavailable(EdgedigitsError):
    """The requested device cannot be used; there is no silent fallback."""


class EngineClosed(EdgedigitsError):
    """An engine was used after it was closed."""


class ArtifactError(EdgedigitsError):
    """A model file cannot be used."""


class ArtifactNotFound(ArtifactError):
    """No such model file."""


class ArtifactCorrupt(ArtifactError):
    """The file is damaged, or its format is not that of its suffix."""


class ArtifactUnsupported(ArtifactError):
    """The file is whole, but holds operators, types or an operator set that the engine cannot run."""


class EngineCrashed(ArtifactError):
    """An isolated engine crashed, or exceeded its limit of time or memory."""


class ContractMissing(ArtifactError):
    """The file has no contract, so it is unknown how to feed it."""


class ContractInvalid(ArtifactError):
    """The contract is malformed, of another schema version, or does not match the file's tensors."""


class DataError(EdgedigitsError):
    """A dataset cannot be used."""


class DataNotFound(DataError):
    """The dataset is not on disk and could not be downloaded; `brief`, if any, has no causes."""

    brief = ""


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
    """A program or package that an export needs is missing."""


class GraphUnsupported(ExportError):
    """The converted graph has operators that a device cannot run."""


class GateMissed(ExportError):
    """The export does not agree with the original."""


class ModelInaccurate(EdgedigitsError):
    """A model is no better than chance on the data, or below the accuracy that was expected."""


class AddressUnavailable(EdgedigitsError):
    """A server cannot or must not listen there, or Ray does not answer there."""


class MeasurementError(EdgedigitsError):
    """A benchmark cannot measure."""


class ClockError(MeasurementError):
    """The clock steps backwards or does not advance."""


class EngineDied(MeasurementError):
    """The engine failed while it was measured; earlier measurements are kept."""


class ResultError(EdgedigitsError):
    """The result file of a benchmark cannot be used."""


class ResultNotFound(ResultError):
    """No such result file."""


class ResultInvalid(ResultError):
    """The file is truncated, edited by hand, or not a result."""


class ResultOutdated(ResultError):
    """The file has a schema version that this edgedigits does not read."""


class WorkloadsDiffer(ResultError):
    """The results measured different workloads, so they cannot be compared."""


class OutputNotWritable(EdgedigitsError):
    """A file could not be written; an earlier file of that name is unchanged."""


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message, or its class if the message is empty."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
