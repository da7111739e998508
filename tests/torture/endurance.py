"""Long reading, repeated loading, and many readers at once: flat memory, closed files, equal answers.

    python -m tests.torture.endurance --reads 2000000 --opened 10000 --seed 0
    python -m tests.torture.endurance --part reads --reads 5000 --out found.json

Each part runs in its own process, because one part would warm up the process for the next.
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
from tests.torture.runner import parser, record

PARTS = ("reads", "opened", "together")
SAMPLES = 100
BATCH = 64
SUFFIXES = (".tflite", ".onnx")
KINDS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
THREADS = 16
PROCESSES = 4

Found = dict[str, Any]
Progress = Callable[[Found], None]


def used_resources() -> dict[str, float]:
    """Return the megabytes of memory, open descriptors and threads of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    descriptors, threads = (len(list(Path(f"/proc/self/{name}").iterdir())) for name in ("fd", "task"))
    return {"megabytes": pages * resource.getpagesize() / 2**20, "descriptors": descriptors, "threads": threads}


class Pictures:
    """An endless sequence of drawn digits: shifted, in both polarities, noisy, single or as numbers."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._digits = mnist_like(400, seed)[0]

    def small(self) -> NDArray[np.uint8]:
        """Return one digit in 28x28, in either polarity."""
        rng = self._rng
        digit = self._digits[rng.integers(len(self._digits))]
        digit = (digit * rng.uniform(0.6, 1.0)).astype(np.uint8)
        # A shifted or noisy digit needs the finder, which is ten times as slow.
        if rng.random() < 0.1:
            digit = np.roll(digit, rng.integers(-2, 3, 2), (0, 1))
            digit = np.maximum(digit, rng.integers(0, 30, digit.shape, dtype=np.uint8))
        return digit if rng.random() < 0.5 else 255 - digit

    def number(self) -> NDArray[np.uint8]:
        """Return a row of up to four digits."""
        count = int(self._rng.integers(1, 5))
        row = np.hstack(
            [np.pad(self._digits[self._rng.integers(len(self._digits))], ((0, 0), (0, 4))) for _ in range(count)]
        )
        return 255 - np.pad(row, ((10, 10), (10, 10)))

    def file(self) -> bytes:
        """Return a file of one of KINDS; one in fifty is truncated."""
        pixels = self.number() if self._rng.random() < 0.3 else self.small()
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, KINDS[self._rng.integers(6)])
        content = file.getvalue()
        return content[: self._rng.integers(1, len(content))] if self._rng.random() < 0.02 else content

    def any(self) -> NDArray[np.uint8] | bytes:
        """Return any of these."""
        drawn = self._rng.random()
        return self.file() if drawn < 0.3 else self.number() if drawn < 0.35 else self.small()


class Growth:
    """The resources of this process, sampled SAMPLES times in `total` steps."""

    def __init__(self, name: str, total: int, progress: Progress | None) -> None:
        self._name, self._total, self._progress = name, total, progress
        self._samples: list[dict[str, float]] = []
        self._start = time.perf_counter()

    def sample(self, done: int, **counts: float) -> None:
        """Sample if due, and report the results so far."""
        if done * SAMPLES // self._total > len(self._samples):
            self._samples.append(used_resources())
            if self._progress:
                self._progress(self.found(done, **counts))

    def found(self, done: int, **counts: float) -> Found:
        """Return the counts, and the resources after the first tenth (the warm-up), half-way and at the end."""
        first, half, last = (self._samples[k] for k in (len(self._samples) // 10, len(self._samples) // 2, -1))
        return {
            self._name: done,
            **counts,
            "seconds": round(time.perf_counter() - self._start, 1),
            "after_a_tenth": first,
            "at_the_end": last,
            "most_megabytes": max(sample["megabytes"] for sample in self._samples),
            "megabytes_grown": last["megabytes"] - first["megabytes"],
            "megabytes_grown_in_the_second_half": last["megabytes"] - half["megabytes"],
            "descriptors_grown": last["descriptors"] - first["descriptors"],
        }


def read_long(reads: int, seed: int, progress: Progress | None = None) -> Found:
    """Read changing pictures, in batches and one by one; return the growth."""
    pictures, errors, done = Pictures(seed), 0, 0
    growth = Growth("reads", reads, progress)
    with load() as reader:
        same = Pictures(seed + 1)
        fixed = [same.any() for _ in range(100)]
        before = digest(reader, fixed)
        while done < reads:
            count = min(BATCH, reads - done)
            errors += sum(isinstance(read, EdgedigitsError) for read in _read(reader, pictures, count, done))
            done += count
            growth.sample(done, errors=errors)
        return {**growth.found(done, errors=errors), "same_answers": digest(reader, fixed) == before}


def _read(reader: Reader, pictures: Pictures, count: int, done: int) -> Iterator[Reading | EdgedigitsError]:
    """Read `count` small pictures as a batch; every eighth time, pictures of any kind one by one."""
    if done // BATCH % 8:
        yield from reader.read_many([pictures.small() for _ in range(count)])
        return
    for _ in range(count):
        try:
            yield reader.read(pictures.any())
        except EdgedigitsError as error:
            yield error


def open_and_close(times: int, seed: int, progress: Progress | None = None) -> Found:
    """Open each shipped model in each engine in turn, read one picture, and close it; return the growth."""
    models = [SHIPPED / f"{name}{suffix}" for name in ("pico", "nano", "base", "max") for suffix in SUFFIXES]
    pictures, growth = Pictures(seed), Growth("opened", times, progress)
    for number in range(times):
        with load(models[number % len(models)]) as reader:
            reader.read(pictures.small())
        growth.sample(number + 1)
    return growth.found(times)


def digest(reader: Reader, sources: list[Any]) -> str:
    """Return the SHA-256 of all readings: texts, confidences, boxes and errors, without times."""
    found = hashlib.sha256()
    for read in reader.read_many(sources):
        # Errors about bytes contain no address, so they are reproducible.
        found.update(repr(str(read) if isinstance(read, EdgedigitsError) else (read.text, read.digits)).encode())
    return found.hexdigest()


def by_threads(model: str, sources: list[Any], threads: int) -> set[str]:
    """Return the digests of threads that share one reader and start together."""
    barrier = threading.Barrier(threads)
    with load(model) as reader, ThreadPoolExecutor(threads) as pool:

        def run(_: int) -> str:
            barrier.wait()
            return digest(reader, sources)

        return set(pool.map(run, range(threads)))


def together(count: int, seed: int, *, threads: int = THREADS, processes: int = PROCESSES) -> Found:
    """Read the same pictures in threads, in processes of threads, and in one thread; return whether all agree."""
    pictures = Pictures(seed)
    sources = [pictures.any() for _ in range(count)]
    found: Found = {"pictures": count, "threads": threads, "processes": processes}
    for suffix in SUFFIXES:
        model = str(SHIPPED / f"base{suffix}")
        alone = by_threads(model, sources, 1)
        arguments = [model, str(count), str(seed), str(threads)]
        child = [sys.executable, "-m", "tests.torture.endurance", "--child", *arguments]
        running = [subprocess.Popen(child, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
        answers = [set(process.communicate()[0].split()) for process in running]
        found[suffix] = {
            "threads_alike": by_threads(model, sources, threads) == alone,
            "processes_alike": answers == [alone] * processes,
        }
    return found


def main() -> None:
    """Run one part in this process, or each part in a new one."""
    arguments = parser(__doc__, "endurance")
    arguments.add_argument("--part", choices=PARTS)
    arguments.add_argument("--reads", type=int, default=2_000_000)
    arguments.add_argument("--opened", type=int, default=10_000)
    arguments.add_argument("--pictures", type=int, default=2_000)
    arguments.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.child:
        model, count, seed, threads = given.child
        pictures = Pictures(int(seed))
        print(*by_threads(model, [pictures.any() for _ in range(int(count))], int(threads)))
        return
    if given.part is None:
        for part in PARTS:
            subprocess.run([sys.executable, "-m", "tests.torture.endurance", *sys.argv[1:], "--part", part], check=True)
        return

    def progress(found: Found) -> None:
        print(given.part, found, flush=True)
        record(given.out, given.part, {"finished": False, **found})

    parts: dict[str, Callable[[], Found]] = {
        "reads": lambda: read_long(given.reads, given.seed, progress),
        "opened": lambda: open_and_close(given.opened, given.seed, progress),
        "together": lambda: together(given.pictures, given.seed),
    }
    record(given.out, given.part, {"finished": True, "seed": given.seed, **parts[given.part]()})


if __name__ == "__main__":
    main()
