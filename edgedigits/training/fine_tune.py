"""Fine-tune a trained network to a person's own hand, with MNIST rehearsed beside it."""

import dataclasses
import hashlib
import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgedigits.data import load_dataset
from edgedigits.data.framing import Target
from edgedigits.data.splits import Splits
from edgedigits.loading import load
from edgedigits.model_files import SHIPPED, contract_of, find_original
from edgedigits.progress import ProgressBar
from edgedigits.recipes import RECIPES, get_recipe
from edgedigits.recipes.augmentation import GEOMETRY, HANDWRITING
from edgedigits.recipes.recipe import DIGITS
from edgedigits.training.data_of_model import splits_of_dataset
from edgedigits.training.own_pictures import OwnPictures, find_own_pictures, own_pictures_sheet
from edgedigits.training.phases import GENTLE
from edgedigits.training.run_folder import RunConfig, RunFolder, check_out, start_run
from edgedigits.training.soundness import check_learned
from edgedigits_exporters.keras_backend import Device, load_keras
from edgedigits_runtime.contract import Contract, DataUsed
from edgedigits_runtime.errors import ArtifactUnsupported, DatasetInvalid, EdgedigitsError
from edgedigits_runtime.intervals import Share, wilson
from edgedigits_runtime.preprocessing import Images, Probabilities, calibrated, normalise
from edgedigits_runtime.reading.framed import FRAME_SHAPE
from edgedigits_runtime.synthetic.samples import non_digit_samples
from edgedigits_runtime.whole_files import whole_file, write_whole

if TYPE_CHECKING:
    from rich.console import Console

REHEARSED = "mnist"
EPOCHS, STEPS, BATCH = 4, 100, 128
OWN_SHARE = 0.5
"""Of a batch; the rest is rehearsed."""
RATE = 5e-4
"""Highest learning rate; it falls to 0 along a cosine."""
NON_DIGITS, NON_DIGITS_TESTED = 2_000, 1_000
WATCHED = 1_000
"""Rehearsed validation images that are read after each epoch."""
PREDICTION_BATCH = 512
OWN = "-own"
TABLE = "own-hand.json"
SHEET = "pictures.png"


@dataclass(frozen=True)
class FineTuneOptions:
    """Options of `edgedigits train --from`.

    Args:
        source: MODEL to start from: a shipped name, a run folder or a `.keras` file.
        data: folder with one sub-folder of pictures for each digit.
        data_dir: folder that is searched for MNIST first.
        out: the run folder; None for a new one under `runs/`.
        seed: of the part held out, the order and augmentation.
        device: "auto", "cpu" or "gpu".
    """

    source: str
    data: str
    data_dir: Path | None = None
    out: Path | None = None
    seed: int = 0
    device: Device = "auto"


@dataclass(frozen=True)
class Row:
    """One line of the table: what was read, how many pictures, and the share before and after, with 95% intervals."""

    what: str
    count: int
    before: Share
    after: Share


@dataclass(frozen=True)
class FineTuned:
    """A finished fine-tuning.

    Attributes:
        run: the folder with the model, the table and the sheet of pictures.
        rows: of the table: one's own pictures, MNIST, and drawn non-digits if the model takes images of their size.
        found: what was taken from the pictures, in one line.
    """

    run: RunFolder
    rows: tuple[Row, ...]
    found: str

    def table(self) -> str:
        """Return the table as text."""
        cells = [("", "pictures", "before", "after")]
        cells += [(row.what, f"{row.count:,}", _percent(row.before), _percent(row.after)) for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            "  ".join(
                [
                    line[0].ljust(widths[0]),
                    *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
                ]
            )
            for line in cells
        )

    def advice(self) -> str:
        """Return a warning if the new model is no better than the old one; else an empty string."""
        own, rehearsed = self.rows[:2]
        if own.after.value < own.before.value:
            return f"the model reads {own.what} worse than before: keep the old one, or give more pictures"
        if rehearsed.after.high < rehearsed.before.low:
            return f"the model reads {rehearsed.what} worse than before: check that each picture is in the right folder"
        return ""


@dataclass(frozen=True, eq=False)
class Source:
    """What a fine-tuning starts from, checked before Keras is imported."""

    file: Path
    contract: Contract
    own: OwnPictures
    rehearsed: Splits


