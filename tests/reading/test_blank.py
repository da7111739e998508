"""Blank images and noise are refused, digits never, alike in Python, C and the page."""

import base64
import ctypes
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgedigits.data.dataset import Dataset
from edgedigits.model_files import SHIPPED
from edgedigits_exporters.microcontroller import c
from edgedigits_runtime.classifier import LEAST_CONTRAST, Classifier, are_blank
from edgedigits_runtime.engines import open_engine
from edgedigits_runtime.engines.compiled_c import compiled
from edgedigits_runtime.golden import golden_path, read_golden
from edgedigits_runtime.synthetic.samples import mnist_like
from tests.support.js_reader import BrowserReader
from tests.support.needs import needs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Images = NDArray[np.uint8]


def blank_images(seed: int) -> Images:
    """Return uint8 [6, 28, 28, 1]: black, white, grey, noise of all levels, noise on grey, and specks."""
    rng = np.random.default_rng(seed)
    level, deviation = rng.uniform(0, 255), rng.uniform(LEAST_CONTRAST, 100)
    shape = (28, 28)
    grey = np.full(shape, level) + rng.integers(0, LEAST_CONTRAST // 2, shape)
    specks = 255 * (rng.random(shape) < rng.uniform(0.1, 0.9))
    noise = rng.integers(0, 256, shape), rng.normal(128, deviation, shape)
    images = np.stack([np.zeros(shape), np.full(shape, 255), grey, *noise, specks])
    return np.clip(np.rint(images), 0, 255).astype(np.uint8)[..., np.newaxis]


@given(st.integers(0, 10_000))
def test_blank_images_and_noise_are_refused(seed: int) -> None:
    assert are_blank(blank_images(seed)).all()


def test_digits_are_not_refused(mnist: Dataset) -> None:
    drawn, _ = mnist_like(60, 3)
    assert not are_blank(mnist.test.images).any()
    assert not are_blank(drawn[..., np.newaxis]).any()
    faint = (drawn // 8)[..., np.newaxis]
    assert not are_blank(np.concatenate([faint, 255 - faint])).any()


def test_grey_in_three_channels_is_refused_alike() -> None:
    images = of_any_roughness()
    np.testing.assert_array_equal(are_blank(images.repeat(3, axis=3)), are_blank(images))


@pytest.mark.parametrize("model", ["pico", "nano", "base", "max"])
def test_no_model_is_sure_of_a_blank_image(model: str) -> None:
    with Classifier(open_engine(SHIPPED / f"{model}.tflite")) as classifier:
        assert (classifier.confidences(blank_images(2)) < 1e-6).all()
        mixed = np.concatenate(
            [blank_images(2), read_golden(golden_path(SHIPPED / f"{model}.tflite"))["framed"][..., None]]
        )
        confidences = classifier.confidences(mixed)
        np.testing.assert_array_equal(confidences[6:], classifier.confidences(mixed[6:]))
    assert (confidences[:6] < 1e-6).all()
    assert (confidences[6:].max(axis=1) > 0.3).any()


def of_any_roughness() -> Images:
    """Return uint8 [600, 28, 28, 1]: digits with more and more noise, and faint ones."""
    rng = np.random.default_rng(4)
    digits, _ = mnist_like(600, 4)
    share = np.linspace(0, 1, 600)[:, np.newaxis, np.newaxis]
    mixed = digits * (1 - share) + rng.integers(0, 256, digits.shape) * share
    mixed[::5] = digits[::5] * rng.uniform(0, 0.15, (120, 1, 1))
    return np.rint(mixed).astype(np.uint8)[..., np.newaxis]


@needs("cc")
@pytest.mark.slow
def test_c_refuses_the_same_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library = ctypes.CDLL(str(compiled(c.export(SHIPPED / "pico.tflite", tmp_path / "c", c.COptions()))))

    class Result(ctypes.Structure):
        _fields_ = (("label", ctypes.c_int), ("confidence", ctypes.c_float), ("accepted", ctypes.c_bool))
        _fields_ += (("output", ctypes.c_int8 * 10),)

    scratch_bytes = (ctypes.c_int32 * 3).in_dll(library, "digits_sizes")[0]
    scratch, result, refused = (ctypes.c_int32 * (scratch_bytes // 4 + 1))(), Result(), []
    images = np.concatenate([of_any_roughness(), blank_images(5)])
    for image in images:
        library.digits_predict(image.tobytes(), ctypes.byref(result), scratch)
        refused.append(result.confidence == 0)
        assert not (refused[-1] and result.accepted)
    wanted = are_blank(images)
    assert 100 < wanted.sum() < 500
    np.testing.assert_array_equal(refused, wanted)


@pytest.mark.slow
def test_the_page_refuses_the_same_images(browser: "Browser") -> None:
    from edgedigits import load

    images = np.concatenate([of_any_roughness(), blank_images(5)])
    with load("pico") as reader:
        both = BrowserReader(browser, reader)
        found = both.page.evaluate(
            """(text) => {
                const all = harness.bytes(text);
                return Array.from({ length: all.length / 784 }, (_, k) =>
                    harness.isBlank({ width: 28, height: 28, data: all.subarray(k * 784, (k + 1) * 784) }));
            }""",
            base64.b64encode(images.tobytes()).decode(),
        )
        both.close()
    np.testing.assert_array_equal(found, are_blank(images))
