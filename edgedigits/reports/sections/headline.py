"""The result of a training and its settings."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from edgedigits.reports.evaluation import Evaluation
from edgedigits.reports.facts import Facts
from edgedigits.reports.html import Section, pair, paragraph, table, tiles
from edgedigits.verification.reliability import group_by_confidence


def headline(facts: Facts) -> Section:
    """Return the first section."""
    settings = dataclasses.asdict(facts.config)
    versions = settings.pop("versions")
    tables = pair(
        table("Settings in config.json", ("setting", "value"), _flat(settings), numbers_from=2),
        table(
            "Versions", ("package", "version"), [(name, str(value)) for name, value in versions.items()], numbers_from=2
        ),
    )
    blocks = (*map(paragraph, facts.notes), tiles(_tiles(facts)), tables)
    missing = facts.reasons("finished model", "network", "data", "decisions")
    return Section("result", "Result", blocks, missing=missing)


def _tiles(facts: Facts) -> Iterator[tuple[str, str, str]]:
    if facts.test is not None:
        yield "test accuracy", f"{facts.test.accuracy.value:.2%}", _interval(facts.test)
    if facts.validation is not None:
        yield "validation accuracy", f"{facts.validation.accuracy.value:.2%}", _interval(facts.validation)
    if facts.test is not None:
        yield "test loss", f"{facts.test.loss:.4f}", "mean cross-entropy"
        found = group_by_confidence(facts.test.confidences, facts.test.labels)
        yield "calibration error", f"{found.expected_error:.2%}", "expected, on the test split"
    if facts.network is not None:
        yield "parameters", f"{facts.network.model.count_params():,}", f"in {facts.network.file.name}"
    yield "epochs", f"{len(facts.history)}", f"of {facts.config.epochs}"


def _interval(found: Evaluation) -> str:
    share = found.accuracy
    return f"95% interval {share.low:.2%} to {share.high:.2%} (Wilson); {len(found.labels):,} images"


def _flat(settings: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}".replace("_", " "), "–" if value is None else str(value)
