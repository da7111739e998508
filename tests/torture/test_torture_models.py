"""A short, seeded part of `python -m tests.torture.models`, and model files that broke an earlier version."""

from pathlib import Path

import numpy as np
import pytest

from edgedigits_runtime.child_process import Child
from edgedigits_runtime.engine_options import EngineOptions, Isolation, Kernels
from edgedigits_runtime.engines.isolated import open_isolated
from edgedigits_runtime.errors import ArtifactError, EngineCrashed
from tests.conftest import REPOSITORY
from tests.torture.models import FORMATS, ask, attack, case, new_tally, suffix_of, torture
from tests.torture.runner import interrupted, record

BROKEN = REPOSITORY / "tests" / "broken" / "models"
TYPED = {"ArtifactCorrupt", "ArtifactUnsupported", "ContractInvalid", "ContractMissing"}


@pytest.mark.parametrize("kind", FORMATS)
def test_checks_raise_typed_errors_only(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"damaged.{suffix_of(kind)}"
    found = {attack("checks", kind, 0, number, path) for number in range(150)}
    assert found <= {*TYPED, "passed"}
    assert {"passed", "ArtifactCorrupt"} <= found or kind == "contract"


@pytest.mark.parametrize("kind", ["tflite", "onnx", "contract"])
def test_engines_run_damaged_models_or_raise_typed_errors(kind: str) -> None:
    tally = torture("engine", kind, 60, new_tally(0))
    assert (tally["executions"], tally["deaths"]) == (60, 0), tally
    assert set(tally["outcomes"]) <= {*TYPED, "ran"}
    assert tally["outcomes"]["ran"] and len(tally["outcomes"]) > 1


@pytest.mark.slow
def test_keras_runs_damaged_models_or_raises_typed_errors() -> None:
    tally = torture("engine", "keras", 40, new_tally(0))
    assert tally["deaths"] == 0 and set(tally["outcomes"]) <= {*TYPED, "ran"}, tally


def test_an_interrupted_attack_resumes(tmp_path: Path) -> None:
    out = tmp_path / "models.json"
    record(out, "contract checks", torture("checks", "contract", 15, new_tally(0)))
    before = interrupted(out, "contract checks", 0)
    assert before["executions"] == 15
    resumed = torture("checks", "contract", 40, before)
    whole = torture("checks", "contract", 40, new_tally(0))
    assert (resumed["executions"], resumed["outcomes"]) == (40, whole["outcomes"])
    assert interrupted(out, "contract checks", 1) == interrupted(out, "other", 0) == {}


def test_a_case_depends_on_its_number_alone() -> None:
    for kind in FORMATS:
        assert case(kind, 3, 14)[0] == case(kind, 3, 14)[0] != case(kind, 3, 15)[0]


def test_a_dead_child_is_restarted(tmp_path: Path) -> None:
    with Child("an attack", EngineCrashed) as child:
        first = ask(child, "engine", "tflite", 0, 0, str(tmp_path))
        assert child.process is not None
        child.process.kill()
        assert ask(child, "engine", "tflite", 0, 0, str(tmp_path)) == "died SIGKILL"
        assert ask(child, "engine", "tflite", 0, 0, str(tmp_path)) == first


@pytest.mark.parametrize(
    ("name", "kernels"), [("softmax-beta-1e-40", "reference"), ("tensors-of-mixed-types", "builtin")]
)
def test_isolation_survives_crashes_without_checks(name: str, kernels: Kernels) -> None:
    path = BROKEN / f"{name}.tflite"
    options = EngineOptions(kernels=kernels, isolation=Isolation())
    with pytest.raises(EngineCrashed, match="SIGABRT"):
        open_isolated("tests.torture.models:open_unchecked", path, None, "auto", options)


def check_refused(path: Path) -> None:
    from edgedigits.model_files import open_model
    from edgedigits_runtime.embedded_contract import read_contract

    contract = read_contract(path)
    with pytest.raises(ArtifactError), open_model(path, contract=contract, options=EngineOptions(workers=1)) as engine:
        engine.run(np.zeros((1, *contract.image_shape), np.uint8))


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.[to]*")), ids=lambda path: path.name)
def test_fixed_files_are_refused(path: Path) -> None:
    check_refused(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.keras")), ids=lambda path: path.name)
def test_fixed_keras_files_are_refused(path: Path) -> None:
    check_refused(path)
