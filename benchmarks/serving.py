"""Measure `edgedigits serve`: requests a second, latency at half the target, and ten times the clients.

CPU time a request is measured in turns with a bare uvicorn application that does the same with Pillow and LiteRT.
The load comes from hey (Debian package `hey`, see requirements/bench-packages.txt) on the server's own cores:
`make bench-serving`. The figures go to benchmarks/results/serving.json, and a table to docs/serving.md.
"""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from benchmarks import publishing
from edgedigits.model_files import SHIPPED
from edgedigits_runtime.machine import core_count, installed_version

RESULTS = publishing.RESULTS / "serving.json"

TARGET = 1500
"""Target of requests a second; latency is measured at half of it."""

CLIENTS, PACED, SECONDS, ROUNDS = 64, 15, 8, 3

TOOL = "hey 0.1.4"


BARE = """
import io, json, sys
import numpy as np, uvicorn
from PIL import Image
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
given, answer = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    with Image.open(io.BytesIO(body)) as image:
        pixels = np.asarray(image)
    interpreter.set_tensor(given, (pixels ^ 0x80).view(np.int8)[None, :, :, None])
    interpreter.invoke()
    digit = int(interpreter.get_tensor(answer)[0].argmax())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps({"digit": digit}).encode()})

uvicorn.run(app, port=int(sys.argv[2]), http="httptools", loop="uvloop", log_level="warning")
"""
"""What anyone would write: no limits, no reading, one picture after the other."""

CPU_CLIENTS, CPU_SECONDS, CPU_ROUNDS = (1, 64, 256), 3, 3


@dataclass(frozen=True)
class Cost:
    """CPU a request of one process, in turns with the bare application.

    Attributes:
        ours, bare: median milliseconds of CPU a request.
        p50: milliseconds; bare_p50: of the bare application.
    """

    clients: int
    ours: float
    bare: float
    p50: float
    bare_p50: float


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
    """Measure, print and write the figures; with the argument `cpu`, only measure and print CPU time a request."""
    if shutil.which("hey") is None:
        raise SystemExit("hey is not installed; run: make bench-serving")
    busy_before = os.getloadavg()[0]
    cores = core_count()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "7.png"
        picture.write_bytes(publishing.png(publishing.mnist_test().images[0, ..., 0]))
        costs = _costs(picture)
        for cost in costs:
            print(cost, f"{cost.ours / cost.bare:.2f} times", flush=True)
        if sys.argv[1:] == ["cpu"]:
            return
        for processes in sorted({1, cores}):
            with server(processes) as url:
                found.append(_load("as many as are answered", url, picture, processes, CLIENTS))
                # hey's clients all send at the same moments, so this load comes in bursts.
                found.append(_load("half of the aim", url, picture, processes, PACED, rate=TARGET // 2))
                found.append(_load("ten times the clients", url, picture, processes, 10 * CLIENTS))
    for each in found:
        print(each)
    versions = {name: installed_version(name) for name in ("starlette", "uvicorn", "httptools", "uvloop")}
    measured = publishing.with_machine(
        server=versions, tool=TOOL, load_average_before=busy_before, costs=costs, loads=found
    )
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
    by_clients = [
        [str(cost["clients"]), f"{cost['ours']:.2f}", f"{cost['ours'] / cost['bare']:.2f}", f"{cost['p50']:.1f}",
         f"{cost['bare_p50']:.1f}"]
        for cost in found.get("costs", ())
    ]  # fmt: skip
    head = ["clients", "CPU ms a request", "times the bare application", "p50 ms", "p50 ms of the bare one"]
    costs = (
        f"{publishing.table(head, by_clients)}\n\nOne process, against uvicorn with Pillow and LiteRT alone, in turns."
    )
    return f"{written}\n\n28x28 PNG files of MNIST as the body, {method}, on {conditions}.\n\n{costs}"


def _costs(picture: Path) -> list[Cost]:
    with _bare_server() as (bare, bare_process), _measured_server() as (ours, our_process):
        servers = {"ours": (ours, our_process), "bare": (bare, bare_process)}
        return [_cost(servers, picture, clients) for clients in CPU_CLIENTS]


def _cost(servers: dict[str, tuple[str, psutil.Process]], picture: Path, clients: int) -> Cost:
    cpu: dict[str, list[float]] = {name: [] for name in servers}
    p50: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(CPU_ROUNDS + 1):
        for name, (url, process) in servers.items():
            before = sum(process.cpu_times()[:2])
            command = ["hey", "-c", str(clients), "-m", "POST", "-T", "image/png", "-D", str(picture)]
            load = _parse(_run([*command, "-z", f"{CPU_SECONDS}s", url]), name, 1, clients, None)
            cpu[name].append(1e3 * (sum(process.cpu_times()[:2]) - before) / load.statuses["200"])
            p50[name].append(load.p50)
    # The first round warms up.
    ours, bare = (statistics.median(cpu[name][1:]) for name in servers)
    return Cost(clients, ours, bare, *(statistics.median(p50[name][1:]) for name in servers))


@contextmanager
def _measured_server() -> Iterator[tuple[str, psutil.Process]]:
    with server(1) as url:
        # With one process, the server is our only child beside the bare one, and the youngest.
        yield url, max(psutil.Process().children(), key=psutil.Process.create_time)


@contextmanager
def _bare_server() -> Iterator[tuple[str, psutil.Process]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = subprocess.Popen([sys.executable, "-c", BARE, str(SHIPPED / "base.tflite"), str(port)])
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if running.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the bare application did not start") from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/", psutil.Process(running.pid)
    finally:
        running.terminate()
        running.wait()


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
