"""Measure what the README says, and write it there: `make readme-results`.

The figures of the shipped model are measured here, on the whole MNIST test split; benchmarks/results/readme.json
keeps them with the machine, and those of the family are its cards'. Accuracy and agreement do not depend on the
machine, times do: read them as ratios. The table of published recipes is made of
benchmarks/results/reproduce.json, which `edgedigits reproduce` wrote, and that of speeds of speed.json (`make speed`).
"""

import io
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks import speed
from benchmarks.family import beside_others, measured_table, shipped_cards
from benchmarks.publishing import write_section
from edgedigits import export, load
from edgedigits.data import load_dataset
from edgedigits.data.dataset import Samples
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import SHIPPED, open_model
from edgedigits.verification.intervals import wilson
from edgedigits.verification.labelled_pictures import read_labelled
from edgedigits.verification.verify import verify_artifact
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.timing import interleaved

REPOSITORY = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
README = REPOSITORY / "README.md"
TRAINING = REPOSITORY / "docs" / "training.md"
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
    """Read every test image from a PNG file, in both polarities, against the arrays as they are.

    With no digit left out, which shows what the reader changes about them; and with the model's own threshold.
    """
    reader = load(min_confidence=0)
    arrays = reader.classifier.predict(test.images).argmax(axis=1) == test.labels
    shares = {"arrays": float(arrays.mean())}
    for name, images in (("light on dark", test.images), ("dark on light", 255 - test.images)):
        shares[name] = _share_read(reader, images, test.labels)
    shares["with the threshold"] = _share_read(load(), test.images, test.labels)
    return shares


def _share_read(reader: Reader, images: Images, labels: NDArray[np.int64]) -> float:
    texts = [reader.read(_png(image[..., 0])).text for image in images]
    return float(np.mean(np.array(texts) == labels.astype(str)))


def _read_examples() -> dict[str, int]:
    reader, pictures = load(), read_labelled(REPOSITORY / "examples")
    right = sum(reader.read(picture.path).text == picture.label for picture in pictures)
    return {"right": right, "of": len(pictures)}


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
        f" {png['dark on light']:.2%} dark on light, against {png['arrays']:.2%} for the arrays; with the model's"
        f" threshold, which leaves out what may be no digit, {png['with the threshold']:.2%}.",
        f"Example pictures read right: {result['examples']['right']} of {result['examples']['of']}.",
        f"Measured on {machine['processor']}, {machine['cores']} cores, Python {machine['python']};"
        f" the fastest took {fastest * 1000:.0f} µs an image, pixels to probabilities.",
    ]
    return "\n".join(lines)


def render_published(result: dict[str, Any]) -> str:
    """Return the table of published recipes as Markdown, from the rows of reproduce.json."""
    lines = [
        "| recipe | parameters | published | ours, mean of the seeds | loss | best epoch by validation"
        " | int8, decides as Keras |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        accuracy, int8 = row["test_accuracy"], row["exports"]["tflite-int8"]
        lines.append(
            f"| `{row['recipe']}` | {row['parameters']:,} | {row['published']}"
            f" | {accuracy['mean']:.2%} ± {100 * (accuracy['std'] or 0):.2f} | {row['test_loss']['mean']:.4f}"
            f" | {row['best_by_validation']['mean']:.2%} | {int8['accuracy']:.2%}, {int8['agreement']:.2%} |"
        )
    seeds = len(result["rows"][0]["test_accuracy"]["seeds"])
    machine = result["machine"]
    lines += [
        "",
        f"{seeds} seeds each, ± is the standard deviation over them; the share of decisions equal to Keras's is the"
        " lowest of the seeds."
        f" Trained on {machine['processor']}, {machine['cores']} cores.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, keep the figures and rewrite the README's sections."""
    result = measure()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "readme.json").write_text(json.dumps(result, indent=1) + "\n")
    write_section(README, "results", render(result))
    write_section(README, "family", measured_table())
    write_section(TRAINING, "others", beside_others(shipped_cards()))
    write_section(README, "speed", speed.table(json.loads((RESULTS / "speed.json").read_text())))
    write_section(README, "published", render_published(json.loads((RESULTS / "reproduce.json").read_text())))


if __name__ == "__main__":
    main()
