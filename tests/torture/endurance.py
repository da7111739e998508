"""Reading and loading for a long time, and many at once: is memory flat, are files closed, are the answers the same?

    python -m tests.torture.endurance --reads 2000000 --opened 10000 --seed 0
    python -m tests.torture.endurance --part reads --reads 5000 --out found.json

Each part is a process's own affair: run in turn in one process, the first would warm up for the others.
"""

import argparse
import hashlib
import io
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgedigits import EdgedigitsError, load
from edgedigits.model_files import SHIPPED
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.reading.results import Reading
from edgedigits_runtime.synthetic.samples import mnist_like
from tests.torture.recording import RESULTS, record

PARTS = ("reads", "opened", "together")
SAMPLES = 100
TOGETHER = 64
SUFFIXES = (".tflite", ".onnx")
THREADS = 16
PROCESSES = 4


@dataclass(frozen=True)
class Held:
    """What a process holds: megabytes of memory, open descriptors, threads."""

    megabytes: float
    descriptors: int
    threads: int


def held() -> Held:
    """Return what this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    descriptors, threads = (sum(1 for _ in Path(f"/proc/self/{name}").iterdir()) for name in ("fd", "task"))
    return Held(pages * resource.getpagesize() / 2**20, descriptors, threads)


class Pictures:
    """Pictures that never end and never repeat: drawn digits, shifted, turned over, noisy, alone or as numbers."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._digits = mnist_like(400, seed)[0]

    def small(self) -> NDArray[np.uint8]:
        """One digit in 28x28, in either polarity."""
        rng = self._rng
        digit = self._digits[rng.integers(len(self._digits))]
        digit = (digit * rng.uniform(0.6, 1.0)).astype(np.uint8)
        # Both take the long way through the reader, which is ten times as slow.
        if rng.random() < 0.1:
            digit = np.roll(digit, rng.integers(-2, 3, 2), (0, 1))
            digit = np.maximum(digit, rng.integers(0, 30, digit.shape, dtype=np.uint8))
        return digit if rng.random() < 0.5 else 255 - digit

    def number(self) -> NDArray[np.uint8]:
        """Up to four digits beside each other on a sheet."""
        count = int(self._rng.integers(1, 5))
        sheet = np.zeros((48, 20 + 32 * count), np.uint8)
        for place in range(count):
            digit = self._digits[self._rng.integers(len(self._digits))]
            sheet[10:38, 10 + 32 * place : 38 + 32 * place] = digit
        return 255 - sheet

    def file(self) -> bytes:
        """A file of one of several kinds; one of fifty is cut off."""
        pixels = self.number() if self._rng.random() < 0.3 else self.small()
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")[self._rng.integers(6)])
        content = file.getvalue()
        return content[: self._rng.integers(1, len(content))] if self._rng.random() < 0.02 else content

    def any(self) -> NDArray[np.uint8] | bytes:
        """Any of these."""
        drawn = self._rng.random()
        return self.file() if drawn < 0.3 else self.number() if drawn < 0.35 else self.small()


def read_for_long(reads: int, seed: int, tell: Callable[[dict[str, Any]], None] = lambda _: None) -> dict[str, Any]:
    """Read pictures that change, 64 at a time and one by one in turn; return what grew.

    Args:
        tell: called with what is known so far, SAMPLES times.
    """
    pictures, errors, done = Pictures(seed), 0, 0
    kept: list[Held] = []
    start = time.perf_counter()
    with load() as reader:
        same = Pictures(seed + 1)
        fixed = [same.any() for _ in range(100)]
        before = digest(reader, fixed)
        while done < reads:
            count = min(TOGETHER, reads - done)
            errors += sum(isinstance(read, EdgedigitsError) for read in _read(reader, pictures, count, done))
            done += count
            if done * SAMPLES // reads > len(kept):
                kept.append(held())
                tell(_grown(kept, reads=done, errors=errors, seconds=time.perf_counter() - start))
        unchanged = digest(reader, fixed) == before
    return _grown(kept, reads=done, errors=errors, seconds=time.perf_counter() - start) | {"same_answers": unchanged}


def _read(reader: Reader, pictures: Pictures, count: int, done: int) -> Iterator[Reading | EdgedigitsError]:
    """Read `count` small pictures together, and every eighth time ones of any kind one by one."""
    if done // TOGETHER % 8:
        yield from reader.read_many([pictures.small() for _ in range(count)])
        return
    for _ in range(count):
        try:
            yield reader.read(pictures.any())
        except EdgedigitsError as error:
            yield error


