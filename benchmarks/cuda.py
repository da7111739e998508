"""Compare CUDA with the CPU, decision by decision on the MNIST test split: `python -m benchmarks.cuda`.

Needs an NVIDIA GPU and the [gpu] extra. The figures go to benchmarks/results/cuda.json.
"""

import json
import subprocess
from typing import Any

import numpy as np

from benchmarks.publishing import RESULTS, mnist_test, with_machine, write_results
from edgedigits.model_files import SHIPPED, open_model, shipped_names
from edgedigits_runtime.timing import interleaved


def compare(name: str) -> dict[str, Any]:
    """Compare a shipped model's `.onnx` file on both devices.

    Raises:
        DeviceUnavailable: CUDA does not start; the message names what is missing.
    """
    test = mnist_test()
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
    """Compare every shipped model, print and write the figures."""
    found = [compare(name) for name in shipped_names()]
    gpu = subprocess.run(
        ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    result = with_machine(gpu=gpu, models=found)
    print(json.dumps(result, indent=1))
    write_results(RESULTS / "cuda.json", result)


if __name__ == "__main__":
    main()
