"""How many threads, and which kernels, suit networks of this size: `python -m benchmarks.threads`.

Writes the table of docs/engines.md. One image, pixels to probabilities, all settings in turn in one process.
"""

from pathlib import Path

from benchmarks.publishing import write_section
from edgedigits import load
from edgedigits.data import load_dataset
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import shipped_names
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.timing import interleaved

PAGE = Path(__file__).parent.parent / "docs" / "engines.md"

SETTINGS = {
    "LiteRT, 1 thread": ("litert", EngineOptions()),
    "LiteRT, 2 threads": ("litert", EngineOptions(threads=2)),
    "LiteRT, its own kernels": ("litert", EngineOptions(kernels="builtin")),
    "LiteRT, reference kernels": ("litert", EngineOptions(kernels="reference")),
    "ONNX Runtime, 1 thread": ("onnxruntime", EngineOptions()),
    "ONNX Runtime, 2 threads": ("onnxruntime", EngineOptions(threads=2)),
}


def table() -> str:
    """Return the microseconds of one image for each setting and shipped model, as Markdown."""
    test = load_dataset("mnist").test
    if test is None:
        raise SystemExit("MNIST brings a test split")
    image, names = test.images[:1], shipped_names()
    classifiers = {
        (setting, name): load(name, engine=engine, options=options).classifier
        for setting, (engine, options) in SETTINGS.items()
        for name in names
    }
    calls = {key: lambda classifier=classifier: classifier.predict(image) for key, classifier in classifiers.items()}
    ms = interleaved({"/".join(key): call for key, call in calls.items()}, rounds=15)
    machine = describe_machine()
    rows = [
        ["µs an image", *(f"`{name}`" for name in names)],
        ["---"] * (1 + len(names)),
        *([setting, *(f"{1000 * ms['/'.join((setting, name))]:.0f}" for name in names)] for setting in SETTINGS),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([*lines, "", f"Measured on {machine['processor']}, {machine['cores']} cores."])


def main() -> None:
    """Measure, and put the table into the page."""
    write_section(PAGE, "threads", table())


if __name__ == "__main__":
    main()
