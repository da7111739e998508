"""Fit the confidence of found digits: `python -m benchmarks.finder_confidence FINDER [--model base] [--scenes 400]`.

Prints WEIGHTS of edgedigits_runtime.reading.judge, by logistic regression over drawn validation scenes: whether a
candidate is a digit that is read right, from the log-odds of both networks' answers. Then the share that is right, by
confidence, over as many scenes that were not fitted.
"""

import argparse
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.publishing import table
from edgedigits.finding.exporting import validation_scenes
from edgedigits.finding.measures import MATCH, intersections
from edgedigits.loading import load
from edgedigits.scenes import LETTER, Scene
from edgedigits_runtime.reading.crop import crop_found
from edgedigits_runtime.reading.judge import candidates_of, confidence, log_odds
from edgedigits_runtime.reading.reader import Reader

STEPS = 30
STIFFNESS = 1e-3
SIGNS = np.array([0, 1, -1, 1])
BINS = (0.0, 0.2, 0.42, 0.6, 0.8, 0.9, 0.95, 0.99, 1.0)

Floats = NDArray[np.float64]


def observed(reader: Reader, scenes: Iterable[Scene]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the answers on all candidates, [N, 3]: both scores and the classifier's confidence; and which are right.

    Candidates on ignored marks do not count.
    """
    answers, right = [], []
    for scene in scenes:
        found = reader.finder.find(scene.pixels) if reader.finder else None
        index = candidates_of(found) if found else np.zeros(0, np.int64)
        if found is None or not len(index):
            continue
        crops = crop_found(scene.pixels, found.boxes, index)
        index, framed = index[crops.fill > 0], crops.framed[crops.fill > 0]
        if len(index):
            sure = reader.classifier.confidences(framed)
            true, ignored = _truth(found.boxes[index], scene)
            shown = np.stack([found.scores[index], found.letter_scores[index], sure.max(axis=1)], axis=1)
            answers.append(shown[~ignored].astype(np.float64))
            right.append((true == sure.argmax(axis=1))[~ignored])
    return np.concatenate(answers), np.concatenate(right)


def _truth(boxes: NDArray[np.float32], scene: Scene) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the digit that each box shows, -1 for none, and whether it is on a mark that is ignored."""
    if not len(scene.boxes):
        return np.full(len(boxes), -1), np.zeros(len(boxes), bool)
    shared = intersections(boxes, scene.boxes)
    areas, others = boxes[:, 2:].prod(axis=1)[:, np.newaxis], scene.boxes[:, 2:].prod(axis=1)
    union = np.maximum(areas + others - shared, 1e-6)
    best = (shared / union).argmax(axis=1)
    is_digit = (scene.classes >= 0) & (scene.classes < LETTER)
    matched = (shared / union).max(axis=1) >= MATCH
    true = np.where(matched & is_digit[best], scene.classes[best], -1)
    on_ignored = ((shared / np.maximum(areas, 1e-6)) * (scene.classes < 0)).max(axis=1) > MATCH
    return true, on_ignored & (true < 0)


def fitted(answers: Floats, right: NDArray[np.bool_]) -> Floats:
    """Return a constant and three factors on the log-odds of the answers, by Newton's method.

    More confidence of either network never lowers the result, a higher score for a letter never raises it: a factor
    of the other sign is 0.
    """
    features = np.concatenate([np.ones((len(answers), 1)), log_odds(answers)], axis=1)
    used = np.ones(4, bool)
    while True:
        weights = np.zeros(4)
        weights[used] = _newton(features[:, used], right)
        wrong = weights * SIGNS < 0
        if not wrong.any():
            return weights
        used &= ~wrong


def _newton(features: Floats, right: NDArray[np.bool_]) -> Floats:
    weights = np.zeros(features.shape[1])
    for _ in range(STEPS):
        expected = 1 / (1 + np.exp(-features @ weights))
        slope = features.T @ (right - expected) - STIFFNESS * len(right) * weights
        curve = (features * (expected * (1 - expected))[:, np.newaxis]).T @ features
        weights += np.linalg.solve(curve + STIFFNESS * len(right) * np.eye(len(weights)), slope)
    return weights


def main() -> None:
    """Fit, print the weights, and the table with the weights in judge.py."""
    parser = argparse.ArgumentParser(description="Fit the confidence of found digits on drawn scenes.")
    parser.add_argument("finder", type=Path, help="file of a finder")
    parser.add_argument("--model", default="base", help="the classifier")
    parser.add_argument("--scenes", type=int, default=400, help="number of scenes to fit, and as many to check")
    chosen = parser.parse_args()
    with load(chosen.model, finder=chosen.finder) as reader:
        scenes = validation_scenes(2 * chosen.scenes)
        parts = [observed(reader, [next(scenes) for _ in range(chosen.scenes)]) for _ in range(2)]
    print("WEIGHTS =", tuple(round(float(weight), 3) for weight in fitted(*parts[0])))
    answers, right = parts[1]
    sure = confidence(*answers.astype(np.float32).T)
    rows = []
    for low, high in pairwise(BINS):
        inside = (sure >= low) & ((sure < high) | (high == 1))
        share = f"{100 * right[inside].mean():.1f} %" if inside.any() else ""
        rows.append([f"{low:g} to {high:g}", str(int(inside.sum())), share])
    print(table(["confidence", "candidates", "read right"], rows))


if __name__ == "__main__":
    main()
