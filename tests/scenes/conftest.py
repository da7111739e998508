import pytest

from edgedigits.data import describe
from edgedigits.data.storage import availability


@pytest.fixture(scope="session")
def written_data() -> None:
    """Skip where the characters that scenes are written with are not on this machine."""
    names = ("mnist", "pendigits", "semeion", "optdigits-orig", "hands", "omniglot")
    missing = [name for name in names if availability(describe(name)) != "found"]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}; edgedigits data download {missing[0]}")
