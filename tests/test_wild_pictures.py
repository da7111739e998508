"""People's own pictures, with the shipped model, held a little below what was reached, so that a step back is seen.

The pictures are other people's and not in this repository: they are looked for beside the datasets, in the folder
wild-dev of EDGEDIGITS_DATA, and where they are not, this file is not collected (conftest.py says so).
"""

import pytest
from conftest import WILD_PICTURES

from edgedigits.bulk.reading import ReaderOptions
from edgedigits.verification.folder_evaluation import Case, FolderEvaluation, evaluate_pictures
from edgedigits.verification.labelled_pictures import read_labelled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> FolderEvaluation:
    pictures = read_labelled(WILD_PICTURES)
    return evaluate_pictures(pictures, ReaderOptions(), exclude=["hard to read", "operator"], jobs=2)


def wrong(cases: tuple[Case, ...]) -> list[str]:
    return [f"{case.picture.name}: {case.truth} read as {case.read}" for case in cases if not case.right]


def test_single_digits(found: FolderEvaluation) -> None:
    assert len(found.single) == 322
    assert len(wrong(found.single)) <= 3, wrong(found.single)


def test_photos_of_single_digits(found: FolderEvaluation) -> None:
    photos = found.single_by_kind["photo"]
    assert len(photos) == 56
    assert len(wrong(photos)) <= 2, wrong(photos)


def test_numbers_and_pages(found: FolderEvaluation) -> None:
    assert len(found.several) == 15
    assert len(wrong(found.several)) <= 2, wrong(found.several)
    scores = found.digit_scores
    assert scores.recall is not None and scores.recall.value >= 0.975
    assert scores.precision is not None and scores.precision.value >= 0.975


def test_pictures_without_a_digit(found: FolderEvaluation) -> None:
    assert len(found.without) == 18
    assert len(wrong(found.without)) <= 3, wrong(found.without)
