"""Measure what a training costs beside a bare `fit` of the same network: `python -m benchmarks.training_cost RECIPE`.

Both train on MNIST in processes of their own, in turns. CPU time hardly changes with other work on the machine, but
TensorFlow's threads that wait also count, so leave the cores quiet. An epoch of ours includes augmentation, non-digits
and its checkpoint; the first one also includes what Keras compiles.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

EPOCHS, ROUNDS = 3, 2


def ours(recipe: str) -> list[float]:
    """Return the CPU seconds of each epoch of a training."""
    from edgedigits.training.train_options import TrainOptions
    from edgedigits_exporters.keras_backend import load_keras

    load_keras()
    from edgedigits.training.fit import train
    from edgedigits.training.prepared import prepare

    with tempfile.TemporaryDirectory() as folder:
        options = TrainOptions(recipe, data="mnist", epochs=EPOCHS, out=Path(folder) / "run")
        prepared = prepare(options)
        at = [time.process_time()]
        train(options, after_epoch=lambda _: at.append(time.process_time()), prepared=prepared)
    return _differences(at)


def bare(recipe: str) -> list[float]:
    """Return the CPU seconds of each epoch of Keras's `fit` on arrays."""
    import keras
    import numpy as np

    from edgedigits.training.prepared import prepare
    from edgedigits.training.train_options import TrainOptions

    found, dataset, splits = prepare(TrainOptions(recipe, data="mnist"))
    arrays = [
        (samples.images / np.float32(255), np.eye(10, dtype=np.float32)[samples.labels])
        for samples in (splits.train, splits.validation)
    ]
    at = [time.process_time()]
    network = found.build(dataset.train.images.shape[1:], 10)
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    record = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: at.append(time.process_time()))
    network.fit(
        *arrays[0], batch_size=found.batch_size, epochs=EPOCHS, validation_data=arrays[1], verbose=0, callbacks=[record]
    )
    return _differences(at)


def _differences(at: list[float]) -> list[float]:
    return [later - sooner for sooner, later in pairwise(at)]


KINDS = {"ours": ours, "bare": bare}


def main() -> None:
    """Measure and print; the second argument is the kind, in a process of its own."""
    recipe, *kind = sys.argv[1:]
    if kind:
        print(json.dumps(KINDS[kind[0]](recipe)))
        return
    taken: dict[str, list[list[float]]] = {name: [] for name in KINDS}
    for _ in range(ROUNDS):
        for name, runs in taken.items():
            command = [sys.executable, "-m", "benchmarks.training_cost", recipe, name]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            runs.append(json.loads(done.stdout.splitlines()[-1]))
    first = {name: statistics.median(run[0] for run in runs) for name, runs in taken.items()}
    later = {name: statistics.median(seconds for run in runs for seconds in run[1:]) for name, runs in taken.items()}
    for what, seconds in (("first epoch", first), ("an epoch", later)):
        ratio = seconds["ours"] / seconds["bare"]
        print(
            f"{recipe}, {what}: {seconds['ours']:.1f} s of CPU, {ratio:.2f} times a bare fit ({seconds['bare']:.1f} s)"
        )


if __name__ == "__main__":
    main()
