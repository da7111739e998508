"""The reader's own logic, with an engine whose answers are known."""

import dataclasses
import io
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgedigits.data.dataset import Dataset
from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.contract import Contract, Tensor
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import ArrayError, EngineClosed, PictureNotFound, PictureTooLarge, UnknownName
from edgedigits_runtime.reading.framed import fitted
from edgedigits_runtime.reading.reader import TOGETHER, Reader
from edgedigits_runtime.reading.results import Reading
from edgedigits_runtime.synthetic.samples import mnist_like
from edgedigits_runtime.timing import STAGES
from tests.support.tiny_models import write_tflite

ANSWER = np.array([0.0, 0.02, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 0.0, 0.08], np.float32)

DIGIT = mnist_like(1, seed=1)[0][0]


class KnownEngine(Engine):
    """An engine with one answer for every image, which stores its inputs."""

    name = "known"

    def __init__(self, contract: Contract, answer: NDArray[np.float32]) -> None:
        super().__init__(contract, "cpu", ("Known",))
        self.answer = answer
        self.asked: list[NDArray[Any]] = []

    def _invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        self.asked.append(tensor)
        return np.tile(self.answer, (len(tensor), 1))


def contract(labels: str = "0123456789", shape: tuple[int, int, int] = (28, 28, 1), **fields: Any) -> Contract:
    return Contract(
        name="known-model",
        input=Tensor("image", (None, *shape), "float32"),
        output=Tensor("probabilities", (None, len(labels)), "float32"),
        labels=tuple(labels),
        **fields,
    )


def reader(model: Contract | None = None, answer: NDArray[np.float32] = ANSWER, **options: Any) -> Reader:
    return Reader(Classifier(KnownEngine(model or contract(), answer)), **options)


def asked(of: Reader) -> list[NDArray[Any]]:
    engine = of.classifier.engine
    assert isinstance(engine, KnownEngine)
    return engine.asked


def test_a_digit_is_read_with_its_box_and_alternatives() -> None:
    reading = reader().read(np.pad(DIGIT, ((10, 0), (5, 0))))
    assert reading.text == "4"
    (digit,) = reading.digits
    assert (digit.digit, digit.label) == (4, "4")
    assert digit.confidence == pytest.approx(0.89, abs=0.02)
    assert [label for label, _ in digit.top] == ["4", "9", "1"]
    rows, columns = np.nonzero(DIGIT)
    assert digit.box == (columns.min() + 5, rows.min() + 10, np.ptp(columns) + 1, np.ptp(rows) + 1)


@pytest.mark.parametrize("invert", [False, True])
def test_the_model_is_given_the_framed_digit(invert: bool) -> None:
    known = reader()
    trace = known.trace(255 - DIGIT if invert else DIGIT)
    assert np.array_equal(trace.framed[0, ..., 0], DIGIT)
    assert (asked(known)[0] == trace.framed[0] / np.float32(255)).all(axis=(1, 2, 3)).any()


@pytest.mark.parametrize("invert", [False, True])
def test_mnist_as_png_reaches_the_model_as_the_array_does(mnist: Dataset, invert: bool) -> None:
    images = mnist.train.images[:200, ..., 0]
    same = []
    for image in images:
        file = io.BytesIO()
        Image.fromarray(255 - image if invert else image).save(file, "PNG")
        framed = reader().trace(file.getvalue()).framed[..., 0]
        same.append(len(framed) == 1 and np.array_equal(framed[0], image))
    # The others lose a speck apart from their digit.
    assert np.mean(same) > 0.96


def test_a_blank_picture_is_empty_without_a_call_of_the_model() -> None:
    known = reader()
    reading = known.read(np.full((50, 60), 200, np.uint8))
    assert (reading.text, reading.digits) == ("", ())
    assert asked(known) == []


