"""Measure the figures of README, docs/models.md, docs/speed.md and docs/published.md: `make readme-results`.

The base model is measured here on the whole MNIST test split, into benchmarks/results/readme.json. The family's figures
come from its cards, published recipes from reproduce.json (`edgedigits reproduce`), and speeds from speed.json
(`make speed`). Accuracy and agreement do not depend on the machine; read times as ratios.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import publishing, speed
from benchmarks.family import beside_others, measure, page_table, readme_table, shipped_cards
from edgedigits import export
from edgedigits.data.dataset import Samples
from edgedigits.data.labelled_pictures import read_labelled
from edgedigits.loading import load
from edgedigits.model_files import SHIPPED, open_model
from edgedigits.verification.verify import verify_artifact
from edgedigits_runtime.intervals import wilson
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.reader import Reader
from edgedigits_runtime.timing import interleaved

README, MODELS = publishing.REPOSITORY / "README.md", publishing.DOCS / "models.md"
STORED = ("readme", "family_latency", "speed", "reproduce")
FORMATS = [(f, p) for f in ("onnx", "tflite") for p in ("float32", "float16", "int8", "dynamic")]


def measure_files() -> dict[str, Any]:
    """Return all figures."""
    test = publishing.mnist_test()
    keras = SHIPPED / "base.keras"
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for file_format, precision in FORMATS:
            path = Path(folder) / f"base-{precision}.{file_format}"
            files[file_format, precision] = export("base", format=file_format, precision=precision, out=path).path
        engines = {str(path): open_model(path) for path in (keras, *files.values())}
        image = test.images[:1]
        milliseconds = interleaved({path: partial(engine.run, image) for path, engine in engines.items()})
        for (file_format, precision), path in files.items():
            found = verify_artifact(path, keras, test, "test")
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
    return publishing.with_machine(rows=[reference, *rows], png=_read_as_png(test), examples=_read_examples())


def _read_as_png(test: Samples) -> dict[str, float]:
    """Return the accuracy on arrays, on PNG files of both polarities without rejection, and with the threshold."""
    reader = load(min_confidence=0)
    arrays = reader.classifier.predict(test.images).argmax(axis=1) == test.labels
    shares = {"arrays": float(arrays.mean())}
    for name, images in (("light on dark", test.images), ("dark on light", 255 - test.images)):
        shares[name] = _share_read(reader, images, test.labels)
    shares["with the threshold"] = _share_read(load(), test.images, test.labels)
    return shares


def _share_read(reader: Reader, images: Images, labels: NDArray[np.int64]) -> float:
    texts = [reader.read(publishing.png(image[..., 0])).text for image in images]
    return float(np.mean(np.array(texts) == labels.astype(str)))


def _read_examples() -> dict[str, int]:
    reader, pictures = load(), read_labelled(publishing.REPOSITORY / "examples")
    right = sum(reader.read(picture.path).text == picture.label for picture in pictures)
    return {"right": right, "of": len(pictures)}


def render(result: dict[str, Any]) -> str:
    """Return the figures of each file as Markdown."""
    machine, shares = result["machine"], result["png"]
    fastest = min(row["milliseconds"] for row in result["rows"])
    images = 10_000
    rows = []
    for row in result["rows"]:
        share = wilson(round(row["accuracy"] * images), images)
        rows.append([
            f"{row['format']} {row['precision']}", f"{share.value:.2%} ({share.low:.2%} to {share.high:.2%})",
            f"{row['agreement']:.2%}", f"{row['bytes']:,}", f"{row['milliseconds'] / fastest:.1f}",
        ])  # fmt: skip
    head = ("file", "accuracy, MNIST test", "agreement with Keras", "bytes", "one image, relative time")
    return (
        f"{publishing.table(head, rows)}\n\n"
        f"The 10,000 test images as PNG files, through the reader: {shares['light on dark']:.2%} light on dark and"
        f" {shares['dark on light']:.2%} dark on light, against {shares['arrays']:.2%} for the arrays; with the model's"
        f" threshold, which rejects likely non-digits, {shares['with the threshold']:.2%}.\n"
        f"Example pictures read right: {result['examples']['right']} of {result['examples']['of']}.\n"
        f"Measured on {publishing.place_of(machine)}, Python {machine['python']}; the fastest took"
        f" {fastest * 1000:.0f} µs an image, pixels to probabilities."
    )


def render_published(result: dict[str, Any]) -> str:
    """Return the table of published recipes as Markdown, from reproduce.json."""
    rows = []
    for row in result["rows"]:
        accuracy, int8 = row["test_accuracy"], row["exports"]["tflite-int8"]
        rows.append([
            f"`{row['recipe']}`", f"{row['parameters']:,}", str(row["published"]),
            f"{accuracy['mean']:.2%} ± {100 * (accuracy['std'] or 0):.2f}", f"{row['test_loss']['mean']:.4f}",
            f"{row['best_by_validation']['mean']:.2%}", f"{int8['accuracy']:.2%}, {int8['agreement']:.2%}",
        ])  # fmt: skip
    head = (
        "recipe", "parameters", "published", "ours, mean of the seeds", "loss", "best epoch by validation",
        "int8, agreement with Keras",
    )  # fmt: skip
    seeds = len(result["rows"][0]["test_accuracy"]["seeds"])
    return (
        f"{publishing.table(head, rows)}\n\n"
        f"{seeds} seeds each, ± is the standard deviation over them; the agreement with Keras is the lowest of the"
        f" seeds. Trained on {publishing.place_of(result['machine'])}."
    )


def main() -> None:
    """Measure, store the figures and write the sections."""
    publishing.write_results(publishing.RESULTS / "readme.json", measure_files())
    measure()
    write_pages()


def write_pages() -> None:
    """Write the sections from the stored figures."""
    stored = {name: publishing.read_results(publishing.RESULTS / f"{name}.json") for name in STORED}
    cards = shipped_cards()
    publishing.write_section(MODELS, "results", render(stored["readme"]))
    publishing.write_section(MODELS, "family", page_table(cards, stored["family_latency"]))
    publishing.write_section(README, "family", readme_table(cards, stored["family_latency"]))
    publishing.write_section(MODELS, "others", beside_others(cards))
    publishing.write_section(publishing.DOCS / "speed.md", "speed", speed.page_section(stored["speed"]))
    publishing.write_section(publishing.DOCS / "published.md", "published", render_published(stored["reproduce"]))


if __name__ == "__main__":
    main()
