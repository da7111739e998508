"""The plan of a bulk reading: numbered units, stored before the first is read.

A resumed run reads the same units even if files were added, so each unit always becomes the same part. The plan is
stored as Parquet with a row group for each unit: a worker reads only its own.
"""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from edgedigits.bulk.addresses import RUN_FILE, exists, is_remote, is_remote_folder, remote_files, remote_matches
from edgedigits.bulk.folders import Folder
from edgedigits.bulk.kinds import kind_of, open_kind
from edgedigits.bulk.units import SourceOptions, Unit
from edgedigits_runtime.errors import SourceNotFound
from edgedigits_runtime.sources.files import STANDARD_INPUT, SUFFIXES, is_pictures_name, natural_key

FOLDER = "_plan"

UNITS = 64
"""Units of one file of the plan."""

MAX_SPLIT = 256
"""Shards after which no shard is divided: there are enough units, and dividing means reading the shard."""


@dataclass(frozen=True)
class PlanSize:
    """The number of units, and so of parts, and of pictures; None if a unit's number is unknown."""

    units: int
    pictures: int | None


def plan(sources: Iterable[str], options: SourceOptions) -> Iterator[Unit]:
    """Yield the units of all sources, in order, numbered from 0. One folder at a time is listed.

    Raises:
        SourceNotFound, SourceUnavailable: a source does not exist or cannot be listed.
        DatasetInvalid: a Parquet file has no column of pictures, or several.
    """
    for number, unit in enumerate(_units(sources, options)):
        yield replace(unit, number=number)


def _units(sources: Iterable[str], options: SourceOptions) -> Iterator[Unit]:
    planned = shards = 0
    for kind, files in groupby((file for source in sources for file in _files(source)), kind_of):
        if kind == "files":
            while paths := tuple(islice(files, options.unit_size(planned))):
                planned += len(paths)
                yield Unit(kind, pictures=len(paths), paths=paths)
            continue
        for file in files:
            shards += 1
            yield from open_kind(kind).units(file, options) if shards <= MAX_SPLIT else [Unit(kind, file)]


def _files(source: str) -> Iterator[str]:
    """Yield the files of a source, with paths as the source was named."""
    if source == STANDARD_INPUT:
        raise SourceNotFound("several machines cannot read standard input; use edgedigits predict -")
    found = False
    for file in _remote(source) if is_remote(source) else _local(Path(source)):
        found = True
        yield file
    if not found:
        raise SourceNotFound(
            f"nothing to read at {source}: expected .parquet, .tar, .tar.gz, .tgz or {', '.join(SUFFIXES)}"
        )


def _remote(source: str) -> Iterator[str]:
    if is_remote_folder(source):
        yield from remote_files(source, is_wanted)
    elif exists(source):
        yield source
    elif glob.has_magic(source):
        yield from remote_matches(source)
    else:
        raise SourceNotFound(f"nothing at {source}")


def _local(path: Path) -> Iterator[str]:
    try:
        if path.is_dir():
            yield from _below(path)
        elif path.exists():
            yield str(path)
        elif glob.has_magic(str(path)):
            pattern = path.relative_to(path.anchor)
            yield from map(str, sorted(filter(Path.is_file, Path(path.anchor).glob(str(pattern))), key=natural_key))
        else:
            raise SourceNotFound(f"nothing at {path}")
    except OSError as error:
        raise SourceNotFound(f"cannot read {path}: {error.strerror or error}") from error


def _below(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: natural_key(entry.name))
    if any(entry.name == RUN_FILE for entry in ordered):
        return
    for entry in ordered:
        # A link may lead to a folder above, and so to an endless loop.
        if entry.is_dir(follow_symlinks=False):
            yield from _below(folder / entry.name)
        elif is_wanted(entry.name) and entry.is_file():
            yield str(folder / entry.name)


def is_wanted(name: str) -> bool:
    """Return whether a file of a folder is read."""
    return is_pictures_name(name) or (kind_of(name) != "files" and not name.startswith("."))


def write_plan(folder: Folder, units: Iterable[Unit]) -> PlanSize:
    """Write the units as they come; return their number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema({
        "kind": pa.string(), "address": pa.binary(), "start": pa.int64(), "stop": pa.int64(), "pictures": pa.int64(),
        "paths": pa.list_(pa.binary()),
    })  # fmt: skip
    folder.remove(FOLDER)
    counts: list[int | None] = []
    rest = iter(units)
    while chunk := list(islice(rest, UNITS)):
        name = _name(len(counts))
        with folder.being_written(name) as path, pq.ParquetWriter(path, schema, compression="zstd") as file:
            for unit in chunk:
                file.write_table(pa.Table.from_pylist([_row(unit)], schema=schema))
        counts += [unit.pictures for unit in chunk]
    known = [count for count in counts if count is not None]
    return PlanSize(len(counts), sum(known) if len(known) == len(counts) else None)


def load_unit(folder: Folder, number: int) -> Unit:
    """Return a unit of the plan."""
    import pyarrow.parquet as pq

    with folder.open(_name(number)) as raw:
        (row,) = pq.ParquetFile(raw).read_row_group(number % UNITS).to_pylist()
    paths = tuple(os.fsdecode(path) for path in row["paths"])
    return Unit(**{**row, "address": os.fsdecode(row["address"]), "paths": paths, "number": number})


def _row(unit: Unit) -> dict[str, Any]:
    return {
        "kind": unit.kind, "address": os.fsencode(unit.address), "start": unit.start, "stop": unit.stop,
        "pictures": unit.pictures, "paths": [os.fsencode(path) for path in unit.paths],
    }  # fmt: skip


def _name(number: int) -> str:
    """Return the file of a unit."""
    return f"{FOLDER}/{number // UNITS:06}.parquet"
