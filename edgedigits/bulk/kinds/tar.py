"""Pictures in a tar, such as the shards of a WebDataset. Members without a picture's name are skipped.

An uncompressed local shard is divided at its headers, which are found without reading the members; other shards are
one unit. A tar ends with a block of zeros; without it, the file is cut off.
"""

import contextlib
import gzip
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, cast

from edgedigits.bulk.addresses import MAX_BYTES, is_remote, one_line, opened
from edgedigits.bulk.units import SourceOptions, Unit
from edgedigits_runtime.errors import PictureTooLarge, PictureUnreadable, ShardBroken
from edgedigits_runtime.sources.files import Source, is_pictures_name

BLOCK = tarfile.BLOCKSIZE

DAMAGED = (tarfile.TarError, EOFError, OSError, zlib.error, ValueError)


def units(address: str, options: SourceOptions) -> Iterator[Unit]:
    """Yield the units of a shard; `pictures` reports damage."""
    if is_remote(address) or _is_compressed(address):
        yield Unit("tar", address)
        return
    start = counted = planned = 0
    with contextlib.suppress(ShardBroken), opened(options.resolve(address)) as file:
        for member in _members(address, file, 0):
            if not _is_picture(member):
                continue
            if counted and counted >= options.unit_size(planned):
                yield Unit("tar", address, start, member.offset, counted)
                start, counted = member.offset, 0
            counted += 1
            planned += 1
    yield Unit("tar", address, start, None, counted)


def pictures(unit: Unit, options: SourceOptions) -> Iterator[Source]:
    """Yield the pictures of a unit, as bytes. A shard without pictures is broken."""
    found = 0
    with opened(options.resolve(unit.address)) as raw:
        file = cast("IO[bytes]", gzip.open(raw)) if _is_compressed(unit.address) else raw  # noqa: SIM115
        for member in _members(unit.address, file, unit.start):
            if unit.stop is not None and member.offset >= unit.stop:
                return
            if _is_picture(member):
                found += 1
                yield _picture(unit.address, member, file)
    if not found and unit.start == 0:
        raise ShardBroken(f"no pictures in {unit.address}")


def _members(address: str, file: IO[bytes], start: int) -> Iterator[tarfile.TarInfo]:
    """Yield the members from a byte on. The caller may move the file's position."""
    count = 0
    try:
        file.seek(start)
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None:
                # Otherwise tarfile keeps all members in memory.
                tar.members = []  # type: ignore[attr-defined]  # webdataset does the same
                yield member
                count += 1
            file.seek(tar.offset)
            if file.read(BLOCK) != bytes(BLOCK):
                raise EOFError("the end mark is missing")
    except DAMAGED as error:
        raise ShardBroken(
            f"{address} is cut off or damaged, {count} files after byte {start:,}: {one_line(error)}"
        ) from error


def _picture(address: str, member: tarfile.TarInfo, file: IO[bytes]) -> Source:
    name = f"{address}#{member.name}"
    if member.size > MAX_BYTES:
        return Source(name, None, PictureTooLarge(f"{name} has more than {MAX_BYTES:,} bytes"))
    try:
        file.seek(member.offset_data)
        content = file.read(member.size)
    except DAMAGED as error:
        raise ShardBroken(f"{address} is cut off or damaged: {one_line(error)}") from error
    if len(content) < member.size:
        raise ShardBroken(f"{address} is cut off in {member.name}")
    return Source(name, content) if content else Source(name, None, PictureUnreadable(f"{name} is empty"))


def _is_picture(member: tarfile.TarInfo) -> bool:
    return member.isreg() and is_pictures_name(member.name.rpartition("/")[2])


def _is_compressed(address: str) -> bool:
    return address.lower().endswith("gz")
