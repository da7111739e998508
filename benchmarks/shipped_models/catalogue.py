"""The shipped models and their teachers, as `make models` builds them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from edgedigits_runtime.errors import UnknownName

INT8 = ("tflite", "int8")
ONNX = ("onnx", "float32")
HALF_ONNX = ("onnx", "float16")

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class ShippedModel:
    """One shipped model, trained by the recipe of its name.

    Args:
        teachers: runs that teach every seed, such as "base-0": a shipped model and a seed.
        formats: (format, precision) of its files; the first one is the default.
    """

    teachers: tuple[str, ...] = ()
    formats: tuple[tuple[str, str], ...] = (INT8, ONNX)


SHIPPED_MODELS: Mapping[str, ShippedModel] = {
    "base": ShippedModel(teachers=("max-0",)),
    "max": ShippedModel(formats=(INT8, HALF_ONNX)),
    "nano": ShippedModel(teachers=("base-0",)),
    "pico": ShippedModel(teachers=("base-0",)),
}


def build_order(names: Iterable[str], plan: Mapping[str, ShippedModel] = SHIPPED_MODELS) -> list[str]:
    """Return `names`, every model after its teachers. Raises UnknownName."""
    wanted = set(names)
    for name in wanted - set(plan):
        raise UnknownName("shipped model", name, plan)
    graph = TopologicalSorter({name: map(_model_of, plan[name].teachers) for name in plan})
    return [name for name in graph.static_order() if name in wanted]


def run_path(runs: Path, name: str, seed: int) -> Path:
    """Return the run folder of one seed of a shipped model."""
    return runs / f"{name}-{seed}"


def run_name(teacher: Path) -> str:
    """Return the name of the run of a teacher's file, or the file's name outside a run."""
    return teacher.parent.name if teacher.name == "model.keras" else teacher.name


def teacher_files(name: str, runs: Path) -> tuple[str, ...]:
    """Return the `.keras` files of a shipped model's teachers."""
    return tuple(str(runs / teacher / "model.keras") for teacher in SHIPPED_MODELS[name].teachers)


def _model_of(run: str) -> str:
    return run.rpartition("-")[0]
