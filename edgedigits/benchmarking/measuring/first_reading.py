"""What a fresh process does until it has read its first picture; run by cold_start.py and memory.py, never imported.

    python -c "import time; started = time.perf_counter_ns(); from ... import main; main(started)" ENGINE MODEL ...

Nothing is imported here at the top but what Python has loaded anyway: it would count as the library's import.
"""

import sys
import time
from pathlib import Path

LIBRARIES = {"litert": "ai_edge_litert.interpreter", "onnxruntime": "onnxruntime"}
"""What each engine imports; without it, loading would be measured with the library's import inside."""

CODE = (
    "import time; started = time.perf_counter_ns(); "
    "from edgedigits.benchmarking.measuring.first_reading import main; main(started)"
)


def main(started: int) -> None:
    """Read the first picture, then the others, and print a line `name=value` for each moment and each size.

    Moments are nanoseconds of the system's monotonic clock, which all processes share; sizes are bytes, left out where
    the system does not tell them.
    """
    engine, model, asked, device, threads, kernels, cores, contract, *pictures = sys.argv[1:]
    found = {"started": started, "before_bytes": resident("VmRSS")}
    import importlib

    importlib.import_module("edgedigits_runtime.reading.reader")
    importlib.import_module("edgedigits.model_files")
    if engine in LIBRARIES:
        importlib.import_module(LIBRARIES[engine])
    elif engine == "keras":
        # Its backend has to be chosen before it is imported.
        importlib.import_module("edgedigits_exporters.keras_backend").load_keras()
    found |= {"imported": time.perf_counter_ns(), "imported_bytes": resident("VmRSS")}
    from edgedigits.loading import load
    from edgedigits_runtime.engine_options import EngineOptions

    numbers = tuple(int(core) for core in cores.split(",") if core)
    options = EngineOptions(threads=int(threads), kernels=kernels, cores=numbers)  # type: ignore[arg-type]  # the parent checked it
    given = Path(contract) if contract else None
    reader = load(model, engine=asked or None, device=device, options=options, contract=given)
    found |= {"loaded": time.perf_counter_ns(), "loaded_bytes": resident("VmRSS")}
    reader.read(pictures[0])
    found["read"] = time.perf_counter_ns()
    for picture in pictures[1:]:
        reader.read(picture)
    found |= {"after_bytes": resident("VmRSS"), "peak_bytes": resident("VmHWM")}
    for name, value in found.items():
        if value is not None:
            print(f"{name}={value}")


def resident(field: str) -> int | None:
    """Return resident memory in bytes, now ("VmRSS") or at its highest ("VmHWM"); None where nothing tells it.

    Not getrusage's where it can be helped: that starts with what the process that started this one had.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return _highest_by_rusage() if field == "VmHWM" else None
    # proc_pid_status(5): in kB, which are 1024 bytes.
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), None)


def _highest_by_rusage() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    # getrusage(2): bytes on macOS, kB elsewhere.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
