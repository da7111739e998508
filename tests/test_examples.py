"""The example pictures and the MNIST test images, read by the shipped model through the whole reader."""

import io
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image

import edgedigits
from edgedigits.data.dataset import Dataset
from edgedigits.data.labels import read_labels
from edgedigits_runtime.errors import DataNotFound, DatasetInvalid


def test_every_example_is_read_right() -> None:
    reader = edgedigits.load()
    labels = read_labels(REPOSITORY / "examples")
    assert len(labels) >= 12
    assert {picture.name: reader.read(picture).text for picture, _ in labels} == {
        picture.name: label for picture, label in labels
    }


@pytest.mark.slow
@pytest.mark.parametrize("polarity", ["light on dark", "dark on light"])
def test_mnist_as_png_loses_at_most_a_twentieth_of_a_point(mnist: Dataset, polarity: str) -> None:
    assert mnist.test is not None
    reader = edgedigits.load()
    arrays = reader.classifier.predict(mnist.test.images).argmax(axis=1) == mnist.test.labels
    images = mnist.test.images if polarity == "light on dark" else 255 - mnist.test.images
    texts = [reader.read(png(image[..., 0])).text for image in images]
    read = np.array(texts) == mnist.test.labels.astype(str)
    assert arrays.sum() - read.sum() <= 5


def test_a_blank_page_reads_as_nothing() -> None:
    reading = edgedigits.load().read(np.full((200, 100), 250, np.uint8))
    assert reading.text == "" and reading.digits == ()


def test_labels_of_a_folder_without_them(tmp_path: Path) -> None:
    with pytest.raises(DataNotFound, match=r"labels\.csv"):
        read_labels(tmp_path)
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DatasetInvalid, match="file and label"):
        read_labels(tmp_path)


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
