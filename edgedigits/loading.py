"""Load a MODEL and return a reader of pictures."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgedigits.model_files import (
    DEFAULT_FINDER,
    DEFAULT_MODEL,
    SHIPPED_BY_NAME,
    AnyPath,
    find_finder,
    find_model,
    open_model,
    sha256_in_card,
)
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.errors import ContractInvalid
from edgedigits_runtime.reading.candidates import Expect
from edgedigits_runtime.reading.decode import MAX_PIXELS
from edgedigits_runtime.reading.reader import Reader

if TYPE_CHECKING:
    from edgedigits_runtime.reading.find import Finder


def load(
    model: AnyPath = DEFAULT_MODEL,
    *,
    engine: str | None = None,
    device: str = "auto",
    options: EngineOptions | None = None,
    min_confidence: float | None = None,
    max_pixels: int | None = None,
    expect: Expect = "auto",
    length: int | None = None,
    finder: AnyPath | None = DEFAULT_FINDER,
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
        finder: a `.tflite` or `.onnx` file of the network that finds the digits, or "shipped" for the shipped one;
            None finds them by rules.

    Raises:
        EdgedigitsError: the model, engine or device cannot be used; see edgedigits_runtime.errors.
    """
    path = find_model(model, engine=engine, device=device)
    opened = open_model(path, engine=engine, device=device, options=options)
    if opened.contract.reader == "plain" and finder is not None:
        raise ContractInvalid(f"{path} takes whole pictures, in which nothing is searched; leave the finder out")
    return Reader(
        Classifier(opened),
        min_confidence=min_confidence,
        max_pixels=MAX_PIXELS if max_pixels is None else max_pixels,
        expect=expect,
        length=length,
        finder=_finder(finder, device, options),
    )


def _finder(
    finder: AnyPath | None, device: str, options: EngineOptions | None
) -> "Finder | Callable[[], Finder] | None":
    path = find_finder(finder, device=device)
    if path is None:
        return None
    opening = partial(_open_finder, path, device, options)
    # What was shipped can be opened, so it is when a picture needs it; what a user names is refused at once.
    return opening if finder == SHIPPED_BY_NAME and device in ("auto", "cpu") else opening()


def _open_finder(path: Path, device: str, options: EngineOptions | None) -> "Finder":
    if trusted := sha256_in_card(path):
        options = replace(options or EngineOptions(), trusted_sha256=trusted)
    # A reader without a finder starts without it.
    from edgedigits_runtime.engines.finder_network import open_finder_network
    from edgedigits_runtime.reading.find import Finder
    from edgedigits_runtime.reading.judge import LEAST_SCORE

    if options is None or options.isolation is None:
        network = open_finder_network(path, device, options)
    else:
        from edgedigits_runtime.engines.isolated_finder import open_isolated_finder

        network = open_isolated_finder(path, device, options)
    return Finder(network, threshold=LEAST_SCORE)
