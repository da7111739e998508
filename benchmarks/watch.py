"""Measure the processor time of `edgedigits watch` on a 640x480 stream of 30 frames/s: `python -m benchmarks.watch`.

A second process serves the synthetic camera as motion JPEG on loopback in real time. Only the watching process is
counted, its start included. The figures go to benchmarks/results/watch.json and docs/watch.md.
"""

import json
import re
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image

from benchmarks.publishing import DOCS, RESULTS, place_of, table, with_machine, write_results, write_section
from edgedigits_runtime.live.preview import Preview
from edgedigits_runtime.sources.synthetic_camera import Film, SyntheticCamera

SECONDS = 20
FPS = 30
ATTEMPTS, UNDISTURBED = 6, 0.98

SUMMARY = re.compile(r"watched ([\d.]+) s: (\d+) frames, (\d+) read .* age (\d+) ms, at most (\d+) ms")


@dataclass(frozen=True)
class Run:
    """One run of `edgedigits watch`.

    Attributes:
        what: its options.
        cores: processor seconds a second, all threads.
        frames, readings: a second.
        age, most_age: milliseconds from a frame's arrival to its answer, median and maximum.
        numbers: the printed numbers, in order.
    """

    what: str
    cores: float
    frames: float
    readings: float
    age: float
    most_age: float
    numbers: list[str]


def serve() -> None:
    """Serve the synthetic camera at a printed address until killed."""
    camera = SyntheticCamera(Film(fps=FPS))
    pictures = [Image.fromarray(camera.picture(number)) for number in range(12 * FPS)]
    preview = Preview("127.0.0.1", 0)
    print(f"{preview.address}stream.mjpg", flush=True)
    began, number = time.monotonic(), 0
    while True:
        preview.show(lambda picture=pictures[number % len(pictures)]: picture, {})  # type: ignore[misc]
        number += 1
        time.sleep(max(0.0, began + number / FPS - time.monotonic()))


def measure(address: str, *options: str) -> Run:
    """Return the first run with the stream's full rate; a busy machine slows the stream's server."""
    for _ in range(ATTEMPTS):
        run = _watched(address, *options)
        if run.frames >= UNDISTURBED * FPS:
            return run
        print(f"disturbed: only {run.frames:.1f} frames a second arrived; trying again", file=sys.stderr)
    raise SystemExit("the machine is too busy to measure on")


def _watched(address: str, *options: str) -> Run:
    """Watch a stream in a separate process, and measure its processor time."""
    command = [sys.executable, "-m", "edgedigits", "watch", address, "--duration", str(SECONDS), *options]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = SUMMARY.search(done.stderr)
    if found is None:
        raise SystemExit(f"no summary: {done.stderr}")
    watched, frames, read, age, most = map(float, found.groups())
    numbers = [line.split()[2] for line in done.stdout.splitlines()]
    return Run(" ".join(options), used / seconds, frames / watched, read / watched, age, most, numbers)


def main() -> None:
    """Measure, print and write the figures."""
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.watch", "serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        runs = [measure(address, *options) for options in ((), ("--max-fps", "5"), ("--max-fps", "30"))]
    finally:
        server.kill()
        server.wait()
    stream = f"640x480, {FPS} frames a second, motion JPEG over HTTP on loopback"
    found = with_machine(stream=stream, seconds=SECONDS, runs=[asdict(run) for run in runs])
    print(json.dumps(found["runs"], indent=1))
    write_results(RESULTS / "watch.json", found)
    write_section(DOCS / "watch.md", "watch", table_of(found))


def table_of(found: dict[str, Any]) -> str:
    """Return the runs as Markdown."""
    rows = [
        [run["what"] or "as it is", f"{run['readings']:.1f}", f"{run['cores']:.2f}", f"{run['age']:.0f} ms",
         f"{run['most_age']:.0f} ms"]
        for run in found["runs"]
    ]  # fmt: skip
    written = table(["options", "read a second", "of one core, whole process", "age, median", "at most"], rows)
    place = f"on {place_of(found['machine'])}, the stream's server beside it"
    return f"{written}\n\n{found['stream']}, {SECONDS} seconds each, {place}."


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
