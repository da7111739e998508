"""CUDA against the CPU, decision by decision on the MNIST test split: `python -m benchmarks.cuda`.

Needs an NVIDIA GPU and the [gpu] extra. The figures go to benchmarks/results/cuda.json with the machine.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from edgedigits.data import load_dataset
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import SHIPPED, open_model, shipped_names
from edgedigits_runtime.timing import interleaved
from edgedigits_runtime.whole_files import write_whole

RESULTS = Path(__file__).parent / "results" / "cuda.json"


def compare(name: str) -> dict[str, Any]:
    """Compare a shipped model's `.onnx` file on both devices.

    Raises:
        DeviceUnavailable: CUDA does not start; the message names what is missing.
    """
    test = load_dataset("mnist").test
    if test is None:
        raise SystemExit("MNIST brings a test split")
    path = SHIPPED / f"{name}.onnx"
    with open_model(path, device="cuda") as cuda, open_model(path, device="cpu") as cpu:
        there, here = cuda.run(test.images), cpu.run(test.images)
        calls = {
            f"{engine.device}, {count:,} at once": lambda engine=engine, count=count: engine.run(test.images[:count])
            for engine in (cuda, cpu)
            for count in (1, len(test.images))
        }
        return {
            "model": name,
            "device": cuda.device,
            "providers": list(cuda.providers),
            "images": len(test.images),
            "other_decisions": int(np.count_nonzero(there.argmax(axis=1) != here.argmax(axis=1))),
            "largest_difference": float(np.abs(there - here).max()),
            "milliseconds": interleaved(calls, rounds=2),
        }


def main() -> None:
    """Compare every shipped model, print and keep the figures."""
    found = [compare(name) for name in shipped_names()]
    gpu = subprocess.run(
        ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    text = json.dumps({"gpu": gpu, "machine": describe_machine(), "models": found}, indent=1)
    print(text)
    write_whole(RESULTS, text + "\n")


if __name__ == "__main__":
    main()
