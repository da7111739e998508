"""edgedigits: train a digit CNN, export it, prove the export, read real pictures on the device.

    import edgedigits
    reader = edgedigits.load()
    print(reader.read("photo.jpg").text)

`load` works in the light install; `train`, `export` and `verify` need the [train] extra.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from edgedigits_runtime.errors import EdgedigitsError

if TYPE_CHECKING:
    from edgedigits.exporting import Exported
    from edgedigits.recipes.gates import Gate
    from edgedigits.training.run_folder import RunFolder
    from edgedigits.verification.verify import Verification
    from edgedigits_exporters.keras_backend import Device
    from edgedigits_runtime.engine_options import EngineOptions
    from edgedigits_runtime.reading.reader import Reader
    from edgedigits_runtime.reading.reject import Expect

__all__ = ["EdgedigitsError", "export", "load", "train", "verify"]


def load(
    model: str | Path = "base",
    *,
    engine: str | None = None,
    device: str = "auto",
    options: "EngineOptions | None" = None,
    contract: Path | None = None,
    min_confidence: float | None = None,
    max_pixels: int | None = None,
    expect: "Expect" = "auto",
    length: int | None = None,
) -> "Reader":
    """Return a reader of pictures.

    Args:
        model: a shipped name, a run folder, or a `.keras`, `.onnx` or `.tflite` file.
        engine: "litert", "onnxruntime" or "keras"; chosen by file type if None.
        device: "auto", "cpu", or an accelerator of ONNX Runtime such as "cuda" or "cuda:1".
        options: threads, workers, kernels and cores; the defaults if None.
        contract: a JSON file in place of the model's own contract.
        min_confidence: what is read with less is left out; None is the model's own threshold.
        max_pixels: larger pictures are refused; None is the default limit.
        expect: "one" digit a picture, one "number", a "page" of lines, or "auto".
        length: how many digits a picture holds; None for any number.

    Raises:
        EdgedigitsError: the model, engine or device cannot be used; see edgedigits_runtime.errors.
    """
    from edgedigits.model_files import find_model, open_model, read_contract_file
    from edgedigits_runtime.classifier import Classifier
    from edgedigits_runtime.reading.decode import MAX_PIXELS
    from edgedigits_runtime.reading.reader import Reader

    given = read_contract_file(contract) if contract else None
    opened = open_model(
        find_model(model, engine=engine, device=device), engine=engine, device=device, options=options, contract=given
    )
    return Reader(
        Classifier(opened),
        min_confidence=min_confidence,
        max_pixels=max_pixels or MAX_PIXELS,
        expect=expect,
        length=length,
    )


def train(
    recipe: str = "plain-3conv",
    *,
    data: str | None = None,
    data_dir: Path | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    augment: bool = False,
    teachers: Sequence[str | Path] = (),
    mixed_precision: bool = False,
    parallel: bool = False,
    out: Path | None = None,
    device: "Device" = "auto",
) -> "RunFolder":
    """Train a recipe and return its run folder; mirrors `edgedigits train`.

    Args:
        recipe: a name of edgedigits.recipes.RECIPES.
        data: a dataset's name, or a folder with one sub-folder of pictures per class; None is the recipe's own.
        data_dir: looked in first for the dataset.
        epochs, batch_size: None is the recipe's own.
        seed: of weights, order and augmentation.
        augment: deform the images a little while training, where the recipe does not do so by itself.
        teachers: MODELs whose probabilities it learns to give too.
        mixed_precision: compute in bfloat16, keep weights in float32.
        parallel: on all GPUs of this machine, under the JAX backend.
        out: the run folder to make; None is a new one under `runs/`.
        device: "auto", "cpu" or "gpu".

    Raises:
        EdgedigitsError: see edgedigits.training.fit.train.
    """
    from edgedigits_exporters.keras_backend import load_keras

    load_keras()
    from edgedigits.training.fit import train as fit
    from edgedigits.training.options import TrainOptions

    return fit(
        TrainOptions(
            recipe, data, data_dir, epochs, batch_size, seed, augment, tuple(map(str, teachers)), mixed_precision,
            parallel, out, device,
        )
    )  # fmt: skip


def export(
    model: str | Path | None = None,
    *,
    format: str = "tflite",
    precision: str | None = None,
    out: Path | None = None,
    verify: bool = True,
    data: str | None = None,
    data_dir: Path | None = None,
    kernels: Literal["xnnpack", "reference"] = "xnnpack",
    project: str = "plain",
    engine: str | None = None,
    npm_package: Path | None = None,
    force: bool = False,
) -> "Exported":
    """Export a model and prove the export; mirrors `edgedigits export`.

    Args:
        model: MODEL; None is the newest run under `runs/`, else "base".
        format: "onnx", "tflite", "c", "c-array" or "web".
        precision: "float32", "float16", "int8" or "dynamic"; None is int8 for tflite, float32 for onnx.
        out: the file or folder to write; None chooses a name.
        verify: compare with Keras on the test split before the file gets its name; C with LiteRT, value by value.
        data, data_dir: where the dataset is; None for the one that the model was trained on, in the usual places.
        kernels, project, engine, npm_package, force: of the formats that are folders; see
            edgedigits.exporting.ExportRequest.

    Raises:
        EdgedigitsError: see edgedigits.exporting.export_file and edgedigits.folder_exporting.export_folder.
    """
    from edgedigits.exporting import ExportRequest, export_model
    from edgedigits.training.data_of_model import DataOptions

    return export_model(
        ExportRequest(
            model, format, precision, out, verify, DataOptions(data, data_dir),
            kernels=kernels, project=project, force=force, engine=engine, npm_package=npm_package,
        )
    )  # fmt: skip


def verify(
    artifact: Path,
    *,
    against: str | Path | None = None,
    split: str = "test",
    data: str | None = None,
    data_dir: Path | None = None,
    demands: "Gate | None" = None,
    isolate: bool = False,
) -> "Verification":
    """Compare an artifact with its Keras model on every image of a split; mirrors `edgedigits verify`.

    A missed gate is in the result's `missed`, and is no error here.

    Args:
        artifact: a `.onnx` or `.tflite` file, or a folder of C.
        against: the Keras model; None looks beside the artifact. C is compared with the `.tflite` inside it.
        split: "train", "validation" or "test".
        data, data_dir: where the dataset is; None for the one that the model was trained on, in the usual places.
        demands: replace those of the artifact's recipe and precision, each one that is stated.
        isolate: run both in processes of their own with limits, for files of strangers.

    Raises:
        EdgedigitsError: see edgedigits.verification.verify.
    """
    from edgedigits.model_files import find_keras, find_model
    from edgedigits.recipes.gates import Gate
    from edgedigits.training.data_of_model import DataOptions, splits_of_model
    from edgedigits.verification.verify import find_reference, verify_artifact
    from edgedigits_exporters.keras_backend import load_keras
    from edgedigits_runtime.embedded_contract import read_contract
    from edgedigits_runtime.engine_options import Isolation

    artifact = find_model(artifact)
    reference = find_keras(against) if against else find_reference(artifact)
    if reference.suffix == ".keras":
        load_keras()
    splits = splits_of_model(read_contract(reference), reference, DataOptions(data, data_dir))
    dataset = Path(data).name if data else None
    return verify_artifact(
        artifact,
        reference,
        splits.named(split),
        split,
        demands=demands or Gate(),
        dataset=dataset,
        isolation=Isolation() if isolate else None,
    )
