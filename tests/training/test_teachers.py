"""Teachers: networks with the input and the labels of the student."""

import numpy as np
import pytest

from edgedigits.data.dataset import Dataset, Samples
from edgedigits.model_files import SHIPPED
from edgedigits_runtime.contract import Normalisation
from edgedigits_runtime.errors import RunError

pytestmark = pytest.mark.slow

BASE = str(SHIPPED / "base.keras")
DIGITS = tuple("0123456789")


def dataset(side: int = 28, labels: tuple[str, ...] = DIGITS) -> Dataset:
    samples = Samples(np.zeros((1, side, side, 1), np.uint8), np.zeros(1, np.int64))
    return Dataset("made", samples, None, labels, "digits")


def test_a_matching_teacher_is_loaded() -> None:
    from edgedigits.training.network import load_teachers

    assert [teacher.name for teacher in load_teachers([BASE, BASE], dataset(), "unit")] == ["base", "base"]


@pytest.mark.parametrize(
    ("data", "normalisation", "fact"),
    [
        (dataset(32), "unit", r"it takes images of \[28, 28, 1\], the data have \[32, 32, 1\]"),
        (dataset(labels=("a", "b")), "unit", "it has 10 labels, the data have 2"),
        (dataset(labels=(*DIGITS[:9], "ten")), "unit", "it has the label '9', the data have 'ten'"),
        (dataset(), "column-l2", "it takes images normalised by 'unit', the student by 'column-l2'"),
    ],
)
def test_a_teacher_that_differs_is_refused(data: Dataset, normalisation: Normalisation, fact: str) -> None:
    from edgedigits.training.network import load_teachers

    with pytest.raises(RunError, match=rf"base\.keras.*{fact}"):
        load_teachers([BASE], data, normalisation)
