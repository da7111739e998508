"""The classifier checks arrays and returns probabilities or calibrated confidences."""

from pathlib import Path

import numpy as np
import pytest

from edgedigits_runtime.classifier import Classifier
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.errors import ArrayError, EngineClosed
from edgedigits_runtime.preprocessing import apply_temperature
from tests.support.tiny_models import contract, expected, pictures, tflite_bytes, write_tflite


def test_predict_gives_the_models_own_probabilities(tmp_path: Path) -> None:
    classifier = Classifier(open_engine(write_tflite(tmp_path)))
    images = pictures(3)
    found = classifier.predict(images)
    assert found.shape == (3, 10)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(images), atol=1e-5)


def test_a_single_channel_may_be_left_out(tmp_path: Path) -> None:
    classifier = Classifier(open_engine(write_tflite(tmp_path, "int8")))
    images = pictures(3)
    np.testing.assert_array_equal(classifier.predict(images[..., 0]), classifier.predict(images))


def test_confidences_use_the_contracts_temperature(tmp_path: Path) -> None:
    path = tmp_path / "warm.tflite"
    path.write_bytes(tflite_bytes(contract(temperature=2.5)))
    classifier = Classifier(open_engine(path))
    # Of two pixels by two: noise is refused.
    images = pictures(4)[:, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_array_equal(classifier.confidences(images), apply_temperature(classifier.predict(images), 2.5))
    assert (classifier.confidences(images).max(axis=1) < classifier.predict(images).max(axis=1)).all()


@pytest.mark.parametrize("call", ["predict", "confidences"])
def test_other_arrays_are_refused(call: str, tmp_path: Path) -> None:
    classifier = Classifier(open_engine(write_tflite(tmp_path)))
    for wrong in (np.zeros((1, 28, 28)), np.zeros((28, 28), np.uint8), np.zeros((0, 28, 28), np.uint8)):
        with pytest.raises(ArrayError, match=r"28, 28"):
            getattr(classifier, call)(wrong)


def test_a_closed_classifier_raises_an_error(tmp_path: Path) -> None:
    with Classifier(open_engine(write_tflite(tmp_path))) as classifier:
        classifier.predict(pictures(2))
    with pytest.raises(EngineClosed):
        classifier.predict(pictures(1))
