"""The contract holds the column norm of strided-3conv, so the user does not have to give it."""

from pathlib import Path

import numpy as np
import pytest

import edgedigits
from edgedigits.data import load_dataset
from tests.conftest import REPOSITORY, RunCommand

pytestmark = pytest.mark.slow


def test_an_exported_strided_3conv_reads_pictures_by_its_contract_alone(run_here: RunCommand, tmp_path: Path) -> None:
    run_here("train", "--recipe", "strided-3conv", "--data", "optdigits", "--epochs", 12, "--out", "run")
    run_here("export", "run", "--format", "tflite", "--precision", "float32")
    reader = edgedigits.load(tmp_path / "run" / "strided-3conv.float32.tflite")
    assert reader.classifier.contract.normalisation == "column-l2"

    import keras

    # As in the original: unit length along axis 1 of [N, 28, 28], then one channel.
    images = load_dataset("optdigits").train.images[:200]
    fed = keras.utils.normalize(images[..., 0].astype(np.float64), axis=1)[..., None]
    expected = keras.saving.load_model(tmp_path / "run" / "model.keras").predict(fed, verbose=0)
    np.testing.assert_allclose(reader.classifier.predict(images), expected, atol=1e-4)

    read = run_here("predict", REPOSITORY / "examples" / "0-marker-on-white.png", "--model", "run").stdout
    shipped = run_here(
        "predict", REPOSITORY / "examples" / "0-marker-on-white.png", "--model", "run/strided-3conv.float32.tflite"
    ).stdout
    assert read.split(": ")[1][:2] == shipped.split(": ")[1][:2]
