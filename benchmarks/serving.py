"""How many requests `edgedigits serve` answers, how fast at half of that, and what it does under ten times the clients.

The load comes from hey (Debian package `hey`, see requirements/bench-packages.txt), on the machine and
cores of the server.
benchmarks/results/serving.json keeps the figures with the machine, and docs/serving.md a table of them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.publishing import write_section
from edgedigits.data import load_dataset
from edgedigits.machine.fingerprint import describe_machine
from edgedigits_runtime.machine import core_count, installed_version
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results" / "serving.json"
PAGE = Path(__file__).parent.parent / "docs" / "serving.md"

TARGET = 1500
"""Requests a second that are aimed at; latency is measured at half of it."""

CLIENTS, PACED, SECONDS, ROUNDS = 64, 15, 8, 3

TOOL = "hey 0.1.4"


@dataclass(frozen=True)
class Load:
    """What hey found.

    Attributes:
        what: was done.
        processes: of the server.
        clients: at a time.
        rate: requests a second that they were held to; None for as many as are answered.
        answered: requests a second.
        p50, p99: milliseconds.
        statuses: how many answers of each HTTP status.
        errors: requests without an answer, in all rounds.
    """

    what: str
    processes: int
    clients: int
    rate: int | None
    answered: float
    p50: float
    p99: float
    statuses: dict[str, int]
    errors: int


def main() -> None:
    """Measure, print, and write the figures with the machine."""
    if shutil.which("hey") is None:
        raise SystemExit("hey is not installed; run: make bench-serving")
    busy_before = os.getloadavg()[0]
    cores = core_count()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        picture = _picture(Path(folder))
        for processes in sorted({1, cores}):
            with server(processes) as url:
                found.append(_load("as many as are answered", url, picture, processes, CLIENTS))
                # Each of hey's clients keeps to its own rate, and all of them send at the same moments: bursts.
                found.append(_load("half of the aim", url, picture, processes, PACED, rate=TARGET // 2))
                found.append(_load("ten times the clients", url, picture, processes, 10 * CLIENTS))
    for each in found:
        print(each)
    versions = {name: installed_version(name) for name in ("starlette", "uvicorn", "httptools", "uvloop")}
    written = {
        "machine": describe_machine(),
        "server": versions,
        "tool": "hey 0.1.4",
        "load_average_before": busy_before,
    }
    write_whole(RESULTS, json.dumps({**written, "loads": [asdict(each) for each in found]}, indent=1) + "\n")
    write_table()


def write_table() -> None:
    """Write what serving.json holds into the page on serving."""
    write_section(PAGE, "serving", table(json.loads(RESULTS.read_text())))


def table(found: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    rows = [
        f"| {load['processes']} | {load['clients']}, {load['what']} | {load['answered']:,.0f} | {load['p50']:.1f} |"
        f" {load['p99']:.1f} | {_shares(load)} |"
        for load in found["loads"]
    ]
    machine = found["machine"]
    return "\n".join(
        [
            "| processes | clients | requests a second | p50 ms | p99 ms | answers |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"28x28 PNG files of MNIST as the body, {found['tool']} on the same cores, the median by p99 of {ROUNDS}"
            f" rounds of {SECONDS} s, on {machine['processor']}, {machine['cores']} cores"
            f"{', ' + found['conditions'] if found['conditions'] else ''}.",
        ]
    )


@contextmanager
def server(processes: int) -> Iterator[str]:
    """Start a server as users do, with its log; yield where it answers."""
    command = [sys.executable, "-m", "edgedigits", "serve", "--port", "0", "--workers", str(processes)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert running.stderr is not None
        welcome = running.stderr.readline()
        address = re.search(r"http://\S+/", welcome)
        if address is None:
            raise SystemExit(welcome + running.stderr.read())
        yield f"{address[0]}v1/read"
    finally:
        running.terminate()
        running.wait()


def _picture(folder: Path) -> Path:
    test = load_dataset("mnist").test
    if test is None:
        raise SystemExit("MNIST brings a test split")
    Image.fromarray(test.images[0, ..., 0]).save(folder / "7.png")
    return folder / "7.png"


def _load(what: str, url: str, picture: Path, processes: int, clients: int, *, rate: int | None = None) -> Load:
    command = ["hey", "-c", str(clients), "-m", "POST", "-T", "image/png", "-D", str(picture)]
    if rate is not None:
        command += ["-q", str(rate // clients)]
    _run([*command, "-z", "2s", url])  # Warms up: every process has to have opened its model.
    rounds = [_run([*command, "-z", f"{SECONDS}s", url]) for _ in range(ROUNDS)]
    loads = [_told(said, what, processes, clients, rate) for said in rounds]
    # A dropped connection of any round counts.
    dropped = sum(load.errors for load in loads)
    return replace(sorted(loads, key=lambda load: load.p99)[ROUNDS // 2], errors=dropped)


def _told(said: str, what: str, processes: int, clients: int, rate: int | None) -> Load:
    return Load(
        what, processes, clients, rate,
        answered=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        p50=1e3 * float(_found(r"50%+ in ([\d.]+) secs", said)),
        p99=1e3 * float(_found(r"99%+ in ([\d.]+) secs", said)),
        statuses={status: int(count) for status, count in re.findall(r"\[(\d+)\]\t(\d+) responses", said)},
        errors=sum(int(count) for count in re.findall(r"\[(\d+)\]\t", said.partition("Error distribution:")[2])),
    )  # fmt: skip


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"hey did not say {pattern}:\n{text}")
    return match[1]


def _shares(load: dict[str, Any]) -> str:
    told = [f"{count:,} times {status}" for status, count in load["statuses"].items()]
    return ", ".join([*told, f"{load['errors']} without an answer"])


if __name__ == "__main__":
    main()
