"""Take one kind of model through edgedigits, and compare every outcome with the bare engines."""

import json
import re
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import edgedigits
from benchmarks.imports import bare
from benchmarks.imports.kind import Kind, Source, probabilities
from benchmarks.publishing import png
from edgedigits.data import load_dataset
from edgedigits.importing.import_model import Imported
from edgedigits.model_files import open_model
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ContractMissing, EdgedigitsError
from edgedigits_runtime.synthetic.handwriting import draw_digit

TFLITE = ("float32", "float16", "dynamic", "int8")
COLUMNS = ("import", "onnx", *(f"tflite {precision}" for precision in TFLITE), "c", "verify", "predict")

TOLERANCE = 1e-4
"""Of probabilities. It is less than a step of an int8 output, so quantized outputs must be equal."""
LOOSE = 0.01
"""Of hybrid files, which quantize activations as they run: the last bit of an input moves a value by a step."""

FOLDER = re.compile(r"/\S+/")
"""The folders of a path, which differ from machine to machine."""

DRAWN, DRAWN_SIZE = 10, 96
LEAST_READ = 0.6
"""Share of pictures that a proven model must read: at chance, 6 of 10 come about once in 7,000 times."""


@dataclass(frozen=True)
class Cell:
    """One outcome: "proven", "unverified", "refused", "wrong" or "skipped", and the figure or the reason."""

    state: str
    text: str


@dataclass(frozen=True)
class Row:
    """The outcomes of a kind, by COLUMNS; `seconds` are those of the import."""

    group: str
    name: str
    refused: bool
    seconds: float
    cells: dict[str, Cell]

    @property
    def right(self) -> bool:
        """Whether nothing is wrong, and the import was refused where it must be and only there."""
        states = {column: cell.state for column, cell in self.cells.items()}
        return "wrong" not in states.values() and (states["import"] == "refused") == self.refused


class Wrong(Exception):
    """An outcome that edgedigits takes for right, and is not."""


class Unverified(Exception):
    """An artifact that was made, with a note that it was not compared."""


def reason_of(error: Exception) -> str:
    """Return the class and the message of an error, without the folders of this machine."""
    return FOLDER.sub("", f"{type(error).__name__}: {error}")


def attempt(step: Callable[[], str]) -> Cell:
    """Return the outcome of a step; an error that is not edgedigits's own is a bug."""
    try:
        return Cell("proven", step())
    except EdgedigitsError as error:
        return Cell("refused", reason_of(error))
    except Unverified as error:
        return Cell("unverified", reason_of(error))
    except Exception as error:  # noqa: BLE001
        # One bug must not hide the other rows.
        last = traceback.extract_tb(error.__traceback__)[-1]
        return Cell("wrong", f"{reason_of(error)} ({Path(last.filename).name}:{last.lineno})")


def take(kind: Kind, place: Path) -> Row:
    """Build a kind in `place`, and take it through all steps."""
    source = kind.build(place)
    made = place / "made"
    # What an earlier run made must not be taken for this one's.
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    imported: list[Imported] = []
    started = time.perf_counter()
    cells = {"import": attempt(lambda: _import(source, made, imported))}
    seconds = round(time.perf_counter() - started, 1)
    if cells["import"].state != "proven":
        cells |= {column: Cell("skipped", "") for column in COLUMNS[1:]}
        return Row(kind.group, kind.name, kind.refused, seconds, cells)
    if kind.refused:
        cells["import"] = Cell("wrong", "imported, although it must be refused")
    model = imported[0].path
    cells["onnx"] = attempt(lambda: _export(model, source, made, "onnx", "float32"))
    for precision in TFLITE:
        cells[f"tflite {precision}"] = attempt(lambda: _export(model, source, made, "tflite", precision))  # noqa: B023
    cells["c"] = attempt(lambda: _c(model, source, made))
    cells["verify"] = attempt(lambda: _verify(model, made))
    cells["predict"] = attempt(lambda: _predict(model, source))
    return Row(kind.group, kind.name, kind.refused, seconds, cells)


