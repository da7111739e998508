"""Accuracy on corrupted digits and other writers, and rejection of non-digits."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.robustness.corruption_accuracy import Robustness, measure_robustness
from benchmarks.robustness.corruptions import CORRUPTIONS
from benchmarks.robustness.other_writers import framed_from_counts, measure_other_writers, other_writers
from benchmarks.robustness.rejection import draw_non_digits, measure_rejection
from edgedigits.data.dataset import Samples
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.engines.engine import Engine
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.synthetic.non_digits import KINDS
from edgedigits_runtime.synthetic.samples import mnist_like
from tests.support.tiny_models import contract


class Rule(Engine):
    """An engine that gives `confidence` to the class that `decide` returns for float32 [N, 28, 28, 1]."""

    name = "rule"

    def __init__(self, decide: Callable[[np.ndarray], np.ndarray], confidence: float, of: Contract) -> None:
        super().__init__(of, "cpu", ())
        self.decide, self.confidence = decide, confidence

    def _invoke(self, tensor: np.ndarray) -> np.ndarray:
        answer = np.full((len(tensor), 10), (1 - self.confidence) / 9, np.float32)
        answer[np.arange(len(tensor)), self.decide(tensor)] = self.confidence
        return answer


def always(digit: int, confidence: float = 0.9, threshold: float = 0.5) -> Rule:
    return Rule(lambda images: np.full(len(images), digit), confidence, contract(rejection_threshold=threshold))


def samples(count: int) -> Samples:
    images, labels = mnist_like(count, seed=0)
    return Samples(images[..., None], labels)


def test_a_constant_answer_has_no_accuracy_drop() -> None:
    found = measure_robustness(always(3), samples(20))
    assert found.clean == found.mean == 0.1
    assert list(found.corrupted) == list(CORRUPTIONS) and found.images == 20
    assert found.mean_loss == 0


def test_a_rule_on_black_background_fails_on_bright_background() -> None:
    # Right only where the corner is black.
    given = samples(30)
    labels = given.labels

    def decide(images: np.ndarray) -> np.ndarray:
        return np.where(images[:, 0, 0, 0] == 0, labels, (labels + 1) % 10)

    found = measure_robustness(Rule(decide, 0.9, contract()), given)
    assert found.clean == 1
    assert found.corrupted["bright ground"] == found.corrupted["low contrast"] == 0
    assert found.corrupted["shift"] == found.corrupted["thin strokes"] == 1


shares = st.floats(0, 1)


@given(st.dictionaries(st.sampled_from(sorted(CORRUPTIONS)), shares, min_size=1), shares)
def test_the_mean_drop_lies_between_the_smallest_and_the_largest(corrupted: dict[str, float], clean: float) -> None:
    found = Robustness(10, 0, clean, corrupted)
    losses = [100 * (clean - value) for value in corrupted.values()]
    assert min(losses) - 1e-9 <= found.mean_loss <= max(losses) + 1e-9
    assert found.to_dict()["corruptions"] == corrupted


def test_other_writers_digits_are_complete_and_framed() -> None:
    found = other_writers()
    assert found.images.shape == (1797, 28, 28, 1)
    assert np.bincount(found.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert found.images.max(axis=(1, 2, 3)).min() > 200
    ink = found.images[..., 0] > 0
    assert np.isin(np.maximum(ink.any(axis=2).sum(axis=1), ink.any(axis=1).sum(axis=1)), (19, 20)).all()


@given(st.integers(0, 7), st.integers(0, 7))
def test_a_single_cell_of_ink_is_centred(row: int, column: int) -> None:
    counts = np.zeros((8, 8))
    counts[row, column] = 16
    framed = framed_from_counts(counts)
    assert framed[14, 14] > 200 and framed[0].max() == 0


def test_accuracy_on_other_writers_has_an_interval() -> None:
    found = measure_other_writers(always(3))
    assert found.value == 183 / 1797 and found.low < found.value < found.high


def test_non_digits_depend_on_kind_and_seed() -> None:
    letters = draw_non_digits("letter", 4, seed=1)
    assert letters.shape == (4, 28, 28, 1) and letters.dtype == np.uint8
    np.testing.assert_array_equal(draw_non_digits("letter", 6, seed=1)[:4], letters)
    assert (draw_non_digits("letter", 4, seed=2) != letters).any()
    assert (draw_non_digits("tick", 4, seed=1) != letters).any()


@pytest.mark.parametrize(("confidence", "rejected"), [(0.9, 0.0), (0.3, 1.0)])
def test_the_threshold_of_the_contract_decides(confidence: float, rejected: float) -> None:
    found = measure_rejection(always(3, confidence), samples(20), each=3)
    assert found.threshold == 0.5
    assert found.digits.value == found.not_digits.value == rejected
    assert list(found.kinds) == list(KINDS)
    assert found.to_dict()["kinds"]["letter"]["value"] == rejected


def test_confidence_is_calibrated_before_the_threshold() -> None:
    engine = Rule(lambda images: np.zeros(len(images), int), 0.6, contract(rejection_threshold=0.5, temperature=4.0))
    assert measure_rejection(engine, samples(10), each=2).digits.value == 1


def test_each_kind_has_its_own_share() -> None:
    # Confident in dense ink only; textures are denser than ticks.
    def decide(images: Images) -> np.ndarray:
        return np.zeros(len(images), int)

    class Dense(Rule):
        def _invoke(self, tensor: np.ndarray) -> np.ndarray:
            answer = super()._invoke(tensor)
            answer[tensor.mean(axis=(1, 2, 3)) < 0.2] = 0.1
            return answer

    found = measure_rejection(Dense(decide, 0.9, contract(rejection_threshold=0.5)), samples(10), each=40)
    assert found.kinds["tick"].value > found.kinds["texture"].value
    assert found.not_digits.value == pytest.approx(np.mean([share.value for share in found.kinds.values()]))
