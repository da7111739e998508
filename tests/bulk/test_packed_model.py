"""A model and its finder are packed together, and opened where they are not."""

from pathlib import Path

import pytest

from edgedigits.bulk.packed_model import pack_model
from edgedigits.predicting.pictures import ReaderOptions
from edgedigits_runtime.errors import ArtifactNotFound
from edgedigits_runtime.synthetic.samples import mnist_like
from tests.support.tiny_finder import page_of, write_finder

DIGITS, LABELS = mnist_like(4, seed=3)


def test_a_finder_travels_with_the_model(tmp_path: Path) -> None:
    finder = write_finder(tmp_path / "finder.tflite")
    options = ReaderOptions(finder=str(finder))
    packed = pack_model(options)
    alone = pack_model(ReaderOptions(finder=None))
    assert packed.sha256 != alone.sha256
    finder.unlink()
    with packed.unpack(options).open() as reader:
        assert reader.finder is not None
        assert reader.read(page_of(DIGITS)).text == "".join(map(str, LABELS))
    assert alone.unpack(options).finder is None
    with pytest.raises(ArtifactNotFound):
        pack_model(options)