def fine_tune(options: FineTuneOptions, console: "Console", prepared: Source | None = None) -> FineTuned:
    """Fine-tune a network to the pictures of one person; write a new run folder, and change no other file.

    Raises:
        UnknownName, ArtifactError, DataError, RunError: before anything is written.
        ModelInaccurate: the network reads no better than chance afterwards; no model is written.
    """
    source = prepared or prepare_fine_tuning(options, console)
    load_keras()
    from edgedigits.training.folding import fold_batch_normalisation
    from edgedigits_exporters.keras_backend import device_scope
    from edgedigits_exporters.keras_file import load_model, save_model

    with device_scope(options.device):
        network = fold_batch_normalisation(load_model(source.file)[0])
        tests = _tests(source, options)
        before = [_share(network, source.contract, *test) for test in tests]
        run = start_run(options.out, _name(source.contract))
        run.write_config(_config(options, source))
        with whole_file(run.path / SHEET) as temporary:
            own_pictures_sheet(source.own, f"Digits found in {options.data}").save(temporary, "PNG")
        history = _fit(network, source, options, console, run)
        validation = source.rehearsed.validation
        probabilities = _predict(network, source.contract, validation.images)
        check_learned(probabilities, validation, "start from another model, or check the folders")
        after = [_share(network, source.contract, *test) for test in tests]
        save_model(network, _contract(source, probabilities), run.model)
    rows = tuple(
        Row(what, len(images), *shares) for (what, images, _), *shares in zip(tests, before, after, strict=True)
    )
    table = {"source": options.source, "rows": [dataclasses.asdict(row) for row in rows], "epochs": history}
    write_whole(run.path / TABLE, _json(table))
    return FineTuned(run, rows, source.own.summary)


def prepare_fine_tuning(options: FineTuneOptions, console: "Console") -> Source:
    """Find the digits in the pictures, and load what is rehearsed; for errors see fine_tune."""
    if not 0 <= options.seed < 2**32:
        raise EdgedigitsError(f"--seed must be from 0 to 2**32 - 1, got {options.seed}")
    check_out(options.out)
    file, contract = find_source(options.source)
    folder = Path(options.data).expanduser()
    if not folder.is_dir():
        raise DatasetInvalid(f"expected a folder with one sub-folder of pictures for each digit; got {options.data}")
    with ProgressBar("finding digits", None, style="text", console=console) as bar:
        found = 0

        def advance(steps: int) -> None:
            nonlocal found
            found += steps
            bar.update(f"finding digits: picture {found:,}")

        # A shipped model reads pictures by its int8 file.
        model = options.source if file.parent == SHIPPED else file
        with load(model, min_confidence=0.0) as reader:
            own = find_own_pictures(folder, contract.labels, reader, options.seed, advance)
    console.print(own.summary, highlight=False, soft_wrap=True)
    dataset = load_dataset(REHEARSED, data_dir=options.data_dir, target=Target.of(contract))
    return Source(file, contract, own, splits_of_dataset(dataset, contract, file))


def find_source(model: str) -> tuple[Path, Contract]:
    """Return the `.keras` file of a MODEL and its contract.

    Raises:
        UnknownName, ArtifactError: there is no such model, or it does not read framed digits as edgedigits' own do.
    """
    file = find_original(model)
    if file.suffix != ".keras":
        raise ArtifactUnsupported(
            f"{model} cannot be trained further: expected a shipped name, a run folder or a .keras file, since"
            f" {file.suffix or 'other'} files hold no trainable network"
        )
    contract = contract_of(file)
    wanted = {
        "labels": (frozenset(contract.labels) == DIGITS, "the labels 0 to 9"),
        "reader": (contract.reader == "digits", "reader digits"),
        "output_kind": (contract.output_kind == "probabilities", "probabilities"),
        "normalisation": (contract.normalisation in ("unit", "column-l2"), "normalisation unit or column-l2"),
        "layout": (contract.layout == "NHWC", "layout NHWC"),
        "polarity": (contract.polarity == "bright-on-dark", "bright ink on dark"),
    }
    for name, (fits, expected) in wanted.items():
        if not fits:
            raise ArtifactUnsupported(
                f"{model} cannot learn a hand: expected {expected}, its contract has {name} {getattr(contract, name)};"
                " start from a model that edgedigits trained, such as base"
            )
    return file, contract


