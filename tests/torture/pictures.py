"""Pictures: broken and hostile files through the whole reader: `python -m tests.torture.pictures --executions N`.

Every file goes from its bytes to a reading, or to a PictureError, in a process of its own kind: one that dies, takes
more than SECONDS of processor time or more memory than a picture may is started anew, and the file that did it is
kept. Which files these are depends on the seed alone; a run that was stopped goes on where it was.
"""

import argparse
import json
import mmap
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from edgedigits import load
from edgedigits_runtime.errors import PictureError
from edgedigits_runtime.machine import describe_machine, installed_version
from edgedigits_runtime.reading.decode import MAX_PIXELS as MOST_PIXELS
from edgedigits_runtime.reading.decode import PictureSource
from edgedigits_runtime.reading.formats import ALLOWED, format_of
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.whole_files import write_whole
from tests.torture.bombs import of_files, of_noise, of_pictures
from tests.torture.children import in_child, most_memory, processor_time, quiet
from tests.torture.picture_corpus import corpus
from tests.torture.picture_mutations import MOST_BYTES, mutated

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "reliability" / "pictures.json"
BROKEN = Path(__file__).parents[1] / "broken" / "pictures"

SECONDS = 2
"""Of processor time that one file may take."""

MAX_PIXELS = 12_000_000
"""Of the reader that is fuzzed: what a telephone's camera takes."""

MEMORY = 400_000_000
"""Bytes that one file may take beyond the process, see docs/reliability.md: 24 for each pixel, and 100 MB."""

BATCH = 2000
"""Files that are made of the same seed; within a batch, files that went a way of their own are changed further."""

COUNTS = ("text", "empty", "error", "slowest", "memory")
FORMATS = (*ALLOWED, "none")
ERRORS = ("PictureUnreadable", "PictureTooLarge")


@dataclass
class Shared:
    """Memory that a child writes and its parent reads, whatever becomes of the child.

    Attributes:
        counts: int64; what came of the batch: readings with text, empty ones, errors, the longest time in microseconds,
            the most memory in kB, then each error and format's readings and errors.
        at: int64 [2], which file of the batch is being read, and how long it is.
        file: its bytes.
    """

    counts: Any
    at: Any
    file: Any

    @classmethod
    def anew(cls) -> "Shared":
        """Return zeroed memory that children share."""
        size = len(COUNTS) + len(ERRORS) + 2 * len(FORMATS)
        memory = np.frombuffer(mmap.mmap(-1, 8 * (size + 2) + MOST_BYTES), np.uint8)
        numbers = memory[: 8 * (size + 2)].view(np.int64)
        return cls(numbers[:size], numbers[size:], memory[8 * (size + 2) :])

    def content(self) -> bytes:
        """Return the file that is being read."""
        length = int(self.at[1])
        return bytes(self.file[:length])


def files(seed: int, batch: int, count: int = BATCH) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield the files of a batch, each with the list that further ones are made of, which may be added to."""
    chance = random.Random(f"{seed}/{batch}")
    lent = list(corpus())
    for _ in range(count):
        # What was added last is changed most.
        source = chance.choice(lent[-200:] if chance.random() < 0.3 else lent)
        yield mutated(source, lent, chance), lent


def read_batch(reader: Reader, seed: int, batch: int, shared: Shared, count: int = BATCH) -> None:
    """Read a batch in this process; what comes of it stands in shared memory."""
    ways = set[tuple[str, ...]]()
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, (content, lent) in enumerate(files(seed, batch, count)):
        shared.file[: len(content)] = np.frombuffer(content, np.uint8)
        shared.at[:] = number, len(content)
        way = _read(reader, content, shared)
        taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
        shared.counts[4] = max(shared.counts[4], taken)
        if taken * 1024 > MEMORY:
            raise MemoryError(f"{taken:,} kB for one file")
        if way not in ways:
            ways.add(way)
            lent.append(content)
    shared.at[0] = count


def _read(reader: Reader, content: bytes, shared: Shared) -> tuple[str, ...]:
    """Read one file, and return which way it went: its format and what was said of it."""
    kind = format_of(content) or "none"
    place = len(COUNTS) + len(ERRORS) + 2 * FORMATS.index(kind)
    start = time.process_time_ns()
    try:
        with processor_time(SECONDS):
            reading = reader.read(content)
        shared.counts[0 if reading.text else 1] += 1
        shared.counts[place] += 1
        way = (kind, str(len(reading.text)), reading.note)
    except PictureError as error:
        shared.counts[2] += 1
        shared.counts[len(COUNTS) + ERRORS.index(type(error).__name__)] += 1
        shared.counts[place + 1] += 1
        way = (kind, *"".join(c for c in str(error) if not c.isdigit()).split(":")[:3])
    taken = (time.process_time_ns() - start) // 1000
    shared.counts[3] = max(shared.counts[3], taken)
    return way


def run_batch(seed: int, batch: int, count: int = BATCH) -> tuple[Shared, str]:
    """Read a batch in a child process, and return what came of it and what ended the child early; mostly nothing."""
    shared = Shared.anew()
    _, ended = in_child(lambda: read_batch(load("base", max_pixels=MAX_PIXELS), seed, batch, shared, count))
    return shared, ended


def measured(make: Callable[[], PictureSource], max_pixels: int) -> dict[str, Any]:
    """Return what it takes to read one picture, by a reader of its own: seconds of processor time and bytes."""

    def work() -> dict[str, Any]:
        source, reader = make(), load("base", max_pixels=max_pixels)
        before, start = most_memory(anew=True), time.process_time()
        try:
            reading = reader.read(source)
            outcome = f"read {len(reading.digits)} digits" + (f" ({reading.note})" if reading.note else "")
        except PictureError as error:
            outcome = f"{type(error).__name__}: {str(error).removeprefix('<bytes> ')}"
        return {
            "bytes": len(source) if isinstance(source, bytes) else 0,
            "seconds": round(time.process_time() - start, 2),
            "memory_mb": round((most_memory() - before) / 1e6),
            "outcome": outcome,
        }

    found, ended = in_child(work)
    return found or {"outcome": f"broken: {ended}"}


def keep(content: bytes, why: str, folder: Path) -> Path:
    """Keep a file that broke something, and what it did."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{(format_of(content) or 'none').lower()}-{sha256(content).hexdigest()[:12]}.bin"
    path.write_bytes(content)
    path.with_suffix(".txt").write_text(why.strip() + "\n")
    return path


