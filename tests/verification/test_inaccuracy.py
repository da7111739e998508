"""A model at chance proves nothing, and the likely cause is named."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgedigits.data.dataset import Samples
from edgedigits.recipes.gates import Gate
from edgedigits.verification.inaccuracy import UNKNOWN, describe_inaccuracy
from edgedigits.verification.verify import verify_artifact
from edgedigits_runtime.engines import open_engine
from tests.support.tiny_models import contract, labelled_pictures, onnx_bytes, pictures, tflite_bytes


@pytest.fixture(scope="module")
def samples() -> Samples:
    """200 images that the tiny models read right."""
    return Samples(*labelled_pictures(20))


def noise(count: int = 1000) -> Samples:
    return Samples(pictures(count), np.arange(count) % 10)


def described(tmp_path: Path, samples: Samples, expected: float | None = None, **changes: Any) -> str:
    """Return what is found for the tiny model with another contract."""
    path = tmp_path / "tiny.onnx"
    path.write_bytes(onnx_bytes(contract(**changes)))
    with open_engine(path) as engine:
        return describe_inaccuracy(engine, samples, engine.run(samples.images), expected)


@pytest.mark.parametrize(
    ("right", "wrong", "expected", "facts"),
    [
        (200, 0, None, ()),
        (20, 180, None, ("10.00%", "most frequent class has 14.50%")),
        (28, 172, None, ("14.00%", "most frequent")),
        (60, 140, None, ()),
        (1, 0, None, ("100.00%", "most frequent class has 100.00%")),
        (190, 10, 0.95, ()),
        (189, 11, 0.95, ("94.50%", "at least 95.00%")),
        (20, 180, 0.95, ("10.00%", "most frequent")),
    ],
)
def test_how_an_accuracy_falls_short(
    right: int, wrong: int, expected: float | None, facts: tuple[str, ...], tmp_path: Path, samples: Samples
) -> None:
    rng = np.random.default_rng(0)
    order = rng.permutation(200)[: right + wrong]
    labels = samples.labels[order]
    others = np.arange(right, right + wrong)
    labels[others] = (labels[others] + rng.integers(1, 10, wrong)) % 10
    text = described(tmp_path, Samples(samples.images[order], labels), expected)
    assert bool(text) == bool(facts)
    for fact in facts:
        assert fact in text
    assert not facts or UNKNOWN in text


def test_the_right_feeding_is_named(tmp_path: Path, samples: Samples) -> None:
    found = described(tmp_path, samples, polarity="dark-on-bright")
    assert "'unit'" in found and "100.00%" in found
    inverted = Samples(255 - samples.images, samples.labels)
    assert "inverted" in described(tmp_path, inverted)


def test_the_right_order_of_labels_is_named(tmp_path: Path, samples: Samples) -> None:
    moved = dataclasses.replace(samples, labels=(samples.labels + 3) % 10)
    found = described(tmp_path, moved)
    assert "labels in the order 3, 4, 5, 6, 7, 8, 9, 0, 1, 2" in found and "100.00%" in found


def test_a_better_way_counts_above_chance(tmp_path: Path, samples: Samples) -> None:
    """Four of ten labels in the right place."""
    swapped = np.array([1, 0, 3, 2, 5, 4, 6, 7, 8, 9])
    found = described(tmp_path, dataclasses.replace(samples, labels=swapped[samples.labels]))
    assert "40.00%" in found and "most frequent" not in found
    assert "labels in the order 1, 0, 3, 2, 5, 4, 6, 7, 8, 9" in found


def test_noise_has_no_cause(tmp_path: Path) -> None:
    for count in (1000, 20):
        assert UNKNOWN in described(tmp_path, noise(count))


def files(tmp_path: Path, **changes: Any) -> tuple[Path, Path]:
    artifact, reference = tmp_path / "tiny.tflite", tmp_path / "tiny.onnx"
    artifact.write_bytes(tflite_bytes(contract(**changes)))
    reference.write_bytes(onnx_bytes(contract(**changes)))
    return artifact, reference


def test_agreement_at_chance_does_not_pass(tmp_path: Path, samples: Samples) -> None:
    artifact, reference = files(tmp_path)
    assert verify_artifact(artifact, reference, samples, "test").passed
    found = verify_artifact(artifact, reference, noise(), "test")
    assert not found.passed
    assert found.comparison.agreement == 1
    assert len(found.missed) == 1
    assert "agrees with ONNX Runtime, but neither is accurate" in found.missed[0]
    assert f"{found.comparison.keras_accuracy.value:.2%}" in found.missed[0] and UNKNOWN in found.missed[0]


def test_a_wrong_polarity_of_both_does_not_pass(tmp_path: Path, samples: Samples) -> None:
    found = verify_artifact(*files(tmp_path, polarity="dark-on-bright"), samples, "test")
    assert not found.passed
    assert "'unit'" in found.missed[-1]


def test_an_expected_accuracy_is_a_demand(tmp_path: Path, samples: Samples) -> None:
    artifact, reference = files(tmp_path)
    mislabelled = dataclasses.replace(samples, labels=np.where(np.arange(200) % 10, samples.labels, 3))
    assert verify_artifact(artifact, reference, mislabelled, "test").passed
    demands = Gate(min_accuracy=0.95)
    found = verify_artifact(artifact, reference, mislabelled, "test", demands=demands)
    assert [line.startswith("agrees with ONNX Runtime, but neither") for line in found.missed] == [True]
    assert "at least 95.00% expected" in found.missed[0]
    assert found.to_dict()["gate"]["min_accuracy"] == 0.95
    assert verify_artifact(artifact, reference, samples, "test", demands=demands).passed
    # The contract remembers what was given to the import; a demand replaces it.
    artifact, reference = files(tmp_path, expected_accuracy=0.95)
    assert verify_artifact(artifact, reference, mislabelled, "test").missed == found.missed
    assert verify_artifact(artifact, reference, mislabelled, "test", demands=Gate(min_accuracy=0.5)).passed


def test_a_flipped_artifact_is_not_said_to_agree(tmp_path: Path) -> None:
    artifact, reference = files(tmp_path)
    artifact.write_bytes(tflite_bytes(contract(polarity="dark-on-bright")))
    found = verify_artifact(artifact, reference, noise(), "test")
    assert len(found.missed) > 1
    assert not any("agrees" in line for line in found.missed)
    assert any("neither is accurate" in line for line in found.missed)
