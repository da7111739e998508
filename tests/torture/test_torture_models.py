"""A short, seeded part of `python -m tests.torture.models`, and the files that once broke something."""

from pathlib import Path

import numpy as np
import pytest

from edgedigits_runtime.engine_options import EngineOptions, Isolation, Kernels
from edgedigits_runtime.engines.isolated import open_isolated
from edgedigits_runtime.errors import ArtifactError, EngineCrashed
from tests.conftest import REPOSITORY
from tests.torture.models import FORMATS, Child, case, check_only, resumed, suffix_of, torture

BROKEN = REPOSITORY / "tests" / "broken" / "models"
TYPED = {"ArtifactCorrupt", "ArtifactUnsupported", "ContractInvalid", "ContractMissing"}


@pytest.mark.parametrize("kind", FORMATS)
def test_nothing_but_typed_errors_leaves_the_checks(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"damaged.{suffix_of(kind)}"
    found = {check_only(kind, 0, number, path) for number in range(150)}
    assert found <= {*TYPED, "passed"}
    assert {"passed", "ArtifactCorrupt"} <= found or kind == "contract"


@pytest.mark.parametrize("kind", ["tflite", "onnx", "contract"])
def test_engines_run_what_passes_or_say_why_not(kind: str) -> None:
    tally = torture("engine", kind, 0, 60)
    assert (tally.executions, tally.deaths) == (60, 0), tally.bad
    assert set(tally.outcomes) <= {*TYPED, "ran"}
    assert tally.outcomes["ran"] and len(tally.outcomes) > 1


@pytest.mark.slow
def test_keras_runs_what_passes_or_says_why_not() -> None:
    tally = torture("engine", "keras", 0, 40)
    assert tally.deaths == 0 and set(tally.outcomes) <= {*TYPED, "ran"}, tally.bad


def test_an_attack_that_was_broken_off_goes_on() -> None:
    whole = torture("checks", "contract", 0, 40)
    begun = torture("checks", "contract", 0, 15)
    again = torture("checks", "contract", 0, 40, before=resumed(begun.to_dict(), 0))
    assert (again.executions, again.outcomes) == (40, whole.outcomes)
    assert resumed(begun.to_dict(), 1).executions == resumed(None, 0).executions == 0


def test_a_case_is_made_of_its_number_alone() -> None:
    for kind in FORMATS:
        assert case(kind, 3, 14)[0] == case(kind, 3, 14)[0] != case(kind, 3, 15)[0]


def test_a_child_that_dies_is_started_again() -> None:
    child = Child("engine", "tflite", "0")
    first = child.process.pid
    child.process.kill()
    assert child.answer(0) == "died SIGKILL"
    assert child.process.pid != first
    assert child.answer(0) in {*TYPED, "ran"}
    child.close()


@pytest.mark.parametrize(
    ("name", "kernels"), [("softmax-beta-1e-40", "reference"), ("tensors-of-mixed-types", "builtin")]
)
def test_isolation_survives_what_no_check_would_have_seen(name: str, kernels: Kernels) -> None:
    path = BROKEN / f"{name}.tflite"
    options = EngineOptions(kernels=kernels, isolation=Isolation())
    with pytest.raises(EngineCrashed, match="SIGABRT"):
        open_isolated("tests.torture.models:open_unchecked", path, None, "auto", options)


def refused(path: Path) -> None:
    from edgedigits.model_files import open_model
    from edgedigits_runtime.embedded_contract import read_contract

    contract = read_contract(path)
    with pytest.raises(ArtifactError), open_model(path, contract=contract, options=EngineOptions(workers=1)) as engine:
        engine.run(np.zeros((1, *contract.image_shape), np.uint8))


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.[to]*")), ids=lambda path: path.name)
def test_what_once_broke_something(path: Path) -> None:
    refused(path)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.keras")), ids=lambda path: path.name)
def test_what_once_broke_something_in_keras(path: Path) -> None:
    refused(path)
