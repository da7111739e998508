"""The gates: defaults, those of a recipe, and the rule for small splits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgedigits.recipes.gates import (
    DEFAULT_GATES,
    EXACT,
    SMALL_SPLIT,
    Gate,
    default_gate,
    few_images,
    judge,
    scaled,
    with_demands,
)
from edgedigits_exporters.conversion import PRECISIONS
from edgedigits_runtime.errors import UnknownName
from edgedigits_runtime.intervals import Share, accuracy_drop, mcnemar

FLOAT, HALF, INT8 = DEFAULT_GATES["float32"], DEFAULT_GATES["float16"], DEFAULT_GATES["int8"]


def missed(gate: Gate, images: int = 10_000, flips: int = 0, error: float = 0.0, drop: float = 0.0) -> tuple[str, ...]:
    """Judge figures; `drop` is in points and has no interval."""
    share = Share(drop / 100, drop / 100, drop / 100)
    return judge(gate, images=images, flips=flips, probability_error=error, drop=share).missed


def test_every_precision_has_a_gate() -> None:
    assert tuple(DEFAULT_GATES) == PRECISIONS
    assert DEFAULT_GATES["dynamic"] == INT8
    assert default_gate("int16", {}) == default_gate("uint8", {}) == INT8


@pytest.mark.parametrize(
    ("gate", "figures", "lines"),
    [
        (FLOAT, {}, 0),
        (FLOAT, {"error": 1e-4}, 0),
        (FLOAT, {"error": 1.1e-4}, 1),
        (FLOAT, {"flips": 1}, 1),
        (FLOAT, {"flips": 1, "error": 0.1}, 2),
        (HALF, {"flips": 5, "error": 0.3, "drop": 3.0}, 0),
        (HALF, {"flips": 6}, 1),
        (INT8, {"flips": 20, "drop": 0.10, "error": 0.9}, 0),
        (INT8, {"flips": 21, "drop": 0.10}, 1),
        (INT8, {"flips": 20, "drop": 0.11}, 1),
        (INT8, {"flips": 500, "drop": 4.0}, 2),
        (INT8, {"flips": 20, "drop": -2.0}, 0),
        (Gate(), {"flips": 10_000, "error": 1.0, "drop": 100.0}, 0),
    ],
)
def test_defaults(gate: Gate, figures: dict[str, float], lines: int) -> None:
    assert len(missed(gate, **figures)) == lines  # type: ignore[arg-type]


def test_a_figure_equal_to_its_limit_passes() -> None:
    for flips in range(0, 10_000, 100):
        assert not missed(Gate(min_agreement=float(f"0.{10_000 - flips:04d}") if flips else 1.0), flips=flips)


@pytest.mark.parametrize(
    ("lines", "facts"),
    [
        (missed(FLOAT, flips=3, error=0.25), [("3", "0"), ("0.25", "0.0001")]),
        (missed(INT8, flips=100, drop=0.5), [("99.00%", "99.80%"), ("0.50", "0.10")]),
    ],
)
def test_lines_have_the_figure_and_its_limit(lines: tuple[str, ...], facts: list[tuple[str, str]]) -> None:
    assert len(lines) == len(facts)
    for line, (figure, limit) in zip(lines, facts, strict=True):
        assert figure in line and limit in line


@given(st.integers(1, SMALL_SPLIT - 1), st.sampled_from([FLOAT, HALF, INT8]))
def test_one_flip_is_always_allowed_on_a_small_split(images: int, gate: Gate) -> None:
    assert missed(gate, images=images, flips=1, drop=100 / images) == ()


@given(st.integers(2, 270))
def test_two_flips_are_not_allowed(images: int) -> None:
    assert missed(FLOAT, images=images, flips=2)
    assert missed(INT8, images=images, flips=2, drop=200 / images)


@given(st.integers(1, SMALL_SPLIT - 1), st.integers(0, 40), st.integers(0, 40))
def test_a_small_split_refuses_a_drop_only_beyond_its_interval(images: int, lost: int, won: int) -> None:
    lost, won = min(lost, images // 2), min(won, images // 2)
    drop = accuracy_drop(lost, won, images)
    given_gate = {"images": images, "flips": lost + won, "probability_error": 0.0, "drop": drop}
    gate = Gate(max_accuracy_drop=0.10)
    lenient, strict = judge(gate, **given_gate), judge(gate, **given_gate, strict=gate.limits())  # type: ignore[arg-type]
    # What exceeds a limit is named in any case, as missed or as undecided.
    assert bool(lenient.missed or lenient.undecided) == (100 * drop.value > 0.10 + 1e-9)
    assert not strict.undecided or lost + won <= 1
    if lenient.missed:
        assert drop.low > 0.001 and mcnemar(lost, won) < 0.13
    if lost > won and mcnemar(lost, won) < 1e-4 and drop.low > 0.0011:
        assert lenient.missed


def test_two_net_errors_of_a_thousand_are_undecided_and_ten_are_refused() -> None:
    for lost, refused in ((2, False), (10, True)):
        found = judge(INT8, images=1_000, flips=lost, probability_error=0, drop=accuracy_drop(lost, 0, 1_000))
        assert bool(found.missed) == refused and (refused or found.undecided)


@given(st.floats(0, 1))
def test_the_gate_of_a_foreign_model_follows_its_errors_within_bounds(errors: float) -> None:
    gate = scaled(INT8, errors)
    assert 0.99 <= gate.min_agreement <= 0.998 and 0.10 <= gate.max_accuracy_drop <= 0.5  # type: ignore[operator]
    assert scaled(FLOAT, errors) is FLOAT and scaled(HALF, errors) is HALF
    assert scaled(INT8, 0.005) == INT8 and scaled(INT8, 0.02) == Gate(min_agreement=0.995, max_accuracy_drop=0.2)


def test_the_rule_ends_at_5000_images() -> None:
    assert SMALL_SPLIT == 5_000
    assert missed(FLOAT, images=4_999, flips=1) == ()
    assert missed(FLOAT, images=5_000, flips=1) != ()


def test_the_rule_does_not_apply_to_the_probability_error() -> None:
    assert missed(FLOAT, images=100, flips=1, error=0.5) != ()


def test_a_gate_of_the_recipe_replaces_the_default() -> None:
    own = Gate(min_agreement=0.9)
    assert default_gate("int8", {"int8": own}) is own
    assert default_gate("float32", {"int8": own}) is FLOAT
    with pytest.raises(UnknownName, match=r"'int4'.* float32, float16, int8, dynamic"):
        default_gate("int4", {})


@given(st.integers(1, 20_000), st.integers(0, 20_000), st.floats(0, 1), st.floats(-100, 100))
def test_a_larger_difference_never_passes_a_missed_gate(images: int, flips: int, error: float, drop: float) -> None:
    flips = min(flips, images)
    for gate in (FLOAT, HALF, INT8):
        if missed(gate, images, flips, error, drop):
            assert missed(gate, images, min(flips + 1, images), min(error * 2, 1.0), drop + 1)


def test_demands_replace_only_their_own_limits() -> None:
    gate = with_demands(DEFAULT_GATES["int8"], Gate(max_flips=5))
    assert gate == Gate(max_flips=5, min_agreement=0.998, max_accuracy_drop=0.10)
    assert with_demands(gate, Gate()) == gate


@pytest.mark.parametrize(
    ("gate", "images", "facts"),
    [
        (INT8, 240, ("240", "0.42", "0.10", "1,000")),
        (INT8, 999, ("999",)),
        (INT8, 1_000, ()),
        (HALF, 1_000, ("0.10", "0.05", "2,000")),
        (HALF, 2_000, ()),
        # One flip exceeds the probability error of these anyway.
        (FLOAT, 100, ()),
        (EXACT, 100, ()),
        (Gate(max_accuracy_drop=0.0), 100, ()),
        (Gate(), 100, ()),
    ],
)
def test_few_images_are_reported(gate: Gate, images: int, facts: tuple[str, ...]) -> None:
    notes = few_images(gate, images)
    assert len(notes) == bool(facts)
    for fact in facts:
        assert fact in notes[0]


@given(st.integers(1, 2 * SMALL_SPLIT), st.sampled_from([HALF, INT8]))
def test_a_note_means_that_one_flip_is_tolerated_beyond_the_limits(images: int, gate: Gate) -> None:
    beyond = max(100 / images - (gate.max_accuracy_drop or 100), (1 - 1 / images < (gate.min_agreement or 0)))
    assert bool(few_images(gate, images)) == (beyond > 1e-9 and images < SMALL_SPLIT)
