"""The plan of a bulk reading: every source becomes numbered units, which are written down before the first is read.

So a run that goes on reads what was planned, whatever has been added meanwhile, and each unit has one part for ever.
"""

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from edgedigits.bulk.addresses import RUN_FILE, exists, is_remote, is_remote_folder, remote_files, remote_matches
from edgedigits.bulk.kinds import About, Unit, kind_of, open_kind
from edgedigits.bulk.kinds.unit import SPLIT_BELOW
from edgedigits_runtime.errors import SourceNotFound
from edgedigits_runtime.sources.files import STANDARD_INPUT, SUFFIXES, is_pictures_name, natural_key


def plan(sources: Iterable[str], about: About) -> Iterator[Unit]:
    """Yield the units of all sources, in their order, numbered from 0; folders are listed one at a time.

    Raises:
        SourceNotFound, SourceUnavailable: a source names nothing, or cannot be looked at.
        DatasetInvalid: a Parquet file has no column of pictures, or several.
    """
    for number, unit in enumerate(_units(sources, about)):
        yield replace(unit, number=number)


def _units(sources: Iterable[str], about: About) -> Iterator[Unit]:
    gathered: list[str] = []
    planned = shards = 0
    for file in (file for source in sources for file in _files(source)):
        kind = kind_of(file)
        if kind == "files":
            gathered.append(file)
            planned += 1
            if len(gathered) >= about.unit_size(planned):
                yield _of(gathered)
                gathered = []
            continue
        if gathered:
            yield _of(gathered)
            gathered = []
        shards += 1
        yield from open_kind(kind).units(file, about) if shards <= SPLIT_BELOW else [Unit(kind, file)]
    if gathered:
        yield _of(gathered)


def _of(files: list[str]) -> Unit:
    return Unit("files", pictures=len(files), paths=tuple(files))


def _files(source: str) -> Iterator[str]:
    """Yield the files that a source means, as the source names them."""
    if source == STANDARD_INPUT:
        raise SourceNotFound("standard input cannot be read by several machines; use edgedigits predict -")
    found = False
    for file in _remote(source) if is_remote(source) else _local(Path(source)):
        found = True
        yield file
    if not found:
        raise SourceNotFound(
            f"nothing to read at {source}: looked for .parquet, .tar, .tar.gz, .tgz and {', '.join(SUFFIXES)}"
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
        raise SourceNotFound(f"cannot look at {path}: {error.strerror or error}") from error


def _below(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: natural_key(entry.name))
    if any(entry.name == RUN_FILE for entry in ordered):
        return
    for entry in ordered:
        # What a link leads to may be a folder above.
        if entry.is_dir(follow_symlinks=False):
            yield from _below(folder / entry.name)
        elif is_wanted(entry.name) and entry.is_file():
            yield str(folder / entry.name)


def is_wanted(name: str) -> bool:
    """Say whether a file of a folder is read, by its name."""
    return is_pictures_name(name) or (kind_of(name) != "files" and not name.startswith("."))
