"""Align the digits that were read with the true digits, with the fewest edits.

Levenshtein 1966, "Binary codes capable of correcting deletions, insertions, and reversals"; Wagner and Fischer 1974.
"""

from collections.abc import Sequence

Pair = tuple[str | None, str | None]

Cost = tuple[int, int]
"""Edits, and the negative count of right digits."""


def align(truth: Sequence[str], read: Sequence[str]) -> list[Pair]:
    """Return pairs (true, read) in order; None means a missed digit, or one that is not in the picture.

    Of the alignments with the fewest edits, choose one with the most right digits: a swap of two neighbours costs the
    same as two confusions, but keeps one digit right.
    """
    costs = _costs(truth, read)
    pairs: list[Pair] = []
    i, j = len(truth), len(read)
    while i or j:
        cost = costs[i][j]
        if i and j and cost == _plus(costs[i - 1][j - 1], truth[i - 1] != read[j - 1], truth[i - 1] == read[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((truth[i], read[j]))
        elif i and cost == _plus(costs[i - 1][j], True, False):
            i -= 1
            pairs.append((truth[i], None))
        else:
            j -= 1
            pairs.append((None, read[j]))
    return pairs[::-1]


def _plus(cost: Cost, edit: bool, right: bool) -> Cost:
    return cost[0] + edit, cost[1] - right


def _costs(truth: Sequence[str], read: Sequence[str]) -> list[list[Cost]]:
    """Return the lowest cost for each pair of prefixes."""
    costs = [[(j, 0) for j in range(len(read) + 1)]]
    for i, true in enumerate(truth, start=1):
        row = [(i, 0)]
        for j, given in enumerate(read, start=1):
            both = _plus(costs[i - 1][j - 1], true != given, true == given)
            row.append(min(both, _plus(costs[i - 1][j], True, False), _plus(row[j - 1], True, False)))
        costs.append(row)
    return costs
