"""Alignment: which digits that were read belong to which digits that stand there, by the least number of edits.

Levenshtein 1966, "Binary codes capable of correcting deletions, insertions, and reversals"; Wagner and Fischer 1974.
"""

from collections.abc import Sequence

Pair = tuple[str | None, str | None]


def align(truth: Sequence[str], read: Sequence[str]) -> list[Pair]:
    """Return pairs (true, read) in order; None stands for a digit that was missed, or that is not there.

    Of the alignments with fewest edits, one with most digits right is taken: a swap of two neighbours costs the same
    as two confusions, but keeps one of them.
    """
    costs = _costs(truth, read)
    pairs: list[Pair] = []
    i, j = len(truth), len(read)
    while i or j:
        here = costs[i][j]
        if i and j and here == _plus(costs[i - 1][j - 1], truth[i - 1] != read[j - 1], truth[i - 1] == read[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((truth[i], read[j]))
        elif i and here == _plus(costs[i - 1][j], True, False):
            i -= 1
            pairs.append((truth[i], None))
        else:
            j -= 1
            pairs.append((None, read[j]))
    return pairs[::-1]


Cost = tuple[int, int]


def _plus(cost: Cost, edit: bool, right: bool) -> Cost:
    return cost[0] + edit, cost[1] - right


def _costs(truth: Sequence[str], read: Sequence[str]) -> list[list[Cost]]:
    """Return, for each pair of beginnings, the fewest edits, and less the most digits right among those."""
    costs = [[(j, 0) for j in range(len(read) + 1)]]
    for i, true in enumerate(truth, start=1):
        row = [(i, 0)]
        for j, given in enumerate(read, start=1):
            same = _plus(costs[i - 1][j - 1], true != given, true == given)
            row.append(min(same, _plus(costs[i - 1][j], True, False), _plus(row[j - 1], True, False)))
        costs.append(row)
    return costs
