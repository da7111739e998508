"""Pictures in the rows of a Parquet file: a column of bytes, of paths, or of both, as in Hugging Face's datasets.

A few rows at a time are read. A local file is divided at any row, a remote one at its row groups, which would
otherwise be fetched several times.
"""

import posixpath
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from edgedigits.bulk.addresses import is_remote, one_line, opened
from edgedigits.bulk.kinds.files import fetch_all
from edgedigits.bulk.units import SourceOptions, Unit
from edgedigits_runtime.errors import DatasetInvalid, PictureUnreadable, ShardBroken
from edgedigits_runtime.sources.files import Source

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

ROWS = 64
"""Rows decoded at a time."""

BUFFER = 4 << 20
"""Bytes of a column read at a time. By default, pyarrow reads the column of a whole row group."""


def units(address: str, options: SourceOptions) -> Iterator[Unit]:
    """Yield the units of a file; `pictures` reports damage. Raises DatasetInvalid; see column_of."""
    try:
        with opened(options.resolve(address)) as raw:
            file = _parquet(address, raw)
            column_of(file.schema_arrow, options.column, address)
            groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    except ShardBroken:
        yield Unit("parquet", address)
        return
    ends = list(accumulate(groups))
    rows, start = sum(groups), 0
    while start < rows:
        stop = min(start + options.unit_size(start), rows)
        if is_remote(address):
            stop = next(end for end in ends if end >= stop)
        yield Unit("parquet", address, start, stop, stop - start)
        start = stop
    if not rows:
        yield Unit("parquet", address)


def pictures(unit: Unit, options: SourceOptions) -> Iterator[Source]:
    """Yield the pictures of a unit: bytes, or paths like edgedigits.bulk.kinds.files. An empty file is broken."""
    with opened(options.resolve(unit.address)) as raw:
        file = _parquet(unit.address, raw)
        try:
            column = column_of(file.schema_arrow, options.column, unit.address)
        except DatasetInvalid as error:
            raise ShardBroken(str(error)) from error
        if not file.metadata.num_rows:
            raise ShardBroken(f"no rows in {unit.address}")
        rows = _rows(unit, file, column)
        kind = file.schema_arrow.field(column).type
        if _is_text(kind):
            yield from fetch_all(_named(unit.address, number, path, options) for number, path in rows)
            return
        for number, value in rows:
            yield _picture(f"{unit.address}#{number}", value, unit.address, options)


def column_of(schema: "pa.Schema", wanted: str | None, address: str) -> str:
    """Return the name of the column with the pictures: the only one of bytes, or else the only one of text.

    Raises:
        DatasetInvalid: there is none, or there are several.
    """
    names = schema.names
    if wanted is not None:
        if wanted in names and (_is_bytes(schema.field(wanted).type) or _is_text(schema.field(wanted).type)):
            return wanted
        raise DatasetInvalid(f"{address} has no column {wanted!r} of bytes or paths; its columns: {', '.join(names)}")
    for holds in (_is_bytes, _is_text):
        if len(found := [name for name in names if holds(schema.field(name).type)]) == 1:
            return str(found[0])
        if found:
            break
    raise DatasetInvalid(f"give the column of {address} that holds the pictures with --column: {', '.join(names)}")


def _is_bytes(kind: "pa.DataType") -> bool:
    import pyarrow.types as kinds

    if kinds.is_struct(kind):
        return any(field.name == "bytes" and _is_bytes(field.type) for field in kind)
    return bool(kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_binary_view(kind))


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def _parquet(address: str, raw: Any) -> "pq.ParquetFile":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(raw, buffer_size=BUFFER, pre_buffer=False, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _broken(address, "no readable Parquet footer", error) from error


def _rows(unit: Unit, file: "pq.ParquetFile", column: str) -> Iterator[tuple[int, Any]]:
    """Yield the number and the value of each row of the unit."""
    import pyarrow as pa

    stop = file.metadata.num_rows if unit.stop is None else unit.stop
    ends = list(accumulate(file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)))
    starts = [0, *ends][:-1]
    groups = [index for index, end in enumerate(ends) if end > unit.start and starts[index] < stop]
    number = starts[groups[0]]
    try:
        for batch in file.iter_batches(ROWS, row_groups=groups, columns=[column], use_threads=False):
            end = number + batch.num_rows
            if end > unit.start and number < stop:
                first = max(unit.start - number, 0)
                values = batch.column(0).slice(first, min(stop, end) - number - first)
                yield from enumerate(values.to_pylist(), number + first)
            number = end
    except (pa.ArrowException, OSError) as error:
        raise _broken(unit.address, f"rows from {max(number, unit.start)} on are unreadable", error) from error


def _picture(name: str, value: Any, address: str, options: SourceOptions) -> Source:
    if isinstance(value, dict):
        path = value.get("path")
        if value["bytes"] is None and path:
            return next(fetch_all([(name, _beside(options.resolve(address), path))]))
        value = value["bytes"]
    return Source(name, value) if value else Source(name, None, PictureUnreadable(f"{name} is empty"))


def _named(address: str, number: int, path: str | None, options: SourceOptions) -> tuple[str, str | None]:
    """Return the name and the address of the picture in a row of paths; None if the row is empty."""
    return (path, _beside(options.resolve(address), path)) if path else (f"{address}#{number}", None)


def _beside(address: str, path: str) -> str:
    """Return the address of a path, which is relative to the folder of the file."""
    return path if is_remote(path) else posixpath.join(posixpath.dirname(address), path)


def _broken(address: str, what: str, error: BaseException) -> ShardBroken:
    return ShardBroken(f"{address} is cut off or damaged: {what} ({one_line(error)})")
