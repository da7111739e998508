"""Read and write the files of a run folder, to copy it between machines atomically."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.errors import OutputNotWritable
from edgedigits_runtime.whole_files import write_whole

Files = Mapping[str, bytes]

ORDER = (
    "config.json", "best.keras", "checkpoint.keras", "history.csv", "final.keras", "curves.png", "model.keras",
)  # fmt: skip
"""Files in the order that a training writes them: any first part of this list is a run that can be resumed."""


def read_files(run: RunFolder) -> Files:
    """Return what there is of a run; exports that lie beside it stay where they are."""
    return {name: (run.path / name).read_bytes() for name in ORDER if (run.path / name).is_file()}


def write_files(files: Files, run: RunFolder) -> None:
    """Write files of a run: a new folder atomically, an existing one file by file with the model last."""
    try:
        with _new_folder(run.path) if not run.config.is_file() else contextlib.nullcontext(run.path) as folder:
            for name in ORDER:
                if name in files:
                    write_whole(folder / name, files[name])
    except OSError as error:
        raise OutputNotWritable(f"cannot write {run.path}: {error.strerror or error}") from error


@contextlib.contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, which takes its name when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for abandoned in path.parent.glob(f".{path.name}-*.tmp"):
        shutil.rmtree(abandoned)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}-", suffix=".tmp", dir=path.parent))
    try:
        yield folder
        mask = os.umask(0)
        os.umask(mask)
        # mkdtemp makes private folders; a run has the usual permissions.
        folder.chmod(0o777 & ~mask)
        folder.replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
