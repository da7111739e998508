"""What a live reading costs: processor time of the whole `edgedigits watch` process on a 640x480 stream of 30 frames/s.

A second process serves the synthetic camera as motion JPEG on loopback, in real time; only the watching process is
counted, its start included. benchmarks/results/watch.json keeps the figures with the machine; the tables of
docs/watch.md and of the README are made of it.
"""

import json
import re
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.publishing import write_section
from edgedigits.machine.fingerprint import describe_machine
from edgedigits_runtime.live.preview import Preview
from edgedigits_runtime.sources.synthetic_camera import Film, SyntheticCamera
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results" / "watch.json"
REPOSITORY = Path(__file__).parent.parent
SECONDS = 20
FPS = 30
ATTEMPTS, UNDISTURBED = 6, 0.98

SUMMARY = re.compile(r"watched ([\d.]+) s: (\d+) frames, (\d+) read .* age (\d+) ms, at most (\d+) ms")


@dataclass(frozen=True)
class Run:
    """One run of `edgedigits watch`.

    Attributes:
        what: its options.
        cores: processor seconds over seconds, all threads.
        frames, readings: a second.
        age, most_age: milliseconds from a frame's coming to its answer, median and highest.
        numbers: what was told, in order.
    """

    what: str
    cores: float
    frames: float
    readings: float
    age: float
    most_age: float
    numbers: list[str]


def serve() -> None:
    """Show the synthetic camera at an address, which is printed, until killed."""
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
    """Return the first of a few runs in which the stream came at its full rate: a busy machine slows its server."""
    for _ in range(ATTEMPTS):
        run = _watched(address, *options)
        if run.frames >= UNDISTURBED * FPS:
            return run
        print(f"disturbed, {run.frames:.1f} frames a second came; again", file=sys.stderr)
    raise SystemExit("the machine is too busy to measure on")


def _watched(address: str, *options: str) -> Run:
    """Watch a stream for a while in a process of its own, and count its processor time."""
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
    """Measure, print, and write it with the machine."""
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        runs = [measure(address, *options) for options in ((), ("--max-fps", "5"), ("--max-fps", "30"))]
    finally:
        server.kill()
        server.wait()
    found = {
        "machine": describe_machine(),
        "stream": f"640x480, {FPS} frames a second, motion JPEG over HTTP on loopback",
        "seconds": SECONDS,
        "runs": [asdict(run) for run in runs],
    }
    print(json.dumps(found["runs"], indent=1))
    write_whole(RESULTS, json.dumps(found, indent=1) + "\n")
    write_section(REPOSITORY / "README.md", "watch", sentence(found))
    write_section(REPOSITORY / "docs" / "watch.md", "watch", table(found))


def sentence(found: dict[str, Any]) -> str:
    """Return the first run in one sentence."""
    run = found["runs"][0]
    return (
        f"640x480 at {FPS} frames a second, read {run['readings']:.0f} times a second, takes {run['cores']:.2f} of one"
        f" core of {found['machine']['processor']}, the whole process; answers are {run['age']:.0f} ms old, at most"
        f" {run['most_age']:.0f} ms."
    )


def table(found: dict[str, Any]) -> str:
    """Return the runs as Markdown."""
    rows = [
        f"| {run['what'] or 'as it is'} | {run['readings']:.1f} | {run['cores']:.2f} | {run['age']:.0f} ms"
        f" | {run['most_age']:.0f} ms |"
        for run in found["runs"]
    ]
    machine = found["machine"]
    return "\n".join(
        [
            "| options | read a second | of one core, whole process | age, median | at most |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"{found['stream']}, {SECONDS} seconds each, on {machine['processor']}, {machine['cores']} cores, the"
            " stream's server beside it.",
        ]
    )


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
