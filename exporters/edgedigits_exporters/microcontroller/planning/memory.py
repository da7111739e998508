"""The order of steps and the places in the scratch memory that need the fewest bytes."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from edgedigits_exporters.microcontroller.planning.rows import Stage, order_of_steps, rows_in_memory

ALIGNMENT = 4
"""Patches hold 16-bit values, sums hold 32-bit values."""

Key = TypeVar("Key")


@dataclass(frozen=True)
class Plan:
    """The order of steps, and the places of rows in memory.

    Attributes:
        order: the stage of each step.
        rows: for each stage, the number of its last rows in memory; row y is at y modulo that.
        rows_at, patch_at, kept_at: for each stage, byte offsets in the scratch memory.
        size: bytes of scratch memory.
    """

    order: tuple[int, ...]
    rows: tuple[int, ...]
    rows_at: tuple[int, ...]
    patch_at: tuple[int, ...]
    kept_at: tuple[int, ...]
    size: int


@dataclass
class Buffer:
    """A piece of memory, needed from `first` to `last`; a patch is needed only at the steps of its stage."""

    size: int
    stage: int
    first: int
    last: int
    is_patch: bool = False


def plan_memory(stages: list[Stage], *others: list[Stage], handed_over: tuple[int, ...] = ()) -> tuple[Plan, ...]:
    """Return the smallest plan found, and a plan in the same order for each of `others`.

    The search tries all rows as late as possible, then up to two stages that finish at once, and then adds stages to
    the best of these as long as memory shrinks.

    Args:
        stages: of the network; the last one's rows are all kept unless some are handed over.
        others: the same stages with other sizes.
        handed_over: stages of outputs whose rows the caller takes as they are made. A network of several outputs is
            large, and the order of its rows follows from them: all as late as possible.
    """
    chosen = frozenset[int]() if handed_over else _best_choice(stages)
    return tuple(_planned(sizes, chosen, handed_over) for sizes in (stages, *others))


def _best_choice(stages: list[Stage]) -> frozenset[int]:
    choices = range(len(stages) - 1)
    tried = [frozenset(chosen) for count in (0, 1, 2) for chosen in itertools.combinations(choices, count)]
    best_choice = min(tried, key=lambda chosen: _planned(stages, chosen).size)
    best = _planned(stages, best_choice)
    while True:
        more = [best_choice | {stage} for stage in choices if stage not in best_choice]
        next_choice = min(more, key=lambda chosen: _planned(stages, chosen).size, default=best_choice)
        following = _planned(stages, next_choice)
        if following.size >= best.size:
            return best_choice
        best_choice, best = next_choice, following


def _planned(stages: list[Stage], finished_at_once: frozenset[int], handed_over: tuple[int, ...] = ()) -> Plan:
    order = order_of_steps(stages, finished_at_once, handed_over)
    rows = rows_in_memory(stages, order, handed_over)
    buffers = _buffers(stages, order, rows, handed_over)
    places = placed(buffers, order)
    at = {kind: [0] * len(stages) for kind in ("rows", "patch", "kept")}
    for (kind, stage), place in places.items():
        at[kind][stage] = place
    size = max((place + buffers[key].size for key, place in places.items()), default=0)
    return Plan(tuple(order), tuple(rows), tuple(at["rows"]), tuple(at["patch"]), tuple(at["kept"]), _aligned(size))


def _buffers(
    stages: list[Stage], order: list[int], rows: list[int], handed_over: tuple[int, ...]
) -> dict[tuple[str, int], Buffer]:
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for time, number in enumerate(order):
        first.setdefault(number, time)
        last[number] = time
    until = dict(last)
    # Windows that skip rows may leave out all rows of a stage.
    running = [(number, stage) for number, stage in enumerate(stages) if number in first]
    for number, stage in running:
        for read in stage.reads:
            if read.stage in first:
                until[read.stage] = max(until[read.stage], last[number])
    if not handed_over:
        # The output is copied after the last step.
        until[len(stages) - 1] = len(order)
    buffers = {}
    for number, stage in running:
        buffers["rows", number] = Buffer(rows[number] * stage.row_bytes, number, first[number], until[number])
        if stage.kept_bytes:
            buffers["kept", number] = Buffer(stage.kept_bytes, number, first[number], last[number])
        if stage.patch_bytes:
            buffers["patch", number] = Buffer(stage.patch_bytes, number, first[number], last[number], is_patch=True)
    return buffers


def placed(buffers: Mapping[Key, Buffer], order: Sequence[int] = ()) -> dict[Key, int]:
    """Give each buffer, the largest first, the lowest place that is free while it is needed.

    `order` is that of the stages, for patches.
    """
    steps: dict[int, list[int]] = {}
    for time, stage in enumerate(order):
        steps.setdefault(stage, []).append(time)
    places: dict[Key, int] = {}
    for key in sorted(buffers, key=lambda key: -buffers[key].size):
        buffer = buffers[key]
        taken = sorted(
            (places[other], places[other] + buffers[other].size)
            for other in places
            if _conflict(buffer, buffers[other], steps)
        )
        place = 0
        for start, end in taken:
            if place + buffer.size <= start:
                break
            place = max(place, _aligned(end))
        places[key] = place
    return places


def _conflict(one: Buffer, other: Buffer, steps: dict[int, list[int]]) -> bool:
    if one.is_patch and other.is_patch:
        return False
    if one.is_patch:
        return any(other.first <= time <= other.last for time in steps[one.stage])
    if other.is_patch:
        return _conflict(other, one, steps)
    return one.first <= other.last and other.first <= one.last


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
