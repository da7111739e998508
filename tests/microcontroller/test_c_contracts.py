"""C of models with other inputs and outputs: its labels, confidences and outputs are those of the classifier."""

import ctypes
import dataclasses
import math
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgedigits_exporters.microcontroller import c
from edgedigits_runtime.classifier import Classifier, are_blank
from edgedigits_runtime.contract import Contract, OutputKind, Scaling, Tensor
from edgedigits_runtime.embedded_contract import read_contract
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.engines.compiled_c import compiled
from edgedigits_runtime.golden import golden_path, read_golden, replay
from edgedigits_runtime.preprocessing import normalise, quantize
from edgedigits_runtime.reading.reader import Reader
from tests.support.compiled_c import STRICT
from tests.support.edited_tflite import INT8, Builder
from tests.support.needs import needs

TOLERANCE = 5e-4
"""Of a confidence; digits.h promises about 0.0001 for the shipped models."""

UNIT = (1 / 255, -128)
PROBABILITY = (1 / 256, -128)
RGB = Scaling((1 / 58, 1 / 57, 1 / 57), (-2.1, -2.0, -1.8))


@dataclass(frozen=True)
class Case:
    """A model of one dense layer.

    Attributes:
        kind: of the output.
        shape: of an image.
        taken, made: scale and zero point of the input and the output.
        spread: standard deviation of the outputs, in steps.
        middle: mean of the outputs, in steps above the zero point.
        contract: other fields of the contract.
    """

    kind: OutputKind
    contract: dict[str, Any]
    shape: tuple[int, int, int] = (28, 28, 1)
    taken: tuple[float, int] = UNIT
    made: tuple[float, int] = PROBABILITY
    spread: float = 60
    middle: float = 100

    @property
    def values(self) -> int:
        return 1 if self.kind == "sigmoid" else 10


NINE = {"labels": tuple("012345678"), "non_digit": True}
"""Fields with which the last of ten outputs is that of a non-digit."""

LOGITS = (0.2, 0)
"""Scale and zero point of what a softmax makes probabilities of."""

CASES = {
    "logits": Case("logits", {"temperature": 2.5}, made=(0.4, 5), spread=25, middle=0),
    "log-probabilities of raw dark pixels": Case(
        "log-probabilities",
        {"normalisation": Scaling((1.0,), (0.0,)), "polarity": "dark-on-bright", "temperature": 0.8},
        taken=(1.0, -128),
        made=(0.1, 127),
        spread=30,
        middle=-90,
    ),
    "sigmoid": Case("sigmoid", {"labels": ("ink", "paper"), "temperature": 1.3}, shape=(32, 32, 1)),
    "sigmoids of dark columns": Case(
        "sigmoids",
        {"normalisation": "column-l2", "polarity": "dark-on-bright", "temperature": 0.7},
        middle=-40,
    ),
    "probabilities and a non-digit": Case("probabilities", {"temperature": 1.4, **NINE}),
    "logits and a non-digit": Case("logits", {"temperature": 2.5, **NINE}, made=(0.4, 5), spread=25, middle=0),
    "sigmoids and a non-digit": Case("sigmoids", {"temperature": 0.7, **NINE}, middle=-40),
    "three channels": Case(
        "logits",
        {"normalisation": RGB, "polarity": "dark-on-bright", "reader": "plain"},
        shape=(10, 12, 3),
        taken=(0.03, 3),
        made=(0.15, -20),
        spread=25,
        middle=0,
    ),
}


def images_of(case: Case, count: int = 60) -> NDArray[np.uint8]:
    """Return random images of different brightness, with columns of no ink at all; every fourth is noise or black."""
    rng = np.random.default_rng(2)
    tops = rng.integers(1, 256, (count, *case.shape))
    images = rng.integers(0, tops + 1).astype(np.uint8)
    noise = images[::4].copy()
    images = images[:, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2)
    images[::4] = noise
    images[::3, :, :3], images[1::3, :, :3] = 0, 255
    images[8] = 0
    return images


def contract_of(case: Case) -> Contract:
    own = Contract(
        name="own",
        input=Tensor("t0", (1, *case.shape), "int8", *case.taken),
        output=Tensor("out", (1, case.values), "int8", *case.made),
        labels=tuple("0123456789"),
        output_kind=case.kind,
        rejection_threshold=0.6,
        format="tflite",
        precision="int8",
    )
    return dataclasses.replace(own, **case.contract)


