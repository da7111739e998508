"""The card of a shipped model: its file, and its page in a terminal."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgedigits.model_files import SHIPPED, ModelEntry, find_model, models_in
from edgedigits.training.run_folder import RunFolder
from edgedigits_runtime.contract import Contract
from edgedigits_runtime.finder_contract import FinderContract
from edgedigits_runtime.whole_files import write_whole

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

Card = dict[str, Any]


def card_path(name: str, folder: Path = SHIPPED) -> Path:
    """Return the path of a shipped model's card."""
    return folder / f"{name}.card.json"


def read_card(name: str, folder: Path = SHIPPED) -> Card | None:
    """Return the card of a shipped model, or None if it has none."""
    path = card_path(name, folder)
    return json.loads(path.read_text()) if path.is_file() else None


def write_card(card: Card, folder: Path = SHIPPED) -> Path:
    """Write a card beside its model's files."""
    return write_whole(card_path(card["name"], folder), json.dumps(card, indent=1) + "\n")


Rows = Iterator[tuple[str, str]]


def card_page(card: Card) -> "list[RenderableType]":
    """Return the output of `edgedigits models show`, for rich; facts that a card lacks are left out."""
    network = f"{card['parameters']:,} parameters"
    if "multiply_accumulates" in card:
        network += f", {card['multiply_accumulates']:,} multiply-accumulates an image"
    if "scenes" in card:
        return [f"[bold]{card['name']}[/bold]  {network}", _finder_files(card), _scenes(card), _finder_facts(card)]
    robustness = [_robustness(card["robustness"])] if "robustness" in card else []
    return [f"[bold]{card['name']}[/bold]  {network}", _files(card), *robustness, _facts(card)]


def _table(*columns: str, numbers: int = 0) -> "Table":
    """Return an empty table; its last `numbers` columns are aligned to the right."""
    from rich import box
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE)
    for column in table.columns[len(columns) - numbers :]:
        column.justify = "right"
    return table


def _files(card: Card) -> "Table":
    table = _table("file", "precision", "bytes", "accuracy (95% interval)", "as Keras", numbers=3)
    for name, file in card["files"].items():
        agreement = file.get("agreement")
        table.add_row(
            name,
            file.get("precision", "-"),
            f"{file['bytes']:,}",
            _share(file["accuracy"]),
            "-" if agreement is None else f"{agreement:.2%}",
        )
    return table


def local_card(path: Path) -> "list[RenderableType]":
    """Return the card of a model that is not shipped: of a run folder, also an unfinished one, or of a model file.

    Raises:
        EdgedigitsError: it is no MODEL.
    """
    from rich.markup import escape

    run = RunFolder(path)
    is_run = run.config.is_file()
    entries = models_in(path) if is_run else models_in(find_model(path))
    contract = next((entry.contract for entry in entries if isinstance(entry.contract, Contract)), None)
    facts = [*(_run_lines(run) if is_run else ()), *(_contract_lines(contract) if contract else ())]
    if is_run and not any((path / name).is_file() for name in ("model.keras", "finder.keras")):
        advice = [f"not finished; resume it: edgedigits train --resume {escape(str(path))}"]
    else:
        advice = []
    problems = [escape(entry.problem) for entry in entries if entry.problem]
    table = [models_table(entries)] if entries else []
    return [f"[bold]{escape(str(path))}[/bold]", *table, _grid(facts), *problems, *advice]


