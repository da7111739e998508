import pytest

from edgedigits.data import hands, load_dataset, omniglot, optdigits_orig, pendigits, semeion
from edgedigits_runtime.errors import DataNotFound


@pytest.fixture(scope="session")
def written_data() -> None:
    """Skip where the characters that scenes are written with are not on this machine."""
    try:
        load_dataset("mnist", download=False)
        for module in (omniglot, optdigits_orig, semeion):
            module.load_characters(download=False)
        pendigits.load_strokes(download=False)
        hands.load_pictures(download=False)
    except DataNotFound as error:
        pytest.skip(str(error))
