"""`labels.csv`: which text stands in which picture of a folder."""

import csv
from pathlib import Path

from edgedigits_runtime.errors import DataNotFound, DatasetInvalid


def read_labels(folder: Path) -> list[tuple[Path, str]]:
    """Return (picture, text) for each row of the folder's `labels.csv` (columns file, label).

    Raises:
        DataNotFound: there is no such file.
        DatasetInvalid: it has other columns.
    """
    file = folder / "labels.csv"
    if not file.is_file():
        raise DataNotFound(f"expected a folder of pictures with labels.csv, found none in {folder}")
    with file.open(newline="") as stream:
        rows = csv.DictReader(stream)
        if not {"file", "label"} <= set(rows.fieldnames or ()):
            raise DatasetInvalid(f"expected columns file and label in {file}; got {', '.join(rows.fieldnames or ())}")
        return [(folder / row["file"], row["label"]) for row in rows]
