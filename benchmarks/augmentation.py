"""What `train --augment` changes: accuracy of two networks on turned test images, side by side.

    python benchmarks/augmentation.py runs/published/plain-3conv-0 base

The first was trained plainly, the second with --augment, both from seed 0. Writes results/augmentation.json.
"""

import json
import sys
from pathlib import Path

from edgedigits.data.of_model import DataOptions, splits_of_model
from edgedigits.model_files import find_keras, open_model
from edgedigits.reports.rotation import RotationCurve, rotation_curve
from edgedigits_exporters.keras_backend import load_keras
from edgedigits_runtime.machine import describe_machine

RESULT = Path(__file__).parent / "results" / "augmentation.json"
SHOWN = (-45, -30, -15, 0, 15, 30, 45)


def measure(model: str) -> RotationCurve:
    """Return the rotation curve of a MODEL's Keras network on the test split."""
    file = find_keras(model)
    engine = open_model(file)
    test = splits_of_model(engine.contract, file, DataOptions()).test
    return rotation_curve(engine.run, test)


def main() -> None:
    """Measure both, write the figures and print them as a Markdown table."""
    plain, augmented = sys.argv[1:]
    load_keras()
    curves = {"plain": measure(plain), "with --augment": measure(augmented)}
    result = {
        "machine": describe_machine(),
        "images": curves["plain"].images,
        "degrees": curves["plain"].degrees,
        "accuracy": {name: [share.value for share in curve.accuracy] for name, curve in curves.items()},
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print("| degrees | " + " | ".join(str(angle) for angle in SHOWN) + " |")
    print("|---" * (1 + len(SHOWN)) + "|")
    for name, curve in curves.items():
        found = dict(zip(curve.degrees, curve.accuracy, strict=True))
        print(f"| {name} | " + " | ".join(f"{found[angle].value:.1%}" for angle in SHOWN) + " |")


if __name__ == "__main__":
    main()