def test_the_threshold_is_the_contracts_unless_given() -> None:
    strict = contract(rejection_threshold=0.95)
    assert reader(strict).read(np.pad(DIGIT, 20)).text == ""
    assert reader(strict, min_confidence=0.5).read(DIGIT).text == "4"
    assert reader(min_confidence=0.95).read(DIGIT).digits == ()
    assert reader(strict, min_confidence=0.0).min_confidence == 0.0


def test_a_framed_picture_has_a_lower_threshold() -> None:
    model = contract(rejection_threshold=0.95)
    assert reader(model).read(np.pad(DIGIT, 20)).text == ""
    assert reader(model).read(DIGIT).text == "4"
    assert reader(model, min_confidence=0.95).read(DIGIT).text == ""


def test_the_temperature_softens_confidence_and_not_the_order() -> None:
    hard = reader().read(DIGIT).digits[0]
    soft = reader(contract(temperature=3.0)).read(DIGIT).digits[0]
    assert soft.confidence < hard.confidence
    assert soft.label == hard.label


@pytest.mark.parametrize("top_k", [1, 5, 10, 99])
def test_top_k_is_the_number_of_labels(top_k: int) -> None:
    assert len(reader(top_k=top_k).read(DIGIT).digits[0].top) == min(top_k, 10)


def test_the_plain_reader_resizes_the_whole_picture() -> None:
    labels = "abc"
    known = reader(contract(labels, (8, 8, 3), reader="plain"), np.array([0.1, 0.7, 0.2], np.float32))
    reading = known.read(np.full((20, 30, 3), (255, 0, 51), np.uint8))
    assert (reading.text, reading.digits[0].digit, reading.digits[0].box) == ("b", None, (0, 0, 30, 20))
    assert np.allclose(asked(known)[0], np.full((1, 8, 8, 3), (1.0, 0.0, 0.2)))
    assert reading.ms["ink"] == reading.ms["locate"] == 0


@pytest.mark.parametrize(("label", "digit"), [("7", 7), ("٣", None), ("²", None), ("x", None)])
def test_only_decimal_digits_have_a_value(label: str, digit: int | None) -> None:
    model = dataclasses.replace(contract(), labels=(*"0123", label, *"56789"))
    assert reader(model).read(DIGIT).digits[0].digit == digit


@pytest.mark.parametrize("shape", [(32, 32, 3), (32, 32, 1), (8, 8, 1)])
def test_a_model_of_another_size_gets_the_framed_digit_resized(shape: tuple[int, int, int]) -> None:
    page = np.hstack([np.pad(DIGIT, 20)] * 3)
    # Unsure, so that shapes are judged too.
    other = reader(contract(shape=shape), np.full(10, 0.1, np.float32), min_confidence=0.0)
    usual = reader(contract(), np.full(10, 0.1, np.float32), min_confidence=0.0)
    trace, expected = other.trace(page), usual.trace(page)
    assert trace.candidates == expected.candidates and trace.why == expected.why and len(trace.candidates) > 1
    np.testing.assert_array_equal(trace.framed, fitted(expected.framed[..., 0], shape))


def test_the_json_object_is_the_documented_one() -> None:
    written = json.loads(json.dumps(reader().read(DIGIT, name="a.png").to_dict()))
    assert list(written) == ["source", "text", "digits", "model", "engine", "device", "providers", "ms"]
    assert list(written["digits"][0]) == ["digit", "label", "confidence", "box", "top"]
    assert list(written["ms"]) == [*STAGES, "total"]
    rest = {key: written[key] for key in ("source", "text", "model", "engine", "device", "providers")}
    assert rest == {
        "source": "a.png",
        "text": "4",
        "model": "known-model",
        "engine": "known",
        "device": "cpu",
        "providers": ["Known"],
    }
    digit = written["digits"][0]
    assert digit["top"][0] == ["4", digit["confidence"]]
    for number, places in [(digit["confidence"], 4), *((value, 3) for value in written["ms"].values())]:
        assert number == round(number, places)


