"""Compare edgedigits with other ways to read digits in one run: picture by picture, and as whole processes."""

import importlib
import importlib.util
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.peers.engines import PEERS, Peer
from edgedigits.benchmarking.comparable import MachineMonitor
from edgedigits.benchmarking.measuring.latency_summary import INTERVAL, PERCENTILE, summarise
from edgedigits.benchmarking.measuring.sampling import Call, check_forward, examine_clock
from edgedigits.benchmarking.measuring.workload import load_workload
from edgedigits.benchmarking.results.result_file import Result, ResultFile, plain
from edgedigits.benchmarking.side_by_side.interleaving import (
    METHOD,
    Candidate,
    InterleavedRun,
    Plan,
    measured_section,
    paired_ratio,
)
from edgedigits.benchmarking.side_by_side.matrix import file_facts
from edgedigits.model_files import DEFAULT_MODEL, SHIPPED, shipped_names
from edgedigits_runtime.errors import DataNotFound, UnknownName
from edgedigits_runtime.native_messages import silenced

PICTURES = "small"
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1")}
SVC_IMAGES, DRAWN_IMAGES, SVC_SEED = 10_000, 2_000, 3
PROCESS_TIMEOUT = 600.0
"""Seconds."""


@dataclass(frozen=True)
class PeersRequest:
    """The options of `python -m benchmarks.peers`.

    Attributes:
        model: a shipped name, since every peer needs the model in its own format.
        only: names of PEERS; all if empty. edgedigits itself is always included.
        plan: how much to measure picture by picture.
        processes: counted whole processes of each peer, after one that fills the disk's cache.
    """

    model: str = DEFAULT_MODEL
    only: tuple[str, ...] = ()
    plan: Plan = Plan()
    processes: int = 3


@dataclass
class _Entry:
    """A peer of this run with its file; `error` is the reason if it is not measured."""

    name: str
    peer: Peer
    file: Path | None = None
    error: str = ""
    facts: Result = field(default_factory=dict)
    processes: list[float] = field(default_factory=list)
    process_error: str = ""


def missing(peer: Peer) -> str:
    """Return which needed packages are not installed, and the command to install them; empty if none."""
    absent = [name for name in peer.needs if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(absent)}; {peer.install}" if absent else ""


def open_peer(module: str, model: str, pictures: NDArray[np.uint8]) -> tuple[Call, Result]:
    """Open a peer in its process; see edgedigits.benchmarking.side_by_side.measuring_process."""
    os.environ.update(QUIET)
    count = len(pictures)
    # TensorFlow and LiteRT log the processor's features on the terminal.
    with silenced():
        classify = importlib.import_module(module).load(model)
        answers = [classify(picture) for picture in pictures]
    return lambda number: classify(pictures[number % count]), {"answers": answers}


def run_peers(
    request: PeersRequest, out: Path | None = None, progress: Callable[[str], None] = lambda _: None
) -> Result:
    """Measure edgedigits and its peers in turns, writing the result as it grows.

    Args:
        out: of the result file; None keeps it in memory.
        progress: called with a few words on what is done.

    Raises:
        UnknownName: no such shipped model or peer.
        MeasurementError, ClockError: nothing can be measured.
        OutputNotWritable: the file cannot be written.
    """
    if request.model not in shipped_names():
        raise UnknownName("shipped model (peers need its .keras and .onnx file too)", request.model, shipped_names())
    chosen = _chosen(request.only)
    workload = load_workload("invoke", PICTURES)
    file = ResultFile("peers", out)
    file.put("clock", examine_clock())
    model = {"name": request.model, "sha256": file_facts(SHIPPED / f"{request.model}.keras")["sha256"]}
    file.put("workload", {"what": "classify", "pictures": workload.to_dict(), "model": model})
    method = {**METHOD, "percentile": PERCENTILE, "interval": INTERVAL, **asdict(request.plan)}
    file.put("method", {**method, "processes": request.processes, "threads": "each library's default"})
    with tempfile.TemporaryDirectory(prefix="edgedigits-") as place:
        entries = [_entry(name, request.model, Path(place)) for name in chosen]
        _measure(entries, request, workload.files, file, progress)
    return file.finish()


def _chosen(only: Sequence[str]) -> list[str]:
    for name in only:
        if name not in PEERS:
            raise UnknownName("peer", name, PEERS)
    return [name for name in PEERS if not only or name in only or name == next(iter(PEERS))]


def _entry(name: str, model: str, place: Path) -> _Entry:
    peer = PEERS[name]
    if absent := missing(peer):
        return _Entry(name, peer, error=absent)
    if peer.file == ".svc":
        path = place / "model.svc"
        return _Entry(name, peer, path, facts={"training": train_svc(path)})
    return _Entry(name, peer, SHIPPED / f"{model}{peer.file}")


