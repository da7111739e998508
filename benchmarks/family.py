"""The family side by side: what the cards say, and one image through every shipped file here.

    python -m benchmarks.family

Prints a Markdown table of the shipped models, which `make readme-results` puts into the README, and writes the
latencies to results/family_latency.json. Accuracies of every seed are in results/family.json, which
`python -m benchmarks.shipped_models.build` writes.
"""

import json
from functools import partial
from pathlib import Path

import numpy as np

from edgedigits.machine.fingerprint import describe_machine
from edgedigits.model_files import SHIPPED, open_model, shipped_names
from edgedigits.reports.model_card import Card, read_card
from edgedigits.reports.published_networks import PUBLISHED
from edgedigits_runtime.timing import interleaved
from edgedigits_runtime.whole_files import write_whole

RESULT = Path(__file__).parent / "results" / "family_latency.json"
SUFFIXES = (".tflite", ".onnx")


def measure_latency() -> dict[str, float]:
    """Return the median microseconds of one image, pixels to probabilities, by file, measured in turn."""
    image = np.zeros((1, 28, 28, 1), np.uint8)
    files = [SHIPPED / f"{name}{suffix}" for name in shipped_names() for suffix in SUFFIXES]
    calls = {file.name: partial(open_model(file).run, image) for file in files if file.is_file()}
    return {name: round(1000 * milliseconds, 1) for name, milliseconds in interleaved(calls).items()}


def as_table(cards: list[Card], microseconds: dict[str, float]) -> str:
    """Return the family as Markdown, the smallest first."""
    lines = [
        "| model | parameters | multiply-accumulates | int8 bytes | int8 accuracy, mean of the seeds"
        " | corrupted, points lost | other hands | no digit, rejected | µs an image |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for card in sorted(cards, key=lambda card: int(card["parameters"])):
        int8 = f"{card['name']}.tflite"
        seeds = card["int8_accuracy_of_seeds"]
        spread = "" if seeds["std"] is None else f" ± {100 * seeds['std']:.2f}"
        lines.append(
            f"| `{card['name']}` | {card['parameters']:,} | {card['multiply_accumulates']:,}"
            f" | {card['files'][int8]['bytes']:,} | {seeds['mean']:.2%}{spread}"
            f" | {card['robustness']['int8']['mean_loss_points']:.2f} | {card['other_hands']['value']:.2%}"
            f" | {card['rejection']['not_digits']['value']:.1%}"
            f" | {microseconds[int8]:.0f} |"
        )
    return "\n".join(lines)


def shipped_cards() -> list[Card]:
    """Return the cards of all shipped models."""
    return [card for name in shipped_names() if (card := read_card(name)) is not None]


def beside_others(cards: list[Card]) -> str:
    """Return the family among what others published as Markdown, by parameters."""
    rows = [
        (other.parameters, f"{other.accuracy:.2%}", f"[{other.name}]({other.source})", other.how) for other in PUBLISHED
    ]
    for card in cards:
        seeds, mean = len(card["seeds"]), card["int8_accuracy_of_seeds"]["mean"]
        how = "full int8" if seeds == 1 else f"full int8, mean of {seeds} trainings"
        rows.append((card["parameters"], f"**{mean:.2%}**", f"**`{card['name']}`**", how))
    lines = ["| parameters | MNIST test | network | how |", "|---|---|---|---|"]
    lines += [f"| {parameters:,} | {' | '.join(cells)} |" for parameters, *cells in sorted(rows)]
    return "\n".join(lines)


def measured_table() -> str:
    """Measure latency, keep it, and return the table with the machine below it."""
    cards = shipped_cards()
    microseconds = measure_latency()
    machine = describe_machine()
    write_whole(RESULT, json.dumps({"machine": machine, "microseconds": microseconds}, indent=1) + "\n")
    seeds = ", ".join(f"`{card['name']}` {len(card['seeds'])}" for card in cards)
    return (
        f"{as_table(cards, microseconds)}\n\nSeeds: {seeds}. One image through LiteRT, pixels to probabilities, on"
        f" {machine['processor']}, {machine['cores']} cores."
    )


def main() -> None:
    """Print the table."""
    print(measured_table())


if __name__ == "__main__":
    main()
