"""Measure `edgedigits serve`: requests a second, latency at half the target, and ten times the clients.

The load comes from hey (Debian package `hey`, see requirements/bench-packages.txt) on the server's own cores:
`make bench-serving`. The figures go to benchmarks/results/serving.json, and a table to docs/serving.md.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks import publishing
from edgedigits_runtime.machine import core_count, installed_version

RESULTS = publishing.RESULTS / "serving.json"

TARGET = 1500
"""Target of requests a second; latency is measured at half of it."""

CLIENTS, PACED, SECONDS, ROUNDS = 64, 15, 8, 3

TOOL = "hey 0.1.4"


@dataclass(frozen=True)
class Load:
    """One measurement by hey.

    Attributes:
        processes: of the server.
        clients: at a time.
        rate: limit of requests a second; None for no limit.
        answered: requests a second.
        p50, p99: milliseconds.
        statuses: count of answers by HTTP status.
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
    """Measure, print and write the figures."""
    if shutil.which("hey") is None:
        raise SystemExit("hey is not installed; run: make bench-serving")
    busy_before = os.getloadavg()[0]
    cores = core_count()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "7.png"
        picture.write_bytes(publishing.png(publishing.mnist_test().images[0, ..., 0]))
        for processes in sorted({1, cores}):
            with server(processes) as url:
                found.append(_load("as many as are answered", url, picture, processes, CLIENTS))
                # hey's clients all send at the same moments, so this load comes in bursts.
                found.append(_load("half of the aim", url, picture, processes, PACED, rate=TARGET // 2))
                found.append(_load("ten times the clients", url, picture, processes, 10 * CLIENTS))
    for each in found:
        print(each)
    versions = {name: installed_version(name) for name in ("starlette", "uvicorn", "httptools", "uvloop")}
    measured = publishing.with_machine(server=versions, tool=TOOL, load_average_before=busy_before, loads=found)
    publishing.write_results(RESULTS, measured)
    publishing.write_section(publishing.DOCS / "serving.md", "serving", page_section(publishing.read_results(RESULTS)))


def page_section(found: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    rows = []
    for load in found["loads"]:
        answers = [f"{count:,} times {status}" for status, count in load["statuses"].items()]
        answers.append(f"{load['errors']} without an answer")
        rows.append([str(load["processes"]), f"{load['clients']}, {load['what']}", f"{load['answered']:,.0f}",
                     f"{load['p50']:.1f}", f"{load['p99']:.1f}", ", ".join(answers)])  # fmt: skip
    conditions = ", ".join(filter(None, [publishing.place_of(found["machine"]), found.get("conditions")]))
    written = publishing.table(["processes", "clients", "requests a second", "p50 ms", "p99 ms", "answers"], rows)
    method = f"{found['tool']} on the same cores, the median by p99 of {ROUNDS} rounds of {SECONDS} s"
    return f"{written}\n\n28x28 PNG files of MNIST as the body, {method}, on {conditions}."


@contextmanager
def server(processes: int) -> Iterator[str]:
    """Start a server as users do, and yield its address."""
    command = [sys.executable, "-m", "edgedigits", "serve", "--port", "0", "--workers", str(processes)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert running.stderr is not None
        first = running.stderr.readline()
        address = re.search(r"http://\S+/", first)
        if address is None:
            raise SystemExit(first + running.stderr.read())
        yield f"{address[0]}v1/read"
    finally:
        running.terminate()
        running.wait()


def _load(what: str, url: str, picture: Path, processes: int, clients: int, *, rate: int | None = None) -> Load:
    command = ["hey", "-c", str(clients), "-m", "POST", "-T", "image/png", "-D", str(picture)]
    if rate is not None:
        command += ["-q", str(rate // clients)]
    # Warm up, so that every process opens its model.
    _run([*command, "-z", "2s", url])
    rounds = [_run([*command, "-z", f"{SECONDS}s", url]) for _ in range(ROUNDS)]
    loads = [_parse(output, what, processes, clients, rate) for output in rounds]
    # A dropped connection of any round counts.
    dropped = sum(load.errors for load in loads)
    return replace(sorted(loads, key=lambda load: load.p99)[ROUNDS // 2], errors=dropped)


def _parse(output: str, what: str, processes: int, clients: int, rate: int | None) -> Load:
    return Load(
        what, processes, clients, rate,
        answered=float(_found(r"Requests/sec:\s+([\d.]+)", output)),
        p50=1e3 * float(_found(r"50%+ in ([\d.]+) secs", output)),
        p99=1e3 * float(_found(r"99%+ in ([\d.]+) secs", output)),
        statuses={status: int(count) for status, count in re.findall(r"\[(\d+)\]\t(\d+) responses", output)},
        errors=sum(int(count) for count in re.findall(r"\[(\d+)\]\t", output.partition("Error distribution:")[2])),
    )  # fmt: skip


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise SystemExit(f"expected {pattern} in the output of hey; got:\n{text}")
    return match[1]


if __name__ == "__main__":
    main()
