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


def order_of_steps(stages: list[Stage], finished_at_once: frozenset[int]) -> list[int]:
    """Return the stages' numbers, once for each step, in an order in which every row exists when it is read.

    Args:
        stages: each reads earlier ones only.
        finished_at_once: stages that compute all their rows as soon as one is needed.
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

    make(len(stages) - 1, stages[-1].made)
    return order


def rows_in_memory(stages: list[Stage], order: list[int]) -> list[int]:
    """Return for each stage the number of its last rows that have to be in memory; 1 if it never runs."""
    first_needed = _first_needed(stages, order)
    kept = [1] * len(stages)
    done = [0] * len(stages)
    for time, stage in enumerate(order):
        done[stage] += 1
        made = min(done[stage], stages[stage].made)
        kept[stage] = max(kept[stage], made - min(first_needed[stage][time], made - 1))
    return kept


def _first_needed(stages: list[Stage], order: list[int]) -> list[list[int]]:
    """Return for each stage and time its first row that is read then or later."""
    done = [order.count(stage) for stage in range(len(stages))]
    lowest = [stages[stage].made for stage in range(len(stages))]
    # All rows of the output are read after the last step.
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
