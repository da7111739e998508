"""Load a MODEL and return a reader of pictures."""

from pathlib import Path

from edgedigits.model_files import DEFAULT_MODEL, find_model, open_model
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.reading.criteria import Expect
from edgedigits_runtime.reading.decode import MAX_PIXELS
from edgedigits_runtime.reading.reader import Reader


def load(
    model: str | Path = DEFAULT_MODEL,
    *,
    engine: str | None = None,
    device: str = "auto",
    options: EngineOptions | None = None,
    min_confidence: float | None = None,
    max_pixels: int | None = None,
    expect: Expect = "auto",
    length: int | None = None,
) -> Reader:
    """Return a reader of pictures.

    Args:
        model: a shipped name, a run folder, or a `.keras`, `.onnx` or `.tflite` file.
        engine: "litert", "onnxruntime" or "keras"; chosen by file type if None.
        device: "auto", "cpu", or an accelerator of ONNX Runtime such as "cuda" or "cuda:1".
        options: threads, workers, kernels and cores; the defaults if None.
        min_confidence: what is read with less is left out; None is the model's own threshold.
        max_pixels: larger pictures are refused; None is the default limit.
        expect: "one" digit a picture, one "number", a "page" of lines, or "auto".
        length: how many digits a picture holds; None for any number.

    Raises:
        EdgedigitsError: the model, engine or device cannot be used; see edgedigits_runtime.errors.
    """
    path = find_model(model, engine=engine, device=device)
    opened = open_model(path, engine=engine, device=device, options=options)
    return Reader(
        Classifier(opened),
        min_confidence=min_confidence,
        max_pixels=max_pixels or MAX_PIXELS,
        expect=expect,
        length=length,
    )
