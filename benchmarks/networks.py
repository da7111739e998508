"""The networks whose C is measured: shipped ones, published recipes, and one of the size that other projects measure.

The others are trained for one epoch and stored under runs/c-networks/, since sizes, instructions and exactness do not
depend on accuracy. An existing run folder there is used as it is.
"""

from pathlib import Path
from typing import Literal

from edgedigits import export, train
from edgedigits.data import load_dataset
from edgedigits.data.dataset import Samples
from edgedigits.model_files import SHIPPED, shipped_names
from edgedigits.recipes import PUBLISHED
from edgedigits_exporters.microcontroller import c
from edgedigits_exporters.microcontroller.graph import Graph
from edgedigits_exporters.microcontroller.parsing import read_graph

Kernels = Literal["xnnpack", "reference"]

KERNELS: tuple[Kernels, ...] = ("xnnpack", "reference")
FOLDER = Path(__file__).parent.parent / "runs" / "c-networks"
SMALL = "small"
NETWORKS = (*shipped_names(), *PUBLISHED, SMALL)


def int8_file(name: str) -> Path:
    """Return the int8 `.tflite` file of one of NETWORKS; train it if it does not exist."""
    if name in shipped_names():
        return SHIPPED / f"{name}.tflite"
    path = FOLDER / name / f"{name}.int8.tflite"
    if not path.is_file():
        _make_small(path) if name == SMALL else _make_published(name, path)
    return path


def write_c(name: str, kernels: Kernels, folder: Path) -> Path:
    """Export a network as C into `folder` and return it, without a comparison."""
    return c.export(int8_file(name), folder, c.COptions(kernels=kernels))


def graph_of(name: str) -> Graph:
    """Return a network as the C exporter parses it."""
    path = int8_file(name)
    return read_graph(path.read_bytes(), str(path))


def mnist_test_split() -> Samples:
    """Return MNIST's 10,000 test images."""
    test = load_dataset("mnist").test
    if test is None:
        raise SystemExit("expected MNIST with a test split")
    return test


def _make_published(name: str, path: Path) -> None:
    run = path.parent
    if not (run / "model.keras").is_file():
        train(name, epochs=1, out=run)
    # One epoch may be too short to pass the gates.
    export(run, format="tflite", out=path, verify=False)


def _make_small(path: Path) -> None:
    """Conv 8, pool, conv 16, pool, dense: 7,018 parameters."""
    from edgedigits_exporters import tflite
    from edgedigits_exporters.conversion import choose_balanced
    from edgedigits_exporters.keras_backend import load_keras
    from edgedigits_exporters.keras_file import float_border, save_model
    from edgedigits_runtime.contract import Contract
    from edgedigits_runtime.preprocessing import normalise

    keras = load_keras()
    keras.utils.set_random_seed(0)
    layers, dataset = keras.layers, load_dataset("mnist")
    images, labels = dataset.train.images, dataset.train.labels
    network = keras.Sequential(
        [
            keras.Input(dataset.image_shape),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    network.compile("adam", "sparse_categorical_crossentropy")
    network.fit(normalise(images, "unit"), labels, batch_size=128, epochs=1, verbose=2)
    taken, made = float_border(dataset.image_shape, len(dataset.labels))
    contract = Contract(name=SMALL, input=taken, output=made, labels=dataset.labels)
    keras_file = save_model(network, contract, path.parent / "model.keras")
    chosen = choose_balanced(images, labels, "mnist/train")
    tflite.export(keras_file, path, tflite.TfliteOptions(contract=contract, calibration_set=chosen))
