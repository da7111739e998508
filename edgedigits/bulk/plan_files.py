"""The plan as files: Parquet, a row group for each unit, so that a worker reads its own and nobody holds them all."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from edgedigits.bulk.folders import Folder
from edgedigits.bulk.kinds import Unit

FOLDER = "_plan"

UNITS = 64
"""Units of one file."""


@dataclass(frozen=True)
class Planned:
    """How much there is to read.

    Attributes:
        units: and so parts.
        pictures: None where it is not known of all units.
    """

    units: int
    pictures: int | None


def _columns() -> dict[str, Any]:
    import pyarrow as pa

    return {
        "kind": pa.string(), "address": pa.binary(), "start": pa.int64(), "stop": pa.int64(), "pictures": pa.int64(),
        "paths": pa.list_(pa.binary()),
    }  # fmt: skip


def write_plan(folder: Folder, units: Iterable[Unit]) -> Planned:
    """Write the units, as they come, and say how many they are.

    Raises:
        EdgedigitsError: see edgedigits.bulk.plan.plan and OutputNotWritable.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(list(_columns().items()))
    folder.remove(FOLDER)
    count, pictures = 0, 0
    known, rest, number = True, iter(units), 0
    while chunk := list(islice(rest, UNITS)):
        rows = [_row(unit) for unit in chunk]
        with folder.being_written(_name(number)) as path, pq.ParquetWriter(path, schema, compression="zstd") as file:
            for row in rows:
                file.write_table(pa.Table.from_pylist([row], schema=schema))
        number += 1
        count += len(chunk)
        known &= all(unit.pictures is not None for unit in chunk)
        pictures += sum(unit.pictures or 0 for unit in chunk)
    return Planned(count, pictures if known else None)


def load_unit(folder: Folder, number: int) -> Unit:
    """Return a unit of the plan."""
    import pyarrow.parquet as pq

    with folder.open(_name(number // UNITS)) as raw:
        (row,) = pq.ParquetFile(raw).read_row_group(number % UNITS).to_pylist()
    paths = tuple(os.fsdecode(path) for path in row["paths"])
    return Unit(**{**row, "address": os.fsdecode(row["address"]), "paths": paths, "number": number})


def _row(unit: Unit) -> dict[str, Any]:
    return {
        "kind": unit.kind, "address": os.fsencode(unit.address), "start": unit.start, "stop": unit.stop,
        "pictures": unit.pictures, "paths": [os.fsencode(path) for path in unit.paths],
    }  # fmt: skip


def _name(number: int) -> str:
    return f"{FOLDER}/{number:06}.parquet"
