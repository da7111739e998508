"""Pictures in a tar, such as a WebDataset's shards: members whose names are pictures', the others passed over.

An uncompressed shard on this machine is divided at headers, which are looked up without reading what is between them;
others are one unit. A tar ends with a block of zeros: one without it was cut off, whatever its last member says.
"""

import contextlib
import gzip
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, cast

from edgedigits.bulk.addresses import MOST_BYTES, is_remote, opened
from edgedigits.bulk.kinds.unit import About, Unit
from edgedigits_runtime.errors import PictureTooLarge, PictureUnreadable, ShardBroken
from edgedigits_runtime.sources.files import Source, is_pictures_name

BLOCK = tarfile.BLOCKSIZE

DAMAGED = (tarfile.TarError, EOFError, OSError, zlib.error, ValueError)


def units(address: str, about: About) -> Iterator[Unit]:
    """Yield the units of a shard on this machine; what is damaged stays for the reading to tell.

    Raises:
        SourceNotFound: it cannot be opened.
    """
    if is_remote(address) or _is_compressed(address):
        yield Unit("tar", address)
        return
    start = counted = planned = 0
    with contextlib.suppress(ShardBroken), opened(about.located(address)) as file:
        for member in _members(address, file, 0):
            if not _is_picture(member):
                continue
            if counted and counted >= about.unit_size(planned):
                yield Unit("tar", address, start, member.offset, counted)
                start, counted = member.offset, 0
            counted += 1
            planned += 1
    yield Unit("tar", address, start, None, counted)


def pictures(unit: Unit, about: About) -> Iterator[Source]:
    """Yield the pictures of a unit, as bytes.

    Raises:
        SourceNotFound, SourceUnavailable: it cannot be opened.
        ShardBroken: it ends in the middle or is damaged, or holds no picture at all.
    """
    found = 0
    with opened(about.located(unit.address)) as raw:
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
    """Yield the members from a byte on; the file stands anywhere afterwards.

    Raises:
        ShardBroken: it ends in the middle or is damaged.
    """
    count = 0
    try:
        file.seek(start)
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None:
                # Else it would keep all of them.
                tar.members = []  # type: ignore[attr-defined]  # webdataset does the same
                yield member
                count += 1
            file.seek(tar.offset)
            if file.read(BLOCK) != bytes(BLOCK):
                raise EOFError("no mark of its end")
    except DAMAGED as error:
        why = " ".join(str(error).split())
        raise ShardBroken(
            f"{address} ends in the middle or is damaged, {count} files after byte {start:,}: {why}"
        ) from error


def _picture(address: str, member: tarfile.TarInfo, file: IO[bytes]) -> Source:
    name = f"{address}#{member.name}"
    if member.size > MOST_BYTES:
        return Source(name, None, PictureTooLarge(f"{name} has more than the {MOST_BYTES:,} bytes that it may have"))
    try:
        file.seek(member.offset_data)
        content = file.read(member.size)
    except DAMAGED as error:
        raise ShardBroken(f"{address} ends in the middle or is damaged: {' '.join(str(error).split())}") from error
    if len(content) < member.size:
        raise ShardBroken(f"{address} ends in the middle of {member.name}")
    return Source(name, content) if content else Source(name, None, PictureUnreadable(f"{name} is empty"))


def _is_picture(member: tarfile.TarInfo) -> bool:
    return member.isreg() and is_pictures_name(member.name.rpartition("/")[2])


def _is_compressed(address: str) -> bool:
    return address.lower().endswith("gz")
