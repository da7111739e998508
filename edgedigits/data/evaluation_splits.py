"""The parts of a dataset that an imported model is judged by; nothing is trained."""

import numpy as np
from numpy.typing import NDArray

from edgedigits.data.dataset import Dataset, Labels
from edgedigits.data.splits import Splits

ENOUGH = 10
"""Samples of each class from which validation and test samples are kept apart."""

MOST_VALIDATION = 5_000

Indices = NDArray[np.int64]


def evaluation_splits(dataset: Dataset) -> Splits:
    """Split a dataset for a model that was not trained here, stratified by class; each part keeps its order.

    On `validation` the normalisation and the temperature are chosen; on `train` int8 ranges are measured; only `test`
    is reported. A dataset's own test set stays the test part, else it is half of the samples. The parts are disjoint,
    except that with fewer than ENOUGH samples of a class, and no test set, all are both validation and test, which
    `notes` state.
    """
    rng = np.random.default_rng(0)
    samples, test, notes = dataset.train, dataset.test, dataset.notes
    rest: Indices = np.arange(len(samples), dtype=np.int64)
    if test is None:
        if np.unique(samples.labels, return_counts=True)[1].min() < ENOUGH:
            few = (
                f"with fewer than {ENOUGH} pictures of a class, all {len(samples)} are used both for choosing and for"
                " reporting: the accuracy may look better than it is"
            )
            return Splits(samples.take(rest[:0]), samples, samples, (*notes, few))
        rest, held_out = _divide(rest, samples.labels, 0.5, rng)
        test = samples.take(held_out)
    train, validation = _divide(rest, samples.labels, min(0.5, MOST_VALIDATION / len(rest)), rng)
    return Splits(samples.take(train), samples.take(validation), test, notes)


def _divide(indices: Indices, labels: Labels, share: float, rng: np.random.Generator) -> tuple[Indices, Indices]:
    """Draw a share of each class, at least one sample; return the remaining and the drawn indices, sorted."""
    classes = labels[indices]
    drawn = np.zeros(len(indices), bool)
    for label in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == label))
        drawn[members[: max(1, round(share * len(members)))]] = True
    return indices[~drawn], indices[drawn]
