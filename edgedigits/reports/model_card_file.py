"""Where the card of a shipped model stands, and how it is read and written.

A card says all that is known of a model: cost, sizes, accuracy of every file, robustness, calibration, rejection,
training and how to rebuild it. card.py makes one, show.py prints one.
"""

import json
from pathlib import Path
from typing import Any

from edgedigits.model_files import SHIPPED
from edgedigits_runtime.whole_files import write_whole

Card = dict[str, Any]


def card_path(name: str, folder: Path = SHIPPED) -> Path:
    """Return where the card of a shipped model is."""
    return folder / f"{name}.card.json"


def read_card(name: str, folder: Path = SHIPPED) -> Card | None:
    """Return the card of a shipped model, or None where it has none."""
    path = card_path(name, folder)
    if not path.is_file():
        return None
    card: Card = json.loads(path.read_text())
    return card


def write_card(card: Card, folder: Path = SHIPPED) -> Path:
    """Write a card beside its model's files.

    Raises:
        OutputNotWritable: the file could not be written.
    """
    return write_whole(card_path(card["name"], folder), json.dumps(card, indent=1) + "\n")