def models_table(entries: list[ModelEntry], *, shipped: bool = False) -> "Table":
    """Return the table of shipped models by name, or of files in one folder by file name, which is printed whole."""
    from rich import box
    from rich.table import Table

    # The suffix of a file states its format, and a long name needs the room.
    names = ("model", "format") if shipped else ("file",)
    table = Table(*names, "precision", "bytes", "accuracy", "agreement", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for column in table.columns:
        column.no_wrap = True
    for entry in entries:
        contract, size = entry.contract, f"{entry.path.stat().st_size:,}" if entry.path.is_file() else "-"
        row = [contract.precision, size, *measures(contract)] if contract else ["-", size]
        table.add_row(*([entry.name, contract.format if contract else "-"] if shipped else [entry.path.name]), *row)
    return table


def measures(contract: Contract | FinderContract) -> tuple[str, str]:
    """Return the accuracy, and the agreement with the original; of a finder what it finds, and nothing."""
    if not isinstance(contract, Contract):
        found = contract.measures
        return (f"finds {found['recall']:.1%}, {found['precision']:.1%} right" if found else "-"), "-"
    accuracy = f"{contract.accuracy['top1']:.2%} {contract.accuracy['dataset']}" if contract.accuracy else "-"
    if contract.format == "keras":
        return accuracy, "itself"
    if contract.verified is None:
        return accuracy, "not proven"
    proven = "" if contract.verified["passed"] and not contract.verified.get("undecided") else ", not proven"
    return accuracy, f"{contract.verified['agreement']:.2%}{proven}"


def _run_lines(run: RunFolder) -> Rows:
    config, history = run.read_config(), run.read_history()
    yield "recipe", f"{config.recipe}, seed {config.seed}"
    yield "training", f"{config.data}, {len(history)} epochs, batches of {config.batch_size}"
    if config.teachers:
        yield "teachers", ", ".join(config.teachers)
    if history and "val_accuracy" in history[-1]:
        yield "validation", f"accuracy {history[-1]['val_accuracy']:.2%} after the last epoch"


def _contract_lines(contract: Contract) -> Rows:
    height, width, channels = contract.image_shape
    yield "input", f"{width}x{height}, {'grey' if channels == 1 else f'{channels} channels'}, reader {contract.reader}"
    yield "classes", ", ".join(contract.labels)
    if contract.training:
        yield "trained on", f"{contract.training.count:,} images of {contract.training.name}"
    if contract.calibration:
        yield "calibrated on", f"{contract.calibration.count:,} images of {contract.calibration.name}"
    yield "rejected", f"a confidence below {contract.rejection_threshold:.2f}"


def _finder_files(card: Card) -> "Table":
    table = _table("file", "precision", "bytes", "recall", "precision", numbers=3)
    for name, file in card["files"].items():
        finds = file["finds"]
        table.add_row(
            name, file["precision"], f"{file['bytes']:,}", f"{finds['recall']:.1%}", f"{finds['precision']:.1%}"
        )
    return table


SHARES_OF_SCENES = {
    "recall_0": "recall, to 13 px",
    "recall_14": "14",
    "recall_26": "26",
    "recall_54": "54",
    "recall_112": "112 and more",
    "precision": "precision",
    "exact": "all right",
    "false": "false",
}
"""Columns of the table by kind of scene: recall by the longest side of a digit, in pixels of a scene of 320x320;
scenes in which all is right; boxes a scene that are no digits."""


def _scenes(card: Card) -> "Table":
    table = _table("scenes with", *SHARES_OF_SCENES.values(), numbers=len(SHARES_OF_SCENES))
    for kind, row in card["scenes"].items():
        shares = [f"{row[name]:.0%}" if name in row else "-" for name in list(SHARES_OF_SCENES)[:-1]]
        table.add_row(kind, *shares, f"{row['false']:.1f}")
    return table


def _finder_facts(card: Card) -> "Table":
    training = card["training"]
    return _grid(
        [
            (
                "training",
                f"{training['scenes']:,} {training['data']} in {training['hours']} hours, seed {training['seed']}",
            ),
            ("a call", ", ".join(f"{size} {value} ms" for size, value in card["ms"].items())),
            ("rebuild", card["rebuild"]),
        ]
    )


def _robustness(found: dict[str, Any]) -> "Table":
    """Return accuracies by corruption in two halves side by side, so that they fit on a screen."""
    kinds = list(found)
    half = ["corrupted", *kinds]
    table = _table(*half, *half)
    for number, column in enumerate(table.columns):
        column.justify = "left" if number % len(half) == 0 else "right"
    names = list(found[kinds[0]]["corruptions"])
    rows = [[name, *(f"{found[kind]['corruptions'][name]:.2%}" for kind in kinds)] for name in names]
    rows.append(["accuracy drop, mean", *(f"{found[kind]['mean_loss_points']:.2f}" for kind in kinds)])
    middle = -(-len(rows) // 2)
    for left, right in zip(rows[:middle], [*rows[middle:], [""] * len(half)], strict=False):
        table.add_row(*left, *right)
    return table


def _facts(card: Card) -> "Table":
    return _grid(_lines(card))


def _grid(rows: Iterable[tuple[str, str]]) -> "Table":
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _lines(card: Card) -> Rows:
    int8 = card["files"].get(f"{card['name']}.tflite", {})
    if "per_class" in int8:
        each = (f"{label}\N{NO-BREAK SPACE}{value:.1%}" for label, value in int8["per_class"].items())
        yield "int8, by class", "  ".join(each)
    if "seeds" in card:
        of_all = card["int8_accuracy_of_seeds"]
        seeds = ", ".join(f"{one['int8_accuracy']:.2%}" for one in card["seeds"])
        spread = "" if of_all["std"] is None else f" ± {100 * of_all['std']:.2f}"
        yield "int8, seeds", f"{of_all['mean']:.2%}{spread} ({seeds})"
        yield "shipped", f"seed {card['seed']}: {card['chosen_by']}"
    if "other_hands" in card:
        found = card["other_hands"]
        yield "other writers", f"{_share(found)} of the {found['images']:,} digits of {found['dataset']}"
    if "calibration" in card:
        yield "calibration", f"expected error {card['calibration']['expected_error']:.2%}"
    if "rejection" in card:
        found = card["rejection"]
        rejected = f"{found['digits']['value']:.2%} of digits, {found['not_digits']['value']:.1%} of non-digits"
        yield "rejected", rejected
        yield "", ", ".join(f"{kind} {share['value']:.1%}" for kind, share in found["kinds"].items())
    yield from _training(card)
    yield "rebuild", card["rebuild"]


def _training(card: Card) -> Rows:
    training = card["training"]
    epochs = training.get("epochs_run", training["epochs"])
    text = f"{training['data']}, {epochs} epochs, batches of {training['batch_size']}"
    if training.get("teachers"):
        text += f", teachers: {', '.join(training['teachers'])}"
    yield "training", text
    changes = training.get("augmentation")
    if isinstance(changes, dict):
        yield "augmentation", ", ".join(f"{name} {value:g}" for name, value in changes.items() if value)
    yield "training data", training["data_fingerprint"]


def _share(share: dict[str, float]) -> str:
    return f"{share['value']:.2%} ({share['low']:.2%} to {share['high']:.2%})"