def tflite_of(case: Case) -> bytes:
    """Return RESHAPE and FULLY_CONNECTED; the outputs spread over the stored values as the case states.

    Probabilities end with a SOFTMAX, before which the values spread.
    """
    rng = np.random.default_rng(3)
    dense = LOGITS if case.kind == "probabilities" else case.made
    own = contract_of(case)
    pixels = math.prod(case.shape)
    kernel = rng.integers(-127, 128, (case.values, pixels)).astype(np.int8)
    with_zero = _stored(case, own).reshape(-1, pixels).astype(np.int64) - case.taken[1]
    sums = with_zero @ kernel.T.astype(np.int64)
    weight_scale = case.spread * dense[0] / (case.taken[0] * float(sums.std()))
    bias = np.rint(case.middle * float(sums.std()) / case.spread - sums.mean(axis=0))
    build = Builder([1, *case.shape], INT8, *case.taken)
    build.add("RESHAPE", build.tensor([1, pixels], INT8, *case.taken), build.constant([1, pixels]))
    weights = build.constant(kernel, INT8, weight_scale)
    biases = build.constant(bias.astype(np.int32), scale=1.0)
    quantization = type(build.graph.tensors[0].quantization)()
    quantization.scale, quantization.zeroPoint = [weight_scale * case.taken[0]], [0]
    build.graph.tensors[biases].quantization = quantization
    made = build.tensor([1, case.values], INT8, *dense)
    build.add("FULLY_CONNECTED", made, weights, biases, options="FullyConnectedOptions", version=4)
    if case.kind == "probabilities":
        softmax = build.tensor([1, case.values], INT8, *case.made)
        build.add("SOFTMAX", softmax, options="SoftmaxOptions", beta=1.0, version=2)
    return build.pack()


def _stored(case: Case, own: Contract) -> NDArray[Any]:
    return quantize(normalise(images_of(case), own.normalisation, own.polarity), own.input)


@dataclass(frozen=True)
class Made:
    """A case, its `.tflite` file and the folder of C."""

    case: Case
    model: Path
    folder: Path


@pytest.fixture(scope="module", params=CASES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    case = CASES[request.param]
    place = tmp_path_factory.mktemp("c")
    model = place / "own.tflite"
    model.write_bytes(tflite_of(case))
    folder = c.export(model, place / "own-c", c.COptions(contract=contract_of(case)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place / "cache"))
        yield Made(case, model, folder)


def predict(folder: Path, images: NDArray[np.uint8], values: int) -> list[tuple[int, float, bool, list[int]]]:
    """Return what digits_predict finds: label, confidence, accepted and output."""

    class Result(ctypes.Structure):
        _fields_ = (
            ("label", ctypes.c_int),
            ("confidence", ctypes.c_float),
            ("accepted", ctypes.c_bool),
            ("output", ctypes.c_int8 * values),
        )

    library = ctypes.CDLL(str(compiled(folder)))
    scratch_bytes = (ctypes.c_int32 * 3).in_dll(library, "digits_sizes")[0]
    scratch, result, found = (ctypes.c_int32 * (scratch_bytes // 4 + 1))(), Result(), []
    for image in images:
        library.digits_predict(image.tobytes(), ctypes.byref(result), scratch)
        found.append((result.label, result.confidence, result.accepted, list(result.output)))
    return found


@needs("cc")
@pytest.mark.slow
def test_c_predicts_as_the_classifier(made: Made) -> None:
    images, own = images_of(made.case), contract_of(made.case)
    with open_engine(made.model, contract=own) as engine, open_engine(made.folder) as compiled_engine:
        confidences = Classifier(engine).confidences(images)
        stored = engine.invoke(engine.feed(images))
        np.testing.assert_array_equal(compiled_engine.run(images), engine.run(images))
        stages = list(replay(read_golden(golden_path(made.folder)), Reader(Classifier(compiled_engine))))
    assert [stage.detail for stage in stages] == [""] * 4
    assert len({int(row.argmax()) for row in confidences}) > 1
    if own.non_digit:
        assert (stored.argmax(axis=1) == len(own.labels)).any()
    assert confidences.max(axis=1).std() > 0.05 or made.case.kind == "sigmoids"
    found = predict(made.folder, images, made.case.values)
    assert [each[3] for each in found] == stored.tolist()
    blank = are_blank(images) if own.reader == "digits" else np.zeros(len(images), bool)
    assert blank.any() == (own.reader == "digits")
    best = confidences.max(axis=1)
    assert np.array([each[0] for each in found])[~blank].tolist() == confidences[~blank].argmax(axis=1).tolist()
    np.testing.assert_allclose([each[1] for each in found], best, rtol=0, atol=TOLERANCE)
    clear = np.abs(best - own.rejection_threshold) > TOLERANCE
    accepted = np.array([each[2] for each in found])
    np.testing.assert_array_equal(accepted[clear], best[clear] >= own.rejection_threshold)
    assert not accepted[blank].any()


@needs("cc")
@pytest.mark.slow
def test_the_self_test_passes(made: Made, tmp_path: Path) -> None:
    program = tmp_path / "selftest"
    sources = [str(made.folder / name) for name in ("digits.c", "digits_selftest.c")]
    command = ["cc", *STRICT, "-ffp-contract=off", *sources, "-o", str(program), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert subprocess.run([program], check=False, capture_output=True).returncode == 0
    assert read_contract(made.folder).output_kind == made.case.kind


def test_the_texts_state_the_kind_of_output(made: Made) -> None:
    header, readme = ((made.folder / name).read_text() for name in ("digits.h", "README.md"))
    kind = "probability of the second label" if made.case.kind == "sigmoid" else made.case.kind
    digits = contract_of(made.case).reader == "digits"
    assert f"stored {kind}" in header and f"stored {kind}" in readme
    outputs = "(DIGITS_CLASSES + 1)" if contract_of(made.case).non_digit else "DIGITS_CLASSES"
    assert f"#define DIGITS_OUTPUTS {1 if made.case.values == 1 else outputs}" in header
    assert all(("ink bright on dark" in text) == digits for text in (header, readme))
