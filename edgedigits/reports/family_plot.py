"""Plot the family: accuracy against parameters, size and latency."""

from functools import partial
from pathlib import Path

import numpy as np

from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import SHIPPED, find_model, open_model, shipped_names
from edgedigits.plotting.style import to_png, to_svg
from edgedigits.reports.figures.frontier import Point, frontier_figure
from edgedigits.reports.model_card import Card, read_card
from edgedigits.reports.published_networks import PUBLISHED
from edgedigits_runtime.errors import ArtifactNotFound, MissingExtra, UnknownName
from edgedigits_runtime.timing import interleaved
from edgedigits_runtime.whole_files import write_whole

WRITERS = {".png": to_png, ".svg": to_svg}


def plot_family(out: Path, folder: Path = SHIPPED) -> Path:
    """Draw test accuracy of the shipped models against parameters, size and latency on this machine.

    Args:
        out: a `.png` or `.svg` file.
        folder: where the cards are; latency is always measured on the shipped files.

    Raises:
        UnknownName: another type of file.
        ArtifactNotFound: no model has a card.
        MissingExtra: matplotlib is not installed.
        OutputNotWritable: the file could not be written.
    """
    if out.suffix not in WRITERS:
        raise UnknownName("type of picture", out.suffix or out.name, WRITERS)
    cards = {name: card for name in shipped_names() if (card := read_card(name, folder))}
    if not cards:
        raise ArtifactNotFound(f"no cards in {folder}; python -m benchmarks.shipped_models.build makes them")
    milliseconds = measure_latency(list(cards))
    points = [as_point(card, 1000 * milliseconds[name]) for name, card in cards.items()]
    points.sort(key=lambda point: point.parameters)
    others = [Point(one.label, one.accuracy, one.parameters, one.bytes) for one in PUBLISHED]
    try:
        figure = frontier_figure(points, others, str(describe_machine()["processor"]))
    except ImportError as error:
        raise MissingExtra("models plot", "train") from error
    return write_whole(out, WRITERS[out.suffix](figure))


def measure_latency(names: list[str]) -> dict[str, float]:
    """Return the median milliseconds of one image, pixels to probabilities, through each model's int8 file."""
    image = np.zeros((1, 28, 28, 1), np.uint8)
    return interleaved({name: partial(open_model(find_model(name)).run, image) for name in names})


def as_point(card: Card, microseconds: float) -> Point:
    """Return what the figure shows of a card: the int8 file, its accuracy the mean of the seeds."""
    file = card["files"][f"{card['name']}.tflite"]
    seeds = card.get("int8_accuracy_of_seeds")
    accuracy = seeds["mean"] if seeds else file["accuracy"]["value"]
    return Point(card["name"], accuracy, card["parameters"], file["bytes"], microseconds)
