"""Figures of the benchmark on other writers' characters, from readings that are made up."""

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.other_writers import GROUPS, measured, read_texts, render
from edgedigits.data.hands import FOLDS, MEMBERS

RIGHT = {name: name.split("-")[1] if name.startswith("digit") else "" for name in MEMBERS}


def test_all_right():
    found = measured(RIGHT)
    assert all(found[group]["all"].value == 1 and found[group]["folds"] == [1] * FOLDS for group in GROUPS)


@given(st.sets(st.sampled_from(sorted(MEMBERS)), max_size=40))
def test_each_wrong_reading_counts_once_in_its_fold(wrong):
    found = measured({name: "77" if name in wrong else text for name, text in RIGHT.items()})
    digits = [name for name in wrong if name.startswith("digit")]
    clear = [name for name in wrong if name.split("-")[1] not in "0123456789OoDQIlZzSsBbGgq"]
    expected = {"digits": (len(digits), 590), "clear letters": (len(clear), 2_220)}
    expected["all letters"] = (len(wrong) - len(digits), 3_120)
    for group, (errors, count) in expected.items():
        assert round(found[group]["all"].value * count) == count - errors
        perfect = [share == 1 for share in found[group]["folds"]]
        assert sum(not fold for fold in perfect) <= errors and (all(perfect) == (errors == 0))


def test_a_fold_is_read_by_its_own_model():
    class Named:
        def __init__(self, name):
            self.name = name

        def read_many(self, pictures):
            return [type("Reading", (), {"text": self.name}) for _ in pictures]

    texts = read_texts([Named(str(k)) for k in range(FOLDS)], dict.fromkeys(MEMBERS))
    assert texts["digit-3-011.png"] == "0" and texts["small-a-012.png"] == "1" and texts["capital-A-059.png"] == "4"


def test_the_table_has_a_row_for_each_model():
    share = {"value": 0.5, "low": 0.4, "high": 0.6}
    model = {"by_folds": True, **{group: {"all": share, "folds": [0.5] * FOLDS} for group in GROUPS}}
    text = render({"models": {"tiny": model}, "machine": {"processor": "a", "cores": 2}})
    assert "| `tiny` | folds | 50.0% (40.0% to 60.0%) |" in text
