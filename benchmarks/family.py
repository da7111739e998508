"""Compare the shipped models: the figures of their cards, and the latency of one image on this machine.

`make readme-results` writes the latencies to results/family_latency.json, and the tables to README and docs/models.md.
`python -m benchmarks.shipped_models.build` writes the accuracy of every seed to
results/family.json.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.publishing import RESULTS, place_of, table, with_machine, write_results
from edgedigits.model_files import SHIPPED, open_model, shipped_names
from edgedigits.reports.model_card import Card, read_card
from edgedigits.reports.published_networks import PUBLISHED
from edgedigits_runtime.timing import interleaved

SUFFIXES = (".tflite", ".onnx")
IN_README = ("model", "parameters", "int8 bytes", "int8 accuracy", "other writers", "µs an image")


def measure_latency() -> dict[str, float]:
    """Return the median microseconds of one image by file, pixels to probabilities, measured in turns."""
    image = np.zeros((1, 28, 28, 1), np.uint8)
    files = [SHIPPED / f"{name}{suffix}" for name in shipped_names() for suffix in SUFFIXES]
    calls = {file.name: partial(open_model(file).run, image) for file in files if file.is_file()}
    return {name: round(1000 * milliseconds, 1) for name, milliseconds in interleaved(calls).items()}


def as_table(cards: list[Card], microseconds: dict[str, float], columns: Sequence[str] = ()) -> str:
    """Return the models as Markdown, the smallest first, with the named columns or all."""
    head = (
        "model", "parameters", "multiply-accumulates", "int8 bytes", "int8 accuracy",
        "accuracy drop, corrupted (points)", "other writers", "non-digits rejected", "µs an image",
    )  # fmt: skip
    rows = []
    for card in sorted(cards, key=lambda card: int(card["parameters"])):
        int8 = f"{card['name']}.tflite"
        seeds = card["int8_accuracy_of_seeds"]
        spread = "" if seeds["std"] is None else f" ± {100 * seeds['std']:.2f}"
        rows.append([
            f"`{card['name']}`", f"{card['parameters']:,}", f"{card['multiply_accumulates']:,}",
            f"{card['files'][int8]['bytes']:,}", f"{seeds['mean']:.2%}{spread}",
            f"{card['robustness']['int8']['mean_loss_points']:.2f}", f"{card['other_hands']['value']:.2%}",
            f"{card['rejection']['not_digits']['value']:.1%}", f"{microseconds[int8]:.0f}",
        ])  # fmt: skip
    chosen = [head.index(column) for column in columns or head]
    return table(columns or head, ([row[index] for index in chosen] for row in rows))


def shipped_cards() -> list[Card]:
    """Return the cards of all shipped models."""
    return [card for name in shipped_names() if (card := read_card(name)) is not None]


def beside_others(cards: list[Card]) -> str:
    """Return the models among published networks as Markdown, by parameters."""
    rows = [
        (other.parameters, f"{other.accuracy:.2%}", f"[{other.name}]({other.source})", other.how) for other in PUBLISHED
    ]
    for card in cards:
        seeds, mean = len(card["seeds"]), card["int8_accuracy_of_seeds"]["mean"]
        how = "full int8" if seeds == 1 else f"full int8, mean of {seeds} trainings"
        rows.append((card["parameters"], f"**{mean:.2%}**", f"**`{card['name']}`**", how))
    cells = ([f"{parameters:,}", *others] for parameters, *others in sorted(rows))
    return table(["parameters", "MNIST test", "network", "how"], cells)


def measure() -> None:
    """Measure the latencies and store them."""
    write_results(RESULTS / "family_latency.json", with_machine(microseconds=measure_latency()))


def page_table(cards: list[Card], latency: dict[str, Any]) -> str:
    """Return all columns, with the seeds and the machine below."""
    seeds = ", ".join(f"`{card['name']}` {len(card['seeds'])}" for card in cards)
    return (
        f"{as_table(cards, latency['microseconds'])}\n\nAccuracy is the mean of the seeds, ± their standard deviation."
        f" Seeds: {seeds}. One image through LiteRT, pixels to probabilities, on {place_of(latency['machine'])}."
    )


def readme_table(cards: list[Card], latency: dict[str, Any]) -> str:
    """Return the columns of the README, with the machine below."""
    rows = as_table(cards, latency["microseconds"], IN_README)
    return f"{rows}\n\nMNIST's test set, mean of three trainings; LiteRT on {place_of(latency['machine'])}."
