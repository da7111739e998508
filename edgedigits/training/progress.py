"""The live display of a training: a bar over the batches of an epoch, and a line for each finished one."""

from collections.abc import Mapping
from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from edgedigits.training.run_folder import row_as_text


class EpochProgress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras publishes no types
    """Show the batches of the running epoch where the console is a terminal; print finished epochs anywhere."""

    def __init__(self, console: Console, epochs: int) -> None:
        super().__init__()
        self._console = console
        self._epochs = epochs
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task: TaskID | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._progress.start()
        self._task = self._progress.add_task(f"epoch {epoch + 1}/{self._epochs}", total=self.params["steps"])

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if self._task is not None:
            self._progress.advance(self._task)

    def close(self) -> None:
        """Take the bar away; needed after an interrupted epoch, harmless otherwise."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        self._progress.stop()

    def finished(self, row: Mapping[str, float]) -> None:
        """Print the line of a finished epoch."""
        self.close()
        self._console.print(row_as_text(row, self._epochs), highlight=False, soft_wrap=True)
