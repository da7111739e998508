"""Compare the shipped models: the figures of their cards, and the latency of one image on this machine.

    python -m benchmarks.family

Prints a Markdown table, which `make readme-results` puts into the README, and writes the latencies to
results/family_latency.json. `python -m benchmarks.shipped_models.build` writes the accuracy of every seed to
results/family.json.
"""

from functools import partial

import numpy as np

from benchmarks.publishing import RESULTS, place_of, table, with_machine, write_results
from edgedigits.model_files import SHIPPED, open_model, shipped_names
from edgedigits.reports.model_card import Card, read_card
from edgedigits.reports.published_networks import PUBLISHED
from edgedigits_runtime.timing import interleaved

SUFFIXES = (".tflite", ".onnx")


def measure_latency() -> dict[str, float]:
    """Return the median microseconds of one image by file, pixels to probabilities, measured in turns."""
    image = np.zeros((1, 28, 28, 1), np.uint8)
    files = [SHIPPED / f"{name}{suffix}" for name in shipped_names() for suffix in SUFFIXES]
    calls = {file.name: partial(open_model(file).run, image) for file in files if file.is_file()}
    return {name: round(1000 * milliseconds, 1) for name, milliseconds in interleaved(calls).items()}


def as_table(cards: list[Card], microseconds: dict[str, float]) -> str:
    """Return the models as Markdown, the smallest first."""
    head = (
        "model", "parameters", "multiply-accumulates", "int8 bytes", "int8 accuracy, mean of the seeds",
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
    return table(head, rows)


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


def measured_table() -> str:
    """Measure and write latency, and return the table with the machine below it."""
    cards = shipped_cards()
    microseconds = measure_latency()
    result = with_machine(microseconds=microseconds)
    write_results(RESULTS / "family_latency.json", result)
    seeds = ", ".join(f"`{card['name']}` {len(card['seeds'])}" for card in cards)
    return (
        f"{as_table(cards, microseconds)}\n\nSeeds: {seeds}. One image through LiteRT, pixels to probabilities, on"
        f" {place_of(result['machine'])}."
    )


if __name__ == "__main__":
    print(measured_table())