def open_and_close(times: int, seed: int, tell: Callable[[dict[str, Any]], None] = lambda _: None) -> dict[str, Any]:
    """Open each shipped model in each engine in turn, read one picture, close it; return what grew."""
    models = [SHIPPED / f"{name}{suffix}" for name in ("pico", "nano", "base", "max") for suffix in SUFFIXES]
    pictures, kept = Pictures(seed), []
    start = time.perf_counter()
    for number in range(times):
        with load(models[number % len(models)]) as reader:
            reader.read(pictures.small())
        if (number + 1) * SAMPLES // times > len(kept):
            kept.append(held())
            tell(_grown(kept, opened=number + 1, seconds=time.perf_counter() - start))
    return _grown(kept, opened=times, seconds=time.perf_counter() - start)


def _grown(kept: list[Held], **counts: float) -> dict[str, Any]:
    """Return the counts, and what the process held after the first tenth, which warms up, half-way, and at the end."""
    first, half, last = kept[len(kept) // 10], kept[len(kept) // 2], kept[-1]
    return {
        **{name: round(count, 1) for name, count in counts.items()},
        "after_a_tenth": asdict(first),
        "at_the_end": asdict(last),
        "most_megabytes": max(each.megabytes for each in kept),
        "megabytes_grown": last.megabytes - first.megabytes,
        "megabytes_grown_in_the_second_half": last.megabytes - half.megabytes,
        "descriptors_grown": last.descriptors - first.descriptors,
    }


def digest(reader: Reader, sources: list[Any]) -> str:
    """Return the SHA-256 of all that was read: texts, confidences, boxes and errors, without times."""
    told = hashlib.sha256()
    for read in reader.read_many(sources):
        # An error about bytes has no address in it, so that it is the same everywhere.
        told.update(repr(str(read) if isinstance(read, EdgedigitsError) else (read.text, read.digits)).encode())
    return told.hexdigest()


def one_by_one(model: str, sources: list[Any]) -> str:
    """Return the digest that a single thread makes of `sources`."""
    with load(model) as reader:
        return digest(reader, sources)


def by_threads(model: str, sources: list[Any], threads: int) -> set[str]:
    """Return the digests of threads that share one reader and begin in the same moment."""
    barrier = threading.Barrier(threads)
    with load(model) as reader, ThreadPoolExecutor(threads) as pool:

        def run(_: int) -> str:
            barrier.wait()
            return digest(reader, sources)

        return set(pool.map(run, range(threads)))


def together(count: int, seed: int, *, threads: int = THREADS, processes: int = PROCESSES) -> dict[str, Any]:
    """Read in 16 threads, in 4 processes of 16 threads, and in one thread; return whether all answer alike."""
    pictures = Pictures(seed)
    sources = [pictures.any() for _ in range(count)]
    found: dict[str, Any] = {"pictures": count, "threads": threads, "processes": processes}
    for suffix in SUFFIXES:
        model = str(SHIPPED / f"base{suffix}")
        alone = one_by_one(model, sources)
        arguments = [model, str(count), str(seed), str(threads)]
        child = [sys.executable, "-m", "tests.torture.endurance", "--child", *arguments]
        running = [subprocess.Popen(child, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
        said = [process.communicate()[0].split() for process in running]
        found[suffix] = {
            "threads_alike": by_threads(model, sources, threads) == {alone},
            "processes_alike": said == [[alone]] * processes,
        }
    return found


def _as_child(model: str, count: str, seed: str, threads: str) -> None:
    pictures = Pictures(int(seed))
    print(*by_threads(model, [pictures.any() for _ in range(int(count))], int(threads)))


def main() -> None:
    """Run the parts that are asked for, each in a process of its own if it is all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--reads", type=int, default=2_000_000)
    parser.add_argument("--opened", type=int, default=10_000)
    parser.add_argument("--pictures", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS / "endurance.json")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        _as_child(*given.child)
    elif given.part is None:
        for part in PARTS:
            subprocess.run([sys.executable, "-m", "tests.torture.endurance", *sys.argv[1:], "--part", part], check=True)
    else:

        def tell(found: dict[str, Any]) -> None:
            print(given.part, found, flush=True)
            record(given.out, given.part, {"finished": False, **found})

        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "reads": lambda: read_for_long(given.reads, given.seed, tell),
            "opened": lambda: open_and_close(given.opened, given.seed, tell),
            "together": lambda: together(given.pictures, given.seed),
        }
        record(given.out, given.part, {"finished": True, "seed": given.seed, **parts[given.part]()})


if __name__ == "__main__":
    main()
