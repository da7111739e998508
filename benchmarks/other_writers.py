"""Measure models on other people's characters: the digits they read, and the letters they read as nothing.

    python -m benchmarks.other_writers base nano
    python -m benchmarks.other_writers --folds NAME RUN0 RUN1 RUN2 RUN3 RUN4

The dataset is `hands` (edgedigits/data/hands.py), each photograph read by the whole digit reader. With --folds, RUN0 is
a model that was trained where `hands.may_train` allows it for fold 0, and so on; each fold is read by its own model.
The figures go to results/other_writers.json and into a table of results/training.md. They do not depend
on the machine.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.publishing import (
    RESULTS,
    place_of,
    read_results,
    table,
    with_machine,
    write_results,
    write_section,
)
from edgedigits.data.characters import MAY_BE_DIGITS, NON_DIGIT, class_of
from edgedigits.data.hands import FOLDS, fold_of, load_pictures
from edgedigits.loading import load
from edgedigits_runtime.errors import EdgedigitsError
from edgedigits_runtime.intervals import Share, wilson
from edgedigits_runtime.preprocessing import Images
from edgedigits_runtime.reading.reader import Reader

RESULTS_FILE = RESULTS / "other_writers.json"
COMMAND = "python -m benchmarks.other_writers"
GROUPS = ("digits", "clear letters", "all letters")


def read_texts(readers: Sequence[Reader], pictures: Mapping[str, Images]) -> dict[str, str]:
    """Return the text that is read in each picture of `hands`; reader k reads the writers of fold k."""
    texts = {}
    for fold in range(FOLDS):
        names = [name for name in pictures if fold_of(np.array(_writer(name))) == fold]
        for name, reading in zip(names, readers[fold].read_many([pictures[name] for name in names]), strict=True):
            if isinstance(reading, EdgedigitsError):
                raise reading
            texts[name] = reading.text
    return texts


def measured(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the shares of GROUPS, all and by fold, and how often each letter that is read was read as a digit.

    A digit is right if its text is the digit alone; a letter is right if no digit is read.
    """
    right: dict[tuple[str, int], list[bool]] = {}
    taken: Counter[str] = Counter()
    for name, text in texts.items():
        character, fold = name.split("-")[1], int(fold_of(np.array(_writer(name))))
        letter = class_of(character) not in range(NON_DIGIT)
        groups = ["digits"] if not letter else ["all letters"]
        if letter and character not in MAY_BE_DIGITS:
            groups.append("clear letters")
            taken[character] += bool(text)
        for group in groups:
            right.setdefault((group, fold), []).append(not text if letter else text == character)
    shares = {
        group: {
            "all": _share([one for fold in range(FOLDS) for one in right[group, fold]]),
            "folds": [float(np.mean(right[group, fold])) for fold in range(FOLDS)],
        }
        for group in GROUPS
    }
    return {**shares, "clear letters read as digits": dict(taken.most_common(10))}


def _writer(name: str) -> int:
    return int(name[-7:-4])


def _share(right: Sequence[bool]) -> Share:
    return wilson(sum(right), len(right))


def render(found: Mapping[str, Any]) -> str:
    """Return the figures of all models as a Markdown table."""
    rows = []
    for name, model in found["models"].items():
        cells = [f"`{name}`", "folds" if model["by_folds"] else "none"]
        for group in GROUPS:
            share, folds = model[group]["all"], model[group]["folds"]
            cells.append(f"{share['value']:.1%} ({share['low']:.1%} to {share['high']:.1%})")
            cells.append(", ".join(f"{value:.1%}" for value in folds))
        rows.append(cells)
    head = ["model", "learned from `hands`"]
    head += [
        cell for group in ("digits right", "clear letters silent", "all letters silent") for cell in (group, "by fold")
    ]
    return f"{table(head, rows)}\n\nRead on {place_of(found['machine'])}."


def main() -> None:
    """Measure, write the figures and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help="that did not learn from hands")
    parser.add_argument("--folds", nargs=FOLDS + 1, metavar=("NAME", *(f"RUN{k}" for k in range(FOLDS))))
    given = parser.parse_args()
    jobs = {name: [name] * FOLDS for name in given.models}
    if given.folds:
        jobs[given.folds[0]] = given.folds[1:]
    models = read_results(RESULTS_FILE).get("models", {})
    pictures = load_pictures() if jobs else {}
    for name, files in jobs.items():
        readers = {file: load(file) for file in dict.fromkeys(files)}
        texts = read_texts([readers[file] for file in files], pictures)
        models[name] = {"by_folds": len(readers) > 1, **measured(texts)}
        write_results(RESULTS_FILE, with_machine(models=models))
    write_section(RESULTS / "training.md", "other-writers", render(read_results(RESULTS_FILE)))


if __name__ == "__main__":
    main()
