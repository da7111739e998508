"""The order of rows and their places in memory: every row is complete when it is read, for random layers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgedigits_exporters.microcontroller.planning.memory import ALIGNMENT, Plan, plan_memory
from edgedigits_exporters.microcontroller.planning.rows import Reads, Stage, order_of_steps, rows_in_memory


def reads(stage: int, height: int, size: int = 1, stride: int = 1, above: int = 0) -> Reads:
    """Rows under a window, as a layer reads them."""

    def rows(y: int) -> tuple[int, int]:
        first = y * stride - above
        return max(0, min(first, height - 1)), max(1, min(first + size, height))

    return Reads(stage, rows)


def part(stage: int, top: int, height: int) -> Reads:
    """The row of a tensor that lies at row `top` of a larger one; none of it for the other rows."""

    def rows(y: int) -> tuple[int, int]:
        if y < top:
            return 0, 0
        return (y - top, y - top + 1) if y < top + height else (height, height)

    return Reads(stage, rows)


@st.composite
def networks(draw: st.DrawFn) -> list[Stage]:
    """Draw a picture and layers: windows, sums over all rows, additions of two tensors of one height or of a single row
    to each row, and tensors joined along the height."""
    stages = [Stage(draw(st.integers(1, 12)), 0, draw(st.integers(1, 9)))]
    stages[0] = Stage(stages[0].steps, stages[0].steps, stages[0].row_bytes)
    for _ in range(draw(st.integers(1, 6))):
        source, height = len(stages) - 1, stages[-1].made
        extra = {"patch_bytes": draw(st.integers(0, 12)), "row_bytes": draw(st.integers(1, 9))}
        kind = draw(st.sampled_from(["window", "sum", "add", "repeat", "join"]))
        single = [number for number in range(source) if stages[number].made == 1]
        alike = [number for number in range(source) if stages[number].made == height]
        if kind == "sum":
            stages.append(Stage(height, 1, reads=(reads(source, height),), kept_bytes=draw(st.integers(1, 9)), **extra))
        elif kind == "add" and alike:
            both = (reads(source, height), reads(draw(st.sampled_from(alike)), height))
            stages.append(Stage(height, height, reads=both, **extra))
        elif kind == "repeat" and single:
            both = (reads(source, height), Reads(draw(st.sampled_from(single)), lambda _y: (0, 1)))
            stages.append(Stage(height, height, reads=both, **extra))
        elif kind == "join":
            other = draw(st.integers(0, source))
            made = height + stages[other].made
            both = (part(source, 0, height), part(other, height, stages[other].made))
            stages.append(Stage(made, made, reads=both, **extra))
        else:
            size, stride, above = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 1))
            made = max(1, (height + above - size) // stride + 1)
            stages.append(Stage(made, made, reads=(reads(source, height, size, stride, above),), **extra))
    return stages


def run(stages: list[Stage], plan: Plan) -> None:
    """Run the steps on bytes marked with their stage and row, and check the marks that each layer reads."""
    memory = np.full((plan.size, 2), -1)
    done = [0] * len(stages)

    def mark(at: int, size: int, stage: int, what: int) -> None:
        assert at + size <= plan.size
        memory[at : at + size] = (stage, what)

    def holds(at: int, size: int, stage: int, what: int) -> bool:
        return bool((memory[at : at + size] == (stage, what)).all())

    for number in plan.order:
        stage, y = stages[number], done[number]
        if y:
            assert holds(plan.kept_at[number], stage.kept_bytes, number, 1000)
        # Within a step, a layer writes the patch, reads rows, and writes the output.
        mark(plan.patch_at[number], stage.patch_bytes, number, 2000)
        mark(plan.kept_at[number], stage.kept_bytes, number, 1000)
        row = min(y, stage.made - 1)
        mark(plan.rows_at[number] + row % plan.rows[number] * stage.row_bytes, stage.row_bytes, number, row)
        assert holds(plan.patch_at[number], stage.patch_bytes, number, 2000)
        for read in stage.reads:
            first, end = read.rows(y)
            for needed in range(first, end):
                at = plan.rows_at[read.stage] + needed % plan.rows[read.stage] * stages[read.stage].row_bytes
                assert holds(at, stages[read.stage].row_bytes, read.stage, needed)
        done[number] += 1
    assert done[-1] == stages[-1].steps
    last = len(stages) - 1
    for row in range(stages[last].made):
        assert holds(plan.rows_at[last] + row * stages[last].row_bytes, stages[last].row_bytes, last, row)


@given(networks())
@settings(max_examples=150)
def test_every_row_is_complete_when_it_is_read(stages: list[Stage]) -> None:
    (plan,) = plan_memory(stages)
    run(stages, plan)
    assert all(at % ALIGNMENT == 0 for at in (*plan.rows_at, *plan.patch_at, *plan.kept_at))


@given(networks(), st.integers(0, 40))
@settings(max_examples=60)
def test_larger_patches_have_the_same_order(stages: list[Stage], more: int) -> None:
    larger = [
        Stage(s.steps, s.made, s.row_bytes, s.reads, s.patch_bytes + more if s.patch_bytes else 0, s.kept_bytes)
        for s in stages
    ]
    plan, other = plan_memory(stages, larger)
    assert (plan.order, plan.rows) == (other.order, other.rows)
    run(larger, other)


@given(networks())
@settings(max_examples=60)
def test_a_plan_needs_at_most_the_memory_of_all_rows(stages: list[Stage]) -> None:
    (plan,) = plan_memory(stages)
    whole = sum(-(-size // ALIGNMENT) * ALIGNMENT for s in stages for size in (s.made * s.row_bytes, s.kept_bytes))
    patch = max(-(-s.patch_bytes // ALIGNMENT) * ALIGNMENT for s in stages)
    assert plan.size <= whole + patch


def test_a_window_of_three_keeps_three_rows() -> None:
    picture = Stage(28, 28, 28)
    layer = Stage(28, 28, 28 * 4, (reads(0, 28, size=3, above=1),))
    pooled = Stage(14, 14, 14 * 4, (reads(1, 28, size=2, stride=2),))
    stages = [picture, layer, pooled]
    order = order_of_steps(stages, frozenset())
    assert rows_in_memory(stages, order) == [3, 2, 14]
    assert order[:4] == [0, 0, 1, 0]


def test_finishing_at_once_keeps_all_rows() -> None:
    stages = [Stage(8, 8, 4), Stage(8, 8, 4, (reads(0, 8),)), Stage(8, 8, 4, (reads(1, 8),))]
    assert order_of_steps(stages, frozenset({0}))[:9] == [0] * 8 + [1]
    assert rows_in_memory(stages, order_of_steps(stages, frozenset({0})))[0] == 8


def test_a_stage_of_which_no_row_is_read_needs_no_memory() -> None:
    picture, other = Stage(3, 3, 5), Stage(1, 1, 5, (reads(0, 3, size=3),))
    joined = Stage(4, 4, 5, (part(0, 0, 3), part(1, 3, 1)))
    first_row = Stage(1, 1, 5, (reads(2, 4, stride=4),))
    stages = [picture, other, joined, first_row]
    (plan,) = plan_memory(stages)
    assert 1 not in plan.order
    run(stages, plan)
