"""Damaged pictures and bombs through the whole reader: `python -m tests.torture.pictures --executions N`.

Each file ends in a reading or in a PictureError. Batches of files run in child processes. A child that crashes, takes
more than SECONDS of processor time or too much memory for one file is replaced, and the file is kept in tests/broken.
The files depend on the seed alone, and an interrupted attack resumes.
"""

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from edgedigits import load
from edgedigits.machine.fingerprint import describe_machine
from edgedigits_runtime.errors import PictureError
from edgedigits_runtime.machine import installed_version
from edgedigits_runtime.reading.decode import MAX_PIXELS as READER_PIXELS
from edgedigits_runtime.reading.decode import PictureSource
from edgedigits_runtime.reading.formats import ALLOWED, format_of
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.whole_files import write_whole
from tests.support.picture_corpus import corpus
from tests.torture.bombs import file_bombs, noise_files, picture_bombs
from tests.torture.picture_mutations import mutated
from tests.torture.runner import in_child, parser, peak_memory, processor_time, read_result

BROKEN = Path(__file__).parents[1] / "broken" / "pictures"

SECONDS = 2
"""Limit of processor time for one file."""

MAX_PIXELS = 12_000_000
"""Limit of the fuzzed reader: a picture of a phone's camera."""

MEMORY = 400_000_000
"""Limit of bytes for one file, as in tests/torture/README.md: 24 for each pixel, and 100 MB."""

BATCH = 2000
"""Files of one seed; within a batch, a file that takes a new path through the reader is mutated further."""

ERRORS = ("PictureUnreadable", "PictureTooLarge")
PEAKS = ("slowest_ms", "most_memory_mb")


def new_counts() -> dict[str, Any]:
    """Return the counts of a batch that has not begun."""
    return {
        "executions": 0,
        "readings_with_text": 0,
        "empty_readings": 0,
        "errors": dict.fromkeys(ERRORS, 0),
        "formats": {name: {"readings": 0, "errors": 0} for name in (*ALLOWED, "none")},
        "slowest_ms": 0.0,
        "most_memory_mb": 0.0,
    }