def _fit(
    network: Any, source: Source, options: FineTuneOptions, console: "Console", run: RunFolder
) -> list[dict[str, float]]:
    """Train the network, and return a row for each epoch."""
    import keras

    from edgedigits.training.augment import Augment
    from edgedigits.training.batches import Batches
    from edgedigits.training.fit import EpochProgress
    from edgedigits.training.quantization import Quantized
    from edgedigits.training.training_model import TrainingModel

    contract, rehearsed = source.contract, source.rehearsed
    recipe = get_recipe(contract.recipe) if contract.recipe in RECIPES else None
    keras.utils.set_random_seed(options.seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    trained_network = network
    if recipe and recipe.quantization_epochs:
        trained_network = Quantized(network)
        images = rehearsed.train.images[:: max(1, len(rehearsed.train) // 500)]
        trained_network.measure(normalise(images, contract.normalisation))
    weight = recipe.non_digits_weight if recipe and recipe.non_digits else float(contract.non_digit)
    wanted = HANDWRITING if contract.image_shape == FRAME_SHAPE else GEOMETRY
    model = TrainingModel(
        trained_network,
        augment=Augment(wanted.milder(GENTLE), options.seed),
        normalisation=contract.normalisation,
        non_digits=_non_digits(NON_DIGITS, options.seed) if weight and contract.image_shape == FRAME_SHAPE else None,
        non_digits_weight=weight,
        non_digit_output=contract.non_digit,
        seed=options.seed,
    )
    rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * STEPS)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    own = source.own.train
    both = own.joined(rehearsed.train)
    some = np.unique(np.linspace(0, len(rehearsed.validation) - 1, WATCHED).astype(np.int64))
    watched = rehearsed.validation.take(some)
    progress, history = EpochProgress(console, EPOCHS), []
    try:
        for epoch in range(EPOCHS):
            start = time.perf_counter()
            order = mixed_order(own.labels, len(rehearsed.train), STEPS, np.random.default_rng([options.seed, epoch]))
            logs = model.fit(
                Batches(both, both.labels, order=order, batch_size=BATCH, normalisation="unit"),
                initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0, callbacks=[progress],
                validation_data=Batches(
                    watched, watched.labels, order=np.arange(len(watched)), batch_size=PREDICTION_BATCH,
                    normalisation=contract.normalisation,
                ),
            ).history  # fmt: skip
            row = {name: float(values[-1]) for name, values in logs.items()}
            history.append({"epoch": epoch + 1, **row, "seconds": time.perf_counter() - start})
            run.write_history(history)
            progress.finish_epoch(history[-1])
    finally:
        progress.close()
    return history


def mixed_order(own: NDArray[np.int64], rehearsed: int, steps: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the samples of `steps` batches, int64: own ones first, then rehearsed ones, which are numbered after them.

    Own samples are drawn by class and then within it, so that a class of few pictures counts as much as the others.
    """
    count = int(OWN_SHARE * BATCH)
    classes = np.unique(own)
    members = [np.flatnonzero(own == label) for label in classes]
    chosen = rng.integers(0, len(classes), (steps, count))
    mine = np.array([[members[k][rng.integers(len(members[k]))] for k in row] for row in chosen.tolist()])
    others = len(own) + rng.integers(0, rehearsed, (steps, BATCH - count))
    return np.concatenate([mine, others], axis=1).ravel().astype(np.int64)


Test = tuple[str, Images, NDArray[np.int64] | None]
"""A name, images, and their labels; None where nothing should be read."""


def _tests(source: Source, options: FineTuneOptions) -> list[Test]:
    held_out, test = source.own.held_out, source.rehearsed.test
    name = Path(options.data).resolve().name
    tests: list[Test] = [
        (f"{name}, held out", held_out.images, held_out.labels),
        ("MNIST test", test.images, test.labels),
    ]
    if source.contract.image_shape == FRAME_SHAPE:
        tests.append(("drawn non-digits, not read", _non_digits(NON_DIGITS_TESTED, options.seed + 1), None))
    return tests


def _non_digits(count: int, seed: int) -> Images:
    return non_digit_samples(count, seed)[..., np.newaxis]


def _predict(network: Any, contract: Contract, images: Images) -> Probabilities:
    parts = range(0, len(images), PREDICTION_BATCH)
    read = [
        network.predict_on_batch(normalise(images[start : start + PREDICTION_BATCH], contract.normalisation))
        for start in parts
    ]
    together: Probabilities = np.concatenate(read).astype(np.float32)
    return together


def _share(network: Any, contract: Contract, _: str, images: Images, labels: NDArray[np.int64] | None) -> Share:
    """Return the share of images that are read right, or of non-digits that are not read."""
    read = calibrated(_predict(network, contract, images), contract)
    if labels is None:
        return wilson(int((read.max(axis=1) < contract.rejection_threshold).sum()), len(images))
    return wilson(int((read.argmax(axis=1) == labels).sum()), len(images))


def _name(contract: Contract) -> str:
    return contract.name if contract.name.endswith(OWN) else f"{contract.name}{OWN}"


def _contract(source: Source, probabilities: Probabilities) -> Contract:
    """Return the source's contract with the confidence and the training data of the new network."""
    from edgedigits.training.temperature import with_temperature

    used = DataUsed(REHEARSED, len(source.rehearsed.train) + len(source.own.train), _fingerprint(source))
    contract = dataclasses.replace(
        source.contract, name=_name(source.contract), training=used, accuracy=None, verified=None, calibration=None,
        data=None, expected_accuracy=None, tools=_versions(),
    )  # fmt: skip
    return with_temperature(contract, probabilities, source.rehearsed.validation.labels)


def _fingerprint(source: Source) -> str:
    both = f"{source.rehearsed.train.digest()} {source.own.train.digest()}"
    return f"sha256:{hashlib.sha256(both.encode()).hexdigest()}"


def _config(options: FineTuneOptions, source: Source) -> RunConfig:
    return RunConfig(
        recipe=source.contract.recipe or "",
        data=REHEARSED,
        data_dir=str(options.data_dir.resolve()) if options.data_dir else None,
        epochs=EPOCHS,
        batch_size=BATCH,
        seed=options.seed,
        augmentation=dataclasses.asdict(HANDWRITING.milder(GENTLE)),
        device=options.device,
        data_fingerprint=source.rehearsed.train.digest(),
        split={},
        versions=_versions(),
        started_from=str(source.file.resolve()),
        own_pictures=str(Path(options.data).expanduser().resolve()),
    )


def _versions() -> dict[str, str]:
    import keras

    return {
        "edgedigits": version("edgedigits"),
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
    }


def _percent(share: Share) -> str:
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"


def _json(values: dict[str, Any]) -> str:
    import json

    return json.dumps(values, indent=1)