def train_svc(path: Path) -> Result:
    """Train and write a support vector machine; return the facts of its training, which determine its speed."""
    import pickle

    from sklearn.svm import SVC

    images, labels, source = _svc_images()
    machine = SVC(C=10).fit(images.reshape(len(images), -1) / np.float32(255), labels)
    path.write_bytes(pickle.dumps(machine))
    return {"images": len(images), "from": source, "support_vectors": int(machine.n_support_.sum())}


def _svc_images() -> tuple[NDArray[np.uint8], NDArray[np.int64], str]:
    from edgedigits.data import load_dataset
    from edgedigits_runtime.synthetic.samples import mnist_like

    try:
        train = load_dataset("mnist", download=False).train
    except DataNotFound:
        return *mnist_like(DRAWN_IMAGES, SVC_SEED), "drawn digits, since MNIST is not on this machine"
    chosen = np.random.default_rng(SVC_SEED).permutation(len(train.labels))[:SVC_IMAGES]
    return train.images[chosen], train.labels[chosen].astype(np.int64), "MNIST's training split"


def _measure(
    entries: list[_Entry],
    request: PeersRequest,
    files: Sequence[Path],
    file: ResultFile,
    progress: Callable[[str], None],
) -> None:
    pictures = np.stack([np.asarray(Image.open(path).convert("L")) for path in files])
    usable = [entry for entry in entries if entry.file]
    run = InterleavedRun([_candidate(entry, pictures) for entry in usable], request.plan)
    monitor = MachineMonitor(file.put)

    def save_rows(text: str) -> None:
        file.put("rows", _rows(entries, run))
        monitor.look()
        progress(text)

    run.measure(lambda rounds: save_rows(f"round {rounds} of {request.plan.rounds}"), progress)
    drawn = random.Random(request.plan.seed)
    for number in range(1 + request.processes):
        for entry in drawn.sample(usable, len(usable)):
            _whole_process(entry, request.model, files[number % len(files)], counted=number > 0)
            save_rows(f"process {number} of {request.processes}: {entry.peer.title}")
    monitor.finish()


def _candidate(entry: _Entry, pictures: NDArray[np.uint8]) -> Candidate:
    arguments = {"module": entry.peer.module, "model": str(entry.file), "pictures": pictures}
    # One process for TensorFlow, which is large and slow to import.
    group = "tensorflow" if "tensorflow" in entry.peer.needs else entry.name
    return Candidate(entry.name, group, f"{__name__}:open_peer", arguments)


def _whole_process(entry: _Entry, model: str, picture: Path, *, counted: bool) -> None:
    """Run a peer's program, and keep its milliseconds."""
    if entry.process_error:
        return
    program = importlib.util.find_spec(entry.peer.module)
    given = model if entry.peer is PEERS["edgedigits"] else str(entry.file)
    command = [sys.executable, str(program.origin if program else ""), given, str(picture)]
    start = time.perf_counter_ns()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROCESS_TIMEOUT, check=False, env={**os.environ, **QUIET}
        )
    except subprocess.TimeoutExpired:
        entry.process_error = f"its process did not end within {PROCESS_TIMEOUT:.0f} s"
        return
    taken = time.perf_counter_ns() - start
    check_forward(taken)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        entry.process_error = f"its process ended with exit code {done.returncode}: {lines[-1]}"
    elif counted:
        entry.processes.append(taken / 1e6)


def _rows(entries: Sequence[_Entry], run: InterleavedRun) -> list[Result]:
    """Return the rows as a result holds them."""
    ours = run.found.get(entries[0].name)
    theirs = entries[0].processes
    rows = []
    for entry in entries:
        one = run.found.get(entry.name)
        section = measured_section(one, run.plan)
        times = paired_ratio(one.medians, ours.medians) if one and ours else None
        whole = paired_ratio(dict(enumerate(entry.processes)), dict(enumerate(theirs)))
        rows.append(
            {
                "name": entry.peer.title,
                "peer": entry.name,
                "file": file_facts(entry.file) if entry.file else None,
                **{key: section[key] for key in ("warmup", "calls_per_block", "latency", "rounds")},
                "agreement": _agreement(one.facts if one else {}, ours.facts if ours else {}),
                "times_ours": asdict(times) if times else None,
                "process": plain(summarise(np.array(entry.processes))) if entry.processes else None,
                "process_rounds": entry.processes,
                "process_times_ours": asdict(whole) if whole else None,
                **entry.facts,
                "error": entry.error or (one.error if one else "") or entry.process_error,
            }
        )
    return rows


def _agreement(facts: Result, ours: Result) -> float | None:
    """Return the share of pictures with the same answer as edgedigits."""
    if not facts.get("answers") or not ours.get("answers"):
        return None
    return float(np.mean(np.array(facts["answers"]) == np.array(ours["answers"])))
