"""Which models are shipped, and what each learns from: what `make models` builds."""

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
    """One shipped model; it is trained by the recipe of its name.

    Args:
        teachers: runs that every seed of it learns from, such as "base-0": a shipped model and a seed.
        formats: (format, precision) of its files; the first is the one that reads pictures.
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
    """Return `names`, every model after its teachers.

    Raises:
        UnknownName: a name is not in the plan.
    """
    wanted = set(names)
    for name in wanted - set(plan):
        raise UnknownName("shipped model", name, plan)
    graph = TopologicalSorter({name: map(_model_of, plan[name].teachers) for name in plan})
    return [name for name in graph.static_order() if name in wanted]


def run_path(runs: Path, name: str, seed: int) -> Path:
    """Return the run folder of one seed of a shipped model."""
    return runs / f"{name}-{seed}"


def run_name(teacher: Path) -> str:
    """Return the name of the run that a teacher's file lies in, or the file's own where it lies in none."""
    return teacher.parent.name if teacher.name == "model.keras" else teacher.name


def teacher_files(name: str, runs: Path) -> tuple[str, ...]:
    """Return the `.keras` files that a shipped model learns from."""
    return tuple(str(runs / teacher / "model.keras") for teacher in SHIPPED_MODELS[name].teachers)


def _model_of(run: str) -> str:
    return run.rpartition("-")[0]
