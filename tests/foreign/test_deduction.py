"""Contracts of foreign models: right where the file, its values or a trial are clear, and asked for elsewhere."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgedigits.data.dataset import Dataset
from edgedigits.model_files import contract_of, facts_of, open_as, open_model
from edgedigits_runtime.contract import Contract, Scaling, Tensor
from edgedigits_runtime.engine_options import EngineOptions, Isolation
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.errors import ArtifactUnsupported, ContractInvalid, ContractMissing
from edgedigits_runtime.foreign.deduction import LabelledImages, deduce, drawn_digits, find_kind, shape_of
from edgedigits_runtime.foreign.facts import RAW, SYMMETRIC, Facts, of_quantization
from edgedigits_runtime.foreign.trial import Tried, candidates, difference, standardised, try_each, winner
from tests.support.foreign_models import SHAPES, bare_tflite, foreign_onnx, run_by_hand
from tests.support.tflite_metadata import metadata_bytes, with_metadata
from tests.support.tiny_models import contract as tiny_contract

MNIST = standardised((0.1307,), (0.3081,))


def deduced(path: Path, data: LabelledImages | None = None, **given: object) -> Contract:
    facts = facts_of(path)
    shaped, _ = shape_of(facts, given, None)
    return deduce(facts, shaped, partial(open_as, path), given, data).contract


@pytest.mark.parametrize("layout", sorted(SHAPES))
def test_every_layout_reads_as_bare_onnxruntime_does(layout: str, tmp_path: Path) -> None:
    path = foreign_onnx(tmp_path / "foreign.onnx", layout=layout, name="base")
    found = contract_of(path)
    images = drawn_digits(found).images[:5]
    with open_model(path) as engine:
        ours = engine.run(images)
    real = images.astype(np.float32) / 255
    if "N" in layout:
        theirs = run_by_hand(path, real.reshape(5, *SHAPES[layout]))
    else:
        theirs = np.concatenate([run_by_hand(path, image.reshape(SHAPES[layout])) for image in real])
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert found.normalisation == "unit" and found.polarity == "bright-on-dark"


@pytest.mark.parametrize(
    ("scale", "offset", "normalisation", "polarity"),
    [
        (1.0, 0.0, "unit", "bright-on-dark"),
        (1 / 255, 0.0, RAW, "bright-on-dark"),
        (0.5, 0.5, SYMMETRIC, "bright-on-dark"),
        (0.3081, 0.1307, MNIST, "bright-on-dark"),
        (-1.0, 1.0, "unit", "dark-on-bright"),
        (-1 / 255, 1.0, RAW, "dark-on-bright"),
    ],
)
def test_the_normalisation_and_polarity_are_found_on_labelled_images(
    scale: float, offset: float, normalisation: object, polarity: str, mnist: Dataset, tmp_path: Path
) -> None:
    some = mnist.train.take(np.arange(20_000))
    data = LabelledImages(some.images, some.labels, mnist.labels, "images")
    found = deduced(foreign_onnx(tmp_path / "a.onnx", scale=scale, offset=offset), data)
    assert (found.normalisation, found.polarity) == (normalisation, polarity)


@pytest.mark.parametrize("kind", ["probabilities", "logits", "log-probabilities", "sigmoids"])
def test_the_kind_of_output_is_found(kind: str, tmp_path: Path) -> None:
    path = foreign_onnx(tmp_path / "a.onnx", output=kind, name="base")
    found = contract_of(path)
    assert found.output_kind == kind
    with open_model(path) as engine:
        probabilities = engine.run(drawn_digits(found).images[:9])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("batch", ["N", "1", "4"])
def test_a_squeezed_sigmoid_has_two_labels(batch: str, tmp_path: Path) -> None:
    import onnx

    text = f"""<ir_version: 8, opset_import: ["" : 17]> agraph (float[{batch}, 1, 8, 8] x) => (float[{batch}] y) {{
        m = GlobalAveragePool(x)
        s = Sigmoid(m)
        f = Flatten(s)
        a = Constant<value = int64[1] {{1}}>()
        y = Squeeze(f, a)
    }}"""
    path = tmp_path / "a.onnx"
    onnx.save(onnx.parser.parse_model(text), str(path))
    found = deduced(path, normalisation="unit", polarity="bright-on-dark")
    assert found.labels == ("0", "1") and found.output_kind == "sigmoid"
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), np.uint8)
    second = 1 / (1 + np.exp(-images.mean(axis=(1, 2, 3)) / 255))
    for options in (EngineOptions(), EngineOptions(isolation=Isolation())):
        with open_model(path, contract=found, options=options) as engine:
            np.testing.assert_allclose(engine.run(images)[:, 1], second, atol=1e-6)


def test_a_tflite_file_states_its_normalisation(tmp_path: Path) -> None:
    path = bare_tflite(tmp_path / "a.tflite", "nano")
    found = contract_of(path)
    assert found.normalisation == "unit" and found.labels == tuple("0123456789") and found.reader == "digits"


@pytest.mark.parametrize(("mean", "std", "normalisation"), [(0, 255, "unit"), (127.5, 127.5, SYMMETRIC)])
def test_tflite_metadata_states_the_normalisation(
    mean: float, std: float, normalisation: object, tmp_path: Path
) -> None:
    path = bare_tflite(tmp_path / "a.tflite", "pico")
    path.write_bytes(with_metadata(path.read_bytes(), metadata_bytes(mean=[mean], std=[std]), {}))
    assert facts_of(path).normalisation == normalisation


def test_a_model_that_is_no_better_than_chance_is_asked_about(tmp_path: Path) -> None:
    """A network of random weights."""
    path = tmp_path / "a.onnx"
    from tests.support.tiny_models import onnx_bytes

    path.write_bytes(onnx_bytes(None))
    with pytest.raises(ContractMissing, match=r"edgedigits import .*--contract"):
        contract_of(path)


def test_stated_fields_are_not_searched(tmp_path: Path) -> None:
    path = foreign_onnx(tmp_path / "a.onnx")
    found = deduced(path, normalisation={"scale": [1], "offset": [0]}, polarity="dark-on-bright")
    assert (found.normalisation, found.polarity) == (RAW, "dark-on-bright")


@pytest.mark.parametrize(
    ("labels", "shape", "other"),
    [("abcdefghij", (None, 28, 28, 1), True), ("0123456789", (None, 28, 28, 3), True),
     ("abcdefghij", (None, 28, 28, 3), False)],
)  # fmt: skip
def test_the_reader_of_other_classes_is_stated(labels: str, shape: tuple[int | None, ...], other: bool) -> None:
    facts = Facts(Path("a.onnx"), "onnx", "float32", Tensor("x", shape, "float32"), Tensor("y", (None, 10), "float32"))
    contract, notes = shape_of(facts, {}, tuple(labels))
    (note,) = notes
    assert contract.reader == "plain" and note.startswith("reader: plain")
    assert ('--contract \'{"reader": "digits"}\'' in note) == other
    contract, notes = shape_of(facts, {"reader": "digits"}, tuple(labels))
    assert contract.reader == "digits" and notes == []


def test_digits_among_other_classes_are_tried_on_drawn_ones(tmp_path: Path) -> None:
    facts, given = facts_of(foreign_onnx(tmp_path / "a.onnx", name="base")), {"reader": "digits"}
    opened = partial(open_as, facts.path)
    shaped, _ = shape_of(facts, given, ("none", *"123456789"))
    assert deduce(facts, shaped, opened, given).contract.normalisation == "unit"
    shaped, _ = shape_of(facts, given, tuple("abcdefghij"))
    with pytest.raises(ContractMissing, match=r'edgedigits import .*"reader": "digits"'):
        deduce(facts, shaped, opened, given)


def test_one_logit_is_of_no_known_kind() -> None:
    contract = tiny_contract(labels=("a", "b"), output=Tensor("y", (None, 1), "float32"), output_kind="sigmoid")

    class Logits(Engine):
        def _invoke(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
            return tensor.reshape(len(tensor), -1).sum(axis=1, keepdims=True)

    with pytest.raises(ContractInvalid, match="end the network with a sigmoid"):
        find_kind(Logits(contract, "cpu", ("test",)), contract, None)


def test_labels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    facts = facts_of(foreign_onnx(tmp_path / "a.onnx"))
    with pytest.raises(ContractInvalid, match="10 classes"):
        shape_of(facts, {}, ("a", "b"))
    with pytest.raises(ContractInvalid, match="10 classes"):
        shape_of(facts, {}, ("a",) * 10)


def test_unsure_layouts_are_asked_about(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["x"], ["y"])], "free",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, "H", "W"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 1, 1, 1])],
    )  # fmt: skip
    path = tmp_path / "a.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    with pytest.raises(ContractMissing, match="layout"):
        contract_of(path)


def test_two_inputs_are_refused(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("a", "b", "c")]
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["c"])], "two", ends[:2], ends[2:])
    path = tmp_path / "a.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    with pytest.raises(ArtifactUnsupported, match="2 inputs"):
        contract_of(path)


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (Tensor("t", (1, 8, 8, 1), "int8", 1 / 255, -128), "unit"),
        (Tensor("t", (1, 8, 8, 1), "uint8", 1 / 255, 0), "unit"),
        (Tensor("t", (1, 8, 8, 1), "uint8", 1.0, 0), RAW),
        (Tensor("t", (1, 8, 8, 1), "int8", 0.99999, -128), RAW),
        (Tensor("t", (1, 8, 8, 1), "uint8", 0.0078125, 128), SYMMETRIC),
        (Tensor("t", (1, 8, 8, 1), "int8", 2 / 255, -1), SYMMETRIC),
        (Tensor("t", (1, 8, 8, 1), "int8", 0.0127, -95), None),
        (Tensor("t", (1, 8, 8, 1), "int8", 2 / 255, 0), SYMMETRIC),
        (Tensor("t", (1, 8, 8, 1), "int8", 1 / 127, 0), None),
        (Tensor("t", (1, 8, 8, 1), "int16", 1 / 32767, 0), None),
        (Tensor("t", (1, 8, 8, 1), "int16", 255 / 32767, 0), RAW),
        (Tensor("t", (1, 8, 8, 1), "float32"), None),
    ],
)
def test_what_a_quantized_input_states(tensor: Tensor, expected: object) -> None:
    assert of_quantization(tensor) == expected


def test_alike_normalisations_are_tried_once() -> None:
    """Images whose own mean is MNIST's bring no further candidate; of an int8 input of 0..1 only what it stores."""
    rng = np.random.default_rng(0)
    like_mnist = (rng.random((50, 28, 28, 1)) < 0.1307).astype(np.uint8) * 255
    names = [name for name, _ in candidates(tiny_contract())]
    assert len(set(names)) == len(names)
    more = [name for name, _ in candidates(tiny_contract(), like_mnist)]
    assert [name for name in more if name not in names] in ([], ["mean of the data", "mean of the data, inverted"])
    int8 = tiny_contract(input=Tensor("t", (1, 28, 28, 1), "int8", 1 / 255, -128))
    kept = [name for name, _ in candidates(int8)]
    assert kept == [name for name in names if name.split(",")[0] in ("unit", "column-l2")], "the others are cut off"