def test_stages_are_timed_and_lie_within_the_total() -> None:
    ms = reader().read(np.pad(DIGIT, 20)).ms
    assert all(ms[stage] > 0 for stage in STAGES)
    assert sum(ms[stage] for stage in STAGES) <= ms["total"]


def test_a_reading_is_named_after_its_source(tmp_path: Path) -> None:
    path = tmp_path / "four.png"
    Image.fromarray(DIGIT).save(path)
    content = path.read_bytes()
    names = {
        str(path): [path, str(path), Image.open(path), path.open("rb")],
        "<bytes>": [content],
        "<array>": [DIGIT],
        "<stream>": [io.BytesIO(content)],
        "<image>": [Image.fromarray(DIGIT)],
    }
    for name, sources in names.items():
        for source in sources:
            reading = reader().read(source)
            assert (reading.source, reading.text) == (name, "4")
            if hasattr(source, "close"):
                source.close()


def test_errors_of_decoding_pass_through(tmp_path: Path) -> None:
    with pytest.raises(PictureNotFound):
        reader().read(tmp_path / "none.png")
    with pytest.raises(PictureTooLarge):
        reader(max_pixels=100).read(DIGIT)


def test_batched_pictures_read_the_same_as_alone(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    page = np.pad(np.hstack([np.pad(DIGIT, 10)] * 3), 40)
    kinds: list[Any] = [DIGIT, 255 - DIGIT, np.pad(DIGIT, 3), np.stack([DIGIT] * 3, axis=-1), DIGIT // 9, page]
    blank, missing, bad = np.zeros((28, 28), np.uint8), tmp_path / "none.png", tmp_path / "bad.png"
    sources = [*kinds, missing, *kinds, bad, blank, *[DIGIT] * (2 * TOGETHER), page, page, bad]
    known = reader()
    names = [str(number) for number in range(len(sources))]
    together = list(known.read_many(iter(sources), names=iter(names)))
    assert len(together) == len(sources)
    for name, source, reading in zip(names, sources, together, strict=True):
        if source is missing or source is bad:
            with pytest.raises(type(reading)) as alone:
                known.read(source)
            assert str(alone.value) == str(reading)
        else:
            assert isinstance(reading, Reading)
            assert dataclasses.replace(reading, ms={}) == dataclasses.replace(known.read(source, name=name), ms={})
            assert all(reading.ms[stage] >= 0 for stage in STAGES)
            assert sum(reading.ms[stage] for stage in STAGES) <= reading.ms["total"]


def test_a_batch_of_small_pictures_is_one_call_of_the_engine() -> None:
    known = reader()
    assert len(list(known.read_many([DIGIT] * (TOGETHER + 1)))) == TOGETHER + 1
    assert [len(tensor) for tensor in asked(known)] == [TOGETHER, 1]


def test_pictures_are_consumed_lazily() -> None:
    page = np.pad(DIGIT, 40)
    sources = iter([page, page, page])
    readings = reader().read_many(sources)
    assert isinstance(next(readings), Reading)
    assert len(list(sources)) == 2


def test_a_failing_engine_is_the_error_of_each_picture(tmp_path: Path) -> None:
    known = reader()
    known.close()
    errors = list(known.read_many([DIGIT, tmp_path / "none.png", DIGIT]))
    assert [type(error) for error in errors] == [EngineClosed, PictureNotFound, EngineClosed]


def test_a_trace_holds_what_every_stage_made() -> None:
    picture = np.pad(DIGIT, 20)
    trace = reader().trace(picture, name="four")
    assert trace.reading.source == "four"
    assert np.array_equal(trace.picture[..., 0], picture)
    assert np.array_equal(trace.ink, picture)
    (box,) = trace.candidates
    assert (box.x, box.y, box.width, box.height) == trace.reading.digits[0].box
    assert (trace.framed.shape, trace.framed.dtype) == ((1, 28, 28, 1), np.uint8)
    assert (trace.confidences.shape, trace.confidences.dtype) == ((1, 10), np.float32)
    assert (trace.kept.tolist(), trace.why) == ([True], ("",))


def test_a_trace_has_the_reason_for_each_rejection() -> None:
    trace = reader(min_confidence=0.95).trace(DIGIT)
    assert (trace.kept.tolist(), trace.why) == ([False], (f"confidence {trace.confidences.max():.2f} < 0.95",))
    assert trace.reading.text == ""


def test_a_trace_of_a_blank_picture_is_empty() -> None:
    trace = reader().trace(np.full((50, 60), 200, np.uint8))
    assert (trace.candidates, trace.why, trace.kept.tolist()) == ([], (), [])
    assert (trace.framed.shape, trace.confidences.shape) == ((0, 28, 28, 1), (0, 10))


def test_a_trace_of_a_plain_picture_has_one_candidate() -> None:
    known = reader(contract("abc", (8, 8, 3), reader="plain"), np.array([0.1, 0.7, 0.2], np.float32))
    trace = known.trace(np.full((20, 30, 3), 90, np.uint8))
    assert (trace.reading.text, trace.framed.shape, trace.kept.tolist()) == ("b", (1, 8, 8, 3), [True])
    known = reader(
        contract("abc", (8, 8, 3), reader="plain"), np.array([0.1, 0.7, 0.2], np.float32), min_confidence=0.9
    )
    assert known.read(np.full((20, 30, 3), 90, np.uint8)).text == ""


def test_lines_are_separated_by_line_breaks() -> None:
    line = np.hstack([np.pad(DIGIT, 10)] * 3)
    reading = reader().read(np.vstack([line, line]))
    assert reading.text == "444\n444"
    corners = [digit.box[:2] for digit in reading.digits]
    assert corners == sorted(corners, key=lambda corner: (corner[1], corner[0]))


def test_one_digit_a_number_or_a_page_is_expected() -> None:
    line = np.hstack([np.pad(DIGIT, 10)] * 3)
    short = np.pad(np.hstack([np.pad(DIGIT, 10)] * 2), ((0, 0), (0, 48)))
    page = np.vstack([short, line])
    texts = {expect: reader(expect=expect).read(page).text for expect in ("one", "number", "page", "auto")}
    assert texts == {"one": "4", "number": "444", "page": "44\n444", "auto": "44\n444"}


def test_a_length_that_is_not_met_is_noted() -> None:
    line = np.hstack([np.pad(DIGIT, 10)] * 3)
    assert reader(length=3).read(line).note == ""
    assert "note" not in reader(length=3).read(line).to_dict()
    reading = reader(length=300).read(line)
    assert (reading.text, reading.note) == ("444", "found 3 digits, not the 300 that were expected")
    assert reading.to_dict()["note"] == reading.note
    assert reader(length=2).read(np.zeros((9, 9), np.uint8)).note == "found 0 digits, not the 2 that were expected"


def test_a_length_waives_the_threshold() -> None:
    line = np.hstack([np.pad(DIGIT, 10)] * 3)
    assert reader(min_confidence=0.99).read(line).text == ""
    assert reader(min_confidence=0.99, length=2).read(line).text == "44"


def test_expectations_that_cannot_be_met_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"'two'.*auto, one, number, page"):
        reader(expect="two")
    with pytest.raises(ArrayError, match="got 0"):
        reader(length=0)
    with pytest.raises(ArrayError, match="got 2"):
        reader(expect="one", length=2)


def test_a_reader_is_closed_and_can_be_pickled(tmp_path: Path) -> None:
    with Reader(Classifier(open_engine(write_tflite(tmp_path))), min_confidence=0.25) as read_by:
        again = pickle.loads(pickle.dumps(read_by))
    assert again.min_confidence == 0.25
    with again, pytest.raises(EngineClosed):
        read_by.classifier.predict(np.zeros((1, *again.classifier.contract.image_shape), np.uint8))