def _import(source: Source, made: Path, imported: list[Imported]) -> str:
    asked = ""
    try:
        found = edgedigits.import_model(source.path, out=made, force=True, **source.options)
    except ContractMissing:
        if source.stated is None:
            raise
        stated, asked = Path(json.dumps(source.stated)), ", asked"
        found = edgedigits.import_model(source.path, out=made, force=True, contract=stated, **source.options)
    imported.append(found)
    if source.answers is not None:
        with open_model(found.path) as engine:
            ours, fed = engine.run(source.images), engine.feed(source.images)
        theirs = source.answers
        if source.path.suffix == ".tflite":
            theirs = bare.answers(source.path, source.feed(source.images), fed)
        _same(ours, probabilities(theirs, source.output), source.path.name)
    return (f"{found.accuracy.value:.1%}" if found.accuracy else "imported") + asked


def _same(found: Any, expected: Any, what: str, tolerance: float = TOLERANCE) -> None:
    difference = float(np.abs(found - expected).max()) if found.shape == expected.shape else float("inf")
    if difference > tolerance:
        raise Wrong(f"differs from bare {what} by {difference:.3g}")


def _export(model: Path, source: Source, made: Path, format: str, precision: str) -> str:
    out = made / f"out.{precision}.{format}"
    exported = edgedigits.export(model, format=format, precision=precision, out=out)
    with open_model(exported.path) as engine:
        found, fed = engine.run(source.images), engine.feed(source.images)
    expected = bare.answers(exported.path, source.feed(source.images), fed)
    # A last LogSoftmax becomes a Softmax in TFLite.
    output = source.output.removeprefix("log-") if format == "tflite" else source.output
    _same(found, probabilities(expected, output), out.name, LOOSE if precision == "dynamic" else TOLERANCE)
    return _agreement(exported.verification, exported.unproven)


def _agreement(verification: Any, unproven: str) -> str:
    if verification is None:
        raise Unverified(unproven)
    if not verification.passed:
        raise Wrong(f"passed without reason: {'; '.join(verification.missed)}")
    if verification.undecided:
        raise Unverified(f"too few images: {'; '.join(verification.undecided)}")
    return f"{verification.comparison.agreement:.1%}"


def _c(model: Path, source: Source, made: Path) -> str:
    """Export C, and compare it with LiteRT bit by bit."""
    exported = edgedigits.export(model, format="c", out=made / "c", force=True)
    with open_engine(exported.path) as engine:
        fed = engine.feed(source.images)
        found = engine.invoke(fed)
    expected, _ = bare.litert(exported.path / "digits.tflite", source.feed(source.images), fed)
    if different := int((bare.as_type(found, expected.dtype).reshape(expected.shape) != expected).any(axis=1).sum()):
        raise Wrong(f"differs from bare LiteRT on {different} of {len(expected)} images")
    return f"{len(expected)} equal"


def _verify(model: Path, made: Path) -> str:
    """Verify an artifact that was exported, against the imported file, with the data that its contract names."""
    exported = [path for path in (made / "out.int8.tflite", made / "out.float32.onnx") if path.is_file()]
    found = edgedigits.verify(exported[0] if exported else model, against=model)
    return _agreement(found, "")


def _predict(model: Path, source: Source) -> str:
    """Read drawn digits, or pictures of the data's test part."""
    reader = edgedigits.load(model)
    if reader.classifier.contract.reader == "digits":
        rng = np.random.default_rng(5)
        pairs = [(255 - draw_digit(digit, rng, size=DRAWN_SIZE), str(digit)) for digit in range(DRAWN)]
    else:
        dataset = load_dataset(str(source.options["data"]))
        test = dataset.test
        assert test is not None
        chosen = np.random.default_rng(5).choice(len(test), DRAWN, replace=False)
        pairs = [(test.images[number].squeeze(), dataset.labels[test.labels[number]]) for number in chosen]
    read = sum(reader.read(png(picture)).text == label for picture, label in pairs)
    if read < LEAST_READ * len(pairs):
        raise Wrong(f"read {read} of {len(pairs)}")
    return f"{read} of {len(pairs)}"
