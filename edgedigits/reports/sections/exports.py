"""The exports of a run, each with its verification and flipped decisions."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgedigits.data.dataset import Samples
from edgedigits.plotting.style import escape, file_name
from edgedigits.recipes.gates import Gate
from edgedigits.reports.facts import Facts
from edgedigits.reports.html import Picture, Section, card, cards, heading, paragraph, pixels, table
from edgedigits.reports.images import grid_figure
from edgedigits.verification.comparison import Comparison, Flip
from edgedigits.verification.reference import file_digest
from edgedigits.verification.verify import Verification
from edgedigits_runtime.engines import ENGINE_OF_SUFFIX
from edgedigits_runtime.errors import RunError
from edgedigits_runtime.intervals import Share

TITLE = "Exports"
MOST_FLIPS = 40
REPORT = ".verify.json"


def exports(facts: Facts) -> Section:
    """Return each export's figures, verdict and flipped images."""
    folder = facts.run.path
    found, missing = _proofs(folder)
    proven = {proof.artifact for proof in found}
    for artifact in sorted(path for path in folder.iterdir() if path.suffix in ENGINE_OF_SUFFIX):
        if artifact.name not in proven:
            missing.append(f"a proof of {artifact.name}; export it again, without --no-verify")
    if not found and not missing:
        missing.append(f"exports; make one with: edgedigits export {folder}")
    parts = [_proof(proof, facts) for proof in found]
    blocks = [_figures(found, folder)] if found else []
    blocks += [block for part, _ in parts for block in part]
    pictures = tuple(picture for _, picture in parts if picture)
    return Section("exports", TITLE, tuple(blocks), pictures, tuple(missing))


def read_verification(file: Path) -> Verification:
    """Read a report of `verify.write_report`; raise RunError if it is damaged."""
    try:
        fields = json.loads(file.read_text())
        figures = fields["comparison"]
        comparison = _made(
            Comparison,
            {
                **figures,
                "keras_accuracy": _made(Share, figures["keras_accuracy"]),
                "artifact_accuracy": _made(Share, figures["artifact_accuracy"]),
                "flips": tuple(_made(Flip, flip) for flip in figures["flips"]),
            },
        )
        parts = {"gate": _made(Gate, fields["gate"]), "missed": tuple(fields["missed"]), "comparison": comparison}
        # Reports of earlier versions have none.
        parts |= {name: tuple(fields.get(name, ())) for name in ("data_notes", "undecided")}
        verification: Verification = _made(Verification, {**fields, **parts})
        return verification
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{file} is damaged: {error}; export again") from error


def _made(kind: Any, fields: dict[str, Any]) -> Any:
    # Fields with a default may be missing in a report of an earlier version; others raise TypeError.
    return kind(**{field.name: fields[field.name] for field in dataclasses.fields(kind) if field.name in fields})


def _proofs(folder: Path) -> tuple[list[Verification], list[str]]:
    found, damaged = [], []
    for file in sorted(folder.glob(f"*{REPORT}")):
        try:
            found.append(read_verification(file))
        except RunError as error:
            damaged.append(f"a proof: {error}")
    return found, damaged


def _figures(found: list[Verification], folder: Path) -> str:
    rows = []
    for proof in found:
        file, figures = folder / proof.artifact, proof.comparison
        share = figures.artifact_accuracy
        rows.append(
            (
                proof.artifact,
                proof.verdict,
                f"{share.value:.2%} ({share.low:.2%} to {share.high:.2%})",
                f"{figures.agreement:.2%}",
                f"{len(figures.flips):,}",
                f"{figures.max_probability_error:.2g}",
                f"{figures.mcnemar_p:.3g}",
                f"{file.stat().st_size:,}" if file.is_file() else "not written",
            )
        )
    reference = " or ".join(dict.fromkeys(proof.reference_engine for proof in found))
    head = (
        "file", "gate", "accuracy (95% interval)", f"agreement with {reference}", "flips", "largest error", "McNemar p",
        "bytes",
    )  # fmt: skip
    first = found[0].comparison
    caption = f"Every decision compared with {reference}, whose accuracy is {first.keras_accuracy.value:.2%}."
    return table(caption, head, rows)


def _proof(proof: Verification, facts: Facts) -> tuple[list[str], Picture | None]:
    """Return the blocks of one export, and the picture of its flipped images."""
    figures = proof.comparison
    blocks = [heading(proof.artifact), *map(paragraph, _verdict(proof, facts))]
    flips, reference = figures.flips[:MOST_FLIPS], proof.reference_engine
    if not flips:
        return [*blocks, paragraph(f"All {figures.images:,} decisions equal those of {reference}.")], None
    samples = _compared(proof, facts)
    summary = f"{len(figures.flips):,} of {figures.images:,} decisions flipped; by the confidence of {reference}"
    summary += f", the first {MOST_FLIPS}." if len(figures.flips) > MOST_FLIPS else "."
    if samples is None:
        rows = [(str(flip.index), flip.label, flip.keras, flip.artifact) for flip in flips]
        head = ("image", "true", reference, "the export")
        return [*blocks, table(f"{summary} The images are not here.", head, rows)], None
    each = [
        card(
            pixels(
                samples.images[flip.index],
                f"{proof.split} image {flip.index}: a {flip.label},"
                f" {reference} reads {flip.keras}, the export {flip.artifact}",
            ),
            [f"{flip.keras} → {flip.artifact}", f"true: {flip.label}", f"image {flip.index}"],
            marked=flip.artifact != flip.label,
        )
        for flip in flips
    ]
    legend = f"{summary} The answer of {reference} → the export's; in red where the export is wrong."
    captions = [f"{escape(flip.keras)} → {escape(flip.artifact)}\ntrue: {escape(flip.label)}" for flip in flips]
    figure = grid_figure(samples.images[[flip.index for flip in flips]], captions)
    picture = Picture(f"flips-{file_name(proof.artifact)}", figure, "flipped images", on_page=False)
    return [*blocks, paragraph(legend), cards(each)], picture


def _verdict(proof: Verification, facts: Facts) -> Iterator[str]:
    verdict = f"{proof.verdict.capitalize()}: {'; '.join((*proof.missed, *proof.undecided))}. Demanded were"
    if proof.verdict == "passed":
        verdict = "Passed its gate"
    yield f"{verdict} ({proof.gate.describe() or 'no demands'}), on the {proof.split} split of {proof.dataset}."
    if not facts.run.model.is_file() or file_digest(facts.run.model) != proof.against_fingerprint:
        yield f"It was compared with another {proof.against} than the present one."


def _compared(proof: Verification, facts: Facts) -> Samples | None:
    """Return the split that was compared, or None if the present one differs."""
    if facts.splits is None or proof.split not in ("train", "validation", "test"):
        return None
    samples = facts.splits.named(proof.split)
    fits = len(samples) == proof.comparison.images and all(
        facts.labels[samples.labels[flip.index]] == flip.label for flip in proof.comparison.flips
    )
    return samples if fits else None
