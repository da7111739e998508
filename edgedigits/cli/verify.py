"""`edgedigits verify`: compare an artifact with its reference."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgedigits.cli import completion
from edgedigits.cli.model_options import Data, DataDir, ExpectAccuracy, Isolate

if TYPE_CHECKING:
    from edgedigits.verification.verify import Verification
    from edgedigits_runtime.intervals import Share

EXAMPLES = (
    "Examples: edgedigits verify runs/my-run/base.int8.tflite · "
    "edgedigits verify digits.onnx --against model.keras --json"
)

PRINTED_FLIPS = 10
FINDER_SCENES = 300
WIDTH = len("ONNX Runtime")


def verify(
    artifact: Annotated[
        Path,
        typer.Argument(
            metavar="ARTIFACT", help="A .onnx or .tflite file, or a C export.", autocompletion=completion.artifacts
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="The .keras, .onnx or float .tflite file it was made of.",
            show_default="beside the artifact",
            autocompletion=completion.models,
        ),
    ] = None,
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
    split: Annotated[
        str,
        typer.Option(
            help="train, validation or test.", autocompletion=completion.one_of("train", "validation", "test")
        ),
    ] = "test",
    data_dir: DataDir = None,
    max_flips: Annotated[int | None, typer.Option(help="Gate: maximum of flipped decisions.")] = None,
    max_probability_error: Annotated[float | None, typer.Option(help="Gate: maximum difference, 0 to 1.")] = None,
    min_agreement: Annotated[float | None, typer.Option(help="Gate: minimum share of equal decisions, 0 to 1.")] = None,
    max_accuracy_drop: Annotated[float | None, typer.Option(help="Gate: maximum accuracy drop in points.")] = None,
    expect_accuracy: ExpectAccuracy = None,
    isolate: Isolate = False,
) -> None:
    """Compare every decision with the original, and every value of C with LiteRT; exit with 1 if a gate is missed.

    A finder is compared by what it finds in drawn scenes.
    """
    from edgedigits_runtime.finder_contract import holds_finder

    if artifact.is_file() and holds_finder(artifact):
        _verify_finder(artifact, Path(against) if against else artifact.with_name("finder.keras"), as_json=as_json)
        return
    from edgedigits.recipes.gates import Gate
    from edgedigits.verification.verify import verify as verify_model

    demands = Gate(max_flips, max_probability_error, min_agreement, max_accuracy_drop, expect_accuracy)
    verification = verify_model(
        artifact, against=against, split=split, data=data, data_dir=data_dir, demands=demands, isolate=isolate
    )
    if as_json:
        typer.echo(json.dumps(verification.to_dict()))
    else:
        print_verification(verification)
        for note in verification.notes:
            typer.echo(f"  note: {note}")
    if not verification.passed:
        raise typer.Exit(1)


def _verify_finder(artifact: Path, against: Path, *, as_json: bool) -> None:
    from edgedigits.finding.exporting import MOST_LOST, losses, measured

    found, reference = (measured(path, FINDER_SCENES) for path in (artifact, against))
    lost = losses(found, reference)
    if as_json:
        report = {"artifact": str(artifact), "against": str(against), "scenes": FINDER_SCENES, "measures": found}
        typer.echo(json.dumps({**report, "reference": reference, "passed": not lost}))
    else:
        typer.echo(f"{artifact} against {against}, {FINDER_SCENES} drawn scenes")
        for name in ("recall", "precision", "letters_taken", "exact"):
            typer.echo(f"  {name:{WIDTH}} {found.get(name, 0):7.2%}, of the original {reference.get(name, 0):7.2%}")
        gate = f"recall and precision at most {100 * MOST_LOST:g} point lower"
        typer.secho(f"  MISSED: {'; '.join(lost)}" if lost else f"  passed ({gate})", fg="red" if lost else "green")
    if lost:
        raise typer.Exit(1)


def print_verification(verification: "Verification") -> None:
    """Print the figures, the first flipped decisions and the verdict."""
    found = verification.comparison
    typer.echo(f"{verification.artifact} against {verification.against}, {found.images:,} {verification.split} images")
    original = verification.reference_engine
    typer.echo(f"  {original:{WIDTH}} {_percent(found.keras_accuracy)}")
    typer.echo(f"  {'artifact':{WIDTH}} {_percent(found.artifact_accuracy)}   McNemar p = {found.mcnemar_p:.3g}")
    typer.echo(f"  {'agreement':{WIDTH}} {found.agreement:.2%}, {len(found.flips)} flipped")
    typer.echo(
        f"  probability error at most {found.max_probability_error:.2g}, mean {found.mean_probability_error:.2g};"
        f" cosine at least {found.min_cosine:.6f}"
    )
    changes = {name: change for name, change in found.per_class_change.items() if change}
    if changes:
        typer.echo(
            f"  {'by class':{WIDTH}} "
            + ", ".join(f"{name}: {change:+.2f}" for name, change in changes.items())
            + " points"
        )
    for flip in found.flips[:PRINTED_FLIPS]:
        typer.echo(
            f"    image {flip.index} of class {flip.label}: {original} {flip.keras} (margin {flip.keras_margin:.3f}),"
            f" artifact {flip.artifact} (margin {flip.artifact_margin:.3f})"
        )
    if len(found.flips) > PRINTED_FLIPS:
        typer.echo(f"    and {len(found.flips) - PRINTED_FLIPS} more; --json lists all")
    if verification.undecided:
        typer.secho(f"  NOT PROVEN, too few images: {'; '.join(verification.undecided)}", fg=typer.colors.YELLOW)
    elif verification.passed:
        typer.secho(f"  passed ({verification.gate.describe()})", fg=typer.colors.GREEN)
    if verification.missed:
        typer.secho(f"  MISSED: {'; '.join(verification.missed)}", fg=typer.colors.RED)


def _percent(share: "Share") -> str:
    return f"{share.value:7.2%}  (95% interval {share.low:.2%} to {share.high:.2%})"
