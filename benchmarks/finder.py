"""Measure a finder: `python -m benchmarks.finder [FILE] [--scenes N] [--kinds] [--open DATA] [--out JSON]`.

Recall by size, precision and letters taken over drawn validation scenes, in all and for each kind of scene; and on the
open sets in the folder DATA the pictures in which exactly as many digits were found as stand there, with the time of
a call. The open sets state what is written, not where: a count that is right by accident is not told apart.
"""

import argparse
import csv
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgedigits.finding.exporting import validation_scenes
from edgedigits.finding.measures import evaluate
from edgedigits.scenes.contents import DIGITS
from edgedigits.scenes.kinds import ALL_KINDS, CONTENTS
from edgedigits.scenes.papers import PAPERS
from edgedigits.scenes.surfaces import SURFACES
from edgedigits_runtime.engine_options import EngineOptions
from edgedigits_runtime.engines.finder_network import FinderNetwork, open_finder_network
from edgedigits_runtime.reading.decode import decode_picture
from edgedigits_runtime.reading.find import Finder
from edgedigits_runtime.whole_files import write_whole

OPEN_SETS = ("wild-dev", "wild-dev-2", "scenes-dev")
Row = dict[str, float]
FALSE = "false"


def kinds_with(kind: str) -> tuple[str, ...]:
    """Return the kinds of scenes that all show one kind, the others drawn as usual."""
    if kind in SURFACES:
        return (kind, *PAPERS, *CONTENTS)
    if kind in PAPERS:
        return (*SURFACES, kind, *DIGITS)
    return (*SURFACES, *PAPERS, kind)


def scene_rows(network: FinderNetwork, scenes: int, by_kind: bool) -> dict[str, Row]:
    """Return the shares over drawn scenes, and as FALSE the boxes a scene that are no digits."""
    wanted: dict[str, tuple[str, ...] | None] = {"all kinds": None}
    if by_kind:
        wanted |= {kind: kinds_with(kind) for kind in ALL_KINDS}
    rows = {}
    for name, kinds in wanted.items():
        drawn = validation_scenes(scenes, kinds)
        (tally,) = evaluate(network.outputs, drawn, [network.contract.threshold]).values()
        rows[name] = {**tally.shares(), FALSE: tally.wrong / tally.scenes}
    return rows


def pictures(folder: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield path, text and kind of each picture of an open set."""
    with (folder / "labels.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            path = folder / row["file"]
            yield (path if path.is_file() else folder / "images" / row["file"]), row["label"], row["kind"]


def open_rows(finder: Finder, data: Path) -> dict[str, Row]:
    """Return, by set and kind, the share of pictures with as many digits found as written, and digits by written."""
    counts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name in OPEN_SETS:
        for path, label, kind in pictures(data / name):
            found = finder.find(decode_picture(path, channels=3).pixels)
            digits = int((found.scores > found.letter_scores).sum())
            counts[f"{name} {kind}"].append((sum(map(str.isdigit, label)), digits))
    return {
        name: {
            "pictures": len(pairs),
            "count_right": float(np.mean([written == found for written, found in pairs])),
            "written": sum(written for written, _ in pairs),
            "found": sum(found for _, found in pairs),
        }
        for name, pairs in counts.items()
    }


def milliseconds(network: FinderNetwork, height: int, width: int, calls: int = 100) -> float:
    """Return the median time of a call."""
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    network.outputs(picture)
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        network.outputs(picture)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def table(rows: dict[str, Row]) -> str:
    """Return rows as text: shares in percent, counts as they are."""
    names = list(next(iter(rows.values())))
    lines = [f"{'':28}" + "".join(f"{name.removeprefix('recall_'):>14}" for name in names)]
    for kind, row in rows.items():
        cells = (
            f"{value}" if isinstance(value, int) else f"{value:.2f}" if name == FALSE else f"{100 * value:.1f}%"
            for name, value in row.items()
        )
        lines.append(f"{kind:28}" + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help=".tflite or .onnx")
    parser.add_argument("--scenes", type=int, default=300, help="validation scenes, of each kind with --kinds")
    parser.add_argument("--kinds", action="store_true", help="also each kind of scene alone")
    parser.add_argument("--open", type=Path, help="folder of wild-dev, wild-dev-2 and scenes-dev")
    parser.add_argument("--threshold", type=float, help="least score; the file's own otherwise")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    given = parser.parse_args()
    network = open_finder_network(given.file, "cpu", EngineOptions(threads=1))
    result: dict[str, object] = {"file": given.file.name, "bytes": given.file.stat().st_size}
    if given.scenes:
        result["scenes"] = scene_rows(network, given.scenes, given.kinds)
        print(table(result["scenes"]))  # type: ignore[arg-type]
    if given.open:
        result["open"] = open_rows(Finder(network, given.threshold), given.open)
        print(table(result["open"]))  # type: ignore[arg-type]
    result["ms"] = {f"{width}x{height}": milliseconds(network, height, width) for width, height in SIZES}
    print(result["ms"])
    if given.out:
        write_whole(given.out, json.dumps(result, indent=1))


SIZES = ((320, 320), (320, 256), (96, 96))

if __name__ == "__main__":
    main()
