"""Measure what the README says of the shipped model, and write it there: `make readme-results`.

Every figure is measured here, on the whole MNIST test split; benchmarks/results/readme.json keeps them with the
machine. Accuracy and agreement do not depend on the machine, times do: read them as ratios.
"""

import io
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgedigits import export, load
from edgedigits.data import load_dataset
from edgedigits.data.dataset import Samples
from edgedigits.data.labels import read_labels
from edgedigits.model_files import SHIPPED, open_model
from edgedigits.verification.statistics import wilson
from edgedigits.verification.verify import verify_artifact
from edgedigits_runtime.machine import describe_machine
from edgedigits_runtime.timing import interleaved

REPOSITORY = Path(__file__).parent.parent
RESULT = Path(__file__).parent / "results" / "readme.json"
START, END = "<!-- results: made by make readme-results -->", "<!-- end of results -->"
FORMATS = [(f, p) for f in ("onnx", "tflite") for p in ("float32", "float16", "int8", "dynamic")]


def measure() -> dict[str, Any]:
    """Return all figures."""
    dataset = load_dataset("mnist")
    if dataset.test is None:
        raise SystemExit("MNIST has a test split")
    keras = SHIPPED / "base.keras"
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for file_format, precision in FORMATS:
            path = Path(folder) / f"base-{precision}.{file_format}"
            files[file_format, precision] = export("base", format=file_format, precision=precision, out=path).path
        engines = {str(path): open_model(path) for path in (keras, *files.values())}
        image = dataset.test.images[:1]
        milliseconds = interleaved({path: partial(engine.run, image) for path, engine in engines.items()})
        for (file_format, precision), path in files.items():
            found = verify_artifact(path, keras, dataset.test, "test")
            rows.append(
                {
                    "format": file_format,
                    "precision": precision,
                    "bytes": path.stat().st_size,
                    "accuracy": found.comparison.artifact_accuracy.value,
                    "agreement": found.comparison.agreement,
                    "passed": found.passed,
                    "milliseconds": milliseconds[str(path)],
                }
            )
        reference = {
            "format": "keras",
            "precision": "float32",
            "bytes": keras.stat().st_size,
            "accuracy": found.comparison.keras_accuracy.value,
            "agreement": 1.0,
            "passed": True,
            "milliseconds": milliseconds[str(keras)],
        }
    return {
        "machine": describe_machine(),
        "rows": [reference, *rows],
        "png": _read_as_png(dataset.test),
        "examples": _read_examples(),
    }


def _read_as_png(test: Samples) -> dict[str, float]:
    """Read every test image from a PNG file, in both polarities, against the arrays as they are."""
    reader = load(min_confidence=0)
    arrays = reader.classifier.predict(test.images).argmax(axis=1) == test.labels
    shares = {"arrays": float(arrays.mean())}
    for name, images in (("light on dark", test.images), ("dark on light", 255 - test.images)):
        read = [reader.read(_png(image[..., 0])).text for image in images]
        shares[name] = float(np.mean([text == str(label) for text, label in zip(read, test.labels, strict=True)]))
    return shares


def _read_examples() -> dict[str, int]:
    reader, labels = load(), read_labels(REPOSITORY / "examples")
    return {"right": sum(reader.read(picture).text == label for picture, label in labels), "of": len(labels)}


def _png(image: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def render(result: dict[str, Any]) -> str:
    """Return the README's section as Markdown."""
    machine, png = result["machine"], result["png"]
    fastest = min(row["milliseconds"] for row in result["rows"])
    images = 10_000
    lines = [
        "| file | accuracy, MNIST test | decides as Keras | bytes | one image, times the fastest |",
        "|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        share = wilson(round(row["accuracy"] * images), images)
        lines.append(
            f"| {row['format']} {row['precision']} | {share.value:.2%} ({share.low:.2%} to {share.high:.2%})"
            f" | {row['agreement']:.2%} | {row['bytes']:,} | {row['milliseconds'] / fastest:.1f} |"
        )
    lines += [
        "",
        f"The 10,000 test images as PNG files, through the reader: {png['light on dark']:.2%} light on dark and"
        f" {png['dark on light']:.2%} dark on light, against {png['arrays']:.2%} for the arrays.",
        f"Example pictures read right: {result['examples']['right']} of {result['examples']['of']}.",
        f"Measured on {machine['processor']}, {machine['cores']} cores, Python {machine['python']};"
        f" the fastest took {fastest * 1000:.0f} µs an image, pixels to probabilities.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, keep the figures and rewrite the README's section."""
    result = measure()
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    readme = REPOSITORY / "README.md"
    before, _, rest = readme.read_text().partition(START)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{START}\n{render(result)}\n{END}{after}")
    print(render(result))


if __name__ == "__main__":
    main()
