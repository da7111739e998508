"""Plan an export: check the request and decide which files are made of which, before any work."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from edgedigits.exporting.source import (
    SourceData,
    contracts_of,
    default_model,
    default_path,
    find_shipped,
    find_source,
)
from edgedigits.model_files import SHIPPED, AnyPath
from edgedigits.training.data_of_model import DataOptions
from edgedigits_exporters import Format, FormatOptions, get_format, make_options
from edgedigits_exporters.conversion import ConversionOptions
from edgedigits_exporters.whole_folders import refuse_existing
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.errors import EdgedigitsError, ExportError, OutputNotWritable


@dataclass(frozen=True)
class ExportRequest:
    """Arguments of an export; see edgedigits.export.

    Args:
        options: the format's own options by name; those that are None keep their default.
    """

    model: AnyPath | None = None
    format: str = "tflite"
    precision: str | None = None
    out: Path | None = None
    verify: bool = True
    data: DataOptions = DataOptions()
    expect_accuracy: float | None = None
    force: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One artifact to make.

    Args:
        source: the file that it is made of.
        path: of the artifact.
        format, options: of the artifact.
        replace: whether an existing folder is replaced.
        copy: whether the source is a shipped file that is copied.
    """

    source: Path
    path: Path
    format: Format
    options: FormatOptions
    replace: bool = False
    copy: bool = False


def plan(request: ExportRequest, between: Path) -> tuple[list[Step], SourceData]:
    """Return the artifacts to make, in order, and the data of the first source; see export_model for errors.

    Args:
        request: the arguments of the export.
        between: folder for a file between the source and the artifact.
    """
    if request.expect_accuracy is not None and not request.verify:
        raise ExportError("expected --expect-accuracy without --no-verify, since the comparison measures the accuracy")
    model = default_model() if request.model is None else request.model
    format = get_format(request.format)
    options = make_options(request.format, {**request.options, "precision": request.precision})
    shipped = find_shipped(model, format.SUFFIX, options.precision)
    source = shipped or find_source(model, options.made_of, options.precision)
    contract, deduced = contracts_of(source, needed=options.NEEDS_CONTRACT or source.suffix not in options.made_of)
    options = dataclasses.replace(options, contract=deduced)
    path = _path(request, source, contract.name if contract else source.stem, format, options)
    data = SourceData(contract, source, request.data, request.expect_accuracy)
    last = Step(source, path, format, options, request.force, copy=shipped is not None)
    if last.copy:
        return [last], data
    options.require_tools(source)
    if source.suffix in options.made_of:
        return [last], data
    suffix = options.made_of[0]
    name, converted = suffix[1:], between / f"model{suffix}"
    conversion = make_options(name, {"precision": options.precision, "contract": deduced})
    conversion.require_tools(source)
    # The converted file has a contract of its own, with other tensors.
    last = dataclasses.replace(last, source=converted, options=dataclasses.replace(options, contract=None))
    return [Step(source, converted, get_format(name), conversion), last], data


def describe_existing(path: Path) -> str:
    """Return the path of a file or folder with what is in it and its time; empty if there is none."""
    if not path.exists():
        return ""
    try:
        contract = read_contract(path)
        what = f"{contract.name}, {contract.format} {contract.precision}"
    except (EdgedigitsError, OSError):
        what = f"a folder of {len(list(path.iterdir()))} files" if path.is_dir() else "a file without a contract"
    made = datetime.fromtimestamp(path.stat().st_mtime).isoformat(" ", "minutes")
    return f"{path} ({what}, of {made})"


def _path(request: ExportRequest, source: Path, name: str, format: Format, options: FormatOptions) -> Path:
    """Return the path of the artifact.

    Raises:
        ExportError: --out has another suffix than the format.
        OutputNotWritable: a folder exists there.
    """
    if not isinstance(options, ConversionOptions):
        path = request.out or default_path(source, name, format.SUFFIX)
        if path.is_dir() and not request.force:
            raise OutputNotWritable(f"{describe_existing(path)} exists; give another --out, or --force to replace it")
        refuse_existing(path, replace=request.force)
        return path
    copied = source.parent == SHIPPED and source.suffix == format.SUFFIX
    default = Path(source.name) if copied else default_path(source, name, f".{options.precision}{format.SUFFIX}")
    path = request.out or default
    if path.is_dir():
        path = path / default.name
    if path.suffix != format.SUFFIX:
        raise ExportError(f"expected --out to end in {format.SUFFIX}, or to be a folder; got {path}")
    if path.resolve() == source.resolve():
        raise ExportError(f"expected --out to be another file than the model, got {path}")
    return path