def files(seed: int, batch: int, count: int = BATCH) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield the files of a batch, each with the list of files to mutate, which the caller may extend."""
    chance = random.Random(f"{seed}/{batch}")
    sources = list(corpus())
    for _ in range(count):
        # Recent additions are mutated most.
        source = chance.choice(sources[-200:] if chance.random() < 0.3 else sources)
        yield mutated(source, sources, chance), sources


def read_batch(reader: Reader, seed: int, batch: int, folder: Path, count: int = BATCH) -> None:
    """Read a batch in this process; the current file and the counts so far are always in `folder`."""
    paths = set[tuple[str, ...]]()
    counts = new_counts()
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for content, sources in files(seed, batch, count):
        (folder / "file").write_bytes(content)
        path = _read(reader, content, counts)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
        counts["most_memory_mb"] = max(counts["most_memory_mb"], round(memory / 1000, 1))
        (folder / "counts.json").write_text(json.dumps(counts))
        if memory * 1024 > MEMORY:
            raise MemoryError(f"{memory:,} kB for one file")
        if path not in paths:
            paths.add(path)
            sources.append(content)


def _read(reader: Reader, content: bytes, counts: dict[str, Any]) -> tuple[str, ...]:
    """Read and count one file, and return its path through the reader: format, and reading or kind of error."""
    kind = format_of(content) or "none"
    start = time.process_time_ns()
    try:
        with processor_time(SECONDS):
            reading = reader.read(content)
        counts["readings_with_text" if reading.text else "empty_readings"] += 1
        counts["formats"][kind]["readings"] += 1
        path = (kind, str(len(reading.text)), reading.note)
    except PictureError as error:
        counts["errors"][type(error).__name__] += 1
        counts["formats"][kind]["errors"] += 1
        path = (kind, *"".join(c for c in str(error) if not c.isdigit()).split(":")[:3])
    counts["executions"] += 1
    counts["slowest_ms"] = max(counts["slowest_ms"], (time.process_time_ns() - start) // 1000 / 1000)
    return path


def run_batch(seed: int, batch: int, folder: Path, count: int = BATCH) -> tuple[dict[str, Any], str]:
    """Read a batch in a child; return its counts, and why it ended early (usually empty)."""
    (folder / "counts.json").write_text(json.dumps(new_counts()))
    _, ended = in_child(lambda: read_batch(load("base", max_pixels=MAX_PIXELS), seed, batch, folder, count))
    return json.loads((folder / "counts.json").read_text()), ended


def measure(make: Callable[[], PictureSource], max_pixels: int) -> dict[str, Any]:
    """Read one picture in a child, and return its processor time in seconds, memory and outcome."""

    def work() -> dict[str, Any]:
        source, reader = make(), load("base", max_pixels=max_pixels)
        before, start = peak_memory(reset=True), time.process_time()
        try:
            reading = reader.read(source)
            outcome = f"read {len(reading.digits)} digits" + (f" ({reading.note})" if reading.note else "")
        except PictureError as error:
            outcome = f"{type(error).__name__}: {str(error).removeprefix('<bytes> ')}"
        return {
            "bytes": len(source) if isinstance(source, bytes) else 0,
            "seconds": round(time.process_time() - start, 2),
            "memory_mb": round((peak_memory() - before) / 1e6),
            "outcome": outcome,
        }

    found, ended = in_child(work)
    return found or {"outcome": f"broken: {ended}"}


def keep(content: bytes, reason: str, folder: Path) -> Path:
    """Keep a file that broke a promise, and the reason beside it."""
    path = folder / f"{(format_of(content) or 'none').lower()}-{sha256(content).hexdigest()[:12]}.bin"
    write_whole(path, content)
    path.with_suffix(".txt").write_text(reason.strip() + "\n")
    return path


def attack(executions: int, seed: int, out: Path, broken: Path, folder: Path) -> dict[str, Any]:
    """Read so many files, or the rest of an interrupted attack, and record the results after each batch.

    Args:
        broken: for files that break something.
        folder: for temporary files.
    """
    result = read_result(out)
    if result.get("seed") != seed:
        machine = {**describe_machine(), "pillow": installed_version("pillow")}
        limits = {"seconds": SECONDS, "bytes": MEMORY}
        result = {"seed": seed, "machine": machine, "max_pixels": MAX_PIXELS, "limits": limits, "batches": 0,
                  **new_counts(), "broken": []}  # fmt: skip
    # Import everything here, so that no child has to.
    with load("base") as reader:
        for content in corpus():
            reader.read(content)
    if "bombs" not in result:
        bombs = {**file_bombs(), **noise_files(), **picture_bombs()}
        result["bombs"] = {name: measure(make, READER_PIXELS) for name, make in bombs.items()}
    while result["executions"] < executions:
        counts, ended = run_batch(seed, result["batches"], folder)
        add_counts(result, counts)
        result["batches"] += 1
        if ended:
            result["executions"] += 1
            path, reason = keep((folder / "file").read_bytes(), ended, broken), ended.splitlines()[-1]
            result["broken"].append({"file": path.name, "batch": result["batches"] - 1, "why": reason})
            print(f"{path}: {reason}", flush=True)
        write_whole(out, json.dumps(result, indent=1) + "\n")
    return result


def add_counts(result: dict[str, Any], counts: dict[str, Any]) -> None:
    """Add the counts of a batch to `result`; peaks become the higher one."""
    for name, value in counts.items():
        if isinstance(value, dict):
            add_counts(result[name], value)
        else:
            result[name] = max(result[name], value) if name in PEAKS else result[name] + value


def main() -> None:
    """Attack, record, and fail if anything broke."""
    arguments = parser(__doc__, "pictures", seed=10)
    arguments.add_argument("--executions", type=int, default=1_000_000)
    arguments.add_argument("--found", type=Path, default=BROKEN, help="folder for files that break something")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = attack(given.executions, given.seed, given.out, given.found, Path(folder))
    print(
        f"{result['executions']:,} files: {result['readings_with_text'] + result['empty_readings']:,} read,"
        f" {sum(result['errors'].values()):,} refused, {len(result['broken'])} broke something;"
        f" slowest {result['slowest_ms']:.0f} ms, most memory {result['most_memory_mb']:.0f} MB"
    )
    broken = [name for name, bomb in result["bombs"].items() if bomb["outcome"].startswith("broken")]
    print(f"{len(result['bombs'])} bombs, {len(broken)} exceeded a limit {', '.join(broken)}")
    sys.exit(bool(result["broken"] or broken))


if __name__ == "__main__":
    main()
