"""The example pictures and the MNIST test images, read by the shipped model through the whole reader."""

import io

import numpy as np
import pytest
from PIL import Image

import edgedigits
from edgedigits.data.dataset import Dataset
from edgedigits.data.labelled_pictures import read_labelled
from tests.conftest import REPOSITORY


def test_every_example_is_read_right() -> None:
    reader = edgedigits.load()
    pictures = read_labelled(REPOSITORY / "examples")
    assert len(pictures) >= 12
    assert {picture.name: reader.read(picture.path).text for picture in pictures} == {
        picture.name: picture.label for picture in pictures
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


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
