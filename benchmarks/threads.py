"""Measure threads and kernels on the shipped models, and write docs/engines.md: `python -m benchmarks.threads`.

One image, pixels to probabilities, all settings in turns in one process.
"""

from benchmarks.publishing import DOCS, mnist_test, place_of, table, write_section
from edgedigits.loading import load
from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import shipped_names
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.timing import interleaved

SETTINGS = {
    "LiteRT, 1 thread": ("litert", EngineOptions()),
    "LiteRT, 2 threads": ("litert", EngineOptions(threads=2)),
    "LiteRT, its own kernels": ("litert", EngineOptions(kernels="builtin")),
    "LiteRT, reference kernels": ("litert", EngineOptions(kernels="reference")),
    "ONNX Runtime, 1 thread": ("onnxruntime", EngineOptions()),
    "ONNX Runtime, 2 threads": ("onnxruntime", EngineOptions(threads=2)),
}


def measured_table() -> str:
    """Return the microseconds of one image for each setting and shipped model, as Markdown."""
    image, names = mnist_test().images[:1], shipped_names()
    classifiers = {
        (setting, name): load(name, engine=engine, options=options).classifier
        for setting, (engine, options) in SETTINGS.items()
        for name in names
    }
    calls = {key: lambda classifier=classifier: classifier.predict(image) for key, classifier in classifiers.items()}
    ms = interleaved({"/".join(key): call for key, call in calls.items()}, rounds=15)
    rows = [[setting, *(f"{1000 * ms['/'.join((setting, name))]:.0f}" for name in names)] for setting in SETTINGS]
    written = table(["µs an image", *(f"`{name}`" for name in names)], rows)
    return f"{written}\n\nMeasured on {place_of(describe_machine())}."


if __name__ == "__main__":
    write_section(DOCS / "engines.md", "threads", measured_table())
