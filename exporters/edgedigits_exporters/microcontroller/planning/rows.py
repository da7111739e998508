"""In which order the layers make their rows, so that few rows have to be in memory at a time.

A layer makes one row of its output in a step. Before it does, the layers that it reads from make the rows that it
needs; rows that nobody needs any more are overwritten. A layer may also be told to finish all its rows at once.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reads:
    """What a stage reads of another one's rows.

    Args:
        stage: the one that makes them.
        rows: (first, end) of the rows needed in a step, end excluded; both within what that stage makes.
    """

    stage: int
    rows: Callable[[int], tuple[int, int]]


@dataclass(frozen=True)
class Stage:
    """A layer, or the input at the head, as far as the order of rows is concerned.

    Args:
        steps: rows that it makes; a layer that sums its input up into one row takes a row in each step.
        made: rows of its output.
        row_bytes: of one of them.
        reads: nothing for the input.
        patch_bytes: memory that it needs within a step.
        kept_bytes: memory that it needs from its first step to its last.
    """

    steps: int
    made: int
    row_bytes: int
    reads: tuple[Reads, ...] = ()
    patch_bytes: int = 0
    kept_bytes: int = 0


def order_of_steps(stages: list[Stage], finished_at_once: frozenset[int]) -> list[int]:
    """Return the stages' numbers, once for each step, in an order in which every row is there when it is read.

    Args:
        stages: each reads earlier ones only.
        finished_at_once: stages that make all their rows as soon as one is asked for.
    """
    order: list[int] = []
    done = [0] * len(stages)

    def make(stage: int, until: int) -> None:
        if stage in finished_at_once:
            until = stages[stage].made
        # The one row of a sum is there after its last step.
        steps = stages[stage].steps if until == stages[stage].made else until
        while done[stage] < steps:
            for read in stages[stage].reads:
                make(read.stage, read.rows(done[stage])[1])
            order.append(stage)
            done[stage] += 1

    make(len(stages) - 1, stages[-1].made)
    return order


def rows_in_memory(stages: list[Stage], order: list[int]) -> list[int]:
    """Return for each stage how many of its last rows have to be in memory."""
    first_needed = _first_needed(stages, order)
    kept = [0] * len(stages)
    done = [0] * len(stages)
    for time, stage in enumerate(order):
        done[stage] += 1
        made = min(done[stage], stages[stage].made)
        kept[stage] = max(kept[stage], made - min(first_needed[stage][time], made - 1))
    return kept


def _first_needed(stages: list[Stage], order: list[int]) -> list[list[int]]:
    """Return for each stage and time the first of its rows that is read then or later."""
    done = [order.count(stage) for stage in range(len(stages))]
    lowest = [stages[stage].made for stage in range(len(stages))]
    # The answer is read after the last step, all of it.
    lowest[-1] = 0
    # All rows of the answer are read at the end.
    lowest[-1] = 0
    found: list[list[int]] = [[0] * len(order) for _ in stages]
    for time in range(len(order) - 1, -1, -1):
        stage = order[time]
        done[stage] -= 1
        for read in stages[stage].reads:
            lowest[read.stage] = min(lowest[read.stage], read.rows(done[stage])[0])
        for other in range(len(stages)):
            found[other][time] = lowest[other]
    return found
