"""Progress of a training: a bar for the running epoch and a line for each finished one."""

from collections.abc import Mapping
from typing import Any

import keras
from rich.console import Console

from edgedigits.progress import ProgressBar
from edgedigits.training.run_folder import format_epoch


class EpochProgress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras publishes no types
    """Draw a bar if the console is a terminal; print finished epochs in any case."""

    def __init__(self, console: Console, epochs: int) -> None:
        super().__init__()
        self._console = console
        self._epochs = epochs
        self._bar: ProgressBar | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._bar = ProgressBar(f"epoch {epoch + 1}/{self._epochs}", self.params["steps"], console=self._console)
        self._bar.start()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if self._bar:
            self._bar.advance()

    def close(self) -> None:
        """Remove the bar, also after an interrupted epoch."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def finish_epoch(self, row: Mapping[str, float]) -> None:
        """Print the line of a finished epoch."""
        self.close()
        self._console.print(format_epoch(row, self._epochs), highlight=False, soft_wrap=True)
