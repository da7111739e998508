"""Real pictures with the shipped models: bounds slightly below the measured figures catch a regression.

The pictures belong to others and are not in this repository. They are in the folder wild-dev of EDGEDIGITS_DATA;
without it these tests skip.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgedigits.data.wild import load_wild
from edgedigits.predicting.pictures import ReaderOptions
from edgedigits.verification.folder_evaluation import Case, FolderEvaluation, evaluate_pictures
from tests.conftest import REPOSITORY
from tests.support.needs import needs

WILD_PICTURES = Path(os.environ.get("EDGEDIGITS_DATA") or REPOSITORY) / "wild-dev"

pytestmark = [pytest.mark.slow, needs(WILD_PICTURES)]


@dataclass(frozen=True)
class Bounds:
    """The most pictures with errors, and the least share of digits found in pictures with several."""

    single: int
    photo: int
    several: int
    without: int
    digits: float


BOUNDS = {
    "base": Bounds(single=1, photo=1, several=2, without=3, digits=0.975),
    "max": Bounds(single=2, photo=1, several=2, without=6, digits=0.98),
}


@pytest.fixture(scope="module", params=BOUNDS)
def found(request: pytest.FixtureRequest) -> FolderEvaluation:
    pictures = load_wild(WILD_PICTURES.name, WILD_PICTURES.parent)
    options = ReaderOptions(request.param)
    return evaluate_pictures(pictures, options, exclude=["hard to read", "operator"], jobs=2)


@pytest.fixture
def bounds(found: FolderEvaluation) -> Bounds:
    return BOUNDS[found.model]


def wrong(cases: tuple[Case, ...]) -> list[str]:
    return [f"{case.picture.name}: {case.truth} read as {case.read}" for case in cases if not case.right]


def test_single_digits(found: FolderEvaluation, bounds: Bounds) -> None:
    assert len(found.single) == 322
    assert len(wrong(found.single)) <= bounds.single, wrong(found.single)


def test_photos_of_single_digits(found: FolderEvaluation, bounds: Bounds) -> None:
    photos = found.single_by_kind["photo"]
    assert len(photos) == 56
    assert len(wrong(photos)) <= bounds.photo, wrong(photos)


def test_expectations_of_numbers_and_pages(found: FolderEvaluation, bounds: Bounds) -> None:
    assert len(found.several) == 15
    assert len(wrong(found.several)) <= bounds.several, wrong(found.several)
    scores = found.digit_scores
    assert scores.recall is not None and scores.recall.value >= bounds.digits
    assert scores.precision is not None and scores.precision.value >= bounds.digits


def test_pictures_without_a_digit(found: FolderEvaluation, bounds: Bounds) -> None:
    assert len(found.no_digit) == 18
    assert len(wrong(found.no_digit)) <= bounds.without, wrong(found.no_digit)
