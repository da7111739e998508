"""The order in which layers compute their rows, so that few rows are in memory at a time.

A layer computes one row of its output in a step. Before it, the layers that it reads from compute the rows that it
needs; rows that are no longer needed are overwritten. A stage may also finish all its rows at once.
"""

from dataclasses import dataclass

from edgedigits_exporters.microcontroller.layer import Reads


@dataclass(frozen=True)
class Stage:
    """A layer, or the input, with the sizes that the order of rows depends on.

    Args:
        steps: rows that it computes; a layer that sums its input into one row reads a row in each step.
        made: rows of its output.
        row_bytes: of one of them.
        reads: nothing for the input.
        patch_bytes: memory within a step.
        kept_bytes: memory from the first step to the last.
    """

    steps: int
    made: int
    row_bytes: int
    reads: tuple[Reads, ...] = ()
    patch_bytes: int = 0
    kept_bytes: int = 0


def order_of_steps(
    stages: list[Stage], finished_at_once: frozenset[int], handed_over: tuple[int, ...] = ()
) -> list[int]:
    """Return the stages' numbers, once for each step, in an order in which every row exists when it is read.

    Args:
        stages: each reads earlier ones only.
        finished_at_once: stages that compute all their rows as soon as one is needed.
        handed_over: see memory.plan_memory; they progress at the same pace, from the top of the picture to its bottom.
    """
    order: list[int] = []
    done = [0] * len(stages)

    def make(stage: int, until: int) -> None:
        if stage in finished_at_once:
            until = stages[stage].made
        # The only row of a sum exists after its last step.
        steps = stages[stage].steps if until == stages[stage].made else until
        while done[stage] < steps:
            for read in stages[stage].reads:
                make(read.stage, read.rows(done[stage])[1])
            order.append(stage)
            done[stage] += 1

    ends = handed_over or (len(stages) - 1,)
    tallest = max(stages[end].made for end in ends)
    for row in range(1, tallest + 1):
        for end in ends:
            make(end, stages[end].made * row // tallest)
    return order


def rows_in_memory(stages: list[Stage], order: list[int], handed_over: tuple[int, ...] = ()) -> list[int]:
    """Return for each stage the number of its last rows that have to be in memory; 1 if it never runs."""
    first_needed = _first_needed(stages, order, handed_over)
    kept = [1] * len(stages)
    done = [0] * len(stages)
    for stage, needed in zip(order, first_needed, strict=True):
        done[stage] += 1
        made = min(done[stage], stages[stage].made)
        kept[stage] = max(kept[stage], made - min(needed, made - 1))
    return kept


def _first_needed(stages: list[Stage], order: list[int], handed_over: tuple[int, ...]) -> list[int]:
    """Return for each step the first row of its stage that is read later."""
    done = [order.count(stage) for stage in range(len(stages))]
    lowest = [stages[stage].made for stage in range(len(stages))]
    if not handed_over:
        # All rows of the output are read after the last step.
        lowest[-1] = 0
    found = []
    for stage in reversed(order):
        done[stage] -= 1
        for read in stages[stage].reads:
            lowest[read.stage] = min(lowest[read.stage], read.rows(done[stage])[0])
        found.append(lowest[stage])
    return found[::-1]