def test_mcnemar_is_scipys() -> None:
    from scipy.stats import binomtest

    rng = np.random.default_rng(1)
    for size in (10, 60, 3000):
        first, second = rng.random(size) < 0.9, rng.random(size) < 0.8
        one, other = int((first & ~second).sum()), int((second & ~first).sum())
        expected = binomtest(one, one + other, 0.5).pvalue
        assert difference(first, second) == pytest.approx(expected, rel=0.02, abs=1e-12)
    assert difference(first, first) == 1


def test_no_winner_among_equals(tmp_path: Path) -> None:
    row = Tried("unit", tiny_contract(), 0.9, 100, 1.0, 0.3)
    assert winner([row]) is row
    assert winner([row, Tried("raw", tiny_contract(), 0.9, 100, 0.3, 0.9)]) is None
    assert winner([row, Tried("raw", tiny_contract(), 0.1, 100, 0.001, 2.3)]) is row
    path = foreign_onnx(tmp_path / "a.onnx")
    contract = tiny_contract()
    data = drawn_digits(contract)
    with open_as(path, contract_of(path)) as engine:
        twice = [("one", contract), ("two", contract)]
        assert winner(try_each(engine, twice, data.images, data.labels)) is None


def test_a_winner_by_little_needs_the_lowest_loss_too() -> None:
    """A scale that is too large reads as well, with too much confidence."""
    best = Tried("raw", tiny_contract(), 0.955, 60_000, 1.0, 4.1)
    assert winner([best, Tried("unit", tiny_contract(), 0.954, 60_000, 0.005, 0.15)]) is None
    assert winner([best, Tried("unit", tiny_contract(), 0.7, 400, 1e-9, 1.2)]) is best


def test_data_in_another_order_of_labels(tmp_path: Path) -> None:
    """Labels are matched by name."""
    path = foreign_onnx(tmp_path / "a.onnx", name="base")
    facts = facts_of(path)
    shaped, _ = shape_of(facts, {}, tuple("0123456789"))
    drawn = drawn_digits(shaped)
    names = tuple("9876543210")
    data = LabelledImages(drawn.images, 9 - drawn.labels, names, "pictures")
    assert deduce(facts, shaped, partial(open_as, path), {}, data).tried[0].accuracy > 0.95


def test_scaling_of_standardised_pixels() -> None:
    scaling = standardised((0.5,), (0.25,))
    assert scaling == Scaling((1 / 63.75,), (-2.0,))