def attack(executions: int, seed: int, out: Path, found: Path) -> dict[str, Any]:
    """Read so many files, or what is left of them, and record what came of it after each batch."""
    known = json.loads(out.read_text()) if out.is_file() else {}
    result: dict[str, Any] = known if known.get("seed") == seed else _nothing(seed)
    # Once here, so that no child has to import it again.
    with load("base") as reader:
        for content in corpus():
            reader.read(content)
    if "bombs" not in result:
        made = {**of_files(), **of_noise(), **of_pictures()}
        result["bombs"] = {name: measured(make, MOST_PIXELS) for name, make in made.items()}
    while result["executions"] < executions:
        shared, ended = run_batch(seed, result["batches"])
        _add(result, shared, ended)
        if ended:
            path = keep(shared.content(), ended, found)
            result["broken"].append({"file": path.name, "batch": result["batches"] - 1, "why": ended.splitlines()[-1]})
            print(f"{path}: {ended.splitlines()[-1]}", flush=True)
        write_whole(out, (json.dumps(result, indent=1) + "\n").encode())
    return result


def _nothing(seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "machine": {**describe_machine(), "pillow": installed_version("pillow")},
        "max_pixels": MAX_PIXELS,
        "limits": {"seconds": SECONDS, "bytes": MEMORY},
        "batches": 0,
        "executions": 0,
        "readings_with_text": 0,
        "empty_readings": 0,
        "errors": dict.fromkeys(ERRORS, 0),
        "formats": {name: {"readings": 0, "errors": 0} for name in FORMATS},
        "slowest_ms": 0.0,
        "most_memory_mb": 0.0,
        "broken": [],
    }


def _add(result: dict[str, Any], shared: Shared, ended: str) -> None:
    text, empty, errors, slowest, memory = shared.counts[: len(COUNTS)].tolist()
    result["batches"] += 1
    result["executions"] += text + empty + errors + bool(ended)
    result["readings_with_text"] += text
    result["empty_readings"] += empty
    for place, name in enumerate(ERRORS):
        result["errors"][name] += int(shared.counts[len(COUNTS) + place])
    for place, name in enumerate(FORMATS):
        at = len(COUNTS) + len(ERRORS) + 2 * place
        result["formats"][name]["readings"] += int(shared.counts[at])
        result["formats"][name]["errors"] += int(shared.counts[at + 1])
    result["slowest_ms"] = max(result["slowest_ms"], slowest / 1000)
    result["most_memory_mb"] = max(result["most_memory_mb"], round(memory / 1000, 1))


def main() -> None:
    """Attack, record it, and fail where anything broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--found", type=Path, default=BROKEN, help="where files are kept that broke something")
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with quiet():
        result = attack(options.executions, options.seed, options.out, options.found)
    readings = result["readings_with_text"] + result["empty_readings"]
    print(
        f"{result['executions']:,} files: {readings:,} read, {sum(result['errors'].values()):,} refused,"
        f" {len(result['broken'])} broke something; slowest {result['slowest_ms']:.0f} ms,"
        f" most memory {result['most_memory_mb']:.0f} MB"
    )
    broken = [name for name, bomb in result["bombs"].items() if bomb["outcome"].startswith("broken")]
    print(f"{len(result['bombs'])} bombs, of which {len(broken)} went off {', '.join(broken)}")
    sys.exit(bool(result["broken"] or broken))


if __name__ == "__main__":
    main()
